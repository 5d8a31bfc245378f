//! Reads protobuf without a schema: numbers of fields, and what they hold.

/// A field's content.
#[derive(Debug, Clone, Copy)]
enum Field<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

/// A message.
#[derive(Debug, Clone)]
pub struct Message<'a>(Vec<(u64, Field<'a>)>);

impl<'a> Message<'a> {
    pub fn parse(mut bytes: &'a [u8]) -> Self {
        let mut fields = Vec::new();
        while !bytes.is_empty() {
            let tag = varint(&mut bytes);
            let field = match tag & 7 {
                0 => Field::Number(varint(&mut bytes)),
                1 => Field::Number(u64::from_le_bytes(take(&mut bytes, 8).try_into().expect("8 bytes"))),
                2 => {
                    let length = varint(&mut bytes).try_into().expect("a length");
                    Field::Bytes(take(&mut bytes, length))
                }
                5 => Field::Number(u32::from_le_bytes(take(&mut bytes, 4).try_into().expect("4 bytes")).into()),
                kind => panic!("wire type {kind}"),
            };
            fields.push((tag >> 3, field));
        }
        Self(fields)
    }

    /// The number in a field; protobuf leaves zeros out.
    pub fn number(&self, field: u64) -> u64 {
        let found = self.0.iter().find(|(number, _)| *number == field);
        found.map_or(0, |(_, content)| match content {
            Field::Number(number) => *number,
            Field::Bytes(_) => panic!("field {field} is no number"),
        })
    }

    pub fn has(&self, field: u64) -> bool {
        self.0.iter().any(|(number, _)| *number == field)
    }

    /// The bytes in a field; empty ones are left out.
    pub fn bytes(&self, field: u64) -> &'a [u8] {
        self.all(field).next().unwrap_or_default()
    }

    pub fn text(&self, field: u64) -> String {
        String::from_utf8(self.bytes(field).to_vec()).expect("UTF-8")
    }

    pub fn message(&self, field: u64) -> Message<'a> {
        Self::parse(self.bytes(field))
    }

    pub fn messages(&self, field: u64) -> impl Iterator<Item = Message<'a>> {
        self.all(field).map(Self::parse)
    }

    fn all(&self, field: u64) -> impl Iterator<Item = &'a [u8]> {
        self.0.iter().filter(move |(number, _)| *number == field).map(move |(_, content)| match content {
            Field::Bytes(bytes) => *bytes,
            Field::Number(_) => panic!("field {field} is a number"),
        })
    }
}

fn take<'a>(bytes: &mut &'a [u8], count: usize) -> &'a [u8] {
    let (taken, rest) = bytes.split_at(count);
    *bytes = rest;
    taken
}

fn varint(bytes: &mut &[u8]) -> u64 {
    let mut value = 0;
    for shift in (0..).step_by(7) {
        let byte = take(bytes, 1)[0];
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            break;
        }
    }
    value
}
