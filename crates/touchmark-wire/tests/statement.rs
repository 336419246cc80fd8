//! Statements: what is built is what is parsed, and there is one encoding of each.

#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it should be")]

#[path = "support/cbor.rs"]
mod cbor;

use cbor::{array, bytes, int, map, neighbours, tag, text, uint};
use proptest::prelude::*;
use touchmark_keys::software::SoftwareKey;
use touchmark_wire::algorithm::{Algorithm, PureVerifier, SignatureVerifier, Signer};
use touchmark_wire::codec::Malformed;
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::{ChannelId, KeyNumber, Sequence, StatementId, ThingId};
use touchmark_wire::limits;
use touchmark_wire::registry::{ContentFormat, StatementKind};
use touchmark_wire::statement::{Claims, Content, Draft, Kid, Link, Signatures, Statement};

const ISSUER: ThingId = ThingId([0x11; 20]);
const PREVIOUS: Digest = Digest([0x22; 32]);
const CHANNEL: ChannelId = ChannelId([0x33; 20]);
const DID: &str = "did:touchmark:aaaaaaaaaaaaaaaa:ceirceirceirceirceirceirceirceir";

fn key(algorithm: Algorithm) -> SoftwareKey {
    SoftwareKey::from_seed(algorithm, &[7; 32]).unwrap()
}

fn draft(payload: &[u8]) -> Draft<'_> {
    Draft {
        issuer: ISSUER,
        link: Link {
            kind: StatementKind::RECORD,
            sequence: Sequence(1),
            previous: PREVIOUS,
            channel: None,
        },
        content: Content::Inline(ContentFormat::TEXT),
        claims: None,
        payload,
    }
}

/// Writes a parsed statement again, with another encoder.
fn rewritten(statement: &Statement<'_>) -> Vec<u8> {
    let header = statement.protected();
    let mut entries = Vec::new();
    if let Some(algorithm) = header.algorithm {
        entries.push((int(1), int(algorithm)));
    }
    if let Content::Inline(format) = header.content {
        entries.push((int(3), uint(format.0.into())));
    }
    entries.push((int(4), kid(header.kid)));
    if let Some(claims) = header.claims {
        let mut content = vec![(uint(1), text(claims.issuer)), (uint(2), text(claims.subject))];
        content.extend(claims.issued_at.map(|seconds| (uint(6), uint(seconds))));
        entries.push((int(15), map(&content)));
    }
    if let Content::Committed(format) = header.content {
        entries.push((int(258), int(-16)));
        entries.push((int(259), uint(format.0.into())));
    }
    entries.push((int(-65_537), link(&header.link)));
    let body = [bytes(&map(&entries)), vec![0xa0], bytes(statement.payload())];
    match statement.signatures() {
        Signatures::One(signature) => {
            tag(18, &array(&[body.to_vec(), vec![bytes(signature)]].concat()))
        }
        Signatures::Many(signers) => {
            let signers: Vec<_> = signers
                .iter()
                .map(|signer| one_signer(signer.kid(), signer.algorithm(), signer.signature()))
                .collect();
            tag(98, &array(&[body.to_vec(), vec![array(&signers)]].concat()))
        }
    }
}

fn kid(kid: Kid) -> Vec<u8> {
    let number = kid.key.map(|KeyNumber(number)| {
        let bytes = number.to_be_bytes();
        let zeros = bytes.iter().take(3).take_while(|byte| **byte == 0).count();
        bytes[zeros..].to_vec()
    });
    bytes(&[kid.thing.0.to_vec(), number.unwrap_or_default()].concat())
}

fn link(link: &Link) -> Vec<u8> {
    let mut items =
        vec![uint(link.kind.0.into()), uint(link.sequence.0.into()), bytes(&link.previous.0)];
    items.extend(link.channel.map(|channel| bytes(&channel.0)));
    array(&items)
}

fn one_signer(name: Kid, algorithm: i64, signature: &[u8]) -> Vec<u8> {
    let header = map(&[(int(1), int(algorithm)), (int(4), kid(name))]);
    array(&[bytes(&header), vec![0xa0], bytes(signature)])
}

/// The signatures verify, each under the key that made it.
fn verifies(statement: &Statement<'_>, keys: &[&SoftwareKey]) -> bool {
    match statement.signatures() {
        Signatures::One(signature) => {
            let structure = statement.sig_structure();
            let message = structure.signed_bytes();
            PureVerifier.verify(keys[0].public_key(), &message, signature).is_ok()
        }
        Signatures::Many(signers) => signers.iter().all(|signer| {
            let structure = statement.sig_structure_of(&signer);
            let message = structure.signed_bytes();
            keys.iter().any(|key| {
                PureVerifier.verify(key.public_key(), &message, signer.signature()).is_ok()
            })
        }),
    }
}

prop_compose! {
    fn any_link()(
        kind in any::<u16>(), sequence in 1..=u32::MAX, previous in any::<[u8; 32]>(),
        channel in any::<Option<[u8; 20]>>(),
    ) -> Link {
        Link {
            kind: StatementKind(kind),
            sequence: Sequence(sequence),
            previous: Digest(previous),
            channel: channel.map(ChannelId),
        }
    }
}

prop_compose! {
    fn any_content()(format in any::<u16>(), committed in any::<bool>()) -> Content {
        let format = ContentFormat(format);
        if committed { Content::Committed(format) } else { Content::Inline(format) }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_built_is_what_is_parsed(
        link in any_link(), content in any_content(), payload in prop::collection::vec(any::<u8>(), 0..400),
        issuer in any::<[u8; 20]>(), number in any::<u32>(), issued_at in any::<Option<u64>>(),
        subject in "[a-z0-9:/]{0,128}", with_claims in any::<bool>(), algorithm in 0usize..3,
    ) {
        let issuer = ThingId(issuer);
        let did = format!("did:touchmark:aaaaaaaaaaaaaaaa:{issuer}");
        let claims =
            with_claims.then_some(Claims { issuer: &did, subject: &subject, issued_at });
        let payload = match content {
            Content::Committed(_) => vec![9; 32],
            Content::Inline(_) => payload,
        };
        let key = key(Algorithm::ALL[algorithm]);
        let number = KeyNumber(number);
        let draft = Draft { issuer, link, content, claims, payload: &payload };
        let encoded = draft.sign(number, &key).unwrap();

        let statement = Statement::parse(&encoded).unwrap();
        prop_assert_eq!(statement.bytes(), &encoded[..]);
        prop_assert_eq!(statement.payload(), &payload[..]);
        let header = statement.protected();
        prop_assert_eq!(header.kid, Kid::new(issuer, number));
        prop_assert_eq!(header.algorithm, Some(i64::from(key.public_key().algorithm().cose_id())));
        prop_assert_eq!((header.link, header.content, header.claims), (link, content, claims));
        prop_assert_eq!(statement.id(), draft.id(number, key.public_key().algorithm()));
        prop_assert_eq!(rewritten(&statement), encoded.clone());
        prop_assert!(verifies(&statement, &[&key]));
    }

    #[test]
    fn several_signers_are_sorted_and_sign_the_same_id(
        link in any_link(), numbers in prop::collection::btree_set(any::<(bool, u32)>(), 1..=16),
        reversed in any::<bool>(),
    ) {
        let keys = [key(Algorithm::Es256), key(Algorithm::Ed25519)];
        let thing = |own| if own { ISSUER } else { ThingId([0xee; 20]) };
        let mut signers: Vec<(Kid, &dyn Signer)> = numbers
            .iter()
            .map(|(own, number)| {
                let signer: &dyn Signer = &keys[usize::from(*own)];
                (Kid::new(thing(*own), KeyNumber(*number)), signer)
            })
            .collect();
        if reversed {
            signers.reverse();
        }
        let draft = Draft { link, ..draft(b"together") };
        let encoded = draft.sign_many(&signers).unwrap();
        let statement = Statement::parse(&encoded).unwrap();
        let Signatures::Many(parsed) = statement.signatures() else { panic!("a COSE_Sign1") };
        let mut names: Vec<_> = signers.iter().map(|(kid, _)| *kid).collect();
        names.sort();
        prop_assert_eq!(parsed.len(), names.len());
        prop_assert_eq!(parsed.iter().map(|signer| signer.kid()).collect::<Vec<_>>(), names);
        prop_assert_eq!(rewritten(&statement), encoded.clone());
        prop_assert!(verifies(&statement, &[&keys[0], &keys[1]]));
        // Fewer signatures are the same statement.
        let fewer = draft.sign_many(&signers[..1]).unwrap();
        prop_assert_eq!(Statement::parse(&fewer).unwrap().id(), statement.id());
    }

    #[test]
    fn whatever_is_parsed_has_one_encoding(
        origin in 0usize..4, at in any::<prop::sample::Index>(), cut in 0usize..40,
        insert in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        let origin = &originals()[origin];
        let at = at.index(origin.len() + 1);
        let end = (at + cut).min(origin.len());
        let bytes = [&origin[..at], &insert, &origin[end..]].concat();
        if let Ok(statement) = Statement::parse(&bytes) {
            prop_assert_eq!(rewritten(&statement), bytes);
        }
    }
}

/// One statement of each shape.
fn originals() -> [Vec<u8>; 4] {
    let (one, two) = (key(Algorithm::Es256), key(Algorithm::Ed25519));
    let several: [(Kid, &dyn Signer); 2] =
        [(Kid::new(ISSUER, KeyNumber(300)), &one), (Kid::new(ISSUER, KeyNumber(1)), &two)];
    let inline = draft(b"payload");
    let channel = Link { channel: Some(CHANNEL), sequence: Sequence(24), ..inline.link };
    let claims = Claims { issuer: DID, subject: "lot 7", issued_at: Some(1_700_000_000) };
    let committed = Content::Committed(ContentFormat::SENML_CBOR);
    [
        inline.sign(KeyNumber(0), &one).unwrap(),
        Draft { link: channel, claims: Some(claims), ..inline }.sign(KeyNumber(256), &two).unwrap(),
        Draft { content: committed, ..draft(&[5; 32]) }.sign(KeyNumber(0), &one).unwrap(),
        inline.sign_many(&several).unwrap(),
    ]
}

#[test]
fn a_changed_byte_is_another_statement_or_none() {
    for original in originals() {
        let id = Statement::parse(&original).unwrap().id();
        let mut parsed = 0;
        for bytes in neighbours(&original) {
            assert_ne!(bytes, original);
            let Ok(statement) = Statement::parse(&bytes) else { continue };
            parsed += 1;
            assert_eq!(rewritten(&statement), bytes);
            let same_id = statement.id() == id;
            let signed = |bytes: &Statement<'_>| {
                let structure = bytes.sig_structure();
                structure.signed_bytes().parts().concat()
            };
            let original = Statement::parse(&original).unwrap();
            assert_eq!(same_id, signed(&statement) == signed(&original));
        }
        assert!(parsed > 1000, "changed ids, payloads and signatures parse");
    }
}

#[test]
fn the_id_is_the_digest_of_the_rfc_9052_sig_structure() {
    let original = &originals()[0];
    let statement = Statement::parse(original).unwrap();
    let protected = [int(1), int(-7), int(3), uint(0), int(4)].concat();
    let protected = [vec![0xa4], protected, kid(statement.protected().kid), int(-65_537)].concat();
    let protected = [protected, link(&statement.protected().link)].concat();
    let structure = array(&[text("Signature1"), bytes(&protected), bytes(b""), bytes(b"payload")]);
    assert_eq!(statement.id(), StatementId(Digest::of(&[&structure])));
}

/// What a statement costs over a payload of 256 bytes, at the longest sequence numbers.
#[test]
fn the_compact_profile_keeps_its_bound() {
    let payload = [0; 256];
    let key = key(Algorithm::Es256);
    let overhead = |format, channel, sequence| {
        let inline = draft(&payload);
        let link = Link { sequence: Sequence(sequence), channel, ..inline.link };
        let draft = Draft { link, content: Content::Inline(format), ..inline };
        draft.sign(KeyNumber(255), &key).unwrap().len() - payload.len()
    };
    let (short, long) = (ContentFormat::SENML_CBOR, ContentFormat::ENCRYPTED);
    assert!(overhead(long, None, u32::MAX) <= 150);
    assert!(overhead(short, Some(CHANNEL), u32::MAX) <= 170);
    // A format of two bytes leaves two bytes for the sequence number.
    assert!(overhead(long, Some(CHANNEL), 0xffff) <= 170);
}

#[test]
fn limits_are_those_of_the_table() {
    let key = key(Algorithm::Es256);
    let longest = |length: usize| draft(&vec![0; length]).sign(KeyNumber(0), &key).unwrap();
    let overhead = longest(60_000).len() - 60_000;
    let at_limit = longest(limits::STATEMENT - overhead);
    assert_eq!(at_limit.len(), limits::STATEMENT);
    assert!(Statement::parse(&at_limit).is_ok());
    let over = longest(limits::STATEMENT - overhead + 1);
    let refused = Malformed::TooLong { limit: limits::STATEMENT, actual: limits::STATEMENT + 1 };
    assert_eq!(Statement::parse(&over).unwrap_err(), refused);

    let subject = "s".repeat(129);
    for (subject, fits) in [(&subject[1..], true), (&subject[..], false)] {
        let claims = Claims { issuer: DID, subject, issued_at: None };
        let encoded =
            Draft { claims: Some(claims), ..draft(b"") }.sign(KeyNumber(0), &key).unwrap();
        assert_eq!(Statement::parse(&encoded).is_ok(), fits);
    }

    for count in [limits::SIGNERS, limits::SIGNERS + 1] {
        let signers: Vec<(Kid, &dyn Signer)> = (0..count as u32)
            .map(|number| (Kid::new(ISSUER, KeyNumber(number)), &key as &dyn Signer))
            .collect();
        let encoded = draft(b"").sign_many(&signers).unwrap();
        assert_eq!(Statement::parse(&encoded).is_ok(), count <= limits::SIGNERS);
    }
}
