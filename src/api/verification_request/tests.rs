use std::sync::{Arc, LazyLock};

use jiff::civil::date;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::config::Folder;
use crate::domain::{DivisionError, IdNumberError, PersonNameError};
use crate::server::Installation;

static CATALOG: LazyLock<Arc<Catalog>> = LazyLock::new(|| {
    let address = |_: &str| Some("http://127.0.0.1:1".to_owned());
    match Installation::load(&Folder::embedded(), &address) {
        Ok(installation) => installation.catalog,
        Err(wrong) => panic!("{wrong:#?}"),
    }
});

const ZHANG: &str = "11010519491231002X";
const LI: &str = "440524188001010014";

fn read(body: &Value) -> Result<VerificationRequest, Vec<FieldError>> {
    let purposes = BTreeSet::from(["pension".parse().unwrap()]);
    Contract { catalog: &CATALOG, purposes: &purposes, today: date(2026, 11, 23) }.read(body)
}

/// What is wrong, by place.
fn wrong(body: &Value) -> Vec<(String, Reason)> {
    let mut errors: Vec<_> = read(body).unwrap_err().into_iter().map(|error| (error.pointer, error.reason)).collect();
    errors.sort_by(|a, b| a.0.cmp(&b.0));
    errors
}

fn at(pointer: &str, reason: Reason) -> (String, Reason) {
    (pointer.to_owned(), reason)
}

fn spouses() -> Value {
    json!({
        "matter": "marital-status", "claim": "spouses",
        "subjects": {
            "person": {"name": "张三", "id_number": ZHANG},
            "spouse": {"name": "李四", "id_number": LI}
        },
        "parameters": {"on": "2026-11-23"},
        "purpose": "pension", "case": "2026-000123", "legal_basis": "社会保险法", "officer": "王五", "max_age": "10m"
    })
}

/// The request with one value set, or taken away.
fn with(pointer: &str, value: Option<Value>) -> Value {
    let mut body = spouses();
    let (around, key) = pointer.rsplit_once('/').unwrap();
    let object = body.pointer_mut(around).unwrap().as_object_mut().unwrap();
    match value {
        Some(value) => object.insert(key.to_owned(), value),
        None => object.remove(key),
    };
    body
}

/// One claim about one person, with these parameters.
fn one(matter: &str, claim: &str, parameters: &Value) -> Value {
    json!({
        "matter": matter, "claim": claim, "subjects": {"person": {"name": "张三", "id_number": ZHANG}},
        "parameters": parameters, "purpose": "pension"
    })
}

#[test]
fn a_number_of_letters_and_digits_has_its_shape() {
    let asked = |number: &str| {
        let mut body = one("birth", "birth-certificate-matches", &json!({"certificate_number": number}));
        body["subjects"] = json!({"child": body["subjects"]["person"].take()});
        read(&body).map(|request| request.parameters["certificate_number"].clone())
    };
    assert_eq!(asked("V210001234"), Ok(json!("V210001234")));
    assert_eq!(asked("v210001234"), Ok(json!("V210001234")), "as the department writes it");
    for wrong in ["", "V21000123", "V2100012345", "2100012345", "V21000123O", " V210001234", "Ｖ210001234"] {
        let errors = asked(wrong).unwrap_err();
        let [FieldError { pointer, reason }] = &errors[..] else { panic!("{errors:?}") };
        assert_eq!(pointer, "/parameters/certificate_number");
        assert!(reason.text(false).contains("例如 U210012345"), "{}", reason.text(false));
        assert!(reason.text(true).contains("such as U210012345"), "{}", reason.text(true));
    }
}

#[test]
fn a_whole_request_is_read() {
    let request = read(&spouses()).unwrap();
    assert_eq!(request.claim.reference().to_string(), "marital-status/spouses");
    let numbers: Vec<&str> = request.people.iter().map(|person| person.id_number.reveal()).collect();
    assert_eq!(numbers, [ZHANG, LI]);
    assert_eq!(request.people[1].name.as_ref().unwrap().reveal(), "李四");
    assert_eq!(request.parameters["on"], "2026-11-23");
    assert_eq!(request.purpose.as_str(), "pension");
    assert_eq!((request.case.as_deref(), request.officer.as_deref()), (Some("2026-000123"), Some("王五")));
    assert_eq!(request.max_age, Some(Duration::from_mins(10)));
    assert!(!format!("{request:?}").contains(ZHANG) && !format!("{request:?}").contains("张三"));
}

#[test]
fn what_may_be_absent_is_filled_in() {
    let request = read(&one("marital-status", "status-is", &json!({"status": "married"}))).unwrap();
    assert_eq!(request.parameters["on"], "2026-11-23");
    assert_eq!((request.case, request.officer, request.max_age), (None, None, None));
    let absent = with("/parameters", None);
    assert_eq!(read(&absent).unwrap().parameters["on"], "2026-11-23");
}

#[test]
fn everything_wrong_is_told_at_once() {
    let body = json!({
        "matter": "marital-status", "claim": "spouses",
        "subjects": {
            "person": {"name": "", "id_number": "110105194912310021", "sex": "1"},
            "husband": {"name": "李四", "id_number": LI}
        },
        "parameters": {"on": "2026-02-30", "when": 1},
        "purpose": "pensoin", "case": "", "officer": "a\u{7}b", "max_age": "25h", "callback": "http://"
    });
    let fields = FIELDS.iter().map(|(name, _)| (*name).to_owned()).collect();
    let roles = vec!["person".to_owned(), "spouse".to_owned()];
    let expected = [
        at("/callback", Reason::UnknownField(fields)),
        at("/case", Reason::Length(1, 64)),
        at("/max_age", Reason::Duration),
        at("/officer", Reason::ControlCharacter),
        at("/parameters/on", Reason::Date),
        at("/parameters/when", Reason::UnknownField(vec!["on".to_owned()])),
        at("/purpose", Reason::UnknownPurpose),
        at("/subjects/husband", Reason::UnknownField(roles)),
        at("/subjects/person/id_number", Reason::IdNumber(IdNumberError::CheckCharacter)),
        at("/subjects/person/name", Reason::Name(PersonNameError::Empty)),
        at("/subjects/person/sex", Reason::UnknownField(vec!["name".to_owned(), "id_number".to_owned()])),
        at("/subjects/spouse", Reason::Missing),
    ];
    assert_eq!(wrong(&body), expected);
}

#[test]
fn every_field_that_must_be_there_is_missed() {
    let missing = |names: &[&str]| names.iter().map(|name| at(name, Reason::Missing)).collect::<Vec<_>>();
    assert_eq!(wrong(&json!({})), missing(&["/claim", "/matter", "/purpose", "/subjects"]));
    assert_eq!(wrong(&with("/subjects/spouse/name", None)), missing(&["/subjects/spouse/name"]));
    assert_eq!(wrong(&with("/subjects/spouse/id_number", None)), missing(&["/subjects/spouse/id_number"]));
    assert_eq!(wrong(&with("/subjects", Some(json!({})))), missing(&["/subjects/person", "/subjects/spouse"]));
    assert_eq!(wrong(&one("marital-status", "status-is", &json!({}))), missing(&["/parameters/status"]));
}

#[test]
fn each_value_has_its_type() {
    for name in ["/matter", "/claim", "/purpose", "/case", "/legal_basis", "/officer", "/max_age", "/parameters/on"] {
        for value in [json!(null), json!(1), json!({}), json!(["a"])] {
            assert!(wrong(&with(name, Some(value))).contains(&at(name, Reason::Type(Kind::String))), "{name}");
        }
    }
    for name in ["/subjects", "/parameters", "/subjects/person"] {
        for value in [json!(null), json!("a"), json!([])] {
            assert_eq!(wrong(&with(name, Some(value))), [at(name, Reason::Type(Kind::Object))], "{name}");
        }
    }
    let name = "/subjects/person/id_number";
    assert_eq!(wrong(&with(name, Some(json!(1)))), [at(name, Reason::Type(Kind::String))]);
    assert_eq!(wrong(&json!([])), [at("", Reason::Type(Kind::Object))]);
}

#[test]
fn an_unknown_claim_hides_no_wrong_person() {
    let mut body = with("/subjects/person/id_number", Some(json!("1")));
    body["claim"] = json!("spouse");
    let number = at("/subjects/person/id_number", Reason::IdNumber(IdNumberError::Length));
    assert_eq!(wrong(&body), [at("/claim", Reason::UnknownClaim), number.clone()]);
    body["matter"] = json!("no-such-matter");
    assert_eq!(wrong(&body), [at("/matter", Reason::UnknownClaim), number]);
}

#[test]
fn nobody_stands_in_two_roles() {
    let number = "/subjects/spouse/id_number";
    for same in [ZHANG, "11010519491231002x", "110105491231002"] {
        assert_eq!(wrong(&with(number, Some(json!(same)))), [at(number, Reason::SamePerson)], "{same}");
    }
}

#[test]
fn old_numbers_are_read_and_future_births_are_not() {
    let number = "/subjects/spouse/id_number";
    let request = read(&with("/subjects/person/id_number", Some(json!("110105491231002")))).unwrap();
    assert_eq!(request.people[0].id_number.reveal(), ZHANG);
    let born = |day| IdNumber::assemble("210102".parse().unwrap(), day, 12).unwrap().reveal().to_owned();
    assert!(read(&with(number, Some(json!(born(date(2026, 11, 23)))))).is_ok());
    assert_eq!(wrong(&with(number, Some(json!(born(date(2026, 11, 24)))))), [at(number, Reason::Future)]);
}

#[test]
fn each_kind_of_parameter_has_its_bounds() {
    let told = |matter, claim, name: &str, value: Value| match read(&one(matter, claim, &json!({name: value}))) {
        Ok(_) => None,
        Err(errors) => {
            assert_eq!(errors.len(), 1, "{errors:?}");
            assert_eq!(errors[0].pointer, format!("/parameters/{name}"));
            Some(errors[0].reason.clone())
        }
    };
    let children = |value| told("childbearing", "has-children", "count", value);
    assert_eq!(children(json!(0)), None);
    assert_eq!(children(json!(31)), Some(Reason::Range(0, 30)));
    assert_eq!(children(json!(-1)), Some(Reason::Range(0, 30)));
    for value in [json!(2.0), json!(-0.0)] {
        assert_eq!(children(value), None);
    }
    let read_count = |value| {
        let request = read(&one("childbearing", "has-children", &json!({"count": value}))).unwrap();
        request.parameters["count"].clone()
    };
    assert_eq!([read_count(json!(2.0)), read_count(json!(-0.0))], [json!(2), json!(0)]);
    for value in [json!(1.5), json!(1e300), json!("1"), json!(u64::MAX), json!(true)] {
        assert_eq!(children(value), Some(Reason::Type(Kind::Integer)));
    }
    let status = |value| told("marital-status", "status-is", "status", value);
    assert_eq!(status(json!("widowed")), None);
    assert!(matches!(status(json!("Widowed")), Some(Reason::NotOneOf(values)) if values.len() == 4));
    let division = |value| told("identity", "registered-in", "division", value);
    assert_eq!(division(json!("210102")), None);
    assert_eq!(division(json!("2101")), None);
    assert_eq!(division(json!("21010")), Some(Reason::Division(DivisionError::Form)));
    let holder = |value| told("personal-file", "file-held-by", "holder", value);
    assert_eq!(holder(json!("沈阳市人才中心")), None);
    assert_eq!(holder(json!("人".repeat(101))), Some(Reason::Length(1, 100)));
    assert_eq!(holder(json!(" \u{3000}")), Some(Reason::Length(1, 100)));
    assert_eq!(holder(json!("a\u{85}b")), Some(Reason::ControlCharacter));
}

#[test]
fn a_day_is_written_in_one_way_and_not_ahead() {
    for (text, reason) in [
        ("2026-11-24", Reason::Future),
        ("9999-12-31", Reason::Future),
        ("2026-1-2", Reason::Date),
        ("20261123", Reason::Date),
        ("2026-11-23T00:00:00", Reason::Date),
        ("2025-02-29", Reason::Date),
        (" 2026-11-23", Reason::Date),
        ("", Reason::Date),
        ("-000001-01-01", Reason::Date),
        ("0000-01-01", Reason::Date),
    ] {
        let body = with("/parameters/on", Some(json!(text)));
        assert_eq!(wrong(&body), [at("/parameters/on", reason)], "{text}");
    }
    assert!(read(&with("/parameters/on", Some(json!("2024-02-29")))).is_ok());
}

#[test]
fn texts_and_ages_have_their_bounds() {
    for (name, most) in [("/case", MAX_CASE), ("/officer", MAX_OFFICER), ("/legal_basis", MAX_LEGAL_BASIS)] {
        assert!(read(&with(name, Some(json!("𠮷".repeat(most))))).is_ok(), "{name}");
        let long = with(name, Some(json!("𠮷".repeat(most + 1))));
        assert_eq!(wrong(&long), [at(name, Reason::Length(1, most))]);
    }
    for good in ["0s", "500ms", "1h30m", "24h", "1440m"] {
        assert!(read(&with("/max_age", Some(json!(good)))).is_ok(), "{good}");
    }
    for bad in ["24h1s", "-1m", "10", "", "1d", "P1D", "99999999999999999999h"] {
        assert_eq!(wrong(&with("/max_age", Some(json!(bad)))), [at("/max_age", Reason::Duration)], "{bad}");
    }
}

#[test]
fn nobodys_number_stands_in_what_is_written_down() {
    for name in ["/case", "/officer", "/legal_basis"] {
        let full_width = "１１０１０５１９４９１２３１００２Ｘ";
        for text in [ZHANG, LI, "110105491231002", full_width, "给 440524188001010014 办理", "440524-18800101-0014"]
        {
            let errors = read(&with(name, Some(json!(text)))).unwrap_err();
            assert_eq!(errors, [FieldError { pointer: name.to_owned(), reason: Reason::HoldsIdNumber }], "{text}");
            assert!(!errors[0].reason.text(true).contains(text) && !errors[0].reason.text(false).contains(text));
        }
        for text in ["2026-000123", "《辽宁省社会救助实施办法》第十二条", "20261123000000000012", "110105194912310021"]
        {
            assert!(read(&with(name, Some(json!(text)))).is_ok(), "{text}");
        }
    }
    // All of them are told.
    let mut body = with("/case", Some(json!(ZHANG)));
    body["officer"] = json!(LI);
    assert_eq!(wrong(&body), [at("/case", Reason::HoldsIdNumber), at("/officer", Reason::HoldsIdNumber)]);
}

#[test]
fn what_a_question_names_is_kept() {
    let mut body = with("/case", Some(json!("2026-000123")));
    body["legal_basis"] = json!("条例第三条");
    let request = read(&body).unwrap();
    assert_eq!((request.case.as_deref(), request.legal_basis.as_deref()), (Some("2026-000123"), Some("条例第三条")));
    let names = request.names();
    assert_eq!((names.officer, names.case, names.legal_basis), (request.officer.is_some(), true, true));
}

#[test]
fn a_key_that_could_be_personal_is_not_repeated() {
    let body = with("/subjects/李四", Some(json!({})));
    assert_eq!(wrong(&body).iter().map(|(place, _)| place.as_str()).collect::<Vec<_>>(), ["/subjects"]);
    let body = with(&format!("/{LI}"), Some(json!(1)));
    assert_eq!(wrong(&body).iter().map(|(place, _)| place.as_str()).collect::<Vec<_>>(), [""]);
}

#[test]
fn a_small_body_makes_no_large_reply() {
    let many = (0..5_000).map(|index| (format!("{index}"), json!(0))).collect::<Map<_, _>>();
    assert_eq!(wrong(&Value::Object(many)).len(), MAX_ERRORS);
}

proptest! {
    #[test]
    fn whatever_is_wrong_is_told_without_its_value(
        name in "\\PC{0,12}", number in "[0-9Xx]{14,19}|\\PC{0,20}", text in "\\PC{0,70}",
    ) {
        let mut body = spouses();
        body["subjects"]["person"] = json!({"name": name, "id_number": number});
        body["case"] = json!(text);
        body["parameters"]["on"] = json!(text);
        if let Err(errors) = read(&body) {
            prop_assert!(!errors.is_empty());
            for error in errors {
                let told = format!("{} {}", error.pointer, error.reason.text(true));
                // A short text stands in many a sentence by chance.
                prop_assert!(number.len() < 14 || !told.contains(&number));
                prop_assert!(text.len() < 20 || !told.contains(&text));
            }
        }
    }
}
