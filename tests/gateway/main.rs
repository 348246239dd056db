//! A really running gateway before really running departments, over real sockets.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod asking;
mod asks;
mod bad_input;
mod catalog;
#[path = "../shared/client.rs"]
mod client;
mod connections;
mod consistency;
#[path = "../shared/demo.rs"]
mod demo;
#[path = "../shared/log.rs"]
mod log;
mod privacy;
#[path = "../shared/reply.rs"]
mod reply;
mod sources;
mod truth;
