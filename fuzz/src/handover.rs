//! Committees, appointments and hand-overs have exactly one accepted encoding, and following one
//! leads nowhere but to its own committee.

use touchmark_wire::genesis::Committee;
use touchmark_wire::handover::{Appointment, Handover, Tenure};
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::{Epoch, Height, NetworkId};
use touchmark_wire::limits;

/// Whatever decodes encodes to the same bytes; nobody approved for this network by chance.
pub fn target(data: &[u8]) {
    if let Ok(committee) = Committee::decode(data) {
        assert!(data.len() <= limits::COMMITTEE);
        assert_eq!(committee.encode_to_vec(), data);
        if committee.check().is_ok() {
            assert!((1..=limits::MEMBERS).contains(&committee.validators.len()));
        }
    }
    if let Ok(appointment) = Appointment::decode(data) {
        assert_eq!(appointment.encode_to_vec(), data);
    }
    if let Ok(handover) = Handover::decode(data) {
        assert_eq!(handover.encode_to_vec(), data);
        let mut committee = handover.committee.clone();
        committee.epoch = Epoch(committee.epoch.0.wrapping_sub(1));
        let tenure = Tenure { committee, since: Height(0) };
        let network = NetworkId(Digest::default());
        assert!(tenure.follow_approvals(network, &handover).is_err());
    }
}
