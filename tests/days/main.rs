//! Days in the life of a gateway: departments that fail and recover, a process that is killed, a configuration that changes,
//! agencies that are told. Departments and gateway are processes of their own.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod callbacks;
mod door;
mod events;
mod kept;
mod keys;
mod killed;
mod ledger;
mod pending;
mod recorded;
mod reload;
mod replies;
mod town;
