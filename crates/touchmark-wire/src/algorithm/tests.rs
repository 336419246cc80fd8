//! The table and the key encoding; the signatures are tested against published vectors in
//! `tests/signatures.rs`.

use super::*;

#[test]
fn each_row_is_at_its_algorithms_place() {
    for algorithm in Algorithm::ALL {
        assert_eq!(algorithm.row().algorithm, algorithm);
        assert_eq!(Algorithm::from_cose_id(algorithm.cose_id().into()), Some(algorithm));
        assert_eq!(Algorithm::from_name(algorithm.name()), Some(algorithm));
    }
    assert_eq!(Algorithm::from_cose_id(-8), None);
}
