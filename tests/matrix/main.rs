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

/// The operations of each demo. Demos stand side by side; the cells of one come one after the other.
const DEMOS: [&[Target]; 6] = [
    &[Target::new("police", "person"), Target::new("police", "households")],
    &[Target::new("civil-affairs", "marriages"), Target::new("civil-affairs", "adoptions")],
    &[Target::new("health", "birth"), Target::new("health", "births-of")],
    &[Target::new("health", "death"), Target::new("court", "index")],
    &[Target::new("court", "judgments")],
    &[ALL],
];

#[tokio::test]
async fn every_fault_of_every_operation() {
    let overlay = Overlay::new("matrix", &SHORT);
    let demos = DEMOS.iter().map(async |targets| {
        let arguments = overlay.arguments();
        let demo = spawn_blocking(move || cell::start(&arguments)).await.unwrap();
        let mut bench = Bench::new(demo, targets).await;
        let mut rows = Vec::new();
        for target in *targets {
            for fault in &FAULTS {
                for share in [1.0, 0.3] {
                    rows.push(bench.cell(fault, target, share).await);
                }
            }
        }
        rows
    });
    let rows: Vec<Row> = join_all(demos).await.into_iter().flatten().collect();
    println!("{}", table::print(&rows));
    let mistakes: Vec<&str> = rows.iter().flat_map(|row| &row.mistakes).map(String::as_str).collect();
    assert!(mistakes.is_empty(), "{} mistakes:\n{}", mistakes.len(), mistakes.join("\n"));
}
