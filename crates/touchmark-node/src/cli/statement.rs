//! Statements that were signed elsewhere.

use super::answer::{Answer, Table};
use super::failure::{Exit, Failure, Fault};
use super::session::Session;
use super::{input, view};
use std::path::PathBuf;
use touchmark_api::OutcomeName;
use touchmark_wire::leaf::Leaf;
use touchmark_wire::statement::Statement;

/// Commands about statements
#[derive(clap::Subcommand, Debug)]
pub(super) enum Command {
    /// Submit signed statements, or leaves of bare evidence, in this order
    Submit(Submit),
}

#[derive(clap::Args, Debug)]
pub(super) struct Submit {
    /// Files with one statement or leaf each; - is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Only say what would be submitted
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(session: &mut Session<'_, '_>, command: Command) -> Result<Answer, Failure> {
    let Command::Submit(submit) = command;
    let mut leaves = Vec::new();
    for file in &submit.files {
        let given = session.read(file)?;
        let found = input::decodings(&given).into_iter().find(|it| is_submittable(&it.bytes));
        let Some(found) = found else {
            let what =
                format!("{} is neither a statement nor a leaf of bare evidence", file.display());
            return Err(Failure::new(Fault::Malformed, what)
                .hint("`touchmark inspect` tells what it is; nothing was submitted"));
        };
        leaves.push(found.bytes);
    }
    if submit.dry_run {
        let names: Vec<_> = submit.files.iter().map(|file| file.display().to_string()).collect();
        let text = format!("would submit {}\n", names.join(", "));
        return Ok(Answer::new(&serde_json::json!({ "dry_run": true, "files": names }), text));
    }
    let client = session.client()?;
    if let [leaf] = &leaves[..]
        && matches!(Leaf::decode(leaf), Ok(Leaf::Accepted(_)))
    {
        return Ok(view::written(&client.submit_statement(leaf)?, None));
    }
    let what = "the node takes the statements";
    let answers = session.wait(what, || client.submit_sequence(&leaves.concat()))?;
    let mut table = Table::new(&["file", "outcome", "leaf", "code", "why"]);
    for (file, written) in submit.files.iter().zip(&answers) {
        table.row([
            file.display().to_string(),
            format!("{:?}", written.outcome).to_lowercase(),
            written.position.map(|position| position.to_string()).unwrap_or_default(),
            written.code.clone().unwrap_or_default(),
            written.detail.clone().unwrap_or_default(),
        ]);
    }
    let counts = |outcome| matches!(outcome, OutcomeName::Accepted | OutcomeName::Known);
    let all = answers.len() == leaves.len() && answers.iter().all(|it| counts(it.outcome));
    let exit = if all { Exit::Fine } else { Exit::Refused };
    Ok(Answer::new(&answers, table.to_string()).ending(exit))
}

fn is_submittable(bytes: &[u8]) -> bool {
    match Leaf::decode(bytes) {
        Ok(Leaf::Accepted(statement)) => Statement::parse(statement).is_ok(),
        Ok(Leaf::Evidence(_)) => true,
        _ => false,
    }
}
