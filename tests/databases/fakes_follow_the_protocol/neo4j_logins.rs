//! FakeNeo4j: logins that end while they are in use, and how small a message behind a LOGON must be.

use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::Instant;

use super::neo4j::{client, neo4j};
use crate::support::{
    bolt::control::Logons,
    bolt::fake_neo4j::{FakeNeo4j, Options},
    bolt::frame::frame,
    bolt::message::*,
    bolt::raw::RawClient,
    bolt::value::*,
};

const VERSIONS: [(u8, u8); 3] = [(5, 1), (5, 8), (6, 1)];

fn failure(title: &str) -> [String; 2] {
    [format!("FAILURE Neo.ClientError.Security.{title}: Authorization info expired."), "END".to_owned()]
}

#[tokio::test]
async fn ends_statements_of_an_expired_authorization() {
    let fake = FakeNeo4j::start().await;
    for version in VERSIONS {
        let mut idle = client(&fake, version).await;
        let mut beginning = client(&fake, version).await;
        let mut inside = client(&fake, version).await;
        inside.ask(&[begin(map([]))]).await;
        let mut renewing = client(&fake, version).await;
        fake.control.expire_authorization();
        let expired = failure("AuthorizationExpired");
        assert_eq!(idle.talk(&[run_plain("RETURN 1"), pull(-1)]).await, expired);
        assert_eq!(beginning.talk(&[begin(map([])), commit()]).await, expired);
        assert_eq!(inside.talk(&[run_plain("RETURN 1"), pull(-1)]).await, expired);
        let renewed = [logoff(), logon(neo4j()), run_plain("RETURN 1"), pull(-1)];
        assert_eq!(renewing.talk(&renewed).await, ["SUCCESS", "SUCCESS", "SUCCESS", "RECORD [1]", "SUCCESS"]);
        assert_eq!(client(&fake, version).await.cell("RETURN 1", map([]), 0).await, v(1));
    }
    let mut old = client(&fake, (4, 4)).await;
    fake.control.expire_authorization();
    assert_eq!(old.talk(&[run_plain("RETURN 1"), pull(-1)]).await, failure("AuthorizationExpired"));

    let open = FakeNeo4j::start_with(Options::default().without_auth()).await;
    let mut anyone = client(&open, (5, 8)).await;
    open.control.expire_authorization();
    assert_eq!(anyone.cell("RETURN 1", map([]), 0).await, v(1));
}

#[tokio::test(start_paused = true)]
async fn refuses_expired_tokens() {
    let fake = FakeNeo4j::start_with(Options { enterprise: true, ..Options::default() }).await;
    let bearer = || map([("scheme", v("bearer")), ("credentials", v("tok"))]);
    let set_until = |until| fake.control.set_token_until("bearer", "tok", "alice", until);
    for version in VERSIONS {
        let soon = Instant::now() + Duration::from_millis(200);
        set_until(soon);
        let mut idle = RawClient::login(fake.connect(), version, bearer()).await;
        let mut beginning = RawClient::login(fake.connect(), version, bearer()).await;
        let mut inside = RawClient::login(fake.connect(), version, bearer()).await;
        inside.ask(&[begin(map([]))]).await;
        tokio::time::sleep_until(soon).await;
        let expired = failure("TokenExpired");
        assert_eq!(idle.talk(&[run_plain("RETURN 1"), pull(-1)]).await, expired);
        assert_eq!(beginning.talk(&[begin(map([])), commit()]).await, expired);
        assert_eq!(inside.talk(&[run_plain("RETURN 1"), pull(-1)]).await, expired);
        let mut late = RawClient::open(fake.connect(), version).await;
        assert_eq!(late.talk(&[hello(), logon(bearer()), run_plain("RETURN 1")]).await[1..], expired);
    }
    let counted = Logons { accepted: 3 * VERSIONS.len(), refused: VERSIONS.len() };
    assert_eq!(fake.control.logons(&bearer()), counted);
    set_until(Instant::now() + Duration::from_secs(3600));
    let mut fresh = RawClient::login(fake.connect(), (5, 8), bearer()).await;
    assert_eq!(fresh.cell("WHOAMI", map([]), 0).await, v("alice"));
}

#[tokio::test]
async fn limits_messages_behind_an_unanswered_logon() {
    let fake = FakeNeo4j::start().await;
    let with = |value: Value| run("RETURN 1", map([("x", value)]), map([]));
    let padded = |size: usize| {
        let empty = with(v("a".repeat(1000))).encode().len() - 1000;
        with(v("a".repeat(size - empty)))
    };
    assert_eq!(padded(8192).encode().len(), 8192);
    let wide = |n: usize| with(v(vec![v(1); n]));
    let deep = |n: usize| with((0..n).fold(v(1), |inner, _| list([inner])));
    let good = [padded(8192), wide(64), deep(2)];
    let bad = [padded(8193), padded(20_000), padded(3_000_000), wide(65), deep(3)];
    let after_hello = |message: &Value| [hello(), logon(neo4j()), message.clone(), pull(-1)];
    let after_logoff = |message: &Value| [logoff(), logon(neo4j()), message.clone(), pull(-1)];
    for message in &good {
        let mut fresh = RawClient::open(fake.connect(), (5, 8)).await;
        let mut used = client(&fake, (5, 8)).await;
        let fine = ["SUCCESS", "SUCCESS", "SUCCESS", "RECORD [1]", "SUCCESS"];
        assert_eq!(fresh.talk(&after_hello(message)).await, fine);
        assert_eq!(used.talk(&after_logoff(message)).await, fine);
    }
    assert_eq!(fake.control.violations(), [""; 0]);
    // Many times and over TCP: no race decides.
    for _ in 0..20 {
        for message in &bad {
            let stream = TcpStream::connect(fake.addr()).await.unwrap();
            let mut fresh = RawClient::open(stream, (5, 8)).await;
            let stream = TcpStream::connect(fake.addr()).await.unwrap();
            let mut used = RawClient::login(stream, (5, 8), neo4j()).await;
            fresh.send(&after_hello(message)).await;
            used.send(&after_logoff(message)).await;
            assert_eq!(fresh.briefs(9).await.last().unwrap(), "END");
            assert_eq!(used.briefs(9).await.last().unwrap(), "END");
        }
    }
    // One that had begun before the answer came.
    let mut early = client(&fake, (5, 8)).await;
    let late = frame(&wide(65).encode());
    early.send_raw(&[frame(&logoff().encode()), frame(&logon(neo4j()).encode()), late[..9].to_vec()].concat()).await;
    assert_eq!(early.briefs(2).await, ["SUCCESS", "SUCCESS"]);
    early.send_raw(&late[9..]).await;
    assert_eq!(early.briefs(1).await, ["END"]);

    let violations = fake.control.violations();
    assert_eq!(violations.len(), 20 * 2 * bad.len() + 1);
    assert!(violations[0].contains("behind a LOGON that is not answered yet"), "{violations:?}");
    // Once LOGON is answered there is no limit, nor before a LOGOFF.
    let mut client = client(&fake, (5, 8)).await;
    for message in &bad {
        let answers = client.talk(&[message.clone(), pull(-1), logoff(), logon(neo4j())]).await;
        assert_eq!(answers, ["SUCCESS", "RECORD [1]", "SUCCESS", "SUCCESS", "SUCCESS"]);
    }
    assert_eq!(fake.control.violations().len(), violations.len());
}
