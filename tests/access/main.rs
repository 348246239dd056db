//! Who calls: certificates, access tokens, bearer tokens, and the TLS that they come by. The gateway is a process of its own, and
//! what stands before it speaks over real sockets.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod authority;
mod certificates;
mod door;
mod files;
mod gateway;
mod issuer;
#[path = "../shared/log.rs"]
mod log;
mod public;
mod reload;
mod rotation;
mod tokens;
#[path = "../shared/until.rs"]
mod until;
