//! Pages and signing in, over real sockets: a gateway in this process, whose clock stands until a test moves it, and browsers
//! that keep cookies.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

#[path = "../shared/browser.rs"]
mod browser;
#[path = "../shared/client.rs"]
mod client;
mod closures;
mod command;
mod forms;
mod frame;
mod house;
mod lockout;
mod oidc;
mod provider;
mod recorded;
#[path = "../shared/scene.rs"]
#[expect(dead_code, reason = "other tests need more of it")]
mod scene;
mod signing;
