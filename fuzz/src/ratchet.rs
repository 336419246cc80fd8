//! What a light client keeps has exactly one accepted encoding, and nothing in it goes back.

use touchmark_wire::codec;
use touchmark_wire::ids::NetworkId;
use touchmark_wire::ratchet::{Position, Ratchet, Shown};

/// Whatever decodes encodes to the same bytes. Of two positions, whose border the first byte sets,
/// the later one is followed from the earlier one at most.
pub fn target(data: &[u8]) {
    if let Ok(ratchet) = Ratchet::decode(data) {
        assert_eq!(ratchet.encode(&mut [0; Ratchet::LIMIT]), data);
    }
    let Some((border, rest)) = data.split_first() else { return };
    let (one, other) = rest.split_at(usize::from(*border).min(rest.len()));
    let position = |bytes| codec::decode::<Position>(bytes, Ratchet::LIMIT);
    let (Ok(one), Ok(other)) = (position(one), position(other)) else { return };
    let network = NetworkId::default();
    let committees = [one.committee, other.committee];
    let follow = |from: Position, position, committees| {
        let begun = Shown { network, position: from, committees: &[] };
        Ratchet::begin(&begun).follow(&Shown { network, position, committees })
    };
    let forth = follow(one, other, &committees);
    if let Ok(Ratchet { position, .. }) = forth {
        assert_eq!(position, other);
        assert!(one.height <= other.height && one.time <= other.time);
        assert!(one.size <= other.size && one.epoch <= other.epoch);
        assert!(one.size != other.size || one.root == other.root);
        let back = follow(other, one, &committees[..1]);
        assert_eq!(back.is_ok(), one == other);
    }
}
