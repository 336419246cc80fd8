//! What a card is for, from the blank chip to its end.

use super::fixture::{Chip, ID, LOCKING, READING, base, is_signed, personalisation, refused};
use touchmark_card::client::CardClient;
use touchmark_card::lifecycle::LifeCycle;
use touchmark_card::message::{self, Addition};
use touchmark_card::profile::limit;
use touchmark_card::store::{Locking, VirtualCard};
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::NetworkId;
use touchmark_wire::registry::ContentFormat;
use zeroize::Zeroizing;

const NETWORK: NetworkId = NetworkId(Digest([9; 32]));

#[test]
fn a_chip_makes_its_key_is_given_an_identity_and_is_sealed() {
    let chip = Chip::blank();
    let mut client = chip.client();
    let blank = client.info().unwrap();
    assert_eq!(
        (blank.lifecycle, blank.id, blank.public_key),
        (LifeCycle::Initialisation, None, None)
    );
    assert_eq!(blank.serial.len(), 7);
    let key = client.generate_key().unwrap();
    assert_eq!(client.generate_key().unwrap(), key, "whoever was interrupted goes on");
    let base = base();
    let mut given = personalisation(&base);
    given.serial = Some(&[4, 0xa1]);
    given.data = b"specification";
    client.personalise(&given).unwrap();
    let info = client.info().unwrap();
    assert_eq!(info.lifecycle, LifeCycle::Activated);
    assert_eq!((info.id, info.serial, info.counter), (Some(ID), vec![4, 0xa1], 0));
    assert_eq!((info.url_base.as_deref(), info.data_length), (Some(base.as_str()), 13));
    assert_eq!(info.public_key, Some(key));
    assert_eq!(refused(client.personalise(&given)), 0x6985, "sealed");
    drop(client);
    assert_eq!(chip.client().info().unwrap().public_key, Some(key), "it survives");
}

#[test]
fn a_tap_shows_a_signed_url_with_a_new_counter() {
    let chip = Chip::issued(|_| {});
    let key = chip.key();
    let mut client = chip.client();
    for counter in 1..4 {
        let url = client.tap().unwrap();
        let signed = format!("https://tap.example/p?lot=5&i={ID}&c={counter:08X}&s=");
        let digits = url.strip_prefix(&signed).unwrap();
        let signature: Vec<u8> = (0..128)
            .step_by(2)
            .map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap())
            .collect();
        assert!(is_signed(&key, signed.as_bytes(), &signature));
        assert!(!is_signed(&key, signed.replace("lot=5", "lot=6").as_bytes(), &signature));
    }
    assert_eq!(client.info().unwrap().counter, 3);
    assert_eq!(Chip::blank().client().tap().unwrap_err().status(), None, "nothing to present");
}

#[test]
fn a_payload_is_signed_whole_and_any_flipped_bit_fails() {
    let chip = Chip::issued(|given| given.data = b"made in Graz");
    let key = chip.key();
    let mut client = chip.client();
    let payload: Vec<u8> = (0..700_u32).map(|n| n as u8).collect();
    let format = ContentFormat::SENML_JSON;
    let signed = client.sign(format, &payload, Addition::Data, None).unwrap();
    assert_eq!(signed.counter, 1);
    let data = Addition::Data.of(b"made in Graz");
    let holds = |payload: &[u8], data: Option<&[u8]>, signature: &[u8]| {
        is_signed(&key, &message::payload(ID, 1, format, payload, data), signature)
    };
    assert!(holds(&payload, data.as_deref(), &signed.signature));
    for bit in 0..payload.len() * 8 {
        let mut changed = payload.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        // A verification takes 0.1 ms; the payload is hashed whole, so some bits stand for all.
        if bit % 29 == 0 {
            assert!(!holds(&changed, data.as_deref(), &signed.signature), "bit {bit}");
        }
    }
    for bit in 0..512 {
        let mut changed = signed.signature;
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(!holds(&payload, data.as_deref(), &changed), "bit {bit} of the signature");
    }
    assert!(!holds(&payload, None, &signed.signature));
    assert!(!holds(&payload, Some(b"made in Graf"), &signed.signature));
    let other = message::payload(ID, 2, format, &payload, data.as_deref());
    assert!(!is_signed(&key, &other, &signed.signature), "another counter");
}

#[test]
fn a_challenge_is_answered_for_one_network() {
    let chip = Chip::issued(|_| {});
    let key = chip.key();
    let mut client = chip.client();
    let signature = client.challenge(NETWORK, &[3; 32]).unwrap();
    let holds = |network, challenge: &[u8]| {
        is_signed(&key, &message::challenge(network, ID, challenge), &signature)
    };
    assert!(holds(NETWORK, &[3; 32]));
    assert!(!holds(NetworkId(Digest([8; 32])), &[3; 32]));
    assert!(!holds(NETWORK, &[4; 32]));
    assert_eq!(client.info().unwrap().counter, 0, "a challenge is no use of the card");
}

#[test]
fn the_data_file_holds_72_kilobytes_and_can_be_protected() {
    let data: Vec<u8> = (0..limit::DATA).map(|n| (n / 7) as u8).collect();
    let chip = Chip::issued(|given| {
        given.data = Box::leak(data.clone().into_boxed_slice());
        given.reading_code = Some(&READING);
    });
    let mut client = chip.client();
    assert_eq!(refused(client.read_data(None)), 0x6982);
    assert_eq!(refused(client.sign(ContentFormat::TEXT, b"x", Addition::DataDigest, None)), 0x6982);
    assert_eq!(refused(client.read_data(Some(&LOCKING))), 0x6300);
    assert_eq!(client.read_data(Some(&READING)).unwrap(), data);
    drop(client);
    let key = chip.key();
    let mut client = chip.client();
    assert_eq!(refused(client.read_data(None)), 0x6982, "codes are forgotten");
    let signed =
        client.sign(ContentFormat::TEXT, b"x", Addition::DataDigest, Some(&READING)).unwrap();
    let digest = message::data_digest(&data);
    let message = message::payload(ID, 1, ContentFormat::TEXT, b"x", Some(&digest));
    assert!(is_signed(&key, &message, &signed.signature));
    let mut more = data;
    more.push(0);
    let blank = Chip::blank();
    let mut client = blank.client();
    client.generate_key().unwrap();
    let base = base();
    let mut given = personalisation(&base);
    given.data = &more;
    assert_eq!(refused(client.personalise(&given)), 0x6a84);
}

#[test]
fn a_locked_card_signs_nothing_ever_again() {
    let chip = Chip::issued(|_| {});
    let mut client = chip.client();
    assert_eq!(refused(client.lock(None)), 0x6982);
    assert_eq!(refused(client.lock(Some(&READING))), 0x6300);
    client.lock(Some(&LOCKING)).unwrap();
    client.lock(None).unwrap();
    drop(client);
    for _ in 0..2 {
        let mut client = chip.client();
        assert_eq!(
            refused(client.sign(ContentFormat::TEXT, b"x", Addition::Nothing, None)),
            0x6983
        );
        assert_eq!(refused(client.challenge(NETWORK, &[3; 32])), 0x6983);
        assert_eq!(refused(client.tap()), 0x6983);
        let info = client.info().unwrap();
        assert_eq!((info.lifecycle, info.counter), (LifeCycle::Deactivated, 0));
        assert!(info.public_key.is_some());
        let base = base();
        assert_eq!(refused(client.personalise(&personalisation(&base))), 0x6983);
    }
}

#[test]
fn who_may_lock_is_decided_at_issue() {
    let nobody = Chip::issued(|given| given.locking = Locking::Nobody);
    assert_eq!(refused(nobody.client().lock(None)), 0x6982);
    assert_eq!(refused(nobody.client().lock(Some(&LOCKING))), 0x6a88);
    assert_eq!(refused(nobody.client().terminate(None)), 0x6982);
    let anyone = Chip::issued(|given| given.locking = Locking::Anyone);
    anyone.client().lock(None).unwrap();
}

#[test]
fn a_terminated_card_has_no_key() {
    let chip = Chip::issued(|_| {});
    assert!(chip.path().join("key").is_file());
    chip.client().terminate(Some(&LOCKING)).unwrap();
    assert!(!chip.path().join("key").exists());
    let mut client = chip.client();
    let info = client.info().unwrap();
    assert_eq!((info.lifecycle, info.public_key), (LifeCycle::Terminated, None));
    assert_eq!(refused(client.challenge(NETWORK, &[3; 32])), 0x6985);
    assert_eq!(refused(client.tap()), 0x6985);
    assert_eq!(refused(client.generate_key()), 0x6985);
}

#[test]
fn the_key_of_a_virtual_card_is_encrypted_under_its_passphrase() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("card");
    VirtualCard::create(&path).unwrap();
    assert!(VirtualCard::create(&path).is_err(), "never replaced");
    let on = |passphrase: Option<&[u8]>| {
        let passphrase = passphrase.map(|bytes| Zeroizing::new(bytes.to_vec()));
        touchmark_card::card::Card::switch_on(VirtualCard::open(&path, passphrase)?)
    };
    let key = CardClient::new(on(Some(b"horse")).unwrap()).generate_key().unwrap();
    assert!(VirtualCard::key_file(&path).unwrap().unwrap().is_encrypted());
    assert!(on(None).is_err() && on(Some(b"house")).is_err());
    let card = on(Some(b"horse")).unwrap();
    assert!(on(Some(b"horse")).is_err(), "one program at a time");
    assert_eq!(CardClient::new(card).public_key().unwrap(), key);
}
