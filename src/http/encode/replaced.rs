//! Invalid values that were replaced by null, as errors that name row, column and reason.

use super::columns;
use crate::{
    bolt::Columns,
    json::output::{ReplacedValue, ReplacedValues},
    query::Error,
};

/// Makes one error of each replaced value that is remembered, and one of the rest.
pub(super) fn errors(values: &ReplacedValues, columns: &Columns) -> Vec<Error> {
    let mut errors: Vec<_> = values.first.iter().map(|value| Error::malformed(text(value, columns))).collect();
    let rest = values.count.saturating_sub(u64::try_from(errors.len()).unwrap_or(u64::MAX));
    if rest > 0 {
        errors.push(Error::malformed(format!("{rest} more values could not be shown and were replaced by null.")));
    }
    errors
}

/// The message about one replaced value.
pub(super) fn text(ReplacedValue { row, column, reason }: &ReplacedValue, columns: &Columns) -> String {
    let name = columns::name(columns, *column);
    format!(
        "The database sent a value that cannot be shown, in row {row}, column \"{name}\": {reason}. It was replaced by null."
    )
}
