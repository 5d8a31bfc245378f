//! Case files: owns their format and turns each into plain requests. Knows no server.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::support::json::Json;

/// The path every `at` and every step without `path` hangs below.
const QUERY_PATH: &str = "/db/neo4j/query/v2";

const CASE_KEYS: &[&str] = &["name", "server", "setup", "teardown", "deviations", "each", "formats", "steps"];
const STEP_KEYS: &[&str] = &[
    "method",
    "at",
    "path",
    "headers",
    "type",
    "accept",
    "user",
    "statement",
    "body",
    "bodyText",
    "bodyBase64",
    "capture",
    "status",
    "contains",
    "compareHeaders",
    "meanwhile",
    "when",
];

/// Which pair of servers a case talks to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Server {
    /// No credentials needed.
    Open,
    /// User `neo4j`, password `password1`.
    Auth,
}

/// A conversation that must go the same way on both sides.
#[derive(Debug, Clone)]
pub struct Case {
    pub name: String,
    pub server: Server,
    /// Statements run on the database itself before and after each side; `system: …` for that database.
    pub setup: Vec<String>,
    pub teardown: Vec<String>,
    pub deviations: Vec<String>,
    pub steps: Vec<Step>,
}

/// One request. `{name}` placeholders are still in path, headers and body text.
#[derive(Debug, Clone)]
pub struct Step {
    pub method: String,
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: Body,
    /// The placeholder that gets the transaction id of the answer, besides `{tx}`.
    pub capture: Option<String>,
    /// The status that the reference must give, so that a case cannot quietly miss its subject.
    pub status: u16,
    /// A text that must be in the reference's body, for the same reason.
    pub contains: Option<String>,
    pub compare_headers: Vec<String>,
    /// A request sent while this one is running, once a statement containing `when` runs.
    pub meanwhile: Option<Box<Step>>,
    pub when: Option<String>,
}

#[derive(Debug, Clone)]
pub enum Body {
    Text(String),
    Bytes(Vec<u8>),
}

/// Reads every case file of the folder, in the order of their names.
pub fn load_all(folder: &Path) -> Result<Vec<Case>, String> {
    let listing = std::fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut files: Vec<_> = listing.flatten().map(|entry| entry.path()).collect();
    files.retain(|file| file.extension().is_some_and(|e| e == "json") && !file.ends_with("deviations.json"));
    files.sort();
    let mut cases = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).map_err(|e| format!("{}: {e}", file.display()))?;
        let stem = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        cases.extend(load(&stem, &text).map_err(|error| format!("{}: {error}", file.display()))?);
    }
    Ok(cases)
}

/// Reads one case file.
pub fn load(stem: &str, text: &str) -> Result<Vec<Case>, String> {
    let document = Json::parse(text)?;
    let templates = document.get("cases").ok_or("the member \"cases\" is missing")?;
    let mut cases: Vec<Case> = Vec::new();
    for template in templates.items() {
        let name = template.get("name").and_then(Json::as_str).ok_or("a case has no name")?;
        for expanded in expand(template) {
            let case = read_case(&expanded, stem).map_err(|e| format!("case {name:?}: {e}"))?;
            if cases.iter().any(|other| other.name == case.name) {
                return Err(format!("two cases are named {:?}", case.name));
            }
            cases.push(case);
        }
    }
    Ok(cases)
}

/// One template per combination of `each` and `formats`.
fn expand(template: &Json) -> Vec<Json> {
    let mut expanded = vec![template.clone()];
    for (key, placeholder) in [("each", "{each}"), ("formats", "{format}")] {
        let Some(values) = template.get(key) else {
            continue;
        };
        expanded = expanded
            .iter()
            .flat_map(|case| {
                values.items().iter().enumerate().map(|(index, value)| {
                    let named = rename(case, key, index, value);
                    if key == "formats" { set_format(&named, value) } else { substitute(&named, placeholder, value) }
                })
            })
            .collect();
    }
    expanded
}

fn rename(case: &Json, key: &str, index: usize, value: &Json) -> Json {
    let mut label: String = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    if key == "each" {
        label = format!("{}: {}", index + 1, label.chars().take(60).collect::<String>());
    }
    let members = case.members().iter().filter(|(name, _)| name != key).map(|(name, member)| {
        let member = match member {
            Json::String(text) if name == "name" => Json::String(format!("{text} [{label}]")),
            other => other.clone(),
        };
        (name.clone(), member)
    });
    Json::Object(members.collect())
}

/// Gives every step of a case this `Accept`, unless it has its own.
fn set_format(case: &Json, format: &Json) -> Json {
    let add = |step: &Json| {
        let mut members = step.members().to_vec();
        if step.get("accept").is_none() {
            members.push(("accept".to_owned(), format.clone()));
        }
        Json::Object(members)
    };
    if case.get("steps").is_none() {
        return add(case);
    }
    let members = case.members().iter().map(|(name, member)| match name.as_str() {
        "steps" => (name.clone(), Json::Array(member.items().iter().map(add).collect())),
        _ => (name.clone(), member.clone()),
    });
    Json::Object(members.collect())
}

/// A string that is the placeholder becomes the value; inside a longer string it becomes its text.
fn substitute(template: &Json, placeholder: &str, value: &Json) -> Json {
    match template {
        Json::String(text) if text == placeholder => value.clone(),
        Json::String(text) => {
            let plain = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            Json::String(text.replace(placeholder, &plain))
        }
        Json::Array(items) => Json::Array(items.iter().map(|item| substitute(item, placeholder, value)).collect()),
        Json::Object(members) => {
            let members = members.iter();
            Json::Object(members.map(|(k, v)| (k.clone(), substitute(v, placeholder, value))).collect())
        }
        other => other.clone(),
    }
}

fn read_case(template: &Json, stem: &str) -> Result<Case, String> {
    let inline = template.get("steps").is_none();
    for (key, _) in template.members() {
        let key = key.as_str();
        let known = CASE_KEYS.contains(&key) || (inline && STEP_KEYS.contains(&key));
        if !known {
            return Err(format!("unknown member {key:?}"));
        }
    }
    let server = match template.get("server").map(Json::as_str) {
        None => Server::Open,
        Some(Some("auth")) => Server::Auth,
        Some(other) => return Err(format!("unknown server {other:?}")),
    };
    let steps = match template.get("steps") {
        None => vec![read_step(template, server)?],
        Some(steps) => steps
            .items()
            .iter()
            .map(|step| match step.members().iter().find(|(k, _)| !STEP_KEYS.contains(&k.as_str())) {
                Some((key, _)) => Err(format!("unknown member {key:?} in a step")),
                None => read_step(step, server),
            })
            .collect::<Result<_, _>>()?,
    };
    let name = template.get("name").and_then(Json::as_str).unwrap_or_default();
    Ok(Case {
        name: format!("{stem}/{name}"),
        server,
        setup: strings(template, "setup")?,
        teardown: strings(template, "teardown")?,
        deviations: strings(template, "deviations")?,
        steps,
    })
}

fn read_step(step: &Json, server: Server) -> Result<Step, String> {
    let method = text(step, "method")?.unwrap_or("POST").to_owned();
    let path = match (text(step, "path")?, text(step, "at")?) {
        (Some(path), None) => path.to_owned(),
        (None, Some(at)) => format!("{QUERY_PATH}/{at}"),
        (None, None) => QUERY_PATH.to_owned(),
        (Some(_), Some(_)) => return Err("a step has both \"path\" and \"at\"".to_owned()),
    };
    let meanwhile = match step.get("meanwhile") {
        Some(other) => Some(Box::new(read_step(other, server)?)),
        None => None,
    };
    Ok(Step {
        headers: read_headers(step, &method, server)?,
        body: read_body(step)?,
        capture: text(step, "capture")?.map(str::to_owned),
        status: match step.get("status") {
            Some(Json::Number(status)) => status.parse().map_err(|_| "a bad status".to_owned())?,
            Some(_) => return Err("\"status\" is not a number".to_owned()),
            None => 202,
        },
        contains: text(step, "contains")?.map(str::to_owned),
        compare_headers: strings(step, "compareHeaders")?,
        when: text(step, "when")?.map(str::to_owned),
        method,
        path,
        meanwhile,
    })
}

fn read_headers(step: &Json, method: &str, server: Server) -> Result<Vec<(String, String)>, String> {
    let mut headers = Vec::new();
    let accept = text(step, "accept")?.unwrap_or("json");
    headers.push(("Accept".to_owned(), media_type(accept)));
    if method == "POST" || step.get("type").is_some() {
        headers.push(("Content-Type".to_owned(), media_type(text(step, "type")?.unwrap_or("json"))));
    }
    let user = match step.get("user") {
        None if server == Server::Auth => Some("neo4j:password1"),
        None | Some(Json::Null) => None,
        Some(user) => Some(user.as_str().ok_or("\"user\" is not a string")?),
    };
    if let Some(user) = user {
        headers.push(("Authorization".to_owned(), format!("Basic {{base64 {user}}}")));
    }
    let given = step.get("headers").map(Json::members).unwrap_or_default();
    headers.retain(|(name, _)| !given.iter().any(|(other, _)| other.eq_ignore_ascii_case(name)));
    for (name, value) in given {
        match value {
            Json::Null => {}
            Json::String(value) => headers.push((name.clone(), value.clone())),
            _ => return Err(format!("the header {name} is neither a string nor null")),
        }
    }
    Ok(headers)
}

/// `json` and `jsonl` stand for `application/…`, `query…` for Neo4j's own types.
fn media_type(short: &str) -> String {
    match short {
        "json" | "jsonl" => format!("application/{short}"),
        _ if short.starts_with("query") && !short.contains(',') => {
            format!("application/vnd.neo4j.{short}")
        }
        _ => short.to_owned(),
    }
}

fn read_body(step: &Json) -> Result<Body, String> {
    let forms = ["statement", "body", "bodyText", "bodyBase64"];
    let mut given = forms.into_iter().filter_map(|form| Some((form, step.get(form)?)));
    let Some((form, value)) = given.next() else {
        return Ok(Body::Text(String::new()));
    };
    if let Some((other, _)) = given.next() {
        return Err(format!("a step has both {form:?} and {other:?}"));
    }
    Ok(match (form, value) {
        ("body", value) => Body::Text(value.to_string()),
        ("statement", value) => Body::Text(Json::Object(vec![("statement".to_owned(), value.clone())]).to_string()),
        ("bodyText", Json::String(text)) => Body::Text(text.clone()),
        ("bodyBase64", Json::String(text)) => {
            Body::Bytes(STANDARD.decode(text).map_err(|e| format!("bodyBase64: {e}"))?)
        }
        _ => return Err(format!("{form:?} is not a string")),
    })
}

fn text<'a>(object: &'a Json, key: &str) -> Result<Option<&'a str>, String> {
    match object.get(key) {
        None => Ok(None),
        Some(Json::String(text)) => Ok(Some(text)),
        Some(_) => Err(format!("{key:?} is not a string")),
    }
}

fn strings(object: &Json, key: &str) -> Result<Vec<String>, String> {
    let items = object.get(key).map(Json::items).unwrap_or_default().iter();
    items
        .map(|item| item.as_str().map(str::to_owned))
        .collect::<Option<_>>()
        .ok_or_else(|| format!("{key:?} is not a list of strings"))
}
