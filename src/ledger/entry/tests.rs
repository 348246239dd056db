use proptest::option;
use proptest::prelude::*;

use super::*;
use crate::signing::SubjectKey;

fn full() -> Entry {
    let hash = hash(1);
    Entry {
        event: Event::Answered {
            outcome: Outcome::NoRecord,
            witnesses: vec![Witness { source: "police".parse().unwrap(), answer: Answer::NoRecord }],
        },
        at: "2026-11-25T08:00:00.000000001Z".parse().unwrap(),
        request: "request \"1\"".to_owned(),
        verification: Some(Uuid::from_u128(1)),
        agency: Some(AgencyId("fund".parse().unwrap())),
        officer: Some("经办人 7".into()),
        claim: Some("marital-status/spouses".parse().unwrap()),
        particulars: [("on".to_owned(), "2026-11-23".into())].into_iter().collect(),
        purpose: Some("housing".parse().unwrap()),
        case: Some("案-1".into()),
        legal_basis: Some("条例".into()),
        subjects: Some(Subjects {
            key: KeyId("subject-1".parse().unwrap()),
            hashes: vec![Subject { role: "person".to_owned(), hash }],
        }),
        rules: "sha256:00".into(),
    }
}

fn hash(secret: u8) -> SubjectHash {
    let key = SubjectKey::new(KeyId("subject-1".parse().unwrap()), &[secret; 32]);
    SubjectHash::of(&"11010519491231002X".parse().unwrap(), &key)
}

fn bare(event: Event) -> Entry {
    let (verification, officer, claim, particulars, purpose, case, legal_basis, subjects) = Default::default();
    Entry { event, verification, officer, claim, particulars, purpose, case, legal_basis, subjects, ..full() }
}

/// These bytes stand in ledgers: they must never change.
#[test]
fn version_1_is_written_so_for_ever() {
    let refused = bare(Event::Refused { code: "not-granted".parse().unwrap() });
    for (entry, text) in [
        (
            full(),
            r#"{"v":1,"kind":"answered","at":"2026-11-25T08:00:00.000000001Z","request":"request \"1\"","verification":"00000000-0000-0000-0000-000000000001","agency":"fund","officer":"经办人 7","matter":"marital-status","claim":"spouses","parameters":{"on":"2026-11-23"},"purpose":"housing","case":"案-1","legal_basis":"条例","subject_key":"subject-1","subjects":[{"role":"person","hash":"HASH"}],"outcome":"no_record","witnesses":[{"source":"police","answer":"no-record"}],"rules":"sha256:00"}"#,
        ),
        (
            Entry { event: Event::Asked, particulars: Map::new(), ..full() },
            r#"{"v":1,"kind":"asked","at":"2026-11-25T08:00:00.000000001Z","request":"request \"1\"","verification":"00000000-0000-0000-0000-000000000001","agency":"fund","officer":"经办人 7","matter":"marital-status","claim":"spouses","purpose":"housing","case":"案-1","legal_basis":"条例","subject_key":"subject-1","subjects":[{"role":"person","hash":"HASH"}],"rules":"sha256:00"}"#,
        ),
        (
            refused,
            r#"{"v":1,"kind":"refused","at":"2026-11-25T08:00:00.000000001Z","request":"request \"1\"","agency":"fund","refusal":"not-granted","rules":"sha256:00"}"#,
        ),
    ] {
        let text = text.replace("HASH", &hash(1).to_string());
        assert_eq!(String::from_utf8(entry.encode().unwrap()).unwrap(), text);
        assert_eq!(Entry::decode(text.as_bytes()).unwrap(), entry);
    }
}

/// As are these, of what is done to the gateway itself.
#[test]
fn what_is_administered_is_written_so_for_ever() {
    let closed = Administration {
        act: Act::CloseSource,
        object: Some("police".into()),
        reason: Some("公安升级".into()),
        until: Some("2026-11-26T22:00:00Z".parse().unwrap()),
    };
    let drained = Administration { act: Act::Drain, object: None, reason: None, until: None };
    for (what, text) in [
        (
            closed,
            r#"{"v":1,"kind":"administered","at":"2026-11-25T08:00:00.000000001Z","request":"request \"1\"","officer":"zhang","act":"close-source","object":"police","reason":"公安升级","until":"2026-11-26T22:00:00Z","rules":"sha256:00"}"#,
        ),
        (
            drained,
            r#"{"v":1,"kind":"administered","at":"2026-11-25T08:00:00.000000001Z","request":"request \"1\"","officer":"zhang","act":"drain","rules":"sha256:00"}"#,
        ),
    ] {
        let entry = Entry { officer: Some("zhang".into()), agency: None, ..bare(Event::Administered(what)) };
        assert_eq!(String::from_utf8(entry.encode().unwrap()).unwrap(), text);
        assert_eq!(Entry::decode(text.as_bytes()).unwrap(), entry);
        let asked = text.replace("\"kind\":\"administered\"", "\"kind\":\"asked\"");
        assert!(Entry::decode(asked.as_bytes()).is_err());
        let of_agency = text.replace("\"officer\"", "\"agency\":\"fund\",\"officer\"");
        assert!(Entry::decode(of_agency.as_bytes()).is_err(), "what is done to the gateway is no agency's question");
    }
    for act in Act::ALL {
        assert_eq!(serde_json::to_value(act).unwrap(), act.as_str());
    }
}

#[test]
fn whatever_is_not_written_so_is_refused() {
    let text = String::from_utf8(full().encode().unwrap()).unwrap();
    let changed = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        Entry::decode(text.replacen(from, to, 1).as_bytes()).unwrap_err().to_string()
    };
    assert!(changed("\"v\":1", "\"v\":2").contains("version 2"));
    assert!(changed("\"v\":1", "\"v\": 1").contains("not written as"));
    assert!(changed("00.000000001Z", "00.000000001+00:00").contains("not written as"));
    assert!(changed("案", "\\u6848").contains("not written as"));
    assert!(changed("\"kind\":\"answered\"", "\"kind\":\"asked\"").contains("fit its kind"));
    assert!(changed("\"matter\":\"marital-status\",", "").contains("fit its kind"));
    assert!(changed("\"subject_key\":\"subject-1\",", "").contains("fit its kind"));
    assert!(changed("\"outcome\":\"no_record\"", "\"outcome\":\"perhaps\"").contains("not an entry"));
    assert!(changed("\"rules\"", "\"name\":\"张三\",\"rules\"").contains("not an entry"));
    assert!(changed("\"agency\":\"fund\"", "\"agency\":\"fund\",\"agency\":\"fund\"").contains("not an entry"));
    for bytes in [&b""[..], b"{}", b"[]", b"\xff", &text.as_bytes()[1..], &text.as_bytes()[..text.len() - 1]] {
        assert!(Entry::decode(bytes).is_err());
    }
}

fn event() -> impl Strategy<Value = Event> {
    let answer = prop_oneof![Just(Answer::Confirms), Just(Answer::Mismatch), Just(Answer::Pending)];
    let witness = answer.prop_map(|answer| Witness { source: "court".parse().unwrap(), answer });
    prop_oneof![
        Just(Event::Asked),
        Just(Event::Refused { code: "rate-limited".parse().unwrap() }),
        (proptest::sample::select(&Act::ALL), option::of(any::<String>())).prop_map(|(act, reason)| {
            let reason = reason.as_deref().map(Remark::from);
            Event::Administered(Administration { act, object: Some("court".into()), reason, until: None })
        }),
        proptest::collection::vec(witness, 0..4)
            .prop_map(|witnesses| Event::Answered { outcome: Outcome::Conflict, witnesses }),
    ]
}

proptest! {
    #[test]
    fn reading_is_the_inverse_of_writing(
        event in event(),
        second in -62_000_000_000_i64..250_000_000_000,
        nanosecond in 0..1_000_000_000_i32,
        request in any::<String>(),
        words in option::of(any::<String>()),
        secret in any::<u8>(),
        keeps in any::<bool>(),
    ) {
        let mut entry = if keeps { Entry { event, ..full() } } else { bare(event) };
        if matches!(entry.event, Event::Administered(_)) {
            entry.agency = None;
        }
        entry.at = Timestamp::new(second, nanosecond).unwrap();
        entry.request = request;
        entry.officer = words.as_deref().map(Remark::from);
        if let Some(subjects) = &mut entry.subjects {
            subjects.hashes.push(Subject { role: "spouse".to_owned(), hash: hash(secret) });
        }
        let bytes = entry.encode().unwrap();
        prop_assert_eq!(Entry::decode(&bytes).unwrap(), entry);
    }

    #[test]
    fn any_bytes_are_read_or_refused_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
        prop_assert!(Entry::decode(&bytes).is_err());
    }
}
