// A server of the MCP Go SDK with every noun: `server NAME PORT`. What it prints is in servers.test.ts.
package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

type none struct{}

type asks struct {
	Message string `json:"message,omitempty"`
	Prompt  string `json:"prompt,omitempty"`
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func said(text string) (*mcp.CallToolResult, any, error) {
	return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: text}}}, nil, nil
}

func main() {
	name, port := os.Args[1], os.Args[2]
	server := mcp.NewServer(&mcp.Implementation{Name: name, Version: "1.0.0"}, &mcp.ServerOptions{
		CompletionHandler: func(_ context.Context, request *mcp.CompleteRequest) (*mcp.CompleteResult, error) {
			values := []string{request.Params.Argument.Value + "0", name}
			return &mcp.CompleteResult{Completion: mcp.CompletionResultDetails{Values: values}}, nil
		},
	})
	addTools(server, name)
	addOthers(server, name)

	listener, err := net.Listen("tcp", "127.0.0.1:"+port)
	check(err)
	fmt.Println("ready")
	handler := mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return server }, nil)
	check(http.Serve(listener, handler))
}

func addTools(server *mcp.Server, name string) {
	mcp.AddTool(server, &mcp.Tool{Name: "test_same_name"},
		func(context.Context, *mcp.CallToolRequest, none) (*mcp.CallToolResult, any, error) {
			return said("a tool of " + name)
		})
	mcp.AddTool(server, &mcp.Tool{Name: "test_tool_with_progress"},
		func(ctx context.Context, request *mcp.CallToolRequest, _ none) (*mcp.CallToolResult, any, error) {
			for _, step := range []float64{0, 50, 100} {
				params := &mcp.ProgressNotificationParams{
					ProgressToken: request.Params.GetProgressToken(), Progress: step, Total: 100,
				}
				check(request.Session.NotifyProgress(ctx, params))
			}
			return said("done")
		})
	mcp.AddTool(server, &mcp.Tool{Name: "test_tool_with_logging"},
		func(ctx context.Context, request *mcp.CallToolRequest, _ none) (*mcp.CallToolResult, any, error) {
			for _, what := range []string{"started", "completed"} {
				check(request.Session.Log(ctx, &mcp.LoggingMessageParams{Level: "info", Data: "Tool execution " + what}))
			}
			return said("done")
		})
	mcp.AddTool(server, &mcp.Tool{Name: "test_elicitation"},
		func(ctx context.Context, request *mcp.CallToolRequest, asks asks) (*mcp.CallToolResult, any, error) {
			text := map[string]any{"type": "string"}
			answer, err := request.Session.Elicit(ctx, &mcp.ElicitParams{
				Message: asks.Message,
				RequestedSchema: map[string]any{
					"type": "object", "properties": map[string]any{"username": text, "email": text},
				},
			})
			if err != nil {
				return nil, nil, err
			}
			return said(fmt.Sprint(answer.Action, " ", answer.Content["username"], " ", answer.Content["email"]))
		})
	mcp.AddTool(server, &mcp.Tool{Name: "test_sampling"},
		func(ctx context.Context, request *mcp.CallToolRequest, asks asks) (*mcp.CallToolResult, any, error) {
			answer, err := request.Session.CreateMessage(ctx, &mcp.CreateMessageParams{
				MaxTokens: 100,
				Messages:  []*mcp.SamplingMessage{{Role: "user", Content: &mcp.TextContent{Text: asks.Prompt}}},
			})
			if err != nil {
				return nil, nil, err
			}
			return said(answer.Content.(*mcp.TextContent).Text)
		})
	mcp.AddTool(server, &mcp.Tool{Name: "test_waiting"},
		func(ctx context.Context, _ *mcp.CallToolRequest, _ none) (*mcp.CallToolResult, any, error) {
			fmt.Println("a call waits")
			<-ctx.Done()
			fmt.Println("a call was cancelled")
			return nil, nil, ctx.Err()
		})
}

func addOthers(server *mcp.Server, name string) {
	prompt := &mcp.Prompt{Name: "test_same_name", Arguments: []*mcp.PromptArgument{{Name: "arg1"}}}
	server.AddPrompt(prompt, func(context.Context, *mcp.GetPromptRequest) (*mcp.GetPromptResult, error) {
		message := &mcp.PromptMessage{Role: "user", Content: &mcp.TextContent{Text: "a prompt of " + name}}
		return &mcp.GetPromptResult{Messages: []*mcp.PromptMessage{message}}, nil
	})
	read := func(text string) mcp.ResourceHandler {
		return func(_ context.Context, request *mcp.ReadResourceRequest) (*mcp.ReadResourceResult, error) {
			contents := &mcp.ResourceContents{URI: request.Params.URI, Text: text}
			return &mcp.ReadResourceResult{Contents: []*mcp.ResourceContents{contents}}, nil
		}
	}
	server.AddResource(&mcp.Resource{Name: "static_text", URI: "test://static-text"}, read("The static text of "+name+"."))
	server.AddResourceTemplate(
		&mcp.ResourceTemplate{Name: "data", URITemplate: "test://template/{id}/data"}, read("data of "+name))
}
