//! A checkpoint is one text.

use touchmark_wire::checkpoint::{Checkpoint, SignedCheckpoint};

/// Whatever is read is written as the same text; a signed note also names its signatures.
pub fn target(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data)
        && let Ok(checkpoint) = Checkpoint::parse(text)
    {
        assert_eq!(checkpoint.to_string(), text, "a second text of the same checkpoint");
        assert_eq!(checkpoint.body().as_str(), text);
    }
    if let Ok(signed) = SignedCheckpoint::parse(data) {
        assert!(data.starts_with(signed.body().as_bytes()));
        assert_eq!(signed.checkpoint().to_string(), signed.body());
        let _ = signed.signatures().count();
    }
    // With extension lines the checkpoint is the beginning of what is signed.
    if let Ok(signed) = SignedCheckpoint::parse_extended(data) {
        assert!(data.starts_with(signed.body().as_bytes()));
        assert!(signed.body().starts_with(&signed.checkpoint().to_string()));
    }
}
