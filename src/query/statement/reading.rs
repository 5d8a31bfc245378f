//! Whether a statement only reads, as far as its text says so. Decides about statements that a server would carry out although
//! they are in a transaction in read mode.

use super::tokens::{Token, Tokens};

/// The words with which a statement may begin that only reads.
const BEGINNINGS: [&str; 12] =
    ["MATCH", "OPTIONAL", "WITH", "UNWIND", "RETURN", "CALL", "EXPLAIN", "PROFILE", "SHOW", "CYPHER", "FOR", "LET"];

/// The words of clauses that write.
const WRITES: [&str; 9] = ["CREATE", "INSERT", "MERGE", "SET", "DELETE", "DETACH", "REMOVE", "FOREACH", "DROP"];

/// Why a statement is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::query) enum NotReading<'t> {
    /// A second statement follows the first.
    Several,
    /// It ends other transactions, which no server takes for writing.
    Terminates,
    /// It begins with a word that no reading statement begins with.
    Begins(&'t str),
    /// It has a clause that writes.
    Writes(&'t str),
}

/// Checks what no server checks: that it is one statement, and that it ends no other transaction.
pub(in crate::query) fn check(statement: &str) -> Result<(), NotReading<'_>> {
    let (mut has_ended, mut before) = (false, None);
    for token in Tokens::of(statement) {
        if has_ended {
            return Err(NotReading::Several);
        }
        let is_many = token.is("TRANSACTION") || token.is("TRANSACTIONS");
        if is_many && before.is_some_and(|before: Token<'_>| before.is("TERMINATE")) {
            return Err(NotReading::Terminates);
        }
        has_ended = token == Token::Symbol(';');
        before = Some(token);
    }
    Ok(())
}

/// Checks that a statement neither writes nor is a command. Refuses in doubt.
pub(in crate::query) fn check_strictly(statement: &str) -> Result<(), NotReading<'_>> {
    check(statement)?;
    // The two tokens before the current one.
    let mut before = [None; 2];
    for token in Tokens::of(statement) {
        if let Token::Word(word) = token {
            if before == [None; 2] && !is_among(word, &BEGINNINGS) {
                return Err(NotReading::Begins(word));
            }
            if !is_name_after(before) && is_among(word, &WRITES) {
                return Err(NotReading::Writes(word));
            }
        }
        before = [before[1], Some(token)];
    }
    Ok(())
}

/// Whether a word is the name of a parameter, label, type or property, by the two tokens before it. After the dot of `1.`,
/// a clause may follow.
fn is_name_after(before: [Option<Token<'_>>; 2]) -> bool {
    let is_number = |token| matches!(token, Some(Token::Word(word)) if word.starts_with(|c: char| c.is_ascii_digit()));
    match before {
        [_, Some(Token::Symbol('$' | ':'))] => true,
        [owner, Some(Token::Symbol('.'))] => !is_number(owner),
        _ => false,
    }
}

fn is_among(word: &str, words: &[&str]) -> bool {
    words.iter().any(|known| word.eq_ignore_ascii_case(known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_statement_that_ends_nothing_passes_everywhere() {
        for statement in ["CREATE (n)", "RETURN ';';", "RETURN 1 ; // ; x", "SHOW TRANSACTIONS", ""] {
            assert_eq!(check(statement), Ok(()), "{statement}");
        }
        for statement in ["RETURN 1; CREATE (n)", "RETURN 1;;", "/* ; */ RETURN 1; RETURN 2"] {
            assert_eq!(check(statement), Err(NotReading::Several), "{statement}");
        }
        for statement in ["TERMINATE TRANSACTION 'a'", "SHOW TRANSACTIONS YIELD * terminate /**/ transactions 'a'"] {
            assert_eq!(check(statement), Err(NotReading::Terminates), "{statement}");
        }
    }

    #[test]
    fn reading_statements_pass_strictly() {
        for statement in [
            "MATCH (n:Set) WHERE n.create = $merge RETURN n.delete AS x",
            "// CREATE\nRETURN 'CREATE (n)', \"SET\", `DELETE`",
            "CALL db.labels() YIELD label RETURN label",
            "explain MATCH (n) RETURN n",
            "MATCH (n)-[r:CREATE|:SET]->() RETURN n {.set, .drop}",
            "(MATCH (n) RETURN n)",
            "",
        ] {
            assert_eq!(check_strictly(statement), Ok(()), "{statement}");
        }
    }

    #[test]
    fn writing_statements_and_commands_do_not() {
        for (statement, why) in [
            ("MATCH (n) set n.x = 1", NotReading::Writes("set")),
            ("WITH 1 AS x CREATE (:A)", NotReading::Writes("CREATE")),
            ("WITH 1. CREATE (:A)", NotReading::Writes("CREATE")),
            ("WITH 1.5. CREATE (:A)", NotReading::Writes("CREATE")),
            ("CALL { CREATE (:A) } RETURN 1", NotReading::Writes("CREATE")),
            ("EXPLAIN CREATE (:A)", NotReading::Writes("CREATE")),
            ("MATCH (n)/* */DETACH/**/DELETE n", NotReading::Writes("DETACH")),
            ("CREATE (:A)", NotReading::Begins("CREATE")),
            ("STORAGE MODE IN_MEMORY_ANALYTICAL", NotReading::Begins("STORAGE")),
            ("DUMP DATABASE", NotReading::Begins("DUMP")),
            ("GRANT ALL PRIVILEGES TO x", NotReading::Begins("GRANT")),
            ("RETURN 1; CREATE (:A)", NotReading::Several),
        ] {
            assert_eq!(check_strictly(statement), Err(why), "{statement}");
        }
    }
}
