//! The numbers of the card profile (spec/card.md).

/// Name of the application that makes signatures: proprietary, category F of ISO/IEC 7816-5 §5.2.
pub const APPLICATION: [u8; 8] = [0xf0, b'T', b'M', b'C', b'A', b'R', b'D', 1];
/// Name of the application of an NFC Forum Type 4 Tag.
pub const NDEF_APPLICATION: [u8; 7] = [0xd2, 0x76, 0, 0, 0x85, 1, 1];

/// Version of this profile.
pub const VERSION: u8 = 1;

/// Answer to reset (ISO/IEC 7816-3 §8): the transmission protocol T=1, and the historical bytes
/// (ISO/IEC 7816-4 §8.1.1) that announce extended lengths and chained commands.
pub const ANSWER_TO_RESET: [u8; 9] = [0x3b, 0x85, 0x01, 0x80, 0x73, 0x00, 0x00, 0xc0, 0xb7];

/// Instructions (ISO/IEC 7816-4, -8 and -9).
pub mod instruction {
    /// DEACTIVATE FILE (ISO/IEC 7816-9 §6.4): locks the card.
    pub const DEACTIVATE: u8 = 0x04;
    /// VERIFY (ISO/IEC 7816-4 §7.5.6).
    pub const VERIFY: u8 = 0x20;
    /// PERFORM SECURITY OPERATION (ISO/IEC 7816-8 §5.4).
    pub const SECURITY_OPERATION: u8 = 0x2a;
    /// ACTIVATE FILE (ISO/IEC 7816-9 §6.5): ends the personalisation.
    pub const ACTIVATE: u8 = 0x44;
    /// GENERATE ASYMMETRIC KEY PAIR, with data objects (ISO/IEC 7816-8 §5.1).
    pub const GENERATE: u8 = 0x47;
    /// INTERNAL AUTHENTICATE (ISO/IEC 7816-4 §7.5.2).
    pub const AUTHENTICATE: u8 = 0x88;
    /// SELECT (ISO/IEC 7816-4 §7.1.1).
    pub const SELECT: u8 = 0xa4;
    /// READ BINARY (ISO/IEC 7816-4 §7.2.3).
    pub const READ: u8 = 0xb0;
    /// READ BINARY with an offset data object.
    pub const READ_FAR: u8 = 0xb1;
    /// GET DATA (ISO/IEC 7816-4 §7.4.2).
    pub const GET_DATA: u8 = 0xca;
    /// UPDATE BINARY with an offset data object (ISO/IEC 7816-4 §7.2.5).
    pub const UPDATE_FAR: u8 = 0xd7;
    /// PUT DATA (ISO/IEC 7816-4 §7.4.3).
    pub const PUT_DATA: u8 = 0xda;
    /// TERMINATE CARD USAGE (ISO/IEC 7816-9 §6.9).
    pub const TERMINATE: u8 = 0xfe;
}

/// Parameters of instructions.
pub mod parameter {
    /// SELECT by application name, with file control information.
    pub const SELECT_NAME: u16 = 0x0400;
    /// SELECT by application name, without.
    pub const SELECT_NAME_SILENTLY: u16 = 0x040c;
    /// SELECT an elementary file, without file control information.
    pub const SELECT_FILE: u16 = 0x000c;
    /// SELECT an elementary file under the current application.
    pub const SELECT_CHILD: u16 = 0x020c;
    /// GENERATE a key pair.
    pub const GENERATE: u16 = 0x8000;
    /// Read the public key that is there.
    pub const PUBLIC_KEY: u16 = 0x8100;
    /// COMPUTE DIGITAL SIGNATURE over data that the card hashes (ISO/IEC 7816-8 §5.4.2).
    pub const SIGN: u16 = 0x9e9a;
    /// The code that opens the data file to readers.
    pub const READING_CODE: u16 = 0x0081;
    /// The code that allows to lock the card.
    pub const LOCKING_CODE: u16 = 0x0082;
}

/// Elementary files.
pub mod file {
    /// Capability container of the Type 4 Tag.
    pub const CAPABILITIES: u16 = 0xe103;
    /// NDEF file of the Type 4 Tag.
    pub const NDEF: u16 = 0xe104;
    /// The data file.
    pub const DATA: u16 = 0xe201;
}

/// Data objects for GET DATA and PUT DATA (0100 to 01FF are proprietary).
pub mod object {
    /// The chip's serial number.
    pub const SERIAL: u16 = 0x0101;
    /// The card's thing id.
    pub const ID: u16 = 0x0102;
    /// What the URL begins with.
    pub const URL_BASE: u16 = 0x0103;
    /// Life cycle status byte.
    pub const LIFE_CYCLE: u16 = 0x0104;
    /// The usage counter as it was last used.
    pub const COUNTER: u16 = 0x0105;
    /// Length of the data file.
    pub const DATA_LENGTH: u16 = 0x0106;
    /// Version of the profile.
    pub const VERSION: u16 = 0x0107;
    /// Code that opens the data file to readers; is only written.
    pub const READING_CODE: u16 = 0x0111;
    /// Who may lock the card; is only written.
    pub const LOCKING: u16 = 0x0112;
}

/// Tags of data objects inside of commands and answers.
pub(crate) mod tag {
    /// File control information.
    pub(crate) const CONTROL: u16 = 0x6f;
    /// Name of an application.
    pub(crate) const NAME: u16 = 0x84;
    /// Life cycle status byte.
    pub(crate) const LIFE_CYCLE: u16 = 0x8a;
    /// Discretionary data.
    pub(crate) const DATA: u16 = 0x53;
    /// Offset.
    pub(crate) const OFFSET: u16 = 0x54;
    /// Control reference template of a digital signature.
    pub(crate) const SIGNATURE: u16 = 0xb6;
    /// Public key.
    pub(crate) const PUBLIC_KEY: u16 = 0x7f49;
    /// Point of an elliptic curve.
    pub(crate) const POINT: u16 = 0x86;
}

/// Bounds, bytes.
pub mod limit {
    /// Data file: 72 kB.
    pub const DATA: usize = 72 << 10;
    /// Data of a chain of commands: the data file with its data objects.
    pub const CHAIN: usize = DATA + 16;
    /// NDEF file: the longest URL and what is around it.
    pub const NDEF: usize = 1_280;
    /// Longest URL (spec/evidence.md).
    pub const URL: usize = 1_024;
    /// Serial number.
    pub const SERIAL: usize = 32;
    /// Shortest and longest code: too long to be guessed, so wrong ones are not counted.
    pub const CODE: core::ops::RangeInclusive<usize> = 16..=64;
    /// Shortest and longest challenge.
    pub const CHALLENGE: core::ops::RangeInclusive<usize> = 16..=64;
}
