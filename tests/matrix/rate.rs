//! A registration that allows few calls a second.

use std::time::{Duration, Instant};

use futures_util::future::{Either, join, join_all, select};
use serde_json::{Value, json};
use tokio::task::spawn_blocking;

use super::asks::question;
use super::cell::{self, ask, calls};
use super::demo::Demo;
use super::overlay::{Limits, Overlay};

const MOST: u64 = 5;
const LIMITED: Limits = Limits {
    limits: "response_timeout = \"5s\"\ndeadline = \"5s\"\n",
    answer_within: "10s",
    one: Some(("police", "per_second = 5\n")),
};
const QUESTIONS: usize = 300;

#[tokio::test]
async fn nobody_is_asked_more_often_than_the_registration_allows() {
    let overlay = Overlay::new("rate", &LIMITED);
    let mut arguments = overlay.arguments();
    arguments[1] = "1500".to_owned();
    let demo = spawn_blocking(move || cell::start(&arguments)).await.unwrap();
    let people = demo.population().await;
    let registered =
        people.iter().filter(|one| one["registered_division"].is_string() && one["unknown_to"] == json!({}));
    let mut requests: Vec<Value> = registered
        .map(|one| question("identity/registered-in", &[("person", one)], Some(json!({"division": "21"}))))
        .take(QUESTIONS)
        .collect();
    assert_eq!(requests.len(), QUESTIONS);
    for request in &mut requests {
        request["max_age"] = json!("0s");
    }
    let other = cell::case(&demo, "出生医学证明编号").await;

    let before = calls(&demo).await["police.person"];
    let began = Instant::now();
    let burst = join_all(requests.iter().map(|request| ask(&demo, request)));
    let others = join_all((0..50).map(|_| ask(&demo, &other.request)));
    let work = Box::pin(join(burst, others));
    let (polls, (replies, others)) = watch(&demo, work).await;

    assert!(others.iter().all(|said| said.outcome == other.truth));
    for said in &replies {
        match said.outcome.as_str() {
            "confirmed" | "pending" => {}
            "unavailable" => {
                // Whose turn comes at the very end of its time may miss the answer: that is a timeout, and no call too many.
                let allowed = |cause: &String| ["rate-limited", "circuit-open", "timeout"].contains(&cause.as_str());
                assert!(said.causes.iter().all(allowed), "{:?}", said.causes);
            }
            outcome => panic!("{outcome}"),
        }
    }
    // However late calls leave and arrive where the machine is busy, they do so within a second.
    let mut most_in_half = 0;
    for (index, (asked, _, first)) in polls.iter().enumerate() {
        for (_, told, last) in &polls[index..] {
            let (within, made) = (*told - *asked, last - first);
            assert!(made <= MOST * (within.as_secs() + 2), "{made} calls within {within:?}");
            if within < Duration::from_millis(500) {
                most_in_half = made.max(most_in_half);
            }
        }
    }
    let made = calls(&demo).await["police.person"] - before;
    let seconds = began.elapsed().as_secs() + 1;
    let confirmed = replies.iter().filter(|said| said.outcome == "confirmed").count();
    println!(
        "{made} calls in {seconds} seconds; {confirmed} of {QUESTIONS} answered, at most {most_in_half} in half a second"
    );
    assert!(made >= MOST, "only {made} calls");
    assert!(made <= MOST * (seconds + 1), "{made} calls in {seconds} seconds");
}

/// Polls the calls while something goes on: when it was asked for them, when they were told, and how many there were.
async fn watch<W: Future + Unpin>(demo: &Demo, mut work: W) -> (Vec<(Instant, Instant, u64)>, W::Output) {
    let mut polls = Vec::new();
    loop {
        let sent = Instant::now();
        let poll = Box::pin(calls(demo));
        match select(work, poll).await {
            Either::Left((done, _)) => return (polls, done),
            Either::Right((calls, rest)) => {
                polls.push((sent, Instant::now(), calls["police.person"]));
                work = rest;
            }
        }
    }
}
