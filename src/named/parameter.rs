//! Parameters as their headers describe them: type, bounds, default.

use regex_lite::Regex;

use super::{
    check::{breach, checked, compare},
    types::Type,
};

/// The longest text that a pattern is tried on, in characters: it takes time for each.
const LONGEST_FOR_PATTERN: usize = 4096;

/// A parameter of a query.
#[derive(Debug, Clone)]
pub(super) struct Parameter {
    pub(super) name: String,
    pub(super) kind: Type,
    pub(super) nullable: bool,
    pub(super) description: String,
    pub(super) example: Option<Bound>,
    pub(super) default: Option<Bound>,
    pub(super) bounds: Bounds,
}

/// The bounds of a value. Those of a list are those of its items, but for their number.
#[derive(Debug, Clone, Default)]
pub(super) struct Bounds {
    pub(super) minimum: Option<Bound>,
    pub(super) maximum: Option<Bound>,
    pub(super) min_length: Option<usize>,
    pub(super) max_length: Option<usize>,
    pub(super) pattern: Option<Pattern>,
    pub(super) one_of: Vec<Bound>,
    pub(super) min_items: Option<usize>,
    pub(super) max_items: Option<usize>,
}

/// A value that the header has.
#[derive(Debug, Clone)]
pub(super) struct Bound {
    /// In PackStream, of the parameter's type.
    pub(super) value: Vec<u8>,
    /// For messages.
    pub(super) text: String,
    /// For descriptions.
    pub(super) json: serde_json::Value,
}

/// A pattern that a whole text has to match.
#[derive(Debug, Clone)]
pub(super) struct Pattern {
    pub(super) text: String,
    whole: Regex,
}

impl Pattern {
    /// # Errors
    /// When it is not a regular expression.
    pub(super) fn new(text: &str) -> Result<Self, String> {
        // By itself first: a parenthesis too many would end the group.
        Regex::new(text).map_err(|error| error.to_string())?;
        let whole = Regex::new(&format!("^(?:{text})$")).map_err(|error| error.to_string())?;
        Ok(Self { text: text.to_owned(), whole })
    }

    pub(super) fn matches(&self, text: &str) -> bool {
        self.whole.is_match(text)
    }
}

impl Parameter {
    /// Whether a call may leave it out.
    pub(super) fn is_optional(&self) -> bool {
        self.nullable || self.default.is_some()
    }

    /// Completes the bounds, and says what is wrong with them: a bound that the type does not have, or one that another
    /// breaks.
    pub(super) fn complete(&mut self) -> Result<(), String> {
        let of = self.kind.innermost().clone();
        let is_list = matches!(self.kind, Type::List(_));
        let text = matches!(of, Type::String | Type::Bytes);
        let bounds = &mut self.bounds;
        for (is_given, has, name, needs) in [
            (bounds.minimum.is_some(), of.is_ordered(), "minimum", "numbers, dates and times"),
            (bounds.maximum.is_some(), of.is_ordered(), "maximum", "numbers, dates and times"),
            (bounds.min_length.is_some(), text, "min_length", "string and bytes"),
            (bounds.max_length.is_some(), text, "max_length", "string and bytes"),
            (bounds.pattern.is_some(), of == Type::String, "pattern", "string"),
            (!bounds.one_of.is_empty(), of != Type::Map, "enum", "types other than map"),
            (bounds.min_items.is_some(), is_list, "min_items", "lists"),
            (bounds.max_items.is_some(), is_list, "max_items", "lists"),
        ] {
            if is_given && !has {
                return Err(format!("`{name}` is for {needs}, not for {}; remove it", self.kind));
            }
        }
        if bounds.pattern.is_some() {
            bounds.max_length = Some(bounds.max_length.unwrap_or(LONGEST_FOR_PATTERN).min(LONGEST_FOR_PATTERN));
        }
        let crossed = |least: Option<usize>, most: Option<usize>| matches!((least, most), (Some(l), Some(m)) if l > m);
        let extremes = (bounds.minimum.as_ref(), bounds.maximum.as_ref());
        let is_empty = matches!(extremes, (Some(l), Some(m)) if compare(&l.value, &m.value).is_none_or(|o| o.is_gt()));
        if is_empty || crossed(bounds.min_length, bounds.max_length) || crossed(bounds.min_items, bounds.max_items) {
            return Err("no value is within its bounds, since the lower one is above the upper one".to_owned());
        }
        let one_of = std::mem::take(&mut bounds.one_of);
        let broken = one_of.iter().find_map(|one| breach(&of, bounds, &one.value));
        bounds.one_of = one_of;
        if let Some(broken) = broken {
            return Err(format!("`enum` has a value that breaks the other bounds: {broken}"));
        }
        for (name, value) in [("default", &self.default), ("example", &self.example)] {
            if let Some(fault) = value.as_ref().and_then(|value| checked(self, &value.value).err()) {
                return Err(format!("`{name}` breaks the parameter's own bounds: {}", fault.message));
            }
        }
        Ok(())
    }
}
