//! The operator's console before a running demo whose departments fail.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod acts;
#[path = "../shared/around.rs"]
mod around;
#[path = "../shared/browser.rs"]
mod browser;
#[path = "../shared/client.rs"]
mod client;
mod closures;
#[path = "../shared/demo.rs"]
mod demo;
mod figures;
#[path = "../shared/log.rs"]
mod log;
mod night;
#[path = "../shared/tab.rs"]
mod tab;
mod town;
mod traces;
#[path = "../shared/until.rs"]
mod until;
mod watching;
