//! The tiny language that the fakes understand instead of Cypher: text to programs.
//!
//! Promises: a text it does not know is an error, never a silent empty result.
//! May not know: which database is being faked, transactions, messages.

use std::time::Duration;

use super::super::value::{Value, hex, v};
use super::{COUNTERS, Effect, Failure, Planning, Program, Refused, Rows, Special};

/// Parses `text`, a trailing semicolon aside.
///
/// # Errors
/// What is not understood.
pub fn parse(text: &str, parameters: &Value) -> Result<Program, Refused> {
    let text = text.trim().trim_end_matches(';').trim();
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let rest = rest.trim();
    let words = Words { text, all: rest.split_whitespace().collect(), parameters };
    match word.to_ascii_uppercase().as_str() {
        "EXPLAIN" => Ok(Program { planning: Planning::Explain, ..parse(rest, parameters)? }),
        "PROFILE" => Ok(Program { planning: Planning::Profile, ..parse(rest, parameters)? }),
        "RETURN" => returning(rest, parameters),
        "ECHO" => returning(rest, parameters),
        "UNWIND" => words.unwind(),
        "ROWS" => words.rows(),
        "WIDE" => {
            let wide = "x".repeat(words.number(0)? as usize);
            Ok(Program::rows(vec!["wide".to_owned()], Rows::Fixed(vec![vec![v(wide)]])))
        }
        "FAIL" => Ok(Program { fail_run: Some(words.failure(0)?), ..Program::nothing() }),
        "FAILPULL" => {
            let after = words.number(0)?;
            let fail_pull = Some((after, words.failure(1)?));
            Ok(Program { fail_pull, ..Program::counting(u64::MAX) })
        }
        "FAILCOMMIT" => Ok(Program { fail_commit: Some(words.failure(0)?), ..Program::nothing() }),
        "SLEEP" | "SLEEPRUN" => {
            let sleep = Some(Duration::from_millis(words.number(0)?));
            let slept = vec![vec![v(words.number(0)? as i64)]];
            let sleep_in_run = word.eq_ignore_ascii_case("SLEEPRUN");
            let program = Program::rows(vec!["slept".to_owned()], Rows::Fixed(slept));
            Ok(Program { sleep, sleep_in_run, ..program })
        }
        "WRITE" | "ADD" | "DELETE" => words.change(&word.to_ascii_uppercase()),
        "READ" => {
            let key = words.key(0)?;
            Ok(Program::rows(vec!["value".to_owned()], Rows::Stored(key)))
        }
        "WHOAMI" => Ok(Program::special(Special::WhoAmI)),
        "TYPE" => Ok(Program::special(Special::Type(words.key(0)?))),
        "RAW" => {
            let raw = hex(rest);
            let row = vec![vec![Value::Raw(raw)]];
            Ok(Program::rows(vec!["raw".to_owned()], Rows::Fixed(row)))
        }
        "STATS" => {
            let stats = COUNTERS.iter().zip(1..).map(|(name, n)| (*name, n)).collect();
            Ok(Program { stats, ..Program::nothing() })
        }
        "NOTIFY" => {
            let row = vec![vec![v(1)]];
            let program = Program::rows(vec!["1".to_owned()], Rows::Fixed(row));
            Ok(Program { notify: true, ..program })
        }
        "BATCHED" => Ok(Program {
            effects: vec![Effect::Add(words.key(1)?, words.number(0)? as i64)],
            ..Program::special(Special::Batched)
        }),
        "CONFLICT" => Ok(Program {
            rows: Rows::Fixed(vec![vec![v(1)]]),
            fields: vec!["1".to_owned()],
            ..Program::special(Special::Conflict(words.number(0)?))
        }),
        _ => words.administrative(word),
    }
}

struct Words<'a> {
    text: &'a str,
    /// The words behind the first one.
    all: Vec<&'a str>,
    parameters: &'a Value,
}

impl Words<'_> {
    fn refuse(&self, at: usize) -> Refused {
        Refused::Syntax(self.all.get(at).copied().unwrap_or(self.text).to_owned())
    }

    fn key(&self, at: usize) -> Result<String, Refused> {
        self.all.get(at).map(|word| (*word).to_owned()).ok_or_else(|| self.refuse(at))
    }

    fn value(&self, at: usize) -> Result<Value, Refused> {
        let word = self.all.get(at).ok_or_else(|| self.refuse(at))?;
        match literal(word, self.parameters)? {
            Some(value) => Ok(value),
            None => Ok(v(*word)),
        }
    }

    fn number(&self, at: usize) -> Result<u64, Refused> {
        let number = self.value(at)?.as_int().and_then(|i| u64::try_from(i).ok());
        number.ok_or_else(|| self.refuse(at))
    }

    fn failure(&self, at: usize) -> Result<Failure, Refused> {
        let message = self.all.get(at + 1..).unwrap_or_default().join(" ");
        Ok(Failure { code: self.key(at)?, message })
    }

    fn has(&self, at: usize, word: &str) -> bool {
        self.all.get(at).is_some_and(|w| w.eq_ignore_ascii_case(word))
    }

    /// `ROWS n`, `ROWS n WIDE bytes`.
    fn rows(&self) -> Result<Program, Refused> {
        let n = self.number(0)?;
        if !self.has(1, "WIDE") {
            return Ok(Program::counting(n));
        }
        let pad = Some(self.number(2)? as usize);
        Ok(Program::rows(vec!["n".to_owned(), "pad".to_owned()], Rows::Count { n, pad }))
    }

    /// `UNWIND range(1, n) AS i RETURN i`: the one loop that tests write as Cypher.
    fn unwind(&self) -> Result<Program, Refused> {
        let joined = self.all.concat();
        let inner = joined.strip_prefix("range(1,").and_then(|s| s.split_once(")AS"));
        let (n, rest) = inner.ok_or_else(|| self.refuse(0))?;
        let (name, returned) = rest.split_once("RETURN").ok_or_else(|| self.refuse(0))?;
        let n = literal(n, self.parameters)?.and_then(|n| n.as_int());
        match (n.and_then(|n| u64::try_from(n).ok()), name == returned) {
            (Some(n), true) => Ok(Program { fields: vec![name.to_owned()], ..Program::counting(n) }),
            _ => Err(self.refuse(0)),
        }
    }

    /// `WRITE key [value]`, `ADD key [n]`, `DELETE key`; each with `ROWS n` or `AFTER ms` behind it.
    fn change(&self, word: &str) -> Result<Program, Refused> {
        let key = self.key(0)?;
        let given = if self.all.len() < 2 || self.has(1, "ROWS") || self.has(1, "AFTER") { 0 } else { 1 };
        let value = if given == 1 { self.value(1)? } else { v(1) };
        let effect = match word {
            "WRITE" => Effect::Set(key, Some(value)),
            "DELETE" => Effect::Set(key, None),
            _ => Effect::Add(key, value.as_int().ok_or_else(|| self.refuse(1))?),
        };
        let behind = 1 + given;
        let rows =
            if self.has(behind, "ROWS") { Program::counting(self.number(behind + 1)?) } else { Program::nothing() };
        let sleep =
            if self.has(behind, "AFTER") { Some(Duration::from_millis(self.number(behind + 1)?)) } else { None };
        Ok(Program { effects: vec![effect], stats: vec![("properties-set", 1)], sleep, ..rows })
    }

    fn administrative(&self, first: &str) -> Result<Program, Refused> {
        let text = self.text.split_whitespace().collect::<Vec<_>>().join(" ").to_ascii_uppercase();
        let column = |name: &str, value: Value, what: &str| Program {
            special: Some(Special::Admin(what.to_owned())),
            ..Program::rows(vec![name.to_owned()], Rows::Fixed(vec![vec![value]]))
        };
        let special = match text.as_str() {
            "BEGIN" => Special::Begin,
            "COMMIT" => Special::Commit,
            "ROLLBACK" => Special::Rollback,
            "SHOW TRANSACTIONS" => Special::ShowTransactions,
            "SHOW VERSION" => {
                return Ok(column("version", v("3.12.0"), "Version information query"));
            }
            "SHOW STORAGE INFO" => {
                return Ok(column("storage info", v("name"), "Storage information query"));
            }
            _ if text.starts_with("ADMIN") => Special::Admin(self.all.join(" ")),
            _ if text.starts_with("CREATE INDEX") || text.starts_with("DROP INDEX") => {
                Special::Admin("Index manipulation".to_owned())
            }
            _ if text.starts_with("CREATE CONSTRAINT") || text.starts_with("DROP CONSTRAINT") => {
                Special::Admin("Constraint manipulation".to_owned())
            }
            _ if text.starts_with("CREATE USER") || text.starts_with("DROP USER") => {
                Special::Admin("Managing users".to_owned())
            }
            _ if text.starts_with("TERMINATE TRANSACTION") => Special::Terminate(self.ids()),
            _ if text.starts_with("USE DATABASE ") => Special::UseDatabase(self.key(1)?),
            _ if text.starts_with("SET SESSION ") || text.starts_with("SET NEXT ") => {
                Special::SetSession(self.all.join(" "))
            }
            _ => return Err(Refused::Syntax(first.to_owned())),
        };
        Ok(Program::special(special))
    }

    fn ids(&self) -> Vec<Option<String>> {
        let ids = self.all.get(1..).unwrap_or_default().concat();
        let unquote = |id: &str| {
            let quoted = |q: char| id.strip_prefix(q).and_then(|s| s.strip_suffix(q));
            quoted('"').or_else(|| quoted('\'')).map(str::to_owned)
        };
        ids.split(',').map(unquote).collect()
    }
}

/// `1`, `-1.5`, `'text'`, `"text"`, `true`, `null`, `$name`; `None` for anything else.
fn literal(text: &str, parameters: &Value) -> Result<Option<Value>, Refused> {
    let text = text.trim();
    if let Some(name) = text.strip_prefix('$') {
        let name = name.trim_matches('`');
        let value = parameters.get(name).cloned();
        return value.map(Some).ok_or_else(|| Refused::MissingParameter(name.to_owned()));
    }
    let quoted = |q: char| text.strip_prefix(q).and_then(|s| s.strip_suffix(q));
    if let Some(inner) = quoted('\'').or_else(|| quoted('"')) {
        return Ok(Some(v(inner)));
    }
    let known = match text.to_ascii_lowercase().as_str() {
        "null" => Some(Value::Null),
        "true" => Some(v(true)),
        "false" => Some(v(false)),
        _ => None,
    };
    let number = || text.parse::<i64>().map(v).or_else(|_| text.parse::<f64>().map(v)).ok();
    Ok(known.or_else(|| {
        text.starts_with(['-', '.', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9']).then(number).flatten()
    }))
}

/// `RETURN item [AS name], …`: one row of literals and parameters.
fn returning(items: &str, parameters: &Value) -> Result<Program, Refused> {
    let (mut fields, mut row) = (Vec::new(), Vec::new());
    for item in split_outside_quotes(items) {
        let lower = item.to_ascii_lowercase();
        let (expression, name) = match lower.rfind(" as ") {
            Some(at) => (item[..at].trim(), item[at + 4..].trim().trim_matches('`')),
            None => (item.trim(), item.trim()),
        };
        let value = literal(expression, parameters)?;
        row.push(value.ok_or_else(|| Refused::Syntax(expression.to_owned()))?);
        fields.push(name.to_owned());
    }
    Ok(Program::rows(fields, Rows::Fixed(vec![row])))
}

fn split_outside_quotes(text: &str) -> Vec<String> {
    let (mut parts, mut quote) = (vec![String::new()], None);
    for c in text.chars() {
        match quote {
            Some(q) if q == c => quote = None,
            None if c == '\'' || c == '"' => quote = Some(c),
            None if c == ',' => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        if let Some(last) = parts.last_mut() {
            last.push(c);
        }
    }
    parts
}
