use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use aws_lc_rs::error::Unspecified;
use tokio::sync::Semaphore;

use super::counter::Counter;
use super::oidc::Underway;
use super::once::Once;
use super::replies::Replies;
use super::seal::Seal;
use super::sessions::Sessions;
use crate::accounts::Attempts;
use crate::config::Pages;
use crate::desk::Desk;

/// What outlives a change of configuration: who has signed in, and what the pages keep.
pub struct Front {
    /// What the pages keep.
    pub(crate) desk: Desk,
    pub(super) sessions: Sessions,
    pub(super) seal: Seal,
    pub(super) once: Once,
    /// Who is on the way to another house that signs people in.
    pub(super) underway: Underway,
    pub(super) counter: Counter,
    pub(super) replies: Replies,
    /// Who has tried passwords.
    pub(super) attempts: Mutex<Attempts>,
    /// So many passwords are compared at once: a flood of them waits here, and takes nothing from those who ask questions.
    pub(super) hashing: Semaphore,
    /// So many wait for that; more are told to come again.
    pub(super) waiting: Semaphore,
    pub(super) cookies: Cookies,
    /// Whether a proxy says from where a request comes.
    pub(super) forwarded_for: bool,
    /// Where people find the gateway, if that is said.
    pub(super) address: Option<Arc<str>>,
}

/// How cookies are given. Browsers keep a `Secure` cookie only where they speak TLS, and old ones not even from this machine
/// (Chromium before 89).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cookies {
    /// Over TLS: named `__Host-`, and `Secure`.
    Secure,
    /// Over plain HTTP, which `heyan serve` takes from this machine alone.
    Plain,
}

/// From where a request comes: an extension of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Client(pub IpAddr);

impl Front {
    /// A front before this desk.
    ///
    /// # Errors
    /// If no keys can be derived from the desk's secret.
    pub fn new(desk: Desk, pages: Pages, cookies: Cookies) -> Result<Self, Unspecified> {
        Ok(Self {
            address: pages.address.clone(),
            seal: Seal::new(desk.secret())?,
            once: Once::default(),
            underway: Underway::default(),
            counter: Counter::default(),
            replies: Replies::default(),
            attempts: Mutex::default(),
            forwarded_for: pages.forwarded_for,
            sessions: Sessions::new(pages),
            hashing: Semaphore::new(HASHED_AT_ONCE),
            waiting: Semaphore::new(WAITING),
            desk,
            cookies,
        })
    }
}

/// Each takes 19 MiB and a core for tens of milliseconds.
const HASHED_AT_ONCE: usize = 2;

/// About two seconds of them.
const WAITING: usize = 64;
