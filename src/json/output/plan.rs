//! The plan of a statement, with or without the measurements of PROFILE.
//!
//! Servers send the members of an operator in any order, but clients get a fixed one. The tree is therefore read into a
//! list of operators first (each byte once, whatever the shape) and then written.

use bytes::{BufMut, BytesMut};

use super::error::RowError;
use super::walk::{DEPTH_LIMIT, Walk};
use super::{scalar, text, value};
use crate::bolt::packstream::{DecodeError, Reader, Token};
use crate::json::View;

/// One operator, which borrows its PackStream values.
#[derive(Default)]
struct Operator<'a> {
    kind: Option<&'a str>,
    arguments: Option<&'a [u8]>,
    identifiers: Option<&'a [u8]>,
    /// The measurements, in the order of [`MEASURES`].
    measures: [Option<Token<'a>>; MEASURES.len()],
    first_child: Option<usize>,
    next_sibling: Option<usize>,
}

/// The keys of the server and of the API, in the API's order.
const MEASURES: [(&str, &str); 6] = [
    ("dbHits", "dbHits"),
    ("rows", "records"),
    ("pageCacheHits", "pageCacheHits"),
    ("pageCacheMisses", "pageCacheMisses"),
    ("pageCacheHitRatio", "pageCacheHitRatio"),
    ("time", "time"),
];

/// Appends the tree of EXPLAIN. Returns `false` and appends nothing if it is not a tree of operators.
///
/// # Errors
/// Returns a [`RowError`] if the tree is malformed or contains a value that the view cannot represent. `out` is then
/// unchanged.
pub fn plan(out: &mut BytesMut, plan: &[u8], view: View) -> Result<bool, RowError> {
    tree(out, plan, Style::Plan(view))
}

/// Like [`plan`] for the tree of PROFILE, with the measurements of each operator.
///
/// # Errors
/// See [`plan`].
pub fn profile(out: &mut BytesMut, profile: &[u8], view: View) -> Result<bool, RowError> {
    tree(out, profile, Style::Profile(view))
}

/// Appends the tree of EXPLAIN or PROFILE with each operator's arguments among its members, as the transactional HTTP API
/// has it. Returns `false` and appends nothing if it is not a tree of operators.
///
/// # Errors
/// See [`plan`].
pub fn inlined(out: &mut BytesMut, plan: &[u8]) -> Result<bool, RowError> {
    tree(out, plan, Style::Inlined)
}

/// What the members of an operator are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    /// Arguments as an object.
    Plan(View),
    /// Arguments as an object, and measurements.
    Profile(View),
    /// Arguments among the other members.
    Inlined,
}

fn tree(out: &mut BytesMut, bytes: &[u8], style: Style) -> Result<bool, RowError> {
    // Memgraph sends its profile as JSON text, and also as rows.
    if !matches!(Reader::new(bytes).token()?, Token::Map(_)) {
        return Ok(false);
    }
    let start = out.len();
    let result = read(bytes).and_then(|operators| write(out, &operators, style));
    match result {
        Ok(()) => Ok(true),
        Err(error) => {
            out.truncate(start);
            Err(error)
        }
    }
}

/// What is open while the tree is being read.
enum Open {
    Operator { index: usize, pairs: usize },
    Children { last: Option<usize>, parent: usize, items: usize },
}

/// Reads the operators of a tree. The first is the root.
fn read(bytes: &[u8]) -> Result<Vec<Operator<'_>>, RowError> {
    let mut reader = Reader::new(bytes);
    let mut operators = vec![Operator::default()];
    let mut open = vec![Open::Operator { index: 0, pairs: reader.expect_map()? }];
    while let Some(top) = open.last_mut() {
        match top {
            Open::Operator { pairs: 0, .. } | Open::Children { items: 0, .. } => {
                open.pop();
            }
            Open::Operator { index, pairs } => {
                *pairs -= 1;
                let index = *index;
                let Some(operator) = operators.get_mut(index) else {
                    break;
                };
                if let Some(items) = operator.member(&mut reader)? {
                    open.push(Open::Children { last: None, parent: index, items });
                }
            }
            Open::Children { last, parent, items } => {
                *items -= 1;
                let index = operators.len();
                let (before, parent) = (last.replace(index), *parent);
                match before {
                    Some(sibling) => operators.get_mut(sibling).map(|sibling| sibling.next_sibling = Some(index)),
                    None => operators.get_mut(parent).map(|parent| parent.first_child = Some(index)),
                };
                operators.push(Operator::default());
                if open.len() >= 2 * DEPTH_LIMIT {
                    return Err(RowError::TooDeep);
                }
                open.push(Open::Operator { index, pairs: reader.expect_map()? });
            }
        }
    }
    Ok(operators)
}

impl<'a> Operator<'a> {
    /// Reads one pair of an operator's map. For the children, returns how many there are.
    fn member(&mut self, reader: &mut Reader<'a>) -> Result<Option<usize>, DecodeError> {
        match reader.expect_string()? {
            "operatorType" => self.kind = Some(reader.expect_string()?),
            "args" => self.arguments = Some(reader.raw()?),
            "identifiers" => self.identifiers = Some(reader.raw()?),
            "children" => return reader.expect_list().map(Some),
            key => match MEASURES.iter().zip(&mut self.measures).find(|((name, _), _)| *name == key) {
                Some((_, measure)) => match reader.token()? {
                    number @ (Token::Integer(_) | Token::Float(_)) => *measure = Some(number),
                    Token::Null => {}
                    _ => return Err(DecodeError::Value("a plan with a measurement that is not a number")),
                },
                None => reader.skip()?,
            },
        }
        Ok(None)
    }

    /// Writes the operator up to the `[` of its children.
    fn write(&self, out: &mut BytesMut, style: Style) -> Result<(), RowError> {
        out.extend_from_slice(br#"{"operatorType":"#);
        text::string(out, self.kind.unwrap_or_default());
        match style {
            Style::Plan(view) | Style::Profile(view) => {
                out.extend_from_slice(br#","arguments":"#);
                match self.arguments {
                    Some(arguments) => Walk::new(view).bare_map(out, &mut Reader::new(arguments))?,
                    None => out.extend_from_slice(b"{}"),
                }
            }
            Style::Inlined => self.write_arguments(out)?,
        }
        out.extend_from_slice(br#","identifiers":["#);
        if let Some(identifiers) = self.identifiers {
            let mut reader = Reader::new(identifiers);
            for position in 0..reader.expect_list()? {
                if position > 0 {
                    out.put_u8(b',');
                }
                text::string(out, reader.expect_string()?);
            }
        }
        out.put_u8(b']');
        if let Style::Profile(_) = style {
            self.write_measures(out);
        }
        out.extend_from_slice(br#","children":["#);
        Ok(())
    }

    /// Writes the arguments as further members.
    fn write_arguments(&self, out: &mut BytesMut) -> Result<(), RowError> {
        let mut reader = Reader::new(self.arguments.unwrap_or(&[0xA0]));
        for _ in 0..reader.expect_map()? {
            out.put_u8(b',');
            text::string(out, reader.expect_string()?);
            out.put_u8(b':');
            value::value(out, &mut reader, View::Plain)?;
        }
        Ok(())
    }

    fn write_measures(&self, out: &mut BytesMut) {
        let mut page_cache = false;
        for ((_, key), measure) in MEASURES.iter().zip(self.measures) {
            if *key == "time" {
                out.extend_from_slice(br#","hasPageCacheStats":"#);
                out.extend_from_slice(if page_cache { b"true" } else { b"false" });
            }
            let Some(measure) = measure else { continue };
            out.put_u8(b',');
            text::string(out, key);
            out.put_u8(b':');
            let positive = match measure {
                Token::Integer(number) => {
                    scalar::integer(out, number);
                    number > 0
                }
                Token::Float(number) => {
                    scalar::plain_float(out, number);
                    number > 0.0
                }
                _ => false,
            };
            page_cache |= positive && key.starts_with("pageCache");
        }
    }
}

fn write(out: &mut BytesMut, operators: &[Operator<'_>], style: Style) -> Result<(), RowError> {
    // The operators whose children are being written.
    let mut open: Vec<&Operator<'_>> = Vec::new();
    let at = |index: Option<usize>| index.and_then(|index| operators.get(index));
    let mut next = operators.first();
    loop {
        match next {
            Some(operator) => {
                operator.write(out, style)?;
                open.push(operator);
                next = at(operator.first_child);
            }
            None => {
                let Some(done) = open.pop() else {
                    return Ok(());
                };
                out.extend_from_slice(b"]}");
                next = at(done.next_sibling);
                if next.is_some() {
                    out.put_u8(b',');
                }
            }
        }
    }
}
