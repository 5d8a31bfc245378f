//! Just as much of JSON as it takes to find values in a text without changing them.
//!
//! Numbers and the order of members are the gateway's own; parsing into a tree would lose both. Promises not to fail on
//! texts that are not JSON; what it returns is then of no use.

/// Steps through JSON, byte by byte.
#[derive(Debug, Default, Clone)]
pub(super) struct Scanner {
    /// How many arrays and objects are open.
    depth: usize,
    in_string: bool,
    escaped: bool,
}

impl Scanner {
    /// How many arrays and objects are open.
    pub(super) fn depth(&self) -> usize {
        self.depth
    }

    /// Whether the next byte belongs to a string.
    pub(super) fn in_string(&self) -> bool {
        self.in_string
    }

    /// Steps over `byte`.
    pub(super) fn step(&mut self, byte: u8) {
        if self.in_string {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => self.in_string = false,
                _ => {}
            }
            return;
        }
        match byte {
            b'"' => self.in_string = true,
            b'[' | b'{' => self.depth += 1,
            b']' | b'}' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
    }
}

/// The texts between the brackets of an array or object, split at its commas.
pub(super) fn items(text: &str) -> impl Iterator<Item = &str> {
    let text = text.trim();
    let inner = text.strip_prefix(['[', '{']).and_then(|text| text.strip_suffix([']', '}'])).unwrap_or_default();
    let mut scanner = Scanner::default();
    let at_comma = move |character: char| {
        let is_comma = character == ',' && scanner.depth() == 0 && !scanner.in_string();
        // Whatever is not ASCII has no meaning of its own.
        scanner.step(u8::try_from(character).ok().filter(u8::is_ascii).unwrap_or(b' '));
        is_comma
    };
    let inner = Some(inner.trim()).filter(|inner| !inner.is_empty());
    inner.into_iter().flat_map(move |inner| inner.split(at_comma.clone())).map(str::trim)
}

/// The members of an object: the name, still as JSON, and the text of the value.
pub(super) fn members(object: &str) -> impl Iterator<Item = (&str, &str)> {
    items(object).filter_map(|member| {
        let mut scanner = Scanner::default();
        let colon = member.bytes().position(|byte| {
            let is_colon = byte == b':' && !scanner.in_string();
            scanner.step(byte);
            is_colon
        })?;
        let (name, value) = member.split_at_checked(colon)?;
        Some((name.trim(), value.get(1..)?.trim()))
    })
}

/// The text that a JSON string stands for; anything else stays as it is.
pub(super) fn text_of(value: &str) -> String {
    if !value.starts_with('"') {
        return value.to_owned();
    }
    serde_json::from_str(value).unwrap_or_else(|_| value.to_owned())
}

/// A text as a JSON string.
pub(super) fn string(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Whether a text is JSON. Numbers may be larger than any type.
pub(super) fn is_valid(text: &str) -> bool {
    serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    #[test]
    fn values_keep_their_text() {
        let row = r#"[1, 1.0E300 ,"a,\"]b",{"z":[1,2],"a":null},[],"é,"]"#;
        let found: Vec<_> = items(row).collect();
        assert_eq!(found, ["1", "1.0E300", r#""a,\"]b""#, r#"{"z":[1,2],"a":null}"#, "[]", r#""é,""#]);
        assert_eq!(items("[]").count() + items(" { } ").count(), 0);
        let found: Vec<_> = members(r#"{ "a:b" : {"c":1}, "d":"e:f" }"#).collect();
        assert_eq!(found, [(r#""a:b""#, r#"{"c":1}"#), (r#""d""#, r#""e:f""#)]);
        assert_eq!(text_of(r#""a\u00e9\n""#), "aé\n");
        assert_eq!(text_of("1.50"), "1.50");
        assert!(is_valid("123456789012345678901234567890") && is_valid(" [1] ") && !is_valid("a") && !is_valid(""));
    }

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<i64>().prop_map(Value::from),
            "[\\[\\]{},:\"\\\\ aé]{0,6}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 20, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[,:\"}é]{0,3}", inner, 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn items_are_those_that_a_parser_finds(values in prop::collection::vec(json(), 0..5)) {
            let text = Value::from(values.clone()).to_string();
            let found: Vec<Value> = items(&text).map(|item| serde_json::from_str(item).unwrap()).collect();
            prop_assert_eq!(found, values);
        }

        #[test]
        fn members_are_those_that_a_parser_finds(object in prop::collection::btree_map("[,:\"}é]{0,3}", json(), 0..5)) {
            let text = serde_json::to_string(&object).unwrap();
            let parse = |(name, value): (&str, &str)| (text_of(name), serde_json::from_str(value).unwrap());
            let found: Vec<(String, Value)> = members(&text).map(parse).collect();
            prop_assert_eq!(found, object.into_iter().collect::<Vec<_>>());
        }

        #[test]
        fn texts_that_are_not_json_do_no_harm(text in "[\\[\\]{},:\"\\\\ a1é]{0,30}") {
            items(&text).for_each(drop);
            members(&text).for_each(drop);
            text_of(&text);
        }
    }
}
