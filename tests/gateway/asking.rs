use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use super::client::client;
use super::demo::Demo;
use super::reply::send;

#[tokio::test]
async fn every_sample_answers_as_printed() {
    let demo = Demo::shared();
    assert!(demo.list("samples").len() >= 20);
    for sample in demo.list("samples") {
        let reply = demo.verify(&sample["request"]).await;
        assert_eq!(reply.body["outcome"], sample["outcome"], "{}: {}", sample["case"], reply.body);
        assert_eq!(reply.status, if sample["outcome"] == "pending" { 202 } else { 200 });
        assert_eq!(reply.body["guidance"].is_null(), sample["outcome"] == "confirmed", "{}", reply.body);
        assert_eq!(reply.body["certificate_required"], false);
    }
    for outcome in ["confirmed", "refuted", "no_record", "mismatch", "pending", "referred"] {
        assert!(demo.list("samples").iter().any(|sample| sample["outcome"] == outcome), "no sample is {outcome}");
    }
}

#[tokio::test]
async fn a_hundred_equal_questions_at_once_are_asked_once() {
    let demo = Demo::with(&["--population", "200"]);
    let request = demo.sample("健在");
    let replies = join_all((0..100).map(|_| demo.verify(&request))).await;
    assert!(replies.iter().all(|reply| reply.body["outcome"] == "confirmed"));
    let calls = demo.calls().await;
    assert_eq!(calls["police"]["person"], 1, "{calls}");
    assert_eq!(calls["health"]["death"], 1, "{calls}");
    assert_eq!(calls["court"]["index"], 1, "{calls}");
}

#[tokio::test]
async fn no_department_is_asked_that_need_not_be() {
    let demo = Demo::with(&["--population", "200"]);
    let asked = async |case: &str| {
        let before = demo.calls().await;
        let request = demo.sample(case);
        assert_eq!(demo.verify(&request).await.status, 200);
        let after = demo.calls().await;
        let mut asked = Vec::new();
        for (source, operations) in after.as_object().unwrap() {
            for (operation, count) in operations.as_object().unwrap() {
                let earlier = before[source][operation].as_u64().unwrap_or_default();
                let own = operation == "token" || operation == "key";
                if count.as_u64().unwrap() > earlier && !own {
                    asked.push(format!("{source}.{operation}"));
                }
            }
        }
        asked.sort();
        asked.join(" ")
    };
    assert_eq!(asked("出生医学证明编号").await, "health.birth");
    assert_eq!(asked("户籍在辽宁省").await, "police.person");
    assert_eq!(asked("被收养的孩子与养父母").await, "civil-affairs.adoptions");
    assert_eq!(asked("户口在祖父母家的孩子与父母").await, "civil-affairs.adoptions health.birth");
    assert_eq!(asked("1996 年以前出生的人与父母").await, "civil-affairs.adoptions health.birth police.households");
    // No marriage, no dead spouse to look for; no judgment in the index, none to apply for.
    let unmarried = asked("从未结婚").await;
    assert!(!unmarried.contains("health") && !unmarried.contains("judgments"), "{unmarried}");
    assert_eq!(asked("宣告失踪").await, "court.index court.judgments court.judgments.fetch police.person");
    assert_eq!(asked("宣告死亡已被撤销").await, "court.index");
    assert_eq!(asked("不动产登记机构尚未接入").await, "");
}

#[tokio::test]
async fn what_takes_long_is_pending_and_can_be_asked_for_later() {
    let demo = Demo::shared();
    let reply = demo.verify_with(&demo.sample("宣告失踪"), &[("prefer", "respond-async")]).await;
    // Another test may have asked before: then the facts are known, and there is nothing to wait for.
    assert!(reply.status == 202 || reply.body["outcome"] == "confirmed", "{}", reply.body);
    let request = demo.sample("裁判文书在纸质档案中，法院需要时间");
    let reply = demo.verify_with(&request, &[("prefer", "wait=0")]).await;
    assert_eq!((reply.status, &reply.body["outcome"]), (202, &json!("pending")));
    let location = reply.headers["location"].to_str().unwrap();
    assert!(reply.headers.contains_key("retry-after"));
    let show = |token: &str| send(demo.request(Method::GET, location).bearer_auth(token));
    assert_eq!(show(&demo.text("token")).await.body["id"], reply.body["id"]);
    assert_eq!(show("somebody else").await.status, 401);
    loop {
        let now = show(&demo.text("token")).await;
        if now.status == 200 {
            assert_eq!(now.body["outcome"], "confirmed");
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
}

#[tokio::test]
async fn an_idempotency_key_replays_and_refuses_another_body() {
    let demo = Demo::with(&["--population", "200"]);
    let key = [("idempotency-key", "7f0c-1")];
    let request = demo.sample("健在");
    let first = demo.verify_with(&request, &key).await;
    let calls = demo.calls().await;
    let again = demo.verify_with(&request, &key).await;
    assert_eq!(first.body, again.body);
    assert_eq!(calls, demo.calls().await);
    let other = demo.verify_with(&demo.sample("去世"), &key).await;
    assert_eq!((other.status, &other.body["code"]), (409, &json!("idempotency-conflict")));
    for bad in [&[("idempotency-key", "")][..], &[("idempotency-key", "1"), ("idempotency-key", "2")]] {
        assert_eq!(demo.verify_with(&request, bad).await.status, 422, "{bad:?}");
    }
}

#[tokio::test]
async fn max_age_decides_whether_a_remembered_fact_serves() {
    let demo = Demo::with(&["--population", "200"]);
    let mut request = demo.sample("户籍在辽宁省");
    let cached = |reply: &Value| reply["witnesses"][0]["cached"].clone();
    assert_eq!(cached(&demo.verify(&request).await.body), false);
    assert_eq!(cached(&demo.verify(&request).await.body), true);
    request["max_age"] = json!("0s");
    assert_eq!(cached(&demo.verify(&request).await.body), false);
    assert_eq!(demo.calls().await["police"]["person"], 2);
}

#[tokio::test]
async fn a_trace_is_kept() {
    let demo = Demo::shared();
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let header = format!("00-{trace}-00f067aa0ba902b7-01");
    let reply = demo.verify_with(&demo.sample("健在"), &[("traceparent", &header)]).await;
    assert_eq!(reply.body["trace_id"], trace);
}

pub(crate) async fn set_fault(demo: &Demo, source: &str, fault: &str) {
    let body = json!({ "source": source, "operation": "*", "fault": fault }).to_string();
    assert_eq!(send(client().put(format!("{}/control/faults", demo.text("control"))).body(body)).await.status, 200);
}

#[tokio::test]
async fn a_reply_about_somebody_else_never_becomes_an_answer() {
    let demo = Demo::with(&["--population", "200"]);
    // That the court has no judgment about somebody else would make the divorced married.
    set_fault(&demo, "court", "wrong-person").await;
    let reply = demo.verify(&demo.sample("法院判决离婚，民政部门尚不知道")).await.body;
    assert_eq!(reply["outcome"], "unavailable", "{reply}");

    let demo = Demo::with(&["--population", "200"]);
    for source in ["police", "civil-affairs", "health", "court"] {
        set_fault(&demo, source, "wrong-person").await;
    }
    for sample in demo.list("samples").iter().filter(|sample| sample["outcome"] != "referred") {
        let reply = demo.verify(&sample["request"]).await.body;
        assert_eq!(reply["outcome"], "unavailable", "{}: {reply}", sample["case"]);
        let causes = reply["witnesses"].as_array().unwrap().iter().map(|witness| &witness["cause"]);
        let causes: Vec<&Value> = causes.filter(|cause| !cause.is_null()).collect();
        assert!(
            // A department that does so all the time is left alone.
            !causes.is_empty() && causes.iter().all(|cause| *cause == "wrong-subject" || *cause == "circuit-open"),
            "{}: {reply}",
            sample["case"]
        );
    }
}

#[tokio::test]
async fn departments_know_where_the_gateway_is() {
    let demo = Demo::with(&["--population", "200"]);
    let person = &demo.sample("健在")["subjects"]["person"]["id_number"];
    let today = heyan::clock::day_of(jiff::Timestamp::now()).to_string();
    let event = json!({"kind": "death", "persons": [person], "on": today, "known_to": ["health"], "notify": true});
    let reply = send(client().post(format!("{}/control/events", demo.text("control"))).body(event.to_string())).await;
    // The gateway's own status: they reached it.
    assert!(reply.body["notified"]["health"].is_u64(), "{}", reply.body);
}
