//! `touchmark inspect`: recognises and explains anything that we or our neighbours make.
//!
//! A kind is a module with a function and a row of [`KINDS`]. The rows are tried in order, on the
//! input as it is, then on what it decodes to.

mod bundle;
mod card;
mod checkpoint;
mod genesis;
mod header;
mod id;
mod key;
mod log_leaf;
mod ratchet;
mod receipt;
mod signature;
mod statement;

use super::answer::Answer;
use super::failure::{Exit, Failure, Fault};
use super::input::{self, Decoding};
use super::session::Session;
use super::sheet::{Field, Sheet};
use signature::Signature;
use std::path::Path;
use touchmark_wire::algorithm::PublicKey;

/// Recognise and explain anything: statement, proof, card URL, id, key and so on
///
/// Takes a file, the text itself, or standard input; bytes, hexadecimal or base64. Says what it
/// took it for, and why not for something else. Never needs a node.
#[derive(clap::Args, Debug)]
pub(super) struct Inspect {
    /// File, text, or - for standard input
    #[arg(value_name = "THING", default_value = "-", allow_hyphen_values = true)]
    thing: String,
    /// Key to check signatures with: COSE_Key file, key file, or text; repeatable
    #[arg(long = "key", value_name = "COSE_KEY")]
    keys: Vec<String>,
}

/// What an input was taken for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Recognised {
    CardUrl,
    Did,
    ThingId,
    Hash,
    Checkpoint,
    Receipt,
    Statement,
    Leaf,
    Bundle,
    Genesis,
    Header,
    CardPayload,
    KeyFile,
    CoseKey,
    Certificate,
    Ratchet,
}

/// A row of the table of kinds.
struct Kind {
    recognised: Recognised,
    name: &'static str,
    explain: fn(&[u8], &[PublicKey]) -> Result<Explained, String>,
}

/// The kinds, the more telling forms first: the last ones have the least of a shape of their own.
const KINDS: [Kind; 16] = [
    Kind { recognised: Recognised::CardUrl, name: "card URL", explain: card::url },
    Kind { recognised: Recognised::Did, name: "DID", explain: id::did },
    Kind { recognised: Recognised::ThingId, name: "thing id", explain: id::thing },
    Kind { recognised: Recognised::Hash, name: "id or hash", explain: id::hash },
    Kind { recognised: Recognised::Checkpoint, name: "checkpoint", explain: checkpoint::explain },
    Kind { recognised: Recognised::Receipt, name: "receipt", explain: receipt::explain },
    Kind { recognised: Recognised::Statement, name: "statement", explain: statement::explain },
    Kind { recognised: Recognised::Leaf, name: "log leaf", explain: log_leaf::explain },
    Kind { recognised: Recognised::Bundle, name: "bundle", explain: bundle::explain },
    Kind { recognised: Recognised::Genesis, name: "genesis document", explain: genesis::explain },
    Kind { recognised: Recognised::Header, name: "batch header", explain: header::explain },
    Kind { recognised: Recognised::Ratchet, name: "ratchet", explain: ratchet::explain },
    Kind { recognised: Recognised::CardPayload, name: "card payload", explain: card::payload },
    Kind { recognised: Recognised::KeyFile, name: "key file", explain: key::file },
    Kind { recognised: Recognised::CoseKey, name: "COSE_Key", explain: key::cose },
    Kind {
        recognised: Recognised::Certificate,
        name: "threshold certificate",
        explain: header::certificate,
    },
];

/// What a kind's module says of an input.
pub(super) struct Explained {
    sheet: Sheet,
    signatures: Vec<Signature>,
}

impl Explained {
    fn new(sheet: Sheet) -> Self {
        Self { sheet, signatures: Vec::new() }
    }

    fn signed(mut self, signatures: impl IntoIterator<Item = Signature>) -> Self {
        self.signatures.extend(signatures);
        self
    }
}

/// An input with what it was taken for.
pub(super) struct Found {
    kind: &'static Kind,
    form: &'static str,
    explained: Explained,
    passed_over: Vec<PassedOver>,
}

/// A kind that an input is not.
#[derive(PartialEq, Eq)]
pub(super) struct PassedOver {
    name: &'static str,
    why: String,
}

impl Found {
    /// What it was taken for.
    pub(super) fn name(&self) -> &'static str {
        self.kind.name
    }

    /// The same, for programs.
    pub(super) fn recognised(&self) -> Recognised {
        self.kind.recognised
    }
}

pub(super) fn run(session: &mut Session<'_, '_>, inspect: &Inspect) -> Result<Answer, Failure> {
    let mut keys = Vec::new();
    for argument in &inspect.keys {
        let key = session.cose_key(argument)?.check().map_err(|error| {
            Failure::new(Fault::Malformed, format!("`{argument}` is no usable public key"))
                .because(error)
        })?;
        keys.push(key);
    }
    let is_file = inspect.thing == "-" || session.path(Path::new(&inspect.thing)).is_file();
    let given = if is_file {
        session.read(Path::new(&inspect.thing))?
    } else {
        inspect.thing.as_bytes().to_vec()
    };
    match recognise(&given, &keys) {
        Ok(found) => Ok(answer(&found)),
        Err(passed_over) => {
            let reasons = passed_over.iter().map(|it| format!("no {}: {}", it.name, it.why));
            let why = reasons.collect::<Vec<_>>().join("\n        ");
            let what = format!("this is nothing that we know ({} bytes)", given.len());
            let hint = if is_file {
                "check that the file is whole and is what you think it is"
            } else {
                "no such file exists, so the text itself was looked at"
            };
            Err(Failure::new(Fault::Unrecognised, what).because(why).hint(hint))
        }
    }
}

/// The first kind that the input is, or why it is none.
pub(super) fn recognise(given: &[u8], keys: &[PublicKey]) -> Result<Found, Vec<PassedOver>> {
    let mut all = Vec::new();
    for Decoding { form, bytes } in input::decodings(given) {
        let mut passed_over = Vec::new();
        for kind in &KINDS {
            match (kind.explain)(&bytes, keys) {
                Ok(explained) => return Ok(Found { kind, form, explained, passed_over }),
                Err(why) => passed_over.push(PassedOver { name: kind.name, why }),
            }
        }
        for one in passed_over {
            if !all.contains(&one) {
                all.push(one);
            }
        }
    }
    Err(all)
}

fn answer(found: &Found) -> Answer {
    let mut sheet = Sheet::default();
    sheet.add("recognised", found.kind.name).add("read as", found.form);
    sheet.add("content", found.explained.sheet.clone());
    let signatures = &found.explained.signatures;
    if !signatures.is_empty() {
        sheet.add("signatures", signatures.iter().map(Signature::sheet).collect::<Field>());
    }
    let passed_over = found.passed_over.iter().map(|it| {
        let mut line = Sheet::default();
        line.add("what", it.name).add("why", it.why.as_str());
        line
    });
    sheet.add("not a", passed_over.collect::<Field>());
    let genuine = signatures.iter().all(|signature| !matches!(signature, Signature::Wrong(_)));
    Answer::sheet(&sheet).ending(if genuine { Exit::Fine } else { Exit::Refused })
}

/// The input as one line of text.
fn line(bytes: &[u8]) -> Result<&str, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "it is not text".to_owned())?.trim();
    if text.contains('\n') { Err("it has several lines".into()) } else { Ok(text) }
}
