//! What validators ask each other, and what they say, has exactly one accepted encoding.

use touchmark_wire::bundle::Freshness;
use touchmark_wire::word::{Question, Word};

/// Whatever decodes encodes to the same bytes, within its bounds.
pub fn target(data: &[u8]) {
    if let Ok(question) = Question::decode(data) {
        assert!(data.len() <= Question::LIMIT);
        match &question {
            Question::Fresh(nonce, ..) => assert!(Freshness::NONCE.contains(&nonce.len())),
            Question::Part(.., by) => assert!((2..=16).contains(&by.len())),
            _ => {}
        }
        assert_eq!(question.encode_to_vec(), data);
    }
    if let Ok(word) = Word::decode(data) {
        assert!(data.len() <= Word::LIMIT);
        assert_eq!(word.encode_to_vec(), data);
    }
}
