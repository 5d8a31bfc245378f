//! The folder of named queries: which of its files are queries.

use std::{collections::HashMap, fs, path::Path};

use super::{
    file::{self, FileError},
    query::Query,
};

/// The end of the names of files.
const EXTENSION: &str = ".cypher";
/// The longest name of a query.
const LONGEST: usize = 64;
/// The longest file, in bytes.
const LARGEST: u64 = 1024 * 1024;

/// The names of the tools that the gateway itself offers agents.
pub const TOOLS: [&str; 3] = ["get_schema", "read_cypher", "write_cypher"];

/// Reads all files of a folder, sorted by name.
///
/// # Errors
/// Everything that is wrong with any of them.
pub(super) fn read(directory: &Path) -> Result<Vec<Query>, Vec<FileError>> {
    let unreadable = |path: &Path, message: String| FileError { file: path.display().to_string(), line: 1, message };
    let entries = fs::read_dir(directory).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let mut entries = entries
        .map_err(|error| vec![unreadable(directory, format!("cannot read the folder (named.directory): {error}"))])?;
    entries.sort_by_key(fs::DirEntry::file_name);
    let (mut queries, mut mistakes) = (Vec::new(), Vec::new());
    for entry in entries {
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        if name.starts_with('.') {
            continue;
        }
        let Some(name) = name.strip_suffix(EXTENSION).filter(|name| is_name(name)) else {
            let message = format!(
                "is not the file of a query; name it with 1 to {LONGEST} of a-z, 0-9, - and _, the first a letter or a \
                 digit, and {EXTENSION} at the end, such as films-of.cypher, or begin its name with a dot"
            );
            mistakes.push(unreadable(&path, message));
            continue;
        };
        match text(&path) {
            Ok(text) => match file::read(name, &path.display().to_string(), &text) {
                Ok(query) => queries.push(query),
                Err(wrong) => mistakes.extend(wrong),
            },
            Err(message) => mistakes.push(unreadable(&path, message)),
        }
    }
    mistakes.extend(twins(&queries));
    mistakes.extend(queries.iter().filter_map(hidden_tool));
    if mistakes.is_empty() { Ok(queries) } else { Err(mistakes) }
}

/// Queries whose names differ only in `-` and `_`: where names have no `-`, they would be one.
fn twins(queries: &[Query]) -> Vec<FileError> {
    let mut known = HashMap::new();
    let mut mistakes = Vec::new();
    for query in queries {
        if let Some(other) = known.insert(query.tool_name(), &query.name) {
            let message = format!("differs from {other}{EXTENSION} only in - and _; give one of them another name");
            mistakes.push(FileError { file: query.file.clone(), line: 1, message });
        }
    }
    mistakes
}

/// What is wrong with a query that agents could not call, because a tool of the gateway has its name.
fn hidden_tool(query: &Query) -> Option<FileError> {
    let is_hidden = query.mcp && TOOLS.contains(&query.tool_name().as_str());
    let message = format!(
        "`mcp` is set, but {} is the name of a tool that the gateway has itself; give the query another name",
        query.tool_name()
    );
    is_hidden.then(|| FileError { file: query.file.clone(), line: 1, message })
}

fn text(path: &Path) -> Result<String, String> {
    let read = |error| format!("cannot be read: {error}");
    if fs::metadata(path).map_err(read)?.len() > LARGEST {
        return Err(format!("is larger than {LARGEST} bytes; keep large data out of statements"));
    }
    let bytes = fs::read(path).map_err(read)?;
    String::from_utf8(bytes).map_err(|_| "is not UTF-8".to_owned())
}

fn is_name(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    (1..=LONGEST).contains(&name.len())
        && name.starts_with(|first: char| first.is_ascii_lowercase() || first.is_ascii_digit())
        && name.bytes().all(|byte| fits(byte) || matches!(byte, b'-' | b'_'))
}
