use std::sync::{Arc, OnceLock};

use jiff::civil::{Date, date};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::config::Folder;
use crate::matters::Catalog;
use crate::server::Installation;

fn catalog() -> &'static Arc<Catalog> {
    static CATALOG: OnceLock<Arc<Catalog>> = OnceLock::new();
    CATALOG.get_or_init(|| {
        let address = |_: &str| Some("http://127.0.0.1:9".to_owned());
        match Installation::load(&Folder::embedded(), &address) {
            Ok(installation) => Arc::clone(&installation.catalog),
            Err(errors) => panic!("{errors:?}"),
        }
    })
}

fn form(claim: &str, purposes: &[&str], case: CaseNumber) -> Form {
    let claim = Arc::clone(catalog().claim(&claim.parse().unwrap()).unwrap());
    let purposes = purposes.iter().map(|purpose| (purpose.parse().unwrap(), case)).collect();
    Form::new(claim, Offer { purposes })
}

fn typed(fields: &[(Field, &str)]) -> Typed {
    let mut typed = Typed::default();
    for (field, text) in fields {
        typed.put(*field, text);
    }
    typed
}

const TODAY: Date = date(2026, 11, 26);
const ONE: &str = "11010519491231002X";
const OTHER: &str = "440524188001010014";

#[test]
fn a_page_asks_for_one_thing() {
    let form = form("marital-status/spouses", &["pension", "passport"], CaseNumber::Welcome);
    let steps = [Step::Person(0), Step::Person(1), Step::Parameter(0), Step::Purpose, Step::Basis];
    assert_eq!(form.steps(), steps);
    assert_eq!(form.fields(Step::Purpose), [Field::Purpose, Field::Case]);
    let form = super::tests::form("alive/alive", &["pension"], CaseNumber::Unasked);
    assert_eq!(form.steps(), [Step::Person(0), Step::Basis], "what leaves no choice is not asked");
}

#[test]
fn what_is_typed_carelessly_is_read_as_it_is_meant() {
    let form = form("marital-status/spouses", &["pension"], CaseNumber::Unasked);
    let typed = typed(&[
        (Field::Name(0), " 王 秀英\r\n"),
        (Field::Number(0), "110105-19491231-002x"),
        (Field::Name(1), "阿依古丽.买买提"),
        (Field::Number(1), "４４０５２４ 18800101 0014\u{202C}"),
        (Field::Value(0), "2020年1月2日"),
        (Field::Basis, "law"),
        (Field::Law, "《社会保险法》\n第七十四条"),
    ]);
    assert_eq!(form.first_wrong(&typed, TODAY), None);
    let answers = form.read(&typed, TODAY).unwrap();
    let names: Vec<&str> = answers.people.iter().map(|person| person.name.as_ref().unwrap().reveal()).collect();
    assert_eq!(names, ["王秀英", "阿依古丽·买买提"]);
    assert_eq!(answers.people[0].id_number.reveal(), ONE);
    assert_eq!(Value::Object(answers.parameters), json!({"on": "2020-01-02"}));
    assert!(answers.legal_basis.ends_with("：《社会保险法》 第七十四条"), "{}", answers.legal_basis);
    assert_eq!(form.shown(Field::Number(0), &typed, TODAY), "110105 19491231 002X");
    assert_eq!(form.shown(Field::Value(0), &typed, TODAY), "2020年1月2日");
    assert_eq!(form.shown(Field::Purpose, &typed, TODAY), "pension");
}

#[test]
fn every_field_says_what_is_wrong_with_it() {
    let form = form("marital-status/spouses", &["pension", "passport"], CaseNumber::Demanded);
    let wrong = |step, fields: &[(Field, &str)]| form.check(step, &typed(fields), TODAY);
    let empty = [(Field::Name(0), Wrong::Name(PersonNameError::Empty)), (Field::Number(0), Wrong::Missing)];
    assert_eq!(wrong(Step::Person(0), &[]), empty);
    let same = [(Field::Number(0), ONE), (Field::Name(1), "王三"), (Field::Number(1), "110105 19491231 002x")];
    assert_eq!(wrong(Step::Person(1), &same), [(Field::Number(1), Wrong::SamePerson)]);
    let unborn = crate::domain::IdNumber::assemble("210102".parse().unwrap(), date(2030, 1, 1), 1).unwrap();
    let unborn = [(Field::Name(0), "王三"), (Field::Number(0), unborn.reveal())];
    assert_eq!(wrong(Step::Person(0), &unborn), [(Field::Number(0), Wrong::Future)]);
    assert_eq!(wrong(Step::Parameter(0), &[]), [], "it may be left out");
    assert_eq!(wrong(Step::Parameter(0), &[(Field::Value(0), "2026-11-27")]), [(Field::Value(0), Wrong::Future)]);
    assert_eq!(wrong(Step::Parameter(0), &[(Field::Value(0), "<script>")]), [(Field::Value(0), Wrong::Day)]);
    let neither = [(Field::Purpose, Wrong::NotChosen), (Field::Case, Wrong::Missing)];
    assert_eq!(wrong(Step::Purpose, &[(Field::Purpose, "bank-account")]), neither);
    let held = [(Field::Purpose, "pension"), (Field::Case, OTHER)];
    assert_eq!(wrong(Step::Purpose, &held), [(Field::Case, Wrong::HoldsNumber)]);
    assert_eq!(wrong(Step::Basis, &[]), [(Field::Basis, Wrong::NotChosen)]);
    assert_eq!(wrong(Step::Basis, &[(Field::Basis, "law"), (Field::Law, " \n")]), [(Field::Law, Wrong::Missing)]);
    for (law, why) in [
        ("随便写的", Wrong::NoLaw),
        ("《社会保险法》第七十四条 王秀英同意", Wrong::HoldsName),
        ("《社会保险法》第七十四条 13912345678", Wrong::HoldsNumber),
        ("《社会保险法》110105194912310021", Wrong::HoldsNumber),
    ] {
        let law = [(Field::Name(0), "王秀英"), (Field::Basis, "law"), (Field::Law, law)];
        assert_eq!(wrong(Step::Basis, &law), [(Field::Law, why)]);
    }
    let long = "法".repeat(201);
    assert_eq!(wrong(Step::Basis, &[(Field::Basis, "law"), (Field::Law, &long)]), [(Field::Law, Wrong::TooLong(200))]);
    assert_eq!(wrong(Step::Basis, &[(Field::Basis, "consent"), (Field::Law, &long)]), []);
}

#[test]
fn a_number_that_is_mistyped_is_not_asked_about() {
    let form = form("birth/birth-certificate-matches", &["pension"], CaseNumber::Unasked);
    let number = |text: &str| {
        let typed = typed(&[(Field::Value(0), text)]);
        (form.check(Step::Parameter(0), &typed, TODAY), form.shown(Field::Value(0), &typed, TODAY))
    };
    for text in ["V210001234", "v210001234", " Ｖ２１０００１２３４ ", "V 2100-01234"] {
        assert_eq!(number(text), (vec![], "V210001234".to_owned()), "{text}");
    }
    for text in ["V21000123", "V2100012345", "2100012345", "V21000123O", "出生证V210001234"] {
        assert_eq!(number(text), (vec![(Field::Value(0), Wrong::Shape)], text.to_owned()));
    }
}

#[test]
fn a_parent_who_is_not_the_elder_is_asked_about() {
    let people = |parent: &str, child: &str| {
        let form = form("kinship/parent-child", &["pension"], CaseNumber::Unasked);
        let place = |name: &str| form.claim().roles().iter().position(|role| role == name).unwrap();
        let typed = typed(&[(Field::Number(place("parent")), parent), (Field::Number(place("child")), child)]);
        form.swapped(&typed).map(|(parent, child)| (form.claim().roles()[parent].clone(), child != parent))
    };
    assert_eq!(people(OTHER, ONE), None, "born in 1880, and in 1949");
    assert_eq!(people(ONE, OTHER), Some(("parent".to_owned(), true)));
    assert_eq!(people(ONE, ""), None, "nothing is known of the child");
    assert_eq!(people("1", OTHER), None);
    let spouses = form("kinship/spouse", &["pension"], CaseNumber::Unasked);
    let typed = typed(&[(Field::Number(0), ONE), (Field::Number(1), OTHER)]);
    assert_eq!(spouses.swapped(&typed), None, "either may be the elder");
}

/// A claim that nobody can read at the counter would leave somebody standing there.
#[test]
fn every_claim_has_words_of_its_own() {
    for matter in catalog().matters() {
        for entry in &matter.claims {
            assert!(entry.words.is_complete(&entry.claim), "{}", entry.claim.reference());
        }
    }
}

#[test]
fn what_was_typed_is_not_printed() {
    let typed = typed(&[(Field::Name(0), "王秀英"), (Field::Number(0), ONE)]);
    assert_eq!(format!("{typed:?}"), "Typed(2 fields)");
}

#[test]
fn what_is_far_too_long_is_cut_at_a_character() {
    let typed = typed(&[(Field::Name(0), &"秀".repeat(2000))]);
    assert!(typed.text(Field::Name(0)).chars().all(|character| character == '秀'));
    assert!(typed.text(Field::Name(0)).len() <= 4096);
}

proptest! {
    #[test]
    fn whatever_is_typed_is_read_or_told_about(
        index in 0_usize..100,
        texts in proptest::collection::vec("\\PC{0,30}|[0-9X]{15,18}|[\\x00-\\u{3000}]{0,30}|consent|law|2020-01-01", 12),
    ) {
        let claims: Vec<_> = catalog().claims().collect();
        let claim = Arc::clone(claims[index % claims.len()]);
        let offer = Offer { purposes: vec![("pension".parse().unwrap(), CaseNumber::Welcome)] };
        let form = Form::new(claim, offer);
        let mut given = Typed::default();
        let fields: Vec<Field> = form.steps().iter().flat_map(|step| form.fields(*step)).collect();
        for (field, text) in fields.iter().zip(&texts) {
            given.put(*field, text);
        }
        // What has no wrong page has values, and what has values has no wrong page.
        prop_assert_eq!(form.first_wrong(&given, TODAY).is_none(), form.read(&given, TODAY).is_some());
        // What is shown again is read as the same.
        let mut again = Typed::default();
        for field in &fields {
            again.put(*field, &form.shown(*field, &given, TODAY));
        }
        for step in form.steps() {
            let (first, second) = (form.check(*step, &given, TODAY), form.check(*step, &again, TODAY));
            prop_assert_eq!(first, second);
        }
    }
}
