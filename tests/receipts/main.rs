//! Receipts and their keys: checked by a running gateway and by the command line, while keys are rotated and destroyed.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

#[path = "../shared/client.rs"]
mod client;
mod command;
#[path = "../shared/demo.rs"]
mod demo;
#[path = "../shared/log.rs"]
mod log;
mod openssl;
mod page;
#[path = "../shared/reply.rs"]
mod reply;
mod town;
mod wire;
