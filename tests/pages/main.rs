//! Pages and signing in, over real sockets: a gateway in this process, whose clock stands until a test moves it, and browsers
//! that keep cookies.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod browser;
mod command;
mod forms;
mod frame;
mod lockout;
mod oidc;
mod provider;
mod recorded;
mod scene;
mod signing;
