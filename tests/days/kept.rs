//! Questions that are kept while a department cannot be asked.

use jiff::{Timestamp, ToSpan as _, tz};
use serde_json::json;

use super::town::{Departments, Gateway, agency, is_named, until};

const ASYNC: (&str, &str) = ("prefer", "respond-async, wait=20");

#[tokio::test]
async fn a_question_waits_for_a_department_that_fails() {
    let departments = Departments::start(&["--population", "1000"]);
    let agencies = [agency("fund", true, ""), agency("bank", false, "")];
    let changes = [("again_after = \"30s\"", "again_after = \"200ms\"")];
    let mut gateway = Gateway::started(&departments, &agencies, &changes).await;
    let people = departments.living().await;
    departments.fault("police", "*", "refuse", 0).await;
    let kept = gateway.ask("fund", &is_named(&people[0]), &[ASYNC]).await;
    assert_eq!((kept.status, &kept.body["outcome"]), (202, &json!("pending")), "{kept:?}");
    assert!(kept.body["again"].is_string() && kept.header("retry-after").parse::<u32>().unwrap() >= 1, "{kept:?}");
    for (agency, preference) in [("bank", ASYNC), ("fund", ("prefer", "wait=20"))] {
        let reply = gateway.ask(agency, &is_named(&people[1]), &[preference]).await;
        assert_eq!((reply.status, &reply.body["outcome"]), (200, &json!("unavailable")), "{reply:?}");
        assert!(reply.body.get("again").is_none(), "{reply:?}");
    }
    // It is asked again and again, after a restart too.
    let again = async |gateway: &Gateway, before: &str| {
        let reply = gateway.show("fund", kept.id()).await;
        assert_eq!((reply.status, &reply.body["outcome"]), (202, &json!("pending")), "{reply:?}");
        reply.body["again"].as_str().filter(|again| *again > before).map(str::to_owned)
    };
    let first = kept.body["again"].as_str().unwrap();
    let later = until("it is asked again", async || again(&gateway, first).await).await;
    gateway.kill();
    gateway.start().await;
    until("it is asked again after a restart", async || again(&gateway, &later).await).await;
    departments.heal().await;
    assert_eq!(gateway.outcome("fund", kept.id()).await["outcome"], "confirmed");
}

#[tokio::test]
async fn a_question_waits_for_the_end_of_a_planned_outage() {
    let departments = Departments::start(&["--population", "1000"]);
    let agencies = [agency("fund", true, ""), agency("bank", false, "")];
    let mut gateway = Gateway::new(&departments, &agencies, &[]);
    let now = tz::offset(8).to_datetime(Timestamp::now());
    let (from, to) = (now - 1.hour(), now + 2.hours());
    let time = |moment: jiff::civil::DateTime| moment.strftime("%H:%M").to_string();
    let outage = format!("planned_outages = [{{ from = \"{}\", to = \"{}\" }}]", time(from), time(to));
    let police = include_str!("../../config/sources/police.toml");
    gateway.write("config/sources/police.toml", &police.replacen("[limits]", &format!("[limits]\n{outage}"), 1));
    gateway.start().await;
    let person = departments.living().await.swap_remove(0);
    let reply = gateway.ask("fund", &is_named(&person), &[ASYNC]).await;
    let end = tz::offset(8).to_timestamp(to.date().at(to.hour(), to.minute(), 0, 0)).unwrap();
    assert_eq!((reply.status, &reply.body["again"]), (202, &json!(end.to_string())), "{reply:?}");
    let wait: i64 = reply.header("retry-after").parse().unwrap();
    assert!((6_900..=7_200).contains(&wait), "{wait}");
    let reply = gateway.ask("bank", &is_named(&person), &[ASYNC]).await;
    assert_eq!((reply.status, &reply.body["outcome"]), (200, &json!("unavailable")), "{reply:?}");
    assert_eq!(reply.body["witnesses"][0]["cause"], "planned-outage");
    assert_eq!(departments.calls("police", "person").await, 0);
}
