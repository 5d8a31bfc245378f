//! Values that were left out because they make no sense, as errors that name row, column and reason.

use super::columns;
use crate::{
    bolt::Columns,
    json::output::{Flaw, Flaws},
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
pub(super) fn text(Flaw { row, column, reason }: &Flaw, columns: &Columns) -> String {
    let name = columns::name(columns, *column);
    format!(
        "The database sent a value that cannot be shown, in row {row}, column \"{name}\": {reason}. It was replaced by null."
    )
}
