//! A department of one operation, as its file describes it.

use serde_json::{Map, Value, json};

use super::text::Meaning;
use super::*;
use crate::departments::{Occasion, OperationRef, Question};
use crate::document::DocumentSchema;
use crate::domain::{AgencyId, Cause, Person};

const FACT: &str = r#"{
    "type": "object", "additionalProperties": false, "required": ["registered"],
    "properties": {"registered": {"type": "boolean"}}
}"#;

const REPLY: &str = r#"{
    "type": "object", "required": ["rows"],
    "properties": {
        "code": {"type": "string"},
        "name": {"type": "string"}, "born": {"type": "string"}, "holds": {"type": "boolean"},
        "rows": {"type": "array", "items": {
            "type": "object", "properties": {
                "id": {"type": "string"}, "holds": {"type": "boolean"},
                "inner": {"type": "object", "properties": {"holds": {"type": "boolean"}}}
            }
        }}
    }
}"#;

const ERROR: &str = r#"{
    "type": "object", "required": ["errors"], "additionalProperties": false,
    "properties": {"errors": {"type": "array", "items": {"type": "object", "properties": {"title": {"type": "string"}}}}}
}"#;

/// The department's file, with these lines about its operation.
fn file(operation: &str) -> String {
    format!(
        "id = \"a\"\nname = \"甲\"\naddress = \"http://127.0.0.1:1/base\"\nauthentication = {{ kind = \"none\" }}\n\
         envelope = {{}}\n[operations.registration]\nmethod = \"POST\"\nschema = \"a/reply.json\"\n\
         cache = {{ found = \"1m\", no_record = \"1m\" }}\n{operation}\n"
    )
}

fn load(text: &str) -> Result<Description, Vec<String>> {
    let schema = include_str!("../../schemas/source.schema.json");
    let surroundings = Surroundings {
        schema: &DocumentSchema::new("schema", schema).unwrap(),
        schemas: &|path| {
            let text = match path {
                "facts/unemployment.json" => FACT,
                "sources/a/reply.json" => REPLY,
                "sources/a/error.json" => ERROR,
                _ => return None,
            };
            Some((path.to_owned(), text.to_owned()))
        },
        schema_names: &["facts/unemployment.json", "sources/a/reply.json"],
        variables: &|name| (name == "KEY").then(|| "secret".to_owned()),
    };
    Description::load("a.toml", text, &surroundings).map_err(|errors| errors.iter().map(ToString::to_string).collect())
}

fn operation(text: &str) -> Operation {
    let description = load(&file(text)).unwrap_or_else(|errors| panic!("{errors:#?}"));
    description.operations.into_values().next().unwrap()
}

/// A request, whom the reply is about, and the fact.
fn about(about: &str, fact: &str) -> String {
    format!("path = \"/q\"\nabout = {about}\nfact = {{ name = \"unemployment\", {fact} }}")
}

fn person() -> Person {
    Person { id_number: "11010519491231002X".parse().unwrap(), name: Some("张三".parse().unwrap()) }
}

const OTHER: &str = "440524188001010014";

#[test]
fn a_question_is_kept_apart_by_all_that_its_answer_depends_on() {
    let known = "about = { at = [\"/name\"] }\nfact = { name = \"unemployment\", fields.registered.at = \"/holds\" }";
    let known =
        known.replace("fields.registered.at = \"/holds\"", "fields.registered = { at = \"/holds\", as = \"boolean\" }");
    let promise = operation(&format!("path = \"/{{parameters.plate_number}}\"\n{known}")).promise;
    assert_eq!(promise.parameters, ["plate_number"]);
    assert!(!promise.uses_name);
    assert!(operation(&format!("path = \"/{{name}}\"\n{known}")).promise.uses_name);
    let agree = "{ agree = { name = \"/name\", birth_date = \"/born\" } }";
    let fact = "fields.registered = { at = \"/holds\", as = \"boolean\" }";
    assert!(operation(&about(agree, fact)).promise.uses_name);
}

#[test]
fn a_fact_of_one_record_is_the_persons_own() {
    let some = "{ each = \"/rows\", at = [\"/id\"], match = \"some\" }";
    let registered = "at = \"/rows/0\", fields.registered = { at = \"/holds\", as = \"boolean\" }";
    let reading = operation(&about(some, registered)).reading;
    let me = person();
    let id = me.id_number.reveal();
    let fact = |reply: Value| reading.fact(Meaning::Ok, &reply, &me);
    let rows = json!([{"id": OTHER, "holds": true}, {"id": id, "holds": false}, {"id": id, "holds": true}]);
    assert_eq!(fact(json!({"rows": rows})), Ok(Some(json!({"registered": false}))));
    assert_eq!(fact(json!({"rows": [{"id": OTHER, "holds": true}]})), Err(Cause::WrongSubject));
    assert_eq!(fact(json!({"rows": []})), Err(Cause::WrongSubject));
    let inner = "at = \"/rows/0/inner\", fields.registered = { at = \"/holds\", as = \"boolean\" }";
    let reading = operation(&about(some, inner)).reading;
    let rows = json!([{"id": OTHER, "inner": {"holds": true}}, {"id": id, "inner": {"holds": false}}]);
    assert_eq!(reading.fact(Meaning::Ok, &json!({"rows": rows}), &me), Ok(Some(json!({"registered": false}))));
}

#[test]
fn a_reply_without_records_names_nobody() {
    let every = "{ each = \"/rows\", at = [\"/id\"] }";
    let reading = operation(&about(every, "fields.registered = { value = true }")).reading;
    assert_eq!(reading.fact(Meaning::Ok, &json!({"rows": []}), &person()), Err(Cause::WrongSubject));
}

#[test]
fn a_fact_from_what_names_nobody_is_refused() {
    let registered =
        |at: &str, field: &str| format!("at = \"{at}\", fields.registered = {{ at = \"{field}\", as = \"boolean\" }}");
    let some = "{ each = \"/rows\", at = [\"/id\"], match = \"some\" }";
    let every = "{ each = \"/rows\", at = [\"/id\"] }";
    for (whom, fact, expected) in [
        (some, registered("/rows/1", "/holds"), "the first record that names the person"),
        (some, registered("", "/rows/0/holds"), "let fact.at point to \"/rows/0\""),
        (some, registered("", "/holds"), "outside \"/rows\""),
        (every, registered("", "/holds"), "outside \"/rows\""),
        ("{ at = [\"/rows/*/id\"] }", registered("/rows/0", "/holds"), "say about.each = \"/rows\""),
        ("{ at = [\"/rows/0/id\"] }", registered("/rows/1", "/holds"), "say about.each = \"/rows\""),
        (every, registered("/rows/*", "/holds"), "this must be one place"),
    ] {
        let errors = load(&file(&about(whom, &fact))).err().unwrap_or_else(|| panic!("{whom} {fact} is accepted"));
        let right = |error: &String| error.starts_with("a.toml:12: ") && error.contains(expected);
        assert!(errors.iter().any(right), "{expected}: {errors:#?}");
    }
    for (whom, fact) in [
        (every, registered("/rows/1", "/holds")),
        ("{ at = [\"/rows/0/id\"] }", registered("/rows/0", "/holds")),
        ("{ at = [\"/rows/*/id\"] }", registered("", "/holds")),
    ] {
        assert_eq!(load(&file(&about(whom, &fact))).err(), None, "{whom} {fact}");
    }
}

fn question(plate: &str) -> Question {
    Question {
        operation: OperationRef { source: "a".parse().unwrap(), operation: "registration".parse().unwrap() },
        about: person(),
        parameters: Map::from_iter([("plate".to_owned(), json!(plate))]).into(),
        occasion: Occasion {
            agency: AgencyId("fund".parse().unwrap()),
            officer: "李梅".to_owned(),
            purpose: "pension".parse().unwrap(),
            case: None,
            legal_basis: None,
            request_id: "1".to_owned(),
            traceparent: None,
            tracestate: None,
        }
        .into(),
        not_before: None,
        within: std::time::Duration::from_secs(1),
    }
}

#[test]
fn no_value_leads_to_another_path() {
    let fact = "fields.registered = { at = \"/holds\", as = \"boolean\" }";
    let text = about("{ at = [\"/name\"] }", fact).replace("/q", "/v1/{parameters.plate}/tests");
    let operation = operation(&text);
    install_crypto();
    let client = reqwest::Client::new();
    let path = |plate: &str| {
        let question = question(plate);
        let inputs = request::QuestionInputs { question: &question, now: jiff::Timestamp::UNIX_EPOCH, captured: &[] };
        let request = operation.exchange.request.build(&client, &inputs).ok()?.build().unwrap();
        Some(request.url().path().to_owned())
    };
    for (plate, expected) in [
        ("辽A 1", Some("/base/v1/%E8%BE%BDA%201/tests")),
        ("..", None),
        (".", None),
        ("...", Some("/base/v1/.../tests")),
        ("../..", Some("/base/v1/..%2F../tests")),
        ("%2e%2e", Some("/base/v1/%252e%252e/tests")),
        ("..\\x", Some("/base/v1/..%5Cx/tests")),
        ("..;x", Some("/base/v1/..%3Bx/tests")),
    ] {
        assert_eq!(path(plate).as_deref(), expected, "{plate}");
    }
    let text = text.replace("/v1/", "/v1/%2E./");
    assert!(load(&file(&text)).unwrap_err()[0].contains("segments . and .."));
}

#[test]
fn a_status_may_be_judged_by_its_body() {
    let known = about("{ at = [\"/name\"] }", "fields.registered = { at = \"/holds\", as = \"boolean\" }");
    let with = |envelope: &str| file(&known).replace("envelope = {}", envelope);
    let load = |envelope: &str| {
        let description = load(&with(envelope)).unwrap_or_else(|errors| panic!("{errors:#?}"));
        description.operations.into_values().next().unwrap().exchange
    };
    let judged = |exchange: &Exchange, body: &str| {
        exchange.read(exchange.envelope.of_status(404).unwrap(), body.into()).map(|(meaning, _)| meaning)
    };
    let page = "<html>404</html>";
    let exchange = load(
        "envelope = { status = { 404 = \"read\" }, at = \"/code\", codes = [{ code = \"OK\", means = \"ok\" }, \
         { code = \"NF\", means = \"no-record\" }] }",
    );
    assert_eq!(judged(&exchange, r#"{"rows": [], "code": "NF"}"#), Ok(Meaning::NoRecord));
    assert_eq!(judged(&exchange, r#"{"rows": [], "code": "XX"}"#), Err(Cause::UnknownCode));
    assert_eq!(judged(&exchange, page), Err(Cause::InvalidSourceResponse));
    let exchange = load(
        "envelope = { status = { 404 = { schema = \"a/error.json\", at = \"/errors/0/title\", codes = \
         [{ code = \"Not Found\", means = \"no-record\" }] } } }",
    );
    assert_eq!(judged(&exchange, r#"{"errors": [{"title": "Not Found"}]}"#), Ok(Meaning::NoRecord));
    assert_eq!(judged(&exchange, r#"{"rows": []}"#), Err(Cause::InvalidSourceResponse));
    assert_eq!(judged(&exchange, page), Err(Cause::InvalidSourceResponse));
    for (envelope, expected) in [
        ("envelope = { status = { 404 = \"read\" } }", "give \"at\" and \"codes\""),
        ("envelope = { status = { 404 = \"raed\" } }", "did you mean \"read\"?"),
        (
            "envelope = { status = { 404 = { at = \"/code\", codes = [{ code = 1, means = \"ok\" }] } } }",
            "no code of this body can mean \"ok\"",
        ),
        (
            "envelope = { status = { 404 = { at = \"/cod\", codes = [{ code = 1, means = \"error\" }] } } }",
            "did you mean \"code\"?",
        ),
    ] {
        let errors = super::tests::load(&with(envelope)).err().unwrap();
        assert!(errors.iter().any(|error| error.contains(expected)), "{expected}: {errors:#?}");
    }
}

#[tokio::test]
async fn further_secret_headers_go_with_any_proof() {
    let known = about("{ at = [\"/name\"] }", "fields.registered = { at = \"/holds\", as = \"boolean\" }");
    for proof in ["kind = \"none\"", "kind = \"bearer\", secret = { env = \"KEY\" }"] {
        let with = |name: &str| {
            let headers = format!("{{ {proof}, secret_headers = {{ x-api-key = {{ env = \"{name}\" }} }} }}");
            file(&known).replace("{ kind = \"none\" }", &headers)
        };
        let description = load(&with("KEY")).unwrap_or_else(|errors| panic!("{errors:#?}"));
        assert!(!format!("{description:?}").contains("secret\""), "a secret is shown");
        install_crypto();
        let client = reqwest::Client::new();
        let request = client.get("http://127.0.0.1:1/");
        let request = description.authentication.apply(&client, request, None).await.unwrap().build().unwrap();
        assert_eq!(request.headers()["x-api-key"], "secret");
        assert_eq!(request.headers().contains_key("authorization"), proof.contains("bearer"));
        assert!(load(&with("NO_KEY")).unwrap_err()[0].starts_with("a.toml:4: the environment variable NO_KEY"));
    }
}

#[test]
fn the_schema_lists_every_input() {
    let schema: Value = serde_json::from_str(include_str!("../../schemas/source.schema.json")).unwrap();
    let description = schema["description"].as_str().unwrap();
    for input in request::INPUTS {
        assert!(description.contains(&format!("{{{input}}}")), "{input}");
    }
}
