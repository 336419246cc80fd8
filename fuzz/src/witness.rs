//! A submission to a witness is one text, and what is decided on it never goes back.

use touchmark_wire::algorithm::PureVerifier;
use touchmark_wire::certificate::NoteKey;
use touchmark_wire::witness::{PROOF_LIMIT, Submission, Tree, Witnessed, submission};

/// Whatever is read is written as the same text; without a trusted key nothing is cosigned. A vkey
/// is written as it was read, but for the case of its key id.
pub fn target(data: &[u8]) {
    let text = std::str::from_utf8(data);
    if let Ok(text) = text
        && let Ok(key) = NoteKey::parse(text)
    {
        assert!(key.to_string().eq_ignore_ascii_case(text));
    }
    let Ok(read) = Submission::parse(data) else { return };
    let proof: Vec<_> = read.proof().collect();
    assert!(proof.len() <= PROOF_LIMIT);
    let text = text.expect("what is read is text");
    let (_, note) = text.split_once("\n\n").expect("it has an empty line");
    assert_eq!(submission(read.old(), &proof, note), text);
    let origin = read.note().checkpoint().origin();
    let newest = Tree { size: read.old(), ..Tree::empty() };
    let witnessed = Witnessed { origin, keys: &[], newest };
    assert!(witnessed.decide(&read, &PureVerifier).is_err());
}
