//! PackStream values as a plain tree, for the test side of a Bolt connection.
//!
//! Owns: building, comparing and looking into values; structures are left untyped.
//! May not know: messages, chunks, sockets, or anything of the crate under test.

pub use super::packstream::{DecodeError, Rules};

/// One PackStream value. Maps keep their order and may hold duplicate keys, as the wire may.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Str(String),
    Bytes(Vec<u8>),
    List(Vec<Value>),
    Map(Vec<(String, Value)>),
    Struct {
        tag: u8,
        fields: Vec<Value>,
    },
    /// Marker `E0` (Bolt 6.1).
    Uuid([u8; 16]),
    /// Bytes put on the wire as they are; never produced by decoding. For values no encoder makes.
    Raw(Vec<u8>),
}

/// A value from anything that converts into one: `v(1)`, `v("x")`, `v(vec![v(1)])`.
pub fn v(value: impl Into<Value>) -> Value {
    value.into()
}

/// A map in the given order: `map([("n", v(-1))])`.
pub fn map<const N: usize>(pairs: [(&str, Value); N]) -> Value {
    Value::Map(pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

/// A list: `list([v(1), v("two")])`.
pub fn list<const N: usize>(values: [Value; N]) -> Value {
    Value::List(values.into())
}

/// A list of strings.
pub fn strings<S: AsRef<str>>(values: &[S]) -> Value {
    Value::List(values.iter().map(|s| v(s.as_ref())).collect())
}

/// A structure: `structure(b'D', [v(16_000)])`.
pub fn structure<const N: usize>(tag: u8, fields: [Value; N]) -> Value {
    Value::Struct { tag, fields: fields.into() }
}

/// Bytes from hex; spaces and `|` are separators, `"text"` stands for its UTF-8 bytes.
///
/// # Panics
/// On anything else: vectors are written by hand, and a typing error must not go unnoticed.
pub fn hex(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut digits = String::new();
    for (i, part) in text.split('"').enumerate() {
        if i % 2 == 1 {
            out.extend_from_slice(part.as_bytes());
            continue;
        }
        digits.clear();
        digits.extend(part.chars().filter(|c| !c.is_whitespace() && *c != '|'));
        assert!(digits.len().is_multiple_of(2), "odd number of hex digits in {part:?}");
        for at in (0..digits.len()).step_by(2) {
            let byte = u8::from_str_radix(&digits[at..at + 2], 16);
            out.push(byte.unwrap_or_else(|_| panic!("not hex: {:?}", &digits[at..at + 2])));
        }
    }
    out
}

/// Upper-case hex, two digits a byte, shortened beyond `limit` bytes.
pub fn show_hex(bytes: &[u8], limit: usize) -> String {
    let mut out: String = bytes.iter().take(limit).map(|b| format!("{b:02X}")).collect();
    if bytes.len() > limit {
        out.push_str(&format!("… ({} bytes)", bytes.len()));
    }
    out
}

macro_rules! from {
    ($($source:ty => $make:expr),* $(,)?) => {
        $(impl From<$source> for Value {
            fn from(value: $source) -> Self {
                let make: fn($source) -> Value = $make;
                make(value)
            }
        })*
    };
}

from! {
    bool => Value::Bool,
    i64 => Value::Int,
    i32 => |i| Value::Int(i64::from(i)),
    u16 => |i| Value::Int(i64::from(i)),
    u32 => |i| Value::Int(i64::from(i)),
    f64 => Value::Float,
    &str => |s| Value::Str(s.to_owned()),
    String => Value::Str,
    Vec<Value> => Value::List,
    Vec<u8> => Value::Bytes,
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Value::Null, Into::into)
    }
}

impl Value {
    /// The value under `key`, if this is a map that has it (the last one, on duplicates).
    pub fn get(&self, key: &str) -> Option<&Value> {
        match self {
            Value::Map(pairs) => pairs.iter().rev().find(|(k, _)| k == key).map(|(_, v)| v),
            _ => None,
        }
    }

    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::Str(s) => Some(s),
            _ => None,
        }
    }

    pub fn as_int(&self) -> Option<i64> {
        match self {
            Value::Int(i) => Some(*i),
            _ => None,
        }
    }

    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Value::Bool(b) => Some(*b),
            _ => None,
        }
    }

    pub fn as_list(&self) -> Option<&[Value]> {
        match self {
            Value::List(values) => Some(values),
            _ => None,
        }
    }

    pub fn as_map(&self) -> Option<&[(String, Value)]> {
        match self {
            Value::Map(pairs) => Some(pairs),
            _ => None,
        }
    }

    /// Adds `key` to a map; does nothing to other values.
    pub fn put(&mut self, key: &str, value: impl Into<Value>) {
        if let Value::Map(pairs) = self {
            pairs.push((key.to_owned(), value.into()));
        }
    }

    /// The same map with `key` added: `success([]).with("fields", strings(&["x"]))`.
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Value {
        self.put(key, value);
        self
    }

    /// Sorts the keys of every map in it bytewise, as `std::map` would.
    pub fn sort_keys(&mut self) {
        match self {
            Value::Map(pairs) => {
                pairs.sort_by(|a, b| a.0.as_bytes().cmp(b.0.as_bytes()));
                pairs.iter_mut().for_each(|(_, value)| value.sort_keys());
            }
            Value::List(values) | Value::Struct { fields: values, .. } => {
                values.iter_mut().for_each(Value::sort_keys);
            }
            _ => {}
        }
    }

    /// Equal, the order of map keys aside and floats by their bits (so NaN equals itself).
    pub fn same(&self, other: &Value) -> bool {
        let (mut a, mut b) = (self.clone(), other.clone());
        a.sort_keys();
        b.sort_keys();
        a.encode() == b.encode()
    }
}
