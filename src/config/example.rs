//! Owns the commented file: what is said about each key and section.
//!
//! Promises a description of every key. May not know what the descriptions are used for.

use std::collections::BTreeMap;

use super::keys::{ANY, join};

/// The commented file with every setting and its default.
pub const EXAMPLE: &str = include_str!("../../config/boltgate.toml");

/// What stands before each line of a section that is only an example.
const COMMENTED_OUT: &str = "#   ";
/// The name of a section that the operator names, in the file.
const NAME: &str = "NAME";

/// The description of each key and each section of the commented file. A section that the operator names is [`ANY`].
pub(super) fn descriptions() -> BTreeMap<String, String> {
    let mut descriptions = BTreeMap::new();
    let (mut section, mut comment) = (String::new(), Vec::new());
    // The comment at the top is about the file.
    let lines = EXAMPLE.lines().skip_while(|line| !line.is_empty()).flat_map(|line| {
        // The header of a section that is commented out ends the comment before it.
        let inner = line.strip_prefix(COMMENTED_OUT);
        [inner.filter(|inner| inner.starts_with('[')).map(|_| ""), Some(inner.unwrap_or(line))]
    });
    let mut outer = None;
    for line in lines.flatten() {
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            section = name.replace(NAME, ANY);
            let text = std::mem::take(&mut comment);
            let text = if text.is_empty() { outer.take().unwrap_or_default() } else { text };
            descriptions.insert(section.clone(), text.join(" "));
        } else if let Some((key, _)) = line.split_once(" = ").filter(|_| !line.starts_with('#')) {
            descriptions.insert(join(&section, key), std::mem::take(&mut comment).join(" "));
        } else if let Some(text) = line.strip_prefix('#').filter(|text| !text.is_empty()) {
            comment.push(text.trim_start());
        } else if !comment.is_empty() {
            outer = Some(std::mem::take(&mut comment));
        }
    }
    descriptions
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::catalogue::KEYS;

    #[test]
    fn every_key_and_section_is_described() {
        let descriptions = descriptions();
        for key in KEYS {
            let (section, _) = key.name.rsplit_once('.').expect("a key is in a section");
            for name in [key.name, section] {
                let text = descriptions.get(name).map_or("", String::as_str);
                assert!(text.ends_with('.') && text.len() > 10, "{name}: {text:?}");
            }
        }
        let text = |key: &str| descriptions[key].as_str();
        assert_eq!(text("server"), "The listener for clients.");
        assert_eq!(text("cors.max_age"), "How long a browser remembers the result of a preflight.");
        assert_eq!(text("auth.issuers.*.issuer"), "The exact `iss` of its tokens. Required.");
        assert!(text("auth.issuers.*").starts_with("Issuers of tokens, any number"), "{}", text("auth.issuers.*"));
        assert!(text("server.listen").starts_with("IP address and port"), "{}", text("server.listen"));
    }
}
