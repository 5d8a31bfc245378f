//! Values that were left out because they make no sense, as errors that name row, column and reason.

use crate::{
    bolt::{Columns, packstream::Reader},
    json::output::{ReplacedValue, ReplacedValues},
    query::Error,
};

/// One error for each flaw that is remembered, and one for the rest.
pub(super) fn errors(flaws: &ReplacedValues, columns: &Columns) -> Vec<Error> {
    let mut errors: Vec<_> = flaws.first.iter().map(|flaw| Error::malformed(text(flaw, columns))).collect();
    let rest = flaws.count.saturating_sub(u64::try_from(errors.len()).unwrap_or(u64::MAX));
    if rest > 0 {
        errors.push(Error::malformed(format!("{rest} more values could not be shown and were replaced by null.")));
    }
    errors
}

/// What is said of one flaw.
pub(super) fn text(ReplacedValue { row, column, reason }: &ReplacedValue, columns: &Columns) -> String {
    let name = name(columns, *column);
    format!(
        "The database sent a value that cannot be shown, in row {row}, column \"{name}\": {reason}. It was replaced by null."
    )
}

fn name(columns: &Columns, column: usize) -> &str {
    let mut reader = Reader::new(&columns.list);
    let count = reader.expect_list().unwrap_or(0);
    // The list was checked when it was read: so many strings.
    (0..count).map_while(|_| reader.expect_string().ok()).nth(column).unwrap_or_default()
}
