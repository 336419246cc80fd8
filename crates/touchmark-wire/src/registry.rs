//! The numbers of the protocol: statement types, leaf tags, state entries, content formats.
//!
//! A new family of statements adds rows here and a module with its rules; nothing else changes.

/// A number of the protocol: its value, its name and what it means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Row {
    /// The number.
    pub number: u64,
    /// Its name.
    pub name: &'static str,
    /// What it means; each line starts with a space.
    pub meaning: &'static str,
}

macro_rules! registry {
    (
        $(#[$doc:meta])* $name:ident($inner:ty) {
            $($(#[doc = $meaning:literal])+ $constant:ident = $value:literal $text:literal;)*
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, minicbor::Encode, minicbor::Decode)]
        #[cbor(transparent)]
        pub struct $name(#[n(0)] pub $inner);

        impl $name {
            $($(#[doc = $meaning])+ pub const $constant: Self = Self($value);)*

            /// Every registered number.
            pub const ROWS: &'static [Row] =
                &[$(Row { number: $value, name: $text, meaning: concat!($($meaning),+) }),*];

            /// The registered name; `None` for a number that this version does not know.
            pub fn name(self) -> Option<&'static str> {
                Self::ROWS.iter().find(|row| row.number == u64::from(self.0)).map(|row| row.name)
            }

            /// The number with this registered name.
            pub fn from_name(name: &str) -> Option<Self> {
                let row = Self::ROWS.iter().find(|row| row.name == name)?;
                Some(Self(row.number as $inner))
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                match self.name() {
                    Some(name) => f.write_str(name),
                    None => write!(f, "{}", self.0),
                }
            }
        }
    };
}

registry! {
    /// What a statement does: first element of the private header label −65537.
    StatementKind(u16) {
        /// A thing presents itself: its keys, signed by one of them.
        INCEPTION = 1 "inception";
        /// A controller registers a thing that cannot sign.
        REGISTER = 2 "register";
        /// Attributes of a thing are set or removed.
        UPDATE = 3 "update";
        /// Keys are exchanged, with pre-rotation where it was declared.
        ROTATE = 4 "rotate";
        /// Status of a thing changes: suspended, stolen, reinstated and so on.
        STATUS = 5 "status";
        /// The issuer vouches for a thing, or withdraws that.
        ACCREDIT = 6 "accredit";
        /// Data of a device.
        RECORD = 7 "record";
        /// Evidence made elsewhere, wrapped with its context.
        EVIDENCE = 8 "evidence";
        /// Several actions that happen together or not at all.
        GROUP = 9 "group";
        /// A channel is opened.
        CHANNEL = 10 "channel";
        /// A channel's author gives or withdraws rights in it, or closes it.
        ACCESS = 11 "access";
        /// The next committee, with the approvals of the present one.
        APPOINT = 12 "appoint";
    }
}

registry! {
    /// CBOR tags of log leaves other than statements (private first-come range, "TM" prefix).
    LeafTag(u64) {
        /// A rightly signed statement in its place that the rules refused.
        DENIED = 0x544d_0001 "denied";
        /// A second statement at a place of a chain that is taken.
        FORK = 0x544d_0002 "fork";
        /// Evidence without a wrapping statement.
        EVIDENCE = 0x544d_0003 "bare-evidence";
        /// Evidence of a thing that is not authorised: marked, without effect.
        SIGHTING = 0x544d_0004 "sighting";
        /// The last leaf of a batch.
        BATCH = 0x544d_0005 "batch";
    }
}

registry! {
    /// Last byte of a state key: what the entry holds.
    EntryKind(u8) {
        /// Keys, status, controller of a thing.
        THING = 1 "thing";
        /// Main chain and history of a thing.
        HEAD = 2 "head";
        /// One thing vouches for another.
        ACCREDITATION = 3 "accreditation";
        /// Attributes of a thing.
        ATTRIBUTES = 4 "attributes";
        /// A thing's rights and chain in a channel.
        CHANNEL_CHAIN = 5 "channel-chain";
        /// A channel's own state and history.
        CHANNEL = 6 "channel";
        /// Owners of a thing.
        OWNERS = 7 "owners";
        /// A status list of credentials.
        STATUS_LIST = 8 "status-list";
        /// A key that is no longer valid, with its time.
        CLOSED_KEY = 9 "closed-key";
        /// A committee that was appointed.
        COMMITTEE = 10 "committee";
        /// First of 64 kinds: usage counter of a thing, one for each evidence format.
        COUNTER = 64 "counter";
    }
}

registry! {
    /// Format of evidence made elsewhere, below 64.
    EvidenceFormat(u8) {
        /// Open card profile, URL signing: id, counter and signature in a URL.
        CARD_URL = 1 "card-url";
        /// Open card profile, payload signing: the card signs what the reader collected.
        CARD_PAYLOAD = 2 "card-payload";
    }
}

registry! {
    /// CoAP Content-Formats (RFC 7252 §12.3) that payloads of ours have.
    ContentFormat(u16) {
        /// text/plain;charset=utf-8
        TEXT = 0 "text/plain";
        /// application/octet-stream
        OCTETS = 42 "application/octet-stream";
        /// application/json
        JSON = 50 "application/json";
        /// application/cbor: also the payload of every statement kind with a fixed shape.
        CBOR = 60 "application/cbor";
        /// application/senml+json
        SENML_JSON = 110 "application/senml+json";
        /// application/senml+cbor
        SENML_CBOR = 112 "application/senml+cbor";
        /// Encrypted payload, versioned (experimental range).
        ENCRYPTED = 65_001 "application/vnd.touchmark.encrypted";
    }
}

registry! {
    /// What kind of thing an identity stands for.
    ThingKind(u8) {
        /// A company, an authority, a control center.
        ORGANISATION = 1 "organisation";
        /// A human being.
        PERSON = 2 "person";
        /// A machine, a sensor, a computer.
        DEVICE = 3 "device";
        /// A device that reads cards and tags.
        READER = 4 "reader";
        /// A smart card or tag.
        CARD = 5 "card";
        /// One item.
        PRODUCT = 6 "product";
        /// A quantity of items.
        LOT = 7 "lot";
        /// Somewhere.
        PLACE = 8 "place";
        /// A file.
        DOCUMENT = 9 "document";
        /// Something that takes place.
        EVENT = 10 "event";
        /// Several things.
        GROUP = 11 "group";
    }
}

registry! {
    /// Who can read a channel.
    ChannelKind(u8) {
        /// Everybody: entries stand in clear.
        PUBLIC = 1 "public";
    }
}

registry! {
    /// Who may write into a channel, beside its author.
    Writers(u8) {
        /// Those to whom the author granted it.
        GRANTED = 1 "granted";
        /// Every thing of the network.
        ANYONE = 2 "anyone";
    }
}

registry! {
    /// Status of a thing.
    Status(u8) {
        /// May act.
        ACTIVE = 1 "active";
        /// Paused by its controller; its old key may resume.
        SUSPENDED = 2 "suspended";
        /// Switched off; its old key may resume.
        DISABLED = 3 "disabled";
        /// In foreign hands; comes back only with a new key.
        STOLEN = 4 "stolen";
        /// Nobody knows where; comes back only with a new key.
        LOST = 5 "lost";
        /// Opened, moved or altered; comes back only with a new key.
        TAMPERED = 6 "tampered";
        /// At its end; never comes back.
        RETIRED = 7 "retired";
    }
}

registry! {
    /// Why something was refused: the class by blame in the hundreds, then a number.
    ///
    /// 1xx malformed, 2xx denied, 3xx conflict, 4xx not found, 5xx unavailable, 6xx corrupt,
    /// 7xx internal.
    RefusalCode(u16) {
        /// Not the one encoding of anything known.
        MALFORMED = 101 "TM-MALFORMED";
        /// Longer than the protocol allows.
        TOO_LONG = 102 "TM-TOO-LONG";
        /// A signature does not verify.
        SIGNATURE = 103 "TM-SIGNATURE";
        /// The chain starts from another network's id.
        WRONG_NETWORK = 104 "TM-WRONG-NETWORK";
        /// An algorithm, key type or kind that this version does not know.
        UNKNOWN_KIND = 105 "TM-UNKNOWN-KIND";
        /// The thing's id is not the hash of its inception.
        WRONG_ID = 106 "TM-WRONG-ID";
        /// A public key is not a valid point.
        KEY = 107 "TM-KEY";

        /// The thing is not active: suspended, stolen, lost and so on.
        REVOKED = 201 "TM-REVOKED";
        /// The key is not, or no longer, the thing's.
        KEY_NOT_VALID = 202 "TM-KEY-NOT-VALID";
        /// The key is not for this purpose.
        PURPOSE = 203 "TM-PURPOSE";
        /// Too few signers for the thing's threshold.
        THRESHOLD = 204 "TM-THRESHOLD";
        /// The issuer has no authority over the thing.
        NOT_AUTHORISED = 205 "TM-NOT-AUTHORISED";
        /// The new key was not committed to before.
        NOT_COMMITTED = 206 "TM-NOT-COMMITTED";
        /// This status cannot follow the present one.
        STATUS = 207 "TM-STATUS";
        /// Coming back needs a new key.
        NEW_KEY_REQUIRED = 208 "TM-NEW-KEY-REQUIRED";
        /// More keys, attributes or signers than a thing may have.
        LIMIT = 209 "TM-LIMIT";
        /// Key numbers go on from the last one used.
        KEY_NUMBER = 210 "TM-KEY-NUMBER";
        /// A counter that was used already, or an older one.
        REPLAYED = 211 "TM-REPLAYED";
        /// A second statement at a place of the chain that is taken.
        FORK = 212 "TM-FORK";
        /// An action that a group cannot contain.
        GROUP = 213 "TM-GROUP";
        /// The payload of this kind of statement does not have its shape.
        PAYLOAD = 214 "TM-PAYLOAD";
        /// The evidence is not signed by the key of the thing it names.
        FORGED = 215 "TM-FORGED";
        /// Too many requests from this source or identity.
        QUOTA = 216 "TM-QUOTA";
        /// No credentials, or not sufficient ones.
        FORBIDDEN = 217 "TM-FORBIDDEN";
        /// The channel is closed.
        CLOSED = 218 "TM-CLOSED";
        /// An appointment without approvals of enough validators of the present committee.
        NOT_APPROVED = 219 "TM-NOT-APPROVED";
        /// A committee that a network may not be handed over to.
        COMMITTEE = 220 "TM-COMMITTEE";
        /// An appointment of another committee than the one after the present one.
        OTHER_COMMITTEE = 221 "TM-OTHER-COMMITTEE";
        /// Another committee was appointed and is not in office yet.
        APPOINTMENT_PENDING = 222 "TM-APPOINTMENT-PENDING";

        /// The chain's head has moved, or was never there.
        CONFLICT = 301 "TM-CONFLICT";
        /// The statement before this one has not arrived.
        OUT_OF_ORDER = 302 "TM-OUT-OF-ORDER";
        /// The thing exists already.
        EXISTS = 303 "TM-EXISTS";

        /// No such thing.
        UNKNOWN_THING = 401 "TM-UNKNOWN-THING";
        /// No such channel.
        UNKNOWN_CHANNEL = 402 "TM-UNKNOWN-CHANNEL";
        /// No such statement, leaf, batch or page.
        NOT_FOUND = 404 "TM-NOT-FOUND";

        /// The node takes no more now; try again after the time it names.
        OVERLOADED = 501 "TM-OVERLOADED";
        /// The node cannot store: disk full or failing.
        STORAGE = 502 "TM-STORAGE";
        /// The node is starting or stopping.
        NOT_READY = 503 "TM-NOT-READY";
        /// The node did not answer in time.
        TIMEOUT = 504 "TM-TIMEOUT";

        /// Stored data contradicts itself.
        CORRUPT = 601 "TM-CORRUPT";

        /// A fault of this program.
        INTERNAL = 701 "TM-INTERNAL";
    }
}

/// Every table of this module with its title, for the specification's page.
pub const TABLES: &[(&str, &[Row])] = &[
    ("Statement kinds", StatementKind::ROWS),
    ("Leaf tags", LeafTag::ROWS),
    ("Kinds of state entries", EntryKind::ROWS),
    ("Evidence formats", EvidenceFormat::ROWS),
    ("Content formats", ContentFormat::ROWS),
    ("Kinds of things", ThingKind::ROWS),
    ("Kinds of channels", ChannelKind::ROWS),
    ("Writers of a channel", Writers::ROWS),
    ("Status", Status::ROWS),
    ("Refusal codes", RefusalCode::ROWS),
];
