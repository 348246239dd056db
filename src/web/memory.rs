//! What a user alone sees again, in memory alone: it may be personal.
//!
//! Each thing has a random id, which is all that addresses hold. It belongs to its user, so that nobody else's page shows it, in
//! whichever session. It goes a quarter of an hour after it was last used, and when its session is signed out.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::{Member, Web};
use crate::accounts::UserName;

/// Things of all users.
pub(super) struct Memory<T> {
    things: Mutex<Things<T>>,
    bounds: Bounds,
}

/// How many things there may be: the one that was longest not used gives way.
#[derive(Clone, Copy)]
pub(super) struct Bounds {
    /// Of one user.
    pub(super) of_one: usize,
    /// Of all.
    pub(super) of_all: usize,
}

struct Things<T> {
    by_id: HashMap<Uuid, Thing<T>>,
    /// Whether somebody sees to it that they go.
    is_swept: bool,
}

struct Thing<T> {
    owner: UserName,
    /// The key of the session that used it last.
    session: [u8; 32],
    used: Timestamp,
    what: T,
}

/// Who uses it.
#[derive(Clone)]
pub(super) struct User {
    name: UserName,
    session: [u8; 32],
}

/// For how long something is kept that nobody uses.
const KEPT: SignedDuration = SignedDuration::from_mins(15);

/// How often it is looked what nobody uses any more.
const SWEEP: Duration = Duration::from_secs(30);

impl User {
    /// Whoever has signed in.
    pub(super) fn of(member: &Member) -> Self {
        Self { name: member.account().user.clone(), session: *member.key() }
    }
}

impl<T: Clone + Send + 'static> Memory<T> {
    pub(super) fn new(bounds: Bounds) -> Arc<Self> {
        let things = Mutex::new(Things { by_id: HashMap::new(), is_swept: false });
        Arc::new(Self { things, bounds })
    }

    /// Keeps something, and sees to it that it goes by itself.
    pub(super) fn keep(self: &Arc<Self>, web: &Web, user: &User, id: Uuid, what: T) {
        let (clock, stop) = (web.api.gateway.clock.clone(), web.api.gateway.stop.clone());
        if !self.put(user, id, what, clock.now()) {
            return;
        }
        let memory = Arc::clone(self);
        tokio::spawn(async move {
            while stop.run_until_cancelled(tokio::time::sleep(SWEEP)).await.is_some() {
                if !memory.sweep(clock.now()) {
                    return;
                }
            }
        });
    }

    /// Keeps something. Whether nobody sees to it yet that things go: then whoever keeps this one does, until [`Self::sweep`]
    /// says that none is left.
    fn put(&self, user: &User, id: Uuid, what: T, now: Timestamp) -> bool {
        let Things { by_id, is_swept } = &mut *self.things();
        sweep(by_id, now);
        if by_id.values().filter(|other| other.owner == user.name).count() >= self.bounds.of_one {
            remove_oldest(by_id, |other| other.owner == user.name);
        }
        if by_id.len() >= self.bounds.of_all {
            remove_oldest(by_id, |_| true);
        }
        by_id.insert(id, Thing { owner: user.name.clone(), session: user.session, used: now, what });
        !std::mem::replace(is_swept, true)
    }

    /// A user's thing; `None` if there is none, or another's.
    pub(super) fn find(&self, id: Uuid, user: &User, now: Timestamp) -> Option<T> {
        self.change(id, user, now, |what| what.clone())
    }

    /// Changes a user's thing.
    pub(super) fn change<R>(
        &self,
        id: Uuid,
        user: &User,
        now: Timestamp,
        change: impl FnOnce(&mut T) -> R,
    ) -> Option<R> {
        let mut things = self.things();
        let thing = things.by_id.get_mut(&id).filter(|thing| thing.is_of(user, now))?;
        (thing.used, thing.session) = (now, user.session);
        Some(change(&mut thing.what))
    }

    /// A user's thing of which this holds.
    pub(super) fn find_by(&self, user: &User, now: Timestamp, holds: impl Fn(&T) -> bool) -> Option<(Uuid, T)> {
        let things = self.things();
        let found = things.by_id.iter().find(|(_, thing)| thing.is_of(user, now) && holds(&thing.what));
        found.map(|(id, thing)| (*id, thing.what.clone()))
    }

    /// Forgets a user's thing.
    pub(super) fn forget(&self, id: Uuid, user: &User) {
        let by_id = &mut self.things().by_id;
        if by_id.get(&id).is_some_and(|thing| thing.owner == user.name) {
            by_id.remove(&id);
        }
    }

    /// Forgets those of a user's things of which this holds.
    pub(super) fn forget_those(&self, user: &User, holds: impl Fn(&T) -> bool) {
        self.things().by_id.retain(|_, thing| thing.owner != user.name || !holds(&thing.what));
    }

    /// Forgets what was last used in a session.
    pub(super) fn forget_session(&self, session: &[u8; 32]) {
        self.things().by_id.retain(|_, thing| thing.session != *session);
    }

    /// Forgets what nobody has used for long. Whether anything is left.
    fn sweep(&self, now: Timestamp) -> bool {
        let Things { by_id, is_swept } = &mut *self.things();
        sweep(by_id, now);
        *is_swept = !by_id.is_empty();
        *is_swept
    }

    fn things(&self) -> MutexGuard<'_, Things<T>> {
        self.things.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Thing<T> {
    fn is_of(&self, user: &User, now: Timestamp) -> bool {
        self.owner == user.name && self.is_kept(now)
    }

    /// A clock that is set back keeps nothing longer.
    fn is_kept(&self, now: Timestamp) -> bool {
        now.duration_since(self.used).abs() < KEPT
    }
}

fn sweep<T>(by_id: &mut HashMap<Uuid, Thing<T>>, now: Timestamp) {
    by_id.retain(|_, thing| thing.is_kept(now));
}

fn remove_oldest<T>(by_id: &mut HashMap<Uuid, Thing<T>>, is_meant: impl Fn(&Thing<T>) -> bool) {
    let meant = by_id.iter().filter(|(_, thing)| is_meant(thing));
    if let Some(id) = meant.min_by_key(|(_, thing)| thing.used).map(|(id, _)| *id) {
        by_id.remove(&id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: Bounds = Bounds { of_one: 50, of_all: 120 };

    fn user(name: &str, session: u8) -> User {
        User { name: name.parse().unwrap(), session: [session; 32] }
    }

    fn minutes(minutes: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minutes)
    }

    #[test]
    fn a_thing_is_its_users_alone() {
        let (memory, wang, li) = (Memory::new(BOUNDS), user("wang", 1), user("li", 2));
        let (one, other) = (Uuid::now_v7(), Uuid::now_v7());
        assert!(memory.put(&wang, one, "1", minutes(0)));
        assert!(!memory.put(&li, other, "2", minutes(0)));
        assert!(memory.find(one, &li, minutes(1)).is_none());
        memory.forget(one, &li);
        assert_eq!(memory.find(one, &wang, minutes(1)), Some("1"));
        assert_eq!(memory.find_by(&wang, minutes(1), |_| true), Some((one, "1")));
    }

    #[test]
    fn a_thing_goes_by_itself_and_with_its_session() {
        let (memory, wang) = (Memory::new(BOUNDS), user("wang", 1));
        let (one, other) = (Uuid::now_v7(), Uuid::now_v7());
        memory.put(&wang, one, "1", minutes(0));
        memory.put(&wang, other, "2", minutes(0));
        assert!(memory.find(one, &user("wang", 2), minutes(14)).is_some(), "another session of the same user goes on");
        assert!(memory.find(one, &user("wang", 2), minutes(28)).is_some(), "what is used stays");
        assert!(memory.find(other, &wang, minutes(15)).is_none());
        memory.forget_session(&[1; 32]);
        assert!(memory.find(one, &user("wang", 2), minutes(29)).is_some());
        memory.forget_session(&[2; 32]);
        assert!(memory.find(one, &user("wang", 2), minutes(29)).is_none());
        assert!(!memory.sweep(minutes(29)));
        assert!(memory.put(&wang, one, "1", minutes(30)), "somebody has to see to it again");
    }

    #[test]
    fn nobody_fills_the_memory() {
        let (memory, wang, li) = (Memory::new(BOUNDS), user("wang", 1), user("li", 2));
        let first = Uuid::now_v7();
        memory.put(&li, first, "1", minutes(0));
        for _ in 0..2 * BOUNDS.of_one {
            memory.put(&wang, Uuid::now_v7(), "2", minutes(1));
        }
        assert_eq!(memory.things().by_id.len(), BOUNDS.of_one + 1);
        assert!(memory.find(first, &li, minutes(1)).is_some());
        for number in 0..2 * BOUNDS.of_all {
            memory.put(&user(&format!("user{number}"), 3), Uuid::now_v7(), "3", minutes(2));
        }
        assert_eq!(memory.things().by_id.len(), BOUNDS.of_all);
    }
}
