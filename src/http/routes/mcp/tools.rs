//! The tools: their names, what they say of themselves, and the schemas of what goes in and comes out.

use std::sync::Arc;

use rmcp::model::{JsonObject, Tool, ToolAnnotations};
use serde_json::{Value, json};

use super::arguments::{LARGEST_SAMPLE, ROWS, SAMPLE};
use crate::http::McpSettings;

/// The tools that the gateway has itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    GetSchema,
    ReadCypher,
    WriteCypher,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::GetSchema => "get_schema",
            Self::ReadCypher => "read_cypher",
            Self::WriteCypher => "write_cypher",
        }
    }
}

/// The tools on offer, in their order.
pub(super) struct Toolbox(Vec<(Kind, Tool)>);

impl Toolbox {
    pub(super) fn new(settings: &McpSettings) -> Self {
        let writes = settings.write.then_some(Kind::WriteCypher);
        let kinds = [Kind::GetSchema, Kind::ReadCypher].into_iter().chain(writes);
        Self(kinds.map(|kind| (kind, describe(kind, settings))).collect())
    }

    pub(super) fn find(&self, name: &str) -> Option<&(Kind, Tool)> {
        self.0.iter().find(|(_, tool)| tool.name == name)
    }

    pub(super) fn list(&self) -> Vec<Tool> {
        self.0.iter().map(|(_, tool)| tool.clone()).collect()
    }
}

fn describe(kind: Kind, settings: &McpSettings) -> Tool {
    let (title, description) = match kind {
        Kind::GetSchema => (
            "Get the schema of a graph",
            "Shows what is in the graph database: node labels and relationship types with their properties and the types \
             of those, which labels a relationship type connects, and the indexes. Properties come from a sample. Use it \
             before you write Cypher."
                .to_owned(),
        ),
        Kind::ReadCypher => (
            "Read from a graph with Cypher",
            format!(
                "Runs one Cypher statement that only reads, in a transaction that is rolled back, and returns its first \
                 rows. Pass values as `parameters`, not in the text. Results are cut off after `limit` rows ({ROWS} by \
                 default) and after {} bytes; then `truncated` is true: aggregate, or return fewer properties.",
                settings.max_bytes
            ),
        ),
        Kind::WriteCypher => (
            "Change a graph with Cypher",
            "Runs one Cypher statement that may create, change and delete data, and commits it. Returns its first rows and \
             the number of changes. Pass values as `parameters`, not in the text."
                .to_owned(),
        ),
    };
    let (input, output) = match kind {
        Kind::GetSchema => (schema_input(), schema_output()),
        Kind::ReadCypher => (cypher_input(settings), cypher_output(false)),
        Kind::WriteCypher => (cypher_input(settings), cypher_output(true)),
    };
    let named = Tool::new(kind.name(), description, object(input));
    complete(named, title, output, kind != Kind::WriteCypher)
}

/// A tool with all that clients look for. `reads` says that it changes nothing.
pub(super) fn complete(mut tool: Tool, title: &str, output: Value, reads: bool) -> Tool {
    let annotations = ToolAnnotations::with_title(title).read_only(reads).destructive(!reads).open_world(false);
    tool.title = Some(title.to_owned());
    tool.output_schema = Some(object(output));
    tool.annotations = Some(annotations);
    tool
}

pub(super) fn object(schema: Value) -> Arc<JsonObject> {
    match schema {
        Value::Object(object) => Arc::new(object),
        _ => Arc::default(),
    }
}

fn database() -> Value {
    json!({"type": "string", "minLength": 1, "description": "The database. By default, the user's own."})
}

fn schema_input() -> Value {
    json!({
        "type": "object",
        "properties": {
            "database": database(),
            "sample": {
                "type": "integer", "minimum": 1, "maximum": LARGEST_SAMPLE, "default": SAMPLE,
                "description": "The number of nodes, and of relationships, that are examined for their properties, \
                                over all labels and types together.",
            },
        },
        "additionalProperties": false,
    })
}

fn cypher_input(settings: &McpSettings) -> Value {
    json!({
        "type": "object",
        "properties": {
            "query": {"type": "string", "minLength": 1, "description": "One Cypher statement."},
            "parameters": {
                "type": "object",
                "description": "The values of the statement's $parameters, by name. Integers have at most 64 bits.",
            },
            "database": database(),
            "limit": {
                "type": "integer", "minimum": 1, "maximum": settings.max_rows, "default": ROWS.min(settings.max_rows),
                "description": "The maximum number of rows to return.",
            },
        },
        "required": ["query"],
        "additionalProperties": false,
    })
}

fn properties() -> Value {
    json!({
        "type": "array",
        "items": {
            "type": "object",
            "properties": {"name": {"type": "string"}, "types": {"type": "array", "items": {"type": "string"}}},
            "required": ["name", "types"],
        },
    })
}

fn schema_output() -> Value {
    let names = json!({"type": "array", "items": {"type": "string"}});
    json!({
        "type": "object",
        "properties": {
            "database": {"type": ["string", "null"]},
            "nodeLabels": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "label": {"type": "string"}, "count": {"type": "integer"}, "properties": properties(),
                    },
                    "required": ["label", "properties"],
                },
            },
            "relationshipTypes": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "type": {"type": "string"}, "from": names, "to": names, "properties": properties(),
                    },
                    "required": ["type", "from", "to", "properties"],
                },
            },
            "indexes": {"type": "array", "items": {"type": "object"}},
            "truncated": {"type": "boolean"},
        },
        "required": ["database", "nodeLabels", "relationshipTypes", "indexes", "truncated"],
    })
}

fn cypher_output(counts: bool) -> Value {
    let mut output = rows_output();
    if let Some(Value::Object(properties)) = output.get_mut("properties") {
        properties.insert("notifications".to_owned(), json!({"type": "array", "items": {"type": "object"}}));
        if counts {
            properties.insert("counters".to_owned(), json!({"type": "object"}));
        }
    }
    output
}

/// The schema of rows.
pub(super) fn rows_output() -> Value {
    json!({
        "type": "object",
        "properties": {
            "columns": {"type": "array", "items": {"type": "string"}},
            "rows": {"type": "array", "items": {"type": "object"}},
            "rowCount": {"type": "integer", "description": "The number of rows in `rows`."},
            "truncated": {"type": "boolean", "description": "Whether the result has more rows."},
        },
        "required": ["columns", "rows", "rowCount", "truncated"],
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::Denied;

    fn tools(write: bool) -> Vec<Tool> {
        Toolbox::new(&McpSettings { write, max_rows: 50, max_bytes: 1000, denied: Denied::default() }).list()
    }

    #[test]
    fn writing_is_offered_only_where_it_is_allowed() {
        let names = |tools: &[Tool]| tools.iter().map(|tool| tool.name.to_string()).collect::<Vec<_>>();
        assert_eq!(names(&tools(false)), ["get_schema", "read_cypher"]);
        assert_eq!(names(&tools(true)), crate::named::TOOLS, "no named query has one of these names");
    }

    #[test]
    fn every_tool_says_all_that_clients_look_for() {
        for tool in tools(true) {
            let writes = tool.name == "write_cypher";
            let annotations = tool.annotations.unwrap();
            assert_eq!(annotations.read_only_hint, Some(!writes));
            assert_eq!(annotations.destructive_hint, Some(writes));
            assert_eq!(annotations.open_world_hint, Some(false));
            assert!(tool.title.is_some() && tool.description.is_some(), "{}", tool.name);
            assert_eq!(tool.input_schema["additionalProperties"], false);
            assert!(tool.input_schema["properties"].is_object());
            assert_eq!(tool.output_schema.unwrap()["type"], "object");
        }
        assert_eq!(tools(false)[1].input_schema["properties"]["limit"]["maximum"], 50);
        assert_eq!(tools(false)[1].input_schema["properties"]["limit"]["default"], 50);
    }
}
