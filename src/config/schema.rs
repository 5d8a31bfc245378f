//! Owns the JSON Schema of the configuration file.
//!
//! Promises what the parser promises of a single value: its type, its bounds, its form. A schema cannot say which
//! values contradict each other.

use serde_json::{Map, Value, json};
use toml::Table;

use super::{
    catalogue::{Key, Kind, find},
    entry::json,
    example::descriptions,
    keys::{ANY, MAX_NAME, NAME_FORM, join},
    settings::Settings,
};

/// The JSON Schema (2020-12) of the configuration file: every key with its default, its description and its values.
pub fn schema() -> Value {
    let descriptions = descriptions();
    let describe = |name: &str| descriptions.get(name).cloned().unwrap_or_default();
    let mut schema = section("", &Settings::known(), &describe);
    schema.insert("$schema".to_owned(), "https://json-schema.org/draft/2020-12/schema".into());
    schema.insert("title".to_owned(), "Boltgate".into());
    schema.insert("description".to_owned(), "The configuration file of Boltgate.".into());
    Value::Object(schema)
}

fn section(path: &str, known: &Table, describe: &impl Fn(&str) -> String) -> Map<String, Value> {
    let mut properties = Map::new();
    let mut others = Value::Bool(false);
    for (name, default) in known {
        let path = join(path, name);
        let schema = match default {
            toml::Value::Table(inner) => Value::Object(section(&path, inner, describe)),
            default => key(&path, default, describe(&path)),
        };
        if name == ANY {
            others = schema;
        } else {
            properties.insert(name.clone(), schema);
        }
    }
    let mut schema = Map::new();
    schema.insert("description".to_owned(), describe(path).into());
    schema.insert("type".to_owned(), "object".into());
    if others.is_object() {
        schema
            .insert("propertyNames".to_owned(), json!({ "pattern": NAME_FORM, "minLength": 1, "maxLength": MAX_NAME }));
    } else {
        schema.insert("properties".to_owned(), Value::Object(properties));
    }
    schema.insert("additionalProperties".to_owned(), others);
    schema
}

fn key(path: &str, default: &toml::Value, description: String) -> Value {
    let mut schema = find(path).map_or_else(Map::new, |key| values(key.kind));
    schema.insert("description".to_owned(), description.into());
    schema.insert("default".to_owned(), json(default));
    if let Some(Key { kind, reload, .. }) = find(path) {
        if kind.is_secret() {
            schema.insert("writeOnly".to_owned(), true.into());
        }
        schema.insert("x-reload".to_owned(), (*reload).into());
    }
    Value::Object(schema)
}

/// The schema of the values that a key may have.
fn values(kind: Kind) -> Map<String, Value> {
    let schema = match kind {
        Kind::Text | Kind::Secret => json!({ "type": "string" }),
        Kind::Form { form, or_empty: false } => json!({ "type": "string", "pattern": form }),
        Kind::Form { form, or_empty: true } => json!({ "type": "string", "pattern": format!("^$|{form}") }),
        Kind::Switch => json!({ "type": "boolean" }),
        Kind::Span { or_zero } => json!({ "type": "string", "pattern": number(or_zero, "(ms|s|m|h)") }),
        Kind::Size { or_zero } => {
            let text = if or_zero { format!("^0$|{}", number(false, SIZES)) } else { number(false, SIZES) };
            json!({ "type": ["string", "integer"], "pattern": text, "minimum": u8::from(!or_zero) })
        }
        Kind::Whole { least, most } => json!({ "type": "integer", "minimum": least, "maximum": most }),
        Kind::Decimal { least, most } => json!({ "type": "number", "minimum": least, "maximum": most }),
        Kind::OneOf(words) => json!({ "enum": words }),
        Kind::List(of) => json!({ "type": "array", "items": values(*of) }),
    };
    match schema {
        Value::Object(schema) => schema,
        _ => Map::new(),
    }
}

/// The units of sizes.
const SIZES: &str = "(KiB|MiB|GiB)?";

/// The form of a whole number with a unit.
fn number(or_zero: bool, unit: &str) -> String {
    if or_zero { format!("^[0-9]+{unit}$") } else { format!("^0*[1-9][0-9]*{unit}$") }
}
