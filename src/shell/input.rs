//! The statement and its parameters, from the command line, files and standard input.
//!
//! Promises that parameters reach the gateway as they were written: no number is rounded on the way.

use std::{
    fs,
    io::{self, IsTerminal as _, Read as _},
    path::Path,
};

use super::{failure::Failure, json};
use crate::cli::QueryArgs;

/// The longest statement and the longest parameters, in bytes. A gateway takes no more than that by far.
const MAX_INPUT: u64 = 1024 * 1024 * 1024;

/// The statement.
///
/// # Errors
/// [`Failure::Usage`] if no statement is given, or it cannot be read.
pub(super) fn statement(args: &QueryArgs) -> Result<String, Failure> {
    let (text, origin) = match (&args.statement, &args.file) {
        (Some(statement), _) => (statement.clone(), "the statement".to_owned()),
        (None, Some(file)) if file != Path::new("-") => (read_file(file, "--file")?, file.display().to_string()),
        (None, _) => (standard_input(args)?, "standard input".to_owned()),
    };
    if text.trim().is_empty() {
        let example = "write one after the command, such as boltgate query 'RETURN 1'";
        return Err(Failure::Usage(format!("{origin} is empty; {example}")));
    }
    Ok(text)
}

fn standard_input(args: &QueryArgs) -> Result<String, Failure> {
    if let Some(Some(file)) = &args.embedded
        && file.to_string_lossy().contains(char::is_whitespace)
        && !file.exists()
    {
        let file = file.display();
        return Err(Failure::Usage(format!(
            "there is no statement, because `{file}` after --embedded is the name of a file; write the statement \
             first: boltgate query '{file}' --embedded"
        )));
    }
    if io::stdin().is_terminal() {
        eprintln!("Type a statement, then press Ctrl-D.");
    }
    read(io::stdin().lock()).map_err(|error| Failure::Usage(format!("cannot read standard input: {error}")))
}

fn read_file(file: &Path, flag: &str) -> Result<String, Failure> {
    let read = fs::File::open(file).and_then(read);
    read.map_err(|error| Failure::Usage(format!("{flag}: cannot read {}: {error}", file.display())))
}

fn read(from: impl io::Read) -> io::Result<String> {
    let mut text = String::new();
    if from.take(MAX_INPUT + 1).read_to_string(&mut text)? as u64 > MAX_INPUT {
        return Err(io::Error::other("it is longer than 1 GiB"));
    }
    // Editors of some systems begin files with it.
    Ok(text.strip_prefix('\u{feff}').map_or_else(|| text.clone(), str::to_owned))
}

/// The parameters as the text of a JSON object: those of `--params`, then those of `--param`.
///
/// # Errors
/// [`Failure::Usage`].
pub(super) fn parameters(args: &QueryArgs) -> Result<String, Failure> {
    let mut members: Vec<(String, String)> = Vec::new();
    if let Some(object) = &args.parameter_object {
        let (text, origin) = match object.strip_prefix('@') {
            Some(file) => (read_file(Path::new(file), "--params")?, file),
            None => (object.clone(), "its value"),
        };
        if !text.trim_start().starts_with('{') || !json::is_valid(&text) {
            return Err(Failure::Usage(format!(
                "--params: {origin} is not a JSON object; write one, such as '{{\"name\": \"Ada\"}}', or @FILE"
            )));
        }
        members.extend(json::members(&text).map(|(name, value)| (json::text_of(name), value.to_owned())));
    }
    let from_object = members.len();
    for parameter in &args.parameters {
        let (name, value) = named(parameter)?;
        let known = members.iter_mut().enumerate().find(|(_, (known, _))| *known == name);
        match known {
            None => members.push((name, value)),
            Some((index, _)) if index >= from_object => {
                return Err(Failure::Usage(format!("--param {name} is given twice")));
            }
            Some((_, (_, weaker))) => *weaker = value,
        }
    }
    let members: Vec<String> = members.iter().map(|(name, value)| format!("{}:{value}", json::string(name))).collect();
    Ok(format!("{{{}}}", members.join(",")))
}

/// A parameter's name, and its value as JSON.
fn named(parameter: &str) -> Result<(String, String), Failure> {
    let wrong =
        |reason: &str| Failure::Usage(format!("--param `{parameter}`: {reason}; write NAME=VALUE, such as n=5"));
    let (name, value) = parameter.split_once('=').ok_or_else(|| wrong("it has no `=`"))?;
    if name.is_empty() {
        return Err(wrong("it has no name"));
    }
    if name.starts_with('$') {
        return Err(wrong("names are written without `$` here"));
    }
    let value = if json::is_valid(value) { value.trim().to_owned() } else { json::string(value) };
    Ok((name.to_owned(), value))
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::{Cli, Command};

    fn args(args: &[&str]) -> QueryArgs {
        let parsed = Cli::try_parse_from([&["boltgate", "query"], args].concat()).expect("parses");
        match parsed.command {
            Some(Command::Query(args)) => args,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_parameter_is_json_if_it_can_be_and_else_text() {
        for (given, expected) in [
            ("n=5", r#"{"n":5}"#),
            ("n=123456789012345678901234567890", r#"{"n":123456789012345678901234567890}"#),
            ("n=1.0E5", r#"{"n":1.0E5}"#),
            ("n=Ada", r#"{"n":"Ada"}"#),
            (r#"n="5""#, r#"{"n":"5"}"#),
            ("n=[1, {\"a\":null}]", r#"{"n":[1, {"a":null}]}"#),
            ("n=", r#"{"n":""}"#),
            ("n=a=b\"", r#"{"n":"a=b\""}"#),
            ("a\"b=1", r#"{"a\"b":1}"#),
        ] {
            assert_eq!(parameters(&args(&["x", "--param", given])).expect(given), expected);
        }
    }

    #[test]
    fn parameters_of_an_object_give_way_to_those_with_a_name() {
        let object = r#"{"a": 1, "b": [1.50], "c": "x"}"#;
        let merged = parameters(&args(&["x", "--params", object, "--param", "a=2", "--param", "d=y"]));
        assert_eq!(merged.expect("are good"), r#"{"a":2,"b":[1.50],"c":"x","d":"y"}"#);
        assert_eq!(parameters(&args(&["x"])).expect("are none"), "{}");
    }

    #[test]
    fn faulty_parameters_are_refused_with_what_to_write() {
        for (given, said) in [
            (&["--param", "n"][..], "--param `n`: it has no `=`; write NAME=VALUE, such as n=5"),
            (&["--param", "=1"], "--param `=1`: it has no name; write NAME=VALUE, such as n=5"),
            (&["--param", "$n=1"], "--param `$n=1`: names are written without `$` here; write NAME=VALUE, such as n=5"),
            (&["--param", "n=1", "--param", "n=2"], "--param n is given twice"),
            (
                &["--params", "[1]"],
                "--params: its value is not a JSON object; write one, such as '{\"name\": \"Ada\"}', or @FILE",
            ),
            (&["--params", "@/nowhere"], "--params: cannot read /nowhere: No such file or directory (os error 2)"),
        ] {
            let failure = parameters(&args(&[&["x"], given].concat())).expect_err(said);
            assert_eq!((failure.status(), failure.to_string().as_str()), (2, said));
        }
    }
}
