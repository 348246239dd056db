//! Expressions against an independent implementation of their language, and what is refused when they are loaded.

use cel::{Context, Program, Value as CelValue};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::compile::Names;
use super::expression::{Expression, Truth};
use super::scope::{Knowledge, Scope, WorkedOut};
use super::types::{FactShapes, Type};

fn names() -> Names {
    let row = json!({"type": "object", "additionalProperties": false, "required": ["id", "from", "to", "kinds"], "properties": {
        "id": {"type": "string"}, "from": {"type": "string", "format": "date"}, "to": {"type": "string", "format": "date"},
        "kinds": {"type": "array", "items": {"type": "string"}}
    }});
    let schema = json!({"type": "object", "additionalProperties": false, "required": ["rows", "count", "open"], "properties": {
        "rows": {"type": "array", "items": row}, "count": {"type": "integer"}, "open": {"type": "boolean"}
    }});
    let mut shapes = FactShapes::default();
    shapes.add("fact", &schema).unwrap();
    let mut names = Names::new(vec!["person".to_owned()], vec![("on".to_owned(), Type::Date)]);
    for (index, name) in ["one", "other"].into_iter().enumerate() {
        names.add_fact(name, index, shapes.shape("fact").unwrap().clone());
    }
    names
}

fn truth(expression: &Expression, facts: &[Knowledge<'_>]) -> Truth {
    expression.truth(&Scope {
        subjects: &[],
        parameters: &[],
        today: "2026-11-23",
        facts,
        worked_out: WorkedOut::default(),
    })
}

fn facts() -> impl Strategy<Value = Json> {
    let day = prop_oneof![Just("2001-01-01"), Just("2010-05-05"), Just("9999-12-31")];
    let kinds = prop::collection::vec(prop_oneof![Just("a"), Just("b")], 0..3);
    let row = ("[xy]", day.clone(), day, kinds)
        .prop_map(|(id, from, to, kinds)| json!({"id": id, "from": from, "to": to, "kinds": kinds}));
    (prop::collection::vec(row, 0..4), 0..3_i64, any::<bool>())
        .prop_map(|(rows, count, open)| json!({"rows": rows, "count": count, "open": open}))
}

/// Expressions that use everything there is but what is ours alone (`distinct`, `found`).
const EXPRESSIONS: [&str; 11] = [
    "one.rows.exists(r, r.id == 'x' && r.from <= r.to)",
    "one.rows.all(r, 'a' in r.kinds || r.to == '9999-12-31')",
    "one.rows.filter(r, r.from < '2005-01-01').size() == one.count",
    "size(one.rows.map(r, r.id)) >= other.count",
    "one.rows.exists(r, other.rows.exists(o, o.id == r.id && o.from != r.from))",
    "one.rows[0].id == 'x'",
    "one.rows[0].id.startsWith('x') || one.open",
    "one.open && other.rows[1].to > '2002-01-01'",
    "!(one.count > other.count) && (one.open == other.open)",
    "one.rows.exists(r, r.kinds.exists(k, k in ['a', 'c']))",
    "(one.open ? one.rows : other.rows).all(r, r.kinds.size() < 2)",
];

proptest! {
    /// What the independent interpreter says, ours says; where it stops with an error, ours is not true.
    #[test]
    fn known_facts_mean_what_cel_says(place in 0..EXPRESSIONS.len(), one in facts(), other in facts()) {
        let text = EXPRESSIONS[place];
        let ours = truth(&names().compile_as(text, &Type::Bool).unwrap(), &[Knowledge::Found(&one), Knowledge::Found(&other)]);
        let mut context = Context::default();
        context.add_variable("one", &one).unwrap();
        context.add_variable("other", &other).unwrap();
        match Program::compile(text).unwrap().execute(&context) {
            Ok(CelValue::Bool(theirs)) => prop_assert_eq!(ours, if theirs { Truth::True } else { Truth::False }, "{}", text),
            Ok(other) => prop_assert!(false, "{} is {:?}", text, other),
            Err(_) => prop_assert_eq!(ours, Truth::False, "{}", text),
        }
    }

    /// Whatever is said while a fact is unknown stays said, whatever the fact turns out to be.
    #[test]
    fn what_is_said_early_stays_said(place in 0..EXPRESSIONS.len(), one in facts(), other in prop::option::of(facts())) {
        let text = EXPRESSIONS[place];
        let expression = names().compile_as(text, &Type::Bool).unwrap();
        let early = truth(&expression, &[Knowledge::Found(&one), Knowledge::Unknown]);
        let late = truth(&expression, &[Knowledge::Found(&one), other.as_ref().map_or(Knowledge::NoRecord, Knowledge::Found)]);
        prop_assert!(early == Truth::Unknown || early == late, "{}: {:?}, then {:?}", text, early, late);
    }
}

#[test]
fn a_number_tells_the_year_of_birth() {
    let expression = names().compile_as("one.rows.exists(r, r.id.bornIn() == 1998)", &Type::Bool).unwrap();
    for (id, expected) in
        [("210102199803031234", Truth::True), ("210102199703031234", Truth::False), ("x", Truth::False)]
    {
        let fact = json!({"rows": [{"id": id}]});
        assert_eq!(truth(&expression, &[Knowledge::Found(&fact), Knowledge::Unknown]), expected);
    }
    assert!(names().compile_as("one.count.bornIn() == 1998", &Type::Bool).unwrap_err().contains("a text is needed"));
}

/// A named part means wherever it stands what its own text means there, however the names around it are bound.
#[test]
fn a_name_stands_for_its_text() {
    let fact = json!({"rows": [{"id": "a", "kinds": ["a"]}, {"id": "b", "kinds": []}], "count": 1});
    let mut names = names();
    for (name, text) in
        [("own", "one.rows.filter(r, r.id in r.kinds)"), ("twice", "own.map(o, o.id) + own.map(o, o.id)")]
    {
        let (expression, kind) = names.compile(text).unwrap();
        names.define(name, expression, kind);
    }
    let text = "one.rows.exists(x, own.exists(y, y.id == x.id) && twice.size() == 2) && !('b' in twice)";
    let expression = names.compile_as(text, &Type::Bool).unwrap();
    assert_eq!(truth(&expression, &[Knowledge::Found(&fact), Knowledge::Unknown]), Truth::True);
    assert_eq!(truth(&expression, &[Knowledge::Unknown, Knowledge::Unknown]), Truth::Unknown);
}

#[test]
fn what_is_misspelt_or_of_the_wrong_kind_is_refused() {
    for (text, expected) in [
        ("one.rowz.size() == 0", "did you mean \"rows\"?"),
        ("oen.count == 1", "did you mean \"one\"?"),
        ("one.rows.exist(r, true)", "did you mean \"exists\"?"),
        ("one.rows.exists(r, r.form == on)", "did you mean \"from\"?"),
        ("one.count == 'a'", "a number and a text do not go together"),
        ("one.rows.exists(r, r.from == 'soon')", "a date and a text do not go together"),
        ("one.count", "it must yield bool"),
        ("one", "\"one\" is a fact"),
        ("person == 'x'", "\"person\" is a person"),
        ("one.rows.exists(one, true)", "means something already"),
        ("one.open &&", "not an expression"),
        ("one.open ? 1 : 'a'", "do not go together"),
    ] {
        let wrong = names().compile_as(text, &Type::Bool).unwrap_err();
        assert!(wrong.contains(expected), "{text}: {wrong}");
    }
}

#[test]
fn an_expression_may_not_nest_without_end() {
    let text = "(".repeat(500) + "one.open" + &")".repeat(500);
    assert!(names().compile_as(&text, &Type::Bool).is_err());
}

#[test]
fn a_literal_is_one_that_the_value_can_be() {
    let schema = json!({"type": "object", "additionalProperties": false, "required": ["kind", "kinds"], "properties": {
        "kind": {"type": "string", "enum": ["divorce", "death"]},
        "kinds": {"type": "array", "items": {"enum": ["divorce", "death"], "type": "string"}}
    }});
    let mut shapes = FactShapes::default();
    shapes.add("fact", &schema).unwrap();
    let status = Type::OneOf(["married".to_owned(), "divorced".to_owned()].into());
    let parameters = vec![("status".to_owned(), status), ("text".to_owned(), Type::Text)];
    let mut names = Names::new(vec!["person".to_owned()], parameters);
    names.add_fact("one", 0, shapes.shape("fact").unwrap().clone());
    for text in [
        "one.kind == 'divorce' && one.kind != 'death'",
        "'divorce' in one.kinds",
        "one.kind in ['divorce', 'death']",
        "one.kinds.exists(k, k == 'death' || k == text)",
        "one.kind == text && text in one.kinds && one.kind in [text, 'death']",
        "status == 'married' ? one.kind == 'death' : person.sex == 'female'",
        "(status == 'married' ? one.kind : text) == 'whatever'",
        "(one.kinds + [text, 'x']).size() == 2 || one.kind.startsWith('di')",
    ] {
        let compiled = names.compile_as(text, &Type::Bool);
        assert!(compiled.is_ok(), "{text}: {compiled:?}");
    }
    for (text, expected) in [
        ("one.kind == 'divorcd'", "did you mean \"divorce\"?"),
        ("'divorcd' != one.kind", "did you mean \"divorce\"?"),
        ("'divorcd' in one.kinds", "did you mean \"divorce\"?"),
        ("one.kind in ['divorce', 'deth']", "did you mean \"death\"?"),
        ("one.kinds.exists(k, k == 'deth')", "did you mean \"death\"?"),
        ("status == 'maried'", "did you mean \"married\"?"),
        ("person.sex == 'women'", "valid: female, male"),
        ("status == one.kind", "never equal"),
        ("status in one.kinds", "never equal"),
        ("one.kind == 1", "do not go together"),
    ] {
        let wrong = names.compile_as(text, &Type::Bool).unwrap_err();
        assert!(wrong.contains(expected), "{text}: {wrong}");
    }
}
