//! A JSON document that may end with errors, in its member `errors`.

use crate::shell::{failure::Told, json::Scanner};

/// The member that holds errors, still as JSON.
const MEMBER: &[u8] = br#""errors""#;
/// The most bytes of it that are kept.
const MAX_ERRORS: usize = 64 * 1024;

/// Looks for errors in a document that arrives in parts.
#[derive(Debug, Default)]
pub(super) struct Document {
    scanner: Scanner,
    /// The beginning of the last text at the level of members: a name, or the value of one.
    text: Vec<u8>,
    /// The value of the member.
    errors: Vec<u8>,
    in_errors: bool,
}

impl Document {
    pub(super) fn take(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.step(*byte);
        }
    }

    fn step(&mut self, byte: u8) {
        let (depth, was_in_string) = (self.scanner.depth(), self.scanner.in_string());
        self.scanner.step(byte);
        if self.in_errors {
            if depth == 1 && !was_in_string && matches!(byte, b',' | b'}') {
                self.in_errors = false;
            } else if self.errors.len() < MAX_ERRORS {
                self.errors.push(byte);
            }
            return;
        }
        if depth != 1 {
            return;
        }
        match byte {
            _ if was_in_string || byte == b'"' => {
                if !was_in_string {
                    self.text.clear();
                }
                // One byte more than the name is enough to see that it is another.
                if self.text.len() <= MEMBER.len() {
                    self.text.push(byte);
                }
            }
            b':' => {
                self.in_errors = self.text == MEMBER;
                if self.in_errors {
                    self.errors.clear();
                }
            }
            _ => {}
        }
    }

    /// The first error.
    pub(super) fn told(&self) -> Option<Told> {
        if self.errors.is_empty() {
            return None;
        }
        let errors: Result<Vec<Told>, _> = serde_json::from_slice(&self.errors);
        match errors {
            Ok(errors) => errors.into_iter().next(),
            // It is there, whatever it says.
            Err(_) => Some(Told { code: "errors".to_owned(), message: "the answer names some".to_owned() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(document: &str) -> Option<Told> {
        let mut found = Document::default();
        found.take(document.as_bytes());
        found.told()
    }

    #[test]
    fn only_the_documents_own_errors_count() {
        let error = Told { code: "C".to_owned(), message: "m".to_owned() };
        let list = r#"[{"code":"C","message":"m"}]"#;
        for document in [
            format!(r#"{{"errors":{list}}}"#),
            format!(r#"{{"data":{{"errors":1}}, "errors" : {list} , "x":"errors"}}"#),
            format!(r#"{{"a":"\"errors\":","errors":{list}}}"#),
        ] {
            assert_eq!(told(&document), Some(error.clone()), "{document}");
        }
        for document in [
            "",
            "{}",
            r#"{"errors":[]}"#,
            r#"{"data":{"fields":["errors"],"values":[[{"errors":[1]}]]}}"#,
            r#"{"a":"errors","b":[1]}"#,
            r#"{"errors2":[1],"errors\u0020":[1]}"#,
        ] {
            assert_eq!(told(document), None, "{document}");
        }
        assert_eq!(told(r#"{"errors":{}}"#).map(|told| told.code).as_deref(), Some("errors"));
    }
}
