// A conversation of rmcp, the MCP Rust SDK, with a gateway: what it says and hears is in converse.ts.
#![allow(deprecated)]
use std::io::stdin;
use std::sync::{Arc, Mutex};

use rmcp::model::*;
use rmcp::service::{NotificationContext, PeerRequestOptions, RequestContext};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::{ClientHandler, ClientLifecycleMode, ClientServiceExt, ErrorData, RoleClient};
use serde_json::{json, Value};

struct Persona {
    answer: Value,
    steps: Arc<Mutex<Vec<f64>>>,
}

impl ClientHandler for Persona {
    fn get_info(&self) -> ClientConfig {
        let capabilities = ClientCapabilities::builder()
            .enable_roots()
            .enable_sampling()
            .enable_elicitation()
            .build();
        ClientConfig::new(capabilities, Implementation::new("real-client", "1.0.0"))
    }

    async fn create_elicitation(
        &self,
        _: ElicitRequestParams,
        _: RequestContext<RoleClient>,
    ) -> Result<ElicitResult, ErrorData> {
        Ok(ElicitResult::new(ElicitationAction::Accept).with_content(self.answer.clone()))
    }

    async fn create_message(
        &self,
        params: CreateMessageRequestParams,
        _: RequestContext<RoleClient>,
    ) -> Result<CreateMessageResult, ErrorData> {
        let said = serde_json::to_value(&params.messages[0]).unwrap();
        let text = said["content"]["text"].as_str().unwrap();
        let message = SamplingMessage::assistant_text(format!("{text}, {text}"));
        Ok(CreateMessageResult::new(message, "parrot".into()))
    }

    async fn list_roots(&self, _: RequestContext<RoleClient>) -> Result<ListRootsResult, ErrorData> {
        Ok(ListRootsResult::new(vec![Root::new("file:///home/ada").with_name("home")]))
    }

    async fn on_progress(&self, params: ProgressNotificationParam, _: NotificationContext<RoleClient>) {
        self.steps.lock().unwrap().push(params.progress);
    }
}

fn heard() {
    stdin().read_line(&mut String::new()).unwrap();
}

fn params(name: &Value, arguments: &Value) -> CallToolRequestParams {
    let name = name.as_str().unwrap().to_owned();
    CallToolRequestParams::new(name).with_arguments(arguments.as_object().unwrap().clone())
}

fn text_in(result: &impl serde::Serialize, path: &str) -> Value {
    serde_json::to_value(result).unwrap().pointer(path).unwrap_or(&Value::Null).clone()
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let plan: Value = serde_json::from_str(&std::env::args().nth(1).unwrap())?;
    let steps = Arc::new(Mutex::new(vec![]));
    let persona = Persona { answer: plan["answer"].clone(), steps: steps.clone() };
    let lifecycle = match plan["mode"].as_str() {
        Some("session") => ClientLifecycleMode::Initialize,
        _ => ClientLifecycleMode::Auto {
            preferred_versions: vec![ProtocolVersion::V_2026_07_28],
            legacy_version: None,
        },
    };
    let transport = StreamableHttpClientTransport::from_uri(plan["url"].as_str().unwrap().to_owned());
    let client = persona.serve_with_lifecycle(transport, lifecycle).await?;

    let none = json!({});
    let tools = client.list_all_tools().await?;
    let prompts = client.list_all_prompts().await?;
    let resources = client.list_all_resources().await?;
    let templates = client.list_all_resource_templates().await?;
    let mut servers = vec![];
    for server in plan["servers"].as_array().unwrap() {
        let same = server["same"].as_str().unwrap();
        let prompt = client.get_prompt(GetPromptRequestParams::new(same)).await?;
        let read = client
            .read_resource(ReadResourceRequestParams::new(server["uri"].as_str().unwrap()))
            .await?;
        let completes = server["completes"].as_str().unwrap();
        let completed = client.complete_prompt_simple(completes, "arg1", "v").await?;
        steps.lock().unwrap().clear();
        client.call_tool(params(&server["progress"], &none)).await?;
        let mut asked = vec![];
        for ask in server["asks"].as_array().unwrap() {
            asked.push(text_in(&client.call_tool(params(&ask[0], &ask[1])).await?, "/content/0/text"));
        }
        let called = client.call_tool(params(&server["same"], &none)).await?;
        servers.push(json!({
            "called": text_in(&called, "/content/0/text"),
            "prompt": text_in(&prompt, "/messages/0/content/text"),
            "read": text_in(&read, "/contents/0/text"),
            "completed": completed,
            "progress": *steps.lock().unwrap(),
            "asked": asked,
        }));
    }
    let info = client.peer_info().unwrap();
    println!(
        "{}",
        json!({
            "revision": info.protocol_version,
            "tools": tools.len(),
            "prompts": prompts.len(),
            "resources": resources.iter().map(|resource| text_in(resource, "/uri")).collect::<Vec<_>>(),
            "templates": templates.iter().map(|template| text_in(template, "/uriTemplate")).collect::<Vec<_>>(),
            "servers": servers,
        })
    );

    let waits = ClientRequest::CallToolRequest(Request::new(params(&plan["waits"], &none)));
    let waiting = client.send_cancellable_request(waits, PeerRequestOptions::no_options()).await?;
    tokio::task::spawn_blocking(heard).await?;
    waiting.cancel(None).await?;
    println!("{}", json!({ "cancelled": true }));

    tokio::task::spawn_blocking(heard).await?;
    let mut again = vec![];
    for server in plan["servers"].as_array().unwrap() {
        let called = client.call_tool(params(&server["same"], &none)).await?;
        again.push(text_in(&called, "/content/0/text"));
    }
    println!("{}", json!({ "again": again }));
    client.cancel().await?;
    Ok(())
}
