//! What a formation refuses: records, requests and agreements that were tampered with.

use super::attendance::Attendance;
use super::candidate::Candidate;
use super::draft::{Draft, Plan, Purpose, Role};
use super::reception::Reception;
use super::seal::Sealer;
use super::{FormationError, Objection, accept, candidate, from_text, to_text};
use crate::folder::{Folder, NewNetwork, Part, Secrets, Site};
use std::num::NonZeroU16;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use touchmark_engine::{Office, ceremony};
use touchmark_keys::threshold::Generation;
use touchmark_wire::codec;
use touchmark_wire::formation::{
    Agreement, AgreementError, Answer, FormationId, Invitation, Record, Refusal, Reply, Request,
    Seal, SignedRecord, Token, VERSION,
};
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::Timestamp;

const NOW: Timestamp = Timestamp(1_800_000_000_000);
const HOUR: u64 = 3_600_000;

fn plan(name: &str, port: u16) -> Plan {
    Plan { name: name.into(), address: format!("127.0.0.1:{port}"), listen: None, keys: None }
}

/// A convener and its members, each in a folder.
struct Round {
    folders: Vec<TempDir>,
    reception: Reception,
    convener: Draft,
    members: Vec<(Draft, Invitation)>,
}

impl Round {
    /// A formation of `count`, of whom nobody has joined.
    fn of(count: u16) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listen = "127.0.0.1:8790".parse().unwrap();
        Draft::convene(
            folder.path(),
            &plan("alpha", 1),
            count,
            Purpose::Network(None),
            listen,
            NOW,
        )
        .unwrap();
        let mut folders = Vec::new();
        let members = (2..=count).map(|port| {
            let invitation = Draft::invite(folder.path(), "somebody", NOW, HOUR).unwrap();
            let own = tempfile::tempdir().unwrap();
            let plan = plan(&format!("member-{port}"), port);
            let draft = Draft::join(own.path(), &plan, invitation.clone()).unwrap();
            folders.push(own);
            (draft, invitation)
        });
        let members = members.collect();
        let convener = Draft::open(folder.path()).unwrap();
        let site = Arc::new(Site::take(folder.path()).unwrap());
        folders.push(folder);
        Self { folders, reception: Reception::new(site, convener.clone()), convener, members }
    }

    fn request(&self, member: usize, run: u8, accepted: Option<Digest>) -> Request {
        let (draft, invitation) = &self.members[member];
        Request {
            version: VERSION,
            invitation: invitation.number,
            nonce: Token([0; 16]),
            run: Token([run; 16]),
            record: draft.record.clone(),
            accepted,
            seal: Seal(Digest::default()),
        }
    }

    /// What the convener answers to a request that is sealed with the invitation of `member`.
    fn ask(&self, member: usize, request: Request, now: Timestamp) -> Answer {
        let sealer = Sealer::new(&self.members[member].1.secret);
        let request = sealer.request(request);
        let reply = self.reception.answer(&codec::encode(&request), now);
        let reply = Reply::decode(&reply).unwrap();
        assert!(sealer.has_answered(request.seal, &reply));
        reply.answer
    }

    fn join(&self, member: usize) -> Answer {
        self.ask(member, self.request(member, 1, None), NOW)
    }

    fn agreement(&self) -> Agreement {
        for member in 0..self.members.len() {
            self.join(member);
        }
        match self.join(0) {
            Answer::Agreed { agreement, .. } => *agreement,
            other => panic!("{other:?}"),
        }
    }
}

fn refused(refusal: Refusal) -> Answer {
    Answer::Refused { refusal }
}

#[test]
fn a_record_is_taken_once_and_again_if_it_is_the_same() {
    let round = Round::of(3);
    assert_eq!(round.join(0), Answer::Waiting { present: 2, of: 3 });
    assert_eq!(round.join(0), Answer::Waiting { present: 2, of: 3 });
    let later = Timestamp(NOW.0 + HOUR + 1);
    assert_eq!(
        round.ask(0, round.request(0, 1, None), later),
        Answer::Waiting { present: 2, of: 3 },
        "what is taken stays"
    );
    assert_eq!(round.ask(1, round.request(1, 1, None), later), refused(Refusal::Expired));
    let mut other = round.request(0, 1, None);
    other.record = round.members[1].0.record.clone();
    assert_eq!(round.ask(0, other, NOW), refused(Refusal::Used));
    // What was taken is durable.
    let kept = Draft::open(round.folders.last().unwrap().path()).unwrap();
    let Role::Convener(convening) = kept.role else { panic!() };
    assert_eq!(convening.issued[0].record.as_ref(), Some(&round.members[0].0.record));
}

#[test]
fn what_somebody_on_the_way_changes_is_refused() {
    let round = Round::of(2);
    let sealer = Sealer::new(&round.members[0].1.secret);
    let sealed = sealer.request(round.request(0, 1, None));
    let unsealed = |bytes: &[u8]| {
        let reply = Reply::decode(&round.reception.answer(bytes, NOW)).unwrap();
        assert_eq!(reply.seal, None);
        reply.answer
    };
    let tampered: [fn(&mut Request); 6] = [
        |request| request.record.record.address = "127.0.0.1:9".into(),
        |request| request.run.0[0] ^= 1,
        |request| request.nonce.0[0] ^= 1,
        |request| request.accepted = Some(Digest([1; 32])),
        |request| request.seal.0.0[31] ^= 1,
        |request| request.invitation.0 = 2,
    ];
    for tamper in tampered {
        let mut request = sealed.clone();
        tamper(&mut request);
        assert_eq!(unsealed(&codec::encode(&request)), refused(Refusal::Unknown));
    }
    assert_eq!(unsealed(b"no request"), refused(Refusal::Malformed));
    // An answer counts for one request, whole.
    let reply = Reply::decode(&round.reception.answer(&codec::encode(&sealed), NOW)).unwrap();
    assert!(sealer.has_answered(sealed.seal, &reply));
    assert!(!sealer.has_answered(Seal(Digest([1; 32])), &reply));
    let other = Reply { answer: Answer::Waiting { present: 1, of: 2 }, ..reply };
    assert!(!sealer.has_answered(sealed.seal, &other));
}

#[test]
fn a_record_that_is_wrong_or_claims_what_another_has_is_refused() {
    let round = Round::of(3);
    let (other, _) = &Round::of(2).members[0];
    let formation = round.convener.formation();
    let signer = other.secrets.peer_key().unwrap();
    let own = &round.convener.record.record;
    let changes: [fn(&mut SignedRecord, &Record); 8] = [
        |it, _| it.record.name = "alphA".into(),
        |it, own| it.record.log_key = own.log_key,
        |it, own| it.record.address = own.address.clone(),
        |it, _| it.record.name = "two words".into(),
        |it, _| it.record.address = "nowhere".into(),
        |it, own| it.record.log_key = own.cosigner_key,
        |it, _| it.record.name = "renamed".into(),
        |_, _| {},
    ];
    // Whether the record is signed again, and what becomes of it.
    let expected = [
        (true, Refusal::Name),
        (true, Refusal::Key),
        (true, Refusal::Address),
        (true, Refusal::Record),
        (true, Refusal::Record),
        (true, Refusal::Record),
        (false, Refusal::Record),
        (false, Refusal::Record),
    ];
    for (change, (sign, refusal)) in changes.into_iter().zip(expected) {
        // The record of another formation, in which its signature counts.
        let mut record = other.record.clone();
        change(&mut record, own);
        if sign {
            record = record.record.sign(formation, &signer).unwrap();
        }
        let request = Request { record, ..round.request(0, 1, None) };
        assert_eq!(round.ask(0, request, NOW), refused(refusal));
    }
    assert_eq!(round.join(0), Answer::Waiting { present: 2, of: 3 });
}

#[test]
fn all_places_are_taken_only_once() {
    let round = Round::of(3);
    round.agreement();
    let mut full = Round::of(3);
    let Role::Convener(convening) = &mut full.convener.role else { panic!() };
    convening.validators = 2;
    let folder = tempfile::tempdir().unwrap();
    let site = Arc::new(Site::take(folder.path()).unwrap());
    full.reception = Reception::new(site, full.convener.clone());
    assert!(matches!(full.join(0), Answer::Agreed { .. }));
    assert_eq!(full.join(1), refused(Refusal::Full));
}

#[test]
fn an_agreement_that_was_tampered_with_is_not_accepted() {
    let round = Round::of(4);
    let agreement = round.agreement();
    let folder = round.folders[0].path();
    let (attendance, _) = Attendance::open(folder, Duration::from_secs(1)).unwrap();
    assert_eq!(attendance.object(&agreement), Ok(()));
    assert_eq!(Agreement::decode(&agreement.encode_to_vec()), Ok(agreement.clone()));

    let mine = &round.members[0].0.record;
    let place = |peer| agreement.members.iter().position(|it| it.record.peer == peer).unwrap();
    let own = place(mine.record.peer);
    let convener = place(round.convener.record.record.peer);
    let another = (0..4).find(|place| ![own, convener].contains(place)).unwrap();
    let unsound = |error| Err(Objection::Unsound(error));
    let without = |place: usize| {
        let mut changed = agreement.clone();
        changed.members.remove(place);
        changed
    };
    assert_eq!(attendance.object(&without(own)), Err(Objection::Changed));
    assert_eq!(attendance.object(&without(convener)), Err(Objection::Convener));

    let mut changed = agreement.clone();
    changed.threshold = 2;
    assert_eq!(attendance.object(&changed), unsound(AgreementError::Threshold));
    changed = agreement.clone();
    changed.version += 1;
    assert_eq!(attendance.object(&changed), unsound(AgreementError::Version));
    changed = agreement.clone();
    changed.members.swap(0, 1);
    assert_eq!(attendance.object(&changed), unsound(AgreementError::Order));
    changed = agreement.clone();
    changed.members[another] = changed.members[own].clone();
    assert_eq!(attendance.object(&changed), unsound(AgreementError::Order));
    changed = agreement.clone();
    changed.origin = "two words".into();
    assert_eq!(attendance.object(&changed), unsound(AgreementError::Origin));
    changed = agreement.clone();
    changed.members.clear();
    assert_eq!(attendance.object(&changed), unsound(AgreementError::Count));
    // What only a signature protects.
    changed = agreement.clone();
    changed.members[another].record.address = "127.0.0.1:9".into();
    let found = attendance.object(&changed);
    assert!(matches!(found, Err(Objection::Unsound(AgreementError::Record { .. }))), "{found:?}");
    changed = agreement.clone();
    changed.formation = FormationId(Digest([1; 32]));
    let found = attendance.object(&changed);
    assert!(matches!(found, Err(Objection::Unsound(AgreementError::Record { .. }))), "{found:?}");
    // A rightly signed member that claims another's name.
    changed = agreement.clone();
    let (twin, _) = &round.members[place_of(&round, &agreement, another)];
    let mut record = twin.record.record.clone();
    record.name = mine.record.name.to_uppercase();
    changed.members[another] =
        record.sign(agreement.formation, &twin.secrets.peer_key().unwrap()).unwrap();
    let found = attendance.object(&changed);
    assert!(matches!(found, Err(Objection::Unsound(AgreementError::Shared { .. }))), "{found:?}");
}

/// Which member has this place in the agreement.
fn place_of(round: &Round, agreement: &Agreement, place: usize) -> usize {
    let peer = agreement.members[place].record.peer;
    round.members.iter().position(|(draft, _)| draft.record.record.peer == peer).unwrap()
}

#[test]
fn an_attempt_begins_when_all_are_ready_and_is_of_their_runs_alone() {
    let round = Round::of(3);
    let digest = round.agreement().digest();
    let ready = |member, run, now| round.ask(member, round.request(member, run, Some(digest)), now);
    let absent = |answer| match answer {
        Answer::Agreed { absent, .. } => absent.len(),
        other => panic!("{other:?}"),
    };
    let wrong = round.request(0, 1, Some(Digest([1; 32])));
    assert_eq!(round.ask(0, wrong, NOW), refused(Refusal::Agreement));

    assert_eq!(absent(ready(0, 1, NOW)), 2);
    assert_eq!(absent(ready(1, 1, NOW)), 1);
    // Who has not been heard of for long is not ready.
    let late = Timestamp(NOW.0 + 60_000);
    assert_eq!(absent(round.reception.answer_own(Token([1; 16]), Some(digest), late)), 2);
    assert_eq!(absent(ready(0, 1, late)), 1);
    let go = ready(1, 1, late);
    let Answer::Go { attempt } = go else { panic!("{go:?}") };
    assert_eq!(round.reception.answer_own(Token([1; 16]), Some(digest), late), go);
    // Another run of a member is not part of the attempt, and ends it.
    assert_eq!(absent(ready(0, 2, late)), 2);
    assert_eq!(absent(ready(1, 2, late)), 1);
    let go = round.reception.answer_own(Token([2; 16]), Some(digest), late);
    assert!(matches!(go, Answer::Go { attempt: other } if other != attempt), "{go:?}");
}

#[test]
fn a_candidate_is_taken_only_for_its_own_network() {
    let round = Round::of(2);
    let mut rng = rand::rngs::SysRng;
    let (committee, seats) =
        ceremony::deal(&mut rand_core::UnwrapErr(&mut rng), NonZeroU16::new(2).unwrap());
    // The same members with the keys that were dealt to them.
    let formation = round.convener.formation();
    let secrets: Vec<_> =
        seats.iter().map(|seat| Secrets::generate().unwrap().seated(seat.clone())).collect();
    let mut agreement = round.agreement();
    let listen = "127.0.0.1:1".parse().unwrap();
    let of = |agreement: &Agreement, member: usize| {
        let part = (&seats[member], None);
        Candidate::new(agreement, &committee, secrets[member].clone(), part, listen)
    };
    assert!(of(&agreement, 0).is_err(), "a key of other members");
    for (member, secrets) in agreement.members.iter_mut().zip(&secrets) {
        let signer = secrets.peer_key().unwrap();
        let mut record = member.record.clone();
        record.peer = Digest(*touchmark_wire::algorithm::Signer::public_key(&signer).cose().x());
        let log = secrets.log_key().unwrap();
        record.log_key = *touchmark_wire::algorithm::Signer::public_key(&log).cose();
        *member = record.sign(formation, &signer).unwrap();
    }
    assert_eq!(agreement.check(), Ok(()));
    let folder = tempfile::tempdir().unwrap();
    let made = of(&agreement, 0).unwrap();
    let network = made.digest();
    Site::take(folder.path()).unwrap().keep_candidate(&made).unwrap();
    assert_eq!(candidate(folder.path()).unwrap(), Some(network));

    let other = Digest([1; 32]);
    assert!(matches!(accept(folder.path(), other), Err(FormationError::Candidate(_))));
    assert_eq!(accept(folder.path(), network).unwrap().digest(), network);
    let new = NewNetwork { origin: None, validator: "x".into(), time: NOW };
    let folder = Folder::open_or_create(folder.path(), &new).unwrap();
    assert_eq!(folder.premises.genesis.network_id().0, network);
    let Part::Validator(voting) = folder.part else { panic!("the folder is a validator's") };
    assert_eq!((voting.peers.listen, voting.peers.addresses.len()), (Some(listen), 1));
    let office = Office { committee, seat: seats[0].clone() };
    assert_eq!(voting.offices.iter().map(|held| &held.office).collect::<Vec<_>>(), [&office]);
}

#[test]
fn an_invitation_is_one_line_and_whole_or_none() {
    let round = Round::of(2);
    let (_, invitation) = &round.members[0];
    let text = to_text(invitation);
    assert_eq!(text.lines().count(), 1);
    assert_eq!(&from_text(&format!(" {text}\n")).unwrap(), invitation);
    assert!(!format!("{invitation:?}").contains(&format!("{:?}", invitation.secret)));
    for wrong in ["", "tmk-invite1", &text[1..], &text[..text.len() - 4], &format!("{text}AAAA")] {
        assert!(matches!(from_text(wrong), Err(FormationError::Invitation)), "{wrong}");
    }
    let mut later = invitation.clone();
    later.version += 1;
    assert!(from_text(&to_text(&later)).is_err());
}

#[test]
fn whoever_leaves_its_place_keeps_no_share() {
    let mut members: Vec<_> = (0..2).map(|me| Generation::begin(me, 2, 2).unwrap()).collect();
    for _ in 0..2 {
        for from in 0..2u16 {
            for message in members[usize::from(from)].say(1 - from) {
                members[usize::from(1 - from)].take(from, &message).unwrap();
            }
        }
    }
    let new = Secrets::generate().unwrap();
    let bare = codec::encode(&new).len();
    let held = new.holding(members[0].share());
    assert!(codec::encode(&held).len() > bare + 100);
    assert_eq!(codec::encode(&held.unseated()).len(), bare, "the share of the note key is kept");
}
