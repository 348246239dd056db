//! The operator's console before a running demo whose departments fail.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod acts;
mod browser;
mod figures;
mod night;
mod town;
mod traces;
