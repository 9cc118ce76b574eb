// A conversation of the MCP Go SDK with a gateway: what it says and hears is in converse.ts.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"sync"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

type server struct {
	Same      string
	Uri       string
	Completes string
	Progress  string
	Asks      [][2]json.RawMessage
}

type plan struct {
	Url     string
	Mode    string
	Answer  map[string]any
	Servers []server
	Waits   string
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func say(what map[string]any) { check(json.NewEncoder(os.Stdout).Encode(what)) }

func textOf(content []mcp.Content) string { return content[0].(*mcp.TextContent).Text }

func main() {
	var plan plan
	check(json.Unmarshal([]byte(os.Args[1]), &plan))
	input := bufio.NewReader(os.Stdin)
	heard := func() { _, _ = input.ReadString('\n') }
	ctx := context.Background()

	var lock sync.Mutex
	steps := []float64{}
	options := &mcp.ClientOptions{
		ElicitationHandler: func(context.Context, *mcp.ElicitRequest) (*mcp.ElicitResult, error) {
			return &mcp.ElicitResult{Action: "accept", Content: plan.Answer}, nil
		},
		CreateMessageHandler: func(_ context.Context, request *mcp.CreateMessageRequest) (*mcp.CreateMessageResult, error) {
			said := request.Params.Messages[0].Content.(*mcp.TextContent).Text
			content := &mcp.TextContent{Text: said + ", " + said}
			return &mcp.CreateMessageResult{Content: content, Model: "parrot", Role: "assistant"}, nil
		},
		ProgressNotificationHandler: func(_ context.Context, request *mcp.ProgressNotificationClientRequest) {
			lock.Lock()
			defer lock.Unlock()
			steps = append(steps, request.Params.Progress)
		},
	}
	client := mcp.NewClient(&mcp.Implementation{Name: "real-client", Version: "1.0.0"}, options)
	client.AddRoots(&mcp.Root{URI: "file:///home/ada", Name: "home"})
	var revision mcp.ClientSessionOptions
	if plan.Mode == "session" {
		revision.ProtocolVersion = "2025-11-25"
	}
	session, err := client.Connect(ctx, &mcp.StreamableClientTransport{Endpoint: plan.Url}, &revision)
	check(err)

	call := func(params *mcp.CallToolParams) string {
		result, err := session.CallTool(ctx, params)
		check(err)
		return textOf(result.Content)
	}
	tools, err := session.ListTools(ctx, nil)
	check(err)
	prompts, err := session.ListPrompts(ctx, nil)
	check(err)
	resources, err := session.ListResources(ctx, nil)
	check(err)
	templates, err := session.ListResourceTemplates(ctx, nil)
	check(err)
	uris, uriTemplates := []string{}, []string{}
	for _, resource := range resources.Resources {
		uris = append(uris, resource.URI)
	}
	for _, template := range templates.ResourceTemplates {
		uriTemplates = append(uriTemplates, template.URITemplate)
	}
	servers := []map[string]any{}
	for _, server := range plan.Servers {
		prompt, err := session.GetPrompt(ctx, &mcp.GetPromptParams{Name: server.Same})
		check(err)
		read, err := session.ReadResource(ctx, &mcp.ReadResourceParams{URI: server.Uri})
		check(err)
		completed, err := session.Complete(ctx, &mcp.CompleteParams{
			Ref:      &mcp.CompleteReference{Type: "ref/prompt", Name: server.Completes},
			Argument: mcp.CompleteParamsArgument{Name: "arg1", Value: "v"},
		})
		check(err)
		params := &mcp.CallToolParams{Name: server.Progress}
		params.SetProgressToken("steps")
		steps = []float64{}
		call(params)
		asked := []string{}
		for _, ask := range server.Asks {
			var name string
			check(json.Unmarshal(ask[0], &name))
			asked = append(asked, call(&mcp.CallToolParams{Name: name, Arguments: ask[1]}))
		}
		lock.Lock()
		servers = append(servers, map[string]any{
			"called":    call(&mcp.CallToolParams{Name: server.Same}),
			"prompt":    prompt.Messages[0].Content.(*mcp.TextContent).Text,
			"read":      read.Contents[0].Text,
			"completed": completed.Completion.Values,
			"progress":  steps,
			"asked":     asked,
		})
		lock.Unlock()
	}
	say(map[string]any{
		"revision":  session.InitializeResult().ProtocolVersion,
		"tools":     len(tools.Tools),
		"prompts":   len(prompts.Prompts),
		"resources": uris,
		"templates": uriTemplates,
		"servers":   servers,
	})

	waiting, cancel := context.WithCancel(ctx)
	ended := make(chan error)
	go func() {
		_, err := session.CallTool(waiting, &mcp.CallToolParams{Name: plan.Waits})
		ended <- err
	}()
	heard()
	cancel()
	say(map[string]any{"cancelled": <-ended != nil})

	heard()
	again := []string{}
	for _, server := range plan.Servers {
		again = append(again, call(&mcp.CallToolParams{Name: server.Same}))
	}
	say(map[string]any{"again": again})
	check(session.Close())
}
