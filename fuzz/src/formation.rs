//! Invitations, records, agreements and messages of a formation have exactly one accepted
//! encoding, and checking them ends.

use touchmark_wire::codec;
use touchmark_wire::formation::{Agreement, FormationId, Invitation, Reply, Request, SignedRecord};
use touchmark_wire::hash::Digest;
use touchmark_wire::limits;

/// Whatever decodes encodes to the same bytes and is within its bounds.
pub fn target(data: &[u8]) {
    if let Ok(invitation) = Invitation::decode(data) {
        assert!(data.len() <= limits::INVITATION);
        assert_eq!(invitation.encode_to_vec(), data);
    }
    if let Ok(record) = SignedRecord::decode(data) {
        assert!(data.len() <= limits::MEMBER_RECORD);
        assert_eq!(codec::encode(&record), data);
        // Nobody signed for this formation by chance.
        assert!(record.check(FormationId(Digest::default())).is_err());
    }
    if let Ok(agreement) = Agreement::decode(data) {
        assert_eq!(agreement.encode_to_vec(), data);
        if agreement.check().is_ok() {
            assert!((1..=limits::MEMBERS).contains(&agreement.members.len()));
        }
    }
    if let Ok(request) = Request::decode(data) {
        assert_eq!(codec::encode(&request), data);
        let _ = request.sealed();
    }
    if let Ok(reply) = Reply::decode(data) {
        assert!(data.len() <= limits::FORMATION_MESSAGE);
        assert_eq!(codec::encode(&reply), data);
    }
}
