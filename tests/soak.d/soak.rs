//! Random faults at random times under load, with life going on. Every answer is held against what the departments knew
//! between its `as_of` and its arrival. Run it by `tests/soak`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

#[path = "../gateway/asks.rs"]
#[expect(dead_code, reason = "it serves tests, too")]
mod asks;
#[path = "../shared/client.rs"]
mod client;
#[path = "../shared/demo.rs"]
mod demo;
mod load;
#[path = "../shared/log.rs"]
mod log;
#[path = "../matrix/overlay.rs"]
#[expect(dead_code, reason = "it serves tests, too")]
mod overlay;
#[path = "../shared/reply.rs"]
mod reply;
mod story;
mod trouble;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use futures_util::future::{join, join_all};

use demo::Demo;
use overlay::{Overlay, SHORT};
use story::Couple;

/// What all of it shares.
struct Soak {
    demo: Demo,
    couples: RefCell<Vec<Couple>>,
    /// The couples to whom something happened last.
    busy: RefCell<Vec<usize>>,
    ends: Instant,
    counts: RefCell<BTreeMap<String, u64>>,
    wrong: Cell<u64>,
}

/// How many ask at once.
const ASKERS: usize = 8;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let minutes: f64 = arguments.first().map_or(30.0, |minutes| minutes.parse().unwrap());
    let seed: u64 = arguments.get(1).map_or(1, |seed| seed.parse().unwrap());
    fastrand::seed(seed);
    println!("{minutes} minutes, seed {seed}");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(run(Duration::from_secs_f64(minutes * 60.0), seed))
}

async fn run(length: Duration, seed: u64) -> ExitCode {
    let overlay = Overlay::new("soak", &SHORT);
    let mut arguments = overlay.arguments();
    arguments[1] = (3000 + length.as_secs() * 20).min(60_000).to_string();
    arguments.extend(["--seed".to_owned(), seed.to_string()]);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let demo = Demo::logging("off", &arguments);
    let couples = story::couples(&demo.population().await);
    println!("{} couples", couples.len());
    let soak = Soak {
        demo,
        couples: RefCell::new(couples),
        busy: RefCell::default(),
        ends: Instant::now() + length,
        counts: RefCell::default(),
        wrong: Cell::new(0),
    };
    let askers = join_all((0..ASKERS).map(|_| load::ask_all_the_time(&soak)));
    join(askers, join(trouble::life(&soak), trouble::faults(&soak))).await;
    load::settle(&soak).await;
    for (what, count) in soak.counts.borrow().iter() {
        println!("{count:>8} {what}");
    }
    println!("{:>8} wrong", soak.wrong.get());
    if soak.wrong.get() == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

impl Soak {
    fn is_over(&self) -> bool {
        Instant::now() >= self.ends
    }

    fn count(&self, what: &str) {
        *self.counts.borrow_mut().entry(what.to_owned()).or_default() += 1;
    }

    fn wrong(&self, what: &str) {
        self.wrong.set(self.wrong.get() + 1);
        println!("WRONG: {what}");
    }
}

/// One of them.
fn pick<T>(items: &[T]) -> &T {
    &items[fastrand::usize(..items.len())]
}
