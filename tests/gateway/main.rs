//! A really running gateway before really running departments, over real sockets.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod asking;
mod bad_input;
mod catalog;
mod connections;
mod consistency;
mod demo;
mod privacy;
mod sources;
mod truth;
