//! Every bound of the protocol in one place. Decoders take theirs from here.

/// Longest log leaf, bytes: a C2SP entry bundle has 16-bit lengths.
pub const LEAF: usize = 65_535;
/// Longest statement, bytes: leaves room to wrap it in a denied, fork or sighting leaf.
pub const STATEMENT: usize = LEAF - 64;
/// Longest salt and content behind a committed payload that a node keeps, bytes encoded.
pub const PREIMAGE: usize = 1 << 20;
/// Longest protected header, bytes.
pub const PROTECTED: usize = 512;
/// Most signers of one statement.
pub const SIGNERS: usize = 16;
/// Longest bare evidence, bytes.
pub const EVIDENCE: usize = 16_384;
/// Longest encoded value of a state entry, bytes.
pub const STATE_VALUE: usize = 8_192;
/// Most branches on one path through the state trie. Keys are hashes, so a path is about
/// log2(entries) long; a longer one needs keys ground to collide in this many bits.
pub const TRIE_LEVELS: usize = 200;
/// Longest encoded genesis document, bytes.
pub const GENESIS: usize = 8_192;
/// Heights of a term: the committee changes only between two terms.
pub const TERM: u64 = 512;
/// Longest encoded committee, bytes: 16 validators with the longest names, and an entry of the state
/// holds one.
pub const COMMITTEE: usize = 5_120;
/// Most hand-overs that a bundle leads through: each costs a pairing and up to 16 signatures.
pub const HANDOVERS: usize = 256;
/// Most keys of one thing that are valid at the same time.
pub const KEYS: usize = 16;
/// Longest text attribute (specification, serial number, reason), bytes.
pub const TEXT: usize = 1_024;
/// Most attributes of one thing.
pub const ATTRIBUTES: usize = 32;
/// Most validators of a network that is formed by invitation or handed over.
pub const MEMBERS: usize = 16;
/// Longest name of a member of a formation, bytes.
pub const MEMBER_NAME: usize = 64;
/// Longest address of a member of a formation, bytes: a host name of 253 and a port.
pub const MEMBER_ADDRESS: usize = 259;
/// Longest signed member record, bytes.
pub const MEMBER_RECORD: usize = 640;
/// Longest agreement, bytes.
pub const AGREEMENT: usize = MEMBERS * MEMBER_RECORD + 256;
/// Longest invitation, bytes.
pub const INVITATION: usize = 512;
/// Longest message of a formation, bytes.
pub const FORMATION_MESSAGE: usize = AGREEMENT + 512;
