//! FakeNeo4j: handshake and login.

use std::time::Duration;

use tokio::io::DuplexStream;

use crate::support::{
    bolt::control::User,
    bolt::fake_neo4j::{FakeNeo4j, Options},
    bolt::message::*,
    bolt::raw::{RawClient, Reply},
    bolt::value::*,
};

pub const MANIFEST: [u8; 4] = [0, 0, 1, 0xFF];
pub const MOMENT: Duration = Duration::from_millis(100);
pub const INVALID: &str = "FAILURE Neo.ClientError.Request.Invalid: ";

pub fn neo4j() -> Value {
    basic("neo4j", "password")
}

pub async fn client(fake: &FakeNeo4j, version: (u8, u8)) -> RawClient<DuplexStream> {
    RawClient::login(fake.connect(), version, neo4j()).await
}

#[tokio::test]
async fn sends_the_recorded_manifest() {
    let cases = [
        (Options::default(), "04 00040404 00040405 00020805 00010106 00"),
        (Options::neo4j_5_26(), "03 00040404 00040405 00020805 00"),
    ];
    for (options, entries) in cases {
        let fake = FakeNeo4j::start_with(options).await;
        let offer = [MANIFEST, [0, 8, 8, 5], [0, 2, 4, 4], [0, 0, 1, 4]];
        let (mut client, answer) = RawClient::shake(fake.connect(), offer).await;
        assert_eq!(answer, MANIFEST);
        assert_eq!(client.bytes(hex(entries).len()).await, hex(entries));
        client.send_raw(&hex("00000805 00")).await;
        let greeting = client.ask(&[hello()]).await;
        assert_eq!(greeting[0].get("protocol_version"), Some(&v("5.8")));
    }
}

#[tokio::test]
async fn closes_on_bad_manifest_choices() {
    for choice in ["00010106 00", "00000505 00", "00000106 01", "00000206 00"] {
        let fake = FakeNeo4j::start().await;
        let (mut client, _) = RawClient::shake(fake.connect(), [MANIFEST, [0; 4], [0; 4], [0; 4]]).await;
        client.bytes(18).await;
        client.send_raw(&hex(choice)).await;
        assert_eq!(client.ask(&[hello()]).await, [Reply::End], "{choice}");
    }
}

#[tokio::test]
async fn reads_handshake_slots_as_the_server_does() {
    let none = [0; 4];
    let cases: [([[u8; 4]; 4], &str); 10] = [
        ([[0, 8, 8, 5], none, none, none], "00000805"),
        ([[0, 20, 20, 5], none, none, none], "00000805"),
        ([[0, 5, 5, 5], none, none, none], "00000405"),
        ([[0, 0, 5, 5], none, none, none], "00000000"),
        ([[0, 0, 4, 4], [0, 0, 8, 5], none, none], "00000404"),
        ([none, none, [9, 1, 1, 6], none], "00000106"),
        ([[0, 0, 2, 0xFF], none, none, none], "00000000"),
        ([[0, 0xFF, 1, 0xFF], none, none, none], ""),
        ([[0, 9, 8, 5], none, none, none], ""),
        ([none, none, none, none], "00000000"),
    ];
    let fake = FakeNeo4j::start().await;
    for (offer, answer) in cases {
        let (mut client, answered) = RawClient::shake(fake.connect(), offer).await;
        assert_eq!(answered, hex(answer), "{offer:?}");
        if answer == "00000000" || answer.is_empty() {
            assert_eq!(client.reply().await, Reply::End);
        }
    }
    let mut http = RawClient::new(fake.connect());
    http.send_raw(b"GET / HTTP/1.1\r\n\r\n").await;
    assert!(http.bytes(200).await.starts_with(b"HTTP/1.1 200 OK"));
}

#[tokio::test]
async fn greets_by_version() {
    let fake = FakeNeo4j::start().await;
    let keys = |reply: &Reply| -> Vec<String> {
        let pairs = reply.field().and_then(Value::as_map).unwrap_or_default().to_vec();
        pairs.into_iter().map(|(key, _)| key).collect()
    };
    let mut old = RawClient::open(fake.connect(), (4, 4)).await;
    let patched = neo4j().with("patch_bolt", strings(&["utc"])).with("user_agent", "t/1");
    let greeting = old.ask(&[hello_with(patched)]).await;
    assert_eq!(keys(&greeting[0]), ["server", "connection_id", "hints", "patch_bolt"]);
    let date_time = old.cell("TYPE datetime", map([]), 0).await;
    assert!(matches!(date_time, Value::Struct { tag: b'I', .. }), "{date_time:?}");

    let mut unpatched = client(&fake, (4, 4)).await;
    let date_time = unpatched.cell("TYPE datetime", map([]), 0).await;
    assert!(matches!(date_time, Value::Struct { tag: b'F', .. }), "{date_time:?}");

    let mut new = RawClient::open(fake.connect(), (6, 1)).await;
    let replies = new.ask(&[hello(), logon(neo4j())]).await;
    assert_eq!(keys(&replies[0]), ["server", "connection_id", "hints"]);
    assert_eq!(replies[0].get("hints").unwrap().get("ssr.enabled"), Some(&v(true)));
    assert_eq!(keys(&replies[1]), ["advertised_address"]);
}

#[tokio::test(start_paused = true)]
async fn limits_messages_before_the_login() {
    let fake = FakeNeo4j::start().await;
    let padded = |size: usize| {
        let agent = map([("product", v("t/1"))]);
        let extra = map([("user_agent", v("t/1")), ("bolt_agent", agent)]);
        let make = |n: usize| hello_with(extra.clone().with("x", "a".repeat(n)));
        let empty = make(1000).encode().len() - 1000;
        make(size - empty)
    };
    assert_eq!(padded(8192).encode().len(), 8192);
    let mut fits = RawClient::open(fake.connect(), (5, 4)).await;
    assert_eq!(fits.talk(&[padded(8192)]).await, ["SUCCESS"]);
    let mut long = RawClient::open(fake.connect(), (5, 4)).await;
    let refused = format!("{INVALID}Value of size 8193 exceeded limit of 8192");
    assert_eq!(long.talk(&[padded(8193)]).await, [refused]);
    assert!(!long.ends_within(MOMENT).await, "it stays open, out of sync");
    long.send(&[logon(neo4j())]).await;
    assert!(long.reply().await.brief().starts_with(&format!("{INVALID}Value of size")));

    let nested = |depth: usize| (0..depth).fold(v(1), |inner, _| list([inner]));
    let wide = |n: usize| v(vec![v(1); n]);
    for (value, fine) in [(wide(64), true), (wide(65), false), (nested(2), true), (nested(3), false)] {
        let mut client = RawClient::open(fake.connect(), (5, 4)).await;
        let Value::Struct { fields, .. } = hello() else { panic!() };
        let reply = client.talk(&[hello_with(fields[0].clone().with("x", value))]).await;
        assert_eq!(reply, [if fine { "SUCCESS" } else { "END" }]);
    }
    let mut inside = client(&fake, (5, 4)).await;
    let big = run("RETURN $x", map([("x", wide(10_000))]), map([]));
    assert_eq!(inside.talk(&[big]).await, ["SUCCESS"]);
}

#[tokio::test]
async fn refuses_logins_with_the_exact_texts() {
    let fake = FakeNeo4j::start().await;
    let wrong = "The client is unauthorized due to authentication failure.";
    let unsupported = |what: &str| format!("Unsupported authentication token, {what}");
    let scheme = |name: &str| map([("scheme", v(name))]);
    let cases = [
        (basic("alice", "x"), wrong.to_owned()),
        (basic("nobody", "x"), wrong.to_owned()),
        (scheme("none"), unsupported("scheme 'none' is only allowed when auth is disabled.")),
        (scheme("bearer"), unsupported("scheme 'bearer' is not supported.")),
        (map([]), unsupported("missing key `scheme`")),
        (scheme("basic"), unsupported("missing key `principal`")),
        (scheme("basic").with("principal", "x"), unsupported("missing key `credentials`")),
        (
            scheme("basic").with("principal", 1).with("credentials", "x"),
            unsupported(
                "the value associated with the key `principal` must be a String but was: \
                         Long",
            ),
        ),
    ];
    for (auth, text) in cases {
        let mut client = RawClient::open(fake.connect(), (5, 8)).await;
        let failure = format!("FAILURE Neo.ClientError.Security.Unauthorized: {text}");
        let replies = client.talk(&[hello(), logon(auth), logon(neo4j())]).await;
        assert_eq!(replies, ["SUCCESS", &failure, "END"]);
    }
    let mut null = RawClient::open(fake.connect(), (5, 8)).await;
    let realm = neo4j().with("realm", Value::Null);
    assert_eq!(null.talk(&[hello(), logon(realm)]).await, ["SUCCESS", "END"]);
    assert_eq!(fake.control.counts().failed_logons, 8);

    let mut old = RawClient::open(fake.connect(), (5, 0)).await;
    let refused = old.ask(&[hello_with(basic("bob", "x").with("user_agent", "t"))]).await;
    assert_eq!(refused[0].get("code"), Some(&v("Neo.ClientError.Security.Unauthorized")));
    assert_eq!(old.reply().await, Reply::End);
}

#[tokio::test(start_paused = true)]
async fn locks_a_user_after_three_bad_passwords() {
    let options = Options { lock_time: MOMENT, ..Options::default() };
    let fake = FakeNeo4j::start_with(options).await;
    for _ in 0..3 {
        let mut client = RawClient::open(fake.connect(), (5, 8)).await;
        client.talk(&[hello(), logon(basic("bob", "x"))]).await;
    }
    let mut right = RawClient::open(fake.connect(), (5, 8)).await;
    let replies = right.talk(&[hello(), logon(basic("bob", "builder"))]).await;
    assert!(replies[1].contains("Security.AuthenticationRateLimit"), "{replies:?}");
    tokio::time::sleep(MOMENT).await;
    RawClient::login(fake.connect(), (5, 8), basic("bob", "builder")).await;
}

#[tokio::test]
async fn requires_the_enterprise_edition_for_tokens_and_impersonation() {
    let options = Options { enterprise: true, ..Options::default() };
    let fake = FakeNeo4j::start_with(options).await;
    fake.control.set_token("bearer", "tok", "alice");
    let bearer = map([("scheme", v("bearer")), ("credentials", v("tok"))]);
    let mut alice = RawClient::login(fake.connect(), (5, 8), bearer).await;
    assert_eq!(alice.cell("WHOAMI", map([]), 0).await, v("alice"));
    let as_bob = map([("imp_user", v("bob"))]);
    let refused = alice.talk(&[run("WHOAMI", map([]), as_bob.clone())]).await;
    assert!(refused[0].contains("Security.Forbidden"), "{refused:?}");
    assert_eq!(alice.reply().await, Reply::End);
    let mut admin = client(&fake, (5, 8)).await;
    assert_eq!(admin.cell("WHOAMI", as_bob.clone(), 1).await, v("bob"));

    let community = FakeNeo4j::start().await;
    let mut admin = client(&community, (5, 8)).await;
    let refused = admin.talk(&[run("WHOAMI", map([]), as_bob)]).await;
    let text = "FAILURE Neo.ClientError.Statement.ArgumentError: Impersonation is not supported \
                in community edition.";
    assert_eq!(refused, [text]);
    assert_eq!(admin.talk(&[reset()]).await, ["SUCCESS"]);
}

#[tokio::test]
async fn runs_nothing_under_expired_credentials() {
    let fake = FakeNeo4j::start().await;
    let user = User { password: "old".to_owned(), expired: true, ..User::default() };
    fake.control.set_user("new", user);
    let mut client = RawClient::open(fake.connect(), (5, 8)).await;
    let replies = client.ask(&[hello(), logon(basic("new", "old"))]).await;
    assert_eq!(replies[1].get("credentials_expired"), Some(&v(true)));
    let refused = client.talk(&[run_plain("RETURN 1")]).await;
    assert!(refused[0].contains("Security.CredentialsExpired"), "{refused:?}");
}
