//! Rows as a table for people, page by page: columns have the width that the page needs and the terminal has.

use std::mem;

use hyper::body::Bytes;

use super::layout::{Widths, put_line, put_rule};
use crate::shell::{
    json::{items, text_of},
    text::{cut, harmless, width},
};

/// The most rows of a page.
const PAGE_ROWS: usize = 500;
/// The most bytes of a page, about.
const PAGE_BYTES: usize = 1024 * 1024;
/// The longest text of a cell that is examined, in bytes, where a terminal shows it.
const MAX_SHOWN: usize = 4096;

/// A cell as it is shown.
#[derive(Debug, Clone, Default)]
pub(super) struct Cell {
    pub(super) text: String,
    pub(super) width: usize,
    /// Numbers stand to the right.
    pub(super) is_number: bool,
}

impl Cell {
    /// The cell of a value in JSON. It takes no more than `columns`.
    fn new(value: &str, columns: Option<usize>) -> Self {
        let is_number = value.starts_with(|first: char| first == '-' || first.is_ascii_digit());
        Self { is_number, ..Self::of(&text_of(value), columns) }
    }

    fn of(text: &str, columns: Option<usize>) -> Self {
        // A column of the terminal takes some bytes; what is far beyond is not seen.
        let end = if columns.is_some() { text.floor_char_boundary(MAX_SHOWN) } else { text.len() };
        let mut shown = harmless(text.get(..end).unwrap_or(text));
        if let Some(columns) = columns {
            if end < text.len() {
                shown.push('…');
            }
            cut(&mut shown, columns.max(1));
        }
        Self { width: width(&shown), text: shown, is_number: false }
    }
}

/// A table under way.
#[derive(Debug, Default)]
pub(super) struct Table {
    /// The columns of the terminal.
    columns: Option<usize>,
    header: Vec<Cell>,
    page: Vec<Vec<Cell>>,
    page_bytes: usize,
    /// What the last page was written with.
    widths: Option<Widths>,
    /// Pages that are ready.
    ready: Vec<u8>,
}

impl Table {
    /// A table for a terminal with so many columns; without them, it is as wide as its values.
    pub(super) fn new(columns: Option<usize>) -> Self {
        Self { columns, ..Self::default() }
    }

    /// Names the columns.
    pub(super) fn name(&mut self, fields: &[String]) {
        self.header = fields.iter().map(|field| Cell::of(field, self.columns)).collect();
    }

    /// Adds a row, a JSON array.
    pub(super) fn add(&mut self, row: &str) {
        let mut cells: Vec<Cell> = items(row).map(|value| Cell::new(value, self.columns)).collect();
        cells.resize_with(self.header.len(), Cell::default);
        self.page_bytes += cells.iter().map(|cell| cell.text.len()).sum::<usize>();
        self.page.push(cells);
        if self.page.len() >= PAGE_ROWS || self.page_bytes >= PAGE_BYTES {
            self.finish_page();
        }
    }

    /// The pages that are complete.
    pub(super) fn pages(&mut self) -> Bytes {
        mem::take(&mut self.ready).into()
    }

    /// All rows so far.
    pub(super) fn flush(&mut self) -> Bytes {
        if !self.page.is_empty() {
            self.finish_page();
        }
        self.pages()
    }

    /// All that is left. A table without rows has its header.
    pub(super) fn end(&mut self) -> Bytes {
        if self.widths.is_none() && !self.header.is_empty() {
            self.finish_page();
        }
        self.flush()
    }

    fn finish_page(&mut self) {
        let page = mem::take(&mut self.page);
        self.page_bytes = 0;
        if self.header.is_empty() {
            return;
        }
        let needed = Widths::of(&self.header, &page);
        let widths = match &self.widths {
            // As long as the columns are wide enough, the table goes on.
            Some(widths) if widths.have_room_for(&needed, self.columns) => widths.clone(),
            Some(widths) => needed.or_wider(widths).fitted(self.columns),
            None => needed.fitted(self.columns),
        };
        if self.widths.as_ref() != Some(&widths) {
            if self.widths.is_some() {
                self.ready.push(b'\n');
            }
            put_line(&mut self.ready, &self.header, &widths);
            put_rule(&mut self.ready, &widths);
        }
        for row in &page {
            put_line(&mut self.ready, row, &widths);
        }
        self.widths = Some(widths);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(columns: Option<usize>, fields: &[&str], rows: &[&str]) -> String {
        let mut table = Table::new(columns);
        table.name(&fields.iter().map(|field| (*field).to_owned()).collect::<Vec<_>>());
        rows.iter().for_each(|row| table.add(row));
        String::from_utf8(table.end().to_vec()).expect("is text")
    }

    #[test]
    fn numbers_stand_to_the_right_and_text_to_the_left() {
        let rows = [r#"["Ada",-1.50,null]"#, r#"["日本",22,{"a":[1]}]"#, r#"["",true,"x\ny\u001b"]"#];
        let expected = "\
name | n     | v
-----+-------+-----------
Ada  | -1.50 | null
日本 |    22 | {\"a\":[1]}
     | true  | x\\ny\\u001b
";
        assert_eq!(text(None, &["name", "n", "v"], &rows), expected);
    }

    #[test]
    fn a_table_fits_the_terminal_and_takes_from_the_widest_columns() {
        let long = format!("[1,\"{}\",\"{}\"]", "a".repeat(50), "b".repeat(10));
        let shown = text(Some(40), &["id", "long", "b"], &[&long]);
        for line in shown.lines() {
            assert!(width(line) <= 40, "{line}");
        }
        assert!(shown.contains("| bbbbbbbbbb") && shown.contains("aaa… |"), "{shown}");
        let narrow = text(Some(5), &["first", "second"], &["[12345,2]"]);
        assert_eq!(narrow, "f… | s…\n---+---\n1… |  2\n", "columns have a least width");
    }

    #[test]
    fn a_page_with_wider_values_has_a_header_of_its_own() {
        let mut table = Table::new(Some(80));
        table.name(&["n".to_owned()]);
        let mut pages = Vec::new();
        for row in ["[1]", "[2]", "[12345]", "[3]"] {
            table.add(row);
            pages.extend(table.flush());
        }
        assert_eq!(String::from_utf8(pages).expect("is text"), "n\n-\n1\n2\n\nn\n-----\n12345\n    3\n");
        assert!(table.end().is_empty());
    }

    #[test]
    fn a_page_is_written_when_it_is_full() {
        let mut table = Table::new(None);
        table.name(&["n".to_owned()]);
        for _ in 1..PAGE_ROWS {
            table.add("[1]");
            assert!(table.pages().is_empty());
        }
        table.add("[1]");
        assert!(!table.pages().is_empty());
        let mut table = Table::new(None);
        table.name(&["n".to_owned()]);
        table.add(&format!("[\"{}\"]", "x".repeat(PAGE_BYTES)));
        assert!(table.pages().len() > PAGE_BYTES);
    }

    #[test]
    fn results_without_rows_or_without_columns() {
        assert_eq!(text(Some(80), &["a", "b"], &[]), "a | b\n--+--\n");
        assert_eq!(text(Some(80), &[], &[]), "");
        assert_eq!(text(Some(80), &["a", "b"], &["[]", "[1,2,3]"]), "a | b\n--+--\n  |\n1 | 2\n");
    }
}
