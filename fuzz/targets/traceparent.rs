//! Any bytes as the header `traceparent`: what is accepted is handed on as it was, and is well-formed.
#![no_main]

use boltgate::telemetry::trace_context::TraceContext;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some(context) = TraceContext::parse(bytes) else {
        return;
    };
    let header = context.to_string();
    assert_eq!(TraceContext::parse(header.as_bytes()), Some(context), "{header}");
    // The identifiers are those of the header; flags and fields that are not known are not handed on.
    assert_eq!(bytes.get(2..53), header.as_bytes().get(2..53), "{header}");
    assert!(context.trace_id.0 != 0 && context.parent_id.0 != 0, "{header}");
});
