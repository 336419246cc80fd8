//! What a server of the tests is asked for.

use std::io::{self, BufRead as _, BufReader, Read};

/// The path that an HTTP request asks for; its headers are read to their end.
pub(crate) fn path(stream: impl Read) -> io::Result<String> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut header = line.clone();
    while !header.trim().is_empty() {
        header.clear();
        reader.read_line(&mut header)?;
    }
    Ok(line.split(' ').nth(1).unwrap_or("/").to_owned())
}
