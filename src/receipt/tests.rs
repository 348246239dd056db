use proptest::prelude::*;

use super::*;
use crate::signing::PublicKey;

fn now() -> Timestamp {
    "2026-11-23T08:30:00.5Z".parse().unwrap()
}

fn later(hours: i64) -> Timestamp {
    now() + SignedDuration::from_hours(hours)
}

fn key(id: &str, algorithm: Algorithm, secret: u8) -> Arc<SigningKey> {
    Arc::new(SigningKey::new(KeyId(id.parse().unwrap()), algorithm, &[secret; 32]).unwrap())
}

fn subject_key(secret: u8) -> Arc<SubjectKey> {
    Arc::new(SubjectKey::new(KeyId(format!("subject-{secret}").parse().unwrap()), &[secret; 32]))
}

fn issuer(key: &Arc<SigningKey>) -> Issuer {
    Issuer::new(Arc::clone(key), subject_key(9), "https://heyan.example", Duration::from_hours(720))
}

fn person(name: &str, number: &str) -> Person {
    Person { id_number: number.parse().unwrap(), name: Some(name.parse().unwrap()) }
}

fn people() -> [Person; 2] {
    [person("王小明", "210102198001010010"), person("李小红", "210102198203030028")]
}

fn receipt_of(issuer: &Issuer, verification: Uuid) -> String {
    let [one, other] = people();
    let said = Said {
        verification,
        agency: &AgencyId("housing-fund".parse().unwrap()),
        purpose: &"housing-fund-withdrawal".parse().unwrap(),
        claim: &"marital-status/spouses".parse().unwrap(),
        particulars: &Map::new(),
        outcome: Outcome::Confirmed,
        as_of: "2026-11-23T08:29:58Z".parse().unwrap(),
        subjects: &[("person", &one), ("spouse", &other)],
        ledger: Some(41),
        rules: &"sha256:00".into(),
    };
    issuer.issue(&said, now()).unwrap()
}

fn receipt(key: &Arc<SigningKey>) -> String {
    receipt_of(&issuer(key), Uuid::from_u128(7))
}

fn check(keys: &[&Arc<SigningKey>], text: &str, at: Timestamp) -> Result<Receipt, Invalid> {
    Checker::new(keys.iter().map(|key| key.public())).check(text, at)
}

fn encode(value: &str) -> String {
    URL_SAFE_NO_PAD.encode(value)
}

fn decode(part: &str) -> String {
    String::from_utf8(URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

/// A text that the key's holder signed, with this header and payload.
fn signed(key: &SigningKey, header: &str, payload: &str) -> String {
    let text = format!("{}.{}", encode(header), encode(payload));
    let signature = key.sign(text.as_bytes()).unwrap();
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn parts(text: &str) -> [String; 2] {
    let mut parts = text.split('.').map(str::to_owned);
    [decode(&parts.next().unwrap()), decode(&parts.next().unwrap())]
}

#[test]
fn a_receipt_says_what_it_was_told_to() {
    for algorithm in [Algorithm::Ed25519, Algorithm::Sm2] {
        let key = key("receipt-1", algorithm, 1);
        let text = receipt(&key);
        assert_eq!(text, receipt(&key), "nothing in it is random");
        let [header, payload] = parts(&text);
        let alg = jose_name(algorithm);
        assert_eq!(header, format!(r#"{{"alg":"{alg}","typ":"heyan-receipt+jwt","kid":"receipt-1"}}"#));
        let found = check(&[&key], &text, now()).unwrap();
        let expected = json!({
            "iss": "https://heyan.example", "iat": 1_795_422_600, "exp": 1_795_422_600 + 720 * 3600,
            "verification": "00000000-0000-0000-0000-000000000007", "agency": "housing-fund",
            "purpose": "housing-fund-withdrawal", "matter": "marital-status", "claim": "spouses",
            "outcome": "confirmed", "as_of": "2026-11-23T08:29:58Z",
            "subjects": {"key": "subject-9", "hash": found.subjects.hash}, "ledger": 41, "rules": "sha256:00"
        });
        assert_eq!(serde_json::from_str::<Value>(&payload).unwrap(), expected);
        assert_eq!(serde_json::to_string(&found).unwrap(), payload);
        assert!(text.len() < 1100, "{}", text.len());
    }
}

/// Made with Python's `hmac` and `cryptography`, and verified with `PyJWT`, `jwcrypto`, `joserfc` and, on Node, `jose`.
#[test]
fn others_make_the_same_receipt() {
    let text = "eyJhbGciOiJFZERTQSIsInR5cCI6ImhleWFuLXJlY2VpcHQrand0Iiwia2lkIjoicmVjZWlwdC0xIn0.eyJpc3MiOiJodHRwczov\
             L2hleWFuLmV4YW1wbGUiLCJpYXQiOjE3OTU0MjI2MDAsImV4cCI6MTc5ODAxNDYwMCwidmVyaWZpY2F0aW9uIjoiMDAwMDAwMDAt\
             MDAwMC0wMDAwLTAwMDAtMDAwMDAwMDAwMDA3IiwiYWdlbmN5IjoiaG91c2luZy1mdW5kIiwicHVycG9zZSI6ImhvdXNpbmctZnVu\
             ZC13aXRoZHJhd2FsIiwibWF0dGVyIjoibWFyaXRhbC1zdGF0dXMiLCJjbGFpbSI6InNwb3VzZXMiLCJvdXRjb21lIjoiY29uZmly\
             bWVkIiwiYXNfb2YiOiIyMDI2LTExLTIzVDA4OjI5OjU4WiIsInN1YmplY3RzIjp7ImtleSI6InN1YmplY3QtOSIsImhhc2giOiJm\
             LXBXdHYxMzhtbTVFYkFxbndMeUY3WWhzZzJYMWZDYUJCUWk0T2hobkFZIn0sImxlZGdlciI6NDEsInJ1bGVzIjoic2hhMjU2OjAw\
             In0.X3TfVABA7jyvGQWsyfPHMrfLskTDPfX4V6JDrMtJu7RDBkhpTpKGU0rlSarNANJotPTNRhIfPC4euxE3TwU-CQ";
    assert_eq!(receipt(&key("receipt-1", Algorithm::Ed25519, 1)), text);
}

#[test]
fn a_receipt_names_nobody_and_no_two_have_a_hash_in_common() {
    let key = key("receipt-1", Algorithm::Ed25519, 1);
    let issuer = issuer(&key);
    let texts: Vec<String> = (1..3).map(|number| receipt_of(&issuer, Uuid::from_u128(number))).collect();
    let found: Vec<Receipt> = texts.iter().map(|text| check(&[&key], text, now()).unwrap()).collect();
    assert_ne!(found[0].subjects.hash, found[1].subjects.hash);
    let [one, other] = people();
    for (text, receipt) in texts.iter().zip(&found) {
        let [_, payload] = parts(text);
        for person in [&one, &other] {
            assert!(!payload.contains(person.id_number.reveal()));
            assert!(!payload.contains(person.name.as_ref().unwrap().reveal()));
        }
        let about = |people: &[(&str, &Person)]| receipt.is_about(&subject_key(9), people);
        assert_eq!(about(&[("spouse", &other), ("person", &one)]), Some(true));
        assert_eq!(about(&[("person", &other), ("spouse", &one)]), Some(false));
        assert_eq!(about(&[("person", &one)]), Some(false));
        assert_eq!(receipt.is_about(&subject_key(8), &[("person", &one), ("spouse", &other)]), None);
    }
}

#[test]
fn time_is_kept() {
    let key = key("receipt-1", Algorithm::Ed25519, 1);
    let text = receipt(&key);
    let at = |moment: Timestamp| check(&[&key], &text, moment).map(|receipt| receipt.outcome);
    let issued = Timestamp::from_second(now().as_second()).unwrap();
    let (skew, end) = (SignedDuration::from_secs(60), issued + SignedDuration::from_hours(720));
    let instant = SignedDuration::from_nanos(1);
    assert_eq!(at(issued - skew), Ok(Outcome::Confirmed));
    assert_eq!(at(issued - skew - instant), Err(Invalid::NotYetValid));
    assert_eq!(at(end - instant), Ok(Outcome::Confirmed));
    assert_eq!(at(end), Err(Invalid::Expired));
    assert_eq!(at(Timestamp::MAX), Err(Invalid::Expired));
    assert_eq!(at(Timestamp::MIN), Err(Invalid::NotYetValid));
}

#[test]
fn only_the_keys_own_algorithm_is_believed() {
    let (mine, other) = (key("receipt-1", Algorithm::Ed25519, 1), key("receipt-2", Algorithm::Sm2, 2));
    let text = receipt(&mine);
    let [header, payload] = parts(&text);
    let both: [&Arc<SigningKey>; 2] = [&mine, &other];
    let with = |from: &str, to: &str| signed(&mine, &header.replace(from, to), &payload);
    for alg in ["none", "None", "HS256", "RS256", "ES256", "Ed25519", "eddsa", "", "SM2SM3"] {
        assert_eq!(check(&both, &with("EdDSA", alg), now()), Err(Invalid::Algorithm), "{alg}");
    }
    // Without a signature, and with what HS256 makes of the public key.
    let unsigned = format!("{}.{}.", encode(&header.replace("EdDSA", "none")), encode(&payload));
    assert_eq!(check(&both, &unsigned, now()), Err(Invalid::Algorithm));
    let message = format!("{}.{}", encode(&header.replace("EdDSA", "HS256")), encode(&payload));
    let mac = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, mine.public().bytes());
    let mac = aws_lc_rs::hmac::sign(&mac, message.as_bytes());
    let forged = format!("{message}.{}", URL_SAFE_NO_PAD.encode(mac.as_ref()));
    assert_eq!(check(&both, &forged, now()), Err(Invalid::Algorithm));
    // The other key's name, with this one's algorithm and with its own.
    assert_eq!(check(&both, &with("receipt-1", "receipt-2"), now()), Err(Invalid::Algorithm));
    let renamed = header.replace("receipt-1", "receipt-2").replace("EdDSA", "SM2SM3");
    assert_eq!(check(&both, &signed(&mine, &renamed, &payload), now()), Err(Invalid::Altered));
    assert_eq!(check(&[&other], &text, now()), Err(Invalid::UnknownKey));
    assert_eq!(check(&[], &text, now()), Err(Invalid::UnknownKey));
    assert_eq!(check(&[&key("receipt-1", Algorithm::Ed25519, 3)], &text, now()), Err(Invalid::Altered));
}

#[test]
fn what_is_signed_and_no_receipt_is_none() {
    let key = key("receipt-1", Algorithm::Ed25519, 1);
    let [header, payload] = parts(&receipt(&key));
    let verdict = |header: &str, payload: &str| check(&[&key], &signed(&key, header, payload), now()).unwrap_err();
    assert_eq!(verdict(&header.replace("heyan-receipt+jwt", "JWT"), &payload), Invalid::OtherType);
    for crit in ["[\"exp\"]", "[]", "null", "1", "[\"x\"],\"x\":1"] {
        let header = header.replace("\"kid\"", &format!("\"crit\":{crit},\"kid\""));
        assert_eq!(verdict(&header, &payload), Invalid::Critical, "{crit}");
    }
    for (from, to) in [
        ("{", "{\"jwk\":{},"),
        ("{", "{\"b64\":false,"),
        ("{", "{\"alg\":\"EdDSA\","),
        ("{", "{\"kid\":\"receipt-1\","),
        ("\"typ\":\"heyan-receipt+jwt\",", ""),
        ("}", "}x"),
        ("}", ""),
        ("\"EdDSA\"", "7"),
    ] {
        assert_eq!(verdict(&header.replacen(from, to, 1), &payload), Invalid::Malformed, "{from} {to}");
    }
    for (from, to) in [
        ("{", "{\"outcome\":\"refuted\","),
        ("{", "{\"more\":1,"),
        ("\"confirmed\"", "\"maybe\""),
        ("\"ledger\":41", "\"ledger\":-1"),
        ("\"key\"", "\"hash\":\"\",\"key\""),
        ("\"iat\":", "\"iat\":\"1\",\"was\":"),
    ] {
        assert_eq!(verdict(&header, &payload.replacen(from, to, 1)), Invalid::Malformed, "{from} {to}");
    }
}

#[test]
fn texts_of_another_form_are_refused() {
    let key = key("receipt-1", Algorithm::Ed25519, 1);
    let text = receipt(&key);
    let signature = text.rsplit('.').next().unwrap();
    let standard = text.replace(signature, &signature.replace('-', "+").replace('_', "/"));
    // The last character of 64 bytes has four bits that are no part of them.
    let last = text.chars().next_back().unwrap();
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let next = alphabet.chars().nth(alphabet.find(last).unwrap() + 1).unwrap();
    let dangling = format!("{}{next}", &text[..text.len() - 1]);
    for wrong in [
        String::new(),
        ".".to_owned(),
        "..".to_owned(),
        "x".to_owned(),
        "核验".to_owned(),
        format!("{text}="),
        format!(" {text}"),
        format!("{text}\n"),
        format!("{text}."),
        format!("{text}.AAAA"),
        text.replacen('.', "", 1),
        dangling,
    ] {
        assert_eq!(check(&[&key], &wrong, now()), Err(Invalid::Malformed), "{wrong}");
    }
    if standard != text {
        assert_eq!(check(&[&key], &standard, now()), Err(Invalid::Malformed));
    }
    let short = &text[..text.len() - 4];
    assert_eq!(check(&[&key], short, now()), Err(Invalid::Altered));
    assert_eq!(check(&[&key], &"A".repeat(MAX_LENGTH + 1), now()), Err(Invalid::TooLong));
    assert_eq!(check(&[&key], &"A".repeat(MAX_LENGTH), now()), Err(Invalid::Malformed));
}

#[test]
fn claims_in_another_order_are_another_text() {
    let key = key("receipt-1", Algorithm::Ed25519, 1);
    let text = receipt(&key);
    let [_, payload] = parts(&text);
    let Value::Object(members) = serde_json::from_str(&payload).unwrap() else { panic!() };
    let turned: serde_json::Map<String, Value> = members.into_iter().rev().collect();
    let (head, signature) = (text.split('.').next().unwrap(), text.rsplit('.').next().unwrap());
    let forged = format!("{head}.{}.{signature}", encode(&Value::Object(turned).to_string()));
    assert_eq!(check(&[&key], &forged, now()), Err(Invalid::Altered));
}

/// Every bit of a receipt of each algorithm.
#[test]
fn no_bit_can_be_changed() {
    for algorithm in [Algorithm::Ed25519, Algorithm::Sm2] {
        let key = key("receipt-1", algorithm, 1);
        let text = receipt(&key);
        let checker = Checker::new([key.public()]);
        // Signatures of SM2 take their time.
        let step = if algorithm == Algorithm::Sm2 { 13 } else { 1 };
        for bit in (0..text.len() * 8).step_by(step) {
            let mut bytes = text.clone().into_bytes();
            bytes[bit / 8] ^= 1 << (bit % 8);
            if let Ok(changed) = String::from_utf8(bytes) {
                assert!(checker.check(&changed, now()).is_err(), "{changed}");
            }
        }
    }
}

proptest! {
    #[test]
    fn nothing_that_is_made_up_is_a_receipt(text in "[A-Za-z0-9_.-]{0,300}", any in ".{0,60}") {
        let key = key("receipt-1", Algorithm::Ed25519, 1);
        prop_assert!(check(&[&key], &text, now()).is_err());
        prop_assert!(check(&[&key], &any, now()).is_err());
        prop_assert!(check(&[&key], &receipt(&key).replacen('.', &text, 1), later(0)).is_err() || text == ".");
    }
}

#[test]
fn published_keys_are_read_back() {
    let keys = [key("receipt-1", Algorithm::Ed25519, 1), key("receipt-2", Algorithm::Sm2, 2)];
    let publics: Vec<&PublicKey> = keys.iter().map(|key| key.public()).collect();
    let set = jwks(publics.iter().copied());
    let read = keys_of(&set.to_string()).unwrap();
    assert_eq!(read.iter().collect::<Vec<_>>(), publics);
    assert!(check(&[&keys[1]], &receipt(&keys[1]), now()).is_ok());
    assert!(Checker::new(&read).check(&receipt(&keys[1]), now()).is_ok());
    let one = set["keys"][0].to_string();
    let set = |keys: &str| keys_of(&format!("{{\"keys\":[{keys}]}}"));
    let strange = r#"{"kty":"RSA","n":"","e":""},{"kty":"EC","crv":"P-256","x":"","y":"","kid":"b"}"#;
    assert_eq!(set(&format!("{strange},{one}")).unwrap().len(), 1);
    for (text, why) in [
        (String::new(), JwksError::None),
        (strange.to_owned(), JwksError::None),
        ("7".to_owned(), JwksError::Shape),
        (format!("{one},{one}"), JwksError::Twice),
        (one.replace("\"kid\"", "\"d\":\"\",\"kid\""), JwksError::Secret),
        (one.replace("\"x\":\"", "\"x\":\"A"), JwksError::Broken),
        (one.replace("\"x\"", "\"z\""), JwksError::Broken),
        (one.replace("\"kid\"", "\"kit\""), JwksError::None),
    ] {
        assert_eq!(set(&text).unwrap_err(), why, "{text}");
    }
    assert_eq!(keys_of("{}"), Err(JwksError::Shape));
}
