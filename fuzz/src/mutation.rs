//! Random changes of known inputs, repeatable from one seed.

/// xorshift64*: short, without dependencies, good enough to pick bytes.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// The same seed gives the same numbers.
    pub const fn new(seed: u64) -> Self {
        // Zero would stay zero for ever.
        Self(if seed == 0 { 0x9e37_79b9_7f4a_7c15 } else { seed })
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number below `bound`; 0 if that is 0.
    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() >> 32).unwrap_or_default() % bound.max(1)
    }

    fn byte(&mut self) -> u8 {
        self.next().to_be_bytes()[0]
    }
}

/// Bytes that decoders treat specially: first bytes of CBOR items, lengths at their borders.
const TELLING: &[u8] = &[
    0x00, 0x01, 0x17, 0x18, 0x19, 0x1a, 0x1b, 0x1f, 0x20, 0x38, 0x40, 0x58, 0x5f, 0x60, 0x78, 0x7f,
    0x80, 0x81, 0x82, 0x84, 0x89, 0x98, 0x9f, 0xa0, 0xbf, 0xc2, 0xd2, 0xd8, 0xf5, 0xf6, 0xf7, 0xff,
];

/// Longest input made, bytes.
const LONGEST: usize = 4096;

/// One of `corpus` with a few changes, sometimes joined with another.
pub fn mutant(corpus: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut bytes = corpus.get(random.below(corpus.len())).cloned().unwrap_or_default();
    for _ in 0..=random.below(4) {
        change(&mut bytes, corpus, random);
    }
    bytes.truncate(LONGEST);
    bytes
}

fn change(bytes: &mut Vec<u8>, corpus: &[Vec<u8>], random: &mut Random) {
    let at = random.below(bytes.len());
    match random.below(8) {
        0 if !bytes.is_empty() => bytes[at] ^= 1 << random.below(8),
        1 if !bytes.is_empty() => bytes[at] = random.byte(),
        2 if !bytes.is_empty() => bytes[at] = TELLING[random.below(TELLING.len())],
        3 if !bytes.is_empty() => {
            bytes[at] = bytes[at].wrapping_add(random.byte() % 3).wrapping_sub(1)
        }
        4 => bytes.insert(at, TELLING[random.below(TELLING.len())]),
        5 => {
            let end = (at + random.below(9)).min(bytes.len());
            bytes.drain(at..end);
        }
        6 => {
            let end = (at + random.below(33)).min(bytes.len());
            let copy = bytes[at..end].to_vec();
            let to = random.below(bytes.len());
            bytes.splice(to..to, copy);
        }
        _ => {
            let other = corpus.get(random.below(corpus.len())).map_or(&[][..], Vec::as_slice);
            let from = random.below(other.len());
            bytes.truncate(at);
            bytes.extend_from_slice(&other[from..]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_its_mutants_and_another_does_not() {
        let corpus = [b"hello".to_vec(), vec![7; 300]];
        let mutants = |seed| {
            let mut random = Random::new(seed);
            (0..1000).map(|_| mutant(&corpus, &mut random)).collect::<Vec<_>>()
        };
        assert_eq!(mutants(1), mutants(1));
        assert_ne!(mutants(1), mutants(2));
        assert!(mutants(0).iter().all(|bytes| bytes.len() <= LONGEST));
    }

    #[test]
    fn mutants_differ_from_their_origin_in_every_way() {
        let corpus = [b"0123456789".to_vec()];
        let mut random = Random::new(3);
        let mutants: Vec<_> = (0..1000).map(|_| mutant(&corpus, &mut random)).collect();
        assert!(mutants.iter().any(|bytes| bytes.len() < 10));
        assert!(mutants.iter().any(|bytes| bytes.len() > 10));
        assert!(mutants.iter().any(|bytes| bytes.len() == 10 && *bytes != corpus[0]));
        assert!(mutants.iter().any(|bytes| bytes.starts_with(b"01234") && *bytes != corpus[0]));
    }

    #[test]
    fn an_empty_corpus_grows() {
        let mut random = Random::new(5);
        assert!((0..100).any(|_| !mutant(&[], &mut random).is_empty()));
    }
}
