//! Fuzz targets: for every decoder a function that panics when a property does not hold.
//!
//! A target is added in three places: its module here, its line in [`TARGETS`], and a program in
//! `fuzz_targets/` with its `[[bin]]` for libFuzzer. Its first inputs, and every input that once
//! broke it, lie in `corpus/NAME/`.

pub mod admission;
pub mod apdu;
pub mod batches;
pub mod card_payload;
pub mod card_url;
pub mod certificate;
pub mod checkpoint;
pub mod formation;
pub mod genesis;
pub mod handover;
pub mod leaf;
pub mod mutation;
pub mod ratchet;
pub mod receipt;
pub mod roster;
pub mod senml;
pub mod statement;
pub mod threshold;
pub mod trie_proof;
pub mod wire_codec;
pub mod witness;
pub mod word;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// A named property over any bytes.
pub struct Target {
    /// Name of the module, of the program and of the corpus.
    pub name: &'static str,
    /// Panics when the property does not hold.
    pub run: fn(&[u8]),
}

/// All targets.
pub const TARGETS: &[Target] = &[
    Target { name: "admission", run: admission::target },
    Target { name: "apdu", run: apdu::target },
    Target { name: "batches", run: batches::target },
    Target { name: "card_payload", run: card_payload::target },
    Target { name: "card_url", run: card_url::target },
    Target { name: "certificate", run: certificate::target },
    Target { name: "checkpoint", run: checkpoint::target },
    Target { name: "formation", run: formation::target },
    Target { name: "genesis", run: genesis::target },
    Target { name: "handover", run: handover::target },
    Target { name: "leaf", run: leaf::target },
    Target { name: "ratchet", run: ratchet::target },
    Target { name: "receipt", run: receipt::target },
    Target { name: "roster", run: roster::target },
    Target { name: "senml", run: senml::target },
    Target { name: "statement", run: statement::target },
    Target { name: "threshold", run: threshold::target },
    Target { name: "trie_proof", run: trie_proof::target },
    Target { name: "wire_codec", run: wire_codec::target },
    Target { name: "witness", run: witness::target },
    Target { name: "word", run: word::target },
];

impl Target {
    /// Folder of the kept inputs.
    pub fn corpus_folder(&self) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(self.name)
    }

    /// The kept inputs with their files, sorted by name.
    pub fn corpus(&self) -> io::Result<Vec<(PathBuf, Vec<u8>)>> {
        let mut paths = Vec::new();
        for entry in fs::read_dir(self.corpus_folder())? {
            paths.push(entry?.path());
        }
        paths.sort();
        paths.into_iter().map(|path| fs::read(&path).map(|bytes| (path, bytes))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_holds_on_its_corpus() {
        for target in TARGETS {
            let corpus = target.corpus().unwrap();
            assert!(!corpus.is_empty(), "{} has no corpus", target.name);
            for (path, bytes) in corpus {
                // Shown only when the test fails: names the input that did it.
                println!("{}", path.display());
                (target.run)(&bytes);
            }
        }
    }

    #[test]
    fn every_target_has_a_program_for_libfuzzer() {
        for target in TARGETS {
            let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz_targets");
            let text = fs::read_to_string(program.join(format!("{}.rs", target.name))).unwrap();
            assert!(text.contains(&format!("{}::target", target.name)));
        }
    }
}
