//! Every fault of the departments against every operation, in a really running gateway. The table is printed by
//! `cargo test --test matrix -- --nocapture`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

#[path = "../gateway/asks.rs"]
#[expect(dead_code, reason = "it serves other tests, too")]
mod asks;
mod cases;
mod cell;
#[path = "../shared/client.rs"]
mod client;
#[path = "../shared/demo.rs"]
mod demo;
mod isolation;
#[path = "../shared/log.rs"]
mod log;
mod overlay;
mod rate;
#[path = "../shared/reply.rs"]
mod reply;
mod table;

use futures_util::future::join_all;
use tokio::task::spawn_blocking;

use cases::{ALL, FAULTS, Target};
use cell::Bench;
use overlay::{Overlay, SHORT};
use table::Row;

/// What each demo is for: an operation, and what share of its calls a fault meets. Demos stand side by side; the cells of one come
/// one after the other.
const DEMOS: [(Target, &[f64]); 11] = [
    (Target::new("police", "person"), &[1.0, 0.3]),
    (Target::new("police", "households"), &[1.0, 0.3]),
    (Target::new("civil-affairs", "marriages"), &[1.0, 0.3]),
    (Target::new("civil-affairs", "adoptions"), &[1.0, 0.3]),
    (Target::new("health", "birth"), &[1.0, 0.3]),
    (Target::new("health", "births-of"), &[1.0, 0.3]),
    (Target::new("health", "death"), &[1.0, 0.3]),
    (Target::new("court", "index"), &[1.0, 0.3]),
    // Judgments come as files, which take their time.
    (Target::new("court", "judgments"), &[1.0]),
    (Target::new("court", "judgments"), &[0.3]),
    (ALL, &[1.0, 0.3]),
];

#[tokio::test]
async fn every_fault_of_every_operation() {
    let overlay = Overlay::new("matrix", &SHORT);
    let demos = DEMOS.iter().map(async |(target, shares)| {
        let arguments = overlay.arguments();
        let demo = spawn_blocking(move || cell::start(&arguments)).await.unwrap();
        let mut bench = Bench::new(demo, target).await;
        let mut rows = Vec::new();
        for fault in &FAULTS {
            for share in *shares {
                rows.push(bench.cell(fault, target, *share).await);
            }
        }
        rows
    });
    let rows: Vec<Row> = join_all(demos).await.into_iter().flatten().collect();
    println!("{}", table::print(&rows));
    let mistakes: Vec<&str> = rows.iter().flat_map(|row| &row.mistakes).map(String::as_str).collect();
    assert!(mistakes.is_empty(), "{} mistakes:\n{}", mistakes.len(), mistakes.join("\n"));
}
