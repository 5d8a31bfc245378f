//! A stand-in for `mgconsole`: runs the statement on standard input against the server in the same container.
//!
//! Owns: one Bolt session from handshake to last row. Promises: it ends well only when the server ran the statement.

use super::packstream::{Map, Value, read_message, write_message};
use super::{FAILURE, RECORD};
use std::io::{self, Read, Write};
use std::net::TcpStream;

/// Reads a statement, runs it, prints its rows.
pub fn run() -> io::Result<()> {
    let statement = io::read_to_string(io::stdin())?;
    let mut stream = TcpStream::connect(("127.0.0.1", 7687))?;
    stream.write_all(&[0x60, 0x60, 0xB0, 0x17, 0, 0, 2, 5])?;
    stream.write_all(&[0; 12])?;
    let mut version = [0; 4];
    stream.read_exact(&mut version)?;
    if version != [0, 0, 2, 5] {
        return Err(io::Error::other("the server does not speak Bolt 5.2"));
    }
    let map = |entries: &[(&str, &str)]| {
        let entries = entries
            .iter()
            .map(|(key, text)| ((*key).to_owned(), Value::from(*text)));
        Value::Map(Map::from_iter(entries))
    };
    write_message(
        &mut stream,
        0x01,
        vec![map(&[("user_agent", "mgconsole/0")])],
    )?;
    write_message(&mut stream, 0x6A, vec![map(&[("scheme", "none")])])?;
    let run = vec![Value::from(statement.trim()), map(&[]), map(&[])];
    write_message(&mut stream, 0x10, run)?;
    write_message(&mut stream, 0x3F, vec![map(&[])])?;
    let mut replies = 0;
    while replies < 4 {
        match read_message(&mut stream)? {
            Value::Struct(RECORD, row) => println!("{row:?}"),
            Value::Struct(FAILURE, why) => return Err(io::Error::other(format!("{why:?}"))),
            _ => replies += 1,
        }
    }
    Ok(())
}
