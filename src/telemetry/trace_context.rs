//! The trace that a caller's request belongs to: the header `traceparent` of the W3C's Trace Context.
//!
//! Promises that nothing but well-formed identifiers gets through, and that a malformed header is ignored, as the
//! recommendation asks, never refused. Does not know HTTP.

use std::fmt;

/// A caller's place in a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceContext {
    /// The trace. Never zero.
    pub trace_id: TraceId,
    /// The caller's span. Never zero.
    pub parent_id: SpanId,
    /// Whether the caller records the trace.
    pub sampled: bool,
}

/// Identifies a trace: 32 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceId(pub u128);

/// Identifies a span of a trace: 16 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpanId(pub u64);

/// The length of a `traceparent` of version 00.
const LENGTH: usize = "00-00000000000000000000000000000000-0000000000000000-00".len();

impl TraceContext {
    /// Reads the value of `traceparent`; `None` if it is malformed. Of versions that are not known yet only the first
    /// four fields are read, which have the same meaning in all of them.
    #[must_use]
    pub fn parse(value: &[u8]) -> Option<Self> {
        let (fields, rest) = value.split_at_checked(LENGTH)?;
        let [version, trace_id, parent_id, flags] = separated(fields)?;
        let version = number(version)?;
        let ends_well = if version == 0 { rest.is_empty() } else { matches!(rest, [] | [b'-', ..]) };
        let (trace_id, parent_id) = (number(trace_id)?, u64::try_from(number(parent_id)?).ok()?);
        let sampled = number(flags)? & 1 == 1;
        (ends_well && version != 0xff && trace_id != 0 && parent_id != 0).then_some(Self {
            trace_id: TraceId(trace_id),
            parent_id: SpanId(parent_id),
            sampled,
        })
    }
}

/// The four fields, which have the dashes between them in the right places.
fn separated(fields: &[u8]) -> Option<[&[u8]; 4]> {
    let mut parts = fields.split(|byte| *byte == b'-');
    let mut next = |length| parts.next().filter(|part| part.len() == length);
    let fields = [next(2)?, next(32)?, next(16)?, next(2)?];
    parts.next().is_none().then_some(fields)
}

/// The value of lower-case hexadecimal digits, of which there are at most 32.
fn number(digits: &[u8]) -> Option<u128> {
    digits.iter().try_fold(0, |value: u128, digit| {
        let digit = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        Some(value << 4 | u128::from(digit))
    })
}

/// The header for the next service that is called: a `traceparent` of version 00.
impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { trace_id, parent_id, sampled } = self;
        write!(f, "00-{trace_id}-{parent_id}-{:02x}", u8::from(*sampled))
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const PARENT: &str = "00f067aa0ba902b7";

    fn parse(value: &str) -> Option<String> {
        TraceContext::parse(value.as_bytes()).map(|context| context.to_string())
    }

    #[test]
    fn a_well_formed_header_is_taken_over() {
        let header = format!("00-{TRACE}-{PARENT}-01");
        let context = TraceContext::parse(header.as_bytes()).unwrap();
        assert_eq!(context.trace_id.to_string(), TRACE);
        assert_eq!(context.parent_id.to_string(), PARENT);
        assert!(context.sampled);
        assert_eq!(context.to_string(), header);
        assert!(!TraceContext::parse(format!("00-{TRACE}-{PARENT}-00").as_bytes()).unwrap().sampled);
    }

    #[test]
    fn flags_and_fields_that_are_not_known_are_not_handed_on() {
        let known = Some(format!("00-{TRACE}-{PARENT}-01"));
        assert_eq!(parse(&format!("00-{TRACE}-{PARENT}-ff")), known);
        assert_eq!(parse(&format!("01-{TRACE}-{PARENT}-01")), known);
        assert_eq!(parse(&format!("cc-{TRACE}-{PARENT}-09-what.the.future-brings")), known);
    }

    #[test]
    fn a_malformed_header_is_ignored() {
        for header in [
            String::new(),
            "00".to_owned(),
            format!("00-{TRACE}-{PARENT}"),
            format!("00-{TRACE}-{PARENT}-"),
            format!("00-{TRACE}-{PARENT}-1"),
            format!("00-{TRACE}-{PARENT}-011"),
            format!("00-{TRACE}-{PARENT}-01-"),
            format!("00-{TRACE}-{PARENT}-01-more"),
            format!("01-{TRACE}-{PARENT}-01.more"),
            format!("ff-{TRACE}-{PARENT}-01"),
            format!("0g-{TRACE}-{PARENT}-01"),
            format!("00-{}-{PARENT}-01", TRACE.to_uppercase()),
            format!("00-{}-{PARENT}-01", "0".repeat(32)),
            format!("00-{TRACE}-{}-01", "0".repeat(16)),
            format!("00-{}-{PARENT}-01", &TRACE[1..]),
            format!("00-{}-{PARENT}0-01", &TRACE[1..]),
            format!("00_{TRACE}_{PARENT}_01"),
            format!(" 00-{TRACE}-{PARENT}-01"),
            format!("00-{TRACE}-{PARENT}-01 "),
        ] {
            assert_eq!(parse(&header), None, "{header:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_handed_on_is_read_as_it_was(trace in 1u128.., parent in 1u64.., sampled: bool) {
            let context = TraceContext { trace_id: TraceId(trace), parent_id: SpanId(parent), sampled };
            prop_assert_eq!(TraceContext::parse(context.to_string().as_bytes()), Some(context));
        }

        #[test]
        fn no_bytes_are_trouble(bytes: Vec<u8>, nearly in "[0-9a-f]{2}-[0-9a-f]{30,34}-[0-9a-f]{14,18}-[0-9a-f]{1,3}.{0,3}") {
            let _ = TraceContext::parse(&bytes);
            if let Some(context) = TraceContext::parse(nearly.as_bytes()) {
                let read = context.to_string();
                prop_assert_eq!(&nearly.as_bytes()[2..53], &read.as_bytes()[2..53]);
            }
        }
    }
}
