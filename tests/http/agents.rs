//! Tools for agents: `/mcp` by the Model Context Protocol, as programs without an SDK send it.

#[path = "agents/heads.rs"]
mod heads;
#[path = "agents/messages.rs"]
mod messages;
#[cfg(feature = "embedded")]
#[path = "agents/named.rs"]
mod named;
#[path = "agents/tools.rs"]
mod tools;
#[path = "agents/written.rs"]
mod written;

use serde_json::{Value, json};

use crate::support::{
    gateway::{Gateway, start_embedded},
    http::Response,
    query::body,
};

/// The newest revision, without sessions.
const NEWEST: &str = "2026-07-28";
/// The revisions that begin with `initialize`.
const OLDER: [&str; 3] = ["2025-11-25", "2025-06-18", "2025-03-26"];

const JSON: (&str, &str) = ("Content-Type", "application/json");
const ACCEPT: (&str, &str) = ("Accept", "application/json, text/event-stream");

async fn start(changes: &[(&'static str, &str)]) -> Gateway {
    start_embedded(&[&[("mcp.enabled", "true")], changes].concat()).await
}

/// What every request of the newest revision says of itself.
fn meta() -> Value {
    json!({
        "io.modelcontextprotocol/protocolVersion": NEWEST,
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
    })
}

/// A request of the newest revision.
fn request(method: &str, mut params: Value) -> Value {
    params["_meta"] = meta();
    json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
}

/// Sends a request of the newest revision, with `headers` besides its own.
async fn send(gateway: &Gateway, request: &Value, headers: &[(&str, &str)]) -> Response {
    let method = request["method"].as_str().unwrap_or_default();
    let mut all = vec![JSON, ACCEPT, ("MCP-Protocol-Version", NEWEST), ("Mcp-Method", method)];
    if let Some(name) = request["params"]["name"].as_str() {
        all.push(("Mcp-Name", name));
    }
    all.extend(headers);
    gateway.send("POST", "/mcp", &all, &request.to_string()).await
}

/// Calls a tool, and gives the result.
async fn call(gateway: &Gateway, tool: &str, arguments: Value) -> Value {
    let answer = send(gateway, &request("tools/call", json!({"name": tool, "arguments": arguments})), &[]).await;
    assert_eq!((answer.status, answer.header("Content-Type")), (200, Some("application/json")), "{answer}");
    let answer = body(&answer);
    assert!(answer["result"].is_object(), "{answer}");
    answer["result"].clone()
}

/// Calls a tool, and gives the structure of a result that is no error.
async fn called(gateway: &Gateway, tool: &str, arguments: Value) -> Value {
    let result = call(gateway, tool, arguments).await;
    assert_eq!(result["isError"], false, "{result}");
    result["structuredContent"].clone()
}

/// Calls a tool, and gives the text of an error.
async fn failed(gateway: &Gateway, tool: &str, arguments: Value) -> String {
    let result = call(gateway, tool, arguments).await;
    assert_eq!(result["isError"], true, "{result}");
    result["content"][0]["text"].as_str().expect("it has a text").to_owned()
}

/// The code of an error of JSON-RPC.
fn code(response: &Response) -> i64 {
    body(response)["error"]["code"].as_i64().unwrap_or_else(|| panic!("no error:\n{response}"))
}
