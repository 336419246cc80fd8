//! Every status word that is no success, by the command that gets it.

use super::fixture::{Chip, ID, READING};
use touchmark_card::apdu::{Answer, Status};
use touchmark_card::card::Card;
use touchmark_card::profile::{APPLICATION, NDEF_APPLICATION, limit};
use touchmark_card::store::{CardStore, VirtualCard};

fn select(card: &mut Card<VirtualCard>, name: &[u8]) -> Answer {
    let length = name.len() as u8;
    card.execute(&[&[0, 0xa4, 4, 0, length][..], name, &[0]].concat())
}

/// The status words of commands, sent one after the other to the signing application.
fn statuses(chip: &Chip, commands: &[&[u8]]) -> Vec<u16> {
    let mut card = chip.on();
    select(&mut card, &APPLICATION);
    commands.iter().map(|command| card.execute(command).status.0).collect()
}

#[test]
fn a_command_that_is_none_gets_its_reason() {
    let chip = Chip::issued(|_| {});
    for (command, status) in [
        (&[0, 0xa4, 4][..], 0x6700),
        (&[0, 0xa4, 4, 0, 9, 1], 0x6700),
        (&[0xff, 0xa4, 4, 0], 0x6e00),
        (&[0x80, 0xa4, 4, 0], 0x6e00),
        (&[0x01, 0xa4, 4, 0], 0x6881),
        (&[0x41, 0xa4, 4, 0], 0x6881),
        (&[0x0c, 0xa4, 4, 0], 0x6882),
        (&[0x10, 0xa4, 4, 0], 0x6884),
        (&[0, 0x99, 0, 0], 0x6d00),
        (&[0, 0xa4, 9, 9], 0x6a86),
        (&[0, 0xa4, 4, 0, 2, 1, 2], 0x6a82),
        (&[0, 0xa4, 0, 0x0c, 2, 0xe1, 0x03], 0x6a82),
        (&[0, 0xa4, 0, 0x0c, 1, 0xe1], 0x6700),
        (&[0, 0xb0, 0, 0, 0], 0x6986),
        (&[0, 0xb0, 0x80, 0, 0], 0x6a86),
        (&[0, 0xb0, 0, 0], 0x6700),
        (&[0, 0xca, 0x01, 0x99, 0], 0x6a88),
        (&[0, 0xca, 0x01, 0x01, 2], 0x6c07),
        (&[0, 0xca, 0x01, 0x11, 0], 0x6a88),
        (&[0, 0xca, 0x01, 0x01, 1, 1, 0], 0x6700),
        (&[0, 0xb1, 0xe2, 0x02, 3, 0x54, 1, 0, 0], 0x6a82),
        (&[0, 0xb1, 0xe2, 0x01, 2, 0x53, 0, 0], 0x6a80),
        (&[0, 0xb1, 0xe2, 0x01, 4, 0x54, 1, 0, 0, 0], 0x6a80),
        (&[0, 0xb1, 0xe2, 0x01, 3, 0x54, 1, 0], 0x6700),
        (&[0, 0xb1, 0xe2, 0x01, 3, 0x54, 1, 0, 0], 0x6b00),
        (&[0, 0x20, 0, 0x99, 1, 1], 0x6a86),
        (&[0, 0x20, 0, 0x81, 1, 1], 0x6a88),
        (&[0, 0x20, 0, 0x82, 1, 1], 0x6700),
        (&[0, 0x47, 0x81, 0, 1, 0xb6, 0], 0x6a80),
        (&[0, 0x47, 0x81, 0, 2, 0xb6, 0], 0x6c46),
        (&[0, 0x47, 0x82, 0, 2, 0xb6, 0, 0], 0x6a86),
        (&[0, 0x47, 0x80, 0, 2, 0xb6, 0, 0], 0x6985),
        (&[0, 0x2a, 0x9e, 0x9b, 3, 0, 0, 0, 0], 0x6a86),
        (&[0, 0x2a, 0x9e, 0x9a, 2, 0, 0, 0], 0x6700),
        (&[0, 0x2a, 0x9e, 0x9a, 3, 0, 0, 9, 0], 0x6a80),
        (&[0, 0x2a, 0x9e, 0x9a, 3, 0, 0, 0], 0x6c44),
        (&[0, 0x88, 1, 0, 1, 0, 0], 0x6a86),
        (&[0, 0x88, 0, 0, 1, 0, 0], 0x6700),
        (&[0, 0x88, 0, 0, 1, 0], 0x6c40),
        (&[0, 0xda, 0x01, 0x01, 1, 1], 0x6985),
        (&[0, 0xd7, 0xe2, 0x01, 5, 0x54, 1, 0, 0x53, 0], 0x6985),
        (&[0, 0x44, 0, 0], 0x6985),
        (&[0, 0x04, 0, 0], 0x6982),
        (&[0, 0x04, 0, 1], 0x6a86),
        (&[0, 0x04, 0, 0, 1, 1], 0x6700),
        (&[0, 0xfe, 0, 0], 0x6982),
    ] {
        assert_eq!(statuses(&chip, &[command]), [status], "{command:02x?}");
        assert!(Status(status).name().is_some());
    }
    assert_eq!(chip.client().info().unwrap().counter, 0, "what is refused is not counted");
}

#[test]
fn without_a_selection_nothing_is_done() {
    let chip = Chip::issued(|_| {});
    let mut card = chip.on();
    assert_eq!(card.execute(&[0, 0x88, 0, 0, 0]).status.0, 0x6985);
    assert_eq!(card.execute(&[0, 0xb0, 0, 0, 0]).status.0, 0x6986);
    select(&mut card, &NDEF_APPLICATION);
    assert_eq!(card.execute(&[0, 0x88, 0, 0, 0]).status.0, 0x6d00);
    assert_eq!(card.execute(&[0, 0xa4, 0, 0x0c, 2, 0xe2, 0x01]).status.0, 0x6a82);
    select(&mut card, &APPLICATION);
    assert_eq!(card.execute(&[0, 0xa4, 2, 0x0c, 2, 0xe2, 0x01]).status.0, 0x9000);
    select(&mut card, &APPLICATION);
    assert_eq!(card.execute(&[0, 0xb0, 0, 0, 0]).status.0, 0x6986, "selected anew");
}

#[test]
fn reading_past_the_end_says_so() {
    let chip = Chip::issued(|given| given.data = b"0123456789");
    assert_eq!(
        statuses(
            &chip,
            &[
                &[0, 0xa4, 2, 0x0c, 2, 0xe2, 0x01],
                &[0, 0xb0, 0, 4, 6],
                &[0, 0xb0, 0, 4, 7],
                &[0, 0xb0, 0, 4, 0],
                &[0, 0xb0, 0, 10, 1],
                &[0, 0xb1, 0xe2, 0x01, 3, 0x54, 1, 4, 10],
                &[0, 0xb1, 0xe2, 0x01, 3, 0x54, 1, 4, 20],
                &[0, 0xb1, 0xe2, 0x01, 3, 0x54, 1, 10, 20],
                &[0, 0xb1, 0xe2, 0x01, 6, 0x54, 4, 0xff, 0xff, 0xff, 0xff, 20],
            ]
        ),
        [0x9000, 0x9000, 0x6282, 0x9000, 0x6b00, 0x9000, 0x6282, 0x6b00, 0x6b00]
    );
}

#[test]
fn a_chain_is_kept_together_and_bounded() {
    let chip = Chip::issued(|_| {});
    let sign: &[u8] = &[0x10, 0x2a, 0x9e, 0x9a, 3, 0, 50, 0];
    assert_eq!(
        statuses(&chip, &[sign, &[0, 0xca, 1, 4, 0], &[0, 0xca, 1, 4, 0]]),
        [0x9000, 0x6883, 0x9000]
    );
    assert_eq!(statuses(&chip, &[sign, &[0, 0x2a, 0x9e, 0x9a, 1, 7, 0]]), [0x9000, 0x9000]);
    let mut card = chip.on();
    select(&mut card, &APPLICATION);
    let piece = [&[0x10, 0x2a, 0x9e, 0x9a, 0, 0xff, 0xff][..], &vec![0; 0xffff]].concat();
    assert_eq!(card.execute(&piece).status.0, 0x9000);
    assert_eq!(card.execute(&piece).status.0, 0x6700, "more than {}", limit::CHAIN);
}

#[test]
fn a_blank_card_takes_only_what_has_its_shape() {
    let chip = Chip::blank();
    let far = [&[0, 0xd7, 0xe2, 0x01, 6][..], &[0x54, 1, 1, 0x53, 1, 0]].concat();
    let huge = [&[0, 0xd7, 0xe2, 0x01, 9][..], &[0x54, 4, 0, 1, 0x20, 1, 0x53, 1, 0]].concat();
    let base = |text: &str| [&[0, 0xda, 1, 3, text.len() as u8][..], text.as_bytes()].concat();
    let (other, own) = (base("ftp://x"), base("https://x/?c=1"));
    assert_eq!(
        statuses(
            &chip,
            &[
                &[0, 0xda, 1, 1],
                &[0, 0xda, 1, 2, 1, 1],
                &[0, 0xda, 1, 4, 1, 1],
                &[0, 0xda, 1, 0x11, 1, 1],
                &[0, 0xda, 1, 0x12, 1, 3],
                &[0, 0xda, 1, 0x12, 2, 2, 1],
                &other,
                &own,
                &far,
                &huge,
                &[0, 0x44, 0, 0],
                &[0, 0x04, 0, 0],
                &[0, 0x88, 0, 0, 0],
                &[0, 0x2a, 0x9e, 0x9a, 3, 0, 0, 0, 0],
                &[0, 0x47, 0x81, 0, 2, 0xb6, 0, 0],
                &[0, 0xca, 1, 2, 0],
            ]
        ),
        [
            0x6700, 0x6700, 0x6a88, 0x6700, 0x6a80, 0x6700, 0x6a80, 0x6a80, 0x6b00, 0x6b00, 0x6985,
            0x6985, 0x6985, 0x6985, 0x6a88, 0x6a88
        ]
    );
}

#[test]
fn a_used_up_counter_ends_signing() {
    let chip = Chip::issued(|_| {});
    let mut store = VirtualCard::open(&chip.path(), None).unwrap();
    let mut memory = store.load().unwrap().memory;
    memory.counter = u32::MAX;
    store.keep(&memory).unwrap();
    drop(store);
    assert_eq!(statuses(&chip, &[&[0, 0x2a, 0x9e, 0x9a, 3, 0, 0, 0, 0]]), [0x6984]);
}

#[test]
fn selecting_tells_the_state_of_life() {
    let code = [9; 16];
    let chip = Chip::issued(|given| {
        given.locking = touchmark_card::store::Locking::Code(&[9; 16]);
        given.reading_code = Some(&READING);
    });
    let mut card = chip.on();
    let active = select(&mut card, &APPLICATION);
    assert_eq!(active.status, Status::OK);
    assert_eq!(active.data[active.data.len() - 3..], [0x8a, 1, 5]);
    let id = card.execute(&[0, 0xca, 1, 2, 0]);
    assert_eq!(id.data, ID.0);
    drop(card);
    chip.client().lock(Some(&code)).unwrap();
    let mut card = chip.on();
    assert_eq!(select(&mut card, &APPLICATION).status, Status::SELECTED_LOCKED);
    assert_eq!(select(&mut card, &NDEF_APPLICATION).status, Status::OK);
    drop(card);
    chip.client().terminate(Some(&code)).unwrap();
    assert_eq!(select(&mut chip.on(), &APPLICATION).status, Status::SELECTED_TERMINATED);
}
