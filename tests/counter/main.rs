//! The committee's pages, as a browser without JavaScript sees them, before a running demo.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

#[path = "../shared/around.rs"]
mod around;
mod bad_input;
#[path = "../shared/browser.rs"]
mod browser;
#[path = "../shared/client.rs"]
mod client;
#[path = "../shared/demo.rs"]
mod demo;
mod errands;
mod grants;
mod house;
mod outcomes;
mod stopped;
#[path = "../shared/tab.rs"]
mod tab;
mod tabs;
mod town;
mod worker;
