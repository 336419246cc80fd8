//! Private keys in memory.

use core::fmt;
use p256::ecdsa::signature::MultipartSigner as _;
use p256::ecdsa::signature::hazmat::PrehashSigner as _;
use touchmark_wire::algorithm::{
    Algorithm, CoseKey, PublicKey, SIGNATURE_LENGTH, SignError, SignedBytes, Signer,
};
use zeroize::Zeroizing;

/// A private key in this process's memory, wiped when dropped.
///
/// ES256 and ES256K sign deterministically (RFC 6979 with SHA-256), Ed25519 as RFC 8032 §5.1.6: no
/// signature needs randomness, and a repeated request gives the same bytes.
pub struct SoftwareKey {
    secret: Secret,
    public: PublicKey,
}

enum Secret {
    Es256(p256::ecdsa::SigningKey),
    Ed25519(ed25519_dalek::SigningKey),
    Es256k(k256::ecdsa::SigningKey),
}

impl SoftwareKey {
    /// Length of a seed, bytes.
    pub const SEED: usize = 32;

    /// A new key from the operating system's randomness.
    pub fn generate(algorithm: Algorithm) -> Result<Self, SoftwareKeyError> {
        let mut seed = Zeroizing::new([0; Self::SEED]);
        loop {
            getrandom::fill(seed.as_mut_slice()).map_err(|_| SoftwareKeyError::NoRandomness)?;
            match Self::from_seed(algorithm, &seed) {
                // Once in 2^32 (P-256) or 2^128 draws: not below the group order.
                Err(SoftwareKeyError::Seed) => {}
                done => return done,
            }
        }
    }

    /// The key of a seed: the private scalar, big-endian, in [1, n−1] (ES256, ES256K), or the
    /// private key of RFC 8032 §5.1.5 (Ed25519).
    pub fn from_seed(
        algorithm: Algorithm,
        seed: &[u8; Self::SEED],
    ) -> Result<Self, SoftwareKeyError> {
        let secret = match algorithm {
            Algorithm::Es256 => p256::ecdsa::SigningKey::from_slice(seed)
                .map(Secret::Es256)
                .map_err(|_| SoftwareKeyError::Seed)?,
            Algorithm::Ed25519 => Secret::Ed25519(ed25519_dalek::SigningKey::from_bytes(seed)),
            Algorithm::Es256k => k256::ecdsa::SigningKey::from_slice(seed)
                .map(Secret::Es256k)
                .map_err(|_| SoftwareKeyError::Seed)?,
            other => return Err(SoftwareKeyError::Unsupported(other)),
        };
        let public = secret.public().check().expect("a private key's point is of prime order");
        Ok(Self { secret, public })
    }

    /// The seed, for who stores the key.
    pub fn seed(&self) -> Zeroizing<[u8; Self::SEED]> {
        Zeroizing::new(match &self.secret {
            Secret::Es256(key) => key.to_bytes().into(),
            Secret::Ed25519(key) => key.to_bytes(),
            Secret::Es256k(key) => key.to_bytes().into(),
        })
    }
}

impl Secret {
    fn public(&self) -> CoseKey {
        match self {
            Self::Es256(key) => {
                let point = key.verifying_key().to_sec1_point(false);
                let (x, y) = coordinates(point.as_bytes());
                CoseKey::es256(x, y)
            }
            Self::Ed25519(key) => CoseKey::ed25519(key.verifying_key().to_bytes()),
            Self::Es256k(key) => {
                let point = key.verifying_key().to_sec1_point(false);
                let (x, y) = coordinates(point.as_bytes());
                CoseKey::es256k(x, y)
            }
        }
    }
}

/// x and y of an uncompressed point (SEC 1 §2.3.3): 0x04 ‖ x ‖ y.
fn coordinates(point: &[u8]) -> ([u8; 32], [u8; 32]) {
    let (mut x, mut y) = ([0; 32], [0; 32]);
    x.copy_from_slice(&point[1..33]);
    y.copy_from_slice(&point[33..]);
    (x, y)
}

impl Signer for SoftwareKey {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn sign(&self, message: &SignedBytes<'_>) -> Result<[u8; SIGNATURE_LENGTH], SignError> {
        let digest = &message.digest().0;
        match &self.secret {
            Secret::Es256(key) => {
                let signed: Result<p256::ecdsa::Signature, _> = key.sign_prehash(digest);
                signed.map(|signature| signature.to_bytes().into()).map_err(|_| SignError::Faulty)
            }
            Secret::Ed25519(key) => key
                .try_multipart_sign(message.parts())
                .map(|signature| signature.to_bytes())
                .map_err(|_| SignError::Faulty),
            Secret::Es256k(key) => {
                let signed: Result<k256::ecdsa::Signature, _> = key.sign_prehash(digest);
                signed.map(|signature| signature.to_bytes().into()).map_err(|_| SignError::Faulty)
            }
        }
    }
}

impl fmt::Debug for SoftwareKey {
    /// Names the public key only.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SoftwareKey").field(&self.public).finish()
    }
}

/// Why there is no key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum SoftwareKeyError {
    /// The seed is 0 or not below the group order.
    Seed,
    /// This build has no signer for the algorithm.
    Unsupported(Algorithm),
    /// The operating system gave no randomness.
    NoRandomness,
}

impl fmt::Display for SoftwareKeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Seed => f.write_str("not a private key: the seed is out of range"),
            Self::Unsupported(algorithm) => write!(f, "this build cannot sign with {algorithm}"),
            Self::NoRandomness => f.write_str("the operating system gave no randomness"),
        }
    }
}

impl core::error::Error for SoftwareKeyError {}

#[cfg(test)]
mod tests {
    use super::*;
    use touchmark_wire::algorithm::{PureVerifier, SignatureError, SignatureVerifier};

    fn hex<const N: usize>(text: &str) -> [u8; N] {
        core::array::from_fn(|n| {
            u8::from_str_radix(&text[2 * n..2 * n + 2], 16).expect("the test's own constant")
        })
    }

    #[test]
    fn each_algorithm_signs_what_the_verifier_accepts() {
        for algorithm in Algorithm::ALL {
            let key = SoftwareKey::generate(algorithm).unwrap();
            assert_eq!(key.public_key().algorithm(), algorithm);
            let message = SignedBytes::new([b"a mess", b"", b"age"]);
            let signature = key.sign(&message).unwrap();
            let again = SoftwareKey::from_seed(algorithm, &key.seed()).unwrap();
            assert_eq!(again.sign(&message), Ok(signature));
            assert_eq!(again.public_key(), key.public_key());
            let verify = |message| PureVerifier.verify(key.public_key(), &message, &signature);
            assert_eq!(verify(SignedBytes::new([b"a message"])), Ok(()));
            assert_eq!(verify(SignedBytes::new([b"a messagf"])), Err(SignatureError::Mismatch));
        }
    }

    /// RFC 6979 §A.2.5, P-256 with SHA-256, message "sample".
    #[test]
    fn es256_is_deterministic_as_rfc_6979() {
        let seed = hex("c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721");
        let key = SoftwareKey::from_seed(Algorithm::Es256, &seed).unwrap();
        let expected = hex(concat!(
            "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716",
            "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8"
        ));
        assert_eq!(key.sign(&SignedBytes::new([b"sample"])), Ok(expected));
    }

    /// RFC 8032 §7.1, test 3.
    #[test]
    fn ed25519_is_rfc_8032() {
        let seed = hex("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7");
        let key = SoftwareKey::from_seed(Algorithm::Ed25519, &seed).unwrap();
        let public = "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025";
        assert_eq!(key.public_key().cose().x(), &hex::<32>(public));
        let expected = hex(concat!(
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac",
            "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
        ));
        assert_eq!(key.sign(&SignedBytes::new([b"\xaf", b"\x82"])), Ok(expected));
    }

    #[test]
    fn seeds_out_of_range_are_refused() {
        for algorithm in [Algorithm::Es256, Algorithm::Es256k] {
            for seed in [[0; 32], [0xff; 32]] {
                let refused = SoftwareKey::from_seed(algorithm, &seed).err();
                assert_eq!(refused, Some(SoftwareKeyError::Seed));
            }
        }
    }
}
