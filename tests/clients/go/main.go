// Command clients calls the methods of S2's Go SDK as told by lines of JSON on standard input, and
// answers each with a line (../README.md).
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/s2-streamstore/s2-sdk-go/s2"
)

const tokenID = "user-1234-rw-token"

// What a line may have besides the name of the call.
type given struct {
	Call       string                  `json:"call"`
	Token      s2.IssueAccessTokenArgs `json:"token"`
	ID         s2.AccessTokenID        `json:"id"`
	Prefix     string                  `json:"prefix"`
	StartAfter string                  `json:"start_after"`
	Limit      *int                    `json:"limit"`
	ExpiresAt  time.Time               `json:"expires_at"`

	Basin          string        `json:"basin"`
	CreateOnAppend bool          `json:"create_on_append"`
	Stream         s2.StreamName `json:"stream"`
	Bodies         []string      `json:"bodies"`
	Batches        [][]string    `json:"batches"`
	Pause          float64       `json:"pause"`
	FencingToken   string        `json:"fencing_token"`
	First          uint64        `json:"first"`
	Count          uint64        `json:"count"`
}

type failure struct {
	Status  int    `json:"status"`
	Code    string `json:"code"`
	Message string `json:"message"`
}

type answer struct {
	Answer any      `json:"answer"`
	Error  *failure `json:"error,omitempty"`
}

type call func(context.Context, *s2.Client, given) (any, error)

func ofTokens(call func(context.Context, *s2.AccessTokensClient, given) (any, error)) call {
	return func(ctx context.Context, client *s2.Client, given given) (any, error) {
		return call(ctx, client.AccessTokens, given)
	}
}

var tokenCalls = map[string]func(context.Context, *s2.AccessTokensClient, given) (any, error){
	"documented_list": func(ctx context.Context, tokens *s2.AccessTokensClient, _ given) (any, error) {
		return tokens.List(ctx, nil)
	},
	"documented_issue": func(ctx context.Context, tokens *s2.AccessTokensClient, given given) (any, error) {
		return issue(ctx, tokens, s2.IssueAccessTokenArgs{
			ID: tokenID,
			Scope: s2.AccessTokenScope{
				Basins:  &s2.ResourceSet{Prefix: s2.String("")}, // every basin
				Streams: &s2.ResourceSet{Prefix: s2.String("users/1234/")},
				OpGroups: &s2.PermittedOperationGroups{
					Stream: &s2.ReadWritePermissions{Read: true, Write: true},
				},
			},
			ExpiresAt: &given.ExpiresAt,
		})
	},
	"documented_revoke": func(ctx context.Context, tokens *s2.AccessTokensClient, _ given) (any, error) {
		return nil, tokens.Revoke(ctx, s2.RevokeAccessTokenArgs{ID: tokenID})
	},
	"list": func(ctx context.Context, tokens *s2.AccessTokensClient, given given) (any, error) {
		return tokens.List(ctx, &s2.ListAccessTokensArgs{
			Prefix: given.Prefix, StartAfter: given.StartAfter, Limit: given.Limit,
		})
	},
	"list_all": listAll,
	"issue": func(ctx context.Context, tokens *s2.AccessTokensClient, given given) (any, error) {
		return issue(ctx, tokens, given.Token)
	},
	"revoke": func(ctx context.Context, tokens *s2.AccessTokensClient, given given) (any, error) {
		return nil, tokens.Revoke(ctx, s2.RevokeAccessTokenArgs{ID: given.ID})
	},
}

func issue(ctx context.Context, tokens *s2.AccessTokensClient, token s2.IssueAccessTokenArgs) (any, error) {
	issued, err := tokens.Issue(ctx, token)
	if err != nil {
		return nil, err
	}
	return issued.AccessToken, nil
}

func listAll(ctx context.Context, tokens *s2.AccessTokensClient, given given) (any, error) {
	ids := []s2.AccessTokenID{}
	all := tokens.Iter(ctx, &s2.ListAccessTokensArgs{Prefix: given.Prefix, Limit: given.Limit})
	for all.Next() {
		ids = append(ids, all.Value().ID)
	}
	return ids, all.Err()
}

func failed(err error) *failure {
	var s2Error *s2.S2Error
	if errors.As(err, &s2Error) && s2Error.Origin == "server" {
		return &failure{s2Error.Status, s2Error.Code, s2Error.Message}
	}
	return &failure{0, "client", err.Error()}
}

func callNamed(name string) (call, bool) {
	if call, known := tokenCalls[name]; known {
		return ofTokens(call), true
	}
	call, known := streamCalls[name]
	return call, known
}

func do(client *s2.Client, line []byte) answer {
	var given given
	if err := json.Unmarshal(line, &given); err != nil {
		return answer{Error: failed(err)}
	}
	call, known := callNamed(given.Call)
	if !known {
		return answer{Error: failed(fmt.Errorf("no such call: %q", given.Call))}
	}
	result, err := call(context.Background(), client, given)
	if err != nil {
		return answer{Error: failed(err)}
	}
	return answer{Answer: result}
}

func options() *s2.ClientOptions {
	compressions := map[string]s2.CompressionType{
		"gzip": s2.CompressionGzip, "zstd": s2.CompressionZstd,
	}
	options := s2.LoadConfigFromEnv()
	options.Compression = compressions[os.Getenv("CLIENT_COMPRESSION")]
	return options
}

func main() {
	client := s2.NewFromEnvironment(options())
	answers := json.NewEncoder(os.Stdout)
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		if err := answers.Encode(do(client, lines.Bytes())); err != nil {
			panic(err)
		}
	}
}
