//! One example of each JSON type. Tests parse every one with its type.

use crate::{
    BackupView, CardView, ChannelView, DrainView, EventView, LeafView, Listing, LoadView,
    NetworkView, NodeView, PayloadView, Problem, Proved, Readiness, SetUp, SetUpView, Tap, TapView,
    ThingView, WriterView, Written,
};
use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// A JSON type with an example.
pub trait Exampled: JsonSchema + Serialize + DeserializeOwned {
    /// The example.
    fn example() -> Value;
}

/// Ids that examples name.
pub mod identifiers {
    /// A thing.
    pub const THING: &str = "mzxw6ytbojtg633cmfzgm33pmjqxeztp";
    /// Its controller.
    pub const CONTROLLER: &str = "nbswy3dpeb3w64tmmqqgs4zanzxxo2lo";
    /// A channel.
    pub const CHANNEL: &str = "nrxxe2ltoqqgs4zanvswg2ltmfzxi33s";
    /// SHA-256 of something: a statement, evidence, a leaf.
    pub const HASH: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
}

use identifiers::{CHANNEL, CONTROLLER, HASH, THING};

const TIME: u64 = 1_785_000_000_000;

impl<T: Exampled> Exampled for Listing<T> {
    fn example() -> Value {
        json!({ "items": [T::example()], "next": "17" })
    }
}

impl<T: Exampled> Exampled for Vec<T> {
    fn example() -> Value {
        json!([T::example()])
    }
}

impl<T: Exampled> Exampled for Proved<T> {
    fn example() -> Value {
        let mut example = T::example();
        example["proof"] = "2dn3pgE".into();
        example
    }
}

impl Exampled for ThingView {
    fn example() -> Value {
        json!({
            "id": THING,
            "did": format!("did:touchmark:gezdgnbvgy3tqojq:{THING}"),
            "kind": "device",
            "controller": CONTROLLER,
            "controller_confirmed": 12,
            "status": { "status": "active", "since": 12 },
            "statuses": [{ "status": "active", "since": 12 }],
            "threshold": 1,
            "keys": [{
                "number": 0,
                "algorithm": "ES256",
                "key": "pQECAyYgAQ",
                "purposes": ["record", "control", "authenticate"],
                "weight": 1,
                "from": 12,
            }],
            "next_number": 1,
            "next_keys": [],
            "attributes": { "model": "T1", "serial": "4711" },
            "created": 12,
            "head": { "sequence": 2, "last": HASH },
            "history": { "count": 2, "hash": HASH, "mentions": 0 },
            "size": 18,
        })
    }
}

impl Exampled for ChannelView {
    fn example() -> Value {
        json!({
            "id": CHANNEL,
            "author": CONTROLLER,
            "kind": "public",
            "writers": "granted",
            "attributes": { "name": "cold chain" },
            "opened": 13,
            "history": { "count": 3, "hash": HASH, "mentions": 0 },
            "size": 18,
        })
    }
}

impl Exampled for WriterView {
    fn example() -> Value {
        json!({
            "channel": CHANNEL,
            "thing": THING,
            "rights": ["write"],
            "since": 14,
            "may_write": true,
            "head": { "sequence": 1, "last": HASH },
            "size": 18,
        })
    }
}

impl Exampled for LeafView {
    fn example() -> Value {
        json!({
            "index": 17,
            "kind": "accepted",
            "hash": HASH,
            "bytes": "0oRDoQEm",
            "statement": {
                "id": HASH,
                "kind": "record",
                "issuer": THING,
                "sequence": 2,
                "previous": HASH,
                "content_format": 110,
                "committed": false,
                "payload": "W3sibiI6InRlbXBlcmF0dXJlIiwidSI6IkNlbCIsInYiOjIxLjV9XQ",
                "signers": [{ "thing": THING, "key": 0, "algorithm": -7 }],
            },
        })
    }
}

impl Exampled for NetworkView {
    fn example() -> Value {
        json!({
            "network": HASH,
            "origin": "log.example.org/2026",
            "genesis": "pQEBAng",
            "committee": 1,
            "appointed": 2,
            "log_key": "log.example.org/2026+5f3b1c2d+AdOq",
            "next_log_key": "log.example.org/2026+0c9d4e7a+AfEk",
            "validators": [{
                "name": "log.example.org/2026/validator-1",
                "peer": HASH,
                "log_key": "pQECAyYgAQ",
                "cosigner_key": "pAEBAycgBg",
            }],
            "threshold": 1,
            "height": 9,
            "time": TIME,
            "size": 18,
            "root": HASH,
        })
    }
}

impl Exampled for NodeView {
    fn example() -> Value {
        json!({
            "peer": HASH,
            "build": env!("CARGO_PKG_VERSION"),
            "rules": 1,
            "clock": TIME,
            "term": 0,
            "term_ends": 511,
            "view": 12,
            "votes": true,
            "connected": [HASH],
            "finalized": 9,
            "height": 9,
            "pending": 3,
            "pending_bytes": 720,
            "witnesses": { "items": [{
                "name": "witness.example/one",
                "vkey": "witness.example/one+63257b15+BAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g",
                "url": "http://127.0.0.1:8081/witness",
                "size": 18,
                "time": TIME / 1_000,
                "problem": "no answer from http://127.0.0.1:8081/witness",
            }] },
        })
    }
}

impl Exampled for Readiness {
    fn example() -> Value {
        let reason = "the store writes nothing: no space left on device";
        json!({ "ready": false, "reasons": [reason], "warnings": [], "height": 9, "size": 18 })
    }
}

impl Exampled for Written {
    fn example() -> Value {
        json!({ "id": HASH, "outcome": "accepted", "position": 17 })
    }
}

impl Exampled for Problem {
    fn example() -> Value {
        json!(Self::new(
            touchmark_wire::registry::RefusalCode::NOT_FOUND,
            format!("the thing {THING} is not here")
        ))
    }
}

impl Exampled for EventView {
    fn example() -> Value {
        json!({
            "leaf": 17,
            "index": 0,
            "submission": HASH,
            "type": "data-recorded",
            "thing": THING,
        })
    }
}

impl Exampled for CardView {
    fn example() -> Value {
        json!({
            "id": THING,
            "kind": "card",
            "status": { "status": "active", "since": 12 },
            "url": "https://example.org/products/4711",
            "thing": CONTROLLER,
            "login_required": false,
            "key": {
                "number": 0,
                "algorithm": "ES256",
                "key": "pQECAyYgAQ",
                "purposes": ["evidence", "authenticate"],
                "weight": 1,
                "from": 12,
            },
            "counters": { "card-url": { "value": 7, "at": 17 } },
            "size": 18,
        })
    }
}

impl Exampled for PayloadView {
    fn example() -> Value {
        json!({
            "position": 17,
            "content_format": 50,
            "salt": "AAECAwQFBgcICQoLDA0ODwABAgMEBQYHCAkKCwwNDg8",
            "content": "eyJib3JuIjoxOTgwfQ",
        })
    }
}

impl Exampled for Tap {
    fn example() -> Value {
        let signature = "0".repeat(128);
        let url = format!("https://example.org/tap?i={THING}&c=000007&s={signature}");
        json!({ "url": url, "action": "update" })
    }
}

impl Exampled for TapView {
    fn example() -> Value {
        json!({
            "verdict": "replayed",
            "action": "update",
            "card": THING,
            "counter": 7,
            "code": "TM-REPLAYED",
            "detail": "this URL was used before",
            "hint": "read the card again; each counter counts once",
            "position": 17,
            "size": 18,
        })
    }
}

impl Exampled for LoadView {
    fn example() -> Value {
        let part = |used: u64, limit: u64| json!({ "used": used, "limit": limit });
        json!({
            "draining": false,
            "connections": part(12, 4_096),
            "reading": part(1, 4_096),
            "writing": part(3, 4_096),
            "listeners": part(2, 1_024),
            "bodies": part(900, 268_435_456),
            "pool": part(900, 67_108_864),
            "sources": part(4, 65_536),
            "waiting_identities": 0,
        })
    }
}

impl Exampled for DrainView {
    fn example() -> Value {
        json!({ "draining": true, "pending": 0 })
    }
}

impl Exampled for SetUp {
    fn example() -> Value {
        json!({ "code": "7H4QZ-N0K3M-XW8RV-2TBCD" })
    }
}

impl Exampled for SetUpView {
    fn example() -> Value {
        json!({
            "id": "5f0c2a19",
            "scopes": ["read", "operate"],
            "expires": TIME,
            "key": "tmk_5f0c2a19_…",
        })
    }
}

impl Exampled for BackupView {
    fn example() -> Value {
        json!({
            "name": "height-1204-1795413600000",
            "state": "done",
            "contents": {
                "height": 1204,
                "size": 18_230,
                "root": "9f".repeat(32),
                "state_root": "3c".repeat(32),
                "bytes": 9_437_184,
            },
        })
    }
}
