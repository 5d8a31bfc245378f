//! Media ranges in headers: names, parameters with and without quotes, and weights.

use std::borrow::Cow;

use axum::http::{HeaderValue, header::GetAll};

use super::{Csv, Format, JSON, Layout, Offer, Unfit, answer, graph};

/// One media range with its parameters.
pub(super) struct Range<'a> {
    pub(super) name: &'a str,
    parameters: Vec<(&'a str, Cow<'a, str>)>,
    /// The weight `q`, in thousandths.
    pub(super) quality: u16,
}

/// All ranges of a header.
pub(super) fn ranges<'a>(values: &'a GetAll<'_, HeaderValue>) -> Result<Vec<Range<'a>>, Unfit> {
    const MALFORMED: Unfit = Unfit::Malformed("Accept is not a list of media types");
    let mut ranges = Vec::new();
    for value in values {
        let text = value.to_str().map_err(|_| MALFORMED)?;
        for part in unquoted(text, ',').map(str::trim).filter(|part| !part.is_empty()) {
            ranges.push(Range::parse(part).ok_or(MALFORMED)?);
        }
    }
    Ok(ranges)
}

impl<'a> Range<'a> {
    /// Reads one range; `None` if the text is something else.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let mut parts = unquoted(text, ';').map(str::trim);
        let name = parts.next().filter(|name| !name.is_empty())?;
        if name.split('/').count() > 2 || name.split('/').any(|part| !is_token(part)) {
            return None;
        }
        let mut range = Self { name, parameters: Vec::new(), quality: 1000 };
        for part in parts.filter(|part| !part.is_empty()) {
            let (key, value) = part.split_once('=')?;
            let (key, value) = (key.trim(), parameter(value.trim())?);
            if key.eq_ignore_ascii_case("q") {
                range.quality = quality(&value)?;
            } else {
                range.parameters.push((key, value));
            }
        }
        Some(range)
    }

    pub(super) fn is_wildcard(&self) -> bool {
        self.name == "*/*" || self.name.eq_ignore_ascii_case("application/*") || self.is_bare_application()
    }

    /// Some clients send no more than this, which Neo4j reads as `application/*`.
    fn is_bare_application(&self) -> bool {
        self.name.eq_ignore_ascii_case("application") || self.name == "*"
    }

    /// Whether it names this type.
    pub(super) fn is(&self, name: &str) -> bool {
        name.eq_ignore_ascii_case(self.name)
    }

    /// The format that it asks for, if it is on offer.
    ///
    /// # Errors
    /// [`Unfit::Malformed`] if a parameter of the format has no such value.
    pub(super) fn format(&self, offer: Offer) -> Result<Option<Format>, Unfit> {
        if self.is_wildcard() {
            return Ok(Some(Format::plain()));
        }
        let Some((layout, &(name, view))) = answer(offer, |name| self.is(name)) else { return Ok(None) };
        let parameters = self.parameters.iter().map(|(key, value)| (*key, &**value));
        match layout {
            Layout::Csv(_) => {
                let csv = Csv::asked(parameters)?;
                let content_type = csv.content_type().into();
                return Ok(Some(Format { layout: Layout::Csv(csv), content_type, ..Format::plain() }));
            }
            Layout::Graph(_) => {
                let shape = graph::shape(parameters)?;
                let content_type = graph::content_type(shape).into();
                return Ok(Some(Format { layout: Layout::Graph(shape), content_type, ..Format::plain() }));
            }
            Layout::Document | Layout::Lines | Layout::Objects | Layout::Records(_) => {}
            #[cfg(feature = "arrow")]
            Layout::Arrow => {}
        }
        // As the client spelled it, except for plain JSON, whose name and charset come back in lower case.
        let mut content_type = if name == JSON { name } else { self.name }.to_owned();
        for (key, value) in &self.parameters {
            let fold = name == JSON && key.eq_ignore_ascii_case("charset");
            let value = if fold { value.to_ascii_lowercase() } else { value.clone().into_owned() };
            content_type.extend([";", &key.to_ascii_lowercase(), "=", &quoted(value)]);
        }
        Ok(Some(Format { layout, view, content_type: content_type.into(), ..Format::plain() }))
    }
}

/// Reads the value of a parameter: a token, or a quoted string without its quotes.
fn parameter(text: &str) -> Option<Cow<'_, str>> {
    let Some(inside) = text.strip_prefix('"') else {
        return is_token(text).then_some(Cow::Borrowed(text));
    };
    let (mut value, mut signs) = (String::with_capacity(inside.len()), inside.chars());
    loop {
        match signs.next()? {
            '"' => return signs.as_str().is_empty().then_some(Cow::Owned(value)),
            '\\' => value.push(signs.next()?),
            sign => value.push(sign),
        }
    }
}

/// Writes a value as headers have it, with quotes only if it needs them.
fn quoted(value: String) -> String {
    if value.is_empty() || is_token(&value) {
        return value;
    }
    format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Splits at each `separator` that is not inside a quoted string.
pub(super) fn unquoted(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    text.split(move |sign| {
        let literal = std::mem::take(&mut escaped);
        escaped = quoted && !literal && sign == '\\';
        quoted ^= sign == '"' && !literal;
        sign == separator && !quoted
    })
}

/// Reads a weight from 0 to 1 with at most three decimals, in thousandths. Java's old HTTP client leaves out the zero:
/// `.2`.
fn quality(text: &str) -> Option<u16> {
    let (whole, decimals) = match text.split_once('.') {
        Some(("", decimals)) if !decimals.is_empty() => ("0", decimals),
        Some(parts) => parts,
        None => (text, ""),
    };
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
