use super::generation::{Generation, GenerationError};
use super::*;
use serde_json::Value;
use touchmark_wire::algorithm::{CoseKey, PureVerifier, SignatureVerifier as _, SignedBytes};

const MESSAGE: &[u8] = b"log.example/1\n5\nroot\n";

/// Lets members say everything to each other until nothing is new; `meddle` changes what the member
/// 0 says to another.
fn talk(
    members: &mut [Generation],
    meddle: impl Fn(u16, Vec<u8>) -> Vec<u8>,
) -> Result<(), GenerationError> {
    for _ in 0..3 {
        let mut said = Vec::new();
        for (from, member) in (0..).zip(members.iter()) {
            for to in (0..member.count()).filter(|to| *to != from) {
                let messages = member.say(to).into_iter();
                said.extend(messages.map(|it| match from {
                    0 => (from, to, meddle(to, it)),
                    _ => (from, to, it),
                }));
            }
        }
        for (from, to, message) in said {
            let member = &mut members[usize::from(to)];
            member.take(from, &message)?;
            // A message that comes again changes nothing.
            member.take(from, &message)?;
        }
    }
    Ok(())
}

fn begin(count: u16, threshold: u16) -> Vec<Generation> {
    (0..count).map(|me| Generation::begin(me, count, threshold).unwrap()).collect()
}

fn shares(count: u16, threshold: u16) -> Vec<Share> {
    let mut members = begin(count, threshold);
    talk(&mut members, |_, message| message).unwrap();
    members.iter().map(|member| member.share().unwrap().clone()).collect()
}

/// The parts of those who take part.
fn signed(by: &[&Share], message: &[u8]) -> (Vec<Commitment>, BTreeMap<u16, [u8; PART]>) {
    let (nonces, commitments): (Vec<_>, Vec<_>) = by.iter().map(|it| it.commit().unwrap()).unzip();
    let parts = by
        .iter()
        .zip(nonces)
        .map(|(share, nonces)| (share.place(), share.sign(nonces, message, &commitments).unwrap()));
    let parts = parts.collect();
    (commitments, parts)
}

fn verifies(key: [u8; 32], message: &[u8], signature: &[u8; SIGNATURE_LENGTH]) -> bool {
    let key = CoseKey::ed25519(key).check().unwrap();
    PureVerifier.verify(&key, &SignedBytes::new([message]), signature).is_ok()
}

#[test]
fn enough_members_sign_as_one_ordinary_key_whoever_they_are() {
    for (count, threshold) in [(2, 2), (4, 3), (7, 5), (16, 11)] {
        let shares = shares(count, threshold);
        let key = shares[0].key();
        assert!(shares.iter().all(|share| share.key() == key));
        let spare = usize::from(count - threshold);
        for first in 0..=spare {
            let by: Vec<_> = shares[first..][..usize::from(threshold)].iter().collect();
            let (commitments, parts) = signed(&by, MESSAGE);
            let signature = shares[spare].combine(MESSAGE, &commitments, &parts).unwrap();
            assert!(verifies(key, MESSAGE, &signature));
            assert!(!verifies(key, b"another", &signature));
        }
    }
}

#[test]
fn fewer_than_the_threshold_make_nothing() {
    let shares = shares(7, 5);
    let few: Vec<_> = shares[..4].iter().collect();
    let (nonces, commitments): (Vec<_>, Vec<_>) = few.iter().map(|it| it.commit().unwrap()).unzip();
    let mut parts = BTreeMap::new();
    for (share, nonces) in few.iter().zip(nonces) {
        let refused = share.sign(nonces, MESSAGE, &commitments);
        assert_eq!(refused, Err(ThresholdError::Commitments));
        parts.insert(share.place(), [1; PART]);
    }
    let refused = few[0].combine(MESSAGE, &commitments, &parts);
    assert_eq!(refused, Err(ThresholdError::Commitments));
    // Those who do not care for the rule make a signature under another key, which is none.
    let lax = |share: &Share| {
        let mut share = share.clone();
        let own = &share.own;
        let (id, key) = (*own.identifier(), *own.verifying_key());
        share.own = KeyPackage::new(id, *own.signing_share(), *own.verifying_share(), key, 2);
        share.all = PublicKeyPackage::new(share.all.verifying_shares().clone(), key, Some(2));
        share
    };
    let lax: Vec<_> = few.into_iter().map(lax).collect();
    let (commitments, parts) = signed(&lax.iter().collect::<Vec<_>>(), MESSAGE);
    assert!(lax[0].combine(MESSAGE, &commitments, &parts).is_err());
}

#[test]
fn who_gives_a_wrong_part_is_named() {
    let shares = shares(4, 3);
    let by: Vec<_> = shares[1..].iter().collect();
    let (commitments, parts) = signed(&by, MESSAGE);
    let combined = |parts: &BTreeMap<_, _>| shares[0].combine(MESSAGE, &commitments, parts);
    let mut wrong = parts.clone();
    wrong.get_mut(&2).unwrap()[0] ^= 1;
    assert_eq!(combined(&wrong), Err(ThresholdError::Parts(vec![2])));
    wrong.insert(3, parts[&1]);
    assert_eq!(combined(&wrong), Err(ThresholdError::Parts(vec![2, 3])));
    // No scalar in its one encoding.
    wrong.insert(1, [0xff; PART]);
    assert_eq!(combined(&wrong), Err(ThresholdError::Parts(vec![1])));
    wrong.remove(&1);
    assert_eq!(combined(&wrong), Err(ThresholdError::Commitments));
    // A part of another message.
    let (nonces, own) = shares[2].commit().unwrap();
    let [first, _, third] = commitments[..] else { panic!("three take part") };
    let others = [first, own, third];
    let other = shares[2].sign(nonces, b"another", &others).unwrap();
    let parts = BTreeMap::from([(1, parts[&1]), (2, other), (3, parts[&3])]);
    let refused = shares[0].combine(MESSAGE, &others, &parts);
    assert!(matches!(refused, Err(ThresholdError::Parts(places)) if places.contains(&2)));
}

#[test]
fn nobody_signs_under_commitments_that_are_not_its_own_or_no_points() {
    let shares = shares(4, 3);
    let commit = |at: usize| shares[at].commit().unwrap();
    let others = [commit(1).1, commit(2).1];
    let with = |own: Commitment| [own, others[0], others[1]];
    let (nonces, own) = commit(0);
    let stranger = Commitment { validator: 4, ..own };
    assert!(shares[0].admits(&own) && !shares[0].admits(&stranger));
    assert!(shares[0].sign(nonces, MESSAGE, &[stranger, others[0], others[1]]).is_err());
    let (nonces, _) = commit(0);
    assert!(shares[0].sign(nonces, MESSAGE, &with(own)).is_err(), "nonces of another commitment");
    let (nonces, own) = commit(0);
    assert!(shares[0].sign(nonces, MESSAGE, &[own, others[0], others[0]]).is_err());
    let mut neutral = [0; 32];
    neutral[0] = 1;
    for point in [neutral, [0; 32], [0xff; 32]] {
        let (nonces, own) = commit(0);
        let bad = Commitment { hiding: Digest(point), ..others[0] };
        assert!(!shares[0].admits(&bad));
        assert!(shares[0].sign(nonces, MESSAGE, &[own, bad, others[1]]).is_err());
    }
}

#[test]
fn a_share_is_read_as_it_was_written_and_only_whole() {
    let shares = shares(16, 11);
    let bytes = shares[15].encode_to_vec();
    assert_eq!(Share::decode(&bytes).unwrap(), shares[15]);
    assert!(Share::decode(&bytes[..bytes.len() - 1]).is_err());
    // Somebody else's secret, and one that needs nobody else.
    let mut stored: Stored = codec::decode(&bytes, LIMIT).unwrap();
    stored.place = 14;
    assert!(Share::decode(&codec::encode(&stored)).is_err());
    stored.place = 15;
    for threshold in [0, 1, 17] {
        stored.threshold = threshold;
        assert!(Share::decode(&codec::encode(&stored)).is_err(), "{threshold}");
    }
}

#[test]
fn who_lies_in_the_first_round_is_named() {
    let fresh = || begin(4, 3)[1].say(0).remove(0);
    // A commitment that it does not know the secret of.
    let mut members = begin(4, 3);
    let copied = members[1].say(0).remove(0);
    let refused = talk(&mut members, |_, _| copied.clone());
    assert_eq!(refused, Err(GenerationError::Proof(0)));
    // Too short a commitment: fewer would do to sign.
    let mut members = begin(4, 3);
    let low = begin(4, 2)[0].say(1).remove(0);
    assert_eq!(talk(&mut members, |_, _| low.clone()), Err(GenerationError::Malformed(0)));
    // One thing, then another.
    let mut members = begin(4, 3);
    let (one, other) = (members[0].say(1).remove(0), begin(4, 3)[0].say(1).remove(0));
    members[1].take(0, &one).unwrap();
    assert_eq!(members[1].take(0, &other), Err(GenerationError::Contradiction(0)));
    // Nobody speaks for a member or for this one.
    for from in [1, 4] {
        assert_eq!(members[1].take(from, &fresh()), Err(GenerationError::Malformed(from)));
    }
    assert_eq!(members[1].take(2, &[0x80]), Err(GenerationError::Malformed(2)));
}

#[test]
fn who_shows_different_members_different_things_makes_no_key() {
    let mut members = begin(4, 3);
    let (one, other) = (members[0].say(1).remove(0), begin(4, 3)[0].say(1).remove(0));
    for (to, shown) in [(1, &one), (2, &one), (3, &other)] {
        members[to].take(0, shown).unwrap();
    }
    let mut seen = Vec::new();
    for _ in 0..2 {
        for from in 1..4 {
            for to in (1..4).filter(|to| *to != from) {
                for message in members[usize::from(from)].say(to) {
                    seen.extend(members[usize::from(to)].take(from, &message).err());
                }
            }
        }
    }
    // Who was shown the same agree; who was not names those who were shown something else.
    assert!(seen.contains(&GenerationError::View(3)), "{seen:?}");
    assert!(members[1..].iter().all(|member| member.share().is_none()));
}

#[test]
fn who_lies_in_the_second_round_is_named() {
    let mut members = begin(4, 3);
    // Another member's value, which is a scalar like all.
    let refused = talk(&mut members, |_, message| match &codec::decode(&message, 640).unwrap() {
        generation::Message::First(..) => message.clone(),
        generation::Message::Second(view, value) => {
            let mut value = *value;
            value[0] ^= 1;
            codec::encode(&generation::Message::Second(*view, value))
        }
    });
    assert_eq!(refused, Err(GenerationError::Value(0)));
    assert!(members.iter().all(|member| member.share().is_none()));
}

#[test]
fn members_that_cannot_hold_a_key_are_refused() {
    for (me, count, threshold) in [(0, 1, 1), (4, 4, 3), (0, 4, 5), (0, 4, 1), (0, 17, 12)] {
        let refused = Generation::begin(me, count, threshold).err();
        assert_eq!(refused, Some(GenerationError::Members), "{me} {count} {threshold}");
    }
}

/// Gives the bytes that it was made with.
struct Given(Vec<u8>);

impl RngCore for Given {
    fn next_u32(&mut self) -> u32 {
        unreachable!("nonces are made of bytes")
    }

    fn next_u64(&mut self) -> u64 {
        unreachable!("nonces are made of bytes")
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        let rest = self.0.split_off(bytes.len());
        bytes.copy_from_slice(&core::mem::replace(&mut self.0, rest));
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), frost::rand_core::Error> {
        self.fill_bytes(bytes);
        Ok(())
    }
}

impl CryptoRng for Given {}

fn hex(value: &Value) -> Vec<u8> {
    let text = value.as_str().unwrap();
    let pairs = text.as_bytes().chunks(2);
    pairs.map(|pair| u8::from_str_radix(core::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

fn array<const N: usize>(value: &Value) -> [u8; N] {
    hex(value).try_into().unwrap()
}

#[test]
fn what_is_signed_is_what_the_rfc_says() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../spec/vectors/frost-ed25519.json");
    let vector: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let (members, key) = (vector["members"].as_array().unwrap(), array(&vector["key"]));
    let points: Vec<_> = members
        .iter()
        .map(|member| {
            let share = SigningShare::deserialize(&hex(&member["share"])).unwrap();
            Digest(bytes(VerifyingShare::from(share).serialize()).unwrap())
        })
        .collect();
    let threshold = u16::try_from(vector["threshold"].as_u64().unwrap()).unwrap();
    let message = hex(&vector["message"]);
    let taking: Vec<_> = members.iter().filter(|it| it["signature_share"].is_string()).collect();
    let (mut sharing, mut commitments) = (Vec::new(), Vec::new());
    for member in &taking {
        let place = u16::try_from(member["place"].as_u64().unwrap()).unwrap();
        let share = array(&member["share"]);
        let stored = Stored { place, threshold, share, members: points.clone(), key: Digest(key) };
        let share = Share::try_from(&stored).unwrap();
        let random = [hex(&member["hiding_randomness"]), hex(&member["binding_randomness"])];
        let (nonces, commitment) = share.commit_with(&mut Given(random.concat()));
        assert_eq!(commitment.hiding.0, array(&member["hiding_commitment"]));
        assert_eq!(commitment.binding.0, array(&member["binding_commitment"]));
        sharing.push((share, nonces));
        commitments.push(commitment);
    }
    let mut parts = BTreeMap::new();
    let (any, _) = &sharing[0];
    let any = any.clone();
    for ((share, nonces), member) in sharing.into_iter().zip(taking) {
        let part = share.sign(nonces, &message, &commitments).unwrap();
        assert_eq!(part, array(&member["signature_share"]));
        parts.insert(share.place(), part);
    }
    let signature = any.combine(&message, &commitments, &parts).unwrap();
    assert_eq!(signature, array(&vector["signature"]));
    assert!(verifies(key, &message, &signature));
}
