//! The protocol itself: revisions, headers that have to agree with the message, errors.

use serde_json::{Value, json};

use super::{ACCEPT, JSON, NEWEST, OLDER, code, meta, request, send, start};
use crate::support::{gateway::Gateway, http::Response, query::body};

#[tokio::test]
async fn the_newest_revision_needs_no_handshake() {
    let gateway = start(&[]).await;
    let discovered = body(&send(&gateway, &request("server/discover", json!({})), &[]).await);
    let result = &discovered["result"];
    assert_eq!(result["resultType"], "complete", "{discovered}");
    let mut versions = result["supportedVersions"].as_array().expect("they are a list").clone();
    versions.sort_by_key(|version| std::cmp::Reverse(version.to_string()));
    assert_eq!(versions, [NEWEST, OLDER[0], OLDER[1], OLDER[2]]);
    assert!(result["capabilities"]["tools"].is_object(), "{discovered}");
    assert_eq!(result["cacheScope"], "private", "{discovered}");

    let listed = body(&send(&gateway, &request("tools/list", json!({})), &[]).await);
    let result = &listed["result"];
    let names: Vec<_> = result["tools"].as_array().expect("they are a list").iter().map(|tool| &tool["name"]).collect();
    assert_eq!(names, ["get_schema", "read_cypher"]);
    assert_eq!((&result["resultType"], &result["cacheScope"]), (&json!("complete"), &json!("private")), "{listed}");
    assert!(result["ttlMs"].is_u64(), "{listed}");
}

async fn send_older(gateway: &Gateway, version: Option<&str>, message: &Value) -> Response {
    let version = version.map(|version| ("MCP-Protocol-Version", version));
    let headers: Vec<_> = [JSON, ACCEPT].into_iter().chain(version).collect();
    gateway.send("POST", "/mcp", &headers, &message.to_string()).await
}

#[tokio::test]
async fn the_older_revisions_begin_with_a_handshake_and_need_no_session() {
    let gateway = start(&[("mcp.write", "true")]).await;
    for version in OLDER {
        let params = json!({
            "protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "test", "version": "1"},
        });
        let hello = json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params});
        let answer = send_older(&gateway, None, &hello).await;
        assert_eq!(answer.header("Mcp-Session-Id"), None);
        let answer = body(&answer);
        assert_eq!(answer["result"]["protocolVersion"], version, "{answer}");
        assert_eq!(answer["result"]["serverInfo"]["name"], "boltgate", "{answer}");
        let ready = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
        assert_eq!(send_older(&gateway, Some(version), &ready).await.status, 202);

        let list = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"});
        let answer = body(&send_older(&gateway, Some(version), &list).await);
        assert_eq!(answer["result"]["tools"].as_array().map(Vec::len), Some(3), "{answer}");
        let params = json!({"name": "read_cypher", "arguments": {"query": "RETURN 1 AS one"}});
        let read = json!({"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": params});
        let answer = body(&send_older(&gateway, Some(version), &read).await);
        assert_eq!(answer["result"]["structuredContent"]["rows"], json!([{"one": 1}]), "{answer}");
        let ping = json!({"jsonrpc": "2.0", "id": 3, "method": "ping"});
        assert_eq!(body(&send_older(&gateway, Some(version), &ping).await)["result"], json!({}));
        let unknown = json!({"jsonrpc": "2.0", "id": 4, "method": "nothing"});
        assert_eq!(code(&send_older(&gateway, Some(version), &unknown).await), -32601);
    }
    let params =
        json!({"protocolVersion": "1999-01-01", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
    let hello = json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params});
    let answer = body(&send_older(&gateway, None, &hello).await);
    assert_eq!(
        answer["result"]["protocolVersion"], "2025-11-25",
        "a client that asks for another is offered one: {answer}"
    );
}

#[tokio::test]
async fn headers_have_to_agree_with_the_message() {
    let gateway = start(&[]).await;
    let message = request("tools/call", json!({"name": "read_cypher", "arguments": {"query": "RETURN 1"}})).to_string();
    let right = [("MCP-Protocol-Version", NEWEST), ("Mcp-Method", "tools/call"), ("Mcp-Name", "read_cypher")];
    for (position, wrong) in [(0, "2025-11-25"), (1, "tools/list"), (2, "get_schema")] {
        for replaced in [Some(wrong), None] {
            let mut headers = vec![JSON, ACCEPT];
            for (at, (name, value)) in right.into_iter().enumerate() {
                match replaced {
                    _ if at != position => headers.push((name, value)),
                    Some(wrong) => headers.push((name, wrong)),
                    None => {}
                }
            }
            let answer = gateway.send("POST", "/mcp", &headers, &message).await;
            assert_eq!((answer.status, code(&answer)), (400, -32020), "{headers:?}: {answer}");
        }
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_message_has_a_code() {
    let gateway = start(&[]).await;
    let unknown = send(&gateway, &request("nothing/here", json!({})), &[]).await;
    assert_eq!((unknown.status, code(&unknown)), (404, -32601), "{unknown}");

    let mut future = request("tools/list", json!({}));
    future["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"] = json!("2099-01-01");
    let headers = [JSON, ACCEPT, ("MCP-Protocol-Version", "2099-01-01"), ("Mcp-Method", "tools/list")];
    let answer = gateway.send("POST", "/mcp", &headers, &future.to_string()).await;
    assert_eq!((answer.status, code(&answer)), (400, -32022), "{answer}");
    let list = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"});
    let answer = send_older(&gateway, Some("2099-01-01"), &list).await;
    assert_eq!((answer.status, code(&answer)), (400, -32022), "{answer}");

    for (text, status, expected) in [
        ("", 400, -32700),
        ("{", 400, -32700),
        ("{} {}", 400, -32700),
        ("\u{FEFF}{}", 400, -32700),
        ("[]", 400, -32600),
        ("1", 400, -32600),
        ("{}", 400, -32600),
        (r#"{"jsonrpc":"2.0","id":1}"#, 400, -32600),
        (r#"{"jsonrpc":"2.0","id":1,"method":"tools/call"}"#, 200, -32602),
        (r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":7}}"#, 200, -32602),
        (r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x","arguments":[]}}"#, 200, -32602),
    ] {
        let answer = gateway.send("POST", "/mcp", &[JSON, ACCEPT], text).await;
        assert_eq!((answer.status, code(&answer)), (status, expected), "{text}: {answer}");
        assert_eq!(body(&answer)["jsonrpc"], "2.0", "{text}: {answer}");
        for rust in ["serde", "Error(", "expected value", "variant", "EOF", "line: "] {
            assert!(!answer.text().contains(rust), "{text}: {answer}");
        }
    }
    let answer = gateway.send("POST", "/mcp", &[JSON, ACCEPT], r#"{"jsonrpc":"2.0","id":1,"result":{}}"#).await;
    assert_eq!(answer.status, 400, "{answer}");
}

#[tokio::test]
async fn calls_that_break_the_schema_of_a_tool_are_no_results() {
    let gateway = start(&[]).await;
    for (tool, arguments) in [
        ("nothing", json!({})),
        ("write_cypher", json!({"query": "CREATE (:Unwanted)"})),
        ("read_cypher", json!({})),
        ("read_cypher", json!({"query": 1})),
        ("read_cypher", json!({"query": "RETURN 1", "limit": 1001})),
        ("read_cypher", json!({"query": "RETURN 1", "other": 1})),
        ("get_schema", json!({"sample": 0})),
    ] {
        let answer = send(&gateway, &request("tools/call", json!({"name": tool, "arguments": arguments})), &[]).await;
        assert_eq!((answer.status, code(&answer)), (200, -32602), "{tool} {arguments}: {answer}");
    }
    let mut incomplete = request("tools/list", json!({}));
    incomplete["params"]["_meta"] = meta();
    incomplete["params"]["_meta"]["io.modelcontextprotocol/clientCapabilities"].take();
    assert_eq!(code(&send(&gateway, &incomplete, &[]).await), -32602);
}
