//! What each department says of the planted cases, and what it refuses.

use std::time::{Duration, Instant};

use heyan::simulator::{Options, Simulator};
use serde_json::{Value, json};

use super::client::{
    ask_civil_affairs, ask_court, ask_health, ask_police, civil_key, court_token, police, police_body, police_rows,
    truth_of,
};
use super::{address, member, options, start};

#[tokio::test]
async fn the_police_know_who_is_registered_where() {
    let simulator = start().await;
    let police = address(&simulator, "police");
    let person = member(&simulator, "rare-name", "person");
    let (code, rows) = ask_police(&police, "S-RK-001", &person.id_number).await;
    assert_eq!(code, "000");
    let truth = truth_of(&simulator.control(), &person.id_number).await;
    assert_eq!(rows[0]["XM"], "袁𠮷祥");
    assert_eq!((&rows[0]["HH"], &rows[0]["SSXQ"]), (&truth["household"], &truth["registered_division"]));
    assert_eq!((&rows[0]["ZXBS"], &rows[0]["ZXRQ"]), (&json!("0"), &json!("")));

    let dead = member(&simulator, "died", "person");
    let (_, rows) = ask_police(&police, "S-RK-001", &dead.id_number).await;
    let died = truth_of(&simulator.control(), &dead.id_number).await["died"].as_str().unwrap().replace('-', "");
    assert_eq!((&rows[0]["ZXBS"], &rows[0]["ZXYY"], &rows[0]["ZXRQ"]), (&json!("1"), &json!("1"), &json!(died)));

    let fresh = member(&simulator, "died-yesterday", "person");
    let (_, rows) = ask_police(&police, "S-RK-001", &fresh.id_number).await;
    assert_eq!(rows[0]["ZXBS"], "0");
    assert_eq!(ask_police(&police, "S-RK-001", "21010219000101001X").await.0, "001");
}

#[tokio::test]
async fn the_police_list_everybody_of_present_and_former_households() {
    let simulator = start().await;
    let police = address(&simulator, "police");
    let [parent, child] = ["parent", "child"].map(|role| member(&simulator, "parent-before-1996", role).id_number);
    let (_, rows) = ask_police(&police, "S-HJ-002", &child).await;
    let rows = rows.as_array().unwrap();
    let row = rows.iter().find(|row| row["GMSFHM"] == child.as_str()).unwrap();
    let head = rows.iter().find(|one| one["HH"] == row["HH"] && one["GMSFHM"] == parent.as_str()).unwrap();
    assert_eq!((&row["YHZGX"], &head["YHZGX"]), (&json!("21"), &json!("02")));
    assert_ne!(row["CHRQ"], "");

    let [child, parent, elder] =
        ["child", "parent", "grandparent"].map(|role| member(&simulator, "grandparents-household", role).id_number);
    let (_, rows) = ask_police(&police, "S-HJ-002", &child).await;
    let listed: Vec<&Value> = rows.as_array().unwrap().iter().map(|row| &row["GMSFHM"]).collect();
    assert!(listed.contains(&&json!(elder)) && !listed.contains(&&json!(parent)));
}

#[tokio::test]
async fn the_police_refuse_what_is_not_in_order() {
    let simulator = start().await;
    let address = address(&simulator, "police");
    let person = member(&simulator, "alive", "person").id_number;
    let good = police_body("S-RK-001", &person);
    let code = async |body: &Value, secret: &str| police_rows(&police(&address, body, secret).await.unwrap().json()).0;
    assert_eq!(code(&good, "demo-police-secret").await, "000");
    assert_eq!(code(&good, "wrong").await, "900");
    for (pointer, value, expected) in [
        ("/Params/Condition", format!("GMSFHM='{person}' OR '1'='1'"), "901"),
        ("/Params/Condition", "GMSFHM='x'' OR ''1''=''1'".to_owned(), "001"),
        ("/EndUser/CallReason", " ".to_owned(), "902"),
        ("/EndUser/UserDept", String::new(), "902"),
        ("/Params/RequiredItems", "XM,MZ".to_owned(), "903"),
        ("/SenderId", "OTHER".to_owned(), "900"),
    ] {
        let mut body = good.clone();
        *body.pointer_mut(pointer).unwrap() = json!(value);
        assert_eq!(code(&body, "demo-police-secret").await, expected, "{pointer}");
    }
    let mut fewer = good.clone();
    fewer["Params"]["RequiredItems"] = json!("XM");
    let (_, rows) = police_rows(&police(&address, &fewer, "demo-police-secret").await.unwrap().json());
    assert_eq!(rows[0].as_object().unwrap().len(), 1);
}

#[tokio::test]
async fn civil_affairs_know_marriages_and_what_they_were_told_of_their_end() {
    let simulator = start().await;
    let address = address(&simulator, "civil-affairs");
    let key = civil_key(&address, "demo-civil-first-key").await["data"]["secret"].as_str().unwrap().to_owned();
    let later = civil_key(&address, "demo-civil-first-key").await["data"]["secret"].as_str().unwrap().to_owned();
    assert_ne!(key, later);
    let ask = async |case: &str, method: &str| {
        let role = if case == "adopted" { "child" } else { "person" };
        let person = member(&simulator, case, role);
        ask_civil_affairs(&address, &key, method, &person.id_number, "公积金提取").await
    };
    for (case, reason) in [("spouses", ""), ("divorced", "LH"), ("divorced-by-court", ""), ("widowed", "SW")] {
        let reply = ask(case, "marriage").await;
        assert_eq!((&reply["code"], &reply["biz_data"]["result"][0]["zxyy"]), (&json!("1"), &json!(reason)), "{case}");
    }
    let records = ask("widowed-remarried", "marriage").await;
    assert_eq!(records["biz_data"]["result"].as_array().unwrap().len(), 2);
    let none = ask("unmarried", "marriage").await;
    assert_eq!(none, json!({ "code": "0", "msg": "未查询到记录", "biz_data": { "result": [] } }));

    let adoption = ask("adopted", "adoption").await["biz_data"]["result"][0].clone();
    let parent = member(&simulator, "adopted", "adoptive_parent_2");
    assert_eq!(adoption["syr"][1], json!({ "xm": parent.name, "sfzh": parent.id_number }));
    assert_eq!(adoption["sfm"][1]["sfzh"], member(&simulator, "adopted", "birth_parent").id_number);

    let person = member(&simulator, "spouses", "person").id_number;
    assert_eq!(ask_civil_affairs(&address, "old", "marriage", &person, "x").await["code"], "A401");
    assert_eq!(ask_civil_affairs(&address, &key, "marriage", &person, "").await["code"], "P400");
    assert_eq!(ask_civil_affairs(&address, &key, "passport", &person, "x").await["code"], "P400");
    assert_eq!(civil_key(&address, "wrong").await["code"], "A401");
}

#[tokio::test]
async fn health_knows_births_from_1996_on_and_deaths() {
    let simulator = start().await;
    let address = address(&simulator, "health");
    let ask = async |case: &str, role: &str, kind: &str| {
        let person = member(&simulator, case, role);
        ask_health(&address, "demo-health-token", kind, &person.id_number).await.unwrap()
    };
    let birth = ask("birth", "child", "child").await;
    let case = simulator.cast().iter().find(|case| case.name == "birth").unwrap();
    assert!(birth.contains("<code>200</code>"), "{birth}");
    assert!(birth.contains(&format!("<csyxzmbh>{}</csyxzmbh>", case.parameters["certificate_number"])));
    assert!(birth.contains(&format!("<mqsfzh>{}</mqsfzh>", case.people["parent"].id_number)));
    assert_eq!(ask("has-children", "person", "parent").await.matches("<row>").count(), 2);
    assert!(ask("parent-before-1996", "child", "child").await.contains("<code>404</code>"));
    assert!(ask("died-yesterday", "person", "").await.contains("<code>200</code>"));
    assert!(ask("declared-dead", "person", "").await.contains("<code>404</code>"));
    assert!(ask("alive", "person", "").await.contains("<code>404</code>"));

    let person = member(&simulator, "birth", "child").id_number;
    assert!(ask_health(&address, "wrong", "child", &person).await.unwrap().contains("<code>401</code>"));
    assert!(ask_health(&address, "demo-health-token", "uncle", &person).await.unwrap().contains("<code>400</code>"));
}

/// The court's feedback, as soon as it is there.
async fn feedback(address: &str, token: &str, number: &Value) -> Value {
    let fetch = json!({ "sqbh": number, "org": "测试部门", "reason": "公积金提取" });
    let begin = Instant::now();
    loop {
        let reply = ask_court(address, token, "feedback", &fetch).await.json();
        if reply["code"] != "2" {
            return reply;
        }
        assert!(begin.elapsed() < Duration::from_secs(5));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn the_court_answers_from_its_index_at_once_and_with_judgments_later() {
    let simulator = start().await;
    let address = address(&simulator, "court");
    let token = court_token(&address).await;
    let body = |case: &str| {
        let person = member(&simulator, case, "person");
        json!({ "sfzh": person.id_number, "xm": person.name, "org": "测试部门", "reason": "公积金提取" })
    };
    for (case, kinds) in [
        ("divorced-by-court", json!(["divorce"])),
        ("declared-dead", json!(["declared-dead"])),
        ("declared-dead-revoked", json!([])),
        ("declared-missing", json!(["declared-missing"])),
        ("divorced", json!([])),
    ] {
        assert_eq!(ask_court(&address, &token, "index", &body(case)).await.json()["kinds"], kinds, "{case}");
    }
    let number = ask_court(&address, &token, "apply", &body("declared-dead-revoked")).await.json()["sqbh"].clone();
    let fetch = json!({ "sqbh": number, "org": "测试部门", "reason": "公积金提取" });
    assert_eq!(ask_court(&address, &token, "feedback", &fetch).await.json(), json!({ "code": "2" }));
    let feedback = feedback(&address, &token, &number).await;
    assert_eq!((&feedback["code"], &feedback["judgments"][0]["kind"]), (&json!("0"), &json!("declared-dead")));
    assert_ne!(feedback["judgments"][0]["revoked"], "");

    let [nobody, nonsense] = ["210102190001010022", "210102190001010023"]
        .map(|number| json!({ "sfzh": number, "xm": "a", "org": "b", "reason": "c" }));
    assert_eq!(ask_court(&address, &token, "apply", &nobody).await.json()["code"], "0");
    assert_eq!(ask_court(&address, &token, "apply", &nonsense).await.json(), json!({ "code": "3" }));
    assert_eq!(ask_court(&address, "stolen", "index", &body("divorced")).await.status, 401);
    let unknown = json!({ "sqbh": "LN1", "org": "a", "reason": "b" });
    assert_eq!(ask_court(&address, &token, "feedback", &unknown).await.json(), json!({ "code": "3" }));
    assert_eq!(ask_court(&address, &token, "index", &json!({ "sfzh": "1", "xm": "a" })).await.json()["code"], "3");
}

#[tokio::test]
async fn a_restarted_court_still_knows_what_was_applied_for() {
    let court = async |seed: u64| {
        let simulator = Simulator::start(Options { seed, ..options() }).await.unwrap();
        let address = address(&simulator, "court");
        let token = court_token(&address).await;
        (simulator, address, token)
    };
    let (simulator, before, token) = court(11).await;
    let person = member(&simulator, "divorced-by-court", "person");
    let apply = json!({ "sfzh": person.id_number, "xm": person.name, "org": "a", "reason": "b" });
    let number = ask_court(&before, &token, "apply", &apply).await.json()["sqbh"].clone();
    simulator.stop().await;

    let (_restarted, after, token) = court(11).await;
    let answer = feedback(&after, &token, &number).await;
    assert_eq!((&answer["code"], &answer["sfzh"]), (&json!("0"), &json!(person.id_number)));
    assert_eq!(answer["judgments"][0]["kind"], "divorce");
    let number = number.as_str().unwrap();
    let last = if number.ends_with('7') { "8" } else { "7" };
    let mistyped = json!(format!("{}{last}", &number[..number.len() - 1]));
    assert_eq!(feedback(&after, &token, &mistyped).await, json!({ "code": "3" }));
    let (_other, elsewhere, token) = court(12).await;
    assert_eq!(feedback(&elsewhere, &token, &json!(number)).await, json!({ "code": "3" }));
}
