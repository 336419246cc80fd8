//! What a member proves to a reader who knows the genesis only.

use crate::site::Site;
use std::sync::Arc;
use touchmark_batch::Batch;
use touchmark_engine::Finality;
use touchmark_wire::certificate::{CommitteeKey, Namespace, ThresholdCertificate};
use touchmark_wire::handover::{Handover, Tenure};
use touchmark_wire::header::BatchHeader;
use touchmark_wire::ids::Height;
use touchmark_wire::limits::TERM;

/// The last height of the first committee of a network that changes it.
pub(crate) const HANDOVER: Height = Height(TERM - 1);

/// Follows `handover`, the proof of the first term's last batch, to the second committee.
pub(crate) fn follow(site: &Site, handover: &Finality) -> Result<Tenure, String> {
    let first = Tenure::first(site.founders().clone());
    let Some(next) = &site.next else { return Ok(first) };
    let [header] = &handover.headers[..] else {
        return Err("the last batch of the term has no certificate of its own".to_owned());
    };
    let handover = Handover {
        header,
        certificate: &handover.certificate,
        approvals: next.approvals.clone(),
        committee: next.committee.clone(),
    };
    first.follow(site.network(), &handover).map_err(|error| error.to_string())
}

/// Checks that `proof` leads from `batch` to a certificate by whoever is in office there.
pub(crate) fn verify(
    site: &Site,
    tenure: &Tenure,
    batch: &Arc<Batch>,
    proof: &Finality,
) -> Result<(), String> {
    let Some(last) = proof.headers.last() else {
        return Err("there is no header".to_owned());
    };
    if proof.headers[0] != batch.header_bytes() {
        return Err("it is of another batch".to_owned());
    }
    for pair in proof.headers.windows(2) {
        let after = BatchHeader::decode(&pair[1]).map_err(|error| error.to_string())?;
        if after.parent != BatchHeader::digest(&pair[0]) {
            return Err("its headers do not follow each other".to_owned());
        }
    }
    let key = CommitteeKey::parse(&tenure.committee.certificate_key.0);
    let key = key.map_err(|error| error.to_string())?;
    ThresholdCertificate::parse(&proof.certificate)
        .and_then(|it| it.verify(last, &Namespace::of(&site.network()), &key))
        .map_err(|error| error.to_string())
}
