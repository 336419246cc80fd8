//! Statements as other implementations might write them, each wrong in one way.

#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it should be")]

#[path = "support/cbor.rs"]
mod cbor;

use cbor::{array, bytes, int, map, tag, text, uint, wide_head};
use touchmark_wire::codec::Malformed;
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::{ChannelId, KeyNumber, ThingId};
use touchmark_wire::statement::{Kid, Statement};

const ISSUER: ThingId = ThingId([0x11; 20]);
const PREVIOUS: Digest = Digest([0x22; 32]);
const CHANNEL: ChannelId = ChannelId([0x33; 20]);
const DID: &str = "did:touchmark:aaaaaaaaaaaaaaaa:ceirceirceirceirceirceirceirceir";

type Entries = Vec<(Vec<u8>, Vec<u8>)>;

fn plain_link() -> Vec<u8> {
    array(&[uint(7), uint(1), bytes(&PREVIOUS.0)])
}

fn name(number: &[u8]) -> Vec<u8> {
    bytes(&[&ISSUER.0, number].concat())
}

fn header() -> Entries {
    vec![(int(1), int(-7)), (int(3), uint(0)), (int(4), name(&[0])), (int(-65_537), plain_link())]
}

fn with(at: usize, entry: (Vec<u8>, Vec<u8>)) -> Entries {
    let mut entries = header();
    entries.insert(at, entry);
    entries
}

fn instead(at: usize, entry: (Vec<u8>, Vec<u8>)) -> Entries {
    let mut entries = header();
    entries[at] = entry;
    entries
}

fn without(at: usize) -> Entries {
    let mut entries = header();
    entries.remove(at);
    entries
}

fn signed(protected: &[u8]) -> Vec<u8> {
    tag(18, &array(&[bytes(protected), vec![0xa0], bytes(b"payload"), bytes(&[1; 64])]))
}

fn headed(entries: &Entries) -> Vec<u8> {
    signed(&map(entries))
}

fn claims(content: &[(Vec<u8>, Vec<u8>)]) -> Vec<u8> {
    headed(&with(3, (int(15), map(content))))
}

fn check(cases: &[(&str, Vec<u8>, Malformed)]) {
    assert!(Statement::parse(&headed(&header())).is_ok(), "what the cases start from");
    for (name, bytes, expected) in cases {
        assert_eq!(Statement::parse(bytes).unwrap_err(), *expected, "{name}");
    }
}

#[test]
fn other_encodings_of_the_header_are_refused() {
    use Malformed::{NotDeterministic, Shape};
    let swapped = |a, b| {
        let mut entries = header();
        entries.swap(a, b);
        headed(&entries)
    };
    let link = |items: &[Vec<u8>]| headed(&instead(3, (int(-65_537), array(items))));
    let (seq, prev) = (uint(1), bytes(&PREVIOUS.0));
    let mut indefinite = vec![0xbf];
    indefinite.extend(&map(&header())[1..]);
    indefinite.push(0xff);
    check(&[
        ("keys in another order", swapped(0, 1), NotDeterministic),
        ("link first", swapped(0, 3), NotDeterministic),
        ("a longer label", headed(&instead(0, (vec![0x18, 1], int(-7)))), NotDeterministic),
        ("a longer algorithm", headed(&instead(0, (int(1), vec![0x38, 6]))), NotDeterministic),
        ("a longer format", headed(&instead(1, (int(3), vec![0x18, 0]))), NotDeterministic),
        ("a format that is text", headed(&instead(1, (int(3), text("text/plain")))), Shape),
        ("a longer key id", headed(&instead(2, (int(4), wide(&ISSUER.0, &[0])))), NotDeterministic),
        ("algorithm twice", headed(&with(1, (int(1), int(-7)))), NotDeterministic),
        ("link twice", headed(&with(4, (int(-65_537), plain_link()))), NotDeterministic),
        ("unknown label", headed(&with(2, (int(5), bytes(&[1])))), Shape),
        ("critical labels", headed(&with(1, (int(2), array(&[int(-65_537)])))), Shape),
        ("text label", headed(&with(4, (text("x"), uint(1)))), Shape),
        ("no algorithm", headed(&without(0)), Shape),
        ("no format", headed(&without(1)), Shape),
        ("no key id", headed(&without(2)), Shape),
        ("no link", headed(&without(3)), Shape),
        ("indefinite header", signed(&indefinite), Shape),
        ("bytes after the header", signed(&[map(&header()), vec![0]].concat()), NotDeterministic),
        ("an empty header", signed(b""), Shape),
        (
            "a longer map head",
            signed(&[&[0xb8, 4], &map(&header())[1..]].concat()),
            NotDeterministic,
        ),
        ("sequence 0", link(&[uint(7), uint(0), prev.clone()]), Shape),
        ("sequence 2^32", link(&[uint(7), uint(1 << 32), prev.clone()]), Shape),
        ("negative sequence", link(&[uint(7), int(-1), prev.clone()]), Shape),
        ("a short previous", link(&[uint(7), seq.clone(), bytes(&[2; 31])]), Shape),
        ("a long previous", link(&[uint(7), seq.clone(), bytes(&[2; 33])]), Shape),
        ("no previous", link(&[uint(7), seq.clone()]), Shape),
        ("null channel", link(&[uint(7), seq.clone(), prev.clone(), vec![0xf6]]), NotDeterministic),
        ("short channel", link(&[uint(7), seq.clone(), prev.clone(), bytes(&[3; 19])]), Shape),
        (
            "a fifth element",
            link(&[uint(7), seq, prev, bytes(&CHANNEL.0), uint(0)]),
            NotDeterministic,
        ),
    ]);
}

fn wide(thing: &[u8], number: &[u8]) -> Vec<u8> {
    let content = [thing, number].concat();
    [wide_head(2, content.len() as u64, 2), content].concat()
}

#[test]
fn other_encodings_of_key_ids_are_refused() {
    use Malformed::{NotDeterministic, Shape};
    let kid = |number: &[u8]| headed(&instead(2, (int(4), name(number))));
    check(&[
        ("no number", kid(&[]), Shape),
        ("a leading zero", kid(&[0, 1]), NotDeterministic),
        ("zero in two bytes", kid(&[0, 0]), NotDeterministic),
        ("four bytes for three", kid(&[0, 1, 1, 1]), NotDeterministic),
        ("five bytes", kid(&[1, 0, 0, 0, 0]), Shape),
        ("19 bytes", headed(&instead(2, (int(4), bytes(&ISSUER.0[1..])))), Shape),
        ("text", headed(&instead(2, (int(4), text("aaaaaaaaaaaaaaaaaaaaa")))), Shape),
    ]);
}

#[test]
fn other_encodings_of_contents_are_refused() {
    use Malformed::{NotDeterministic, Shape};
    let committed = |entries: &[(Vec<u8>, Vec<u8>)]| {
        let mut header = without(1);
        header.splice(2..2, entries.iter().cloned());
        headed(&header)
    };
    let (sha, format) = ((int(258), int(-16)), (int(259), uint(60)));
    let mut both = with(3, sha.clone());
    both.insert(4, format.clone());
    check(&[
        ("7 bytes as a commitment", committed(&[sha.clone(), format.clone()]), Shape),
        ("another hash", committed(&[(int(258), int(-43)), format.clone()]), Shape),
        ("no preimage format", committed(std::slice::from_ref(&sha)), Shape),
        ("no hash", committed(std::slice::from_ref(&format)), Shape),
        ("hash after format", committed(&[format, sha.clone()]), Shape),
        ("a place of the content", committed(&[sha, (int(260), text("u"))]), Shape),
        ("inline and committed", headed(&both), NotDeterministic),
    ]);
}

#[test]
fn other_encodings_of_claims_are_refused() {
    use Malformed::{NotDeterministic, Shape};
    let (iss, sub, iat) =
        ((uint(1), text(DID)), (uint(2), text("lot")), (uint(6), uint(1_700_000_000)));
    assert!(Statement::parse(&claims(&[iss.clone(), sub.clone(), iat.clone()])).is_ok());
    let issuer = |text_: String| claims(&[(uint(1), text(&text_)), sub.clone()]);
    let other = ThingId([0x12; 20]);
    check(&[
        ("another thing", issuer(format!("did:touchmark:aaaaaaaaaaaaaaaa:{other}")), Shape),
        ("another method", issuer(DID.replace("touchmark", "web")), Shape),
        ("no network", issuer(DID.replace("aaaaaaaaaaaaaaaa:", "")), Shape),
        ("a short network", issuer(DID.replace("aaaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaa")), Shape),
        (
            "a network of no base32",
            issuer(DID.replace("aaaaaaaaaaaaaaaa", "1aaaaaaaaaaaaaaa")),
            Shape,
        ),
        (
            "a network in capitals",
            issuer(DID.replace("aaaaaaaaaaaaaaaa", "AAAAAAAAAAAAAAAA")),
            Shape,
        ),
        ("capitals", issuer(DID.replace("ceir", "CEIR")), Shape),
        ("a fragment", issuer(format!("{DID}#0")), Shape),
        ("no issuer", claims(std::slice::from_ref(&sub)), Shape),
        ("no subject", claims(std::slice::from_ref(&iss)), Shape),
        ("order", claims(&[sub.clone(), iss.clone()]), NotDeterministic),
        ("issuer twice", claims(&[iss.clone(), iss.clone(), sub.clone()]), NotDeterministic),
        ("an expiry", claims(&[iss.clone(), sub.clone(), (uint(4), uint(9))]), Shape),
        ("a time with a fraction", claims(&[iss, sub, (uint(6), vec![0xf9, 0x3c, 0])]), Shape),
        ("claims that are text", headed(&with(3, (int(15), text(DID)))), Shape),
    ]);
}

#[test]
fn other_encodings_of_the_frame_are_refused() {
    use Malformed::{NotDeterministic, Shape};
    let protected = bytes(&map(&header()));
    let (payload, signature) = (bytes(b"payload"), bytes(&[1; 64]));
    let frame = |unprotected: Vec<u8>| {
        array(&[protected.clone(), unprotected, payload.clone(), signature.clone()])
    };
    let good = frame(vec![0xa0]);
    let three = array(&[protected.clone(), vec![0xa0], payload.clone()]);
    let five = array(&[protected.clone(), vec![0xa0], payload.clone(), signature.clone(), uint(0)]);
    let nil = array(&[protected.clone(), vec![0xa0], vec![0xf6], signature.clone()]);
    let long = [wide_head(2, 7, 1), b"payload".to_vec()].concat();
    let long = array(&[protected.clone(), vec![0xa0], long, signature.clone()]);
    let chunks = [vec![0x5f], payload.clone(), vec![0xff]].concat();
    let chunks = array(&[protected.clone(), vec![0xa0], chunks, signature.clone()]);
    let bare = array(&[map(&header()), vec![0xa0], payload.clone(), signature.clone()]);
    check(&[
        ("nothing", Vec::new(), Shape),
        ("no tag", good.clone(), Shape),
        ("COSE_Mac0", tag(17, &good), Shape),
        ("a longer tag", [wide_head(6, 18, 1), good.clone()].concat(), Shape),
        ("a tag before the tag", tag(55_799, &tag(18, &good)), Shape),
        ("COSE_Sign with one signature", tag(98, &good), Shape),
        ("three elements", tag(18, &three), Shape),
        ("five elements", tag(18, &five), Shape),
        (
            "an indefinite array",
            tag(18, &[vec![0x9f], good[1..].to_vec(), vec![0xff]].concat()),
            Shape,
        ),
        ("bytes at the end", [tag(18, &good), vec![0]].concat(), NotDeterministic),
        ("an unprotected kid", tag(18, &frame(map(&[(int(4), bytes(b"k"))]))), Shape),
        ("a longer empty map", tag(18, &frame(vec![0xb8, 0])), Shape),
        ("an indefinite empty map", tag(18, &frame(vec![0xbf, 0xff])), Shape),
        ("a detached payload", tag(18, &nil), Shape),
        ("a longer payload head", tag(18, &long), NotDeterministic),
        ("a payload in chunks", tag(18, &chunks), Shape),
        ("a header that is not wrapped", tag(18, &bare), Shape),
    ]);
}

#[test]
fn other_encodings_of_signers_are_refused() {
    use Malformed::{NotDeterministic, Shape};
    let body = vec![(int(3), uint(0)), (int(4), bytes(&ISSUER.0)), (int(-65_537), plain_link())];
    let many = |entries: &Entries, signers: Vec<u8>| {
        tag(98, &array(&[bytes(&map(entries)), vec![0xa0], bytes(b"payload"), signers]))
    };
    let signer = |number: u32| one_signer(Kid::new(ISSUER, KeyNumber(number)), -7, &[1; 64]);
    let odd = |header: &[(Vec<u8>, Vec<u8>)]| {
        array(&[array(&[bytes(&map(header)), vec![0xa0], bytes(&[1; 64])])])
    };
    let (alg, kid) = ((int(1), int(-7)), (int(4), name(&[0])));
    assert!(Statement::parse(&many(&body, array(&[signer(0), signer(1)]))).is_ok());
    let mut numbered = body.clone();
    numbered[1].1 = name(&[0]);
    let unprotected = map(std::slice::from_ref(&kid));
    let unprotected =
        array(&[array(&[bytes(&map(&[alg.clone(), kid.clone()])), unprotected, bytes(&[1; 64])])]);
    let mut indefinite = array(&[signer(0)]);
    indefinite[0] = 0x9f;
    indefinite.push(0xff);
    check(&[
        ("none", many(&body, array(&[])), Shape),
        ("unsorted", many(&body, array(&[signer(1), signer(0)])), NotDeterministic),
        ("twice", many(&body, array(&[signer(1), signer(1)])), NotDeterministic),
        ("sorted as text", many(&body, array(&[signer(256), signer(2)])), NotDeterministic),
        ("17", many(&body, array(&(0..17).map(signer).collect::<Vec<_>>())), Shape),
        ("an indefinite list", many(&body, indefinite), NotDeterministic),
        ("a longer list head", many(&body, [vec![0x98, 1], signer(0)].concat()), Shape),
        ("an algorithm in the body", many(&header(), array(&[signer(0)])), Shape),
        ("a key number in the body", many(&numbered, array(&[signer(0)])), Shape),
        ("no key number", many(&body, odd(&[alg.clone(), (int(4), bytes(&ISSUER.0))])), Shape),
        ("no algorithm", many(&body, odd(std::slice::from_ref(&kid))), Shape),
        ("order", many(&body, odd(&[kid.clone(), alg.clone()])), Shape),
        ("a third label", many(&body, odd(&[alg.clone(), kid, (int(5), bytes(b""))])), Shape),
        ("a leading zero", many(&body, odd(&[alg, (int(4), name(&[0, 7]))])), NotDeterministic),
        ("an unprotected label", many(&body, unprotected), Shape),
    ]);
}

fn kid(kid: Kid) -> Vec<u8> {
    let number = kid.key.map(|KeyNumber(number)| {
        let bytes = number.to_be_bytes();
        let zeros = bytes.iter().take(3).take_while(|byte| **byte == 0).count();
        bytes[zeros..].to_vec()
    });
    bytes(&[kid.thing.0.to_vec(), number.unwrap_or_default()].concat())
}

fn one_signer(name: Kid, algorithm: i64, signature: &[u8]) -> Vec<u8> {
    let header = map(&[(int(1), int(algorithm)), (int(4), kid(name))]);
    array(&[bytes(&header), vec![0xa0], bytes(signature)])
}
