//! Whose receipts and checkpoints a reader believes: the first committee, or one that a bundle leads
//! to.

use crate::cli::failure::{Failure, Fault};
use crate::cli::input;
use crate::cli::moment::Moment;
use crate::cli::session::Session;
use crate::shown::committee;
use std::fmt;
use std::path::Path;
use touchmark_core::verdict::{AsOf, Trust, judge};
use touchmark_wire::bundle::Bundle;
use touchmark_wire::genesis::{Committee, Genesis};
use touchmark_wire::ids::NetworkId;

/// A committee, and when it certified.
pub(super) struct Office {
    pub(super) committee: Committee,
    as_of: Option<AsOf>,
}

impl Office {
    /// That of the genesis document.
    pub(super) fn first(committee: &Committee) -> Self {
        Self { committee: committee.clone(), as_of: None }
    }

    /// The network's genesis, and the committee that certified the bundle at `path`, which must be
    /// positive under the trusted network by the engine's certificate.
    pub(super) fn of(
        session: &mut Session<'_, '_>,
        path: &Path,
        network: Option<NetworkId>,
        nonce: Option<&[u8]>,
    ) -> Result<(Genesis, Self), Failure> {
        let bytes = session.read(path)?;
        let decodings = input::decodings(&bytes);
        let bundle =
            decodings.iter().find_map(|it| Some((&it.bytes, Bundle::decode(&it.bytes).ok()?)));
        let Some((bytes, bundle)) = bundle else {
            let what = format!("{} is no bundle", path.display());
            return Err(Failure::new(Fault::Malformed, what)
                .hint("`touchmark proof fetch` writes one, whatever it proves"));
        };
        let nonce = nonce.filter(|_| bundle.freshness.is_some());
        let verdict = judge(bytes, &Trust { network, nonce, ..Trust::default() });
        let unproved = |why: &str| {
            let what = format!("{} leads to no committee", path.display());
            Failure::new(Fault::Unproved, what).because(why).hint(
                "name the network with --trust, and fetch a bundle anew with `touchmark proof fetch`",
            )
        };
        if let Some(check) = verdict.failure() {
            return Err(unproved(&check.reason));
        }
        let genesis =
            Genesis::decode(bundle.genesis).map_err(|_| unproved("its genesis is malformed"))?;
        let committee = committee(&bundle, &genesis).clone();
        Ok((genesis, Self { committee, as_of: verdict.as_of }))
    }
}

impl fmt::Display for Office {
    /// Which committee, and when that was known to certify: it may have left since.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "committee {}", self.committee.epoch)?;
        match self.as_of {
            Some(AsOf { height, time, .. }) => {
                write!(f, ", which certified batch {height} at {}", Moment(time))
            }
            None => Ok(()),
        }
    }
}
