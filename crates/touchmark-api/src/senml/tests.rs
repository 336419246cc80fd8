#![allow(clippy::float_cmp, reason = "what is written is read back exactly")]

use super::*;
use crate::Base64;

fn from_json(text: &str) -> Pack {
    serde_json::from_str(text).unwrap()
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits: String = hex.split_whitespace().collect();
    let byte = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
    (0..digits.len()).step_by(2).map(byte).collect()
}

/// RFC 8428 §5.1.2, in JSON, and §6 as its CBOR.
const EXAMPLE: &str = r#"[
    {"bn":"urn:dev:ow:10e2073a0108006:","bt":1.276020076001e+09,
     "bu":"A","bver":10,
     "n":"voltage","u":"V","v":120.1},
    {"n":"current","t":-5,"v":1.2},
    {"n":"current","t":-4,"v":1.3},
    {"n":"current","t":-3,"v":1.4},
    {"n":"current","t":-2,"v":1.5},
    {"n":"current","t":-1,"v":1.6},
    {"n":"current","v":1.7}]"#;
const EXAMPLE_CBOR: &str = "87 a7 21 78 1b 7572 6e3a 6465 763a 6f77 3a31 3065 3230 3733 6130
    3130 3830 3036 3a 22 fb 41d3 03a1 5b00 1062 23 61 41 20 0a 00 67 766f 6c74 6167 65 01
    61 56 02 fb 405e 0666 6666 6666 a3 00 67 6375 7272 656e 74 06 24 02 fb 3ff3 3333 3333
    3333 a3 00 67 6375 7272 656e 74 06 23 02 fb 3ff4 cccc cccc cccd a3 00 67 6375 7272
    656e 74 06 22 02 fb 3ff6 6666 6666 6666 a3 00 67 6375 7272 656e 74 06 21 02 f9 3e00
    a3 00 67 6375 7272 656e 74 06 20 02 fb 3ff9 9999 9999 999a a3 00 67 6375 7272 656e
    74 06 00 02 fb 3ffb 3333 3333 3333";

#[test]
fn the_examples_of_the_rfc_are_read_alike_in_both_forms() {
    let json = from_json(EXAMPLE).resolve().unwrap();
    let mut cbor = Pack::from_cbor(&bytes(EXAMPLE_CBOR)).unwrap();
    // The RFC's CBOR gives the time zero where its JSON gives none.
    assert_eq!(cbor.0[6].time.take(), Some(0.0));
    assert_eq!(cbor, from_json(EXAMPLE));
    assert_eq!(json.len(), 7);
    assert_eq!(json[0].name, "urn:dev:ow:10e2073a0108006:voltage");
    assert_eq!((&json[0].value, json[0].unit.as_deref()), (&Reading::Number(120.1), Some("V")));
    assert_eq!((json[1].unit.as_deref(), json[1].time), (Some("A"), 1_276_020_071.001));
    assert_eq!(json[6].time, 1_276_020_076.001);
}

#[test]
fn a_pack_is_read_as_it_was_written() {
    let pack = Pack(vec![
        Record {
            base_name: Some("a:".into()),
            base_time: Some(1.5),
            base_version: Some(10),
            base_value: Some(-0.1),
            base_sum: Some(7.0),
            base_unit: Some("B".into()),
            ..Record::default()
        },
        Record {
            value: Some(9_007_199_254_740_991.0),
            name: Some("n".into()),
            ..Record::default()
        },
        Record { value: Some(-1e300), name: Some("o".into()), ..Record::default() },
        Record { truth: Some(true), update_time: Some(60.0), ..Record::default() },
        Record { data: Some(Base64(vec![0, 255])), time: Some(-2.0), ..Record::default() },
        Record { text: Some("ok".into()), sum: Some(0.5), ..Record::default() },
    ]);
    assert_eq!(Pack::from_cbor(&pack.to_cbor()).unwrap(), pack);
    let json = serde_json::to_string(&pack).unwrap();
    assert_eq!(from_json(&json), pack);
    let measured = pack.resolve().unwrap();
    assert_eq!(measured.len(), 5, "the first record only sets the base");
    assert_eq!(
        measured[2],
        Measurement {
            name: "a:".into(),
            value: Reading::Truth(true),
            unit: Some("B".into()),
            time: 1.5,
        }
    );
}

#[test]
fn what_the_rfc_forbids_is_refused() {
    let refused = |text: &str| from_json(text).resolve().unwrap_err();
    assert_eq!(refused(r#"[{"v":1}]"#), SenmlError::Name(0));
    assert_eq!(refused(r#"[{"n":"a b","v":1}]"#), SenmlError::Name(0));
    assert_eq!(refused(r#"[{"n":"-a","v":1}]"#), SenmlError::Name(0));
    assert_eq!(refused(r#"[{"n":"<b>","v":1}]"#), SenmlError::Name(0));
    assert_eq!(refused(r#"[{"n":"a"}]"#), SenmlError::Value(0));
    assert_eq!(refused(r#"[{"n":"a","v":1},{"n":"a","v":1,"vb":true}]"#), SenmlError::Value(1));
    assert_eq!(refused(r#"[{"n":"a","v":1,"bver":11}]"#), SenmlError::Version(11));
    assert_eq!(refused(r#"[{"n":"a","v":1},{"n":"a","v":1,"bver":10}]"#), SenmlError::Mixed(1));
    assert_eq!(refused(r#"[{"n":"a","v":1e308,"bv":1e308}]"#), SenmlError::Number(0));
    assert!(from_json(r#"[{"n":"a","s":1}]"#).resolve().is_ok());
}

#[test]
fn cbor_that_is_no_pack_is_refused_and_never_panics() {
    for hex in [
        "",
        "80 00",
        "81 80",
        "81 a1 00",
        "81 a2 00 61 61 00 61 61",
        "81 a1 62 78 5f 01",
        "81 a1 02 c1 00",
        "81 a1 02 c4 81 00",
        "9f",
        "9b ff ff ff ff ff ff ff ff",
        "a0",
    ] {
        assert!(Pack::from_cbor(&bytes(hex)).is_err(), "{hex}");
    }
    let decimal = Pack::from_cbor(&bytes("9f bf 00 61 61 02 c4 82 20 18 d7 61 78 01 09 01 ff ff"));
    assert_eq!(decimal.unwrap().0[0].value, Some(21.5), "others' labels are skipped");
    let good = bytes(EXAMPLE_CBOR);
    for at in 0..good.len() {
        for flip in [1, 0x20, 0x80, 0xff] {
            let mut spoilt = good.clone();
            spoilt[at] ^= flip;
            if let Ok(pack) = Pack::from_cbor(&spoilt) {
                let _ = pack.resolve();
            }
        }
        assert!(Pack::from_cbor(&good[..at]).is_err());
    }
}
