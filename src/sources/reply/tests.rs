use serde_json::json;

use super::*;

const ASKED: &str = "11010519491231002X";
const OTHER: &str = "210102198001010013";

fn reading(about: About) -> Reading {
    let (rows, empty, start) = (Some(Path::new("/rows")), Empty::NoRecord, Start::At(Path::new("")));
    let fact = jsonschema::validator_for(&json!({ "type": "object" })).unwrap();
    Reading { rows, empty, about, start, fields: Vec::new(), fact }
}

fn read(about: About, meaning: Meaning, reply: &Value) -> Result<Option<Value>, Cause> {
    let person = Person { id_number: ASKED.parse().unwrap(), name: "张伟".parse().ok() };
    reading(about).fact(meaning, reply, &person)
}

fn numbers(each: Option<&str>, at: &str) -> About {
    About::Numbers { each: each.map(Path::new), at: vec![Path::new(at)], quantity: Quantity::Every }
}

#[test]
fn no_record_of_somebody_else_is_no_answer() {
    for (named, expected) in [
        (json!(ASKED), Ok(None)),
        (json!(ASKED.to_lowercase()), Ok(None)),
        (json!(""), Ok(None)),
        (Value::Null, Ok(None)),
        (json!(OTHER), Err(Cause::WrongSubject)),
        (json!("unknown"), Err(Cause::WrongSubject)),
        (json!(7), Err(Cause::WrongSubject)),
    ] {
        let reply = json!({ "of": named, "rows": [] });
        for meaning in [Meaning::NoRecord, Meaning::Ok] {
            assert_eq!(read(numbers(None, "/of"), meaning, &reply), expected, "{reply}");
        }
    }
    let silent = json!({ "rows": [] });
    assert_eq!(read(numbers(None, "/of"), Meaning::NoRecord, &silent), Ok(None));
    assert_eq!(read(numbers(Some("/rows"), "/of"), Meaning::NoRecord, &silent), Ok(None));
    assert_eq!(read(numbers(None, "/of"), Meaning::NoRecord, &Value::Null), Ok(None));
}

#[test]
fn no_record_of_somebody_with_another_name_or_birth_date_is_no_answer() {
    let agree = || AgreeText { name: "/name".to_owned(), birth_date: "/born".to_owned() };
    for (reply, expected) in [
        (json!({ "name": "张伟", "born": "1949-12-31", "rows": [] }), Ok(None)),
        (json!({ "born": "19491231", "rows": [] }), Ok(None)),
        (json!({ "rows": [] }), Ok(None)),
        (json!({ "name": "张玮", "born": "1949-12-31", "rows": [] }), Err(Cause::WrongSubject)),
        (json!({ "name": "张伟", "born": "1949-12-30", "rows": [] }), Err(Cause::WrongSubject)),
    ] {
        let about = About::Agree { each: None, agree: agree() };
        assert_eq!(read(about, Meaning::NoRecord, &reply), expected, "{reply}");
    }
}
