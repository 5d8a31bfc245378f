//! The rows of a tool's result: objects of plain JSON, as many as fit.

use bytes::{BufMut as _, BytesMut};
use serde_json::Value;

use crate::{
    bolt::Columns,
    http::encode::each_column,
    json::output::{ObjectKeys, object_row},
    query::{Flow, RowRefused, RowSink},
};

/// How many rows a result may show.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room {
    pub(super) rows: u32,
    /// The text of all rows together, in bytes.
    pub(super) bytes: usize,
    /// Whether what does not fit is passed over, because the statement has to come to its end.
    pub(super) to_the_end: bool,
}

/// Collects rows.
pub(super) struct Table {
    room: Room,
    /// How many rows the result may have at all.
    most: Option<u32>,
    keys: ObjectKeys,
    out: BytesMut,
    rows: u32,
    is_cut: bool,
}

impl Table {
    pub(super) fn new(room: Room) -> Self {
        Self { room, most: None, keys: ObjectKeys::default(), out: BytesMut::new(), rows: 0, is_cut: false }
    }

    /// The table of a result that may have `most` rows: more are an error, if there is room for that many.
    pub(super) fn at_most(self, most: Option<u32>) -> Self {
        Self { most, ..self }
    }

    /// The number of rows that are shown.
    pub(super) fn rows(&self) -> u32 {
        self.rows
    }

    /// Whether rows were left out.
    pub(super) fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// The rows, as far as they can be read again: no deeper than 128 levels.
    pub(super) fn values(&self) -> Vec<Value> {
        serde_json::from_slice(&[b"[", &*self.out, b"]"].concat()).unwrap_or_default()
    }

    /// Appends the members `columns`, `rows`, `rowCount` and `truncated` of an object.
    pub(super) fn write(&self, out: &mut BytesMut) {
        out.put_slice(b"\"columns\":[");
        for (position, name) in self.keys.names().enumerate() {
            if position > 0 {
                out.put_u8(b',');
            }
            out.put_slice(name);
        }
        out.put_slice(b"],\"rows\":[");
        out.put_slice(&self.out);
        out.put_slice(format!("],\"rowCount\":{},\"truncated\":{}", self.rows, self.is_cut).as_bytes());
    }
}

impl RowSink for Table {
    fn open(&mut self, columns: &Columns) {
        self.keys = ObjectKeys::new(each_column(columns));
    }

    fn row(&mut self, fields: &[u8], _: usize) -> Result<Flow, RowRefused> {
        if let Some(most) = self.most.filter(|most| self.rows >= *most) {
            return Err(RowRefused::TooMany(most));
        }
        let left_out = if self.room.to_the_end { Flow::Continue } else { Flow::Full };
        if self.is_cut || self.rows >= self.room.rows {
            self.is_cut = true;
            return Ok(left_out);
        }
        let before = self.out.len();
        if self.rows > 0 {
            self.out.put_u8(b',');
        }
        object_row(&mut self.out, fields, &self.keys).map_err(|error| RowRefused::Malformed(error.to_string()))?;
        if self.out.len() > self.room.bytes {
            self.out.truncate(before);
            self.is_cut = true;
            return Ok(left_out);
        }
        self.rows += 1;
        Ok(Flow::Continue)
    }

    fn has_replaced_values(&self) -> bool {
        false
    }

    fn restart(&mut self) {
        self.out.clear();
        (self.rows, self.is_cut) = (0, false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(room: Room, rows: &[&[u8]]) -> (Vec<Flow>, String) {
        let mut table = Table::new(room);
        table.open(&Columns { count: 1, list: vec![0x91, 0x81, b'n'] });
        let flows = rows.iter().map(|row| table.row(row, 1).unwrap()).collect();
        let mut out = BytesMut::new();
        table.write(&mut out);
        (flows, String::from_utf8(out.to_vec()).unwrap())
    }

    #[test]
    fn rows_beyond_the_limit_are_left_out() {
        let rows = [&[0x91, 1][..], &[0x91, 2], &[0x91, 3]];
        let (flows, text) = table(Room { rows: 2, bytes: 100, to_the_end: false }, &rows);
        assert_eq!(flows, [Flow::Continue, Flow::Continue, Flow::Full]);
        assert_eq!(text, r#""columns":["n"],"rows":[{"n":1},{"n":2}],"rowCount":2,"truncated":true"#);
        let (flows, text) = table(Room { rows: 2, bytes: 100, to_the_end: true }, &rows);
        assert_eq!(flows, [Flow::Continue; 3]);
        assert!(text.ends_with(r#""rowCount":2,"truncated":true"#), "{text}");
        let (_, text) = table(Room { rows: 3, bytes: 100, to_the_end: false }, &rows);
        assert!(text.ends_with(r#""rowCount":3,"truncated":false"#), "{text}");
    }

    #[test]
    fn rows_that_are_too_long_are_left_out_with_all_that_follow() {
        let rows = [&[0x91, 1][..], &[0x91, 0x83, b'x', b'y', b'z'], &[0x91, 2]];
        let (flows, text) = table(Room { rows: 9, bytes: 18, to_the_end: true }, &rows);
        assert_eq!(flows, [Flow::Continue; 3]);
        assert_eq!(text, r#""columns":["n"],"rows":[{"n":1}],"rowCount":1,"truncated":true"#);
    }

    #[test]
    fn a_result_may_not_have_more_rows_than_it_should() {
        let room = Room { rows: 2, bytes: 100, to_the_end: false };
        for (most, rows, third) in
            [(Some(2), 2, Err(RowRefused::TooMany(2))), (Some(3), 2, Ok(Flow::Full)), (None, 2, Ok(Flow::Full))]
        {
            let mut table = Table::new(room).at_most(most);
            table.open(&Columns { count: 1, list: vec![0x91, 0x81, b'n'] });
            for _ in 0..rows {
                assert_eq!(table.row(&[0x91, 1], 1), Ok(Flow::Continue));
            }
            assert_eq!(table.row(&[0x91, 1], 1), third, "{most:?}");
        }
    }

    #[test]
    fn another_attempt_begins_anew() {
        let mut table = Table::new(Room { rows: 1, bytes: 100, to_the_end: false });
        table.open(&Columns { count: 0, list: vec![0x90] });
        table.row(&[0x90], 0).unwrap();
        table.row(&[0x90], 0).unwrap();
        table.restart();
        assert_eq!((table.rows(), table.is_cut()), (0, false));
    }
}
