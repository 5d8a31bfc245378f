//! Parameters from a query string.

use std::borrow::Cow;

use percent_encoding::percent_decode;

use super::{check::Fault, json::Slots, parameter::Parameter, query::Query, types::Type};
use crate::bolt::packstream::Writer;

impl Query {
    /// The parameters in a query string (`application/x-www-form-urlencoded`), as a map in PackStream. A list is its
    /// name repeated; what is left out has its default, or is null.
    ///
    /// # Errors
    /// All faults, in the header's order.
    pub fn parameters_from_query_string(&self, text: &str) -> Result<Vec<u8>, Vec<Fault>> {
        let mut texts: Vec<Vec<Option<Cow<'_, str>>>> = vec![Vec::new(); self.parameters.len()];
        let mut slots = Slots::new(&self.parameters);
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = decoded(name);
            let at = self.parameters.iter().position(|parameter| name.as_deref() == Some(&parameter.name));
            match at.and_then(|at| texts.get_mut(at)) {
                Some(texts) => texts.push(decoded(value)),
                None => slots.unknown(name.as_deref().unwrap_or("not UTF-8")),
            }
        }
        for (at, (parameter, texts)) in self.parameters.iter().zip(texts).enumerate() {
            if texts.is_empty() {
                continue;
            }
            if texts.len() > 1 && !matches!(parameter.kind, Type::List(_)) {
                slots.twice(at);
                continue;
            }
            match raw(parameter, &texts) {
                Some(raw) => slots.give(at, &raw),
                None => slots.fault(at, "the value is not UTF-8"),
            }
        }
        slots.finish()
    }
}

/// A name or a value; `None` if it is not UTF-8.
fn decoded(text: &str) -> Option<Cow<'_, str>> {
    let spaced: Cow<'_, str> = if text.contains('+') { text.replace('+', " ").into() } else { text.into() };
    match percent_decode(spaced.as_bytes()).decode_utf8().ok()? {
        Cow::Owned(decoded) => Some(decoded.into()),
        Cow::Borrowed(_) => Some(spaced),
    }
}

/// The values as one value in PackStream.
fn raw(parameter: &Parameter, texts: &[Option<Cow<'_, str>>]) -> Option<Vec<u8>> {
    let mut raw = Vec::new();
    let mut writer = Writer::new(&mut raw);
    if let Type::List(items) = &parameter.kind {
        writer.list(texts.len());
        for text in texts {
            write(items, text.as_deref()?, &mut writer);
        }
    } else if let [text] = texts {
        write(&parameter.kind, text.as_deref()?, &mut writer);
    }
    Some(raw)
}

/// Writes a text as the value that it spells. What spells no value of this type stays text.
fn write(kind: &Type, text: &str, writer: &mut Writer<'_>) {
    match kind {
        Type::Boolean if text == "true" => return writer.boolean(true),
        Type::Boolean if text == "false" => return writer.boolean(false),
        Type::Integer if is_integer(text) => {
            if let Ok(integer) = text.parse() {
                return writer.integer(integer);
            }
        }
        Type::Float if text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte)) => {
            if let Some(float) = text.parse().ok().filter(|float: &f64| float.is_finite()) {
                return writer.float(float);
            }
        }
        _ => {}
    }
    writer.string(text);
}

fn is_integer(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}
