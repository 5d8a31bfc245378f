//! What a transaction's metadata says about the request that it belongs to: where the database's log and the caller's
//! trace meet.

use std::borrow::Cow;

use crate::{
    bolt::packstream::{DecodeError, Reader, Writer},
    telemetry::record::Record,
};

/// Adds the trace and the id of the request to its transaction's metadata, a PackStream map, if its caller sent either.
/// Members that the caller chose itself stay.
pub(super) fn handed_on<'a>(metadata: Option<Cow<'a, [u8]>>, record: &Record) -> Option<Cow<'a, [u8]>> {
    if !record.is_handed_on() {
        return metadata;
    }
    let ours = [
        ("traceparent", record.place_for_database().map(|place| place.to_string())),
        ("request_id", Some(record.request_id().as_str().to_owned())),
    ];
    match joined(metadata.as_deref(), ours) {
        Ok(joined) => Some(Cow::Owned(joined)),
        // It was written by the gateway, so it can be read.
        Err(_) => metadata,
    }
}

fn joined(metadata: Option<&[u8]>, ours: [(&str, Option<String>); 2]) -> Result<Vec<u8>, DecodeError> {
    let mut reader = metadata.map(Reader::new);
    let count = reader.as_mut().map_or(Ok(0), Reader::expect_map)?;
    let members = reader.as_ref().map_or(&[][..], Reader::rest);
    let mut ours: Vec<_> = ours.into_iter().filter_map(|(name, value)| value.map(|value| (name, value))).collect();
    if let Some(reader) = &mut reader {
        for _ in 0..count {
            let name = reader.expect_string()?;
            ours.retain(|(ours, _)| *ours != name);
            reader.skip()?;
        }
    }
    let mut joined = Vec::new();
    let mut writer = Writer::new(&mut joined);
    writer.map(count + ours.len());
    writer.raw(members);
    for (name, value) in &ours {
        writer.string(name);
        writer.string(value);
    }
    Ok(joined)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        bolt::packstream::map_of,
        telemetry::{request_id::RequestId, trace_context::TraceContext},
    };

    const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn record(id: Option<&str>, traceparent: Option<&str>) -> Record {
        let id = RequestId::accept_or_new(id.map(str::as_bytes));
        Record::new(id, traceparent.and_then(|value| TraceContext::parse(value.as_bytes())))
    }

    fn sent(metadata: Option<&[u8]>, record: &Record) -> Option<Vec<u8>> {
        handed_on(metadata.map(Cow::Borrowed), record).map(Cow::into_owned)
    }

    #[test]
    fn nothing_is_added_to_a_request_that_is_part_of_nothing() {
        let own = map_of(&[("a", "1")]);
        assert_eq!(sent(None, &record(None, None)), None);
        assert_eq!(sent(None, &record(Some("not an id"), Some("00-no-trace-01"))), None);
        assert_eq!(sent(Some(&own), &record(None, None)), Some(own));
    }

    #[test]
    fn the_trace_and_the_id_join_what_the_caller_sends() {
        let id = map_of(&[("request_id", "r-1")]);
        assert_eq!(sent(None, &record(Some("r-1"), None)), Some(id));
        let both = map_of(&[("a", "1"), ("traceparent", PARENT), ("request_id", "r-1")]);
        assert_eq!(sent(Some(&map_of(&[("a", "1")])), &record(Some("r-1"), Some(PARENT))), Some(both));
        let traced = record(None, Some(PARENT));
        let made_up = map_of(&[("traceparent", PARENT), ("request_id", traced.request_id().as_str())]);
        assert_eq!(sent(Some(&map_of(&[])), &traced), Some(made_up));
    }

    #[test]
    fn the_callers_own_members_win() {
        let own = map_of(&[("request_id", "mine"), ("traceparent", "mine too")]);
        assert_eq!(sent(Some(&own), &record(Some("r-1"), Some(PARENT))), Some(own));
        let one = map_of(&[("traceparent", "mine")]);
        let joined = map_of(&[("traceparent", "mine"), ("request_id", "r-1")]);
        assert_eq!(sent(Some(&one), &record(Some("r-1"), Some(PARENT))), Some(joined));
    }
}
