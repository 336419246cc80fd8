//! The committee that a bundle leads to: whose receipts and checkpoints a reader believes.

use crate::cli::failure::{Failure, Fault};
use crate::cli::input;
use crate::cli::session::Session;
use std::path::Path;
use touchmark_core::verdict::{Trust, judge};
use touchmark_wire::bundle::Bundle;
use touchmark_wire::genesis::{Committee, Genesis};
use touchmark_wire::ids::NetworkId;

/// The network's genesis, and the committee that certified the bundle at `path`, which must be
/// positive under the trusted network by the engine's certificate.
pub(super) fn of(
    session: &mut Session<'_, '_>,
    path: &Path,
    network: Option<NetworkId>,
) -> Result<(Genesis, Committee), Failure> {
    let bytes = session.read(path)?;
    let decodings = input::decodings(&bytes);
    let bundle = decodings.iter().find_map(|it| Some((&it.bytes, Bundle::decode(&it.bytes).ok()?)));
    let Some((bytes, bundle)) = bundle else {
        let what = format!("{} is no bundle", path.display());
        return Err(Failure::new(Fault::Malformed, what)
            .hint("`touchmark proof fetch` writes one, whatever it proves"));
    };
    let verdict = judge(bytes, &Trust { network, ..Trust::default() });
    let unproved = |why: &str| {
        Failure::new(Fault::Unproved, format!("{} leads to no committee", path.display()))
            .because(why)
            .hint("name the network with --trust, and fetch a bundle anew with `touchmark proof fetch`")
    };
    if let Some(check) = verdict.checks.iter().find(|check| !check.result.holds()) {
        return Err(unproved(&check.reason));
    }
    let genesis =
        Genesis::decode(bundle.genesis).map_err(|_| unproved("its genesis is malformed"))?;
    let last = bundle.handovers.0.last().map(|handover| handover.committee.clone());
    let committee = last.unwrap_or_else(|| genesis.committee.clone());
    Ok((genesis, committee))
}
