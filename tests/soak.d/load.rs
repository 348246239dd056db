//! Questions, and what their answers are held against.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::reply::send;
use super::story::{Moments, Question};
use super::{Soak, pick};

/// A judgment on paper takes the simulated court 20 s, and feedback is asked for less and less often.
const PATIENCE: Duration = Duration::from_secs(90);
/// How many couples are asked about at the end, when nothing goes wrong any more.
const AT_THE_END: usize = 60;

/// Asks one question after the other until it is over.
pub(crate) async fn ask_all_the_time(soak: &Soak) {
    let mut pending = Vec::new();
    while !soak.is_over() {
        let couple = {
            let (busy, count) = (soak.busy.borrow(), soak.couples.borrow().len());
            if busy.is_empty() || fastrand::u8(..4) == 0 { fastrand::usize(..count) } else { *pick(&busy) }
        };
        let question = soak.couples.borrow()[couple].any_question();
        let asked = Asked { couple, question, started: Timestamp::now() };
        let (outcome, body) = asked.ask(soak, *pick(&[None, None, Some("0s"), Some("1s")])).await;
        soak.count(&format!("answer {outcome}"));
        if outcome == "pending" {
            pending.push((asked, body["id"].as_str().unwrap().to_owned()));
        }
    }
    for (asked, id) in pending {
        asked.follow(soak, &id).await;
    }
}

/// When all is well again, everything is answered.
pub(crate) async fn settle(soak: &Soak) {
    let mut couples = soak.busy.borrow().clone();
    couples.extend((0..AT_THE_END).map(|_| fastrand::usize(..soak.couples.borrow().len())));
    for couple in couples {
        let question = soak.couples.borrow()[couple].any_question();
        let began = Instant::now();
        loop {
            let asked = Asked { couple, question: question.clone(), started: Timestamp::now() };
            let (outcome, body) = asked.ask(soak, Some("0s")).await;
            if !["unavailable", "pending"].contains(&outcome.as_str()) {
                soak.count("answer at the end");
                break;
            }
            if began.elapsed() > PATIENCE {
                soak.wrong(&format!("all is well, and yet {}", body["witnesses"]));
                break;
            }
            sleep(Duration::from_millis(20)).await;
        }
    }
}

/// A question that was asked.
struct Asked {
    couple: usize,
    question: Question,
    started: Timestamp,
}

impl Asked {
    async fn ask(&self, soak: &Soak, max_age: Option<&str>) -> (String, Value) {
        let mut request = soak.couples.borrow()[self.couple].request(&self.question);
        if let Some(max_age) = max_age {
            request["max_age"] = json!(max_age);
        }
        let began = Instant::now();
        let reply = soak.demo.verify(&request).await;
        if began.elapsed() > super::overlay::ANSWER_WITHIN + Duration::from_millis(50) {
            soak.count("late answer");
        }
        let outcome = reply.body["outcome"].as_str().unwrap_or("none").to_owned();
        self.check(soak, &outcome, &reply.body, max_age == Some("0s"));
        (outcome, reply.body)
    }

    fn check(&self, soak: &Soak, outcome: &str, body: &Value, is_fresh: bool) {
        if ["unavailable", "pending"].contains(&outcome) {
            return;
        }
        let replied = Timestamp::now();
        let as_of = body["as_of"].as_str().and_then(|as_of| as_of.parse().ok());
        let Some(as_of) = as_of else { return soak.wrong(&format!("no answer: {body}")) };
        let couple = &soak.couples.borrow()[self.couple];
        let request = couple.request(&self.question);
        if is_fresh && as_of < self.started {
            soak.wrong(&format!("{request} is answered from {as_of}, and was asked at {}", self.started));
        }
        let truths = couple.truths(&self.question, Moments { started: self.started, as_of, replied });
        if !truths.contains(&outcome) {
            let events: Vec<String> = couple.events.iter().filter(|event| !event.void).map(describe).collect();
            soak.wrong(&format!(
                "{request} is {outcome} and not {truths:?}; asked {} as of {as_of} by {replied}; {}; {}",
                self.started,
                body["witnesses"],
                events.join(", ")
            ));
        }
    }

    /// Asks for the outcome of what was pending until it is there.
    async fn follow(&self, soak: &Soak, id: &str) {
        let began = Instant::now();
        loop {
            let request = soak.demo.request(Method::GET, &format!("/v1/verifications/{id}"));
            let reply = send(request.bearer_auth(soak.demo.text("token"))).await;
            assert!(reply.headers.contains_key("content-type"), "{}", reply.status);
            let outcome = reply.body["outcome"].as_str().unwrap_or("none").to_owned();
            if outcome != "pending" {
                soak.count(&format!("late outcome {outcome}"));
                return self.check(soak, &outcome, &reply.body, false);
            }
            if began.elapsed() > PATIENCE {
                return soak.wrong(&format!("still pending: {}", reply.body["witnesses"]));
            }
            sleep(Duration::from_millis(200)).await;
        }
    }
}

fn describe(event: &super::story::Event) -> String {
    let done = event.done.map(|done| done.to_string()).unwrap_or_default();
    let told = if event.told { " and told" } else { "" };
    format!("{} of {} known to {:?} from {} to {done}{told}", event.kind, event.who, event.known_to, event.sent)
}
