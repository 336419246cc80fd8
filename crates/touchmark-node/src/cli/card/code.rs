//! Codes of cards: random bytes in a file.

use crate::cli::failure::{Failure, Fault};
use crate::cli::session::Session;
use std::path::Path;
use touchmark_card::profile::limit;
use zeroize::Zeroizing;

/// The code in a file, without the end of its line.
pub(super) fn read(
    session: &mut Session<'_, '_>,
    path: &Path,
) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let mut code = Zeroizing::new(session.read(path)?);
    while code.last().is_some_and(|last| matches!(last, b'\n' | b'\r')) {
        code.pop();
    }
    if limit::CODE.contains(&code.len()) {
        return Ok(code);
    }
    let (least, most) = (limit::CODE.start(), limit::CODE.end());
    Err(Failure::new(Fault::Usage, format!("{} holds no code", path.display()))
        .because(format!("a code has {least} to {most} bytes, so that nobody guesses it"))
        .hint("make one with: openssl rand -hex 16 > FILE"))
}

/// The code in a file, if one is named.
pub(crate) fn read_some(
    session: &mut Session<'_, '_>,
    path: Option<&Path>,
) -> Result<Option<Zeroizing<Vec<u8>>>, Failure> {
    path.map(|path| read(session, path)).transpose()
}
