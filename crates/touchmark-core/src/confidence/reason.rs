//! The reasons: one table of codes, the level that each allows, and sentences.

use super::Level;
use alloc::string::String;
use core::fmt;
use touchmark_wire::ids::ThingId;

/// One thing that was found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reason {
    /// What was found.
    pub code: Code,
    /// About which thing.
    pub thing: Option<ThingId>,
    /// A status, leaf, revision or refusal code, where the sentence has a place for it.
    pub detail: String,
}

impl fmt::Display for Reason {
    /// One sentence.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.code.row().sentence;
        while let Some(start) = rest.find(['{', '}']) {
            f.write_str(&rest[..start])?;
            let is_thing = rest[start..].starts_with("{thing}");
            match self.thing.filter(|_| is_thing) {
                Some(thing) => write!(f, "{thing}")?,
                None if is_thing => f.write_str("it")?,
                None => f.write_str(&self.detail)?,
            }
            rest = &rest[start + if is_thing { "{thing}".len() } else { "{}".len() }..];
        }
        f.write_str(rest)
    }
}

/// A row of the table.
struct Row {
    code: &'static str,
    ceiling: Level,
    sentence: &'static str,
}

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $name:ident $code:literal $ceiling:ident $sentence:literal;)*) => {
        /// What can be found.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
        pub enum Code {
            $($(#[doc = $doc])+ $name,)*
        }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            const fn row(self) -> Row {
                match self {
                    $(Self::$name => Row {
                        code: $code,
                        ceiling: Level::$ceiling,
                        sentence: $sentence,
                    },)*
                }
            }
        }
    };
}

codes! {
    /// A card signed it.
    SignedByCard "TM-SIGNED-BY-CARD" Trusted "the card {thing} signed exactly this";
    /// Its issuer signed it.
    SignedByIssuer "TM-SIGNED-BY-ISSUER" Trusted "{thing} signed this in its own chain";
    /// A thing was active.
    Authorised "TM-AUTHORISED" Trusted "{thing} was active then";
    /// The card's organisation says that it is its card.
    CardKnown "TM-CARD-KNOWN" Trusted "the organisation of {thing} vouched for it then";
    /// The card's organisation had taken its word back.
    CardWithdrawn "TM-CARD-WITHDRAWN" Doubtful "the organisation of {thing} no longer vouched for it";
    /// Nobody says whose card it is but itself.
    CardUnknown "TM-CARD-UNKNOWN" Doubtful "no organisation vouched that {thing} is its card";
    /// The state no longer remembers whether the card's organisation vouched for it.
    CardForgotten "TM-CARD-FORGOTTEN" Doubtful "the state no longer remembers whether the organisation of {thing} vouched for it then";
    /// The card's organisation vouches for the reader.
    ReaderTrusted "TM-READER-TRUSTED" Trusted "the card's organisation vouched for the reader {thing} then";
    /// The card's organisation had taken its word for the reader back.
    ReaderWithdrawn "TM-READER-WITHDRAWN" Plausible "the card's organisation no longer vouched for the reader {thing}: only what the card signed counts";
    /// No reader with an identity stands behind it.
    ReaderTrustless "TM-READER-TRUSTLESS" Plausible "no reader with an identity stands behind it: only what the card signed counts";
    /// The reader has an identity for which the card's organisation does not vouch.
    ReaderUnknown "TM-READER-UNKNOWN" Plausible "the card's organisation did not vouch for the reader {thing}: only what the card signed counts";
    /// The state no longer remembers whether the card's organisation vouched for the reader.
    ReaderForgotten "TM-READER-FORGOTTEN" Plausible "the state no longer remembers whether the card's organisation vouched for the reader {thing} then: only what the card signed counts";
    /// The device's organisation vouches for it.
    DeviceTrusted "TM-DEVICE-TRUSTED" Trusted "the organisation of {thing} vouched for it then";
    /// The device's organisation had taken its word back.
    DeviceWithdrawn "TM-DEVICE-WITHDRAWN" Plausible "the organisation of {thing} no longer vouched for it";
    /// Nobody vouches for the device.
    DeviceUnknown "TM-DEVICE-UNKNOWN" Plausible "no organisation vouched for {thing}";
    /// The state no longer remembers whether the device's organisation vouched for it.
    DeviceForgotten "TM-DEVICE-FORGOTTEN" Plausible "the state no longer remembers whether the organisation of {thing} vouched for it then";
    /// Its firmware is as new as the organisation asks.
    FirmwareCurrent "TM-FIRMWARE-CURRENT" Trusted "{thing} has firmware {}, as its organisation asks";
    /// Its firmware is not known.
    FirmwareUnknown "TM-FIRMWARE-UNKNOWN" Plausible "the firmware of {thing} is not known, and its organisation asks for a revision";
    /// Its firmware is older than the organisation asks.
    FirmwareOutdated "TM-FIRMWARE-OUTDATED" Doubtful "{thing} has firmware {}, older than its organisation asks";
    /// It was tampered with and has a new key since.
    TamperedBefore "TM-TAMPERED-BEFORE" Trusted "{thing} was tampered with at leaf {} and has come back with a new key before this";
    /// It was tampered with and has not come back.
    Tampered "TM-TAMPERED" Unauthorised "{thing} was tampered with at leaf {}, before this";
    /// It was suspended, stolen, lost and so on.
    NotAuthorised "TM-NOT-ACTIVE" Unauthorised "{thing} was {} then";
    /// It did not exist.
    NotRegistered "TM-NOT-REGISTERED" Unauthorised "{thing} was not registered then";
    /// The state no longer remembers what it was.
    StatusForgotten "TM-STATUS-FORGOTTEN" Plausible "the state no longer remembers the status of {thing} then";
    /// The organisation behind it was not active.
    OrganisationRevoked "TM-ORGANISATION-NOT-ACTIVE" Doubtful "the organisation {thing} was {} then";
    /// It names an organisation that had not said so itself.
    OrganisationUnconfirmed "TM-ORGANISATION-UNCONFIRMED" Doubtful "only the thing itself said then that it belongs to {thing}";
    /// The organisation behind it did not exist.
    OrganisationUnknown "TM-ORGANISATION-UNKNOWN" Doubtful "there was no organisation {thing} then";
    /// The state no longer remembers whether the organisation behind it was active.
    OrganisationForgotten "TM-ORGANISATION-FORGOTTEN" Doubtful "the state no longer remembers the status of the organisation {thing} then";
    /// Its chain had been forked.
    Forked "TM-FORKED" Doubtful "the chain of {thing} was forked at leaf {}: somebody else may hold its key";
    /// Its chain was forked afterwards.
    ForkedLater "TM-FORKED-LATER" Plausible "the chain of {thing} was forked later, at leaf {}";
    /// Evidence of a thing that was not authorised.
    Sighting "TM-SIGHTING" Unauthorised "it is a sighting, which counts for nothing ({})";
    /// The rules gave it no effect.
    Denied "TM-DENIED" Void "the rules denied it ({})";
    /// It is the second statement at a place of a chain.
    Fork "TM-SECOND-STATEMENT" Void "it is the second statement at a place of the chain of {thing}; the first is at leaf {}";
}

impl Code {
    /// As it stands in JSON.
    pub const fn as_str(self) -> &'static str {
        self.row().code
    }

    /// The level above which it lets no record.
    pub const fn ceiling(self) -> Level {
        self.row().ceiling
    }
}
