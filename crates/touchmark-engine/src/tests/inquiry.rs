//! What members ask each other beside the order of batches.

use super::simulation::{Channel, Member, Stage, runner};
use crate::ceremony::{Office, deal};
use crate::inquiry::{Answer, Answers};
use crate::keys::PublicKey;
use crate::{Pacing, keys};
use commonware_p2p::{Receiver as _, Recipients, Sender as _};
use commonware_runtime::{Clock as _, Runner as _, Supervisor as _, deterministic};
use futures::future::{Either, select};
use std::collections::BTreeSet;
use std::future::pending;
use std::num::NonZeroU16;
use std::pin::pin;
use std::time::Duration;
use touchmark_batch::{Reply, Respondent, Unanswered};
use touchmark_wire::hash::Digest;

/// Says what it was asked, after its name.
pub(super) struct Parrot(pub(super) PublicKey);

impl Respondent for Parrot {
    fn answer(&self, asker: Digest, question: Vec<u8>) -> Reply {
        let said = [self.0.as_ref(), &question].concat();
        Reply::new(async move {
            match &question[..] {
                b"a secret" => Err(Unanswered),
                b"riddle" => pending().await,
                b"who asks" => Ok(asker.0.to_vec()),
                _ => Ok(said),
            }
        })
    }
}

/// Four members, of whom the last does not run; their keys, and the last one's own channel.
async fn trio(context: &deterministic::Context) -> (Vec<Member>, Vec<PublicKey>, Channel, Stage) {
    let (committee, seats) = deal(&mut context.child("dealer"), NonZeroU16::new(4).unwrap());
    let members = keys::members(&committee.members).unwrap();
    let stage = Stage::new(context, Pacing::default());
    stage.link(&members).await;
    let mut started = Vec::new();
    for seat in seats.into_iter().take(3) {
        let office = Office { committee: committee.clone(), seat };
        started.push(stage.enter(context, &committee, vec![office]).await);
    }
    let keys: Vec<_> = members.into_iter().collect();
    let channel = stage.channel(&keys[3]).await;
    context.sleep(Duration::from_secs(2)).await;
    (started, keys, channel, stage)
}

/// What comes within a second, and whether more may come.
async fn heard(
    context: &deterministic::Context,
    answers: &mut Answers,
) -> (BTreeSet<Vec<u8>>, bool) {
    let mut heard = BTreeSet::new();
    let mut over = pin!(context.sleep(Duration::from_secs(1)));
    loop {
        let next = pin!(answers.next());
        match select(next, over.as_mut()).await {
            Either::Left((Some(Answer { by, said }), _)) => {
                assert!(said.starts_with(&by.0) || said.len() < 32, "{by} said {said:?}");
                assert!(heard.insert(said), "said twice");
            }
            Either::Left((None, _)) => return (heard, false),
            Either::Right(_) => return (heard, true),
        }
    }
}

fn said(keys: &[PublicKey], words: &[u8]) -> BTreeSet<Vec<u8>> {
    keys.iter().map(|key| [key.as_ref(), words].concat()).collect()
}

/// Whether these answer a member. A link loses two messages of a hundred, so it asks several times.
async fn is_answered(
    context: &deterministic::Context,
    member: &Member,
    keys: &[PublicKey],
) -> bool {
    for _ in 0..5 {
        let mut answers = member.order.inquiries.ask(b"hello".to_vec());
        if heard(context, &mut answers).await.0 == said(keys, b"hello") {
            return true;
        }
    }
    false
}

fn message(kind: u8, number: u64, words: &[u8]) -> Vec<u8> {
    [&[kind], &number.to_be_bytes()[..], words].concat()
}

#[test]
fn a_question_is_answered_by_all_others_who_can() {
    runner(21).start(|context| async move {
        let (members, keys, (mut sender, mut receiver), _stage) = trio(&context).await;
        let mut answers = members[0].order.inquiries.ask(b"hello".to_vec());
        assert_eq!(heard(&context, &mut answers).await, (said(&keys[1..3], b"hello"), true));
        // The last one answers late, twice, and what nobody asked.
        let (_, asked) = receiver.recv().await.unwrap();
        assert_eq!(asked.as_ref(), message(0, 0, b"hello"));
        for number in [0, 0, 9] {
            let to = Recipients::One(keys[0].clone());
            sender.send(to, message(1, number, b"late"), false);
        }
        assert_eq!(heard(&context, &mut answers).await, ([b"late".to_vec()].into(), false));

        // Whoever is asked knows by whom.
        let mut answers = members[0].order.inquiries.ask(b"who asks".to_vec());
        for _ in 1..3 {
            assert_eq!(answers.next().await.unwrap().said, keys[0].as_ref());
        }
        drop(answers);
        let _ = receiver.recv().await.unwrap();

        // A refusal is an answer, too: nobody waits for one who has nothing to say.
        let mut answers = members[0].order.inquiries.ask(b"a secret".to_vec());
        sender.send(Recipients::One(keys[0].clone()), message(2, 2, b""), false);
        assert_eq!(heard(&context, &mut answers).await, (BTreeSet::new(), false));

        // Whoever does not listen any more is told nothing, and others are.
        drop(members[1].order.inquiries.ask(b"nobody hears".to_vec()));
        let mut answers = members[1].order.inquiries.ask(b"and now".to_vec());
        let rest = [keys[0].clone(), keys[2].clone()];
        assert_eq!(heard(&context, &mut answers).await, (said(&rest, b"and now"), true));
    });
}

#[test]
fn who_sends_what_is_no_question_is_cut_off() {
    for (seed, wrong) in
        [(32, message(0, 1, &[1; 1_537])), (33, message(7, 1, b"hello")), (34, vec![0, 1])]
    {
        runner(seed).start(|context| async move {
            let (members, keys, (mut sender, mut receiver), stage) = trio(&context).await;
            let to = || Recipients::One(keys[0].clone());
            sender.send(to(), message(0, 5, b"hello"), false);
            let (from, answer) = receiver.recv().await.unwrap();
            assert_eq!(from, keys[0]);
            let expected = message(1, 5, &[keys[0].as_ref(), b"hello"].concat());
            assert_eq!(answer.as_ref(), expected);
            assert_eq!(stage.blocked().await, []);

            sender.send(to(), wrong.clone(), false);
            context.sleep(Duration::from_secs(1)).await;
            assert_eq!(stage.blocked().await, [(keys[0].clone(), keys[3].clone())]);
            // The others go on.
            assert!(is_answered(&context, &members[0], &keys[1..3]).await);
        });
    }
}

#[test]
fn nobody_has_more_than_its_share_of_answers() {
    runner(41).start(|context| async move {
        let (members, keys, (mut sender, mut receiver), _stage) = trio(&context).await;
        let mut send = |number, words: &[u8]| {
            sender.send(Recipients::One(keys[0].clone()), message(0, number, words), false);
        };
        for number in 0..40 {
            send(number, b"riddle");
        }
        context.sleep(Duration::from_millis(200)).await;
        send(100, b"hello");
        // The first ones are given up; what came while too many waited is not answered at all.
        let mut none = BTreeSet::new();
        while none.len() < 30 {
            let (_, answer) = receiver.recv().await.unwrap();
            assert_eq!(answer.as_ref()[0], 2, "{answer:?}");
            none.insert(answer.as_ref().to_vec());
        }
        send(101, b"hello");
        let answered = loop {
            let (_, answer) = receiver.recv().await.unwrap();
            if answer.as_ref()[0] == 1 {
                break answer;
            }
        };
        assert_eq!(answered.as_ref(), message(1, 101, &[keys[0].as_ref(), b"hello"].concat()));
        // It was not cut off, and the others were answered meanwhile.
        let rest = [keys[0].clone(), keys[2].clone()];
        assert!(is_answered(&context, &members[1], &rest).await);
    });
}
