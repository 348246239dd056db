//! Receipts and their keys: checked by a running gateway and by the command line, while keys are rotated and destroyed.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod command;
mod openssl;
mod page;
mod town;
mod wire;
