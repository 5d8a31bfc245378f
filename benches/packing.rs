//! Rows to gzip and zstd: bytes per second, by how the text is handed over and how often it leaves. With the argument
//! `sizes`: how much comes out.

use std::{fmt::Write as _, io, sync::LazyLock};

use boltgate::{
    pack::{Packer, Then},
    unpack::Coding,
};
use divan::{Bencher, counter::BytesCount};

/// The size of the text, in bytes: the longest part of an answer.
const TEXT: usize = 4 * 1024 * 1024;

/// How the text is handed over: in pieces of how many bytes, and what follows each.
const WAYS: [(&str, usize, Then); 3] = [
    ("at once", TEXT, Then::More),
    ("in pieces of 64 KiB", 64 * 1024, Then::More),
    ("leaving every 64 KiB", 64 * 1024, Then::Pause),
];

/// Rows of people as plain JSON has them: keys repeat themselves, values hardly do.
static ROWS: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let (mut text, mut random) = (String::with_capacity(TEXT + 256), 1_u64);
    while text.len() < TEXT {
        // A linear congruential generator: the same in every run.
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let number = random >> 33;
        let (name, city, score) = (number % 100_000, number % 97, number % 1013);
        // Writing to a string does not fail.
        let _ = writeln!(text, r#"{{"id":{number},"name":"Person {name}","city":"City {city}","score":{score}.5}}"#);
    }
    text.truncate(TEXT);
    text.into_bytes()
});

fn main() -> io::Result<()> {
    if std::env::args().any(|argument| argument == "sizes") {
        return print_sizes();
    }
    divan::main();
    Ok(())
}

fn print_sizes() -> io::Result<()> {
    for coding in [Coding::Gzip, Coding::Zstd] {
        for (way, piece, then) in WAYS {
            println!("{}, {way}: {} of {TEXT} bytes", coding.name(), pack(coding, piece, then)?);
        }
    }
    Ok(())
}

/// Packs the text, and gives the size of what comes out.
fn pack(coding: Coding, piece: usize, then: Then) -> io::Result<usize> {
    let mut packer = Packer::new(coding, None)?;
    let mut size = 0;
    for piece in divan::black_box(&*ROWS).chunks(piece) {
        size += divan::black_box(packer.pack(piece, then)?).len();
    }
    Ok(size + packer.pack(&[], Then::End)?.len())
}

fn packs(bencher: Bencher<'_, '_>, coding: Coding, way: &str) {
    let Some((_, piece, then)) = WAYS.into_iter().find(|(name, ..)| *name == way) else { return };
    bencher.counter(BytesCount::new(TEXT)).bench_local(|| pack(coding, piece, then).is_ok());
}

#[divan::bench(args = WAYS.map(|(way, ..)| way))]
fn gzip(bencher: Bencher<'_, '_>, way: &str) {
    packs(bencher, Coding::Gzip, way);
}

#[divan::bench(args = WAYS.map(|(way, ..)| way))]
fn zstd(bencher: Bencher<'_, '_>, way: &str) {
    packs(bencher, Coding::Zstd, way);
}
