use std::fs;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::future::join_all;
use rusqlite::Connection;
use serde_json::Value;

use super::town::{Departments, Gateway, agency, is_divorced, until};

const QUESTIONS: usize = 200;
const AT_ONCE: usize = 50;

/// Whether an application for this question was being sent when the process ended.
fn was_interrupted(reply: &Value) -> bool {
    reply["witnesses"].as_array().unwrap().iter().any(|witness| witness["cause"] == "interrupted")
}

/// Asks, and returns the ids. Every question is kept before its reply.
async fn ask(gateway: &Gateway, people: &[Value]) -> Vec<String> {
    let asked = people.iter().map(async |person| {
        let reply = gateway.ask("fund", &is_divorced(person), &[("prefer", "respond-async")]).await;
        assert_eq!(reply.status, 202, "{reply:?}");
        assert_eq!(reply.header("location"), format!("/v1/verifications/{}", reply.id()));
        assert!(reply.header("retry-after").parse::<u32>().unwrap() >= 1);
        reply.id().to_owned()
    });
    futures_util::stream::iter(asked).buffered(16).collect().await
}

#[tokio::test]
async fn no_question_is_lost_when_the_process_is_killed() {
    let departments = Departments::start(&["--population", "16000", "--court-delay", "3000"]);
    let mut people = departments.divorced_in_court().await;
    people.truncate(QUESTIONS);
    assert_eq!(people.len(), QUESTIONS);
    let mut gateway = Gateway::started(&departments, &[agency("fund", true, "")], &[]).await;
    let mut ids = Vec::new();
    for some in people.chunks(AT_ONCE) {
        ids.extend(ask(&gateway, some).await);
        kill_and_start(&mut gateway, &ids).await;
    }
    kill_and_start(&mut gateway, &ids).await;
    let outcomes: Vec<Value> = join_all(ids.iter().map(|id| gateway.outcome("fund", id))).await;
    let (mut true_ones, mut interrupted) = (0, 0);
    for (reply, person) in outcomes.iter().zip(&people) {
        match reply["outcome"].as_str().unwrap() {
            "confirmed" => true_ones += 1,
            "unavailable" => interrupted += usize::from(was_interrupted(reply)),
            other => panic!("{other}: {reply} {person}"),
        }
    }
    println!("{true_ones} of {QUESTIONS} were answered, {interrupted} were just being sent");
    // Only those applications are in doubt that were on their way at one of the moments.
    assert!(true_ones + interrupted >= QUESTIONS * 9 / 10 && true_ones >= QUESTIONS / 4);
    let applications = departments.calls("court", "judgments").await;
    assert!(applications <= QUESTIONS as u64, "{applications}");
    nothing_personal_is_left(&mut gateway, &people).await;
}

#[tokio::test]
async fn an_application_in_doubt_is_not_sent_again_however_often_the_process_is_killed() {
    let departments = Departments::start(&["--population", "2000"]);
    let mut gateway = Gateway::started(&departments, &[agency("fund", true, "")], &[]).await;
    let person = departments.divorced_in_court().await.swap_remove(0);
    departments.fault("court", "judgments", "delay", 1000).await;
    let ids = ask(&gateway, &[person]).await;
    let sent = async || (departments.calls("court", "judgments").await == 1).then_some(());
    until("it has applied", sent).await;
    gateway.kill();
    departments.heal().await;
    // The next process finds the application in doubt, and is killed too before it can keep what that came to.
    let store = gateway.data().join("heyan.sqlite");
    let change = |sql| Connection::open(&store).unwrap().execute_batch(sql).unwrap();
    change("CREATE TRIGGER full BEFORE INSERT ON closed_questions BEGIN SELECT RAISE(FAIL, 'full'); END");
    gateway.start().await;
    let tried = async || gateway.log.text().contains("the store cannot keep").then_some(());
    until("the outcome could not be kept", tried).await;
    gateway.kill();
    change("DROP TRIGGER full");
    gateway.start().await;
    let reply = gateway.outcome("fund", &ids[0]).await;
    assert!(reply["outcome"] == "unavailable" && was_interrupted(&reply), "{reply}");
    assert_eq!(departments.calls("court", "judgments").await, 1);
}

/// Kills at a random moment. Whatever was asked is known at once by the next process.
async fn kill_and_start(gateway: &mut Gateway, ids: &[String]) {
    tokio::time::sleep(Duration::from_millis(fastrand::u64(0..1200))).await;
    gateway.kill();
    gateway.start().await;
    for reply in join_all(ids.iter().map(|id| gateway.show("fund", id))).await {
        assert!(reply.status == 200 || reply.status == 202, "{reply:?}");
    }
}

async fn nothing_personal_is_left(gateway: &mut Gateway, people: &[Value]) {
    gateway.signal("TERM");
    assert!(gateway.ended().await.success());
    for file in fs::read_dir(gateway.data()).unwrap() {
        let bytes = fs::read(file.unwrap().path()).unwrap_or_default();
        for text in people.iter().flat_map(|person| [&person["name"], &person["id_number"]]) {
            let text = text.as_str().unwrap().as_bytes();
            assert!(!bytes.windows(text.len()).any(|window| window == text));
        }
    }
    let file = Connection::open(gateway.data().join("heyan.sqlite")).unwrap();
    for table in ["open_questions", "applications"] {
        let rows: i64 = file.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap();
        assert_eq!(rows, 0, "{table}");
    }
}

#[tokio::test]
async fn equal_questions_that_each_want_a_new_answer_share_an_application() {
    let departments = Departments::start(&["--population", "2000", "--court-delay", "2000"]);
    let gateway = Gateway::started(&departments, &[agency("fund", true, "")], &[]).await;
    let mut question = is_divorced(&departments.divorced_in_court().await[0]);
    question["max_age"] = "0s".into();
    departments.fault("court", "judgments", "delay", 1000).await;
    // While the first is applied for, the others come.
    let asked = (0..5).map(async |number| {
        tokio::time::sleep(Duration::from_millis(150 * number)).await;
        gateway.ask("fund", &question, &[("prefer", "wait=30")]).await
    });
    for reply in join_all(asked).await {
        assert_eq!(reply.body["outcome"], "confirmed", "{reply:?}");
    }
    assert_eq!(departments.calls("court", "judgments").await, 1);
}

#[tokio::test]
async fn a_question_is_known_as_soon_as_requests_are_taken() {
    let departments = Departments::start(&["--population", "2000", "--court-delay", "600000"]);
    let people = departments.divorced_in_court().await;
    // A process that remembers nothing has to look at the disk.
    let changes = [("verifications = 20_000", "verifications = 0")];
    let mut gateway =
        Gateway::started(&departments, &[agency("fund", true, ""), agency("bank", true, "")], &changes).await;
    let ids = ask(&gateway, &people[..3]).await;
    for round in 0..2 {
        for id in &ids {
            let reply = gateway.show("fund", id).await;
            assert_eq!((reply.status, &reply.body["outcome"]), (202, &"pending".into()), "{round}: {reply:?}");
            assert_eq!(gateway.show("bank", id).await.status, 404);
        }
        gateway.kill();
        gateway.start().await;
    }
    until("all have applied", async || (departments.calls("court", "judgments").await == 3).then_some(())).await;
}
