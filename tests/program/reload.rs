//! Settings that change while the program runs: SIGHUP reads them again.
#![cfg(all(feature = "embedded", unix))]

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{
    http::{Connection, Response, request},
    openmetrics::Exposition,
    process::{Process, boltgate, wait},
    query::transaction_id,
};

const PATH: &str = "/db/neo4j/query/v2";
const JSON: (&str, &str) = ("Content-Type", "application/json");

/// A process with a configuration file that changes.
struct Stand {
    process: Process,
    file: PathBuf,
    folder: TempDir,
}

impl Stand {
    fn start(text: &str, environment: &[(&str, &Path)]) -> Self {
        let folder = tempfile::tempdir().expect("there is room for a file");
        let file = folder.path().join("b.toml");
        fs::write(&file, text).expect("there is room for a file");
        let mut command = boltgate(&["serve", "--embedded", "--log-format=json", "--config"]);
        command.arg(&file).envs(environment.iter().copied());
        Self { process: Process::serve(command), file, folder }
    }

    /// Has the file read again, and returns the line of the log that says how it went.
    fn reload(&self, text: &str) -> Value {
        fs::write(&self.file, text).expect("there is room for a file");
        self.hang_up()
    }

    fn hang_up(&self) -> Value {
        let before = self.outcomes().len();
        self.process.signal("HUP");
        wait("the end of the reload", || self.outcomes().into_iter().nth(before))
    }

    /// The lines that say how each reload went.
    fn outcomes(&self) -> Vec<Value> {
        let lines = self.process.log().into_iter().filter(|line| line.contains("settings were"));
        lines.map(|line| serde_json::from_str(&line).expect("the log is JSON")).collect()
    }

    async fn post(&self, path: &str, body: &str) -> Response {
        request(&self.process.address(), "POST", path, &[JSON], body.as_bytes()).await
    }

    async fn status(&self, path: &str, body: &str) -> u16 {
        self.post(path, body).await.status
    }

    /// Whether `http.statuses` is `precise`.
    async fn is_precise(&self) -> bool {
        self.post(PATH, r#"{"statement":"RETURN"}"#).await.text().contains("retryable")
    }
}

#[tokio::test]
async fn takes_over_new_settings_without_a_break() {
    let stand = Stand::start("[limits]\nbody = '1KiB'\n", &[]);
    let address = stand.process.address();
    let mut kept = Connection::open(&address).await;
    let long = json!({ "statement": format!("RETURN '{}'", "x".repeat(2000)) }).to_string();
    kept.post(PATH, &long).await;
    assert_eq!(kept.answer().await.status, 413);
    let mut kept = Connection::open(&address).await;
    kept.post(&format!("{PATH}/tx"), "{}").await;
    let id = transaction_id(&kept.answer().await);

    let line = stand.reload("[limits]\nbody = '4KiB'\n[transactions]\nmax = 1\n[http]\nstatuses = 'precise'\n");
    assert_eq!((&line["level"], &line["message"]), (&json!("INFO"), &json!("the settings were reloaded")));
    assert_eq!(line["changed"], "http.statuses, transactions.max, limits.body");
    assert_eq!(stand.status(PATH, &long).await, 202, "a longer body");
    assert!(stand.is_precise().await);
    assert_eq!(stand.status(&format!("{PATH}/tx"), "{}").await, 503, "there is one transaction already");
    kept.post(&format!("{PATH}/tx/{id}/commit"), "{}").await;
    assert_eq!(kept.answer().await.status, 202, "connection and transaction went on");

    assert_eq!(stand.reload("")["changed"], "http.statuses, transactions.max, limits.body");
    assert!(!stand.is_precise().await);
}

/// The older HTTP API, for those who still need it.
#[tokio::test]
async fn switches_the_older_api() {
    const COMMIT: &str = "/db/neo4j/tx/commit";
    const OLDER: &str = "/db/data/transaction/commit";
    let nothing = r#"{"statements":[]}"#;
    let graph = |text: &str| json!({"statements": [{"statement": text, "resultDataContents": ["graph"]}]}).to_string();
    let related = graph("MATCH ()-[r]->() RETURN r");
    let stand = Stand::start("", &[]);
    let created = stand.post(COMMIT, &graph("UNWIND range(1, 100) AS i CREATE (:A)-[:R]->(:B)")).await;
    assert!(created.text().contains(r#""errors":[]"#), "{created}");
    let reloaded = |text: &str| stand.reload(text)["changed"].clone();
    assert_eq!((stand.status(COMMIT, nothing).await, stand.status(OLDER, nothing).await), (200, 404));

    assert_eq!(reloaded("[http]\nolder_paths = true\n"), "http.older_paths");
    assert_eq!(stand.status(OLDER, nothing).await, 200);
    assert!(stand.post(OLDER, &related).await.text().contains(r#""errors":[]"#), "a graph has room");

    let elsewhere = "[http]\nolder_paths = true\nolder_database = 'nowhere'\n[limits]\ngraph = '1KiB'\n";
    assert_eq!(reloaded(elsewhere), "http.older_database, limits.graph");
    let missing = stand.post(OLDER, &graph("RETURN 1")).await;
    assert_eq!(missing.status, 404, "{missing}");
    assert!(missing.text().contains("Requested database name: 'nowhere'"), "{missing}");
    let refused = stand.post(COMMIT, &related).await;
    assert!(refused.text().contains("limits.graph"), "{refused}");

    assert_eq!(
        reloaded("[http]\ntransactional = false\nolder_paths = true\n"),
        "http.transactional, http.older_database, limits.graph"
    );
    assert_eq!((stand.status(COMMIT, nothing).await, stand.status(OLDER, nothing).await), (404, 404));
    let discovery = request(&stand.process.address(), "GET", "/", &[], b"").await;
    assert!(!discovery.text().contains(r#""transaction""#), "{discovery}");
    assert_eq!(reloaded(""), "http.transactional, http.older_paths");
    assert_eq!((stand.status(COMMIT, nothing).await, stand.status(OLDER, nothing).await), (200, 404));
}

#[tokio::test]
async fn keeps_everything_when_the_new_settings_are_bad() {
    let stand = Stand::start("[http]\nstatuses = 'precise'\n", &[]);
    let (ca, good) = (stand.folder.path().join("ca.pem"), "[http]\nstatuses = 'precise'\n");
    fs::write(&ca, "no certificate").expect("there is room for a file");
    let issuer = format!(
        "[auth.issuers.a]\nissuer = 'https://a.example'\naudience = ['x']\nca_file = '{}'\n",
        ca.to_str().expect("UTF-8")
    );
    for (text, hint) in [
        ("[http]\nstatus = 'x'", "there is no setting `http.status`"),
        ("[transactions]\nmax = 100", "must be less than"),
        ("[log]\nfilter = 'inof'\n[http]\nstatuses = 'query-api'", "`inof`"),
        (&issuer, "ca.pem"),
        ("[http", "not valid TOML"),
    ] {
        let line = stand.reload(text);
        assert_eq!(line["level"], "ERROR", "{line}");
        let error = line["error"].as_str().expect("there is a reason");
        assert!(error.contains(hint), "{hint} is missing: {error}");
        assert!(stand.is_precise().await, "as before");
    }
    assert_eq!(stand.reload(good)["changed"], "");
    fs::remove_file(&stand.file).expect("it is there");
    assert_eq!(stand.hang_up()["level"], "ERROR");
}

#[tokio::test]
async fn the_metrics_say_how_the_last_reload_went() {
    let stand = Stand::start("", &[("BOLTGATE_ADMIN__LISTEN", Path::new("127.0.0.1:0"))]);
    let successful = async || {
        let answer = request(&stand.process.admin_address(), "GET", "/metrics", &[], b"").await;
        Exposition::parse(&answer.text()).value("boltgate_config_last_reload_successful", &[])
    };
    assert_eq!(successful().await, 1.0);
    stand.reload("[http");
    assert_eq!(successful().await, 0.0);
    stand.reload("");
    assert_eq!(successful().await, 1.0);
}

#[tokio::test]
async fn names_what_needs_a_start() {
    let stand = Stand::start("", &[]);
    let text = "[database]\nmax_connections = 120\n[server]\nmax_connections = 7\n[log]\nslow_query = '1s'";
    assert_eq!(stand.reload(text)["changed"], "log.slow_query");
    let line = stand.process.wait_for_line("wait for the next start");
    let line: Value = serde_json::from_str(&line).expect("the log is JSON");
    assert_eq!(
        (&line["level"], &line["settings"]),
        (&json!("WARN"), &json!("server.max_connections, database.max_connections"))
    );
    let error = stand.reload("[database]\nmax_connections = 120\n[transactions]\nmax = 110")["error"].clone();
    assert!(error.as_str().is_some_and(|error| error.contains("until the next start")), "{error}");
}

#[tokio::test]
async fn reads_files_of_secrets_again() {
    let folder = tempfile::tempdir().expect("there is room for a file");
    let secret = folder.path().join("password");
    fs::write(&secret, "hunter2\n").expect("there is room for a file");
    let text = "[auth]\nanonymous = 'service'\n[auth.service_account]\nuser = 'gateway'\n";
    let stand = Stand::start(text, &[("BOLTGATE_AUTH__SERVICE_ACCOUNT__PASSWORD_FILE", &secret)]);
    assert_eq!(stand.hang_up()["changed"], "");
    fs::write(&secret, "hunter3\n").expect("there is room for a file");
    assert_eq!(stand.hang_up()["changed"], "auth.service_account.password");
    assert!(!stand.process.log().concat().contains("hunter"));
}

#[tokio::test]
async fn changes_the_log() {
    let stand = Stand::start("[log]\nfilter = 'info,boltgate::http=error'", &[]);
    let missing = || async { request(&stand.process.address(), "GET", "/nowhere", &[], b"").await.status };
    assert_eq!(missing().await, 404);
    stand.reload("");
    assert_eq!(missing().await, 404);
    stand.process.wait_for_line("/nowhere");
    assert_eq!(stand.process.log().iter().filter(|line| line.contains("/nowhere")).count(), 1);
}
