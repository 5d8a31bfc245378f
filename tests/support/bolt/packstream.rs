//! PackStream: values to bytes and back.
//!
//! Owns: every marker; encoding takes the smallest form.
//! Promises: decoding never panics, never recurses and never allocates more than the input
//! justifies.
//! May not know: messages, chunks, sockets, or anything of the crate under test.

use std::fmt;

use super::value::Value;

/// Why bytes are not a PackStream value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DecodeError {
    /// A value, or an announced length, goes beyond the end of the input.
    Truncated,
    /// A marker with no meaning, or `DC`/`DD`, which no current peer sends.
    Reserved(u8),
    Utf8,
    KeyNotString,
    TooDeep,
    Trailing(usize),
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated => write!(f, "the value is longer than its message"),
            Self::Reserved(marker) => write!(f, "marker {marker:02X} is reserved"),
            Self::Utf8 => write!(f, "a string is not UTF-8"),
            Self::KeyNotString => write!(f, "a map key is not a string"),
            Self::TooDeep => write!(f, "values are nested too deep"),
            Self::Trailing(n) => write!(f, "{n} bytes follow the value"),
        }
    }
}

/// How forgiving decoding is; servers differ.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// Replace invalid UTF-8 by U+FFFD instead of refusing it.
    pub lossy_text: bool,
    /// Deepest nesting of lists, maps and structures.
    pub max_depth: usize,
}

impl Rules {
    pub const STRICT: Rules = Rules { lossy_text: false, max_depth: 1100 };
}

impl Value {
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.encode_into(&mut out);
        out
    }

    pub fn encode_into(&self, out: &mut Vec<u8>) {
        match self {
            Value::Null => out.push(0xC0),
            Value::Bool(b) => out.push(if *b { 0xC3 } else { 0xC2 }),
            Value::Int(i) => encode_int(*i, out),
            Value::Float(f) => {
                out.push(0xC1);
                out.extend_from_slice(&f.to_be_bytes());
            }
            Value::Str(s) => {
                encode_len(Some(0x80), [0xD0, 0xD1, 0xD2], s.len(), out);
                out.extend_from_slice(s.as_bytes());
            }
            Value::Bytes(b) => {
                encode_len(None, [0xCC, 0xCD, 0xCE], b.len(), out);
                out.extend_from_slice(b);
            }
            Value::List(values) => {
                encode_len(Some(0x90), [0xD4, 0xD5, 0xD6], values.len(), out);
                values.iter().for_each(|value| value.encode_into(out));
            }
            Value::Map(pairs) => {
                encode_len(Some(0xA0), [0xD8, 0xD9, 0xDA], pairs.len(), out);
                for (key, value) in pairs {
                    encode_len(Some(0x80), [0xD0, 0xD1, 0xD2], key.len(), out);
                    out.extend_from_slice(key.as_bytes());
                    value.encode_into(out);
                }
            }
            Value::Struct { tag, fields } => {
                out.push(0xB0 | (fields.len() as u8 & 0x0F));
                out.push(*tag);
                fields.iter().for_each(|field| field.encode_into(out));
            }
            Value::Uuid(bytes) => {
                out.push(0xE0);
                out.extend_from_slice(bytes);
            }
            Value::Raw(bytes) => out.extend_from_slice(bytes),
        }
    }

    /// Decodes exactly one value that fills `bytes`.
    pub fn decode(bytes: &[u8]) -> Result<Value, DecodeError> {
        let (value, used) = Self::decode_prefix(bytes, Rules::STRICT)?;
        if used == bytes.len() { Ok(value) } else { Err(DecodeError::Trailing(bytes.len() - used)) }
    }

    /// Decodes the value at the start of `bytes` and says how many bytes it took.
    pub fn decode_prefix(bytes: &[u8], rules: Rules) -> Result<(Value, usize), DecodeError> {
        let mut reader = Reader { bytes, at: 0, rules };
        let value = reader.value()?;
        Ok((value, reader.at))
    }
}

fn encode_int(i: i64, out: &mut Vec<u8>) {
    if (-16..=127).contains(&i) {
        out.push(i as i8 as u8);
    } else if let Ok(small) = i8::try_from(i) {
        out.push(0xC8);
        out.push(small as u8);
    } else if let Ok(small) = i16::try_from(i) {
        out.push(0xC9);
        out.extend_from_slice(&small.to_be_bytes());
    } else if let Ok(small) = i32::try_from(i) {
        out.push(0xCA);
        out.extend_from_slice(&small.to_be_bytes());
    } else {
        out.push(0xCB);
        out.extend_from_slice(&i.to_be_bytes());
    }
}

fn encode_len(tiny: Option<u8>, markers: [u8; 3], len: usize, out: &mut Vec<u8>) {
    match (tiny, len) {
        (Some(base), 0..=15) => out.push(base | len as u8),
        (_, 0..=0xFF) => out.extend_from_slice(&[markers[0], len as u8]),
        (_, 0x100..=0xFFFF) => {
            out.push(markers[1]);
            out.extend_from_slice(&(len as u16).to_be_bytes());
        }
        _ => {
            out.push(markers[2]);
            out.extend_from_slice(&(len as u32).to_be_bytes());
        }
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    rules: Rules,
}

impl<'a> Reader<'a> {
    fn take(&mut self, n: usize) -> Result<&'a [u8], DecodeError> {
        let end = self.at.checked_add(n).ok_or(DecodeError::Truncated)?;
        let taken = self.bytes.get(self.at..end).ok_or(DecodeError::Truncated)?;
        self.at = end;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8, DecodeError> {
        Ok(self.take(1)?[0])
    }

    fn unsigned(&mut self, width: usize) -> Result<usize, DecodeError> {
        Ok(self.take(width)?.iter().fold(0, |n, b| n << 8 | usize::from(*b)))
    }

    fn signed(&mut self, width: usize) -> Result<Value, DecodeError> {
        let bytes = self.take(width)?;
        let start = if bytes[0] & 0x80 == 0 { 0 } else { -1 };
        Ok(Value::Int(bytes.iter().fold(start, |n, b| n << 8 | i64::from(*b))))
    }

    fn text(&mut self, len: usize) -> Result<String, DecodeError> {
        let bytes = self.take(len)?;
        if self.rules.lossy_text {
            return Ok(String::from_utf8_lossy(bytes).into_owned());
        }
        String::from_utf8(bytes.to_vec()).map_err(|_| DecodeError::Utf8)
    }

    /// One value, without recursion: its depth is the peer's choice.
    fn value(&mut self) -> Result<Value, DecodeError> {
        let mut open: Vec<Container> = Vec::new();
        loop {
            let mut done = match self.head()? {
                Head::Value(value) => value,
                Head::Container(container) if container.left == 0 => container.close(),
                Head::Container(container) => {
                    if open.len() == self.rules.max_depth {
                        return Err(DecodeError::TooDeep);
                    }
                    open.push(container);
                    continue;
                }
            };
            loop {
                let Some(innermost) = open.last_mut() else {
                    return Ok(done);
                };
                innermost.take(done)?;
                if innermost.left > 0 {
                    break;
                }
                done = open.pop().map_or(Value::Null, Container::close);
            }
        }
    }

    /// A whole scalar, or the beginning of a container.
    fn head(&mut self) -> Result<Head, DecodeError> {
        let marker = self.byte()?;
        let low = usize::from(marker & 0x0F);
        let value = match marker {
            0x00..=0x7F | 0xF0..=0xFF => Value::Int(i64::from(marker as i8)),
            0x80..=0x8F => Value::Str(self.text(low)?),
            0x90..=0x9F => return self.container(Kind::List, low),
            0xA0..=0xAF => return self.container(Kind::Map, low),
            0xB0..=0xBF => {
                let tag = self.byte()?;
                return self.container(Kind::Struct(tag), low);
            }
            0xC0 => Value::Null,
            0xC1 => {
                let bits = self.take(8)?.iter().fold(0_u64, |n, b| n << 8 | u64::from(*b));
                Value::Float(f64::from_bits(bits))
            }
            0xC2 | 0xC3 => Value::Bool(marker == 0xC3),
            0xC8..=0xCB => self.signed(1 << (marker - 0xC8))?,
            0xCC..=0xCE => {
                let len = self.unsigned(1 << (marker - 0xCC))?;
                Value::Bytes(self.take(len)?.to_vec())
            }
            0xD0..=0xD2 => {
                let len = self.unsigned(1 << (marker - 0xD0))?;
                Value::Str(self.text(len)?)
            }
            0xD4..=0xD6 => {
                let len = self.unsigned(1 << (marker - 0xD4))?;
                return self.container(Kind::List, len);
            }
            0xD8..=0xDA => {
                let len = self.unsigned(1 << (marker - 0xD8))?;
                return self.container(Kind::Map, len);
            }
            0xE0 => {
                let mut uuid = [0; 16];
                uuid.copy_from_slice(self.take(16)?);
                Value::Uuid(uuid)
            }
            other => return Err(DecodeError::Reserved(other)),
        };
        Ok(Head::Value(value))
    }

    fn container(&self, kind: Kind, len: usize) -> Result<Head, DecodeError> {
        let left = if let Kind::Map = kind { len * 2 } else { len };
        if left > self.bytes.len() - self.at {
            return Err(DecodeError::Truncated);
        }
        Ok(Head::Container(Container { kind, left, values: Vec::new(), keys: Vec::new() }))
    }
}

enum Head {
    Value(Value),
    Container(Container),
}

enum Kind {
    List,
    Map,
    Struct(u8),
}

/// A container whose end has not been read.
struct Container {
    kind: Kind,
    /// Values still to come; keys count too.
    left: usize,
    values: Vec<Value>,
    keys: Vec<String>,
}

impl Container {
    fn take(&mut self, value: Value) -> Result<(), DecodeError> {
        self.left -= 1;
        // An odd number left of a map means that this one was a key.
        match (&self.kind, self.left % 2, value) {
            (Kind::Map, 1, Value::Str(key)) => self.keys.push(key),
            (Kind::Map, 1, _) => return Err(DecodeError::KeyNotString),
            (_, _, value) => self.values.push(value),
        }
        Ok(())
    }

    fn close(self) -> Value {
        match self.kind {
            Kind::List => Value::List(self.values),
            Kind::Map => Value::Map(self.keys.into_iter().zip(self.values).collect()),
            Kind::Struct(tag) => Value::Struct { tag, fields: self.values },
        }
    }
}
