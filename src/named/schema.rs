//! Queries as JSON Schema: what their parameters are, and what they return.

use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};

use super::{
    parameter::{Bounds, Parameter},
    query::{Query, Shape},
    types::Type,
};

/// The schema (2020-12) of the object of all parameters, which come in the order of the file.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ParametersSchema<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(serialize_with = "in_order")]
    properties: &'a [Parameter],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    required: Vec<&'a str>,
    additional_properties: bool,
}

fn in_order<S: Serializer>(parameters: &[Parameter], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(parameters.iter().map(|parameter| (&parameter.name, parameter.schema())))
}

impl Query {
    /// The schema of the parameters.
    #[must_use]
    pub fn parameters_schema(&self) -> ParametersSchema<'_> {
        let required = self.parameters.iter().filter(|parameter| !parameter.is_optional());
        ParametersSchema {
            kind: "object",
            properties: &self.parameters,
            required: required.map(|parameter| parameter.name.as_str()).collect(),
            additional_properties: false,
        }
    }

    /// Each parameter: its name, whether it is required, its schema, and whether a query string can hold it.
    pub fn each_parameter(&self) -> impl Iterator<Item = (&str, bool, Value, bool)> {
        self.parameters.iter().map(|parameter| {
            let in_query = match &parameter.kind {
                Type::Map => false,
                Type::List(items) => !matches!(**items, Type::Map | Type::List(_)),
                _ => true,
            };
            (parameter.name.as_str(), !parameter.is_optional(), parameter.schema(), in_query)
        })
    }

    /// The schema of the answer in plain JSON; `None` if it is the document of the Query API.
    #[must_use]
    pub fn result_schema(&self) -> Option<Value> {
        let record = || {
            let columns: Map<_, _> =
                self.returns.iter().map(|(column, kind)| (column.clone(), kind.schema())).collect();
            if columns.is_empty() {
                json!({ "type": "object" })
            } else {
                json!({ "type": "object", "properties": columns })
            }
        };
        match self.result {
            Shape::Records => Some(json!({ "type": "array", "items": record() })),
            Shape::Record => Some(record()),
            Shape::Value => Some(self.returns.first().map_or_else(|| json!({}), |(_, kind)| kind.schema())),
            Shape::Document => None,
        }
    }
}

impl Parameter {
    fn schema(&self) -> Value {
        let mut schema = of_type(&self.kind, &self.bounds);
        if !self.description.is_empty() {
            insert(&mut schema, "description", json!(self.description));
        }
        if let Some(default) = &self.default {
            insert(&mut schema, "default", default.json.clone());
        }
        if let Some(example) = &self.example {
            insert(&mut schema, "examples", json!([example.json]));
        }
        if self.nullable {
            if let Some(kind) = schema.get("type").cloned() {
                insert(&mut schema, "type", json!([kind, "null"]));
            }
            if let Some(Value::Array(values)) = schema.get_mut("enum") {
                values.push(Value::Null);
            }
        }
        schema
    }
}

fn of_type(kind: &Type, bounds: &Bounds) -> Value {
    if let Type::List(items) = kind {
        let mut schema = json!({ "type": "array", "items": of_items(items, bounds) });
        for (name, value) in [("minItems", bounds.min_items), ("maxItems", bounds.max_items)] {
            if let Some(value) = value {
                insert(&mut schema, name, json!(value));
            }
        }
        return schema;
    }
    of_items(kind, bounds)
}

/// As [`of_type`], without the number of a list's items.
fn of_items(kind: &Type, bounds: &Bounds) -> Value {
    if let Type::List(items) = kind {
        return json!({ "type": "array", "items": of_items(items, bounds) });
    }
    let mut schema = match kind {
        Type::Boolean => json!({ "type": "boolean" }),
        Type::Integer => json!({ "type": "integer", "format": "int64", "minimum": i64::MIN, "maximum": i64::MAX }),
        Type::Float => json!({ "type": "number", "format": "double" }),
        Type::Date => json!({ "type": "string", "format": "date" }),
        Type::Time => json!({ "type": "string", "format": "time" }),
        Type::DateTime => json!({ "type": "string", "format": "date-time" }),
        Type::LocalTime => json!({ "type": "string", "pattern": r"^\d{2}:\d{2}(:\d{2}(\.\d{0,9})?)?$" }),
        Type::LocalDateTime => {
            json!({ "type": "string", "pattern": r"^[+-]?\d{4,9}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{0,9})?)?$" })
        }
        Type::Duration => json!({ "type": "string", "format": "duration" }),
        Type::Point => json!({ "type": "string", "pattern": r"^SRID=\d+;\s*POINT\s*Z?\s*\(.*\)$" }),
        Type::Bytes => json!({ "type": "string", "contentEncoding": "base64" }),
        Type::Map => json!({ "type": "object" }),
        Type::String | Type::List(_) => json!({ "type": "string" }),
    };
    let is_number = matches!(kind, Type::Integer | Type::Float);
    for (bound, name, of_text) in
        [(&bounds.minimum, "minimum", "formatMinimum"), (&bounds.maximum, "maximum", "formatMaximum")]
    {
        if let Some(bound) = bound {
            insert(&mut schema, if is_number { name } else { of_text }, bound.json.clone());
        }
    }
    if *kind == Type::String {
        for (length, name) in [(bounds.min_length, "minLength"), (bounds.max_length, "maxLength")] {
            if let Some(length) = length {
                insert(&mut schema, name, json!(length));
            }
        }
    }
    if let Some(pattern) = &bounds.pattern {
        insert(&mut schema, "pattern", json!(format!("^(?:{})$", pattern.text)));
    }
    if !bounds.one_of.is_empty() {
        insert(&mut schema, "enum", bounds.one_of.iter().map(|one| one.json.clone()).collect());
    }
    schema
}

fn insert(schema: &mut Value, name: &str, value: Value) {
    if let Some(object) = schema.as_object_mut() {
        object.insert(name.to_owned(), value);
    }
}
