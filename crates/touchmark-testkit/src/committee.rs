//! Committees with the private halves of all their keys: what they approve of and certify.

use bls12_381::hash_to_curve::{ExpandMsgXmd, HashToCurve};
use bls12_381::{G1Affine, G1Projective, G2Affine, G2Projective, Scalar};
use touchmark_keys::software::SoftwareKey;
use touchmark_wire::algorithm::{Algorithm, CoseKey, Signer as _};
use touchmark_wire::certificate::Namespace;
use touchmark_wire::genesis::{CertificateKey, Committee, Validator, quorum};
use touchmark_wire::handover::{Appointment, Approval};
use touchmark_wire::hash::Digest;
use touchmark_wire::header::BatchHeader;
use touchmark_wire::ids::{Epoch, NetworkId};

/// A committee by its number and the numbers of its validators.
#[derive(Clone, Copy, Debug)]
pub struct Panel<'a> {
    /// Number of the committee.
    pub number: u64,
    /// Each validator has the same keys in every committee.
    pub validators: &'a [u8],
}

/// A private key of validator `n`; each purpose has its own first byte of the seed.
fn key(algorithm: Algorithm, purpose: u8, n: u8) -> SoftwareKey {
    let mut seed = [n; 32];
    seed[0] = purpose;
    SoftwareKey::from_seed(algorithm, &seed).expect("a small number is in the range of every curve")
}

/// Cosigner key of validator `n`.
pub fn cosigner_key(n: u8) -> SoftwareKey {
    key(Algorithm::Ed25519, 3, n)
}

fn public(key: &SoftwareKey) -> CoseKey {
    *key.public_key().cose()
}

fn validator(n: u8) -> Validator {
    Validator {
        name: format!("log.example/1/validator-{n}"),
        peer: Digest(*public(&key(Algorithm::Ed25519, 1, n)).x()),
        log_key: public(&key(Algorithm::Es256, 2, n)),
        cosigner_key: public(&cosigner_key(n)),
    }
}

/// A committee's whole secret, which a distributed key generation would share out.
#[derive(Clone, Copy, Debug)]
pub struct Secret(pub u64);

impl Secret {
    fn scalar(self) -> Scalar {
        Scalar::from(self.0)
    }

    /// The public half.
    pub fn certificate_key(self) -> CertificateKey {
        let key = G2Affine::from(G2Projective::generator() * self.scalar());
        CertificateKey(key.to_compressed())
    }

    /// The engine's certificate of a header (spec/ledger.md, Certificates); epoch, view and parent
    /// view of the round take one byte each.
    pub fn certify(self, network: NetworkId, round: [u8; 3], header: &[u8]) -> Vec<u8> {
        const SUITE: &[u8] = b"BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_POP_";
        let proposal = [&round, &BatchHeader::digest(header).0[..]].concat();
        let namespace = [Namespace::of(&network).as_bytes(), &b"_FINALIZE"[..]].concat();
        let length = [namespace.len() as u8];
        let message = [&length, &namespace[..], &proposal].concat();
        let point = <G1Projective as HashToCurve<ExpandMsgXmd<sha2_10::Sha256>>>::hash_to_curve(
            [&message[..]],
            SUITE,
        );
        let signature = G1Affine::from(point * self.scalar());
        [&proposal[..], &signature.to_compressed()].concat()
    }
}

impl Panel<'_> {
    const fn secret(self) -> Secret {
        Secret(7_100 + self.number)
    }

    /// The public halves.
    pub fn committee(self) -> Committee {
        let validators: Vec<_> = self.validators.iter().copied().map(validator).collect();
        let threshold = quorum(validators.len()) as u16;
        let certificate_key = self.secret().certificate_key();
        let epoch = Epoch(self.number);
        Committee { epoch, certificate_key, validators, threshold, note_key: None }
    }

    /// Approvals of `next` by the validators at these places.
    pub fn approve(self, network: NetworkId, next: &Committee, places: &[usize]) -> Vec<Approval> {
        let present = self.committee();
        let approve = |place: &usize| {
            let key = cosigner_key(self.validators[*place]);
            Approval::sign(network, &present, next, &key).expect("a key in memory signs")
        };
        places.iter().map(approve).collect()
    }

    /// The payload that appoints `next`.
    pub fn appoint(self, network: NetworkId, next: &Committee, places: &[usize]) -> Vec<u8> {
        let approvals = self.approve(network, next, places);
        Appointment { committee: &next.encode_to_vec(), approvals }.encode_to_vec()
    }

    /// The log key of the validator at a place.
    pub fn answer(self, place: usize) -> SoftwareKey {
        key(Algorithm::Es256, 2, self.validators[place])
    }

    /// The engine's certificate of a header.
    pub fn certify(self, network: NetworkId, header: &[u8]) -> Vec<u8> {
        self.secret().certify(network, [self.number as u8, 9, 8], header)
    }
}
