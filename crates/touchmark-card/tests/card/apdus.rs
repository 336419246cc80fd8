//! Properties of commands as bytes, and of a card that gets any bytes.

use super::fixture::Chip;
use proptest::collection::vec;
use proptest::prelude::*;
use touchmark_card::apdu::{Answer, Command, EXTENDED, Header};
use touchmark_card::profile::APPLICATION;

fn header() -> impl Strategy<Value = Header> {
    (0_u8..0xff, any::<u8>(), any::<u8>(), any::<u8>())
        .prop_map(|(class, instruction, p1, p2)| Header { class, instruction, p1, p2 })
}

proptest! {
    #[test]
    fn a_command_comes_back(
        header in header(),
        data in prop_oneof![vec(any::<u8>(), 0..300), vec(any::<u8>(), 65_000..65_600)],
        expected in prop_oneof![0_usize..300, 65_500_usize..65_540],
    ) {
        let command = Command { header, data: &data, expected };
        match command.encode() {
            Some(bytes) => prop_assert_eq!(Command::parse(&bytes), Ok(command)),
            None => prop_assert!(data.len() > EXTENDED || expected > EXTENDED + 1),
        }
    }

    #[test]
    fn what_is_read_is_written_with_the_same_meaning(bytes in vec(any::<u8>(), 0..600)) {
        if let Ok(command) = Command::parse(&bytes) {
            let again = command.encode().unwrap();
            prop_assert!(again.len() <= bytes.len(), "the shorter form");
            prop_assert_eq!(Command::parse(&again), Ok(command));
        }
    }

    #[test]
    fn a_command_that_is_cut_or_longer_is_another_or_none(
        header in header(),
        data in vec(any::<u8>(), 2..300),
        expected in 0_usize..300,
    ) {
        let command = Command { header, data: &data, expected };
        let mut bytes = command.encode().unwrap();
        for length in 0..bytes.len() {
            prop_assert_ne!(Command::parse(&bytes[..length]), Ok(command));
        }
        bytes.push(0);
        prop_assert_ne!(Command::parse(&bytes), Ok(command));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_card_answers_anything_with_a_status(
        commands in vec(
            (any::<prop::sample::Index>(), vec(any::<u8>(), 0..40)),
            0..30,
        ),
    ) {
        let chip = Chip::issued(|given| given.data = b"data");
        let mut card = chip.on();
        let select = [&[0, 0xa4, 4, 0, 8][..], &APPLICATION].concat();
        card.execute(&select);
        let known = [0x04, 0x20, 0x2a, 0x44, 0x47, 0x88, 0xa4, 0xb0, 0xb1, 0xca, 0xd7, 0xda, 0xfe];
        for (instruction, mut bytes) in commands {
            if bytes.len() > 1 {
                bytes[0] &= Header::MORE;
                bytes[1] = known[instruction.index(known.len())];
            }
            let answer = card.execute(&bytes);
            prop_assert!(matches!(answer.status.0 >> 12, 6 | 9));
            prop_assert!(answer.status.name().is_some());
            prop_assert_eq!(Answer::parse(&answer.clone().encode()), Some(answer));
        }
    }
}
