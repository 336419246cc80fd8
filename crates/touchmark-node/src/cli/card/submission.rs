//! What a card signed goes to a node: bare, or in the statement of whoever read it.

use crate::cli::answer::Answer;
use crate::cli::failure::Failure;
use crate::cli::identity::signing::{Proposal, Signing};
use crate::cli::session::Session;
use crate::cli::sheet::Sheet;
use crate::cli::view;
use std::path::PathBuf;
use touchmark_core::evidence::{self, Context, WrappedEvidence};
use touchmark_wire::codec;
use touchmark_wire::registry::{EvidenceFormat, StatementKind};

/// Where the evidence goes
#[derive(clap::Args, Debug)]
pub(crate) struct Submission {
    #[command(flatten)]
    signing: Signing,
    /// Wrap it in a statement of the context's identity; --as does so too
    #[arg(long)]
    wrap: bool,
    /// Keep the evidence in a file instead, for `touchmark evidence submit`
    #[arg(long, value_name = "FILE", conflicts_with = "wrap")]
    out: Option<PathBuf>,
}

impl Submission {
    /// Submits evidence of a card with what the reader adds.
    pub(super) fn submit(
        &self,
        session: &mut Session<'_, '_>,
        format: EvidenceFormat,
        bytes: &[u8],
        context: Option<Context<'_>>,
    ) -> Result<Answer, Failure> {
        let mut sheet = Sheet::default();
        let inner = evidence::parse(format, bytes).ok();
        sheet.add_some("thing", inner.as_ref().map(|inner| inner.thing.to_string()));
        sheet.add_some("counter", inner.as_ref().map(|inner| inner.counter));
        sheet.add_some("evidence", inner.map(|inner| inner.id(format).to_string()));
        if format == EvidenceFormat::CARD_URL {
            sheet.add("url", String::from_utf8_lossy(bytes));
        }
        if let Some(path) = &self.out {
            session.write(path, bytes)?;
            sheet.add("file", path.display().to_string());
            return Ok(Answer::sheet(&sheet));
        }
        let written = if self.is_wrapped() {
            let payload = codec::encode(&WrappedEvidence { format, bytes, context });
            self.signing.state(session, &Proposal::new(StatementKind::EVIDENCE, &payload))?
        } else {
            session.client()?.submit_evidence(format, bytes)?
        };
        view::outcome(&mut sheet, &written);
        Ok(Answer::sheet(&sheet))
    }

    /// Whether a reader speaks for what it read.
    pub(super) const fn is_wrapped(&self) -> bool {
        self.wrap || self.signing.is_named()
    }
}
