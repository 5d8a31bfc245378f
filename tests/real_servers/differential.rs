//! The same HTTP request to Neo4j's own Query API and to Boltgate in front of the same Neo4j must get
//! the same status, Content-Type and body.
//!
//! Owns the run over all case files and the report; `tests/real_servers/differential/README.md` says how to run
//! and extend it. Knows nothing of Boltgate but its base URL.

mod case;
mod compare;
mod normalise;
mod runner;
mod without_servers;

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use case::{Case, Server};
use compare::{Deviation, compare};
use normalise::normalise;
use runner::{Conversation, Side, play};

use crate::support::{
    gateway::{Gateway, start_for_with},
    servers,
};

/// Bodies are cut at this many characters in the report.
const SHOWN: usize = 2_000;

/// The two databases and the gateways in front of them.
struct Servers {
    open: [Side; 2],
    auth: [Side; 2],
    /// The gateways of this process serve until they are dropped.
    _gateways: Vec<Gateway>,
}

#[derive(Default)]
struct Report {
    cases: usize,
    steps: usize,
    mismatches: Vec<String>,
    needed: BTreeSet<Deviation>,
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_like_neo4js_own_query_api() {
    let Some(servers) = find_servers().await else {
        return;
    };
    let cases = match case::load_all(&folder()) {
        Ok(cases) => cases,
        Err(reason) => panic!("the case files are not valid: {reason}"),
    };
    let only = std::env::var("BOLTGATE_DIFFERENTIAL_ONLY").unwrap_or_default();
    let mut report = Report::default();
    for case in cases.iter().filter(|case| case.name.contains(&only)) {
        let sides = match case.server {
            Server::Open => &servers.open,
            Server::Auth => &servers.auth,
        };
        report.add(case, sides).await;
    }
    for mismatch in &report.mismatches {
        println!("{mismatch}\n");
    }
    println!(
        "differential: {} cases, {} steps compared, {} mismatches",
        report.cases,
        report.steps,
        report.mismatches.len()
    );
    let names: Vec<_> = report.needed.iter().map(|deviation| deviation.name()).collect();
    println!("differential: deviations needed: {}", names.join(", "));
    assert!(report.cases > 0, "no case has {only:?} in its name");
    assert!(report.mismatches.is_empty(), "{} mismatches, see above", report.mismatches.len());
}

impl Report {
    async fn add(&mut self, case: &Case, [reference, gateway]: &[Side; 2]) {
        self.cases += 1;
        let theirs = match play(case, reference).await {
            Ok(conversation) => conversation,
            Err(reason) => return self.fail(case, &format!("on the database: {reason}")),
        };
        let ours = match play(case, gateway).await {
            Ok(conversation) => conversation,
            Err(reason) => return self.fail(case, &format!("on the gateway: {reason}")),
        };
        let allowed: BTreeSet<_> = case.deviations.iter().filter_map(|name| Deviation::named(name)).collect();
        let used = self.compare_steps(case, &theirs, &ours, &allowed);
        // A database compared with itself needs no deviation.
        if reference.base != gateway.base {
            for stale in allowed.difference(&used) {
                let message = format!("the deviation {} no longer applies", stale.name());
                self.fail(case, &message);
            }
        }
        self.needed.extend(used);
    }

    fn compare_steps(
        &mut self,
        case: &Case,
        theirs: &Conversation,
        ours: &Conversation,
        allowed: &BTreeSet<Deviation>,
    ) -> BTreeSet<Deviation> {
        let mut used = BTreeSet::new();
        for (index, (left, right)) in theirs.exchanges.iter().zip(&ours.exchanges).enumerate() {
            self.steps += 1;
            let step = &left.step;
            let mut complaints = Vec::new();
            if left.response.status != step.status {
                complaints.push(format!("the case expects {} of the database", step.status));
            }
            if let Some(text) = step.contains.as_ref().filter(|t| !left.response.text().contains(*t)) {
                complaints.push(format!("the case expects the database to say {text:?}"));
            }
            let verdict = compare(
                &normalise(&left.response, &step.compare_headers, &theirs.names),
                &normalise(&right.response, &step.compare_headers, &ours.names),
                allowed,
            );
            complaints.extend(verdict.difference);
            used.extend(verdict.used);
            if !complaints.is_empty() {
                let mut text = format!("step {}: {}\n", index + 1, complaints.join("; "));
                let _ = writeln!(text, "  {} {}", step.method, step.path);
                for (name, value) in &step.headers {
                    let _ = writeln!(text, "  {name}: {value}");
                }
                let _ = writeln!(text, "  {}", cut(&format!("{:?}", step.body)));
                let _ = writeln!(text, "--- database: {}", cut(&left.response.to_string()));
                let _ = write!(text, "--- gateway: {}", cut(&right.response.to_string()));
                self.fail(case, &text);
            }
        }
        used
    }

    fn fail(&mut self, case: &Case, reason: &str) {
        self.mismatches.push(format!("MISMATCH {}: {reason}", case.name));
    }
}

/// The servers from the environment, or `None` with the reason printed.
async fn find_servers() -> Option<Servers> {
    let open_database = servers::variable("BOLTGATE_TEST_NEO4J_HTTP")?;
    let open_bolt = servers::variable("BOLTGATE_TEST_NEO4J_BOLT")?;
    let auth_database = servers::variable("BOLTGATE_TEST_NEO4J_AUTH_HTTP")?;
    let auth_bolt = servers::variable("BOLTGATE_TEST_NEO4J_AUTH_BOLT")?;
    let mut gateways = Vec::new();
    let open_gateway = gateway("BOLTGATE_URL", &open_bolt, &mut gateways).await;
    let auth_gateway = gateway("BOLTGATE_AUTH_URL", &auth_bolt, &mut gateways).await;
    let administrator = Some("neo4j:password1");
    Some(Servers {
        open: [side("a", &open_database, &open_database, None), side("b", &open_gateway, &open_database, None)],
        auth: [
            side("a", &auth_database, &auth_database, administrator),
            side("b", &auth_gateway, &auth_database, administrator),
        ],
        _gateways: gateways,
    })
}

/// Neo4j answers to any name, and trusts any proxy.
const SETTINGS: [(&str, &str); 2] = [("server.allowed_hosts", "*"), ("server.trusted_proxies", "0.0.0.0/0")];

/// The base URL of the gateway that the variable names, else of one started in this process.
async fn gateway(name: &str, bolt: &str, gateways: &mut Vec<Gateway>) -> String {
    if let Some(given) = std::env::var(name).ok().filter(|given| !given.is_empty()) {
        return given;
    }
    let started = start_for_with(bolt, &SETTINGS).await;
    let base = started.base_url();
    gateways.push(started);
    base
}

fn side(name: &str, base: &str, database: &str, administrator: Option<&'static str>) -> Side {
    Side {
        name: format!("_{name}{}_", std::process::id()),
        base: base.to_owned(),
        database: database.to_owned(),
        administrator,
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/real_servers/differential")
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}… ({} bytes in all)", text.get(..end).unwrap_or(text), text.len()),
        None => text.to_owned(),
    }
}
