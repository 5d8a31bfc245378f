//! The parameters of `text/csv`.

use super::Unfit;

/// How CSV is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) struct Csv {
    /// Whether the first record has the names of the columns.
    pub(in crate::http) header: bool,
    /// What becomes of text that a spreadsheet would take for a formula; `None` until the default is known.
    pub(in crate::http) formulas: Option<Formulas>,
    /// Whether U+FEFF comes first.
    pub(in crate::http) bom: bool,
}

/// What becomes of text that a spreadsheet would take for a formula.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Formulas {
    /// It stays as it is.
    Keep,
    /// It gets a `'` before it.
    Escape,
}

impl Csv {
    pub(super) const DEFAULT: Self = Self { header: true, formulas: None, bom: false };

    /// What the parameters ask for. Other names are ignored.
    ///
    /// # Errors
    /// [`Unfit::Malformed`] for another value of a known name.
    pub(super) fn asked<'a>(parameters: impl Iterator<Item = (&'a str, &'a str)>) -> Result<Self, Unfit> {
        let mut csv = Self::DEFAULT;
        for (name, value) in parameters {
            match (&*name.to_ascii_lowercase(), &*value.to_ascii_lowercase()) {
                ("header", "present") => csv.header = true,
                ("header", "absent") => csv.header = false,
                ("formulas", "keep") => csv.formulas = Some(Formulas::Keep),
                ("formulas", "escape") => csv.formulas = Some(Formulas::Escape),
                ("bom", "present") => csv.bom = true,
                ("header", _) => {
                    return Err(Unfit::Malformed("Accept: text/csv takes header=present or header=absent"));
                }
                ("formulas", _) => {
                    return Err(Unfit::Malformed("Accept: text/csv takes formulas=keep or formulas=escape"));
                }
                ("bom", _) => return Err(Unfit::Malformed("Accept: text/csv takes bom=present, or no bom")),
                _ => {}
            }
        }
        Ok(csv)
    }

    pub(in crate::http) fn escapes_formulas(self) -> bool {
        self.formulas == Some(Formulas::Escape)
    }

    /// The value of `Content-Type`, with what was honoured.
    pub(super) fn content_type(self) -> String {
        let mut text = String::from("text/csv; charset=utf-8");
        text.push_str(if self.header { "; header=present" } else { "; header=absent" });
        if self.escapes_formulas() {
            text.push_str("; formulas=escape");
        }
        if self.bom {
            text.push_str("; bom=present");
        }
        text
    }
}
