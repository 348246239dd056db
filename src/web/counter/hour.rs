//! What each worker verified within the last hour: nothing personal, and in memory alone.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::accounts::UserName;
use crate::domain::ClaimRef;

/// The last hour of all workers.
#[derive(Default)]
pub(in crate::web) struct Hour(Mutex<HashMap<UserName, VecDeque<Done>>>);

/// A verification that somebody asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Done {
    pub(super) verification: Uuid,
    pub(super) claim: ClaimRef,
    pub(super) at: Timestamp,
}

const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// More than that nobody verifies by hand in an hour.
const MOST_OF_ONE: usize = 500;

impl Hour {
    /// Notes one.
    pub(super) fn add(&self, user: &UserName, done: Done) {
        let mut all = self.all();
        let now = done.at;
        all.retain(|_, of_one| {
            of_one.retain(|done| is_fresh(done, now));
            !of_one.is_empty()
        });
        let of_one = all.entry(user.clone()).or_default();
        of_one.push_front(done);
        of_one.truncate(MOST_OF_ONE);
    }

    /// A user's, the latest first.
    pub(super) fn of(&self, user: &UserName, now: Timestamp) -> Vec<Done> {
        let all = self.all();
        all.get(user).into_iter().flatten().filter(|done| is_fresh(done, now)).cloned().collect()
    }

    /// The one of this id, if it is the user's.
    pub(super) fn find(&self, user: &UserName, verification: Uuid, now: Timestamp) -> Option<Done> {
        self.of(user, now).into_iter().find(|done| done.verification == verification)
    }

    fn all(&self) -> MutexGuard<'_, HashMap<UserName, VecDeque<Done>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_fresh(done: &Done, now: Timestamp) -> bool {
    now.duration_since(done.at).abs() < HOUR
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_is_a_workers_own() {
        let (hour, wang, li) = (Hour::default(), "wang".parse().unwrap(), "li".parse().unwrap());
        let done = |minutes| Done {
            verification: Uuid::now_v7(),
            claim: "alive/alive".parse().unwrap(),
            at: Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minutes),
        };
        let (first, second) = (done(0), done(30));
        hour.add(&wang, first.clone());
        hour.add(&wang, second.clone());
        assert_eq!(hour.of(&wang, second.at), [second.clone(), first.clone()]);
        assert_eq!(hour.of(&li, second.at), []);
        let later = done(70);
        assert_eq!(hour.find(&wang, first.verification, later.at), None);
        hour.add(&li, later.clone());
        assert_eq!(hour.of(&wang, later.at), [second]);
    }
}
