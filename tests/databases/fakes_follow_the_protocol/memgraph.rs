//! FakeMemgraph: its recorded bytes, handshake, login, states, routing.

use std::time::Duration;

use tokio::io::DuplexStream;

use crate::support::{
    bolt::control::User,
    bolt::fake_memgraph::{FakeMemgraph, Options},
    bolt::frame::Frame,
    bolt::message::*,
    bolt::raw::{RawClient, Reply},
    bolt::value::*,
};

pub const MOMENT: Duration = Duration::from_millis(100);
pub const CLOSED: &str = "FAILURE Memgraph.ExecutionException: Something went wrong while executing \
                      the query! Check the server logs for more details.";
pub const CLIENT: &str = "FAILURE Memgraph.ClientError.MemgraphError.MemgraphError: ";
pub const TRANSIENT: &str = "FAILURE Memgraph.TransientError.MemgraphError.MemgraphError: ";

pub fn anyone() -> Value {
    map([("scheme", v("none"))])
}

/// An extra map that defeats the cache.
pub fn extra<const N: usize>(pairs: [(&str, Value); N]) -> Value {
    map(pairs).with("tx_metadata", map([]))
}

pub fn tagged(statement: &str) -> Value {
    run(statement, map([]), extra([]))
}

pub async fn client(fake: &FakeMemgraph) -> RawClient<DuplexStream> {
    RawClient::login(fake.connect(), (5, 2), anyone()).await
}

#[tokio::test]
async fn replays_the_recorded_conversation() {
    let fake = FakeMemgraph::start().await;
    let mut client = RawClient::new(fake.connect());
    client.send_raw(&hex("6060B017 00080805 00020404 00000104 00000000")).await;
    assert_eq!(client.bytes(4).await, hex("00000205"));
    let hello = hex("0015 B101 A1 8A\"user_agent\" 86\"gw/0.1\" 0000");
    let logon = hex("002A B16A A3 86\"scheme\" 85\"basic\" 89\"principal\" 81\"u\" \
                     8B\"credentials\" 81\"p\" 0000");
    client.send_raw(&[hello, logon].concat()).await;
    let greeting = hex("005A B170A2 8D\"connection_id\" 86\"bolt-1\" 86\"server\" \
                        D039\"Neo4j/v5.11.0 compatible graph database server - Memgraph\" 0000");
    assert_eq!(client.bytes(greeting.len()).await, greeting);
    assert_eq!(client.bytes(greeting.len()).await, greeting);

    let statement = run("RETURN 1 AS x", map([]), extra([("db", v("memgraph"))]));
    client.send(&[reset(), statement, pull(-1)]).await;
    let start = hex("0003 B170A0 0000 | 000D B170A1 86\"fields\" 91 8178 0000 | 0004 B1719101 0000");
    assert_eq!(client.bytes(start.len()).await, start);
    let Reply::Message(Value::Struct { fields, .. }) = client.reply().await else { panic!() };
    let keys: Vec<&str> = fields[0].as_map().unwrap().iter().map(|(key, _)| &**key).collect();
    let sorted = [
        "cost_estimate",
        "db",
        "has_more",
        "number_of_hops",
        "parsing_time",
        "plan_execution_time",
        "planning_time",
        "run_id",
        "type",
    ];
    assert_eq!(keys, sorted);
    client.send(&[tagged("NONSENSE"), pull(-1), reset()]).await;
    assert!(client.reply().await.brief().starts_with(CLIENT));
    for payload in [hex("B07E"), hex("B170A0")] {
        let chunks = vec![payload.len()];
        assert_eq!(client.frame().await, Some(Frame::Message { payload, chunks }));
    }
    assert_eq!(fake.violations(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn reads_handshake_slots_as_the_server_does() {
    let none = [0; 4];
    let manifest = [0, 0, 1, 0xFF];
    let failure = "00 86 B1 7F A2 84 \"code\" D0 1B \"Memgraph.ExecutionException\" 87 \"message\" \
                   D0 57 \"Something went wrong while executing the query! Check the server logs \
                   for more details.\" 00 00";
    let cases: [([[u8; 4]; 4], &str); 11] = [
        ([manifest, [0, 8, 8, 5], [0, 2, 4, 4], [0, 0, 0, 3]], "00000205"),
        ([[0, 4, 8, 5], [0, 3, 5, 4], none, none], "00000404"),
        ([[0, 0, 0, 5], [0, 3, 0, 4], none, none], "00000004"),
        ([[0, 3, 4, 5], none, none, none], "00000205"),
        ([[0, 1, 2, 4], none, none, none], "00000104"),
        ([[0, 0, 0, 3], [0, 5, 0, 5], [7, 7, 7, 7], [0, 0, 1, 4]], "00000104"),
        ([none, [0, 0, 2, 5], none, none], failure),
        ([[0, 0, 0, 5], none, [0, 0, 2, 5], none], failure),
        ([[0, 0, 3, 5], none, none, none], failure),
        ([[0, 4, 8, 5], none, none, none], failure),
        ([none, none, none, none], failure),
    ];
    let fake = FakeMemgraph::start().await;
    for (offer, answer) in cases {
        let (mut client, mut answered) = RawClient::shake(fake.connect(), offer).await;
        let answer = hex(answer);
        answered.extend(client.bytes(answer.len() - 4).await);
        assert_eq!(show_hex(&answered, 200), show_hex(&answer, 200), "{offer:?}");
        if answer.len() > 4 {
            assert_eq!(client.reply().await, Reply::End);
        }
    }
    let old = FakeMemgraph::start_with(Options::old()).await;
    let offer = [[0, 2, 4, 4], none, none, none];
    assert_eq!(RawClient::shake(old.connect(), offer).await.1, hex("00000304"));
    assert_eq!(fake.violations(), [""; 0]);

    let mut endless = RawClient::new(fake.connect());
    endless.send_raw(&hex("6060B017 00FF0805 00000205 00000000 00000000")).await;
    assert!(!endless.ends_within(MOMENT).await, "it gets no answer at all");
    assert_eq!(fake.violations(), ["fatal: handshake slot with range byte FF"]);
}

#[tokio::test]
async fn refuses_logins_with_the_exact_texts() {
    let fake = FakeMemgraph::start().await;
    let garbage = basic("whoever", "whatever");
    let mut open = RawClient::login(fake.connect(), (5, 2), garbage).await;
    assert_eq!(open.cell("WHOAMI", extra([]), 0).await, v(""), "nobody is asked");

    fake.control.set_user("u", User { password: "p".to_owned(), ..User::default() });
    fake.control.set_token("oidc-custom", "access_token=a", "sso");
    let refused = "FAILURE Memgraph.ClientError.Security.Unauthenticated: Authentication failure";
    let cases = [
        (basic("u", "x"), refused),
        (anyone(), refused),
        (map([("scheme", v("bearer")), ("credentials", v("t"))]), refused),
        (map([("scheme", v("oidc-custom")), ("credentials", v("b"))]), refused),
        (map([("scheme", v("oidc-custom"))]), CLOSED),
    ];
    for (auth, text) in cases {
        let mut client = RawClient::open(fake.connect(), (5, 2)).await;
        let replies = client.talk(&[hello(), logon(auth), reset()]).await;
        assert_eq!(replies, ["SUCCESS", text, "END"]);
    }
    let auth = map([("scheme", v("oidc-custom")), ("credentials", v("access_token=a"))]);
    let mut sso = RawClient::login(fake.connect(), (5, 2), auth).await;
    assert_eq!(sso.cell("WHOAMI", extra([]), 0).await, v("sso"));
    RawClient::login(fake.connect(), (4, 3), basic("u", "p")).await;

    let mut rude = RawClient::open(fake.connect(), (5, 2)).await;
    assert_eq!(rude.talk(&[logon(basic("u", "p")), reset()]).await, ["SUCCESS", "END"]);
}

/// Sends `before` one by one, then `message`: what came and whether the connection ended.
pub async fn tried(fake: &FakeMemgraph, before: &[Value], message: Value) -> Vec<String> {
    let mut client = client(fake).await;
    for one in before {
        client.ask(std::slice::from_ref(one)).await;
    }
    client.send(&[message]).await;
    client.briefs(2).await
}

#[tokio::test]
async fn follows_the_whole_state_table() {
    let fake = FakeMemgraph::start().await;
    let closed = [CLOSED, "END"];
    let idle: &[Value] = &[];
    let result: &[Value] = &[tagged("ROWS 2")];
    let error: &[Value] = &[tagged("NONSENSE")];
    let route = structure(ROUTE, [map([]), list([]), map([])]);
    for message in [tagged("ROWS 1"), begin(extra([])), commit(), rollback()] {
        assert_eq!(tried(&fake, result, message).await, closed);
    }
    for message in [pull(-1), discard(-1)] {
        assert_eq!(tried(&fake, idle, message).await, closed);
    }
    for message in [hello(), logon(anyone()), telemetry(1), structure(0x0E, [])] {
        assert_eq!(tried(&fake, idle, message.clone()).await, closed);
        assert_eq!(tried(&fake, result, message).await, closed);
    }
    for message in [
        tagged("ROWS 1"),
        pull(-1),
        begin(extra([])),
        commit(),
        rollback(),
        route,
        logoff(),
        goodbye(),
        hello(),
        logon(anyone()),
        telemetry(1),
    ] {
        let mut client = client(&fake).await;
        client.ask(error).await;
        assert_eq!(client.talk(&[message, reset()]).await, ["IGNORED", "SUCCESS"]);
    }
    for state in [idle, result] {
        let mut client = client(&fake).await;
        for one in state {
            client.ask(std::slice::from_ref(one)).await;
        }
        let swap = [logoff(), hello(), logon(anyone()), reset(), goodbye()];
        assert_eq!(client.talk(&swap).await, ["SUCCESS", "SUCCESS", "SUCCESS", "SUCCESS", "END"]);
    }
    let violations = fake.violations();
    assert_eq!(violations.len(), 4 + 2 + 8, "every closure is one: {violations:#?}");
    assert!(violations.iter().any(|what| what.contains("TELEMETRY 1 in this state")));
}

#[tokio::test]
async fn accepts_only_hello_and_logon_at_first() {
    let fake = FakeMemgraph::start().await;
    for message in [reset(), tagged("ROWS 1"), goodbye(), logoff(), hello_with(map([]))] {
        let mut client = RawClient::open(fake.connect(), (5, 2)).await;
        assert_eq!(client.talk(&[message, hello()]).await, [CLOSED, "END"]);
    }
    for bytes in ["0000", "0002 B00F 0000 0000", "0004 B1018101 0000"] {
        let mut client = RawClient::login(fake.connect(), (5, 2), anyone()).await;
        client.send_raw(&hex(bytes)).await;
        let last = client.briefs(3).await;
        assert_eq!(last[last.len() - 2..], [CLOSED, "END"], "{bytes}");
    }
    let mut silent = client(&fake).await;
    silent.ask(&[tagged("ROWS 1")]).await;
    assert_eq!(silent.talk(&[structure(PULL, [v(1)])]).await, ["END"]);
}

#[tokio::test]
async fn refuses_routing_unless_a_coordinator() {
    let fake = FakeMemgraph::start().await;
    let route = || structure(ROUTE, [map([]), list([]), map([])]);
    let mut c = client(&fake).await;
    let refused = c.talk(&[route()]).await;
    let text = "You cannot fetch routing table from an instance which is not part of a cluster.";
    assert_eq!(refused, [format!("{CLIENT}{text}")]);
    let routing = Some(vec![("WRITE".to_owned(), "a:7687".to_owned())]);
    let fake = FakeMemgraph::start_with(Options { routing, ..Options::default() }).await;
    let mut c = client(&fake).await;
    let table = c.ask(&[route()]).await;
    let servers = table[0].get("rt").unwrap().get("servers").unwrap().as_list().unwrap().len();
    assert_eq!(servers, 1, "empty roles are absent");
}
