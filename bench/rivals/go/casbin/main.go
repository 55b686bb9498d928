// Measures Casbin: the plain enforcer, and the one that caches what it has answered.
//
// A policy holds one token's rules, or one rule for each of a thousand tokens. The matcher was
// chosen by trying: a function in Go that compares a prefix is faster than the built-in keyMatch,
// and asking it first, the most selective condition, faster than asking it last. Policies are in
// memory, roles are not used, nothing is logged, and the enforcers are those without locks but for
// the cache's own. Version 3 is no slower than version 2.
//
// The cache knows every answer until it is told to forget: so it is emptied before each measurement
// of fresh requests, and those are many enough that none comes twice.
package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/casbin/casbin/v3"
	"github.com/casbin/casbin/v3/model"

	"weir/rivals/drive"
)

const policyModel = `
[request_definition]
r = sub, obj, act
[policy_definition]
p = sub, obj, act
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = hasPrefix(r.obj, p.obj) && r.sub == p.sub && r.act == p.act
`

type enforcer interface {
	Enforce(values ...any) (bool, error)
}

func hasPrefix(arguments ...any) (any, error) {
	return strings.HasPrefix(arguments[0].(string), arguments[1].(string)), nil
}

func must(err error) {
	if err != nil {
		drive.Fail(err)
	}
}

// set adds the function that the model uses, and the rules, to an enforcer.
func set(to *casbin.Enforcer, rules []drive.Rule) {
	policies := [][]string{}
	seen := map[string]bool{} // Casbin refuses a rule that it has
	for _, rule := range rules {
		object := rule.Basin + "/" + rule.StreamPrefix
		if !seen[rule.ID+"/"+object] {
			seen[rule.ID+"/"+object] = true
			policies = append(policies, []string{rule.ID, object, "read"})
		}
	}
	to.AddFunction("hasPrefix", hasPrefix)
	_, err := to.AddPolicies(policies)
	must(err)
}

func plain(rules []drive.Rule) *casbin.Enforcer {
	rulesModel, err := model.NewModelFromString(policyModel)
	must(err)
	made, err := casbin.NewEnforcer(rulesModel)
	must(err)
	set(made, rules)
	return made
}

func cached(rules []drive.Rule) *casbin.CachedEnforcer {
	rulesModel, err := model.NewModelFromString(policyModel)
	must(err)
	made, err := casbin.NewCachedEnforcer(rulesModel)
	must(err)
	set(made.Enforcer, rules)
	return made
}

func enforcerCase(workload string, requests []drive.Request, asked enforcer) *drive.Case {
	objects := make([]string, len(requests))
	for i, request := range requests {
		objects[i] = request.Basin + "/" + request.Stream
	}
	return &drive.Case{
		Workload: workload, By: "id",
		Count: len(requests),
		Touch: func(place int) int {
			return drive.TouchText(objects[place]) + drive.TouchText(requests[place].ID)
		},
		Allowed: func(place int) bool { return requests[place].Allowed },
		Ask: func(begin, end int) (allowed int) {
			for i := begin; i < end; i++ {
				ok, err := asked.Enforce(requests[i].ID, objects[i], "read")
				must(err)
				if ok {
					allowed++
				}
			}
			return allowed
		},
	}
}

func casesOf(directory, workload, what string) []*drive.Case {
	requests := drive.Requests(directory, workload)
	rules := drive.Rules(directory, workload)
	asked := cached(rules)

	each := enforcerCase(workload, requests, plain(rules))
	each.Name = what
	each.Note = "plain enforcer: tries one rule after the other"
	again := enforcerCase(workload, requests[:drive.Repeated], asked)
	again.By = "id, repeated"
	again.Name = what + ", cached enforcer, repeated request"
	again.Note = "64 requests in turn: each is in the cache"
	fresh := enforcerCase(workload, requests, asked)
	fresh.Name = what + ", cached enforcer, fresh request"
	fresh.Note = "none is in the cache, which keeps each"
	fresh.Prepare = func() { must(asked.InvalidateCache()) }
	return []*drive.Case{each, again, fresh}
}

func main() {
	directory := os.Args[1]
	cases := casesOf(directory, "users_1000", "1000 tokens of one rule")
	for _, size := range []int{1, 10, 100, 1000, 10000} {
		cases = append(cases, casesOf(directory, fmt.Sprintf("broker_%d", size), drive.CountOfRules(size))...)
	}
	drive.Run("Casbin "+drive.Version("github.com/casbin/casbin/v3"), cases)
}
