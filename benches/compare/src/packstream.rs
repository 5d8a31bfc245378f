//! The part of PackStream that the bench needs: all values for writing, and the few that the canned peer reads.

use serde_json::Value;

/// Writes an integer in its shortest encoding.
pub fn integer(out: &mut Vec<u8>, value: i64) {
    if let Ok(small) = i8::try_from(value) {
        if small < -16 {
            out.push(0xC8);
        }
        out.extend(small.to_be_bytes());
    } else if let Ok(short) = i16::try_from(value) {
        out.push(0xC9);
        out.extend(short.to_be_bytes());
    } else if let Ok(middle) = i32::try_from(value) {
        out.push(0xCA);
        out.extend(middle.to_be_bytes());
    } else {
        out.push(0xCB);
        out.extend(value.to_be_bytes());
    }
}

/// Writes a float.
pub fn float(out: &mut Vec<u8>, value: f64) {
    out.push(0xC1);
    out.extend(value.to_be_bytes());
}

/// Writes a boolean.
pub fn boolean(out: &mut Vec<u8>, value: bool) {
    out.push(if value { 0xC3 } else { 0xC2 });
}

/// Writes a string.
pub fn string(out: &mut Vec<u8>, text: &str) {
    length(out, text.len(), 0x80, 0xD0);
    out.extend(text.as_bytes());
}

/// Begins a list. Its items follow.
pub fn list(out: &mut Vec<u8>, items: usize) {
    length(out, items, 0x90, 0xD4);
}

/// Begins a map. Its keys and values follow, alternating.
pub fn map(out: &mut Vec<u8>, entries: usize) {
    length(out, entries, 0xA0, 0xD8);
}

/// Begins a structure of at most 15 fields, which follow.
pub fn structure(out: &mut Vec<u8>, fields: u8, tag: u8) {
    out.extend([0xB0 | (fields & 0x0F), tag]);
}

/// Writes a JSON value. Numbers without point and exponent become integers.
pub fn json(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Null => out.push(0xC0),
        Value::Bool(value) => boolean(out, *value),
        Value::Number(number) => match number.as_i64() {
            Some(value) => integer(out, value),
            None => float(out, number.as_f64().unwrap_or(f64::NAN)),
        },
        Value::String(text) => string(out, text),
        Value::Array(items) => {
            list(out, items.len());
            items.iter().for_each(|item| json(out, item));
        }
        Value::Object(members) => {
            map(out, members.len());
            for (key, value) in members {
                string(out, key);
                json(out, value);
            }
        }
    }
}

/// Writes the size of a collection. `tiny` is the marker for sizes up to 15, `wide` the first of the three for larger
/// ones.
fn length(out: &mut Vec<u8>, length: usize, tiny: u8, wide: u8) {
    if let Ok(short) = u8::try_from(length) {
        if short < 16 {
            out.push(tiny | short);
        } else {
            out.extend([wide, short]);
        }
    } else if let Ok(middle) = u16::try_from(length) {
        out.push(wide + 1);
        out.extend(middle.to_be_bytes());
    } else {
        out.push(wide + 2);
        out.extend(u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
    }
}

/// Removes a string from the front of `bytes`. Returns `None` if there is something else.
pub fn take_string<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (&marker, rest) = bytes.split_first()?;
    let (length, rest) = match marker {
        0x80..=0x8F => (usize::from(marker & 0x0F), rest),
        0xD0..=0xD2 => {
            let (size, rest) = rest.split_at_checked(1 << (marker - 0xD0))?;
            (size.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), rest)
        }
        _ => return None,
    };
    let (text, rest) = rest.split_at_checked(length)?;
    *bytes = rest;
    Some(text)
}

/// Removes an integer from the front of `bytes`. Returns `None` if there is something else.
pub fn take_integer(bytes: &mut &[u8]) -> Option<i64> {
    let (&marker, rest) = bytes.split_first()?;
    let size = match marker {
        0x00..=0x7F | 0xF0..=0xFF => {
            *bytes = rest;
            return Some(i64::from(i8::from_be_bytes([marker])));
        }
        0xC8..=0xCB => 1 << (marker - 0xC8),
        _ => return None,
    };
    let (digits, rest) = rest.split_at_checked(size)?;
    *bytes = rest;
    let sign = if digits.first().is_some_and(|first| first & 0x80 != 0) { -1 } else { 0 };
    Some(digits.iter().fold(sign, |value, byte| value << 8 | i64::from(*byte)))
}

/// Returns the integer under `key` in the map at the front of `bytes`, whose values must all be integers.
#[must_use]
pub fn integer_of_map(mut bytes: &[u8], key: &str) -> Option<i64> {
    let (&marker, rest) = bytes.split_first()?;
    bytes = rest;
    for _ in 0..marker.checked_sub(0xA0).filter(|entries| *entries < 16)? {
        let name = take_string(&mut bytes)?;
        let value = take_integer(&mut bytes)?;
        if name == key.as_bytes() {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_come_back() {
        for value in [0, 127, 128, -16, -17, -128, -129, 32_767, 32_768, -40_000, i64::MAX, i64::MIN] {
            let mut bytes = Vec::new();
            integer(&mut bytes, value);
            let mut rest = bytes.as_slice();
            assert_eq!((take_integer(&mut rest), rest.len()), (Some(value), 0), "{value}");
        }
    }

    #[test]
    fn strings_come_back() {
        for length in [0, 15, 16, 255, 256, 65_535, 65_536] {
            let text = "x".repeat(length);
            let mut bytes = Vec::new();
            string(&mut bytes, &text);
            let mut rest = bytes.as_slice();
            assert_eq!((take_string(&mut rest), rest.len()), (Some(text.as_bytes()), 0), "{length}");
        }
    }

    #[test]
    fn finds_the_size_of_a_pull() {
        let mut bytes = Vec::new();
        json(&mut bytes, &serde_json::json!({"qid": -1, "n": 1000}));
        assert_eq!(integer_of_map(&bytes, "n"), Some(1000));
        assert_eq!(integer_of_map(&bytes, "m"), None);
    }
}
