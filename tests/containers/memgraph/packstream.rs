//! PackStream values and chunked messages, as far as a stand-in for Memgraph and its console need them.
//!
//! Owns: bytes to [`Value`] and back, one message per call. May not know: what a message means.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};

/// Maps are sorted by their keys' bytes, as Memgraph writes them.
pub type Map = BTreeMap<String, Value>;

/// One PackStream value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    String(String),
    List(Vec<Value>),
    Map(Map),
    Struct(u8, Vec<Value>),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

fn malformed(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_owned())
}

/// Reads one message; a chunk without bytes where a message should begin is an error, as with Memgraph.
pub fn read_message(stream: &mut impl Read) -> io::Result<Value> {
    let mut message = Vec::new();
    loop {
        let mut header = [0; 2];
        stream.read_exact(&mut header)?;
        let length = usize::from(u16::from_be_bytes(header));
        if length == 0 {
            break;
        }
        let start = message.len();
        message.resize(start + length, 0);
        stream.read_exact(&mut message[start..])?;
    }
    let mut rest = message.as_slice();
    let value = read_value(&mut rest)?;
    if rest.is_empty() {
        Ok(value)
    } else {
        Err(malformed("bytes left behind a message"))
    }
}

/// Writes one message and sends it.
pub fn write_message(stream: &mut impl Write, tag: u8, fields: Vec<Value>) -> io::Result<()> {
    let mut message = Vec::new();
    write_value(&mut message, &Value::Struct(tag, fields))?;
    let mut framed = Vec::new();
    for chunk in message.chunks(65_535) {
        framed.extend((chunk.len() as u16).to_be_bytes());
        framed.extend(chunk);
    }
    framed.extend([0, 0]);
    stream.write_all(&framed)?;
    stream.flush()
}

fn read_bytes<const N: usize>(input: &mut &[u8]) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    input.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn read_value(input: &mut &[u8]) -> io::Result<Value> {
    let [marker] = read_bytes(input)?;
    let low = usize::from(marker & 0x0F);
    Ok(match marker {
        0x00..=0x7F | 0xF0..=0xFF => Value::Int(i64::from(marker as i8)),
        0x80..=0x8F => Value::String(read_string(input, low)?),
        0x90..=0x9F => Value::List(read_values(input, low)?),
        0xA0..=0xAF => Value::Map(read_map(input, low)?),
        0xB0..=0xBF => {
            let [tag] = read_bytes(input)?;
            Value::Struct(tag, read_values(input, low)?)
        }
        0xC0 => Value::Null,
        0xC1 => Value::Float(f64::from_be_bytes(read_bytes(input)?)),
        0xC2 | 0xC3 => Value::Bool(marker == 0xC3),
        0xC8 => Value::Int(i64::from(i8::from_be_bytes(read_bytes(input)?))),
        0xC9 => Value::Int(i64::from(i16::from_be_bytes(read_bytes(input)?))),
        0xCA => Value::Int(i64::from(i32::from_be_bytes(read_bytes(input)?))),
        0xCB => Value::Int(i64::from_be_bytes(read_bytes(input)?)),
        0xD0..=0xD2 => {
            let length = read_length(input, marker & 3)?;
            Value::String(read_string(input, length)?)
        }
        0xD4..=0xD6 => {
            let length = read_length(input, marker & 3)?;
            Value::List(read_values(input, length)?)
        }
        0xD8..=0xDA => {
            let length = read_length(input, marker & 3)?;
            Value::Map(read_map(input, length)?)
        }
        _ => return Err(malformed("a value of a type that Memgraph does not take")),
    })
}

/// A length of one, two or four bytes, by the marker's two lowest bits.
fn read_length(input: &mut &[u8], width: u8) -> io::Result<usize> {
    Ok(match width {
        0 => usize::from(u8::from_be_bytes(read_bytes(input)?)),
        1 => usize::from(u16::from_be_bytes(read_bytes(input)?)),
        _ => u32::from_be_bytes(read_bytes(input)?) as usize,
    })
}

fn read_string(input: &mut &[u8], length: usize) -> io::Result<String> {
    let (text, rest) = input
        .split_at_checked(length)
        .ok_or_else(|| malformed("a cut-off string"))?;
    *input = rest;
    String::from_utf8(text.to_vec()).map_err(|_| malformed("a string that is not UTF-8"))
}

fn read_values(input: &mut &[u8], count: usize) -> io::Result<Vec<Value>> {
    (0..count).map(|_| read_value(input)).collect()
}

fn read_map(input: &mut &[u8], count: usize) -> io::Result<Map> {
    (0..count)
        .map(|_| match read_value(input)? {
            Value::String(key) => Ok((key, read_value(input)?)),
            _ => Err(malformed("a map key that is not a string")),
        })
        .collect()
}

fn write_value(out: &mut Vec<u8>, value: &Value) -> io::Result<()> {
    match value {
        Value::Null => out.push(0xC0),
        Value::Bool(flag) => out.push(0xC2 + u8::from(*flag)),
        Value::Int(number) => match i8::try_from(*number) {
            Ok(tiny) if tiny >= -16 => out.push(tiny as u8),
            _ => {
                out.push(0xCB);
                out.extend(number.to_be_bytes());
            }
        },
        Value::Float(number) => {
            out.push(0xC1);
            out.extend(number.to_be_bytes());
        }
        Value::String(text) => {
            write_size(out, 0x80, 0xD0, text.len())?;
            out.extend(text.as_bytes());
        }
        Value::List(items) => {
            write_size(out, 0x90, 0xD4, items.len())?;
            items.iter().try_for_each(|item| write_value(out, item))?;
        }
        Value::Map(map) => {
            write_size(out, 0xA0, 0xD8, map.len())?;
            for (key, item) in map {
                write_value(out, &Value::from(key.as_str()))?;
                write_value(out, item)?;
            }
        }
        Value::Struct(tag, fields) => {
            out.extend([0xB0 + fields.len() as u8, *tag]);
            fields
                .iter()
                .try_for_each(|field| write_value(out, field))?;
        }
    }
    Ok(())
}

fn write_size(out: &mut Vec<u8>, tiny: u8, small: u8, size: usize) -> io::Result<()> {
    match u8::try_from(size) {
        Ok(size) if size < 16 => out.push(tiny + size),
        Ok(size) => out.extend([small, size]),
        Err(_) => {
            return Err(malformed(
                "a stand-in writes nothing of more than 255 items",
            ));
        }
    }
    Ok(())
}
