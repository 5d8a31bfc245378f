//! Comparing an answer with what the page shows of it.
//!
//! In the page `"…"` is any value, `…` in a string any text, `"…": "…"` any further members, and `"$NAME"` a value that
//! is kept under that name.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::document::{Expected, Format};

const ANY: &str = "…";

/// What has been kept, by name.
pub(crate) type Kept = BTreeMap<String, String>;

/// Compares what was printed with what the page shows.
///
/// # Errors
/// The first difference.
pub(crate) fn compare(expected: &Expected, printed: &str) -> Result<Kept, String> {
    let mut kept = Kept::new();
    match expected.format {
        Format::Text => text(expected.text.trim(), printed.trim())?,
        Format::Json => document(expected.text, printed, &mut kept)?,
        Format::Lines => lines(expected.text, printed, &mut kept)?,
        Format::Http => http(expected.text, printed, &mut kept)?,
    }
    Ok(kept)
}

fn document(pattern: &str, printed: &str, kept: &mut Kept) -> Result<(), String> {
    let pattern = serde_json::from_str(pattern).map_err(|error| format!("the page is not JSON: {error}"))?;
    let found = serde_json::from_str(printed).map_err(|error| format!("the answer is not JSON: {error}"))?;
    value("answer", &pattern, &found, kept)
}

fn lines(pattern: &str, printed: &str, kept: &mut Kept) -> Result<(), String> {
    let (wanted, found) = (pattern.lines().count(), printed.lines().count());
    if wanted != found {
        return Err(format!("{found} lines, not {wanted}"));
    }
    pattern.lines().zip(printed.lines()).try_for_each(|(wanted, found)| document(wanted, found, kept))
}

/// A status line, the headers that the page names, and a document.
fn http(pattern: &str, printed: &str, kept: &mut Kept) -> Result<(), String> {
    let printed = printed.replace("\r\n", "\n");
    let split = |whole: &str| whole.split_once("\n\n").map(|(head, body)| (head.to_owned(), body.to_owned()));
    let (wanted, pattern) = split(pattern).ok_or("the page has no empty line behind the headers")?;
    let (head, body) = split(&printed).ok_or("the answer has no headers")?;
    let head: Vec<_> = head.lines().map(str::to_lowercase).collect();
    for line in wanted.lines().map(str::to_lowercase) {
        if !head.iter().any(|found| glob(&line, found)) {
            return Err(format!("no {line:?} among the headers"));
        }
    }
    document(&pattern, &body, kept)
}

fn value(at: &str, pattern: &Value, found: &Value, kept: &mut Kept) -> Result<(), String> {
    match (pattern, found) {
        (Value::String(pattern), _) if pattern == ANY => Ok(()),
        (Value::String(pattern), Value::String(found)) if pattern.starts_with('$') => {
            kept.insert(pattern.trim_start_matches('$').to_owned(), found.clone());
            Ok(())
        }
        (Value::String(pattern), Value::String(found)) => text(pattern, found).map_err(|why| format!("{at}: {why}")),
        (Value::Array(pattern), Value::Array(found)) if pattern.len() == found.len() => {
            let mut pairs = pattern.iter().zip(found).enumerate();
            pairs.try_for_each(|(i, (pattern, found))| value(&format!("{at}[{i}]"), pattern, found, kept))
        }
        (Value::Object(pattern), Value::Object(found)) => object(at, pattern, found, kept),
        _ if pattern == found => Ok(()),
        _ => Err(format!("{at}: {found}, not {pattern}")),
    }
}

fn object(at: &str, pattern: &Map<String, Value>, found: &Map<String, Value>, kept: &mut Kept) -> Result<(), String> {
    for (name, pattern) in pattern.iter().filter(|(name, _)| *name != ANY) {
        let found = found.get(name).ok_or_else(|| format!("{at} has no {name:?}"))?;
        value(&format!("{at}.{name}"), pattern, found, kept)?;
    }
    match found.keys().find(|name| !pattern.contains_key(*name)) {
        Some(name) if !pattern.contains_key(ANY) => Err(format!("{at} has {name:?} too: {}", found[name])),
        _ => Ok(()),
    }
}

fn text(pattern: &str, found: &str) -> Result<(), String> {
    if glob(pattern, found) { Ok(()) } else { Err(format!("{found:?}, not {pattern:?}")) }
}

/// Whether `found` is `pattern`, each `…` of which is any text.
fn glob(pattern: &str, found: &str) -> bool {
    let Some((first, rest)) = pattern.split_once(ANY) else { return pattern == found };
    let Some(mut found) = found.strip_prefix(first) else { return false };
    let mut pieces: Vec<_> = rest.split(ANY).collect();
    let last = pieces.pop().unwrap_or_default();
    for piece in pieces {
        let Some((_, behind)) = found.split_once(piece) else { return false };
        found = behind;
    }
    found.ends_with(last)
}

mod without_servers {
    use super::*;

    #[test]
    fn rejects_differences_the_page_does_not_allow() {
        let differs = |pattern: &str, printed: &str| document(pattern, printed, &mut Kept::new()).is_err();
        let a = r#"{"a": [1, "x…z"], "b": "…"}"#;
        assert!(!differs(a, r#"{"b": {}, "a": [1, "xyz"]}"#));
        for other in [
            r#"{"a": [1, "xyz"]}"#,
            r#"{"a": [1.0, "xyz"], "b": 1}"#,
            r#"{"a": [1], "b": 1}"#,
            r#"{"a": [1, "xy"], "b": 1}"#,
            r#"{"a": [1, "xyz"], "b": 1, "c": 1}"#,
            r#"{"a": [1, "xyz"], "b": 1"#,
        ] {
            assert!(differs(a, other), "{other}");
        }
        let open = r#"{"a": 1, "…": "…"}"#;
        assert!(!differs(open, r#"{"a": 1, "b": 2}"#) && differs(open, r#"{"b": 2}"#) && differs(open, r#"{"a": 2}"#));
        let mut kept = Kept::new();
        assert_eq!(document(r#"{"id": "$TX"}"#, r#"{"id": "7"}"#, &mut kept), Ok(()));
        assert_eq!(kept["TX"], "7");
        assert!(glob("a…b…c", "a1b2c") && glob("…", "") && !glob("a…b…c", "a1c2b") && !glob("ab…bc", "abc"));
        let answer = "HTTP/1.1 202 Accepted\r\nA: 1\r\n\r\n{}";
        assert_eq!(http("HTTP/1.1 202 Accepted\na: 1\n\n{}", answer, &mut kept), Ok(()));
        assert!(http("a: 2\n\n{}", answer, &mut kept).is_err() && http("a: 1\n\n[]", answer, &mut kept).is_err());
        assert!(lines("{}\n{}", "{}\n", &mut kept).is_err());
    }
}
