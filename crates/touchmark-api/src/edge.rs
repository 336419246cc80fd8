//! What the HTTP interface itself refuses, before the ledger is asked.

/// Why the interface refuses a request; stable, like the codes of the ledger.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum EdgeCode {
    /// The request did not arrive in time.
    Slow,
    /// The path does not take this method.
    Method,
    /// The client accepts none of the media types that the path answers.
    NotAcceptable,
    /// The body has no media type that the path takes.
    MediaType,
    /// The log is not as long as the client wants it to be.
    Behind,
    /// No API key came with an administrative request.
    ApiKeyMissing,
    /// The API key is not one of this node's, or was revoked.
    ApiKeyUnknown,
    /// The API key's time is over.
    ApiKeyExpired,
    /// The API key is for something else.
    ApiKeyScope,
    /// A statement that is no Signed Statement in the sense of SCITT.
    NotSignedStatement,
    /// A Signed Statement under an algorithm that the protocol does not have.
    SignatureAlgorithm,
    /// A Signed Statement whose payload is elsewhere.
    PayloadMissing,
    /// No validator's log key has this `kid`.
    NoSuchKey,
    /// The set-up code is not the node's.
    SetupCode,
    /// The set-up code's time is over.
    SetupExpired,
    /// The set-up code was used.
    SetupUsed,
    /// A checkpoint that no key signed which this witness trusts for the log.
    WitnessSignature,
    /// A checkpoint that is not proved to continue what this witness cosigned.
    WitnessInconsistent,
    /// No checkpoint that so many outside witnesses cosigned.
    FewWitnesses,
    /// Old leaves that are kept in object storage, which does not give them now.
    ObjectStorage,
}

/// What there is to say about a code.
pub(crate) struct Row {
    pub(crate) code: &'static str,
    pub(crate) status: u16,
    pub(crate) title: &'static str,
    #[cfg_attr(not(feature = "openapi"), allow(dead_code, reason = "only the document tells it"))]
    pub(crate) meaning: &'static str,
    pub(crate) hint: &'static str,
}

impl EdgeCode {
    /// All of them.
    pub const ALL: [Self; 20] = [
        Self::Slow,
        Self::Method,
        Self::NotAcceptable,
        Self::MediaType,
        Self::Behind,
        Self::ApiKeyMissing,
        Self::ApiKeyUnknown,
        Self::ApiKeyExpired,
        Self::ApiKeyScope,
        Self::NotSignedStatement,
        Self::SignatureAlgorithm,
        Self::PayloadMissing,
        Self::NoSuchKey,
        Self::SetupCode,
        Self::SetupExpired,
        Self::SetupUsed,
        Self::WitnessSignature,
        Self::WitnessInconsistent,
        Self::FewWitnesses,
        Self::ObjectStorage,
    ];

    /// The code, `TM-…`.
    pub const fn name(self) -> &'static str {
        self.row().code
    }

    pub(crate) const fn row(self) -> Row {
        match self {
            Self::Slow => Row {
                code: "TM-SLOW",
                status: 408,
                title: "Too slow",
                meaning: "The request did not arrive in time.",
                hint: "send the whole request at once; sending the same bytes again is safe",
            },
            Self::Method => Row {
                code: "TM-METHOD",
                status: 405,
                title: "Method not allowed",
                meaning: "The path does not take this method.",
                hint: "see /openapi.json for the methods of this path",
            },
            Self::NotAcceptable => Row {
                code: "TM-NOT-ACCEPTABLE",
                status: 406,
                title: "Not acceptable",
                meaning: "The client accepts none of the media types that the path answers.",
                hint: "send an `Accept` with one that is named, with `*/*`, or none at all",
            },
            Self::MediaType => Row {
                code: "TM-MEDIA-TYPE",
                status: 415,
                title: "Unsupported media type",
                meaning: "The body has no media type that the path takes.",
                hint: "send a `Content-Type` that is named, with such a body",
            },
            Self::Behind => Row {
                code: "TM-BEHIND",
                status: 503,
                title: "Not that far yet",
                meaning: "The log has fewer leaves than `at_least` says, after a while of waiting.",
                hint: "ask again after the time that Retry-After names, or ask the node that took the \
                       write",
            },
            Self::ApiKeyMissing => Row {
                code: "TM-API-KEY-MISSING",
                status: 401,
                title: "An API key is needed",
                meaning: "No API key came with an administrative request.",
                hint: "send `Authorization: Bearer KEY`; `touchmark apikey create` makes one",
            },
            Self::ApiKeyUnknown => Row {
                code: "TM-API-KEY-UNKNOWN",
                status: 401,
                title: "Unknown API key",
                meaning: "The API key is not one of this node's, or was revoked.",
                hint: "compare it with `touchmark apikey list`, or make a new one",
            },
            Self::ApiKeyExpired => Row {
                code: "TM-API-KEY-EXPIRED",
                status: 401,
                title: "Expired API key",
                meaning: "The API key's time is over.",
                hint: "make a new one with `touchmark apikey create`",
            },
            Self::ApiKeyScope => Row {
                code: "TM-API-KEY-SCOPE",
                status: 403,
                title: "API key for something else",
                meaning: "The API key is for something else.",
                hint: "make one with the scope that is named",
            },
            // The titles are those of draft-ietf-scitt-scrapi.
            Self::NotSignedStatement => Row {
                code: "TM-NOT-SIGNED-STATEMENT",
                status: 400,
                title: "Rejected",
                meaning: "The statement is no Signed Statement (RFC 9943).",
                hint: "sign it with one key and the CWT claims `iss` and `sub`, or send it to \
                       /v1/statements",
            },
            Self::SignatureAlgorithm => Row {
                code: "TM-SIGNATURE-ALGORITHM",
                status: 400,
                title: "Bad Signature Algorithm",
                meaning: "The Signed Statement is signed with an algorithm that is not supported.",
                hint: "sign it with ES256 (-7), Ed25519 (-19) or ES256K (-47)",
            },
            Self::PayloadMissing => Row {
                code: "TM-PAYLOAD-MISSING",
                status: 400,
                title: "Payload Missing",
                meaning: "The Signed Statement has no payload in it.",
                hint: "put the payload in, or commit to it: a salted hash (RFC 9995)",
            },
            Self::NoSuchKey => Row {
                code: "TM-NO-SUCH-KEY",
                status: 404,
                title: "No such key",
                meaning: "No validator of the network's committees has a log key with this `kid`.",
                hint: "compare the `kid` with the receipt's, and the receipt's `sub` with the network",
            },
            Self::SetupCode => Row {
                code: "TM-SETUP-CODE",
                status: 403,
                title: "Not this node's set-up code",
                meaning: "The set-up code is not the last one that the node has made.",
                hint: "compare it with what the node printed last; `touchmark apikey setup` where its \
                       data folder is makes a new one",
            },
            Self::SetupExpired => Row {
                code: "TM-SETUP-EXPIRED",
                status: 410,
                title: "Too late",
                meaning: "The set-up code's time is over.",
                hint: "make a new one with `touchmark apikey setup` where the node's data folder is",
            },
            Self::SetupUsed => Row {
                code: "TM-SETUP-USED",
                status: 410,
                title: "Used already",
                meaning: "The set-up code was used; it makes one API key only.",
                hint: "if it was not you, end that key (`touchmark apikey list`, `apikey revoke`); \
                       `touchmark apikey setup` makes a new code",
            },
            Self::WitnessSignature => Row {
                code: "TM-WITNESS-SIGNATURE",
                status: 403,
                title: "Not signed by the log",
                meaning: "No key that this witness trusts for the log signed the checkpoint, or one \
                          of its lines is wrong.",
                hint: "send the checkpoint with the log's own signature; `touchmark witness show` on \
                       the witness lists the keys that it trusts",
            },
            Self::WitnessInconsistent => Row {
                code: "TM-WITNESS-INCONSISTENT",
                status: 422,
                title: "Not proved to continue the log",
                meaning: "The checkpoint is not proved to continue what this witness cosigned.",
                hint: "prove it from the size that the witness has; if no proof does, the log has two \
                       views",
            },
            Self::FewWitnesses => Row {
                code: "TM-FEW-WITNESSES",
                status: 503,
                title: "Not cosigned by so many witnesses",
                meaning: "No checkpoint here was cosigned by as many outside witnesses.",
                hint: "ask for fewer, or again later; `touchmark witness list` on the node says what \
                       each of them answered",
            },
            Self::ObjectStorage => Row {
                code: "TM-OBJECT-STORAGE",
                status: 503,
                title: "Old leaves are away",
                meaning: "The node keeps old leaves in object storage, which does not give them now, \
                          or gives others than the log has.",
                hint: "ask again later, or another node; newer leaves, states and their proofs are \
                       read as ever",
            },
        }
    }
}
