//! What replies do not tell: which part of a mismatch did not fit, and who is known to a department.

use serde_json::{Value, json};

use super::town::{Departments, Gateway, Reply, is_named};
use super::{agency, everything};

/// A reply without what is of the call: ids, moments, and its receipt, which holds no more than these and the outcome.
fn substance(reply: &Reply) -> (u16, Vec<String>, Value) {
    let mut body = reply.body.clone();
    for member in ["id", "trace_id", "request_id", "as_of", "receipt", "receipt_code"] {
        if let Some(value) = body.get_mut(member) {
            assert!(value.is_string());
            *value = Value::Null;
        }
    }
    for witness in body["witnesses"].as_array_mut().into_iter().flatten() {
        witness["as_of"] = Value::Null;
    }
    let mut headers: Vec<String> = reply.headers.keys().map(ToString::to_string).collect();
    headers.sort();
    (reply.status, headers, body)
}

#[tokio::test]
async fn a_mismatch_does_not_say_what_did_not_fit() {
    let departments = Departments::start(&["--population", "2000"]);
    let gateway = Gateway::started(&departments, &[agency("fund", &[&everything("")])], &[]).await;
    let people = departments.living().await;
    let by_number = |number: &Value| people.iter().find(|person| person["id_number"] == *number);
    let couples: Vec<(&Value, &Value)> = people
        .iter()
        .filter_map(|person| {
            let last = person["marriages"].as_array()?.last()?;
            let spouse = by_number(&last["spouse"]).filter(|_| last["to"].is_null())?;
            Some((person, spouse))
        })
        .collect();
    assert!(!couples.is_empty(), "{}", people[0]);
    let subject = |person: &Value, name: Option<&str>| json!({"name": name.map_or(person["name"].clone(), |name| json!(name)), "id_number": person["id_number"]});
    let spouses = |(one, other): (&Value, &Value), wrong: [Option<&str>; 2]| {
        json!({
            "matter": "marital-status", "claim": "spouses", "purpose": "pension", "max_age": "0s",
            "subjects": {"person": subject(one, wrong[0]), "spouse": subject(other, wrong[1])},
        })
    };
    // Civil affairs knows a couple's names, and the police those of two who never married.
    let mut single = people.iter().filter(|person| person["marriages"] == json!([]));
    let strangers = (single.next().unwrap(), single.next().unwrap());
    for pair in [couples[0], strangers] {
        let mut told = Vec::new();
        for wrong in [[Some("查无此人"), None], [None, Some("查无此人")], [Some("查无此人"), Some("查无此人")]]
        {
            let reply = gateway.ask("fund", &spouses(pair, wrong), &[]).await;
            assert_eq!(reply.body["outcome"], "mismatch", "{reply:?}");
            told.push(substance(&reply));
        }
        assert!(told.windows(2).all(|pair| pair[0] == pair[1]), "{told:#?}");
        let text = told[0].2["guidance"]["summary"].as_str().unwrap();
        assert!(text.contains("请核对姓名和公民身份号码"), "{text}");
    }
}

/// Whoever has a number and no name learns nothing by a mismatch: neither of a death, nor of an adoption, nor of a divorce.
#[tokio::test]
async fn a_mismatch_does_not_say_what_is_on_record() {
    let departments = Departments::start(&["--population", "3000"]);
    let gateway = Gateway::started(&departments, &[agency("fund", &[&everything("")])], &[]).await;
    let people = departments.population().await;
    let known = people.iter().filter(|person| person["unknown_to"] == json!({}));
    let (dead, alive): (Vec<_>, Vec<_>) = known.partition(|person| !person["died"].is_null());
    let named = |person: &Value, name: &str| json!({"name": name, "id_number": person["id_number"]});
    let right = |person: &Value| named(person, person["name"].as_str().unwrap());
    let ask = async |matter: &str, claim: &str, parameters: Value, subjects: Value| {
        let question = json!({
            "matter": matter, "claim": claim, "purpose": "pension", "max_age": "0s", "subjects": subjects,
            "parameters": parameters,
        });
        let reply = gateway.ask("fund", &question, &[]).await;
        assert_eq!(reply.body["outcome"], "mismatch", "{reply:?}");
        substance(&reply)
    };
    let wrong = "查无此人";
    let mut told = Vec::new();
    for person in [dead[0], alive[0]] {
        told.push(ask("alive", "alive", json!({}), json!({"person": named(person, wrong)})).await);
    }
    assert_eq!(told[0], told[1], "who is dead");

    let heir = |heir: Value, decedent: Value| json!({"heir": heir, "decedent": decedent});
    for relation in ["spouse", "child", "parent"] {
        let parameters = json!({"relation": relation});
        let mut told = Vec::new();
        for subjects in [
            heir(named(alive[0], wrong), right(dead[0])),
            heir(right(alive[0]), named(dead[0], wrong)),
            heir(named(alive[0], wrong), named(dead[0], wrong)),
            heir(named(alive[0], wrong), named(alive[1], wrong)),
        ] {
            told.push(ask("inheritance", "heir-of", parameters.clone(), subjects).await);
        }
        assert!(told.windows(2).all(|pair| pair[0] == pair[1]), "{told:#?}");
    }
}

#[tokio::test]
async fn somebody_unknown_is_answered_like_somebody_known() {
    let departments = Departments::start(&["--population", "500"]);
    let gateway = Gateway::started(&departments, &[agency("fund", &[&everything("")])], &[]).await;
    let person = departments.living().await.swap_remove(0);
    let nobody = json!({"name": person["name"], "id_number": "110105194912310038"});
    let mut seen = Vec::new();
    for person in [&person, &nobody] {
        let before = departments.calls("police", "person").await;
        let first = gateway.ask("fund", &is_named(person), &[]).await;
        let calls = departments.calls("police", "person").await - before;
        let again = gateway.ask("fund", &is_named(person), &[]).await;
        let names = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        let (status, headers, body) = substance(&first);
        let witness = names(&body["witnesses"][0]);
        let cached = again.body["witnesses"][0]["cached"].clone();
        seen.push((status, headers, names(&body), witness, calls, cached));
        println!("{} {}", body["outcome"], body["witnesses"]);
    }
    assert_eq!(seen[0], seen[1], "but for the outcome and its guidance nothing tells them apart");
}
