//! Recording the checkpoints of a log in another network.

use crate::cli::answer::Answer;
use crate::cli::clock::Clock;
use crate::cli::failure::{Failure, Fault};
use crate::cli::identity::signing::{Proposal, Signing};
use crate::cli::session::Session;
use crate::cli::sheet::Sheet;
use crate::cli::verify::root_of_trust;
use crate::shown::Source;
use std::time::Duration;
use touchmark_api::client::{Client, ProofQuery};
use touchmark_core::verdict::{Accepted, CertificateKind, Trust, judge, recorded_note};
use touchmark_wire::bundle::{Bundle, Claim};
use touchmark_wire::checkpoint::SignedCheckpoint;
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::{LeafIndex, NetworkId, StatementId, ThingId, TreeSize};
use touchmark_wire::leaf::Leaf;
use touchmark_wire::registry::{ContentFormat, StatementKind};
use touchmark_wire::statement::{Content, Statement};

/// Record the checkpoints of another network's log, as an identity of the network in use
///
/// Whoever trusts the network in use then sees that the log has not been changed since. A checkpoint
/// is recorded when the log has grown, with the cosignatures of a quorum of its validators, and only
/// if it continues the one that the identity recorded before. The identity states nothing else: the
/// log's nodes show its last word (`anchor.source` in their configuration).
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Anchor {
    /// A node of the log that is recorded, such as http://127.0.0.1:8081
    url: String,
    #[command(flatten)]
    signing: Signing,
    /// The log's network: its id in hexadecimal, or its genesis document; otherwise the one that the
    /// node says
    #[arg(long, value_name = "ID|FILE")]
    trust: Option<String>,
    /// Time from one look at the log to the next, such as 30s, 10min, 1h
    #[arg(long, value_name = "TIME", default_value = "10min", value_parser = crate::config::duration)]
    interval: Duration,
    /// Record the log as it is now though it does not continue what was recorded: readers and nodes of
    /// the log that was recorded before will say that there are two
    #[arg(long)]
    begin_anew: bool,
    /// End after so many looks; otherwise go on until stopped
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
}

/// How many statements of the identity are looked through for the last checkpoint.
const STATEMENTS: usize = 1_000;

/// The log that is recorded, and where that is done.
struct Recording {
    log: Client,
    /// Whose log it is.
    network: NetworkId,
    /// What the log is called.
    origin: String,
    /// The network in use.
    here: Client,
    by: ThingId,
}

/// A checkpoint that is in the network in use.
#[derive(Default)]
struct Done {
    recorded: u64,
    size: Option<TreeSize>,
    position: Option<u64>,
}

pub(super) fn run(session: &mut Session<'_, '_>, anchor: &Anchor) -> Result<Answer, Failure> {
    let recording = recording(session, anchor)?;
    let here = session.network(&recording.here)?;
    if here == recording.network {
        return Err(Failure::new(
            Fault::Usage,
            "a network says nothing more of its own log by recording it",
        )
        .because(format!("{} and the node in use are of the same network", anchor.url))
        .hint("name a node of another network with --node, and an identity there with --as"));
    }
    let mut anew = anchor.begin_anew;
    let mut clock = Clock::new(anchor.interval)?;
    let mut done = Done::default();
    let mut looks = 0;
    let mut last = None;
    loop {
        looks += 1;
        let is_last = anchor.count.is_some_and(|count| looks >= count);
        match recording.look(session, &anchor.signing, anew, &mut done) {
            Ok(()) => (last, anew) = (None, false),
            Err(failure) if is_for_later(&failure) && !is_last => {
                if last.as_ref() != Some(&failure.what) {
                    session.say(&failure.to_string());
                }
                last = Some(failure.what);
            }
            Err(failure) => return Err(failure),
        }
        if is_last || clock.was_stopped_before_next() {
            break;
        }
    }
    let mut sheet = Sheet::default();
    sheet.add("recorded", done.recorded);
    sheet.add_some("size", done.size.map(|size| size.0));
    sheet.add_some("position", done.position);
    sheet.add("anchor", format!("{here}:{}", recording.by));
    Ok(Answer::sheet(&sheet))
}

/// Whether the next look may be another: nodes are away, or behind.
fn is_for_later(failure: &Failure) -> bool {
    failure.is_for_later() || failure.code == Fault::LogRolledBack.code()
}

fn recording(session: &mut Session<'_, '_>, anchor: &Anchor) -> Result<Recording, Failure> {
    let (log, here) = (Client::new(&anchor.url)?, session.client()?);
    let by = anchor.signing.open(session)?.thing()?;
    let trusted = match &anchor.trust {
        Some(text) => Some(root_of_trust(session, text)?.0),
        None => None,
    };
    let genesis = Source::node(&anchor.url)?.genesis(trusted)?;
    let (network, origin) = (genesis.network_id(), genesis.origin);
    if trusted.is_none() {
        session.say_trusting(network);
    }
    Ok(Recording { log, network, origin, here, by })
}

impl Recording {
    /// Records the log as it is now, if it has grown since it was recorded last.
    fn look(
        &self,
        session: &mut Session<'_, '_>,
        signing: &Signing,
        anew: bool,
        done: &mut Done,
    ) -> Result<(), Failure> {
        let before = if anew { None } else { self.last()? };
        let Some(note) = self.note(before)? else { return Ok(()) };
        let signed = SignedCheckpoint::parse(note.as_bytes()).map_err(|_| self.is_wrong("note"))?;
        let size = signed.checkpoint().size;
        done.size = Some(size);
        if before.is_some_and(|(before, _)| before == size) {
            return Ok(());
        }
        let content = Content::Inline(ContentFormat::TEXT);
        let proposal = Proposal::new(StatementKind::RECORD, note.as_bytes());
        let written = signing.state(session, &Proposal { content, ..proposal })?;
        done.recorded += 1;
        done.position = written.position;
        Ok(())
    }

    /// Size and root of the log when the identity recorded it last, whatever it has stated since.
    fn last(&self) -> Result<Option<(TreeSize, Digest)>, Failure> {
        let mut statement: Digest = match self.here.thing(self.by)?.head.last.parse::<StatementId>()
        {
            Ok(last) => last.0,
            Err(_) => return Ok(None),
        };
        for _ in 0..STATEMENTS {
            let position = LeafIndex(self.here.statement(StatementId(statement))?.index);
            let leaf = self.here.leaf_bytes(position)?;
            if let Some((_, note)) = recorded_note(&leaf) {
                let log = note.checkpoint();
                if log.origin() != self.origin {
                    let what = format!("this identity records another log, {}", log.origin());
                    return Err(Failure::new(Fault::Usage, what)
                        .hint("give an identity of its own for each log with --as"));
                }
                return Ok(Some((log.size, log.root)));
            }
            let read = Leaf::decode(&leaf).ok().and_then(|leaf| leaf.statement());
            let read = read.and_then(|bytes| Statement::parse(bytes).ok());
            let link = read.ok_or_else(|| self.is_wrong("chain of the identity"))?.protected().link;
            if link.sequence.0 <= 1 {
                return Ok(None);
            }
            statement = link.previous;
        }
        Err(Failure::new(Fault::Usage, "this identity states other things than checkpoints")
            .because(format!("none of its last {STATEMENTS} statements is one"))
            .hint("give an identity of its own with --as"))
    }

    /// The log's newest checkpoint with the cosignatures of a quorum, which continues the one before;
    /// nothing of an empty log.
    fn note(&self, before: Option<(TreeSize, Digest)>) -> Result<Option<String>, Failure> {
        let now = TreeSize(self.log.network()?.size);
        if now.0 == 0 && before.is_none() {
            return Ok(None);
        }
        let size = before.map_or(TreeSize(1), |(size, _)| size);
        if now < size {
            let what = format!("{} has fewer leaves than were recorded", self.log.base());
            return Err(Failure::new(Fault::LogRolledBack, what)
                .because(format!("{size} leaves were recorded, it has {now}"))
                .hint("wait, or use another node: this one is behind, or was set back"));
        }
        let bundle = self.log.proof(&ProofQuery {
            claims: vec![Claim::continuing(size)],
            certificate: CertificateKind::Cosigned,
            without_anchor: true,
            ..ProofQuery::default()
        })?;
        let verdict = judge(
            &bundle,
            &Trust {
                network: Some(self.network),
                certificates: Accepted::Only(CertificateKind::Cosigned),
                seen: before,
                ..Trust::default()
            },
        );
        if let Some(check) = verdict.failure() {
            let fault = match check.code {
                Some("TM-LOG-SPLIT") => Fault::LogSplit,
                Some("TM-LOG-ROLLED-BACK") => Fault::LogRolledBack,
                _ => Fault::Unproved,
            };
            let what = format!("{} does not show its log as it was recorded", self.log.base());
            return Err(Failure::new(fault, what).because(&check.reason).hint(
                "look at the log before anything else; `--begin-anew` records it all the same, and \
                 what was recorded stays",
            ));
        }
        let bundle = Bundle::decode(&bundle).map_err(|_| self.is_wrong("bundle"))?;
        let note = bundle.note.ok_or_else(|| self.is_wrong("note"))?;
        Ok(Some(note.into()))
    }

    fn is_wrong(&self, what: &str) -> Failure {
        Failure::new(Fault::Answer, format!("{} gives no right {what}", self.log.base()))
            .hint("use another node")
    }
}
