//! The fake Memgraph for each section: who may log in, the rows of its answers, what collides, and what has to have
//! arrived at the end of the section.
//!
//! Rows are given in the order of the section's statements, each of which counts once. What is not given the fake
//! makes of the statement itself.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::time::sleep;
use toml::Table;

use super::{
    ACCESS, ID, TOKENS,
    document::{self, MEMGRAPH, Section},
    play::{Gateway, Stand, play},
    tls::Tls,
};
use crate::support::bolt::{
    control::{Answer, Control, Seen, User},
    fake_memgraph::{FakeMemgraph, Options},
    samples::Shapes,
    value::{Value, list, map, structure, v},
};

const CONFLICT: &str = "Cannot resolve conflicting transactions. Retry this transaction when the conflicting transaction \
     is finished. For more details, visit https://memgraph.com/docs";

/// Sections that [`answers`] knows.
const ANSWERED: usize = 38;

const SHAPES: Shapes =
    Shapes { element_ids: true, utc: true, vectors: false, uuids: false, memgraph: true, cartesian_3d: 9157 };

/// How long what a request has set off may take to arrive.
const PATIENCE: Duration = Duration::from_secs(60);

/// Longer than any test.
const A_DAY: Duration = Duration::from_secs(86_400);

/// Runs the section.
pub(crate) async fn run(section: &Section) -> Result<(), String> {
    let fake = FakeMemgraph::start_with(Options::default().with_databases(["analytics"])).await;
    set_the_stage(section, &fake.control);
    let (settings, uri, _tls) = settings(section, &fake).await;
    let gateway = Gateway::serve(settings, Some(&uri));
    let stand = Stand { database: MEMGRAPH, gateway: &gateway, user: None, variables: &TOKENS };
    play(section, &stand, |at| go_wrong(section.title, at, &fake.control))?;
    arrives(section.title, &fake.control).await?;
    drop(gateway);
    match &fake.violations()[..] {
        [] => Ok(()),
        some => Err(format!("== {}: {some:#?}", section.title)),
    }
}

/// The section's settings with the test's addresses; TLS if they ask for it.
async fn settings(section: &Section, fake: &FakeMemgraph) -> (Table, String, Option<Tls>) {
    let mut settings = section.settings.clone().unwrap_or_default();
    let database = settings.get_mut("database").and_then(|database| database.as_table_mut());
    let Some(database) = database else { return (settings, fake.uri(), None) };
    let tls = Tls::before(fake.addr()).await;
    let uri = database.get("uri").and_then(|uri| uri.as_str()).expect("a section on connecting names an address");
    let uri = uri.replace(":7687", &format!(":{}", tls.port));
    if let Some(ca_file) = database.get_mut("ca_file") {
        *ca_file = tls.ca_file.path().to_str().expect("the path is UTF-8").into();
    }
    (settings, uri, Some(tls))
}

fn set_the_stage(section: &Section, control: &Control) {
    let person = |name: &str, password: &str, admin| {
        control.set_user(name, User { password: password.to_owned(), admin, ..User::default() });
    };
    match section.title {
        "With user and password" => person("memgraphUser", "memgraphPassword", false),
        "Single sign-on" => {
            control.set_token("oidc-custom", &format!("access_token={ACCESS};id_token={ID}"), "anthony");
            control.set_token("oidc-custom", &format!("access_token={ACCESS}"), "anthony");
        }
        "Impersonation" => {
            person("admin", "admin", true);
            person("user1", "user1", false);
        }
        _ => {}
    }
    let statements = section.statements();
    let answers = answers(section.title);
    assert!(answers.len() <= statements.len(), "{}: answers to nothing", section.title);
    for (statement, answer) in statements.iter().zip(answers) {
        if let Some(answer) = answer {
            control.answer(statement, answer);
        }
    }
}

/// Prepares what the section's request number `at` meets: a number of conflicts, or a refusal.
fn go_wrong(title: &str, at: usize, control: &Control) {
    let (message, times) = match (title, at) {
        ("How long it is tried" | "A retry loop of your own" | "A conflict without a retry", 0) => ("PULL", 1),
        ("How often it is tried", 0) => ("PULL", 2),
        ("Many writers", 1) => ("PULL", 4),
        ("Retried as a whole", 0) => ("COMMIT", 2),
        ("Writing in a read transaction", 0) => {
            let text = "Accessor type READ and query type WRITE are misaligned!";
            return control.fail_next("RUN", "Memgraph.ClientError.MemgraphError.MemgraphError", text);
        }
        _ => return,
    };
    for _ in 0..times {
        control.fail_next(message, "Memgraph.TransientError.MemgraphError.MemgraphError", CONFLICT);
    }
}

/// One row.
fn row<const N: usize>(fields: [&str; N], values: [Value; N]) -> Option<Answer> {
    Some(Answer::rows(&fields, [values.into()]))
}

/// No rows, and what the summary says.
fn nothing<const N: usize>(summary: [(&str, Value); N]) -> Option<Answer> {
    let summary = summary.map(|(name, value)| (name.to_owned(), value)).into();
    Some(Answer { summary, ..Answer::default() })
}

fn wrote() -> Option<Answer> {
    nothing([("type", v("w"))])
}

/// Does not end by itself, and has no rows until then.
fn endless() -> Option<Answer> {
    Some(Answer { sleep: Some(A_DAY), ..Answer::rows(&["n"], []) })
}

fn ada() -> Value {
    SHAPES.node(1, &["Person"], map([("name", v("Ada")), ("born", structure(b'D', [v(-56_270)]))]))
}

fn holders(alice: i64, bob: i64) -> Option<Answer> {
    Some(Answer::rows(&["name", "tokens"], [vec![v("Alice"), v(alice)], vec![v("Bob"), v(bob)]]))
}

/// What the statements of a section are answered with; `None` where the fake knows for itself.
fn answers(title: &str) -> Vec<Option<Answer>> {
    match title {
        "A first statement" => vec![row(["name"], [v("Memgraph")])],
        "Single sign-on" => vec![row(["user"], [v("anthony")])],
        "Impersonation" => vec![row(["user"], [v("user1")])],
        "Another database" => vec![row(["Current"], [v("analytics")])],
        "Create" => vec![row(["name"], [v("Ada")])],
        "Read" => vec![reading(&["name", "born"], [vec![v("Ada"), Value::Null], vec![v("Grace"), Value::Null]])],
        "Parameters" => vec![row(["name", "born"], [v("Ada"), structure(b'D', [v(-56_270)])])],
        "A property map" => vec![row(["name", "stars", "score"], [v("Bolt"), v(3), v(4.0)])],
        "A property map in the pattern" => vec![row(["name"], [v("HTTP")])],
        "Node" => vec![row(["p"], [ada()])],
        "Relationship" => vec![row(["r"], [SHAPES.relationship(3, 1, 2, "INSPIRED", map([("year", v(1944))]))])],
        "Path" => vec![row(["path"], [path()])],
        "Null, booleans, numbers, strings, lists, maps" => vec![scalars()],
        "Dates, times, durations" => vec![times()],
        "Points" => points(),
        "Enums" => {
            vec![row(["status"], [map([("__type", v("mg_enum")), ("__value", v("Status::Good"))])])]
        }
        "Row by row" => vec![reading(&["n"], [vec![v(1)], vec![v(2)], vec![v(3)]])],
        "Counters" => vec![nothing([("stats", counted(1))])],
        "Notifications of Memgraph" => vec![nothing([("notifications", list([already_there()]))])],
        "How often it is tried" | "How long it is tried" => vec![row(["value"], [v(1)])],
        "Several statements, all or nothing" => vec![wrote(), holders(100, 20)],
        "The statement that failed" => vec![wrote(), None, row(["holders"], [v(2)])],
        "A read transaction" => vec![reading(&["tokens"], [vec![v(120)]])],
        "Writing in a read transaction" => vec![wrote()],
        "Retried as a whole" => vec![wrote(), wrote()],
        "Begin, run, commit" => [100, 50, 70].into_iter().map(|tokens| row(["tokens"], [v(tokens)])).collect(),
        "Roll back" => vec![row(["tokens"], [v(-30)]), holders(50, 70)],
        "See your own writes" => vec![wrote(), row(["found"], [v(1)])],
        "Exactly once" => vec![row(["name"], [v("Once")])],
        "LOAD CSV" => vec![nothing([("stats", counted(2))]), wrote()],
        "Many writers" => vec![row(["value"], [v(0)]), wrote(), row(["value"], [v(8)])],
        "A retry loop of your own" => vec![row(["value"], [v(9)])],
        "A conflict without a retry" => vec![wrote()],
        "What is running" => vec![endless()],
        "Bulk load" => vec![wrote(), wrote()],
        "A write that is done once, however often it is sent" => {
            vec![row(["number"], [v(4711)]), row(["orders"], [v(1)])]
        }
        "What this page has made" => vec![wrote()],
        _ => Vec::new(),
    }
}

fn reading<const N: usize>(fields: &[&str], rows: [Vec<Value>; N]) -> Option<Answer> {
    Some(Answer { summary: vec![("type".to_owned(), v("r"))], ..Answer::rows(fields, rows) })
}

fn path() -> Value {
    let unbound = Value::Struct { tag: b'r', fields: vec![v(3), v("INSPIRED"), map([("year", v(1944))]), v("3")] };
    let grace = SHAPES.node(2, &["Person"], map([("name", v("Grace"))]));
    structure(b'P', [list([ada(), grace]), list([unbound]), list([v(1), v(1)])])
}

fn scalars() -> Option<Answer> {
    let nested = map([("a", v(1)), ("b", map([("c", v(true))]))]);
    let values = [
        Value::Null,
        v(true),
        v(9_007_199_254_740_993_i64),
        v(1.0),
        v(f64::NAN),
        v(f64::NEG_INFINITY),
        v("text"),
        list([v(1), v("two"), Value::Null]),
        nested,
    ];
    row(["nothing", "boolean", "integer", "float", "nan", "infinity", "string", "list", "map"], values)
}

fn times() -> Option<Answer> {
    // 2026-02-28T11:50:35Z
    let (day, utc, hour) = (20_512_i64, 1_772_279_435_i64, 3_600_i64);
    let values = [
        structure(b'D', [v(day)]),
        structure(b't', [v(46_235_500_000_000_i64)]),
        structure(b'd', [v(utc + hour), v(0)]),
        structure(b'I', [v(utc), v(0), v(hour)]),
        structure(b'i', [v(utc), v(0), v("Europe/Berlin")]),
        structure(b'E', [v(0), v(3), v(14_706), v(500_000_000)]),
    ];
    row(["date", "localtime", "localdatetime", "datetime", "zoned", "duration"], values)
}

fn points() -> Vec<Option<Answer>> {
    let oslo = || structure(b'X', [v(4326), v(10.7), v(59.9)]);
    let plane = structure(b'X', [v(7203), v(1.0), v(2.0)]);
    let space = structure(b'Y', [v(9157), v(1.0), v(2.0), v(3.0)]);
    vec![row(["plane", "space", "oslo"], [plane, space, oslo()]), row(["oslo"], [oslo()])]
}

/// So many nodes, each with a label.
fn counted(nodes: i64) -> Value {
    let zero = ["nodes-deleted", "relationships-created", "relationships-deleted", "labels-removed", "properties-set"];
    let nodes = ["nodes-created", "labels-added"].map(|name| (name.to_owned(), v(nodes)));
    Value::Map(nodes.into_iter().chain(zero.map(|name| (name.to_owned(), v(0)))).collect())
}

fn already_there() -> Value {
    let title = "Index on label Technology on properties name already exists.";
    map([("severity", v("INFO")), ("code", v("IndexAlreadyExists")), ("title", v(title)), ("description", v(""))])
}

/// Waits for what has to arrive: a statement is still being ended when its client has got the last line.
async fn arrives(title: &str, control: &Control) -> Result<(), String> {
    let start = Instant::now();
    loop {
        match look_back(title, control) {
            Err(_) if start.elapsed() < PATIENCE => sleep(Duration::from_millis(20)).await,
            outcome => return outcome,
        }
    }
}

/// What has to have arrived.
fn look_back(title: &str, control: &Control) -> Result<(), String> {
    let seen = Arc::new(control.seen());
    let of = |name: &'static str, field: usize| {
        let seen = Arc::clone(&seen);
        (0..seen.len()).filter_map(move |i| seen.get(i).filter(|seen| seen.name() == name)?.field(field).cloned())
    };
    let any = |name: &'static str, field: usize, key: &str, value: Value| {
        of(name, field).any(|extra| extra.get(key) == Some(&value))
    };
    let arrived = match title {
        "A property map" => any("RUN", 1, "properties", properties()),
        "Impersonation" => any("RUN", 2, "imp_user", v("user1")),
        "Another database" => any("RUN", 2, "db", v("analytics")),
        "A read transaction" => any("BEGIN", 0, "mode", v("r")),
        "Begin, run, commit" => control.counts().commits == 1 && any("RUN", 1, "amount", v(50)),
        "Roll back" => control.counts().rollbacks == 1,
        "Many writers" => control.count("RUN") == 1 + 8 + 4 + 1,
        "A conflict without a retry" => control.count("RUN") == 1,
        "Bulk load" => control.counts().commits == 3 + 2,
        "A write that is done once, however often it is sent" => control.counts().commits == 2,
        "What is running" => control.count("RESET") + terminations(&seen) > 0,
        _ => true,
    };
    let names: Vec<_> = seen.iter().map(Seen::name).collect();
    if arrived { Ok(()) } else { Err(format!("== {title}: not what Memgraph should have got: {names:?}")) }
}

fn terminations(seen: &[Seen]) -> usize {
    let terminates =
        |seen: &&Seen| seen.field(0).and_then(Value::as_str).is_some_and(|text| text.starts_with("TERMINATE"));
    seen.iter().filter(terminates).count()
}

fn properties() -> Value {
    map([("name", v("Bolt")), ("stars", v(3)), ("score", v(4.0)), ("tags", list([v("binary"), v("fast")]))])
}

mod without_servers {
    use super::*;

    #[test]
    fn names_only_existing_sections() {
        let sections = document::sections();
        let on_memgraph = sections.iter().filter(|section| section.runs_on.contains(&MEMGRAPH));
        let answered = on_memgraph.filter(|section| !answers(section.title).is_empty()).count();
        assert_eq!(answered, ANSWERED, "answers() names a section that the page does not have");
    }
}
