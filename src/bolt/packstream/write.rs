//! The writer: values in their smallest form, appended to a growing buffer.

/// Appends PackStream to a buffer. Every value takes its smallest form, as servers expect.
#[derive(Debug)]
pub struct Writer<'a> {
    out: &'a mut Vec<u8>,
}

impl<'a> Writer<'a> {
    /// Returns a writer at the end of `out`.
    pub fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out }
    }

    /// Writes null.
    pub fn null(&mut self) {
        self.out.push(0xC0);
    }

    /// Writes a boolean.
    pub fn boolean(&mut self, value: bool) {
        self.out.push(if value { 0xC3 } else { 0xC2 });
    }

    /// Writes an integer, in the smallest form that holds it.
    pub fn integer(&mut self, value: i64) {
        if let Ok(tiny @ -16..=127) = i8::try_from(value) {
            self.out.push(tiny.cast_unsigned());
        } else if let Ok(value) = i8::try_from(value) {
            self.tagged(0xC8, &value.to_be_bytes());
        } else if let Ok(value) = i16::try_from(value) {
            self.tagged(0xC9, &value.to_be_bytes());
        } else if let Ok(value) = i32::try_from(value) {
            self.tagged(0xCA, &value.to_be_bytes());
        } else {
            self.tagged(0xCB, &value.to_be_bytes());
        }
    }

    /// Writes a float.
    pub fn float(&mut self, value: f64) {
        self.tagged(0xC1, &value.to_be_bytes());
    }

    /// Writes a byte array.
    pub fn bytes(&mut self, value: &[u8]) {
        self.sized(None, 0xCC, value.len());
        self.out.extend_from_slice(value);
    }

    /// Writes the head of a byte array of `length` bytes, which have to follow.
    pub fn bytes_head(&mut self, length: usize) {
        self.sized(None, 0xCC, length);
    }

    /// Writes a string.
    pub fn string(&mut self, value: &str) {
        self.sized(Some(0x80), 0xD0, value.len());
        self.out.extend_from_slice(value.as_bytes());
    }

    /// Writes the head of a list; its items have to follow.
    pub fn list(&mut self, items: usize) {
        self.sized(Some(0x90), 0xD4, items);
    }

    /// Writes the head of a map; its pairs have to follow, each a string and a value.
    pub fn map(&mut self, pairs: usize) {
        self.sized(Some(0xA0), 0xD8, pairs);
    }

    /// Writes the head of a structure of at most 15 fields, which have to follow.
    pub fn structure(&mut self, tag: u8, fields: u8) {
        debug_assert!(fields < 16, "a structure has at most 15 fields");
        self.tagged(0xB0 | fields, &[tag]);
    }

    /// Writes a UUID (Bolt 6.1 and later).
    pub fn uuid(&mut self, value: &[u8; 16]) {
        self.tagged(0xE0, value);
    }

    /// Writes values that are PackStream already.
    pub fn raw(&mut self, value: &[u8]) {
        self.out.extend_from_slice(value);
    }

    fn tagged(&mut self, marker: u8, payload: &[u8]) {
        self.out.push(marker);
        self.out.extend_from_slice(payload);
    }

    fn sized(&mut self, tiny: Option<u8>, marker: u8, size: usize) {
        let (head, length) = head(tiny, marker, size);
        self.out.extend(head.into_iter().take(length));
    }
}

/// Returns the head of a string, byte array, list or map: five bytes, and how many of them to use.
///
/// The limits on bodies and messages keep sizes far below 2³². A larger one saturates, and every reader refuses it.
fn head(tiny: Option<u8>, marker: u8, size: usize) -> ([u8; 5], usize) {
    match (tiny, size) {
        (Some(tiny), 0..=15) => ([tiny | low_byte(size), 0, 0, 0, 0], 1),
        (_, 0..=0xFF) => ([marker, low_byte(size), 0, 0, 0], 2),
        (_, 0x100..=0xFFFF) => ([marker + 1, low_byte(size >> 8), low_byte(size), 0, 0], 3),
        _ => {
            let [a, b, c, d] = u32::try_from(size).unwrap_or(u32::MAX).to_be_bytes();
            ([marker + 2, a, b, c, d], 5)
        }
    }
}

/// Returns the head of a list or map of more than 15 items or pairs, and how many of its bytes to use.
#[must_use]
pub fn long_head(is_map: bool, size: usize) -> ([u8; 5], usize) {
    head(None, if is_map { 0xD8 } else { 0xD4 }, size)
}

fn low_byte(size: usize) -> u8 {
    size.to_le_bytes()[0]
}

/// Starts a list or map whose size is known only at its end. Returns the position for [`close_collection`].
pub fn open_collection(out: &mut Vec<u8>) -> usize {
    out.push(0);
    out.len()
}

/// Ends what [`open_collection`] started, and writes its head. Collections of more than 15 items move their content by
/// up to four bytes.
pub fn close_collection(out: &mut Vec<u8>, start: usize, size: usize, is_map: bool) {
    let (tiny, marker) = if is_map { (0xA0, 0xD8) } else { (0x90, 0xD4) };
    let (head, length) = head(Some(tiny), marker, size);
    let place = start.saturating_sub(1);
    out.splice(place..start, head.into_iter().take(length));
}

#[cfg(test)]
mod tests {
    use super::super::{Reader, Token};
    use super::*;

    fn written(write: impl FnOnce(&mut Writer<'_>)) -> Vec<u8> {
        let mut out = Vec::new();
        write(&mut Writer::new(&mut out));
        out
    }

    #[test]
    fn integers_take_their_smallest_form() {
        for (value, length) in [
            (0, 1),
            (127, 1),
            (-16, 1),
            (-17, 2),
            (-128, 2),
            (128, 3),
            (-129, 3),
            (32767, 3),
            (32768, 5),
            (i64::from(i32::MIN), 5),
            (i64::from(i32::MAX) + 1, 9),
            (i64::MIN, 9),
            (i64::MAX, 9),
        ] {
            let bytes = written(|writer| writer.integer(value));
            assert_eq!(bytes.len(), length, "{value}");
            assert_eq!(Reader::new(&bytes).token(), Ok(Token::Integer(value)));
        }
    }

    #[test]
    fn strings_of_every_size_are_written() {
        for (length, head) in [(0, 1), (15, 1), (16, 2), (255, 2), (256, 3), (65535, 3), (65536, 5)] {
            let text = "x".repeat(length);
            let bytes = written(|writer| writer.string(&text));
            assert_eq!(bytes.len(), length + head);
            assert_eq!(Reader::new(&bytes).token(), Ok(Token::String(&text)));
        }
    }

    #[test]
    fn the_size_of_a_collection_can_be_given_at_its_end() {
        for size in [0, 1, 15, 16, 255, 256, 65535, 65536] {
            for is_map in [false, true] {
                let mut out = vec![0x2A];
                let start = open_collection(&mut out);
                for _ in 0..size {
                    if is_map {
                        Writer::new(&mut out).string("");
                    }
                    Writer::new(&mut out).null();
                }
                close_collection(&mut out, start, size, is_map);
                let mut reader = Reader::new(&out[1..]);
                let expected = if is_map { Token::Map(size) } else { Token::List(size) };
                assert_eq!(reader.token(), Ok(expected));
                assert_eq!(reader.rest().len(), if is_map { size * 2 } else { size });
            }
        }
    }
}
