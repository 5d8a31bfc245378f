//! Owns "did you mean": the nearest known name to a mistyped one.
//!
//! May not know what the names stand for.

use strsim::levenshtein;

/// Returns the candidate nearest to `typed`, unless even that is too different to be a typing mistake.
pub(in crate::config) fn nearest<'a>(typed: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (typed.len() / 4).max(2);
    candidates
        .into_iter()
        .map(|candidate| (levenshtein(typed, candidate), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_wins_and_a_far_one_is_not_offered() {
        let known = ["server.listen", "admin.listen", "log.filter"];
        assert_eq!(nearest("server.lisen", known), Some("server.listen"));
        assert_eq!(nearest("adminlisten", known), Some("admin.listen"));
        assert_eq!(nearest("cors.origins", known), None);
    }
}
