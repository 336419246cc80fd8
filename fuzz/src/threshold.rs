//! A share of a key that several hold together has one accepted encoding, and no message of its
//! generation breaks the member that takes it.

use touchmark_keys::threshold::{Generation, Share};

/// Whatever decodes encodes to the same bytes; whatever is taken once changes nothing when it comes
/// again.
pub fn target(data: &[u8]) {
    if let Ok(share) = Share::decode(data) {
        assert!((2..=16).contains(&share.threshold()));
        assert_eq!(share.encode_to_vec().as_slice(), data);
    }
    let mut member = Generation::begin(0, 3, 2).expect("two of three hold a key");
    if member.take(1, data).is_ok() {
        assert_eq!(member.take(1, data), Ok(()));
        assert!(member.share().is_none(), "a key was made without the third");
    }
}
