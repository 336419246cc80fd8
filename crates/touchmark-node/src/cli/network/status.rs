//! How a network is doing, or how far it is formed.

use crate::cli::answer::Answer;
use crate::cli::failure::Failure;
use crate::cli::session::Session;
use crate::cli::sheet::{Field, Sheet};
use crate::cli::view;
use crate::formation::{Convening, Draft, Role};
use crate::node::now;
use std::path::PathBuf;

/// Show how the network is doing, or with a data folder how far one is formed there
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Status {
    /// Data folder in which a network is being formed
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
}

pub(super) fn run(session: &Session<'_, '_>, status: &Status) -> Result<Answer, Failure> {
    if let Some(data) = &status.data {
        let draft = Draft::open(&session.path(data))?;
        return Ok(Answer::sheet(&forming(&draft)));
    }
    let client = session.client()?;
    session.network(&client)?;
    let network = client.network()?;
    Ok(Answer::new(&network, view::network(&network).to_string()))
}

fn forming(draft: &Draft) -> Sheet {
    let mut sheet = Sheet::default();
    sheet.add("formation", draft.formation().to_string());
    let own = &draft.record.record;
    sheet.add("name", own.name.as_str()).add("peer key", own.peer.to_string());
    sheet.add("address", own.address.as_str());
    match &draft.role {
        Role::Convener(convening) => convened(&mut sheet, convening, &own.name),
        Role::Member(invitation) => {
            sheet.add("convener", invitation.convener.as_str());
            sheet.add("invitation", invitation.number.0);
        }
    }
    sheet
}

fn convened(sheet: &mut Sheet, convening: &Convening, own: &str) {
    sheet.add("origin", convening.origin.as_str()).add("validators", convening.validators);
    let joined = convening.issued.iter().filter_map(|issued| issued.record.as_ref());
    let joined = joined.map(|member| member.record.name.as_str());
    sheet.add("joined", [own].into_iter().chain(joined).collect::<Field>());
    let open = convening.issued.iter().filter(|issued| issued.record.is_none());
    let open = open.map(|issued| {
        let mut line = Sheet::default();
        line.add("number", issued.number.0).add("name", issued.name.as_str());
        line.add("expires", issued.expires).add("expired", issued.expires < now());
        line
    });
    sheet.add("invitations", open.collect::<Field>());
}
