// A client made with the MCP Go SDK that waits for changed lists: it says how often it has resumed a stream, that it has heard
// of a change, and with the next line that it reads what it lists then. What it gets says to come back soon: it waits for as long as it is told.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func say(what map[string]any) { check(json.NewEncoder(os.Stdout).Encode(what)) }

type impatient struct{ asked chan string }

func (transport *impatient) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil || request.Method != http.MethodGet || response.StatusCode != http.StatusOK {
		return response, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	transport.asked <- request.Header.Get("Last-Event-ID")
	soon := bytes.Replace(text, []byte("retry: 30000"), []byte("retry: 50"), 1)
	response.Body = io.NopCloser(bytes.NewReader(soon))
	response.ContentLength = int64(len(soon))
	response.Header.Del("Content-Length")
	return response, nil
}

func main() {
	var plan struct {
		Url   string
		Times int
	}
	check(json.Unmarshal([]byte(os.Args[1]), &plan))
	ctx := context.Background()
	transport := &impatient{make(chan string, 10000)}
	heard := make(chan bool, 100)
	options := &mcp.ClientOptions{
		ToolListChangedHandler: func(context.Context, *mcp.ToolListChangedRequest) { heard <- true },
	}
	client := mcp.NewClient(&mcp.Implementation{Name: "listener", Version: "1.0.0"}, options)
	session, err := client.Connect(ctx, &mcp.StreamableClientTransport{
		Endpoint:   plan.Url,
		HTTPClient: &http.Client{Transport: transport},
	}, &mcp.ClientSessionOptions{ProtocolVersion: "2025-11-25"})
	check(err)
	list := func() string {
		tools, err := session.ListTools(ctx, nil)
		check(err)
		names := []string{}
		for _, tool := range tools.Tools {
			names = append(names, tool.Name)
		}
		return strings.Join(names, ",")
	}
	resumed := 0
	for i := 0; i < plan.Times; i++ {
		if <-transport.asked != "" {
			resumed++
		}
	}
	say(map[string]any{"resumed": resumed, "heard": len(heard), "tools": list()})
	<-heard
	say(map[string]any{"heard": true})
	_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
	say(map[string]any{"tools": list()})
	check(session.Close())
}
