//! Media types: the format of a request's body, and the format of its answer.

mod codings;
mod csv;
mod graph;
mod range;

use std::borrow::Cow;
#[cfg(feature = "arrow")]
use std::sync::Arc;

use axum::http::{
    HeaderMap, HeaderValue,
    header::{self, GetAll},
};

use super::status::Statuses;
#[cfg(feature = "arrow")]
use crate::arrow::Declared;
use crate::{
    json::{TypedVersion, View, output::GraphShape},
    unpack::Coding,
};
pub(super) use codings::accepted_coding;
#[cfg(feature = "console")]
pub(super) use codings::accepts_gzip;
pub(super) use csv::Csv;
pub use csv::Formulas;
use range::{Range, ranges, unquoted};

/// The layout of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// One JSON document.
    Document,
    /// JSON Lines: one event in each line.
    Lines,
    /// NDJSON: one row in each line, as an object.
    Objects,
    /// A record for each row.
    Csv(Csv),
    /// One JSON document with the nodes and relationships of all rows.
    Graph(GraphShape),
    /// An Arrow IPC stream.
    #[cfg(feature = "arrow")]
    Arrow,
    /// The records of a named query, in plain JSON. Its own file chooses that, and not `Accept`.
    Records(Records),
}

/// How the records of a named query look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Records {
    /// An array of objects.
    All,
    /// The only one, an object.
    Only,
    /// The first value of the only one.
    Value,
}

/// The format of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Format {
    pub(super) layout: Layout,
    pub(super) view: View,
    /// The value of `Content-Type`, with the parameters that the client asked for, and no others.
    pub(super) content_type: Cow<'static, str>,
    /// The statuses that errors get.
    pub(super) statuses: Statuses,
    /// What the request says of an Arrow stream's schema.
    #[cfg(feature = "arrow")]
    pub(super) arrow: Option<Arc<Declared>>,
}

/// Why a header cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unfit {
    /// It is not a list of media ranges.
    Malformed(&'static str),
    /// It names no supported type: 406 for `Accept`, 415 for `Content-Type`.
    Unsupported,
}

pub(super) const JSON: &str = "application/json";

/// A media type, and the view of values in it.
type Type = (&'static str, View);

/// JSON documents, for request bodies and answers.
const DOCUMENTS: [Type; 5] = [
    (JSON, View::Plain),
    ("application/vnd.neo4j.query", View::Typed(TypedVersion::V1_0)),
    ("application/vnd.neo4j.query.v1.0", View::Typed(TypedVersion::V1_0)),
    ("application/vnd.neo4j.query.v1.1", View::Typed(TypedVersion::V1_1)),
    ("application/vnd.neo4j.query.v1.2", View::Typed(TypedVersion::V1_2)),
];

/// JSON Lines, for the bodies of bulk loads and for answers.
const LINES: [Type; 4] = [
    ("application/jsonl", View::Plain),
    ("application/vnd.neo4j.query.v1.0+jsonl", View::Typed(TypedVersion::V1_0)),
    ("application/vnd.neo4j.query.v1.1+jsonl", View::Typed(TypedVersion::V1_1)),
    ("application/vnd.neo4j.query.v1.2+jsonl", View::Typed(TypedVersion::V1_2)),
];

/// Other names for plain JSON Lines, for the bodies of bulk loads.
const LINE_NAMES: [&str; 4] =
    ["application/x-ndjson", "application/ndjson", "application/jsonlines", "application/x-jsonlines"];

/// The types of answers, by layout.
const ANSWERS: &[(Layout, &[Type])] = &[
    (Layout::Document, &DOCUMENTS),
    (Layout::Lines, &LINES),
    (Layout::Objects, &[("application/x-ndjson", View::Plain)]),
    (Layout::Csv(Csv::DEFAULT), &[("text/csv", View::Plain)]),
    (Layout::Graph(GraphShape::Lists), &[(graph::NAME, View::Plain)]),
    #[cfg(feature = "arrow")]
    (Layout::Arrow, &[("application/vnd.apache.arrow.stream", View::Plain)]),
];

/// Which answers a route can give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Offer {
    /// Those that can say anything.
    Events,
    /// Also those of rows alone, and graphs.
    Rows,
}

impl Offer {
    fn has(self, layout: Layout) -> bool {
        self == Self::Rows || !layout.is_rows_alone()
    }

    /// The names of the types, as a list for people.
    pub(super) fn names(self) -> String {
        names(ANSWERS.iter().filter(|(layout, _)| self.has(*layout)).flat_map(|(_, types)| *types))
    }
}

impl Layout {
    /// Whether an answer is made of the rows of one result, and can say nothing without them: an error in their place is
    /// plain JSON.
    pub(super) fn is_rows_alone(self) -> bool {
        match self {
            Self::Document | Self::Lines => false,
            Self::Objects | Self::Csv(_) | Self::Graph(_) | Self::Records(_) => true,
            #[cfg(feature = "arrow")]
            Self::Arrow => true,
        }
    }
}

/// Whether `Accept` prefers a page for people to every format of answers. Old Java clients, which alone write a bare `*`,
/// name HTML first although they are programs.
pub(super) fn prefers_page(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::ACCEPT);
    let Ok(ranges) = ranges(&values) else { return false };
    let best = |wanted: fn(&Range<'_>) -> bool| {
        ranges.iter().filter(|range| wanted(range)).map(|range| (range.quality, !range.is_wildcard())).max()
    };
    let page = best(|range| range.is("text/html")).filter(|(quality, _)| *quality > 0);
    page > best(|range| matches!(range.format(Offer::Rows), Ok(Some(_))))
        && !ranges.iter().any(|range| range.name == "*")
}

/// The names of the types that bodies can have, as a list for people; with those of bulk loads if `loads` are accepted.
pub(super) fn bodies(loads: bool) -> String {
    let documents = names(&DOCUMENTS);
    if loads { format!("{documents}; for a bulk load {}, {}", LINE_NAMES.join(", "), names(&LINES)) } else { documents }
}

fn names<'a>(types: impl IntoIterator<Item = &'a Type>) -> String {
    let names = types.into_iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    // Nearly everybody wants the first.
    names.replacen("application/json, ", "application/json, or one of ", 1)
}

/// The first type on offer whose name is wanted, and its layout.
fn answer(offer: Offer, is_wanted: impl Fn(&str) -> bool) -> Option<(Layout, &'static Type)> {
    let offered = ANSWERS.iter().filter(|(layout, _)| offer.has(*layout));
    offered.into_iter().find_map(|(layout, types)| Some((*layout, types.iter().find(|(name, _)| is_wanted(name))?)))
}

impl Format {
    /// Plain JSON in one document, the default.
    pub(super) fn plain() -> Self {
        Self {
            layout: Layout::Document,
            view: View::Plain,
            content_type: JSON.into(),
            statuses: Statuses::QueryApi,
            #[cfg(feature = "arrow")]
            arrow: None,
        }
    }

    /// Whether it is plain JSON in one document, by whatever name.
    pub(super) fn is_plain(&self) -> bool {
        self.layout == Layout::Document && self.view == View::Plain
    }

    /// The format that `Accept` asks for. The range with the highest `q` wins; among equals a concrete one, then the
    /// first. As on Neo4j, `q=0` excludes nothing.
    ///
    /// # Errors
    /// [`Unfit`] if the header cannot be read, or names no type on offer.
    pub(super) fn accepted(headers: &HeaderMap, offer: Offer) -> Result<Self, Unfit> {
        let values = headers.get_all(header::ACCEPT);
        match the_only(&values).and_then(|value| Self::exactly(value, offer)) {
            Some(format) => Ok(format),
            None => Self::best(&values, offer),
        }
    }

    /// What CSV does with formulas, unless the request says.
    pub(super) fn set_formulas(&mut self, formulas: Formulas) {
        if let Layout::Csv(csv) = &mut self.layout {
            csv.formulas.get_or_insert(formulas);
            self.content_type = csv.content_type().into();
        }
    }

    /// What the request says of an Arrow stream's schema.
    #[cfg(feature = "arrow")]
    pub(super) fn declare(&mut self, declared: Declared) {
        self.arrow = Some(Arc::new(declared));
    }

    /// The format of errors, which are JSON where the format has no place for them.
    pub(super) fn of_errors(self) -> Self {
        if self.layout.is_rows_alone() { Self { statuses: self.statuses, ..Self::plain() } } else { self }
    }

    /// The format of a header that consists of one supported name or `*/*`. Most headers do, and need no parser.
    fn exactly(value: &HeaderValue, offer: Offer) -> Option<Self> {
        if value == "*/*" {
            return Some(Self::plain());
        }
        let (layout, &(name, view)) = answer(offer, |name| value == name)?;
        let content_type = match layout {
            Layout::Csv(csv) => csv.content_type().into(),
            _ => name.into(),
        };
        Some(Self { layout, view, content_type, ..Self::plain() })
    }

    fn best(values: &GetAll<'_, HeaderValue>, offer: Offer) -> Result<Self, Unfit> {
        let mut best: Option<(u16, bool, Self)> = None;
        let mut asked = false;
        for range in ranges(values)? {
            asked = true;
            let Some(format) = range.format(offer)? else {
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

/// The content type of an answer that can be nothing but plain JSON, with the parameters that `Accept` asks for.
///
/// # Errors
/// What the header asks for instead, without parameters; nothing if it cannot be read.
pub(super) fn json_accepted(headers: &HeaderMap) -> Result<Cow<'static, str>, String> {
    let values = headers.get_all(header::ACCEPT);
    if the_only(&values).is_none_or(|value| value == JSON || value == "*/*") && values.iter().count() <= 1 {
        return Ok(JSON.into());
    }
    let ranges = ranges(&values).map_err(|_| String::new())?;
    let Some(first) = ranges.first() else { return Ok(JSON.into()) };
    let fitting = ranges.iter().filter(|range| range.is(JSON) || range.is_wildcard()).max_by_key(|range| range.quality);
    let format = fitting.and_then(|range| range.format(Offer::Events).ok().flatten());
    format.map(|format| format.content_type).ok_or_else(|| first.name.to_owned())
}

/// Whether a body is plain JSON, whatever its parameters.
pub(super) fn is_json(headers: &HeaderMap) -> bool {
    let value = the_only(&headers.get_all(header::CONTENT_TYPE)).and_then(|value| value.to_str().ok());
    value.and_then(Range::parse).is_some_and(|range| range.is(JSON))
}

/// The view of values in a request's body; `None` if the header is missing.
///
/// # Errors
/// [`Unfit`] if the header cannot be read, or names no supported type.
pub(super) fn content(headers: &HeaderMap) -> Result<Option<View>, Unfit> {
    let mut values = headers.get_all(header::CONTENT_TYPE).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(Unfit::Malformed("there are two headers Content-Type; send one"));
    }
    match DOCUMENTS.iter().find(|(name, _)| value == name) {
        Some((_, view)) => Ok(Some(*view)),
        None => content_range(value),
    }
}

fn content_range(value: &HeaderValue) -> Result<Option<View>, Unfit> {
    let text = value.to_str().map_err(|_| Unfit::Malformed("Content-Type is not ASCII"))?;
    if unquoted(text, ',').count() > 1 {
        return Err(Unfit::Malformed("Content-Type must name one type, not several"));
    }
    let range = Range::parse(text).ok_or(Unfit::Malformed("Content-Type is not a media type"))?;
    if !range.name.contains('/') {
        return Err(Unfit::Malformed("Content-Type is not a media type"));
    }
    if range.is_wildcard() {
        // Neo4j takes whichever reader happens to come first, which differs from start to start.
        return Ok(Some(View::Plain));
    }
    let document = DOCUMENTS.iter().find(|(name, _)| range.is(name));
    document.map(|(_, view)| Some(*view)).ok_or(Unfit::Unsupported)
}

/// The view of values in a body of lines; `None` if the body is something else.
pub(super) fn lines_content(headers: &HeaderMap) -> Option<View> {
    let range = Range::parse(the_only(&headers.get_all(header::CONTENT_TYPE))?.to_str().ok()?)?;
    if LINE_NAMES.iter().any(|name| range.is(name)) {
        return Some(View::Plain);
    }
    LINES.iter().find(|(name, _)| range.is(name)).map(|(_, view)| *view)
}

/// The content coding of a body, if it has one.
///
/// # Errors
/// A coding that is not supported, or all of several; cut off if that is too long to be names.
pub(super) fn coding(headers: &HeaderMap) -> Result<Option<Coding>, String> {
    const LONGEST: usize = 32;
    let values = headers.get_all(header::CONTENT_ENCODING).iter();
    let codings = values.flat_map(|value| value.as_bytes().split(|&byte| byte == b',')).map(<[u8]>::trim_ascii);
    let mut codings = codings.filter(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case(b"identity"));
    let Some(first) = codings.next() else { return Ok(None) };
    let second = codings.next();
    match Coding::named(first) {
        Some(coding) if second.is_none() => Ok(Some(coding)),
        _ => {
            let all = [Some(first), second].into_iter().flatten().collect::<Vec<_>>().join(&b", "[..]);
            Err(all.escape_ascii().take(LONGEST).map(char::from).collect())
        }
    }
}

fn the_only<'a>(values: &GetAll<'a, HeaderValue>) -> Option<&'a HeaderValue> {
    let mut values = values.iter();
    values.next().filter(|_| values.next().is_none())
}

#[cfg(test)]
mod tests;
