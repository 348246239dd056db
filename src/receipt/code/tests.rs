use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;
use crate::signing::{Algorithm, KeyId};

const MONTH: Duration = Duration::from_hours(720);

fn key(secret: u8) -> SigningKey {
    SigningKey::new(KeyId("receipt-1".parse().unwrap()), Algorithm::Ed25519, &[secret; 32]).unwrap()
}

fn moment(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn claim() -> ClaimRef {
    "marital-status/spouses".parse().unwrap()
}

static NONE: LazyLock<Map<String, Value>> = LazyLock::new(Map::new);

fn recorded(claim: &ClaimRef) -> Recorded<'_> {
    let verification = Uuid::from_u128(0x0193_2f6e_9c1a_7c3e_8f00_1234_5678_90ab);
    let at = moment("2026-11-23T08:30:00.5Z");
    Recorded { entry: 41, at, verification, claim, particulars: &NONE, outcome: Outcome::Confirmed }
}

fn code() -> Code {
    Code::new(&key(1), &recorded(&claim()), moment("2026-11-23T08:29:58.9Z"), MONTH).unwrap()
}

#[test]
fn a_code_fits_a_qr_code_and_is_read_as_people_type_it() {
    let text = code().to_string();
    assert_eq!(text.len(), 39);
    assert!(text.bytes().all(|byte| byte == b'-' || DIGITS.contains(&byte)), "{text}");
    let loose = text.to_lowercase().replace('0', "o").replace('1', "l").replace('-', " ");
    for typed in [text.clone(), loose, format!("  {}\n", text.replace('-', ""))] {
        assert_eq!(typed.parse(), Ok(code()));
    }
    assert!(!format!("{:?}", code()).contains(&text[30..]), "{:?}", code());
    let json = serde_json::to_string(&code()).unwrap();
    assert_eq!((json.clone(), serde_json::from_str::<Code>(&json).unwrap()), (format!("\"{text}\""), code()));
    for wrong in ["", "1", "eyJhbGciOiJFZERTQSJ9..", &text[2..], &format!("{text}0"), &"é".repeat(32)] {
        assert_eq!(wrong.parse::<Code>(), Err(CodeError::Form), "{wrong}");
    }
}

#[test]
fn a_code_opens_what_it_was_made_of_and_nothing_else() {
    let (claim, other) = (claim(), "marital-status/status-is".parse().unwrap());
    let right = recorded(&claim);
    let day = [("on".to_owned(), "2026-11-23".into())].into_iter().collect();
    let validity = Validity {
        issued: moment("2026-11-23T08:30:00Z"),
        as_of: moment("2026-11-23T08:29:58Z"),
        expires: moment("2026-12-23T08:30:00Z"),
    };
    assert_eq!(code().entry(), 41);
    assert_eq!(code().opens(&right, [&key(2), &key(1)]), Some(validity));
    assert_eq!(code().opens(&right, [&key(2)]), None);
    for wrong in [
        Recorded { entry: 42, ..right },
        Recorded { at: moment("2026-11-23T08:30:01Z"), ..right },
        Recorded { verification: Uuid::from_u128(1), ..right },
        Recorded { claim: &other, ..right },
        Recorded { particulars: &day, ..right },
        Recorded { outcome: Outcome::Refuted, ..right },
    ] {
        assert_eq!(code().opens(&wrong, [&key(1)]), None, "{wrong:?}");
    }
}

/// Every single wrong character and every exchange of two, of one code: there are some 1 500.
#[test]
fn typing_errors_are_found() {
    let text = code().to_string();
    let plain: Vec<char> = text.replace('-', "").chars().collect();
    let parse = |typed: &[char]| typed.iter().collect::<String>().parse::<Code>();
    for place in 0..LENGTH {
        for digit in DIGITS.iter().map(|digit| char::from(*digit)).filter(|digit| *digit != plain[place]) {
            let mut typed = plain.clone();
            typed[place] = digit;
            assert!(parse(&typed).is_err(), "{typed:?}");
        }
        for other in (0..place).filter(|other| plain[*other] != plain[place]) {
            let mut typed = plain.clone();
            typed.swap(place, other);
            assert!(parse(&typed).is_err(), "{typed:?}");
        }
    }
}

#[test]
fn what_no_code_can_number_has_none() {
    let claim = claim();
    let last = Recorded { entry: (1 << 40) - 1, ..recorded(&claim) };
    let of = |recorded: &Recorded<'_>| Code::new(&key(1), recorded, recorded.at, MONTH);
    assert_eq!(of(&last).unwrap().entry(), last.entry);
    assert_eq!(of(&Recorded { entry: 1 << 40, ..last }), None);
}

proptest! {
    #[test]
    fn every_code_is_read_back(head in any::<[u8; HEAD]>(), mac in any::<[u8; MAC]>()) {
        let code = Code { head, mac };
        prop_assert_eq!(code.to_string().parse(), Ok(code));
    }

    /// Two spellings of one code would be two codes to whoever compares them.
    #[test]
    fn a_code_has_one_spelling(text in "1[0-9A-HJKMNP-TV-Z]{31}") {
        if let Ok(code) = text.parse::<Code>() {
            prop_assert_eq!(code.to_string().replace('-', ""), text);
        }
    }

    /// A code is never a proof for longer than its receipt, and what it says is never newer.
    #[test]
    fn a_code_says_no_more_than_its_receipt(age in 0_i64..400_000_000, valid_for in 1_u64..4_000_000_000) {
        let claim = claim();
        let recorded = recorded(&claim);
        let as_of = recorded.at - SignedDuration::from_secs(age);
        let code = Code::new(&key(1), &recorded, as_of, Duration::from_secs(valid_for)).unwrap();
        let found = code.opens(&recorded, [&key(1)]).unwrap();
        let expires = found.issued + SignedDuration::from_secs(i64::try_from(valid_for).unwrap());
        prop_assert!(found.as_of <= as_of && found.expires <= expires);
        let is_exact = age < 1 << 22 || (age < 60 << 22 && age % 60 == 0);
        prop_assert!(!is_exact || found.as_of.as_second() == as_of.as_second());
        prop_assert!(valid_for >= 1 << 14 || found.expires == expires);
    }
}
