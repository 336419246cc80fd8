//! State and indexes made anew.

use crate::cli::answer::Answer;
use crate::cli::config::DataFolder;
use crate::cli::failure::Failure;
use crate::cli::session::Session;
use crate::cli::sheet::Sheet;
use crate::upkeep;
use touchmark_store::Progress;

/// Make state and indexes anew from the log
///
/// Every batch is executed again, signatures included, and must lead to the roots in its certified
/// header. The new tables take the place of the old ones at the end: a rebuild that is refused or
/// cut off has changed nothing. The node must not run meanwhile.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Rebuild {
    #[command(flatten)]
    data: DataFolder,
}

pub(super) fn run(session: &mut Session<'_, '_>, rebuild: &Rebuild) -> Result<Answer, Failure> {
    let (data, objects) = rebuild.data.with_objects(session)?;
    let rebuilt = upkeep::rebuild(&data, objects.as_ref(), |Progress { height, of }| {
        session.progress("batch", height.0, of.0);
    })?;
    let mut sheet = Sheet::default();
    sheet
        .add("height", rebuilt.height.0)
        .add("size", rebuilt.size.0)
        .add("root", rebuilt.root.to_string())
        .add("state root", rebuilt.state_root.to_string());
    Ok(Answer::sheet(&sheet))
}
