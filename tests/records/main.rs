//! Improper demands and the transitional rule over real sockets: a gateway in this process, whose clock stands until a test moves
//! it, and browsers that keep cookies.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

#[path = "../shared/browser.rs"]
mod browser;
#[path = "../shared/client.rs"]
mod client;
mod committees;
mod deliberations;
mod demands;
mod figures;
mod nonsense;
#[path = "../shared/scene.rs"]
#[expect(dead_code, reason = "other tests need more of it")]
mod scene;
