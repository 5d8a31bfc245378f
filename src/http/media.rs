//! Media types: what a request's body is written in, and what its answer is to be written in.

use axum::http::{HeaderMap, HeaderName, header};

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
    pub(super) content_type: String,
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

const TYPES: [(&str, Layout, View); 9] = [
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
        let mut best: Option<(u16, bool, Self)> = None;
        let mut asked = false;
        for range in ranges(headers, &header::ACCEPT)? {
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

/// One media range with its parameters.
struct Range<'a> {
    name: &'a str,
    parameters: Vec<(&'a str, &'a str)>,
    /// In thousandths.
    quality: u16,
}

fn ranges<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Vec<Range<'a>>, Unfit> {
    const MALFORMED: Unfit = Unfit::Malformed("Accept is no list of media types");
    let mut ranges = Vec::new();
    for value in headers.get_all(name) {
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

    fn known(&self) -> Option<(&'static str, Layout, View)> {
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
        Some(Format { layout, view, content_type, statuses: Statuses::QueryApi })
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
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn headers(name: HeaderName, values: &[&str]) -> HeaderMap {
        values.iter().map(|value| (name.clone(), HeaderValue::from_str(value).unwrap())).collect()
    }

    fn accepted(value: &str) -> Result<String, Unfit> {
        Format::accepted(&headers(header::ACCEPT, &[value])).map(|format| format.content_type)
    }

    #[test]
    fn the_best_range_wins() {
        const T: &str = "application/vnd.neo4j.query";
        for (accept, expected) in [
            ("", JSON),
            ("*/*", JSON),
            ("application/*", JSON),
            ("application", JSON),
            (T, T),
            ("APPLICATION/JSON", JSON),
            ("APPLICATION/JSONL", "APPLICATION/JSONL"),
            ("application/vnd.neo4j.query;charset=UTF-8", "application/vnd.neo4j.query;charset=UTF-8"),
            ("application/json, application/vnd.neo4j.query", JSON),
            ("application/vnd.neo4j.query, application/json", T),
            ("*/*, application/vnd.neo4j.query", T),
            ("application/vnd.neo4j.query;q=0.5, application/json;q=0.6", JSON),
            ("application/json;q=0", JSON),
            ("text/html, application/json;q=0.1", JSON),
            ("application/json;charset=UTF-8", "application/json;charset=utf-8"),
            ("application/json; charset=UTF-8;", "application/json;charset=utf-8"),
            ("application/json;foo=bar;q=0.5", "application/json;foo=bar"),
            (
                "application/vnd.neo4j.query.v1.2, application/vnd.neo4j.query.v1.1;q=0.9",
                "application/vnd.neo4j.query.v1.2",
            ),
        ] {
            assert_eq!(accepted(accept).as_deref(), Ok(expected), "{accept}");
        }
    }

    #[test]
    fn what_cannot_be_served_and_what_cannot_be_read() {
        for accept in [
            "text/html",
            "garbage",
            "application/x-ndjson",
            "application/vnd.neo4j.query+jsonl",
            "application/vnd.neo4j.query.v1.3",
        ] {
            assert_eq!(accepted(accept), Err(Unfit::Unsupported), "{accept}");
        }
        for accept in [
            "a/b/c",
            ";",
            "application/json;q=1.5",
            "application/json;q=abc",
            "application/json;q=-1",
            "application/json;q=",
            "application/json;q=0.0001",
        ] {
            assert!(matches!(accepted(accept), Err(Unfit::Malformed(_))), "{accept}");
        }
    }

    #[test]
    fn several_headers_are_one_list() {
        let headers = headers(header::ACCEPT, &["text/html", "application/jsonl"]);
        assert_eq!(Format::accepted(&headers).unwrap().layout, Layout::Lines);
    }

    #[test]
    fn request_bodies() {
        let content = |values: &[&str]| content(&headers(header::CONTENT_TYPE, values));
        assert_eq!(content(&[]), Ok(None));
        assert_eq!(content(&["application/json; charset=latin1"]), Ok(Some(View::Plain)));
        assert_eq!(content(&["application/vnd.neo4j.query.v1.2"]), Ok(Some(View::Typed(TypedVersion::V1_2))));
        assert_eq!(content(&["*/*"]), Ok(Some(View::Plain)));
        for unsupported in ["text/json", "text/plain", "application/jsonl", "application/vnd.neo4j.query.v1.3"] {
            assert_eq!(content(&[unsupported]), Err(Unfit::Unsupported), "{unsupported}");
        }
        for malformed in
            [&[""][..], &["garbage"], &["a/b/c"], &["application/json, text/plain"], &[";foo"], &[JSON, JSON]]
        {
            assert!(matches!(content(malformed), Err(Unfit::Malformed(_))), "{malformed:?}");
        }
    }
}
