//! docs/client-guide.md as data: sections, their requests, the answers to them.
//!
//! Promises that nothing in a section is passed over in silence: a request without an answer, an answer without a
//! request and a section that runs nowhere are errors.

use std::collections::BTreeSet;

use serde_json::{Deserializer, Value};
use toml::Table;

const DOCUMENT: &str = include_str!("../../../docs/client-guide.md");
/// What the page is run against, as it calls them.
pub(crate) const MEMGRAPH: &str = "Memgraph";
pub(crate) const NEO4J: &str = "Neo4j";
pub(crate) const NEO4J_WITH_USERS: &str = "Neo4j with users";
pub(crate) const ARCADEDB: &str = "ArcadeDB";
pub(crate) const EMBEDDED: &str = "embedded";
const DATABASES: [&str; 5] = [MEMGRAPH, NEO4J, NEO4J_WITH_USERS, ARCADEDB, EMBEDDED];

/// What is under one heading.
pub(crate) struct Section {
    pub(crate) title: &'static str,
    /// The settings of its gateway, if it needs one of its own.
    pub(crate) settings: Option<Table>,
    pub(crate) steps: Vec<Step>,
    pub(crate) runs_on: Vec<&'static str>,
}

/// A block of shell, which is one request as a rule.
pub(crate) struct Step {
    pub(crate) script: &'static str,
    expected: Vec<Expected>,
}

/// What a block of shell shows.
pub(crate) struct Expected {
    /// Where; everywhere if none is named.
    databases: Vec<&'static str>,
    /// Of the last answer.
    pub(crate) status: Option<u16>,
    pub(crate) format: Format,
    pub(crate) text: &'static str,
}

/// How an answer is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Json,
    /// A document per line.
    Lines,
    /// A status line, headers, a document.
    Http,
    Text,
}

impl Format {
    fn of(language: &str) -> Option<Self> {
        match language {
            "json" => Some(Self::Json),
            "jsonl" => Some(Self::Lines),
            "http" => Some(Self::Http),
            "text" => Some(Self::Text),
            _ => None,
        }
    }
}

/// All sections, in order.
pub(crate) fn sections() -> Vec<Section> {
    let body = DOCUMENT.split_once("\n# Quickstart\n").expect("the page begins with a quick start").1;
    let found: Vec<_> = body.split("\n## ").skip(1).map(Section::parse).collect();
    let requests = DOCUMENT.lines().filter(|line| line.starts_with("```sh")).count();
    assert_eq!(found.iter().map(|section| section.steps.len()).sum::<usize>(), requests, "a request is in no section");
    let titles: BTreeSet<_> = found.iter().map(|section| section.title).collect();
    assert_eq!(titles.len(), found.len(), "two sections have the same title");
    found
}

/// The settings that the page begins with: they make its requests fit databases of other names.
pub(crate) fn settings() -> Table {
    let preamble = DOCUMENT.split_once("\n# Quickstart\n").expect("the page begins with a quick start").0;
    let settings = preamble.split_once("\n```toml\n").expect("there are settings in front").1;
    settings.split("\n```").next().unwrap_or_default().parse().expect("settings are TOML")
}

impl Section {
    fn parse(text: &'static str) -> Self {
        let (title, text) = text.split_once('\n').expect("a section has a title");
        let mut section = Self { title, settings: None, steps: Vec::new(), runs_on: Vec::new() };
        let mut announced = None;
        let mut rest = text;
        while let Some((line, after)) = rest.split_once('\n') {
            rest = after;
            if let Some(language) = line.strip_prefix("```") {
                let (block, after) = after.split_once("\n```").expect("a block ends");
                rest = after;
                section.block(language, block, announced.take());
            } else if line == "Prints nothing." {
                section.expect(Expected { databases: Vec::new(), status: None, format: Format::Text, text: "" });
            } else if let Some(found) = announcement(line) {
                announced = Some(found);
            } else if let Some(names) = line.strip_prefix("*Runs on ").and_then(|rest| rest.strip_suffix(".*")) {
                section.runs_on = names.split(", ").map(known).collect();
            }
        }
        assert!(announced.is_none(), "{title}: an answer is announced and not there");
        assert!(!section.runs_on.is_empty(), "{title}: it does not say what it runs on");
        assert!(section.steps.iter().all(|step| !step.expected.is_empty()), "{title}: a request without an answer");
        section
    }

    fn block(&mut self, language: &str, text: &'static str, announced: Option<Announced>) {
        let title = self.title;
        match (language, Format::of(language), announced) {
            ("sh", None, None) => self.steps.push(Step { script: text, expected: Vec::new() }),
            ("toml", None, None) => self.settings = Some(text.parse().expect("settings are TOML")),
            (_, Some(format), Some((status, databases))) => {
                self.expect(Expected { databases, status, format, text });
            }
            _ => panic!("{title}: a block of {language:?} has no place here:\n{text}"),
        }
    }

    fn expect(&mut self, expected: Expected) {
        self.steps.last_mut().expect("an answer is to a request").expected.push(expected);
    }

    /// Every statement that is sent, each once, in order.
    pub(crate) fn statements(&self) -> Vec<String> {
        let mut found: Vec<String> = Vec::new();
        for piece in self.steps.iter().flat_map(|step| step.script.split("\"statement\":").skip(1)) {
            let text = Deserializer::from_str(piece).into_iter::<Value>().next().expect("a statement follows");
            let text = text.expect("it is JSON").as_str().expect("it is a string").to_owned();
            if !found.contains(&text) {
                found.push(text);
            }
        }
        found
    }
}

impl Step {
    /// What this database answers.
    pub(crate) fn expected(&self, database: &str) -> &Expected {
        let named = self.expected.iter().find(|expected| expected.databases.contains(&database));
        let any = || self.expected.iter().find(|expected| expected.databases.is_empty());
        named.or_else(any).unwrap_or_else(|| panic!("no answer of {database} to:\n{}", self.script))
    }

    /// Whether it may be asked again: it sends nothing.
    pub(crate) fn only_asks(&self) -> bool {
        self.script.starts_with("curl http")
            && ![" -d", " --data", " --json", " -X"].iter().any(|flag| self.script.contains(flag))
    }
}

type Announced = (Option<u16>, Vec<&'static str>);

/// `Status 202:`, `Status 400, Neo4j, embedded:`, `Prints:`.
fn announcement(line: &'static str) -> Option<Announced> {
    if line == "Prints:" {
        return Some((None, Vec::new()));
    }
    let mut words = line.strip_prefix("Status ")?.strip_suffix(':')?.split(", ");
    let status = words.next()?.parse().expect("a status is a number");
    Some((Some(status), words.map(known).collect()))
}

fn known(name: &'static str) -> &'static str {
    assert!(DATABASES.contains(&name), "nobody knows the database {name:?}");
    name
}
