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
#[path = "../shared/log.rs"]
mod log;
mod outcomes;
#[path = "../shared/scene.rs"]
#[expect(dead_code, reason = "other tests need more of it")]
mod scene;
mod stopped;
#[path = "../shared/tab.rs"]
mod tab;
mod tabs;
mod town;
mod traced;
mod worker;
