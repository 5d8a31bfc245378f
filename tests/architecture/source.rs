//! Source files, read for what they import.
//!
//! Owns just as much of Rust's grammar as that takes: words and signs, without comments, literals and what is compiled
//! for tests only. Knows nothing of what is allowed.

use std::{collections::BTreeSet, fs, path::Path};

/// What a file imports, its tests left out.
pub(crate) struct Source {
    /// Below `src`.
    pub(crate) file: String,
    /// The first part of its path.
    pub(crate) room: String,
    /// Paths into this crate, without `crate::`.
    pub(crate) imports: BTreeSet<String>,
    /// What other crates could be: the beginnings of all other paths.
    pub(crate) crates: BTreeSet<String>,
    /// All words.
    pub(crate) words: BTreeSet<String>,
    /// Whether it begins with what it is for.
    pub(crate) explained: bool,
}

/// All files of `src`, but for those of tests.
pub(crate) fn read_all() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&root, &root, &mut files);
    // A module that its parent has for tests only is theirs with all that is below it.
    let of_tests: Vec<String> = files.iter().flat_map(|(file, text)| test_modules(file, text)).collect();
    files.retain(|(file, _)| {
        let module = module_path(file).join("/");
        let below =
            |test: &String| module.strip_prefix(test).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        !file.ends_with("_tests.rs") && !of_tests.iter().any(below)
    });
    files.sort();
    files.iter().map(|(file, text)| Source::of(file, text)).collect()
}

fn collect(root: &Path, folder: &Path, files: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).expect("the folder can be read") {
        let path = entry.expect("the folder can be read").path();
        if path.is_dir() {
            collect(root, &path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.strip_prefix(root).expect("it is below").to_str().expect("names are text").to_owned();
            files.push((name, fs::read_to_string(&path).expect("the file can be read")));
        }
    }
}

/// `["bolt", "connection"]` of `bolt/connection/mod.rs`.
fn module_path(file: &str) -> Vec<&str> {
    let path = file.trim_end_matches(".rs");
    path.strip_suffix("/mod").unwrap_or(path).split('/').collect()
}

/// The modules that `file` declares for tests only, as paths with slashes.
fn test_modules(file: &str, text: &str) -> Vec<String> {
    let (_, items) = without_tests(&words(text));
    let of_item = |item: &Vec<String>| match &item[..] {
        [keyword, name, end] if keyword == "mod" && end == ";" => {
            Some([module_path(file).join("/"), name.clone()].join("/"))
        }
        _ => None,
    };
    items.iter().filter_map(of_item).collect()
}

impl Source {
    /// Reads the text of `file`, which is named from `src` on.
    pub(crate) fn of(file: &str, text: &str) -> Self {
        let path = module_path(file);
        let (words, _) = without_tests(&words(text));
        let mut source = Self {
            file: file.to_owned(),
            room: path[0].to_owned(),
            imports: BTreeSet::new(),
            crates: BTreeSet::new(),
            words: words.iter().cloned().collect(),
            explained: text.starts_with("//!"),
        };
        // Modules within the file, by the braces that were open when they began.
        let (mut inner, mut open) = (Vec::new(), 0);
        for (at, word) in words.iter().enumerate() {
            let behind = &words[at + 1..];
            match word.as_str() {
                "{" => open += 1,
                "}" => open -= 1,
                _ => {}
            }
            if word == "}" && inner.last() == Some(&open) {
                inner.pop();
            }
            if word == "mod" && behind.get(1).is_some_and(|brace| brace == "{") {
                inner.push(open);
            }
            let begins = behind.first().is_some_and(|sign| sign == "::") && (at == 0 || words[at - 1] != "::");
            if !begins {
                continue;
            }
            match word.as_str() {
                "crate" => tree(&[], &behind[1..], &mut source.imports),
                "boltgate" if source.room == "main" => tree(&[], &behind[1..], &mut source.imports),
                "super" => {
                    let climbs = behind.chunks(2).take_while(|pair| pair == &["::", "super"]).count();
                    let depth = (path.len() + inner.len()).saturating_sub(1 + climbs).min(path.len());
                    tree(&path[..depth], &behind[1 + 2 * climbs..], &mut source.imports);
                }
                other => {
                    source.crates.insert(other.to_owned());
                }
            }
        }
        source
    }
}

/// Adds every path of a tree like `a::{b, c::d}` below `base`.
fn tree(base: &[&str], words: &[String], paths: &mut BTreeSet<String>) {
    let mut rest = words;
    branch(base, &mut rest, paths);
}

fn branch(base: &[&str], rest: &mut &[String], paths: &mut BTreeSet<String>) {
    let mut path: Vec<String> = base.iter().map(|&part| part.to_owned()).collect();
    while let Some((word, behind)) = rest.split_first() {
        *rest = behind;
        if word == "{" {
            let base: Vec<&str> = path.iter().map(String::as_str).collect();
            while rest.first().is_some_and(|word| word != "}") {
                branch(&base, rest, paths);
                // An `as name`, and the comma.
                while rest.first().is_some_and(|word| word != "}" && word != ",") {
                    *rest = &rest[1..];
                }
                if rest.first().is_some_and(|word| word == ",") {
                    *rest = &rest[1..];
                }
            }
            *rest = rest.get(1..).unwrap_or_default();
            return;
        }
        // `a::{self}` is `a`.
        if word != "self" {
            path.push(word.clone());
        }
        match rest.first() {
            Some(sign) if sign == "::" && rest.get(1).is_some_and(|next| next != "<") => *rest = &rest[1..],
            _ => break,
        }
    }
    if !path.is_empty() {
        paths.insert(path.join("::"));
    }
}

/// The words without the items marked `#[cfg(test)]`, and those items without the mark.
fn without_tests(words: &[String]) -> (Vec<String>, Vec<Vec<String>>) {
    const MARK: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];
    let (mut kept, mut items, mut at) = (Vec::new(), Vec::new(), 0);
    while at < words.len() {
        if words[at..].iter().take(MARK.len()).eq(&MARK) {
            let start = at + MARK.len();
            let mut open = 0;
            at = start;
            while at < words.len() {
                match words[at].as_str() {
                    "{" => open += 1,
                    "}" => open -= 1,
                    _ => {}
                }
                at += 1;
                if open == 0 && matches!(words[at - 1].as_str(), "}" | ";") {
                    break;
                }
            }
            items.push(words[start..at].to_vec());
        } else {
            kept.push(words[at].clone());
            at += 1;
        }
    }
    (kept, items)
}

/// Words, `::` and single signs; no comments and no literals.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            block_comment(rest)
        } else if let Some(literal) = literal(rest) {
            literal
        } else if first.is_alphanumeric() || first == '_' {
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            words.push(rest[..end].to_owned());
            end
        } else {
            let sign = if rest.starts_with("::") { 2 } else { first.len_utf8() };
            if !first.is_whitespace() {
                words.push(rest[..sign].to_owned());
            }
            sign
        };
        rest = &rest[length..];
    }
    words
}

fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    loop {
        let rest = &text[at..];
        let step = if rest.starts_with("/*") {
            depth += 1;
            2
        } else if rest.starts_with("*/") {
            depth -= 1;
            2
        } else {
            rest.chars().next().map_or(0, char::len_utf8)
        };
        at += step;
        if depth == 0 || step == 0 {
            return at;
        }
    }
}

/// How long the string, character or lifetime is that begins here, if one does.
fn literal(text: &str) -> Option<usize> {
    let prefix = ["br", "cr", "r", "b", "c", ""].into_iter().find(|prefix| {
        let rest = text.strip_prefix(prefix);
        rest.is_some_and(|rest| rest.starts_with(['"', '\'']) || (prefix.ends_with('r') && rest.starts_with("#")))
    })?;
    let body = &text[prefix.len()..];
    if prefix.ends_with('r') {
        let signs = body.len() - body.trim_start_matches('#').len();
        // A raw name such as `r#type` is none.
        let inside = body[signs..].strip_prefix('"')?;
        let end = format!("\"{}", "#".repeat(signs));
        return Some(prefix.len() + signs + 1 + inside.find(&end)? + end.len());
    }
    let quote = body.chars().next()?;
    let mut characters = body.char_indices().skip(1);
    if quote == '\'' {
        // `'a` without a quote behind it is a lifetime.
        let (_, second) = characters.clone().next()?;
        let (_, third) = characters.clone().nth(1)?;
        if second != '\\' && third != '\'' {
            return Some(prefix.len() + 1);
        }
    }
    while let Some((at, character)) = characters.next() {
        if character == '\\' {
            characters.next();
        } else if character == quote {
            return Some(prefix.len() + at + 1);
        }
    }
    None
}
