//! Proofs: bundles that verify without a network.

use super::answer::Answer;
use super::failure::{Failure, Fault};
use super::identity::creation;
use super::session::Session;
use std::path::PathBuf;
use touchmark_api::Base64;
use touchmark_api::client::ProofQuery;
use touchmark_core::verdict::CertificateKind;
use touchmark_wire::bundle::{Claim, Freshness};
use touchmark_wire::ids::{ChannelId, LeafIndex, TreeSize};

/// Commands about proofs
#[derive(clap::Subcommand, Debug)]
pub(super) enum Command {
    /// Fetch a bundle that proves what is asked for
    Fetch(Box<Fetch>),
    /// Fetch the newest checkpoint, or the newest that outside witnesses have cosigned
    Checkpoint(Checkpoint),
}

#[derive(clap::Args, Debug)]
pub(super) struct Checkpoint {
    /// How many outside witnesses of the node's must have cosigned it
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    witnesses: Option<u16>,
    /// Where to write the checkpoint
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

#[derive(clap::Args, Debug)]
#[command(group = clap::ArgGroup::new("claims").required(true).multiple(true)
    .args(["record", "complete", "mentioned", "status", "absent", "latest", "accredited", "channel",
        "writer", "continues"]))]
pub(super) struct Fetch {
    /// That this leaf is in the log, rightly signed; repeatable
    #[arg(long, value_name = "LEAF")]
    record: Vec<u64>,
    /// That nothing of this thing's history is missing; what strangers say of it is counted apart,
    /// as mentions; repeatable
    #[arg(long, value_name = "ID")]
    complete: Vec<String>,
    /// All that others say of this thing (accreditations, sightings, evidence read again), which its
    /// own history leaves out; repeatable
    #[arg(long, value_name = "ID")]
    mentioned: Vec<String>,
    /// Status and keys of this thing, now or for a leaf; repeatable
    #[arg(long, value_name = "ID[@LEAF]")]
    status: Vec<String>,
    /// That there is no such thing; repeatable
    #[arg(long, value_name = "ID")]
    absent: Vec<String>,
    /// That this leaf is the last statement of its issuer; repeatable
    #[arg(long, value_name = "LEAF")]
    latest: Vec<u64>,
    /// That the first thing vouches for the second; repeatable
    #[arg(long, value_name = "BY:ID")]
    accredited: Vec<String>,
    /// That nothing about or in this channel is missing, who opened it and who may write; repeatable
    #[arg(long, value_name = "CHANNEL")]
    channel: Vec<ChannelId>,
    /// That the thing may write into the channel now; repeatable
    #[arg(long, value_name = "CHANNEL:ID")]
    writer: Vec<String>,
    /// That the log begins with the leaves that it had at this size, so nothing of them was changed
    /// or taken out since; repeatable
    #[arg(long, value_name = "SIZE", value_parser = clap::value_parser!(u64).range(1..))]
    continues: Vec<u64>,
    /// Text of 16 to 64 bytes for validators to sign, to prove freshness; made up without a value
    #[arg(long, value_name = "TEXT", num_args = 0..=1, default_missing_value = "")]
    nonce: Option<String>,
    /// What stands for the committee's word: the engine's certificate, or cosignatures of a quorum
    /// of validators, for readers that must not pay for a pairing
    #[arg(long, value_enum, value_name = "KIND", default_value_t)]
    certificate: Certificate,
    /// Leave out what another network says of the log, for readers that do not ask for it
    #[arg(long)]
    no_anchor: bool,
    /// Where to write the bundle
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// A kind of certificate.
#[derive(clap::ValueEnum, Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum Certificate {
    /// The engine's (BLS12-381)
    #[default]
    Engine,
    /// Cosignatures of validators (Ed25519)
    Cosigned,
}

impl From<Certificate> for CertificateKind {
    fn from(certificate: Certificate) -> Self {
        match certificate {
            Certificate::Engine => Self::Engine,
            Certificate::Cosigned => Self::Cosigned,
        }
    }
}

pub(super) fn run(session: &mut Session<'_, '_>, command: Command) -> Result<Answer, Failure> {
    match command {
        Command::Fetch(fetch) => bundle(session, &fetch),
        Command::Checkpoint(wanted) => checkpoint(session, &wanted),
    }
}

fn checkpoint(session: &Session<'_, '_>, wanted: &Checkpoint) -> Result<Answer, Failure> {
    let client = session.client()?;
    let note = match wanted.witnesses {
        Some(witnesses) => client.witnessed_checkpoint(witnesses)?,
        None => client.checkpoint()?.into_bytes(),
    };
    session.write(&wanted.out, &note)?;
    let file = wanted.out.display().to_string();
    let text = format!("{file}: check it with `touchmark verify {file} --trust GENESIS`\n");
    Ok(Answer::new(&serde_json::json!({ "file": file, "bytes": note.len() }), text))
}

fn bundle(session: &mut Session<'_, '_>, fetch: &Fetch) -> Result<Answer, Failure> {
    let claims = claims(session, fetch)?;
    let nonce = match fetch.nonce.as_deref() {
        None => None,
        Some("") => Some(Base64(creation::nonce()?).to_string()),
        Some(text) => Some(nonce(text)?.to_owned()),
    };
    let query = ProofQuery {
        claims,
        nonce: nonce.as_ref().map(|text| text.as_bytes().to_vec()),
        certificate: fetch.certificate.into(),
        without_anchor: fetch.no_anchor,
    };
    let client = session.client()?;
    let bundle = session.wait("the node collects the proof", || client.proof(&query))?;
    session.write(&fetch.out, &bundle)?;
    let file = fetch.out.display().to_string();
    let mut document = serde_json::json!({ "file": file, "bytes": bundle.len() });
    let mut text =
        format!("{file}: {} bytes; check it with `touchmark verify {file}`", bundle.len());
    if let Some(nonce) = nonce {
        document["nonce"] = nonce.as_str().into();
        text = format!("{} --nonce {nonce}`", text.trim_end_matches('`'));
    }
    Ok(Answer::new(&document, text + "\n"))
}

/// A nonce is its text, byte by byte.
pub(super) fn nonce(text: &str) -> Result<&str, Failure> {
    if Freshness::NONCE.contains(&text.len()) {
        return Ok(text);
    }
    Err(Failure::new(Fault::Usage, "the nonce does not have 16 to 64 bytes")
        .because(format!("it has {}", text.len()))
        .hint("give --nonce without a value to have one made"))
}

fn claims(session: &Session<'_, '_>, fetch: &Fetch) -> Result<Vec<Claim>, Failure> {
    let mut claims: Vec<Claim> = Vec::new();
    claims.extend(fetch.record.iter().map(|leaf| Claim::Record(LeafIndex(*leaf))));
    for text in &fetch.complete {
        claims.push(Claim::Complete(session.thing(text)?, Vec::new()));
    }
    for text in &fetch.mentioned {
        claims.push(Claim::Mentioned(session.thing(text)?, Vec::new()));
    }
    for text in &fetch.status {
        claims.push(match text.split_once('@') {
            None => Claim::Status(session.thing(text)?),
            Some((thing, leaf)) => {
                let leaf = leaf.parse().map_err(|_| {
                    Failure::new(Fault::Usage, format!("`{leaf}` is no leaf index"))
                        .hint("write --status ID@LEAF, such as --status ID@17")
                })?;
                Claim::StatusAt(session.thing(thing)?, LeafIndex(leaf))
            }
        });
    }
    for text in &fetch.absent {
        claims.push(Claim::Absent(session.thing(text)?));
    }
    claims.extend(fetch.latest.iter().map(|leaf| Claim::Latest(LeafIndex(*leaf))));
    for text in &fetch.accredited {
        // The colon that divides is the one after which a thing is left; DIDs have colons too.
        let parts = text.rmatch_indices(':').find_map(|(at, _)| {
            let (by, thing) = (&text[..at], &text[at + 1..]);
            Some((session.thing(by).ok()?, session.thing(thing).ok()?))
        });
        let (by, thing) = parts.ok_or_else(|| {
            Failure::new(Fault::Usage, format!("`{text}` does not name two things"))
                .hint("write --accredited BY:ID")
        })?;
        claims.push(Claim::Accredited(by, thing));
    }
    for channel in &fetch.channel {
        claims.extend([Claim::Channel(*channel), Claim::CompleteChannel(*channel, Vec::new())]);
    }
    for text in &fetch.writer {
        let parts = text
            .split_once(':')
            .and_then(|(channel, thing)| Some((channel.parse().ok()?, session.thing(thing).ok()?)));
        let (channel, thing) = parts.ok_or_else(|| {
            Failure::new(Fault::Usage, format!("`{text}` does not name a channel and a thing"))
                .hint("write --writer CHANNEL:ID")
        })?;
        claims.push(Claim::Writer(channel, thing));
    }
    claims.extend(fetch.continues.iter().map(|size| Claim::continuing(TreeSize(*size))));
    Ok(claims)
}
