//! The ledger on a real disk: what is found out of those who change it, what survives, and what anybody can check.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod command;
mod damage;
mod disk;
mod proofs;
mod rfc;
mod scene;
mod tampering;
