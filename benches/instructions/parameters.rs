//! Parameters to PackStream: the same values as plain and as typed JSON.
//!
//! Owns the values. Does not know how instructions are counted.

use std::hint::black_box;

use anyhow::ensure;
use boltgate::json::{
    TypedVersion,
    input::{Lexer, Limits, Token, encoding, plain, typed},
};

use crate::Part;

/// The number of maps in the list that is the only parameter.
const MAPS: usize = 100;

/// Both notations, measured per KiB of JSON.
pub(crate) fn parts() -> impl Iterator<Item = Part> {
    [("plain", None, plain_map as fn(usize) -> String), ("typed", Some(TypedVersion::V1_2), typed_map)]
        .into_iter()
        .map(|(format, version, map)| part(format, version, &list(version, map)))
}

fn list(version: Option<TypedVersion>, map: fn(usize) -> String) -> String {
    let maps = (0..MAPS).map(map).collect::<Vec<_>>().join(",");
    match version {
        None => format!(r#"{{"rows":[{maps}]}}"#),
        Some(_) => format!(r#"{{"rows":{{"$type":"List","_value":[{maps}]}}}}"#),
    }
}

fn part(format: &str, version: Option<TypedVersion>, body: &str) -> Part {
    let body = body.as_bytes().to_vec();
    #[expect(clippy::cast_precision_loss, reason = "a few KiB")]
    let units = body.len() as f64 / 1024.0;
    let work = move |times| {
        for _ in 0..times {
            let text = encoding::decode(black_box(&body))?;
            let mut lexer = Lexer::new(&text, Limits::default());
            ensure!(lexer.token()? == Token::ObjectStart, "the parameters are an object");
            let mut out = Vec::new();
            match version {
                None => plain::read_map(&mut lexer, "parameters", &mut out)?,
                Some(version) => typed::read_map(&mut lexer, version, "parameters", &mut out)?,
            }
            black_box(out);
        }
        Ok(())
    };
    Part { name: format!("parameters, {format}"), unit: "KiB", units, work: Box::new(work) }
}

fn plain_map(number: usize) -> String {
    format!(
        r#"{{"id":{number},"name":"Ada Lovelace","email":"ada.{number}@example.org","score":0.{number},"active":true,"#
    ) + r#""note":"she said \"more\"\nthan numbers, żółć","tags":["engine","poetry",null],"at":"1843-09-01T12:00:00Z"}"#
}

fn typed_map(number: usize) -> String {
    format!(
        r#"{{"$type":"Map","_value":{{"id":{{"$type":"Integer","_value":"{number}"}},"name":{{"$type":"String","_value":"Ada Lovelace"}},"email":{{"$type":"String","_value":"ada.{number}@example.org"}},"score":{{"$type":"Float","_value":"0.{number}"}},"active":{{"$type":"Boolean","_value":true}},"#
    ) + r#""note":{"$type":"String","_value":"she said \"more\"\nthan numbers, żółć"},"tags":{"$type":"List","_value":[{"$type":"String","_value":"engine"},{"$type":"String","_value":"poetry"},{"$type":"Null","_value":null}]},"at":{"$type":"OffsetDateTime","_value":"1843-09-01T12:00:00Z"}}}"#
}
