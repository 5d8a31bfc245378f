//! The types of columns: what each is called, and how Arrow has it.

use std::{collections::HashMap, fmt, sync::Arc};

use arrow_schema::{DataType, Field, Fields, TimeUnit};

/// The number of lists that may be inside each other. A deeper list is text.
pub(super) const DEEPEST_LIST: usize = 16;

/// A column of a result, or the items of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    pub(super) kind: Type,
    /// The type of its values as typed JSON names it, or `Mixed`.
    pub(super) cypher: &'static str,
}

/// How Arrow has the values of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Type {
    /// Nothing but nulls.
    Null,
    Boolean,
    Integer,
    Float,
    String,
    Uuid,
    Bytes,
    Date,
    LocalTime,
    Time,
    /// With UTC if its values have an offset.
    Timestamp {
        unit: Unit,
        utc: bool,
    },
    /// An instant, its offset, and the name of its zone.
    Zoned(Unit),
    Duration,
    Point,
    Vector(Vector),
    Node,
    Relationship,
    Path,
    /// Plain JSON as text. Takes any value.
    Json,
    List(Box<Column>),
}

/// What an instant is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Micro,
    Nano,
}

/// The type of vectors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Vector {
    /// The name of the coordinates' type.
    pub(super) coordinates: &'static str,
    /// The number of coordinates, if it is the same for all and not zero.
    pub(super) length: Option<usize>,
}

impl Column {
    pub(super) fn new(kind: Type, cypher: &'static str) -> Self {
        Self { kind, cypher }
    }

    /// A column of JSON text, whose values have this type.
    pub(super) fn json(cypher: &'static str) -> Self {
        Self::new(Type::Json, cypher)
    }

    /// The field of the schema for a column of this name.
    pub(super) fn field(&self, name: &str) -> Field {
        let encoding = (self.kind == Type::Json).then_some("json");
        field(name, self.kind.data_type(), self.cypher, encoding)
    }
}

impl Type {
    fn data_type(&self) -> DataType {
        match self {
            Self::Null => DataType::Null,
            Self::Boolean => DataType::Boolean,
            Self::Integer => DataType::Int64,
            Self::Float => DataType::Float64,
            Self::String | Self::Uuid | Self::Json => DataType::Utf8,
            Self::Bytes => DataType::Binary,
            Self::Date => DataType::Date32,
            Self::LocalTime => TIME,
            Self::Time => {
                structure([field("time", TIME, "LocalTime", None), field("offset", DataType::Int32, "Integer", None)])
            }
            Self::Timestamp { unit, utc } => unit.timestamp(*utc),
            Self::Zoned(unit) => structure([
                field("instant", unit.timestamp(true), "OffsetDateTime", None),
                field("offset", DataType::Int32, "Integer", None),
                field("zone", DataType::Utf8, "String", None),
            ]),
            Self::Duration => structure([
                field("months", DataType::Int64, "Integer", None),
                field("days", DataType::Int64, "Integer", None),
                field("seconds", DataType::Int64, "Integer", None),
                field("nanoseconds", DataType::Int32, "Integer", None),
            ]),
            Self::Point => structure([
                field("srid", DataType::Int32, "Integer", None),
                field("x", DataType::Float64, "Float", None),
                field("y", DataType::Float64, "Float", None),
                field("z", DataType::Float64, "Float", None),
            ]),
            Self::Vector(vector) => vector.data_type(),
            Self::Node => structure([
                field("elementId", DataType::Utf8, "String", None),
                field("labels", list(field("item", DataType::Utf8, "String", None)), "List", None),
                field("properties", DataType::Utf8, "Map", Some("json")),
            ]),
            Self::Relationship => structure([
                field("elementId", DataType::Utf8, "String", None),
                field("startNodeElementId", DataType::Utf8, "String", None),
                field("endNodeElementId", DataType::Utf8, "String", None),
                field("type", DataType::Utf8, "String", None),
                field("properties", DataType::Utf8, "Map", Some("json")),
            ]),
            Self::Path => structure([
                field("nodes", list(field("item", Self::Node.data_type(), "Node", None)), "List", None),
                field(
                    "relationships",
                    list(field("item", Self::Relationship.data_type(), "Relationship", None)),
                    "List",
                    None,
                ),
            ]),
            Self::List(items) => list(items.field("item")),
        }
    }
}

const TIME: DataType = DataType::Time64(TimeUnit::Nanosecond);

impl Unit {
    fn timestamp(self, utc: bool) -> DataType {
        let unit = match self {
            Self::Micro => TimeUnit::Microsecond,
            Self::Nano => TimeUnit::Nanosecond,
        };
        DataType::Timestamp(unit, utc.then(|| Arc::from("UTC")))
    }
}

impl Vector {
    fn data_type(self) -> DataType {
        let (coordinate, cypher) = match self.coordinates {
            "INT8" => (DataType::Int8, "Integer"),
            "INT16" => (DataType::Int16, "Integer"),
            "INT32" => (DataType::Int32, "Integer"),
            "INT64" => (DataType::Int64, "Integer"),
            "FLOAT32" => (DataType::Float32, "Float"),
            _ => (DataType::Float64, "Float"),
        };
        let item = field("item", coordinate, cypher, None);
        match self.length.and_then(|length| i32::try_from(length).ok()) {
            Some(length) => DataType::FixedSizeList(Arc::new(item), length),
            None => list(item),
        }
    }
}

/// A field with what tells readers of its Cypher type.
fn field(name: &str, data_type: DataType, cypher: &str, encoding: Option<&str>) -> Field {
    let mut metadata = HashMap::from([("boltgate:type".to_owned(), cypher.to_owned())]);
    if let Some(encoding) = encoding {
        metadata.insert("boltgate:encoding".to_owned(), encoding.to_owned());
    }
    Field::new(name, data_type, true).with_metadata(metadata)
}

fn structure<const N: usize>(fields: [Field; N]) -> DataType {
    DataType::Struct(Fields::from(fields.to_vec()))
}

fn list(item: Field) -> DataType {
    DataType::List(Arc::new(item))
}

/// As a request names the type; what cannot be asked for has the name that is closest.
impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Null => "null",
            Self::Boolean => "bool",
            Self::Integer => "int64",
            Self::Float => "float64",
            Self::String => "string",
            Self::Uuid => "uuid",
            Self::Bytes => "binary",
            Self::Date => "date",
            Self::LocalTime => "localtime",
            Self::Time => "time",
            Self::Timestamp { unit: Unit::Micro, .. } => "timestamp[us]",
            Self::Timestamp { unit: Unit::Nano, .. } => "timestamp[ns]",
            Self::Zoned(_) => "zoned",
            Self::Duration => "duration",
            Self::Point => "point",
            Self::Vector(_) => "vector",
            Self::Node => "node",
            Self::Relationship => "relationship",
            Self::Path => "path",
            Self::Json => "json",
            Self::List(items) => return write!(f, "list<{}>", items.kind),
        })
    }
}
