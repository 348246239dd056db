//! The committee's pages, as a browser without JavaScript sees them, before a running demo.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod bad_input;
mod browser;
mod errands;
mod grants;
mod house;
mod outcomes;
mod stopped;
mod tabs;
mod town;
