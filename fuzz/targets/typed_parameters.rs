//! Any text as the parameters of a typed request. The first byte chooses the version of typed JSON.
#![no_main]

use boltgate::json::{TypedVersion, input::typed};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((choice, body)) = data.split_first() else {
        return;
    };
    let version = match choice % 3 {
        0 => TypedVersion::V1_0,
        1 => TypedVersion::V1_1,
        _ => TypedVersion::V1_2,
    };
    boltgate_fuzz::parameters(body, |lexer, out| typed::read_map(lexer, version, "parameters", out));
});
