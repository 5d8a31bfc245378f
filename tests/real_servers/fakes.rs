//! A real Neo4j and the fake get the same messages, and must answer alike.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use crate::support::{
    bolt::{
        fake_neo4j::{FakeNeo4j, Options},
        message::*,
        raw::RawClient,
        value::*,
    },
    servers,
};

/// Names a Neo4j 2026.09 without authentication, `bolt://host:port`.
const REAL: &str = "BOLTGATE_TEST_NEO4J_BOLT";

/// Names one whose user `neo4j` has the password `password1`.
const REAL_WITH_AUTH: &str = "BOLTGATE_TEST_NEO4J_AUTH_BOLT";

/// Where the real server without authentication is, if there is one.
fn real() -> Option<String> {
    named_by(REAL)
}

fn named_by(variable: &str) -> Option<String> {
    let uri = servers::variable(variable)?;
    Some(uri.strip_prefix("bolt://").unwrap_or(&uri).to_owned())
}

/// Messages that go out together; all answers are awaited before the next group.
type Groups = Vec<Vec<Value>>;

fn param(value: Value) -> Value {
    run("RETURN $x", map([("x", value)]), map([]))
}

/// Conversations whose answers no race decides.
fn conversations() -> Vec<(&'static str, Groups)> {
    let one = || run_plain("RETURN 1");
    let bad = || run_plain("RETURN $missing");
    let auth = || logon(map([("scheme", v("none"))]));
    let with = |key: &str, value: Value| run("RETURN 1", map([]), map([(key, value)]));
    let node = structure(b'N', [v(1), list([]), map([]), v("a")]);
    let route = |db: Value| structure(ROUTE, [map([("address", v("h:1"))]), list([]), db]);
    vec![
        ("rows", vec![vec![run_plain("UNWIND range(1, 3) AS i RETURN i"), pull(2)], vec![pull(1)]]),
        ("discard", vec![vec![one(), discard(-1)], vec![one(), pull(-1)]]),
        ("no rows left", vec![vec![one(), pull(1)], vec![pull(1)]]),
        ("failed", vec![vec![bad(), pull(-1), one(), pull(-1)], vec![reset()], vec![one(), pull(-1)]]),
        ("failed tx", vec![vec![begin(map([])), bad(), pull(-1), rollback(), commit()], vec![reset()]]),
        ("tx", vec![vec![begin(map([])), one(), pull(-1), commit()], vec![commit()]]),
        ("unread commit", vec![vec![begin(map([])), one(), commit()], vec![reset()]]),
        ("two results", vec![vec![begin(map([])), one(), one()], vec![pull_qid(-1, 0), pull(-1), rollback()]]),
        ("no such result", vec![vec![begin(map([])), one()], vec![pull_qid(1, 5)], vec![pull(1)]]),
        ("pull in ready", vec![vec![pull(-1)]]),
        ("commit in ready", vec![vec![commit()]]),
        ("rollback in ready", vec![vec![rollback()]]),
        ("discard in ready", vec![vec![discard(-1)]]),
        ("begin in tx", vec![vec![begin(map([]))], vec![begin(map([]))]]),
        ("run in autocommit", vec![vec![one()], vec![one()]]),
        ("commit in autocommit", vec![vec![one()], vec![commit()]]),
        ("hello again", vec![vec![hello()]]),
        ("logon again", vec![vec![auth()]]),
        ("logoff", vec![vec![logoff(), auth()], vec![one(), pull(-1)]]),
        ("logoff in tx", vec![vec![begin(map([]))], vec![logoff()]]),
        ("run after logoff", vec![vec![logoff()], vec![one()]]),
        ("reset after logoff", vec![vec![logoff()], vec![reset()]]),
        ("reset, logoff, logon", vec![vec![reset()], vec![logoff(), auth(), one(), pull(-1)]]),
        ("begin when failed", vec![vec![bad()], vec![begin(map([]))]]),
        ("logoff when failed", vec![vec![bad()], vec![logoff()]]),
        ("logon when failed", vec![vec![bad()], vec![auth()]]),
        ("bad mode", vec![vec![with("mode", v("x"))], vec![one()], vec![reset()], vec![one(), pull(-1)]]),
        ("bad timeout", vec![vec![with("tx_timeout", v("x"))], vec![reset()]]),
        ("bad db type", vec![vec![with("db", v(1))], vec![reset()]]),
        ("unknown db", vec![vec![with("db", v("nowhere"))], vec![reset()]]),
        ("unknown db in begin", vec![vec![begin(map([("db", v("nowhere"))]))], vec![reset()]]),
        ("impersonation", vec![vec![with("imp_user", v("bob"))], vec![reset()]]),
        ("null db", vec![vec![with("db", Value::Null), pull(-1)]]),
        ("null params", vec![vec![run("RETURN 1", Value::Null, map([]))], vec![reset()]]),
        ("n zero", vec![vec![one()], vec![pull(0)], vec![pull(1)], vec![reset()]]),
        ("n missing", vec![vec![one()], vec![structure(PULL, [map([])])], vec![reset()]]),
        ("node parameter", vec![vec![param(node)], vec![pull(1)], vec![reset()]]),
        ("unknown structure", vec![vec![param(structure(0x21, [v(1)]))], vec![reset()]]),
        ("unknown zone", vec![vec![param(structure(b'i', [v(1), v(1), v("Mars/X")]))], vec![reset()]]),
        ("unknown srid", vec![vec![param(structure(b'X', [v(1), v(1.0), v(2.0)]))], vec![reset()]]),
        ("time offset", vec![vec![param(structure(b'T', [v(1), v(64_801)]))]]),
        ("arity", vec![vec![structure(RUN, [v("RETURN 1")])], vec![reset()]]),
        ("unknown message", vec![vec![structure(0x55, [])]]),
        ("telemetry", vec![vec![telemetry(2)], vec![begin(map([]))], vec![telemetry(1)]]),
        ("route", vec![vec![route(map([]))], vec![route(map([("db", v("nowhere"))]))], vec![reset()]]),
        ("overtaking", vec![vec![bad()], vec![one(), pull(-1), reset(), one(), pull(-1)]]),
        ("syntax", vec![vec![run_plain("SLURP"), pull(-1)], vec![reset()]]),
    ]
}

/// What came, as far as it must be alike: syntax errors list what was expected, and interrupted
/// messages show their fields.
async fn played<S>(stream: S, version: (u8, u8), groups: &Groups) -> Vec<String>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let auth = map([("scheme", v("none"))]);
    let mut client = RawClient::login(stream, version, auth).await;
    let mut came = Vec::new();
    for group in groups {
        client.send(group).await;
        for reply in client.replies(group.len()).await {
            let mut keys: Vec<&str> = reply.field().and_then(Value::as_map).map_or_else(Vec::new, |m| {
                // A cause is what the fake does not tell.
                m.iter().map(|(key, _)| &**key).filter(|key| *key != "cause").collect()
            });
            keys.sort_unstable();
            let brief = reply.brief();
            let brief = brief.split(": expected '").next().unwrap_or_default();
            let brief = brief.split(": expected a directive").next().unwrap_or_default();
            let brief = brief.split('{').next().unwrap_or_default();
            let status = reply.get("gql_status").map(show).unwrap_or_default();
            let class = reply.get("diagnostic_record").map(show).unwrap_or_default();
            let class = class.split(", _position").next().unwrap_or_default();
            came.push(format!("{brief} {status} {} {keys:?}", class.trim_end_matches('}')));
        }
    }
    // A connection that was closed says END here, one that lives answers.
    client.send(&[reset()]).await;
    came.push(if client.reply().await.brief() == "END" { "closed" } else { "open" }.to_owned());
    came
}

#[tokio::test]
async fn answers_as_the_real_server_does() {
    let Some(address) = real() else { return };
    let fake = FakeNeo4j::start_with(Options::default().without_auth()).await;
    let mut different = Vec::new();
    for version in [(4, 4), (5, 4), (5, 8), (6, 1)] {
        for (name, groups) in conversations() {
            let logs = |m: &Value| matches!(m, Value::Struct { tag: LOGON | LOGOFF, .. });
            if version < (5, 1) && groups.iter().flatten().any(logs) {
                continue;
            }
            let stream = TcpStream::connect(&address).await.expect("the real server answers");
            let real = played(stream, version, &groups).await;
            let ours = played(fake.connect(), version, &groups).await;
            if real != ours {
                different.push(format!("{name} on {version:?}:\n real {real:#?}\n fake {ours:#?}"));
            }
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
}

/// A statement that runs until something stops it: in the real server, and in the fake.
const ENDLESS: [&str; 2] = ["UNWIND range(1, 2000000000) AS x RETURN sum(x * x)", "SLEEP 3600000"];

/// What is answered to RESET, and to a message before it, while `statement` runs.
async fn interrupted<S: AsyncRead + AsyncWrite + Unpin>(stream: S, statement: &str) -> Vec<String> {
    let auth = map([("scheme", v("none"))]);
    let mut client = RawClient::login(stream, (5, 8), auth).await;
    client.send(&[run_plain(statement), pull(-1)]).await;
    let mut came = client.briefs(1).await;
    // The real server takes its time to begin; nothing tells when it has.
    tokio::time::sleep(Duration::from_millis(500)).await;
    client.send(&[run_plain("RETURN 1"), reset()]).await;
    came.extend(client.briefs(3).await);
    came.extend(client.talk(&[run_plain("RETURN 1"), pull(-1)]).await);
    came
}

#[tokio::test]
async fn is_interrupted_by_reset_as_the_real_server_is() {
    let Some(address) = real() else { return };
    let fake = FakeNeo4j::start_with(Options::default().without_auth()).await;
    let stream = TcpStream::connect(address).await.expect("the real server answers");
    let real = interrupted(stream, ENDLESS[0]).await;
    assert_eq!(real, interrupted(fake.connect(), ENDLESS[1]).await);
}

/// Sets the password of a user, who is made if need be, or drops the user with `None`.
trait Administrator {
    async fn change(&mut self, user: &str, password: Option<&str>);
}

impl Administrator for RawClient<TcpStream> {
    async fn change(&mut self, user: &str, password: Option<&str>) {
        let statement = match password {
            // Of a user who is there, only the password changes.
            Some(_) => format!("CREATE USER {user} IF NOT EXISTS SET PASSWORD 'never used' CHANGE NOT REQUIRED"),
            None => format!("DROP USER {user}"),
        };
        let system = || map([("db", v("system"))]);
        self.rows(&statement, system()).await;
        if let Some(password) = password {
            let statement = format!("ALTER USER {user} SET PASSWORD '{password}' CHANGE NOT REQUIRED");
            self.rows(&statement, system()).await;
        }
    }
}

impl Administrator for FakeNeo4j {
    async fn change(&mut self, user: &str, password: Option<&str>) {
        match password {
            Some(password) => self.control.set_password(user, password),
            None => self.control.drop_user(user),
        }
    }
}

/// What connections of a user say whose password is changed and who is then dropped.
async fn outlived<S, F>(administrator: &mut impl Administrator, connect: impl Fn() -> F) -> Vec<Vec<String>>
where
    S: AsyncRead + AsyncWrite + Unpin,
    F: Future<Output = S>,
{
    let user = format!("outlived_{}", std::process::id());
    let one = || [run_plain("RETURN 1 AS x"), pull(-1)];
    let again = |password: &str| [logoff(), logon(basic(&user, password)), run_plain("RETURN 1 AS x"), pull(-1)];
    let mut came = Vec::new();
    administrator.change(&user, Some("first password")).await;
    let mut a = RawClient::login(connect().await, (5, 8), basic(&user, "first password")).await;
    let mut b = RawClient::login(connect().await, (5, 8), basic(&user, "first password")).await;
    administrator.change(&user, Some("second password")).await;
    came.push(a.talk(&one()).await);
    came.push(a.talk(&again("first password")).await);
    came.push(b.talk(&one()).await);
    came.push(b.talk(&again("second password")).await);
    administrator.change(&user, None).await;
    came.push(b.talk(&one()).await);
    came.push(b.talk(&again("second password")).await);
    came
}

#[tokio::test]
async fn keeps_logins_of_changed_and_dropped_users() {
    let mut fake = FakeNeo4j::start().await;
    let address = fake.addr();
    let connect = async || TcpStream::connect(address).await.expect("the fake answers");
    let ours = outlived(&mut fake, connect).await;
    let refused = "FAILURE Neo.ClientError.Security.Unauthorized: The client is unauthorized due to authentication \
                   failure.";
    let (runs, relogs) = (vec!["SUCCESS", "RECORD [1]", "SUCCESS"], vec!["SUCCESS", refused, "END"]);
    let renewed = [&["SUCCESS", "SUCCESS"], &runs[..]].concat();
    assert_eq!(ours, [runs.clone(), relogs.clone(), runs.clone(), renewed, runs, relogs]);

    let Some(address) = named_by(REAL_WITH_AUTH) else { return };
    let connect = async || TcpStream::connect(&address).await.expect("the real server answers");
    let mut administrator = RawClient::login(connect().await, (5, 8), basic("neo4j", "password1")).await;
    assert_eq!(outlived(&mut administrator, connect).await, ours);
}
