//! A department that hangs is nobody else's problem.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use tokio::task::spawn_blocking;

use super::cases::SOURCES;
use super::cell::{self, Calls, Case, ask, calls, clear_faults, difference, set_fault};
use super::demo::Demo;
use super::overlay::{Limits, Overlay};

/// For each department a question that needs nobody else.
const ALONE: [&str; 4] = ["户籍在辽宁省", "被收养的孩子与养父母", "出生医学证明编号", "宣告死亡已被撤销"];
/// And some that need several.
const SEVERAL: [&str; 4] = ["户口在祖父母家的孩子与父母", "从未结婚", "健在", "有两个子女"];

/// Long enough that nothing times out on a busy machine; and what hangs is over when it is answered.
const LONG: Limits = Limits {
    limits: "response_timeout = \"2s\"\ndeadline = \"2s\"\nbreaker = { open = \"200ms\" }\n",
    answer_within: "10s",
    one: None,
};
const TIMES: u64 = 10;

#[tokio::test]
async fn one_that_hangs_keeps_nobody_else_waiting() {
    let overlay = Overlay::new("isolation", &LONG);
    let arguments = overlay.arguments();
    let demo = spawn_blocking(move || cell::start(&arguments)).await.unwrap();
    let mut cases = Vec::new();
    for name in ALONE.into_iter().chain(SEVERAL) {
        cases.push(cell::case(&demo, name).await);
    }
    for (source, alone) in SOURCES.into_iter().zip(ALONE) {
        let needs = |case: &Case| case.calls.keys().any(|name| name.starts_with(&format!("{source}.")));
        let others: Vec<&Case> = cases.iter().filter(|case| !needs(case)).collect();
        assert!(others.len() >= 3, "{source}");
        let before = median(&demo, &others).await;
        set_fault(&demo, source, "*", ("hang", 0), 1.0).await;
        let hanging = cases.iter().find(|case| case.name == alone).unwrap();
        // They hold whatever there is to be held while the others are asked.
        let hung = join_all((0..50).map(|_| ask(&demo, &hanging.request)));
        let (hung, during) = futures_util::future::join(hung, median(&demo, &others)).await;
        println!("{source} hangs: others took {during:?} in the middle, {before:?} without it");
        for said in hung {
            assert_eq!(said.outcome, "unavailable", "{source}");
        }
        clear_faults(&demo).await;
        cell::case(&demo, alone).await;
    }
}

/// Asks them all, one after the other. How long the median took.
async fn median(demo: &Demo, cases: &[&Case]) -> Duration {
    let ours = |calls: &Calls| {
        let needed = calls.iter().filter(|(name, _)| cases.iter().any(|case| case.calls.contains_key(*name)));
        needed.map(|(name, count)| (name.clone(), *count)).collect::<Calls>()
    };
    let (before, mut expected, mut times) = (calls(demo).await, Calls::new(), Vec::new());
    for _ in 0..TIMES {
        for case in cases {
            let began = Instant::now();
            let said = ask(demo, &case.request).await;
            times.push(began.elapsed());
            assert_eq!(said.outcome, case.truth, "{}: {:?}", case.name, said.causes);
            for (operation, count) in &case.calls {
                *expected.entry(operation.clone()).or_default() += count;
            }
        }
    }
    assert_eq!(ours(&difference(&calls(demo).await, &before)), expected);
    times.sort_unstable();
    times[times.len() / 2]
}
