// Package drive reads the workloads that rivals_workload writes, measures an engine with them, and
// speaks with measure.py (see ../../README.md).
package drive

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"time"
)

const (
	chunk    = 128                    // requests that are timed together, having been touched
	warm     = 20 * time.Millisecond  // before a measurement …
	measured = 100 * time.Millisecond // … and at least so long in it
)

// Repeated is how many requests there are where they are repeated.
const Repeated = 64

// Rule is a scope of a token.
type Rule struct{ ID, BasinPrefix, Basin, StreamPrefix string }

// Request is a question, and its answer.
type Request struct {
	ID, Basin, Stream string
	Allowed           bool
}

// Case is something to measure.
type Case struct {
	Workload string // by which Weir's figure is found, with By
	By       string // "id" or "connection", with ", repeated" if the requests are
	Name     string
	Note     string
	// Prepare is called before each measurement, if there is something to prepare.
	Prepare func()
	// Count is the number of requests, which are asked in turn.
	Count int
	// Touch reads the names of a request, so that they are in the caches.
	Touch func(place int) int
	// Ask asks the requests from begin to end, and returns how many are allowed.
	Ask func(begin, end int) int
	// Allowed tells whether that request is.
	Allowed func(place int) bool

	next int
}

// Fail ends the program.
func Fail(arguments ...any) {
	fmt.Fprintln(os.Stderr, arguments...)
	os.Exit(1)
}

func lines(path string, fields int, each func(fields []string)) {
	file, err := os.Open(path)
	if err != nil {
		Fail(err)
	}
	defer file.Close()
	scanner := bufio.NewScanner(file)
	for scanner.Scan() {
		found := strings.Split(scanner.Text(), "\t")
		if len(found) != fields {
			Fail(path, "is not a workload")
		}
		each(found)
	}
	if err := scanner.Err(); err != nil {
		Fail(err)
	}
}

// Rules reads the rules of a workload.
func Rules(directory, workload string) (rules []Rule) {
	lines(directory+"/"+workload+".rules", 4, func(f []string) {
		rules = append(rules, Rule{ID: f[0], BasinPrefix: f[1], Basin: f[2], StreamPrefix: f[3]})
	})
	return rules
}

// Requests reads the requests of a workload.
func Requests(directory, workload string) (requests []Request) {
	lines(directory+"/"+workload+".requests", 4, func(f []string) {
		requests = append(requests, Request{ID: f[0], Basin: f[1], Stream: f[2], Allowed: f[3] == "1"})
	})
	return requests
}

// TouchText reads a string.
func TouchText(text string) (sum int) {
	for i := 0; i < len(text); i++ {
		sum += int(text[i])
	}
	return sum
}

// CountOfRules says how many there are.
func CountOfRules(count int) string {
	if count == 1 {
		return "1 rule"
	}
	return fmt.Sprint(count, " rules")
}

var touched int

// turn asks one chunk, and returns how long that took; wrong if an answer was.
func (c *Case) turn() (took time.Duration, asked int, wrong bool) {
	begin := c.next
	end := min(begin+chunk, c.Count)
	expected := 0
	for i := begin; i < end; i++ {
		touched += c.Touch(i)
		if c.Allowed(i) {
			expected++
		}
	}
	c.next = end % c.Count
	start := time.Now()
	allowed := c.Ask(begin, end)
	return time.Since(start), end - begin, allowed != expected
}

// askFor asks for a time and returns the nanoseconds that a check took, collection of its garbage
// included; negative if an answer was wrong.
func (c *Case) askFor(duration time.Duration) float64 {
	var total time.Duration
	count := 0
	for total < duration {
		took, asked, wrong := c.turn()
		if wrong {
			return -1
		}
		total += took
		count += asked
	}
	return float64(total.Nanoseconds()) / float64(count)
}

func (c *Case) measure() {
	runtime.GC()
	if c.Prepare != nil {
		c.Prepare()
	}
	if c.askFor(warm) < 0 {
		fmt.Println("wrong:", c.Name)
		return
	}
	if nanoseconds := c.askFor(measured); nanoseconds < 0 {
		fmt.Println("wrong:", c.Name)
	} else {
		fmt.Printf("%.3f\n", nanoseconds)
	}
}

// Version returns the version of a module that the program is built with.
func Version(module string) string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, dependency := range info.Deps {
			if dependency.Path == module {
				return strings.TrimPrefix(dependency.Version, "v")
			}
		}
	}
	return "of unknown version"
}

// Run measures whichever case it is told to, until there is nothing more to read: on one processor,
// with a heap that grows to five times what is alive before garbage is collected, not to twice.
func Run(rival string, cases []*Case) {
	runtime.GOMAXPROCS(1)
	debug.SetGCPercent(400)
	fmt.Printf("rival\t%s\n", rival)
	for _, c := range cases {
		fmt.Printf("case\t%s\t%s\t%s\t%s\n", c.Workload, c.By, c.Name, c.Note)
	}
	fmt.Println("ready")
	scanner := bufio.NewScanner(os.Stdin)
	for scanner.Scan() {
		number, err := strconv.Atoi(scanner.Text())
		if err != nil || number < 0 || number >= len(cases) {
			Fail("there is no case", scanner.Text())
		}
		cases[number].measure()
	}
}
