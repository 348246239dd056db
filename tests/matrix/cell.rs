//! One cell of the matrix: a fault begins, questions are asked, the fault ends, and all is well again.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::cases::{Fault, Target};
use super::client::client;
use super::demo::Demo;
use super::overlay::{ANSWER_WITHIN, DEADLINE, OPEN};
use super::reply::send;
use super::table::Row;

/// How often each operation is called.
pub(crate) type Calls = BTreeMap<String, u64>;

/// A demo, and what is known of its samples.
pub(crate) struct Bench {
    pub(crate) demo: Demo,
    cases: BTreeMap<&'static str, Case>,
    /// How many calls all questions so far would have been without failures.
    asked: Calls,
}

/// A sample that was tried while nothing was wrong.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) request: Value,
    pub(crate) truth: String,
    /// The calls that its question takes.
    pub(crate) calls: Calls,
}

/// A reply as far as it matters here.
pub(crate) struct Said {
    pub(crate) outcome: String,
    pub(crate) causes: Vec<String>,
    pub(crate) took: Duration,
}

/// Waits longer than anything should take, because the machine may be busy with other things.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) fn start(arguments: &[String]) -> Demo {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    Demo::logging("off", &arguments)
}

pub(crate) async fn ask(demo: &Demo, request: &Value) -> Said {
    let began = Instant::now();
    let reply = demo.verify(request).await;
    assert!(reply.headers["content-type"].to_str().unwrap().ends_with("json"), "whatever a department does");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let witnesses = reply.body["witnesses"].as_array().into_iter().flatten();
    let causes = witnesses.filter(|witness| !witness["cause"].is_null()).map(|witness| text(&witness["cause"]));
    Said { outcome: text(&reply.body["outcome"]), causes: causes.collect(), took: began.elapsed() }
}

/// Calls by `source.operation`; what they are authenticated with is no operation.
pub(crate) async fn calls(demo: &Demo) -> Calls {
    let report = demo.calls().await;
    let mut calls = Calls::new();
    for (source, operations) in report.as_object().unwrap() {
        for (operation, count) in operations.as_object().unwrap() {
            if !["token", "key"].contains(&operation.as_str()) {
                calls.insert(format!("{source}.{operation}"), count.as_u64().unwrap());
            }
        }
    }
    calls
}

pub(crate) fn difference(after: &Calls, before: &Calls) -> Calls {
    let more = after.iter().map(|(name, count)| (name.clone(), count - before.get(name).copied().unwrap_or_default()));
    more.filter(|(_, count)| *count > 0).collect()
}

/// Tries a sample until it is answered as it should be, which on a busy machine is not always the first time.
pub(crate) async fn case(demo: &Demo, name: &'static str) -> Case {
    let sample = demo.list("samples").iter().find(|sample| sample["case"] == name).unwrap();
    let mut request = sample["request"].clone();
    request["max_age"] = json!("0s");
    let truth = sample["outcome"].as_str().unwrap().to_owned();
    let (began, mut needed, mut right) = (Instant::now(), Calls::new(), 0);
    while right < 3 {
        let before = calls(demo).await;
        if ask(demo, &request).await.outcome == truth {
            right += 1;
            for (operation, count) in difference(&calls(demo).await, &before) {
                let most = needed.entry(operation.clone()).or_insert(count);
                if *most != count {
                    println!("{name} called {operation} {most} and {count} times");
                }
                *most = count.max(*most);
            }
        }
        assert!(began.elapsed() < PATIENCE, "{name} is never {truth}");
    }
    Case { name, request, truth, calls: needed }
}

pub(crate) async fn set_fault(demo: &Demo, source: &str, operation: &str, fault: (&str, u64), share: f64) {
    let (fault, millis) = fault;
    let body = json!({"source": source, "operation": operation, "fault": fault, "share": share, "millis": millis});
    let reply = send(client().put(format!("{}/control/faults", demo.text("control"))).body(body.to_string())).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
}

pub(crate) async fn clear_faults(demo: &Demo) {
    assert_eq!(send(client().delete(format!("{}/control/faults", demo.text("control")))).await.status, 204);
}

impl Bench {
    pub(crate) async fn new(demo: Demo, target: &Target) -> Self {
        let mut cases = BTreeMap::new();
        for name in target.cases() {
            let case = case(&demo, name).await;
            let needs = format!("{}.{}", target.source, target.operation);
            assert!(target.source == "*" || case.calls.contains_key(&needs), "{name} does not need {needs}");
            cases.insert(*name, case);
        }
        let asked = calls(&demo).await;
        Self { demo, cases, asked }
    }

    pub(crate) async fn cell(&mut self, fault: &'static Fault, target: &Target, share: f64) -> Row {
        let operation = format!("{}.{}", target.source, target.operation);
        let mut row = Row { fault: fault.name, operation, share, ..Row::default() };
        let before = calls(&self.demo).await;
        for source in target.sources() {
            set_fault(&self.demo, source, target.operation, (fault.name, fault.millis), share).await;
        }
        let mut counted = Calls::new();
        for _ in 0..if share < 1.0 { 7 } else { 4 } {
            let cases: Vec<&Case> = target.cases().iter().map(|name| &self.cases[name]).collect();
            let replies = join_all(cases.iter().map(|case| ask(&self.demo, &case.request))).await;
            for (case, said) in cases.into_iter().zip(&replies) {
                note(&mut row, case, said);
                for (operation, count) in &case.calls {
                    *self.asked.entry(operation.clone()).or_default() += count;
                    if said.causes.iter().all(|cause| cause != "circuit-open") {
                        *counted.entry(operation.clone()).or_default() += count;
                    }
                }
                judge(&mut row, fault, case, said);
            }
        }
        let made = difference(&calls(&self.demo).await, &before);
        let concerns = |name: &str| target.source == "*" || name == row.operation;
        let sum = |calls: &Calls| calls.iter().filter(|(name, _)| concerns(name)).map(|(_, count)| count).sum::<u64>();
        (row.calls, row.retries) = (sum(&made), sum(&made).saturating_sub(sum(&counted)));
        clear_faults(&self.demo).await;
        self.recover(&mut row, target).await;
        self.weigh(&mut row, fault).await;
        row
    }

    /// Waits until all is well again. Until then a question may be told that the department is left alone, and nothing else.
    async fn recover(&mut self, row: &mut Row, target: &Target) {
        let ended = Instant::now();
        for name in target.cases() {
            let case = &self.cases[name];
            loop {
                let said = ask(&self.demo, &case.request).await;
                for (operation, count) in &case.calls {
                    *self.asked.entry(operation.clone()).or_default() += count;
                }
                if said.outcome == case.truth {
                    break;
                }
                let honest = ["unavailable", "pending"].contains(&said.outcome.as_str())
                    && said.causes.iter().all(|cause| ["circuit-open", "timeout"].contains(&cause.as_str()));
                if !honest || ended.elapsed() > PATIENCE {
                    row.wrong(case, &said, "after the fault");
                    break;
                }
                sleep(OPEN / 10).await;
            }
        }
        row.recovery = ended.elapsed().as_millis();
        // Questions one after the other, on a machine that may be busy with other things.
        if ended.elapsed() > OPEN + DEADLINE + Duration::from_secs(10) {
            row.mistakes
                .push(format!("{} {} {}: well again after {}", row.fault, row.operation, row.share, row.recovery));
        }
    }

    /// Holds the calls of each operation since the start against what the questions need and the retry budget.
    async fn weigh(&mut self, row: &mut Row, fault: &Fault) {
        if !fault.causes.is_empty() && row.share >= 1.0 {
            let expected = row.causes.keys().any(|cause| fault.causes.contains(&cause.as_str()));
            if !expected {
                row.mistakes
                    .push(format!("{} {}: no {:?} among {:?}", row.fault, row.operation, fault.causes, row.causes));
            }
        }
        let told = row.outcomes.get("true").copied().unwrap_or_default();
        if fault.causes.is_empty() && told * 2 < row.questions {
            row.mistakes.push(format!("{} {}: only {told} of {}", row.fault, row.operation, row.questions));
        }
        for (operation, made) in calls(&self.demo).await {
            let asked = self.asked.get(&operation).copied().unwrap_or_default();
            // Feedback is asked for until it is there.
            if made > asked + asked / 10 + 3 && operation != "court.judgments.fetch" {
                let Row { fault, share, .. } = row;
                row.mistakes
                    .push(format!("{fault} {share}: {operation} was called {made} times for {asked} questions"));
            }
        }
    }
}

fn note(row: &mut Row, case: &Case, said: &Said) {
    row.questions += 1;
    let word = if said.outcome == case.truth { "true" } else { &said.outcome };
    *row.outcomes.entry(word.to_owned()).or_default() += 1;
    for cause in &said.causes {
        *row.causes.entry(cause.clone()).or_default() += 1;
    }
    row.slowest = row.slowest.max(said.took.as_millis());
    row.late += u64::from(said.took > ANSWER_WITHIN + Duration::from_millis(50));
}

/// What a reply must not be while the fault lasts.
fn judge(row: &mut Row, fault: &Fault, case: &Case, said: &Said) {
    let honest = ["unavailable", "pending"].contains(&said.outcome.as_str());
    let known = said.outcome == case.truth && (row.share < 1.0 || fault.causes.is_empty());
    if !honest && !known {
        row.wrong(case, said, "");
    }
    // A machine that is busy with other things makes others time out, too.
    let other = |cause: &&String| {
        !fault.causes.contains(&cause.as_str()) && !["circuit-open", "timeout"].contains(&cause.as_str())
    };
    if said.causes.iter().any(|cause| other(&cause)) {
        row.wrong(case, said, "for another cause");
    }
    if said.took > ANSWER_WITHIN + Duration::from_secs(1) {
        row.wrong(case, said, "too late");
    }
}

impl Row {
    fn wrong(&mut self, case: &Case, said: &Said, how: &str) {
        let Said { outcome, causes, took } = said;
        let Self { fault, operation, share, .. } = self;
        self.mistakes.push(format!(
            "{fault} {operation} {share}: {} is {outcome} {causes:?} {how} in {took:?}; in truth {}",
            case.name, case.truth
        ));
    }
}
