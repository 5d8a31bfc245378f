//! One answer in comparable form: owns the list of what may differ between two runs of the same
//! request (identifiers, times, memory figures) and replaces exactly that by placeholders.
//!
//! Promises to keep everything else: key order of the API's own objects, number spelling, presence
//! and JSON type of what it replaces. A replaced value of the wrong shape is left as it is.

use crate::support::{http::Response, json::Json};

/// The comparable form of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub content_type: Option<String>,
    /// Further headers that the step wants compared.
    pub headers: Vec<(String, Option<String>)>,
    pub body: Content,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// One JSON document.
    Document(Json),
    /// JSON Lines, one event each.
    Lines(Vec<Json>),
    /// Anything that is not JSON by its Content-Type, or that is not JSON although it says so.
    Text(String),
}

/// What a side calls things that the other side must call differently.
#[derive(Debug, Default)]
pub struct Names {
    /// `host:port` of the side.
    pub host: String,
    /// Transaction ids seen so far, with the name of their placeholder.
    pub transactions: Vec<(String, String)>,
    /// Which side it is, as it went into `{side}` placeholders.
    pub side: String,
}

/// Builds the comparable form.
pub fn normalise(response: &Response, headers: &[String], names: &Names) -> Answer {
    let content_type = response.header("Content-Type").map(str::to_owned);
    let kind = content_type.as_deref().unwrap_or_default().to_ascii_lowercase();
    let text = response.text();
    let mut masks = Masks { names, elements: Vec::new() };
    let body = if kind.contains("jsonl") {
        masks.lines(&text)
    } else if kind.contains("json") || kind.contains("vnd.neo4j") {
        Json::parse(&text).map(|json| Content::Document(masks.document(&without_own_note(&json))))
    } else {
        Ok(Content::Text(masks.text(&text)))
    };
    let headers = headers.iter().map(|name| (name.clone(), response.header(name).map(|value| masks.text(value))));
    Answer {
        status: response.status,
        content_type,
        headers: headers.collect(),
        body: body.unwrap_or_else(|reason| Content::Text(format!("{reason}; the body is: {text}"))),
    }
}

struct Masks<'a> {
    names: &'a Names,
    /// Element ids in the order of their first appearance.
    elements: Vec<String>,
}

impl Masks<'_> {
    fn lines(&mut self, text: &str) -> Result<Content, String> {
        let complete = text.strip_suffix('\n').ok_or("the last event has no line end")?;
        let mut events = Vec::new();
        for line in complete.split('\n') {
            let event = Json::parse(line.strip_prefix(' ').unwrap_or(line))?;
            let kind = event.get("$event").and_then(Json::as_str).unwrap_or_default().to_owned();
            events.push(self.members(&event, |masks, key, value| match (key, kind.as_str()) {
                ("_body", "Record") => masks.row(value),
                ("_body", "Error") => masks.errors(value),
                ("_body", _) => masks.document(value),
                _ => value.clone(),
            }));
        }
        Ok(Content::Lines(events))
    }

    /// A top-level object of the API, or the body of a Summary.
    fn document(&mut self, document: &Json) -> Json {
        self.members(document, |masks, key, value| match key {
            "data" => masks.members(value, |masks, key, value| match key {
                "values" => masks.rows(value),
                _ => value.clone(),
            }),
            "bookmarks" | "lastBookmarks" => each(value, bookmark),
            "resultAvailableAfter" | "resultConsumedAfter" => whole_number(value, "<milliseconds>"),
            "transaction" => masks.members(value, |_, key, value| match key {
                "id" => non_empty(value, "<transaction>"),
                _ => instant(value),
            }),
            "queryPlan" => masks.plan(value, false),
            "profiledQueryPlan" => masks.plan(value, true),
            "errors" => masks.errors(value),
            "results" => each(value, |result| masks.older_result(result)),
            "bolt_routing" | "bolt_direct" => bolt_address(value),
            "neo4j_version" | "neo4j_edition" => non_empty(value, "<server>"),
            _ => masks.masked(value),
        })
    }

    fn members(&mut self, object: &Json, mut change: impl FnMut(&mut Self, &str, &Json) -> Json) -> Json {
        match object {
            Json::Object(members) => {
                Json::Object(members.iter().map(|(key, value)| (key.clone(), change(self, key, value))).collect())
            }
            other => self.masked(other),
        }
    }

    fn errors(&mut self, errors: &Json) -> Json {
        each(errors, |error| self.members(error, |masks, _, value| masks.masked(value)))
    }

    fn rows(&mut self, rows: &Json) -> Json {
        each(rows, |row| self.row(row))
    }

    fn row(&mut self, row: &Json) -> Json {
        each(row, |value| self.value(value))
    }

    /// A value of the database, plain or typed: keys of its maps are sorted, element ids numbered.
    fn value(&mut self, value: &Json) -> Json {
        match value {
            Json::String(text) => self.element(text),
            Json::Array(_) => each(value, |item| self.value(item)),
            Json::Object(members) => {
                let ours = is_own_object(members);
                let changed = members.iter().map(|(key, value)| (key.clone(), self.value(value)));
                let mut changed: Vec<_> = changed.collect();
                if !ours {
                    changed.sort();
                }
                Json::Object(changed)
            }
            other => other.clone(),
        }
    }

    /// Results of the older HTTP API: numeric ids differ from run to run as well.
    fn older_result(&mut self, result: &Json) -> Json {
        match result {
            Json::Object(members) => {
                let changed = members.iter().map(|(key, value)| {
                    let value = match key.as_str() {
                        "id" | "startNode" | "endNode" => self.number_id(value),
                        "row" => self.row(value),
                        "properties" | "data" if matches!(value, Json::Object(_)) => self.value(value),
                        "Memory" | "GlobalMemory" | "Time" | "PageCacheHits" | "PageCacheMisses" => any_number(value),
                        "string-representation" => any_number(value),
                        "nodes" | "relationships" => self.older_result(&sorted_by_properties(value)),
                        _ => self.older_result(value),
                    };
                    (key.clone(), value)
                });
                let mut changed: Vec<_> = changed.collect();
                // The arguments of an operator are among its members, in the order of a hash table.
                if members.iter().any(|(key, _)| key == "operatorType") {
                    changed.sort();
                }
                Json::Object(changed)
            }
            Json::Array(_) => each(result, |item| self.older_result(item)),
            Json::String(text) if text.starts_with("http://") => Json::String(self.text(text)),
            Json::String(text) => self.element(text),
            other => other.clone(),
        }
    }

    /// A number, which a node and a relationship may share. The element ids beside it tell which is which.
    fn number_id(&self, id: &Json) -> Json {
        match id {
            Json::Number(_) => Json::Number("<id>".to_owned()),
            Json::String(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => Json::string("<id>"),
            other => other.clone(),
        }
    }

    fn element(&mut self, text: &str) -> Json {
        if is_element_id(text) {
            return Json::String(format!("<element {}>", self.ordinal(text)));
        }
        Json::string(text)
    }

    fn ordinal(&mut self, id: &str) -> usize {
        self.elements.iter().position(|known| known == id).unwrap_or_else(|| {
            self.elements.push(id.to_owned());
            self.elements.len() - 1
        })
    }

    fn plan(&mut self, plan: &Json, profiled: bool) -> Json {
        self.members(plan, |masks, key, value| match key {
            "arguments" => {
                let changed =
                    value.members().iter().map(|(key, value)| (key.clone(), masks.plan_argument(key, value, profiled)));
                let mut changed: Vec<_> = changed.collect();
                changed.sort();
                Json::Object(changed)
            }
            "children" => each(value, |child| masks.plan(child, profiled)),
            "pageCacheHits" | "pageCacheMisses" | "time" => any_number(value),
            _ => value.clone(),
        })
    }

    fn plan_argument(&mut self, key: &str, value: &Json, profiled: bool) -> Json {
        match key {
            "Memory" | "GlobalMemory" | "Time" | "PageCacheHits" | "PageCacheMisses" => any_number(value),
            // A table whose columns are as wide as the memory figures in it.
            "string-representation" if profiled => any_number(value),
            _ => self.value(value),
        }
    }

    fn masked(&mut self, value: &Json) -> Json {
        match value {
            Json::String(text) => Json::String(self.text(text)),
            other => other.clone(),
        }
    }

    /// Text with host, transaction ids, side and record numbers replaced.
    fn text(&self, text: &str) -> String {
        let mut text = text.replace(&self.names.host, "<host>");
        for (id, name) in &self.names.transactions {
            text = text.replace(id, &format!("<transaction {name}>"));
        }
        if !self.names.side.is_empty() {
            text = text.replace(&self.names.side, "<side>");
        }
        let prefixes = [
            "Node(",
            "node<",
            "Relationship(",
            "transactionId=",
            " id=",
            "ownedIndex=",
            "/tx/",
            "/node/",
            "/relationship/",
        ];
        prefixes.into_iter().fold(text, |text, prefix| mask_number_after(&text, prefix))
    }
}

/// The answer without the note with which Neo4j's older API deprecates itself.
fn without_own_note(document: &Json) -> Json {
    const NOTE: &str = "Neo.ClientNotification.Request.FeatureDeprecationWarning";
    let Json::Object(members) = document else { return document.clone() };
    let kept = members.iter().filter_map(|(key, value)| {
        let Json::Array(items) = value else { return Some((key.clone(), value.clone())) };
        let is_note = |item: &Json| item.get("code").and_then(Json::as_str) == Some(NOTE);
        let others: Vec<_> = items.iter().filter(|item| key != "notifications" || !is_note(item)).cloned().collect();
        (key != "notifications" || !others.is_empty()).then(|| (key.clone(), Json::Array(others)))
    });
    Json::Object(kept.collect())
}

/// An object of the API itself, whose key order is part of the format.
fn is_own_object(members: &[(String, Json)]) -> bool {
    const SHAPES: &[&[&str]] = &[
        &["elementId", "labels", "properties"],
        &["elementId", "startNodeElementId", "endNodeElementId", "type", "properties"],
        &["$type", "_value"],
        &["_element_id", "_labels", "_properties"],
        &["_element_id", "_start_node_element_id", "_end_node_element_id", "_type", "_properties"],
        &["coordinatesType", "coordinates"],
    ];
    SHAPES
        .iter()
        .any(|shape| shape.len() == members.len() && members.iter().all(|(key, _)| shape.contains(&key.as_str())))
}

/// The nodes and relationships of a graph in the older API come in hash order of their ids.
fn sorted_by_properties(entities: &Json) -> Json {
    let mut items = entities.items().to_vec();
    items.sort_by_key(|entity| entity.get("properties").map(Json::to_string));
    Json::Array(items)
}

/// `4:<uuid>:<number>`.
fn is_element_id(text: &str) -> bool {
    let parts: Vec<_> = text.split(':').collect();
    matches!(parts.as_slice(), [kind, database, number]
        if matches!(*kind, "4" | "5")
            && database.len() == 36
            && database.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-')
            && !number.is_empty()
            && number.bytes().all(|b| b.is_ascii_digit()))
}

fn mask_number_after(text: &str, prefix: &str) -> String {
    let mut parts = text.split(prefix);
    let mut masked = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(|c: char| c.is_ascii_digit());
        let number = if rest.len() < part.len() { "<n>" } else { "" };
        masked.push_str(&format!("{prefix}{number}{rest}"));
    }
    masked
}

fn each(array: &Json, change: impl FnMut(&Json) -> Json) -> Json {
    match array {
        Json::Array(items) => Json::Array(items.iter().map(change).collect()),
        other => other.clone(),
    }
}

fn bookmark(value: &Json) -> Json {
    match value.as_str() {
        Some(text) if text.len() > 3 && text.starts_with("FB:") => Json::string("<bookmark>"),
        _ => value.clone(),
    }
}

fn non_empty(value: &Json, placeholder: &str) -> Json {
    match value.as_str() {
        Some(text) if !text.is_empty() => Json::string(placeholder),
        _ => value.clone(),
    }
}

fn whole_number(value: &Json, placeholder: &str) -> Json {
    match value {
        Json::Number(text) if text.bytes().all(|b| b.is_ascii_digit()) => Json::string(placeholder),
        other => other.clone(),
    }
}

/// Numbers, plain or typed, and the text in their place: only the type stays.
fn any_number(value: &Json) -> Json {
    match value {
        Json::Number(_) => Json::string("<number>"),
        Json::String(_) => Json::string("<text>"),
        Json::Object(members) => {
            let members = members.iter();
            Json::Object(
                members
                    .map(|(key, value)| match key.as_str() {
                        "_value" => (key.clone(), any_number(value)),
                        _ => (key.clone(), value.clone()),
                    })
                    .collect(),
            )
        }
        other => other.clone(),
    }
}

/// `2026-09-27T14:36:50Z` or, in the older API, `Sat, 21 Nov 2026 00:31:34 GMT`.
fn instant(value: &Json) -> Json {
    let shape: String = value
        .as_str()
        .unwrap_or_default()
        .chars()
        .map(|c| {
            if c.is_ascii_digit() {
                '0'
            } else if c.is_ascii_alphabetic() {
                'a'
            } else {
                c
            }
        })
        .collect();
    match shape.as_str() {
        "0000-00-00a00:00:00a" => Json::string("<instant>"),
        "aaa, 00 aaa 0000 00:00:00 aaa" => Json::string("<older instant>"),
        _ => value.clone(),
    }
}

fn bolt_address(value: &Json) -> Json {
    match value.as_str().and_then(|text| text.split_once("://")) {
        Some((scheme, address)) if !address.is_empty() => Json::String(format!("{scheme}://<address>")),
        _ => value.clone(),
    }
}
