//! Media types: what a request's body is written in, and what its answer is to be written in.

use std::borrow::Cow;

use axum::http::{
    HeaderMap, HeaderValue,
    header::{self, GetAll},
};

use super::status::Statuses;
use crate::json::{TypedVersion, View};

/// How an answer is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// One JSON document.
    Document,
    /// One JSON object a line.
    Lines,
}

/// The media type of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Format {
    pub(super) layout: Layout,
    pub(super) view: View,
    /// As it goes into `Content-Type`: with the parameters that the client asked for, and no others.
    pub(super) content_type: Cow<'static, str>,
    /// Which statuses errors get.
    pub(super) statuses: Statuses,
}

/// Why a header does not do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unfit {
    /// It is no list of media ranges.
    Malformed(&'static str),
    /// None of it is spoken here: 406 for `Accept`, 415 for `Content-Type`.
    Unsupported,
}

pub(super) const JSON: &str = "application/json";

/// A name of ours, and what it stands for.
type Type = (&'static str, Layout, View);

const TYPES: [Type; 9] = [
    (JSON, Layout::Document, View::Plain),
    ("application/vnd.neo4j.query", Layout::Document, View::Typed(TypedVersion::V1_0)),
    ("application/vnd.neo4j.query.v1.0", Layout::Document, View::Typed(TypedVersion::V1_0)),
    ("application/vnd.neo4j.query.v1.1", Layout::Document, View::Typed(TypedVersion::V1_1)),
    ("application/vnd.neo4j.query.v1.2", Layout::Document, View::Typed(TypedVersion::V1_2)),
    ("application/jsonl", Layout::Lines, View::Plain),
    ("application/vnd.neo4j.query.v1.0+jsonl", Layout::Lines, View::Typed(TypedVersion::V1_0)),
    ("application/vnd.neo4j.query.v1.1+jsonl", Layout::Lines, View::Typed(TypedVersion::V1_1)),
    ("application/vnd.neo4j.query.v1.2+jsonl", Layout::Lines, View::Typed(TypedVersion::V1_2)),
];

impl Format {
    /// Plain JSON in one document: what those get who ask for nothing.
    pub(super) fn plain() -> Self {
        Self { layout: Layout::Document, view: View::Plain, content_type: JSON.into(), statuses: Statuses::QueryApi }
    }

    /// The format that `Accept` asks for: the highest `q`, then what is concrete, then what comes first. As on
    /// Neo4j, `q=0` excludes nothing.
    ///
    /// # Errors
    /// [`Unfit`].
    pub(super) fn accepted(headers: &HeaderMap) -> Result<Self, Unfit> {
        let values = headers.get_all(header::ACCEPT);
        match the_only(&values).and_then(Self::exactly) {
            Some(format) => Ok(format),
            None => Self::best(&values),
        }
    }

    /// The only format of a header that is nothing but a name of ours, or anything at all. Most are, and need no parser.
    fn exactly(value: &HeaderValue) -> Option<Self> {
        if value == "*/*" { Some(Self::plain()) } else { exactly(value).map(Self::named) }
    }

    fn named(&(name, layout, view): &Type) -> Self {
        Self { layout, view, content_type: name.into(), statuses: Statuses::QueryApi }
    }

    fn best(values: &GetAll<'_, HeaderValue>) -> Result<Self, Unfit> {
        let mut best: Option<(u16, bool, Self)> = None;
        let mut asked = false;
        for range in ranges(values)? {
            asked = true;
            let Some(format) = range.format() else {
                continue;
            };
            let rank = (range.quality, !range.is_wildcard());
            if best.as_ref().is_none_or(|(quality, concrete, _)| rank > (*quality, *concrete)) {
                best = Some((rank.0, rank.1, format));
            }
        }
        match best {
            Some((_, _, format)) => Ok(format),
            None if asked => Err(Unfit::Unsupported),
            None => Ok(Self::plain()),
        }
    }
}

/// What the body is written in: `None` when the header is missing.
///
/// # Errors
/// [`Unfit`].
pub(super) fn content(headers: &HeaderMap) -> Result<Option<View>, Unfit> {
    let mut values = headers.get_all(header::CONTENT_TYPE).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(Unfit::Malformed("Content-Type is given twice"));
    }
    match exactly(value) {
        Some((_, Layout::Document, view)) => Ok(Some(*view)),
        _ => content_range(value),
    }
}

fn content_range(value: &HeaderValue) -> Result<Option<View>, Unfit> {
    let text = value.to_str().map_err(|_| Unfit::Malformed("Content-Type is not ASCII"))?;
    if text.contains(',') {
        return Err(Unfit::Malformed("Content-Type names more than one type"));
    }
    let range = Range::parse(text).ok_or(Unfit::Malformed("Content-Type is no media type"))?;
    if !range.name.contains('/') {
        return Err(Unfit::Malformed("Content-Type is no media type"));
    }
    if range.is_wildcard() {
        // Neo4j takes whichever reader comes first, and that changes from start to start.
        return Ok(Some(View::Plain));
    }
    match range.known() {
        Some((_, Layout::Document, view)) => Ok(Some(view)),
        Some((_, Layout::Lines, _)) | None => Err(Unfit::Unsupported),
    }
}

/// What the lines of a streamed body are written in; `None` when it is no such body.
pub(super) fn lines_content(headers: &HeaderMap) -> Option<View> {
    let range = Range::parse(headers.get(header::CONTENT_TYPE)?.to_str().ok()?)?;
    if range.name.eq_ignore_ascii_case("application/x-ndjson") {
        return Some(View::Plain);
    }
    range.known().filter(|(_, layout, _)| *layout == Layout::Lines).map(|(.., view)| view)
}

/// The type whose name is all that a header says.
fn exactly(value: &HeaderValue) -> Option<&'static Type> {
    TYPES.iter().find(|(name, ..)| value == name)
}

fn the_only<'a>(values: &GetAll<'a, HeaderValue>) -> Option<&'a HeaderValue> {
    let mut values = values.iter();
    values.next().filter(|_| values.next().is_none())
}

/// One media range with its parameters.
struct Range<'a> {
    name: &'a str,
    parameters: Vec<(&'a str, &'a str)>,
    /// In thousandths.
    quality: u16,
}

fn ranges<'a>(values: &'a GetAll<'_, HeaderValue>) -> Result<Vec<Range<'a>>, Unfit> {
    const MALFORMED: Unfit = Unfit::Malformed("Accept is no list of media types");
    let mut ranges = Vec::new();
    for value in values {
        let text = value.to_str().map_err(|_| MALFORMED)?;
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            ranges.push(Range::parse(part).ok_or(MALFORMED)?);
        }
    }
    Ok(ranges)
}

impl<'a> Range<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.split(';').map(str::trim);
        let name = parts.next().filter(|name| !name.is_empty())?;
        if name.split('/').count() > 2 || name.split('/').any(|part| !is_token(part)) {
            return None;
        }
        let mut range = Self { name, parameters: Vec::new(), quality: 1000 };
        for parameter in parts.filter(|parameter| !parameter.is_empty()) {
            let (key, value) = parameter.split_once('=')?;
            let (key, value) = (key.trim(), value.trim());
            if key.eq_ignore_ascii_case("q") {
                range.quality = quality(value)?;
            } else {
                range.parameters.push((key, value));
            }
        }
        Some(range)
    }

    fn is_wildcard(&self) -> bool {
        self.name == "*/*" || self.name.eq_ignore_ascii_case("application/*") || self.is_bare_application()
    }

    /// Some clients say no more than this, and Neo4j reads it as `application/*`.
    fn is_bare_application(&self) -> bool {
        self.name.eq_ignore_ascii_case("application") || self.name == "*"
    }

    fn known(&self) -> Option<Type> {
        TYPES.into_iter().find(|(name, ..)| name.eq_ignore_ascii_case(self.name))
    }

    fn format(&self) -> Option<Format> {
        if self.is_wildcard() {
            return Some(Format::plain());
        }
        let (name, layout, view) = self.known()?;
        // As the client spelled it, save for plain JSON, whose name and charset come back in small letters.
        let mut content_type = if name == JSON { name } else { self.name }.to_owned();
        for (key, value) in &self.parameters {
            let fold = name == JSON && key.eq_ignore_ascii_case("charset");
            let value = if fold { value.to_ascii_lowercase() } else { (*value).to_owned() };
            content_type.extend([";", key, "=", &value]);
        }
        Some(Format { layout, view, content_type: content_type.into(), statuses: Statuses::QueryApi })
    }
}

/// A weight from 0 to 1 with at most three decimals, in thousandths.
fn quality(text: &str) -> Option<u16> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let plain = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    if !matches!(whole, "0" | "1") || decimals.len() > 3 || !plain(decimals) {
        return None;
    }
    let thousandths: u16 = format!("{whole}{decimals:0<3}").parse().ok()?;
    (thousandths <= 1000).then_some(thousandths)
}

fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

#[cfg(test)]
mod tests;
