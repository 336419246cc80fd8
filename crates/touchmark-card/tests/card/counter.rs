//! The usage counter: once for each tap and each payload, and never the same value twice.

use super::fixture::{Chip, Failing, LOCKING, refused};
use touchmark_card::card::Card;
use touchmark_card::client::CardClient;
use touchmark_card::message::Addition;
use touchmark_card::profile::{NDEF_APPLICATION, file};
use touchmark_card::store::VirtualCard;
use touchmark_wire::registry::ContentFormat;

fn select(card: &mut Card<VirtualCard>) {
    let name = [&[0, 0xa4, 4, 0, 7][..], &NDEF_APPLICATION, &[0]].concat();
    assert_eq!(card.execute(&name).status.0, 0x9000);
    select_ndef(card);
}

fn select_ndef(card: &mut Card<VirtualCard>) {
    let [high, low] = file::NDEF.to_be_bytes();
    assert_eq!(card.execute(&[0, 0xa4, 0, 0x0c, 2, high, low]).status.0, 0x9000);
}

fn read(card: &mut Card<VirtualCard>, offset: u8) -> Vec<u8> {
    let answer = card.execute(&[0, 0xb0, 0, offset, 0]);
    assert_eq!(answer.status.0, 0x9000);
    answer.data
}

#[test]
fn a_tap_counts_once_however_often_it_is_read() {
    let chip = Chip::issued(|_| {});
    let mut card = chip.on();
    select(&mut card);
    let first = read(&mut card, 0);
    assert_eq!(read(&mut card, 0), first);
    assert!(first.starts_with(&read(&mut card, 0)[..9]));
    assert_eq!(read(&mut card, 9)[..40], first[9..49]);
    select_ndef(&mut card);
    assert_eq!(read(&mut card, 0), first, "the same tap");
    select(&mut card);
    let second = read(&mut card, 0);
    assert_ne!(second, first);
    card.reset();
    select(&mut card);
    assert_ne!(read(&mut card, 0), second);
    select(&mut card);
    drop(card);
    assert_eq!(chip.client().info().unwrap().counter, 3, "selecting alone is no tap");
}

#[test]
fn a_card_that_loses_power_before_it_answers_does_not_use_the_value_again() {
    let chip = Chip::issued(|_| {});
    // Every write of the counter reaches the disk, every answer is lost.
    for expected in 1..5 {
        let mut card = chip.on();
        select(&mut card);
        let _lost = read(&mut card, 0);
        drop(card);
        assert_eq!(chip.client().info().unwrap().counter, expected);
    }
}

#[test]
fn nothing_is_signed_when_the_counter_cannot_be_kept() {
    let chip = Chip::issued(|_| {});
    let store = VirtualCard::open(&chip.path(), None).unwrap();
    let failing = Failing { store, writes_left: 1 };
    let mut client = CardClient::new(Card::switch_on(failing).unwrap());
    let sign = |client: &mut CardClient<_>| {
        client.sign(ContentFormat::TEXT, b"x", Addition::Nothing, None)
    };
    assert_eq!(sign(&mut client).unwrap().counter, 1);
    assert_eq!(refused(sign(&mut client)), 0x6581);
    assert_eq!(refused(client.tap()), 0x6581);
    let mut card = client.into_transport();
    card.reset();
    drop(card);
    assert_eq!(sign_whole(&chip), 2, "what never left the card is free");
}

fn sign_whole(chip: &Chip) -> u32 {
    chip.client().sign(ContentFormat::TEXT, b"x", Addition::Nothing, None).unwrap().counter
}

#[test]
fn a_value_whose_writing_failed_is_not_used_while_the_card_is_on() {
    let chip = Chip::issued(|_| {});
    let store = VirtualCard::open(&chip.path(), None).unwrap();
    let mut client = CardClient::new(Card::switch_on(Failing { store, writes_left: 0 }).unwrap());
    assert_eq!(refused(client.tap()), 0x6581);
    assert_eq!(client.info().unwrap().counter, 1, "it may have reached the disk");
}

#[test]
fn a_card_locks_at_once_even_if_its_disk_fails() {
    let chip = Chip::issued(|_| {});
    let store = VirtualCard::open(&chip.path(), None).unwrap();
    let mut client = CardClient::new(Card::switch_on(Failing { store, writes_left: 0 }).unwrap());
    assert_eq!(refused(client.lock(Some(&LOCKING))), 0x6581);
    assert_eq!(refused(client.tap()), 0x6983);
}
