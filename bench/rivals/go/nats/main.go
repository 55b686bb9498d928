// Measures the permission check that the NATS server makes before it accepts what a client publishes.
//
// A whole server runs in this process, configured with one user for each number of rules; each is
// connected, and the check is that of the server's own client object, called as it calls it
// itself: first the connection's cache of 128 subjects, then the trie of permitted subjects, whose
// own cache, like all else, is as the server sets it up. The check is not exported; it is linked
// by name. The subject is a string already, where the server makes one of the client's bytes.
//
// The names: a basin and a stream are a subject whose tokens are what lies between slashes, and a
// prefix is the tokens it consists of, followed by ">".
package main

import (
	"fmt"
	"io"
	"os"
	"reflect"
	"strings"
	"time"
	"unsafe"

	"github.com/nats-io/nats-server/v2/server"

	"weir/rivals/drive"
)

//go:linkname pubAllowedFullCheck github.com/nats-io/nats-server/v2/server.(*client).pubAllowedFullCheck
func pubAllowedFullCheck(client unsafe.Pointer, subject string, fullCheck, hasLock bool) bool

var sizes = []int{1, 10, 100, 1000, 10000}

func workload(size int) string {
	return fmt.Sprintf("broker_%d", size)
}

func subject(basin, stream string) string {
	return basin + "." + strings.ReplaceAll(stream, "/", ".")
}

func user(directory string, size int) *server.User {
	var allowed []string
	for _, rule := range drive.Rules(directory, workload(size)) {
		allowed = append(allowed, subject(rule.Basin, rule.StreamPrefix)+">")
	}
	return &server.User{
		Username:    workload(size),
		Password:    "password",
		Permissions: &server.Permissions{Publish: &server.SubjectPermission{Allow: allowed}},
	}
}

func start(directory string) *server.Server {
	options := &server.Options{DontListen: true, NoLog: true, NoSigs: true}
	for _, size := range sizes {
		options.Users = append(options.Users, user(directory, size))
	}
	started, err := server.NewServer(options)
	if err != nil {
		drive.Fail(err)
	}
	started.Start()
	if !started.ReadyForConnections(10 * time.Second) {
		drive.Fail("the NATS server does not start")
	}
	return started
}

// connect connects a user, and returns when the server knows it.
func connect(to *server.Server, size int) {
	connection, err := to.InProcessConn()
	if err != nil {
		drive.Fail(err)
	}
	go func() {
		fmt.Fprintf(connection, "CONNECT {\"user\":%q,\"pass\":\"password\",\"verbose\":false}\r\nPING\r\n",
			workload(size))
	}()
	seen := ""
	for !strings.Contains(seen, "PONG") {
		buffer := make([]byte, 4096)
		n, err := connection.Read(buffer)
		seen += string(buffer[:n])
		if err != nil || strings.Contains(seen, "-ERR") {
			drive.Fail("the NATS server refuses the connection:", seen, err)
		}
	}
	go io.Copy(io.Discard, connection)
}

// newestClient returns the server's object for the connection made last.
func newestClient(of *server.Server) (client unsafe.Pointer) {
	newest := uint64(0)
	clients := reflect.ValueOf(of).Elem().FieldByName("clients").MapRange()
	for clients.Next() {
		if id := clients.Key().Uint(); id >= newest {
			newest, client = id, clients.Value().UnsafePointer()
		}
	}
	return client
}

func permissionCase(directory string, client unsafe.Pointer, size int, fresh bool) *drive.Case {
	requests := drive.Requests(directory, workload(size))
	if !fresh {
		requests = requests[:drive.Repeated]
	}
	subjects := make([]string, len(requests))
	for i, request := range requests {
		subjects[i] = subject(request.Basin, request.Stream)
	}
	by, name := "connection, repeated", "repeated subject"
	note := "64 subjects in turn: each is in the connection's cache"
	if fresh {
		by, name = "connection", "fresh subject"
		note = "65536 subjects in turn: none is in a cache when it comes"
	}
	return &drive.Case{
		Workload: workload(size), By: by,
		Name:    drive.CountOfRules(size) + ", " + name,
		Note:    note + "; whole tokens match, not bytes",
		Count:   len(subjects),
		Touch:   func(place int) int { return drive.TouchText(subjects[place]) },
		Allowed: func(place int) bool { return requests[place].Allowed },
		Ask: func(begin, end int) (allowed int) {
			for _, asked := range subjects[begin:end] {
				if pubAllowedFullCheck(client, asked, true, false) {
					allowed++
				}
			}
			return allowed
		},
	}
}

func main() {
	directory := os.Args[1]
	running := start(directory)
	var cases []*drive.Case
	for _, size := range sizes {
		connect(running, size)
		client := newestClient(running)
		cases = append(cases, permissionCase(directory, client, size, false),
			permissionCase(directory, client, size, true))
	}
	drive.Run("NATS server "+drive.Version("github.com/nats-io/nats-server/v2"), cases)
}
