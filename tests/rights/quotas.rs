//! How often a grant may be used.

use reqwest::Method;
use rusqlite::Connection;
use serde_json::{Value, json};

use super::town::{Departments, Gateway, Reply, is_named, send};
use super::{agency, everything};

async fn grant(gateway: &Gateway) -> Value {
    let reply = send(gateway.request(Method::GET, "/v1/me", "fund")).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.body["grants"][0].clone()
}

/// The seconds after which it may be tried again.
fn is_limited(reply: &Reply, limit: &str) -> u32 {
    assert_eq!((reply.status, &reply.body["code"]), (429, &json!("rate-limited")), "{reply:?}");
    assert_eq!((reply.header("ratelimit-limit"), reply.header("ratelimit-remaining")), (limit, "0"));
    assert_eq!(reply.header("ratelimit-reset"), reply.header("retry-after"));
    assert_eq!(reply.body["retryable"], true);
    reply.header("retry-after").parse().unwrap()
}

#[tokio::test]
async fn a_daily_quota_survives_the_process() {
    let departments = Departments::start(&["--population", "500"]);
    let agencies = [agency("fund", &[&everything("per_day = 3")])];
    let mut gateway = Gateway::started(&departments, &agencies, &[]).await;
    let people = departments.living().await;
    let key = |number: usize| [("idempotency-key", ["a", "b", "c", "d", "e", "f"][number % 6])];
    loop {
        let before = grant(&gateway).await["per_day"].clone();
        let (day, calls) = (before["until"].clone(), departments.calls("police", "person").await);
        let left = usize::try_from(before["left"].as_u64().unwrap()).unwrap();
        let mut replies = Vec::new();
        for (number, person) in people.iter().take(left).enumerate() {
            replies.push(gateway.ask("fund", &is_named(person), &key(number)).await);
            // What is said again costs nothing.
            replies.push(gateway.ask("fund", &is_named(person), &key(number)).await);
        }
        let refused = [gateway.ask("fund", &is_named(&people[9]), &[]).await];
        gateway.kill();
        gateway.start().await;
        let again = gateway.ask("fund", &is_named(&people[9]), &[]).await;
        let after = grant(&gateway).await["per_day"].clone();
        if after["until"] != day {
            // Midnight in Shanghai has come in between: the new day is as good.
            continue;
        }
        assert_eq!(left, 3);
        assert!(replies.iter().all(|reply| reply.status == 200), "{replies:?}");
        for reply in refused.iter().chain([&again]) {
            assert!(is_limited(reply, "3") <= 86_400);
        }
        assert_eq!((&after["left"], &after["limit"]), (&json!(0), &json!(3)));
        assert_eq!(departments.calls("police", "person").await - calls, 3);
        return;
    }
}

#[tokio::test]
async fn a_minute_holds_so_many() {
    let departments = Departments::start(&["--population", "500"]);
    let agencies = [agency("fund", &[&everything("per_minute = 2")]), agency("bank", &[&everything("")])];
    let gateway = Gateway::started(&departments, &agencies, &[]).await;
    let people = departments.living().await;
    let mut statuses = Vec::new();
    for person in &people[..4] {
        let reply = gateway.ask("fund", &is_named(person), &[]).await;
        if reply.status == 429 {
            assert!(is_limited(&reply, "2") <= 61);
        }
        statuses.push(reply.status);
    }
    assert_eq!(statuses, [200, 200, 429, 429]);
    assert_eq!(grant(&gateway).await["per_minute"], json!({"limit": 2, "left": 0}));
    assert_eq!(gateway.ask("bank", &is_named(&people[5]), &[]).await.status, 200);
}

#[tokio::test]
async fn what_cannot_be_counted_is_not_asked() {
    let departments = Departments::start(&["--population", "200"]);
    let agencies = [agency("fund", &[&everything("per_day = 1000000")])];
    let mut gateway = Gateway::started(&departments, &agencies, &[]).await;
    gateway.kill();
    let file = Connection::open(gateway.data().join("heyan.sqlite")).unwrap();
    file.execute_batch("ALTER TABLE quotas RENAME TO elsewhere;").unwrap();
    drop(file);
    gateway.start().await;
    let person = departments.living().await.swap_remove(0);
    let reply = gateway.ask("fund", &is_named(&person), &[]).await;
    assert_eq!((reply.status, &reply.body["code"]), (503, &json!("ledger-unavailable")), "{reply:?}");
    assert_eq!(reply.header("retry-after"), "5");
    assert_eq!(send(gateway.request(Method::GET, "/v1/me", "fund")).await.status, 503);
    assert_eq!(departments.calls("police", "person").await, 0);
    gateway.kill();
    let file = Connection::open(gateway.data().join("heyan.sqlite")).unwrap();
    file.execute_batch("ALTER TABLE elsewhere RENAME TO quotas;").unwrap();
    drop(file);
    gateway.start().await;
    assert_eq!(gateway.ask("fund", &is_named(&person), &[]).await.status, 200);
}
