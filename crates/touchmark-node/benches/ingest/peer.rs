//! The library whose speed is the limit, on the same messages and cores.

use crate::rig::clock;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use touchmark_keys::software::SoftwareKey;
use touchmark_node::verifier::FastVerifier;
use touchmark_wire::algorithm::{
    Algorithm, Claim, PublicKey, SIGNATURE_LENGTH, SignedBytes, Signer as _,
};

/// Which library.
#[derive(Clone, Copy)]
pub(crate) enum Library {
    /// aws-lc, one signature after the other, SHA-256 included.
    AwsLc,
    /// The batch equation over curve25519-dalek, 256 at once: the fastest library with our
    /// acceptance set.
    Ed25519Batch,
}

/// About as long as a statement with its Sig_structure.
const MESSAGE: usize = 350;
const SAMPLE: usize = 256;

pub(crate) struct Peer {
    library: Library,
    samples: Vec<Sample>,
}

struct Sample {
    key: PublicKey,
    message: Vec<u8>,
    signature: [u8; SIGNATURE_LENGTH],
}

impl Peer {
    pub(crate) fn new(library: Library) -> Self {
        let algorithm = match library {
            Library::AwsLc => Algorithm::Es256,
            Library::Ed25519Batch => Algorithm::Ed25519,
        };
        let sample = |number: usize| {
            let key = SoftwareKey::generate(algorithm).expect("randomness");
            let message = vec![number as u8; MESSAGE];
            let signature = key.sign(&SignedBytes::new([&message[..]])).expect("a software key");
            Sample { key: key.public_key().clone(), message, signature }
        };
        Self { library, samples: (0..SAMPLE).map(sample).collect() }
    }

    /// Verifies for a while; returns how many, and the processor seconds that it took.
    pub(crate) fn measure(&self) -> (usize, f64) {
        let start = clock::thread_seconds();
        let mut count = 0;
        while clock::thread_seconds() - start < 0.25 {
            match self.library {
                Library::AwsLc => self.verify_each(),
                Library::Ed25519Batch => self.verify_all(),
            }
            count += self.samples.len();
        }
        (count, clock::thread_seconds() - start)
    }

    fn verify_each(&self) {
        for sample in &self.samples {
            let point = sample.key.cose().to_sec1().expect("an EC2 key");
            UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
                .verify(&sample.message, &sample.signature)
                .expect("a valid signature");
        }
    }

    fn verify_all(&self) {
        let messages: Vec<_> =
            self.samples.iter().map(|sample| SignedBytes::new([&sample.message[..]])).collect();
        let claims: Vec<_> = self
            .samples
            .iter()
            .zip(&messages)
            .map(|(sample, message)| Claim {
                key: &sample.key,
                message,
                signature: &sample.signature,
            })
            .collect();
        assert!(FastVerifier.verify_batch(&claims).iter().all(Result::is_ok));
    }
}
