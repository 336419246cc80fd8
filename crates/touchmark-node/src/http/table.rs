//! The table of routes: what there is, what it takes and what it answers.

use super::gate::{Class, SETTING_UP};
use super::route::Route;
use super::{
    admin, cards, channels, events, health, history, metrics, payloads, proofs, reading, scitt,
    setup, submission, taps, things, tiles, witness,
};
use crate::apikey::Scope;
use axum::Json;
use axum::http::header;
use axum::response::IntoResponse;
use touchmark_api::openapi::{Content, Parameter, Place, Shape, identifiers};
use touchmark_api::{
    BackupView, CardView, ChannelView, DrainView, EdgeCode, EventView, LeafView, Listing, LoadView,
    NetworkView, NodeView, PayloadView, Proved, Readiness, SetUp, SetUpView, Tap, TapView,
    ThingView, WriterView, Written, media,
};
use touchmark_wire::registry::RefusalCode as Code;
use touchmark_wire::witness::SUBMISSION_LIMIT;

/// All routes, in the order in which people read about them.
pub(super) fn routes() -> Vec<Route> {
    let groups = [
        ("writing", writing()),
        ("things", registered()),
        ("channels", in_channels()),
        ("cards", cards()),
        ("events", events()),
        ("log", log()),
        ("proofs", proving()),
        ("scitt", transparency()),
        ("witnessing", witnessing()),
        ("operation", operation()),
        ("administration", administration()),
    ];
    groups
        .into_iter()
        .flat_map(|(group, routes)| {
            routes.into_iter().map(move |route| route.group(group).finished())
        })
        .collect()
}

const fn query(name: &'static str, meaning: &'static str, example: &'static str) -> Parameter {
    Parameter { place: Place::Query, name, meaning, example }
}

const fn path(name: &'static str, meaning: &'static str, example: &'static str) -> Parameter {
    Parameter { place: Place::Path, name, meaning, example }
}

const THING: Parameter = path("id", "Thing id, 32 characters of base32", identifiers::THING);
const CHANNEL: Parameter = path("id", "Channel id, 32 characters of base32", identifiers::CHANNEL);
const POSITION: Parameter = path("index", "Position in the log, from 0", "17");
const PAYLOAD: &str = "/v1/leaves/{index}/payload";
const KID: &str = "SWvYr63zB-WwjGSwQhv53AFSijRKQ72oj63RZp2iU-w";
const PROOF: Parameter =
    query("proof", "1 adds a bundle that proves the answer without this node", "1");
const CONFIDENCE: Parameter =
    query("confidence", "`true` says how far each record can be believed", "true");
const PAGE: [Parameter; 2] = [
    query("cursor", "`next` of the page before; opaque", "b3BhcXVl"),
    query("limit", "Items of a page: 1 to 1,000, otherwise 50", "50"),
];
const WINDOW: [Parameter; 3] = [
    query("since", "First position", "0"),
    query("until", "Position after the last", "18"),
    query("order", "`oldest` or `newest` first", "oldest"),
];
const KIND: Parameter = query(
    "kind",
    "Kind of leaf (`accepted`, `denied`, `fork`, `evidence`, `sighting`, `batch`) or of statement \
     (`record`, `update`, …)",
    "record",
);
const ISSUER: Parameter = query("issuer", "Who states", identifiers::THING);

const SUBMITTING: [Code; 8] = [
    Code::MALFORMED,
    Code::TOO_LONG,
    Code::SIGNATURE,
    Code::UNKNOWN_THING,
    Code::CONFLICT,
    Code::REVOKED,
    Code::OVERLOADED,
    Code::STORAGE,
];
const READING: [Code; 2] = [Code::MALFORMED, Code::STORAGE];

fn writing() -> Vec<Route> {
    let raw = |media, meaning| Content::Raw { media, meaning };
    vec![
        Route::post("/v1/statements", "Submit statements", submission::statements)
            .describe(
                "One statement, or a sequence of statements and bare evidence (at most 10,000). \
                 The answer comes when it is durable. Anyone may create an identity and write as \
                 it. One statement that has no effect is answered by a problem, with its position \
                 if it is in the log; a sequence by 200 with an outcome for each.",
            )
            .takes(raw(media::COSE, "One statement: COSE_Sign1 or COSE_Sign"))
            .takes(raw(media::CBOR, "The same, or bare evidence as a leaf"))
            .takes(raw(media::CBOR_SEQ, "Leaves one after the other (RFC 8742)"))
            .json::<Written>(201, "Accepted")
            .json::<Written>(200, "It was in the log before; a sequence gets a list")
            .problems(&SUBMITTING),
        Route::post("/v1/evidence/{name}", "Submit evidence, by anyone", submission::evidence)
            .describe("Without an identity: what the card or device signed is all that counts.")
            .parameters(&[path("name", "Format of the evidence", "card-url")])
            .takes(raw(media::TEXT, "`card-url`: the URL"))
            .takes(raw(media::CBOR, "`card-payload`: what the card signed"))
            .json::<Written>(201, "Accepted")
            .json::<Written>(200, "It was in the log before")
            .problems(&SUBMITTING)
            .problems(&[Code::FORGED, Code::REPLAYED, Code::NOT_FOUND]),
    ]
}

fn registered() -> Vec<Route> {
    vec![
        Route::get("/v1/things", "A list of things", things::things)
            .parameters(&[
                query("controller", "Who registered them", identifiers::CONTROLLER),
                query("kind", "Kind of thing", "card"),
                query("status", "Present status", "active"),
                query("number", "Progressive number", "7"),
                query("serial", "Serial number of the chip", "04A2B3C4D5E680"),
                query("q", "Beginning of any attribute", "47"),
                query("attribute", "Name of the attribute of `value` or `prefix`", "model"),
                query("value", "Whole value of an attribute", "T1"),
                query("prefix", "Beginning of a value", "T"),
                query("order", "`oldest` or `newest` first", "oldest"),
            ])
            .parameters(&PAGE)
            .json::<Listing<ThingView>>(200, "A page; with `next` it may be short")
            .problems(&READING),
        Route::get("/v1/things/{id}", "Keys, status, attributes, chain head", reading::thing)
            .parameters(&[THING, PROOF])
            .json::<Proved<ThingView>>(200, "The thing; its ETag changes with its history")
            .problems(&READING)
            .problems(&[Code::NOT_FOUND]),
        Route::get("/v1/things/{id}/history", "Its history and its mentions", history::history)
            .parameters(&[THING, KIND, ISSUER, CONFIDENCE])
            .parameters(&WINDOW)
            .parameters(&PAGE)
            .json::<Listing<LeafView>>(200, "A page; with `next` it may be short")
            .problems(&READING),
        Route::get("/v1/things/{id}/chain", "Statements of one chain, by sequence", history::chain)
            .describe("The issuer's main chain, or its chain in a channel.")
            .parameters(&[THING])
            .parameters(&[query("channel", "Channel id", identifiers::CHANNEL)])
            .parameters(&PAGE)
            .json::<Listing<LeafView>>(200, "A page")
            .problems(&READING),
    ]
}

fn in_channels() -> Vec<Route> {
    vec![
        Route::get("/v1/channels", "A list of channels", channels::channels)
            .parameters(&[
                query("author", "Who opened them", identifiers::CONTROLLER),
                query("order", "`oldest` or `newest` first", "oldest"),
            ])
            .parameters(&PAGE)
            .json::<Listing<ChannelView>>(200, "A page")
            .problems(&READING),
        Route::get("/v1/channels/{id}", "Author, who may write, attributes", channels::channel)
            .parameters(&[CHANNEL, PROOF])
            .json::<Proved<ChannelView>>(200, "The channel; its ETag changes with its history")
            .problems(&READING)
            .problems(&[Code::NOT_FOUND]),
        Route::get("/v1/channels/{id}/leaves", "Leaves about and in it", history::channel)
            .describe(
                "Its opening, grants and withdrawals, its entries and its closing, in the order of \
                 the log. What those state in it who may not write is among them, as denied.",
            )
            .parameters(&[CHANNEL, KIND, ISSUER, CONFIDENCE])
            .parameters(&WINDOW)
            .parameters(&PAGE)
            .json::<Listing<LeafView>>(200, "A page; with `next` it may be short")
            .problems(&READING),
        Route::get("/v1/channels/{id}/writers", "Things with granted rights", channels::writers)
            .describe("By id. The author, and anyone where anyone may write, needs no grant.")
            .parameters(&[CHANNEL])
            .parameters(&PAGE)
            .json::<Listing<WriterView>>(200, "A page")
            .problems(&READING)
            .problems(&[Code::NOT_FOUND]),
        Route::get(
            "/v1/channels/{id}/writers/{thing}",
            "A thing's rights and chain in it",
            channels::writer,
        )
        .describe("Also of a thing without rights: where its next entry would stand.")
        .parameters(&[CHANNEL, path("thing", "Thing id", identifiers::THING), PROOF])
        .json::<Proved<WriterView>>(200, "Rights, and the head of the chain")
        .problems(&READING)
        .problems(&[Code::NOT_FOUND]),
    ]
}

fn log() -> Vec<Route> {
    vec![
        Route::get("/v1/leaves", "The log, leaf by leaf", history::leaves)
            .parameters(&[KIND, ISSUER, CONFIDENCE])
            .parameters(&WINDOW)
            .parameters(&PAGE)
            .json::<Listing<LeafView>>(200, "A page; with `next` it may be short")
            .problems(&READING),
        Route::get("/v1/records", "Records that were accepted", history::records)
            .parameters(&[ISSUER, CONFIDENCE])
            .parameters(&WINDOW)
            .parameters(&PAGE)
            .json::<Listing<LeafView>>(200, "A page; with `next` it may be short")
            .problems(&READING),
        Route::get("/v1/taps", "Evidence of cards, and sightings", history::taps)
            .parameters(&[query("card", "Whose", identifiers::THING), CONFIDENCE])
            .parameters(&WINDOW)
            .parameters(&PAGE)
            .json::<Listing<LeafView>>(200, "A page; with `next` it may be short")
            .problems(&READING),
        Route::get("/v1/leaves/{index}", "A leaf", reading::leaf)
            .parameters(&[POSITION, PROOF, CONFIDENCE])
            .json::<Proved<LeafView>>(200, "The leaf taken apart")
            .raw(media::CBOR, "The leaf as it stands in the log")
            .problems(&READING)
            .problems(&[Code::NOT_FOUND]),
        Route::get(PAYLOAD, "What a leaf commits to", payloads::payload)
            .describe("Salt and content, if this node has them and they were not erased.")
            .parameters(&[POSITION])
            .unstored()
            .json::<PayloadView>(200, "Genuine: the node compared them with the commitment")
            .raw(media::CBOR, "The array [salt, content]: its SHA-256 is the payload in the leaf")
            .problems(&READING)
            .problems(&[Code::NOT_FOUND]),
        Route::post(PAYLOAD, "Keep what a leaf commits to", payloads::keep)
            .describe(
                "Whoever has salt and content of an accepted statement's committed payload may \
                 bring them, and whoever asks is shown them, until they are erased. What was erased \
                 is not kept again.",
            )
            .parameters(&[POSITION])
            .takes(Content::Raw { media: media::CBOR, meaning: "The array [salt, content]" })
            .empty(204, "Kept durably")
            .problems(&READING)
            .problems(&[
                Code::NOT_FOUND,
                Code::PAYLOAD,
                Code::TOO_LONG,
                Code::NOT_AUTHORISED,
            ])
            .problems(&[EdgeCode::ObjectStorage]),
        Route::get("/v1/statements/{id}", "The leaf of a statement", reading::statement)
            .parameters(&[path("id", "Statement id", identifiers::HASH), PROOF])
            .parameters(&[CONFIDENCE])
            .json::<Proved<LeafView>>(200, "The leaf taken apart")
            .raw(media::CBOR, "The leaf as it stands in the log")
            .problems(&READING)
            .problems(&[Code::NOT_FOUND]),
        Route::get("/v1/evidence/{name}", "The first leaf of evidence", reading::evidence)
            .parameters(&[path("name", "Evidence id", identifiers::HASH), PROOF])
            .parameters(&[CONFIDENCE])
            .json::<Proved<LeafView>>(200, "The leaf taken apart")
            .raw(media::CBOR, "The leaf as it stands in the log")
            .problems(&READING)
            .problems(&[Code::NOT_FOUND]),
    ]
}

fn cards() -> Vec<Route> {
    vec![
        Route::get("/v1/cards/{id}", "What an application needs to know of a card", cards::card)
            .describe(
                "Status, key, last counters, and what its attributes say: `url` (page about what \
                 it stands for), `thing` (what it is fixed to), `login` (`required` where a \
                 person has to sign in first).",
            )
            .parameters(&[THING, PROOF])
            .json::<Proved<CardView>>(200, "The card")
            .problems(&READING)
            .problems(&[Code::NOT_FOUND]),
        Route::post("/v1/taps", "Judge a tap, or use it up", taps::tap)
            .describe(
                "`validate` writes nothing. `update` uses the counter up, durably: of any number \
                 of updates with one counter exactly one is genuine, also at the same moment at \
                 several nodes, and it is answered with position and receipt. An update with an \
                 `Idempotency-Key` can be repeated, at any node, and has the same verdict; whoever \
                 has the key is taken for the same client, so it is a random one. A verdict is no error: 200. To keep \
                 data with a tap, wrap the URL in a statement of kind `evidence`.",
            )
            .parameters(&[Parameter {
                place: Place::Header,
                name: taps::IDEMPOTENCY_KEY,
                meaning: "16 to 255 bytes, the same for repetitions of one update",
                example: "0f8fad5b-d9cb-469f-a165-70867728950e",
            }])
            .takes(Content::Json(Shape::of::<Tap>()))
            .json::<TapView>(200, "The verdict with its reason")
            .problems(&[Code::MALFORMED, Code::TOO_LONG, Code::STORAGE]),
    ]
}

fn events() -> Vec<Route> {
    const FROM: [Parameter; 3] = [
        query("since", "First position, or `now`; everything without it", "17"),
        query("type", "Only events of this type", "data-recorded"),
        Parameter {
            place: Place::Header,
            name: "Last-Event-ID",
            meaning: "What was heard last: goes on after it",
            example: "17.0",
        },
    ];
    const STREAM: &str = "History first, then, after an event `live`, what happens from now on, \
        in one stream without gap or repetition. An event's `id` is its address, `leaf.index`; \
        its `data` is an EventView. Every 15 s there is a sign of life that moves the id on. A \
        listener who takes nothing for 30 s is cut off and goes on with `Last-Event-ID`.";
    let stream = |route: Route| {
        route
            .describe(STREAM)
            .parameters(&FROM)
            .class(Class::Stream)
            .events::<EventView>("Server-sent events")
            .problems(&READING)
    };
    vec![
        stream(Route::get("/v1/events", "Everything that happens", events::all)),
        stream(
            Route::get("/v1/things/{id}/events", "What happens to a thing", events::of_thing)
                .parameters(&[THING])
                .problems(&[Code::NOT_FOUND]),
        ),
        stream(
            Route::get("/v1/channels/{id}/events", "What happens in a channel", events::of_channel)
                .parameters(&[CHANNEL])
                .problems(&[Code::NOT_FOUND]),
        ),
    ]
}

fn proving() -> Vec<Route> {
    let known = [
        Route::get("/v1/network", "Network id, validators, size and root", reading::network)
            .json::<NetworkView>(200, "The network"),
        Route::get("/v1/node", "How this node does its part", reading::node)
            .timeless()
            .unstored()
            .json::<NodeView>(200, "The node"),
        Route::get("/v1/genesis", "The genesis document", reading::genesis)
            .timeless()
            .raw(media::CBOR, "Its SHA-256 is the network id"),
        Route::get("/v1/batches", "Certified batches, for nodes that follow", reading::batches)
            .describe(
                "Batches in order, as many as 4 MiB of leaves and the term hold, with the \
                 committee's certificate (spec/followers.md). Who asks for the next height waits \
                 for it, at most 10 s, then TM-BEHIND.",
            )
            .parameters(&[query("from", "The first height, from 1", "1")])
            .class(Class::Read(20))
            .timeless()
            .unstored()
            .raw(media::CBOR, "The array [batches, headers, certificate]")
            .problems(&READING)
            .problems(&[Code::NOT_READY])
            .problems(&[EdgeCode::Behind]),
    ];
    let shown = [
        Route::get("/checkpoint", "The newest checkpoint, cosigned (C2SP)", tiles::checkpoint)
            .describe(
                "With the lines of outside witnesses that have cosigned it by now; they are asked \
                 at intervals. With `witnesses` the newest checkpoint that so many have cosigned.",
            )
            .parameters(&[query("witnesses", "Fewest outside witnesses, from 1", "1")])
            .raw(media::TEXT, "A signed note")
            .problems(&[Code::NOT_READY])
            .problems(&[EdgeCode::FewWitnesses]),
        Route::get("/tile/{*path}", "The log as C2SP tlog-tiles", tiles::tile)
            .parameters(&[path("path", "As the specification has it", "entries/000.p/18")])
            .raw(media::OCTETS, "A tile; it never changes")
            .problems(&[Code::NOT_FOUND, Code::STORAGE]),
    ];
    known.into_iter().chain(signed()).chain(shown).collect()
}

/// Receipts and bundles.
fn signed() -> [Route; 3] {
    const WRITER: &str = "nrxxe2ltoqqgs4zanvswg2ltmfzxi33s:mzxw6ytbojtg633cmfzgm33pmjqxeztp";
    const CLAIMS: [Parameter; 14] = [
        query("record", "Position of a leaf that is in the log", "17"),
        query("complete", "Thing of which to prove all leaves", identifiers::THING),
        query("mentioned", "Thing of which to prove all that others say", identifiers::THING),
        query("status", "Thing, or thing@position, whose status to prove", identifiers::THING),
        query("absent", "Thing that is not registered", identifiers::THING),
        query("latest", "Position of a leaf after which there is none of its issuer", "17"),
        query("accredited", "by:thing, two ids", "nbswy3dpeb3w64tmmqqgs4zanzxxo2lo:mzxw6ytb"),
        query("channel", "Channel whose author and policy to prove", identifiers::CHANNEL),
        query("complete_channel", "Channel of which to prove all leaves", identifiers::CHANNEL),
        query("writer", "channel:thing, two ids: that it may write", WRITER),
        query("continues", "Size that the log had: that it begins with those leaves", "17"),
        query("nonce", "What validators shall sign, 16 to 64 bytes", "AAECAwQFBgcICQoLDA0ODw"),
        query(
            "certificate",
            "`engine` (otherwise) or `cosigned`: what stands for the committee's word",
            "engine",
        ),
        query(
            "anchor",
            "`newest` (otherwise) adds what another network says of the log, if the node has it; \
             `none` does not",
            "none",
        ),
    ];
    [
        Route::get("/v1/receipts/{index}", "A COSE receipt (RFC 9942)", proofs::receipt)
            .parameters(&[POSITION])
            .raw(media::COSE, "The receipt")
            .problems(&READING)
            .problems(&[Code::NOT_FOUND, Code::NOT_READY]),
        Route::get(
            "/v1/receipts/{index}/quorum",
            "Receipts by as many validators as a reader wants",
            proofs::receipts,
        )
        .describe(
            "A leaf is believed on the receipts of f+1 of 3f+1 validators: one of them is honest. \
             The node gathers them, within a second; those that are not to be had are missing.",
        )
        .parameters(&[POSITION])
        .class(Class::Read(5))
        .raw(media::CBOR_SEQ, "The receipts, one after the other (RFC 8742)")
        .problems(&READING)
        .problems(&[Code::NOT_FOUND, Code::NOT_READY]),
        Route::get("/v1/proofs", "One bundle that proves everything asked for", proofs::bundle)
            .describe("1 to 64 claims; each parameter may stand several times.")
            .parameters(&CLAIMS)
            .class(Class::Read(10))
            .raw(media::BUNDLE, "The bundle: `touchmark verify` checks it")
            .problems(&READING)
            .problems(&[Code::NOT_FOUND, Code::LIMIT, Code::NOT_READY]),
    ]
}

fn transparency() -> Vec<Route> {
    let entry = path("id", "Statement id", identifiers::HASH);
    let signed = Content::Raw {
        media: media::COSE,
        meaning: "A Signed Statement: one signer, with the CWT claims `iss` and `sub`",
    };
    let routes = [
        Route::post(scitt::ENTRIES, "Register a Signed Statement (RFC 9943)", scitt::register)
            .describe(
                "As draft-ietf-scitt-scrapi has it: answered with the receipt, and in `Location` \
                 with the address of the entry. The same bytes again have the same answer. A \
                 conflict names the chain's head.",
            )
            .takes(signed)
            .created(media::COSE, "The receipt (RFC 9942)")
            .empty(303, "Registered; the receipt is not to be had yet, look for it at `Location`")
            .problems(&SUBMITTING)
            .problems(&[Code::WRONG_NETWORK, Code::OUT_OF_ORDER, Code::KEY_NOT_VALID])
            .problems(&[
                EdgeCode::NotSignedStatement,
                EdgeCode::SignatureAlgorithm,
                EdgeCode::PayloadMissing,
            ]),
        Route::get(scitt::ENTRY, "The receipt of a registered Signed Statement", scitt::entry)
            .parameters(&[entry])
            .raw(media::COSE, "A receipt (RFC 9942)")
            .raw(media::SCITT_STATEMENT, "The Transparent Statement: with its receipt (RFC 9943)")
            .problems(&READING)
            .problems(&[Code::NOT_FOUND, Code::NOT_READY]),
        Route::get(scitt::KEYS, "The keys that receipts are checked with", scitt::keys)
            .describe(
                "The log keys of the validators in office, of those before them, and of those who \
                 are appointed, as a COSE_KeySet (RFC 9052).",
            )
            .raw(media::CBOR, "Each key with its thumbprint (RFC 9679) as `kid`"),
        Route::get(scitt::KEY, "One of these keys, also of validators that were", scitt::key)
            .class(Class::Read(10))
            .parameters(&[path("kid", "The `kid` of a receipt, base64url", KID)])
            .raw(media::CBOR, "A COSE_Key (RFC 9052)")
            .problems(&READING)
            .problems(&[EdgeCode::NoSuchKey]),
    ];
    routes.into_iter().map(Route::concise).collect()
}

fn witnessing() -> Vec<Route> {
    const COSIGNING: Class = Class::Aside(10, SUBMISSION_LIMIT);
    let origin = path("origin", "SHA-256 of the log's origin, hexadecimal", identifiers::HASH);
    vec![
        Route::post(
            witness::ADD_CHECKPOINT,
            "Have a log's checkpoint cosigned (C2SP tlog-witness)",
            witness::add_checkpoint,
        )
        .describe(
            "The node is a witness if its operator made it one (`touchmark witness init`), of the \
             logs that it names. The body is `old SIZE`, the lines of a consistency proof, an empty \
             line and the signed checkpoint. What is cosigned is on the disk before the answer.",
        )
        .class(COSIGNING)
        .takes(Content::Raw { media: media::ANY, meaning: "As the specification has it" })
        .raw(media::TEXT, "The witness's signature line")
        .negative(409, media::TLOG_SIZE, "The size of the newest checkpoint that was cosigned")
        .problems(&[Code::NOT_FOUND, Code::STORAGE])
        .problems(&[EdgeCode::WitnessSignature, EdgeCode::WitnessInconsistent]),
        Route::get(
            witness::CHECKPOINT,
            "What this witness cosigned last of a log (C2SP tlog-witness)",
            witness::checkpoint,
        )
        .parameters(&[origin])
        .timeless()
        .raw(media::TEXT, "The checkpoint with the lines of the log and the witness")
        .problems(&[Code::NOT_FOUND, Code::STORAGE]),
    ]
}

fn operation() -> Vec<Route> {
    vec![
        Route::get("/health/live", "The process lives", health::live)
            .class(Class::Probe)
            .raw(media::TEXT, "`ok`"),
        Route::get("/health/ready", "Whether it takes traffic, or why not", health::ready)
            .class(Class::Probe)
            .json::<Readiness>(200, "It does")
            .json::<Readiness>(503, "It does not, for these reasons"),
        Route::get("/openapi.json", "This document", openapi)
            .timeless()
            .raw("application/json", "OpenAPI 3.1"),
        Route::get("/metrics", "What is counted, for Prometheus", metrics::metrics)
            .timeless()
            .unstored()
            .raw("application/openmetrics-text", "OpenMetrics"),
    ]
}

fn administration() -> Vec<Route> {
    vec![
        Route::post(setup::SETUP, "Make the first API key with the set-up code", setup::set_up)
            .describe(
                "A node that has never had an API key prints a code when it starts; `touchmark \
                 apikey setup` makes another. It is good for an hour and makes one key. The page \
                 `/setup` is the same for people.",
            )
            .class(SETTING_UP)
            .takes(Content::Json(Shape::of::<SetUp>()))
            .json::<SetUpView>(201, "The key, this once")
            .problems(&[Code::MALFORMED, Code::TOO_LONG, Code::STORAGE])
            .problems(&[EdgeCode::SetupCode, EdgeCode::SetupExpired, EdgeCode::SetupUsed]),
        Route::get("/v1/admin/load", "How much of its bounds the node uses", admin::load)
            .administers(Scope::Read)
            .json::<LoadView>(200, "Use and bounds"),
        Route::post("/v1/admin/drain", "Take no more writes, go on reading", admin::drain)
            .administers(Scope::Operate)
            .json::<DrainView>(200, "Drained; `pending` falls to 0"),
        Route::delete("/v1/admin/drain", "Take writes again", admin::resume)
            .administers(Scope::Operate)
            .json::<DrainView>(200, "Resumed"),
        Route::post("/v1/admin/backup", "Copy the ledger while the node works", admin::back_up)
            .administers(Scope::Operate)
            .json::<BackupView>(202, "Begun, or being made already"),
        Route::get("/v1/admin/backup", "How far the last backup is", admin::backup)
            .administers(Scope::Read)
            .json::<BackupView>(200, "The last one that was asked for since the node started")
            .problems(&[Code::NOT_FOUND]),
        Route::delete("/v1/admin/payloads/{index}", "Erase what a leaf commits to", admin::erase)
            .describe("The log, its proofs and backups that were made before stay as they are.")
            .parameters(&[POSITION])
            .administers(Scope::Operate)
            .empty(204, "Erased from this node's disk")
            .problems(&[Code::NOT_FOUND]),
    ]
}

/// `GET /openapi.json`
async fn openapi() -> impl IntoResponse {
    ([(header::CACHE_CONTROL, "no-cache")], Json(super::document()))
}

#[cfg(test)]
mod tests;
