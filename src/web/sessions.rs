//! Who has signed in: in memory alone, so that a restart ends all sessions.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest as _, Sha256};

use crate::accounts::UserName;
use crate::config::Pages;

/// The sessions of all users, by the SHA-256 of their ids: what lies in memory opens none.
pub(super) struct Sessions {
    terms: Pages,
    open: Mutex<HashMap<[u8; 32], Session>>,
}

/// Somebody who has signed in.
#[derive(Clone)]
pub(super) struct Session {
    /// Whose it is.
    pub(super) user: UserName,
    /// Of the account, when it began: another one has ended it.
    pub(super) version: i64,
    began: Timestamp,
    seen: Timestamp,
}

/// More sessions than that there are not: the one that was longest not seen gives way.
const MOST: usize = 20_000;

/// Nor of one user.
const MOST_OF_ONE: usize = 10;

impl Sessions {
    pub(super) fn new(terms: Pages) -> Self {
        Self { terms, open: Mutex::default() }
    }

    /// Begins a session. Its id is new: one that somebody else has planted in the browser is never taken up.
    pub(super) fn begin(&self, id: &[u8; 32], user: UserName, version: i64, now: Timestamp) {
        let mut open = self.open();
        open.retain(|_, session| self.is_alive(session, now));
        if open.values().filter(|session| session.user == user).count() >= MOST_OF_ONE {
            remove_oldest(&mut open, |session| session.user == user);
        }
        if open.len() >= MOST {
            remove_oldest(&mut open, |_| true);
        }
        open.insert(key(id), Session { user, version, began: now, seen: now });
    }

    /// The session of an id, which lives on if somebody is there.
    pub(super) fn find(&self, id: &[u8; 32], is_present: bool, now: Timestamp) -> Option<Session> {
        let mut open = self.open();
        let session = open.get_mut(&key(id))?;
        if !self.is_alive(session, now) {
            open.remove(&key(id));
            return None;
        }
        if is_present {
            session.seen = now;
        }
        Some(session.clone())
    }

    /// Ends one.
    pub(super) fn end(&self, id: &[u8; 32]) {
        self.open().remove(&key(id));
    }

    /// A clock that is set back makes no session longer than it may be.
    fn is_alive(&self, session: &Session, now: Timestamp) -> bool {
        let within = |since: Timestamp, most| {
            let most = SignedDuration::try_from(most).unwrap_or(SignedDuration::ZERO);
            now.duration_since(since).abs() < most
        };
        within(session.seen, self.terms.idle) && within(session.began, self.terms.longest)
    }

    fn open(&self) -> MutexGuard<'_, HashMap<[u8; 32], Session>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key(id: &[u8; 32]) -> [u8; 32] {
    Sha256::digest(id).into()
}

fn remove_oldest(open: &mut HashMap<[u8; 32], Session>, of: impl Fn(&Session) -> bool) {
    let oldest = open.iter().filter(|(_, session)| of(session)).min_by_key(|(_, session)| session.seen);
    if let Some(key) = oldest.map(|(key, _)| *key) {
        open.remove(&key);
    }
}

impl fmt::Debug for Sessions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Sessions").field("count", &self.open().len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(minutes: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + minutes * 60).unwrap()
    }

    fn sessions() -> Sessions {
        Sessions::new(Pages::default())
    }

    fn user(name: &str) -> UserName {
        name.parse().unwrap()
    }

    #[test]
    fn a_session_ends_when_nobody_is_there_and_at_the_end_of_the_day() {
        let sessions = sessions();
        sessions.begin(&[1; 32], user("wang"), 1, after(0));
        assert!(sessions.find(&[2; 32], true, after(0)).is_none());
        assert!(sessions.find(&[1; 32], false, after(14)).is_some(), "a page that refreshes itself is nobody");
        assert!(sessions.find(&[1; 32], true, after(15)).is_none());
        sessions.begin(&[1; 32], user("wang"), 1, after(0));
        assert!((1..48).all(|times| sessions.find(&[1; 32], true, after(times * 10)).is_some()));
        assert!(sessions.find(&[1; 32], true, after(480)).is_none());
        sessions.begin(&[1; 32], user("wang"), 1, after(0));
        sessions.end(&[1; 32]);
        assert!(sessions.find(&[1; 32], true, after(0)).is_none());
    }

    #[test]
    fn their_number_is_bounded_and_nobody_crowds_others_out() {
        let sessions = sessions();
        sessions.begin(&[0; 32], user("li"), 1, after(0));
        for number in 1..=30 {
            sessions.begin(&[number; 32], user("wang"), 1, after(1));
        }
        assert_eq!(sessions.open().len(), 1 + MOST_OF_ONE);
        assert!(sessions.find(&[0; 32], true, after(1)).is_some());
        assert!(sessions.find(&[30; 32], true, after(1)).is_some());
    }
}
