//! Status words (ISO/IEC 7816-4 §5.6).

use core::fmt;

/// How a command ended: SW1 and SW2.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Status(pub u16);

/// A row of the table of status words.
struct Row {
    status: Status,
    name: &'static str,
    meaning: &'static str,
}

macro_rules! statuses {
    ($($(#[doc = $meaning:literal])+ $constant:ident = $value:literal $name:literal;)*) => {
        impl Status {
            $($(#[doc = $meaning])+ pub const $constant: Self = Self($value);)*
        }

        const ROWS: &[Row] = &[$(Row {
            status: Status($value), name: $name, meaning: concat!($($meaning),+),
        }),*];
    };
}

statuses! {
    /// Done.
    OK = 0x9000 "ok";
    /// The file ends before the expected length.
    END_OF_FILE = 0x6282 "end-of-file";
    /// The selected application is deactivated: the card is locked.
    SELECTED_LOCKED = 0x6283 "selected-locked";
    /// The selected application is terminated.
    SELECTED_TERMINATED = 0x6285 "selected-terminated";
    /// The code is wrong.
    WRONG_CODE = 0x6300 "wrong-code";
    /// The card could not store what it must not forget; it did nothing.
    MEMORY = 0x6581 "memory-failure";
    /// A length does not fit the command.
    WRONG_LENGTH = 0x6700 "wrong-length";
    /// The card has no other logical channel than the basic one.
    LOGICAL_CHANNEL = 0x6881 "logical-channel";
    /// The card has no secure messaging.
    SECURE_MESSAGING = 0x6882 "secure-messaging";
    /// The command is not the next of the chain that was begun.
    CHAIN = 0x6883 "chain-expected";
    /// This command cannot be chained.
    NO_CHAINING = 0x6884 "no-chaining";
    /// A code must be presented before.
    SECURITY = 0x6982 "security-status";
    /// The card is locked and signs nothing.
    LOCKED = 0x6983 "locked";
    /// The signature key cannot be used any more: its counter is at the end.
    KEY_NOT_USABLE = 0x6984 "key-not-usable";
    /// Not in this state of the card's life.
    CONDITIONS = 0x6985 "conditions";
    /// No file is selected.
    NO_FILE = 0x6986 "no-file-selected";
    /// The data do not have the command's shape.
    DATA = 0x6a80 "wrong-data";
    /// No such file or application.
    NOT_FOUND = 0x6a82 "file-not-found";
    /// The data do not fit into the file.
    NO_SPACE = 0x6a84 "no-space";
    /// Parameters that the command does not have.
    PARAMETERS = 0x6a86 "wrong-parameters";
    /// The data object or key is not there.
    REFERENCE = 0x6a88 "not-there";
    /// The offset lies behind the file.
    OFFSET = 0x6b00 "wrong-offset";
    /// No such instruction.
    INSTRUCTION = 0x6d00 "instruction-not-supported";
    /// No such class.
    CLASS = 0x6e00 "class-not-supported";
    /// A fault of the card.
    FAULT = 0x6f00 "fault";
}

impl Status {
    /// "Wrong expected length; the answer has so many bytes" (0x6CXX).
    pub const fn exactly(length: u8) -> Self {
        Self(0x6c00 | length as u16)
    }

    /// Its name in this profile; `None` for a status that it does not have.
    pub fn name(self) -> Option<&'static str> {
        self.row()
            .map(|row| row.name)
            .or_else(|| self.is_exactly().then_some("wrong-expected-length"))
    }

    /// What it means, a sentence.
    pub fn meaning(self) -> &'static str {
        match self.row() {
            Some(row) => row.meaning.trim(),
            None if self.is_exactly() => "The answer has another length than expected.",
            None => "A status that the card profile does not have.",
        }
    }

    fn row(self) -> Option<&'static Row> {
        ROWS.iter().find(|row| row.status == self)
    }

    const fn is_exactly(self) -> bool {
        self.0 >> 8 == 0x6c
    }
}

impl fmt::Display for Status {
    /// Four hexadecimal digits and the name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04X}", self.0)?;
        self.name().map_or(Ok(()), |name| write!(f, " {name}"))
    }
}

impl fmt::Debug for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_specification_has_the_same_table() {
        let page = include_str!("../../../../spec/card.md");
        let in_page =
            |row: &Row| page.contains(&format!("| {:04X} | {} |", row.status.0, row.name));
        let missing: Vec<_> = ROWS.iter().filter(|row| !in_page(row)).map(|row| row.name).collect();
        assert_eq!(missing, [""; 0]);
        assert_eq!(Status::exactly(0x44).to_string(), "6C44 wrong-expected-length");
        assert_eq!(Status(0x1234).name(), None);
    }
}
