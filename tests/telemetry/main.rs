//! What operators are told, over real sockets: a gateway and departments, each a process, and a collector that is not ours but
//! for its socket: it reads what comes with the standard's own messages.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod collector;
mod export;
mod lines;
mod page;
#[path = "../silence/tap.rs"]
#[expect(dead_code, reason = "other tests need more of it")]
mod tap;
#[expect(dead_code, reason = "the days need more of the town than these tests do")]
#[path = "../days/town.rs"]
mod town;
