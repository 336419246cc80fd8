//! A statement has exactly one accepted encoding, and reading it ends.

use touchmark_api::scitt::SignedStatement;
use touchmark_wire::limits;
use touchmark_wire::statement::{Signatures, Statement};

/// The parts account for every byte, and what can be asked of a statement is answered.
pub fn target(data: &[u8]) {
    let signed = SignedStatement::parse(data);
    let Ok(statement) = Statement::parse(data) else {
        assert!(signed.is_err(), "a Signed Statement is a statement");
        return;
    };
    if let Ok(signed) = signed {
        assert!(statement.protected().claims.is_some());
        // One header of five bytes in place of one of one, and an empty receipt of one.
        assert_eq!(signed.transparent(&[&[]]).len(), data.len() + 5);
    }
    assert!(data.len() <= limits::STATEMENT);
    assert_eq!(statement.bytes(), data);
    let header = statement.protected();
    assert!(header.link.sequence.0 > 0, "chains begin at 1");
    let id = statement.id();
    match statement.signatures() {
        Signatures::One(_) => assert!(header.kid.key.is_some() && header.algorithm.is_some()),
        Signatures::Many(signers) => {
            assert!(header.kid.key.is_none() && header.algorithm.is_none());
            assert!((1..=limits::SIGNERS).contains(&signers.len()));
            let kids: Vec<_> = signers.iter().map(|signer| signer.kid()).collect();
            assert!(kids.is_sorted_by(|a, b| a < b), "signers are sorted, each once");
            for signer in signers.iter() {
                let structure = statement.sig_structure_of(&signer);
                assert_ne!(structure.signed_bytes().digest(), &id.0, "a signer's bytes as an id");
            }
        }
    }
    if data.len() < limits::STATEMENT {
        assert!(Statement::parse(&[data, &[0]].concat()).is_err(), "a byte too many");
    }
    assert!(Statement::parse(&data[..data.len() - 1]).is_err(), "a byte too few");
}
