//! Any text as the parameters of a plain request.
#![no_main]

use boltgate::json::input::plain;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    boltgate_fuzz::parameters(body, |lexer, out| plain::read_map(lexer, "parameters", out));
});
