use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use reqwest::{Client, Method};
use serde_json::Value;

use super::town::{Departments, Gateway, agency, is_divorced, is_named, send, until};

const IDENTITY: &str = include_str!("../../config/matters/02-identity.toml");

/// The rules of this time.
fn rules(gateway: &Gateway, time: usize) {
    let text = IDENTITY.replacen("姓名与公民身份号码一致", &format!("姓名与公民身份号码一致（第{time}版）"), 1);
    assert_ne!(text, IDENTITY);
    gateway.write("config/matters/02-identity.toml", &text);
}

#[tokio::test]
async fn a_changed_configuration_takes_over_and_a_broken_one_does_not() {
    let departments = Departments::start(&["--population", "1000"]);
    let fund = agency("fund", true, "");
    let gateway = Gateway::started(&departments, std::slice::from_ref(&fund), &[]).await;
    let person = departments.living().await.swap_remove(0);
    let rules_now = async || {
        // From new connections: every thread has changed over.
        let asked = (0..20).map(|_| gateway.post("fund", &is_named(&person), &[])).map(send);
        let mut rules: Vec<Value> =
            join_all(asked).await.into_iter().map(|reply| reply.body["rules"].clone()).collect();
        rules.dedup();
        assert_eq!(rules.len(), 1, "{rules:?}");
        rules.swap_remove(0).as_str().unwrap().to_owned()
    };
    let first = rules_now().await;
    rules(&gateway, 2);
    let (code, said) = gateway.reload().await;
    let second = rules_now().await;
    assert!(code == Some(0) && said.contains(&second) && second != first, "{said}");

    gateway.write("config/agencies/all.toml", &[fund.clone(), agency("bank", false, "")].concat());
    assert_eq!(gateway.ask("bank", &is_named(&person), &[]).await.status, 401);
    gateway.signal("HUP");
    let is_known = async || (gateway.ask("bank", &is_named(&person), &[]).await.status == 200).then_some(());
    until("the bank is known", is_known).await;
    gateway.write("config/agencies/all.toml", &fund);
    assert_eq!(gateway.reload().await.0, Some(0));
    assert_eq!(gateway.ask("bank", &is_named(&person), &[]).await.status, 401);

    gateway.write("config/matters/02-identity.toml", &IDENTITY.replacen("number = 2", "number = \"two\"", 1));
    let (code, said) = gateway.reload().await;
    assert!(code == Some(2) && said.contains("02-identity.toml:1:") && said.contains("nothing has changed"), "{said}");
    assert_eq!(rules_now().await, second);
}

#[tokio::test]
async fn nobody_notices_fifty_reloads() {
    let departments = Departments::start(&["--population", "2000", "--court-delay", "5000"]);
    let gateway = Arc::new(Gateway::started(&departments, &[agency("fund", true, LIMITS)], &[]).await);
    let people = Arc::new(departments.living().await);
    let divorced = departments.divorced_in_court().await.swap_remove(0);
    let pending = gateway.ask("fund", &is_divorced(&divorced), &[("prefer", "respond-async")]).await;
    assert_eq!(pending.status, 202, "{pending:?}");
    let (done, count) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let load = (0..8_usize).map(|number| {
        let (gateway, people, done, count) = (gateway.clone(), people.clone(), done.clone(), count.clone());
        tokio::spawn(async move {
            // One connection, kept.
            let client = Client::builder().no_proxy().pool_max_idle_per_host(1).build().unwrap();
            while !done.load(Ordering::Relaxed) {
                let index = count.fetch_add(1, Ordering::Relaxed);
                let person = &people[(index * 8 + number) % people.len()];
                let request = client.post(format!("http://{}/v1/verifications", gateway.address)).bearer_auth("fund");
                let request = request.header("content-type", "application/json").header("prefer", "wait=20");
                let reply = send(request.body(is_named(person).to_string())).await;
                assert!(reply.status == 200 && reply.body["outcome"] == "confirmed", "{reply:?}");
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        })
    });
    let load: Vec<_> = load.collect();
    for time in 0..50 {
        rules(&gateway, time);
        let (code, said) = gateway.reload().await;
        assert_eq!(code, Some(0), "{said}");
    }
    done.store(true, Ordering::Relaxed);
    join_all(load).await.into_iter().for_each(|ended| ended.unwrap());
    println!("{} requests while the configuration was reloaded 50 times", count.load(Ordering::Relaxed));
    assert_eq!(gateway.outcome("fund", pending.id()).await["outcome"], "confirmed");
    assert_eq!(departments.calls("court", "judgments").await, 1);
    assert_eq!(send(gateway.request(Method::GET, "/readyz", "")).await.status, 200);
}

/// More than a test can reach.
const LIMITS: &str = "limits = { per_second = 1000000, at_once = 100000 }";
