//! Browsers in which somebody has signed in before. What is tried in them counts by itself, so that nobody who tries elsewhere
//! locks their users out.

use axum::http::HeaderMap;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::cookies::Cookie;
use super::visit::random;
use super::{PageError, Web};
use crate::accounts::UserName;

/// A browser: a number that no other has, and for each user who has signed in there, what shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Device {
    id: [u8; 32],
    users: Vec<[u8; 16]>,
}

/// So many users of one browser are remembered.
const MOST_USERS: usize = 8;

impl Device {
    /// The browser that a request comes from; `None`: nobody has signed in there.
    pub(super) fn of(web: &Web, fields: &HeaderMap) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(Cookie::Device.read(web.front.cookies, fields)?).ok()?;
        let (id, users) = bytes.split_first_chunk()?;
        let users = users.chunks_exact(16).take(MOST_USERS).filter_map(|user| user.try_into().ok()).collect();
        Some(Self { id: *id, users })
    }

    /// Its number, if this user has signed in there.
    pub(super) fn known_to(&self, web: &Web, user: &UserName) -> Option<[u8; 32]> {
        let shown = web.front.seal.device(user, &self.id);
        let is_same = |known: &[u8; 16]| aws_lc_rs::constant_time::verify_slices_are_equal(known, &shown).is_ok();
        self.users.iter().any(is_same).then_some(self.id)
    }

    /// Lets the browser show from now on that this user has signed in there.
    pub(super) fn remember(
        this: Option<Self>,
        web: &Web,
        user: &UserName,
        fields: &mut HeaderMap,
    ) -> Result<(), PageError> {
        let Self { id, mut users } = match this {
            Some(device) => device,
            None => Self { id: random()?, users: Vec::new() },
        };
        let shown = web.front.seal.device(user, &id);
        users.retain(|known| *known != shown);
        users.push(shown);
        let users = &users[users.len().saturating_sub(MOST_USERS)..];
        let value = [&id[..], &users.concat()].concat();
        Cookie::Device.give(web.front.cookies, &URL_SAFE_NO_PAD.encode(value), fields);
        Ok(())
    }
}
