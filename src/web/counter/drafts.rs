//! What a worker has typed so far, in memory alone.
//!
//! A draft has a random id, which is all that addresses hold. It belongs to its user, so that nobody else's page shows it, and
//! each check has one of its own, so that two tabs with two residents never meet. It goes a quarter of an hour after it was last
//! used, when its session is signed out, and when the worker asks for the next resident.
//!
//! Forms carry it sealed besides: whoever comes back after the session has ended signs in, and finds everything again. Why not
//! in sealed fields alone: then every page would be the reply to a form, and going back or reloading would ask to send it again.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::accounts::UserName;
use crate::counter::Typed;
use crate::domain::ClaimRef;

/// The drafts of all workers.
#[derive(Default)]
pub(in crate::web) struct Drafts(Mutex<All>);

#[derive(Default)]
struct All {
    drafts: HashMap<Uuid, Draft>,
    /// Whether somebody sees to it that drafts go.
    is_swept: bool,
}

/// What one resident has come for.
#[derive(Clone)]
pub(super) struct Draft {
    owner: UserName,
    /// The key of the session that used it last.
    session: [u8; 32],
    used: Timestamp,
    /// What was demanded.
    pub(super) demand: Demand,
    /// What is checked, once that has begun.
    pub(super) check: Option<Check>,
}

/// What was demanded of the resident, as it was typed.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Demand {
    /// What.
    pub(super) text: String,
    /// By whom.
    pub(super) by: String,
    /// On which legal basis.
    pub(super) basis: String,
}

/// A claim that is being filled in.
#[derive(Clone)]
pub(super) struct Check {
    pub(super) claim: ClaimRef,
    pub(super) typed: Typed,
    /// The pages that were sent once, by their place.
    pub(super) seen: BTreeSet<usize>,
    /// The verification, once it is asked.
    pub(super) done: Option<Uuid>,
    /// Why it was not asked.
    pub(super) stopped: Option<super::check::Stopped>,
    /// Held while it is asked, so that it is asked once.
    pub(super) asking: Arc<tokio::sync::Mutex<()>>,
}

/// Who uses a draft.
#[derive(Clone)]
pub(super) struct User {
    pub(super) name: UserName,
    pub(super) session: [u8; 32],
}

/// For how long a draft is kept that nobody uses.
const KEPT: SignedDuration = SignedDuration::from_mins(15);

/// So many drafts one user may have: the one that was longest not used gives way.
const MOST_OF_ONE: usize = 50;

/// So many there are at all.
const MOST: usize = 20_000;

impl Check {
    pub(super) fn new(claim: ClaimRef, typed: Typed, seen: BTreeSet<usize>) -> Self {
        Self { claim, typed, seen, done: None, stopped: None, asking: Arc::default() }
    }
}

impl Draft {
    pub(super) fn new(user: &User, now: Timestamp, demand: Demand, check: Option<Check>) -> Self {
        Self { owner: user.name.clone(), session: user.session, used: now, demand, check }
    }
}

impl Drafts {
    /// Keeps a draft. Whether nobody sees to it yet that drafts go: then whoever keeps this one does, until [`Self::sweep`] says
    /// that none is left.
    pub(super) fn keep(&self, id: Uuid, draft: Draft, now: Timestamp) -> bool {
        let All { drafts, is_swept } = &mut *self.all();
        sweep(drafts, now);
        if drafts.values().filter(|other| other.owner == draft.owner).count() >= MOST_OF_ONE {
            remove_oldest(drafts, |other| other.owner == draft.owner);
        }
        if drafts.len() >= MOST {
            remove_oldest(drafts, |_| true);
        }
        drafts.insert(id, draft);
        !std::mem::replace(is_swept, true)
    }

    /// What a user's draft holds; `None` if there is none, or another's.
    pub(super) fn find(&self, id: Uuid, user: &User, now: Timestamp) -> Option<Draft> {
        self.change(id, user, now, |draft| draft.clone())
    }

    /// Changes a user's draft.
    pub(super) fn change<T>(
        &self,
        id: Uuid,
        user: &User,
        now: Timestamp,
        change: impl FnOnce(&mut Draft) -> T,
    ) -> Option<T> {
        let mut all = self.all();
        let draft = all.drafts.get_mut(&id).filter(|draft| draft.owner == user.name && is_kept(draft, now))?;
        (draft.used, draft.session) = (now, user.session);
        Some(change(draft))
    }

    /// The draft by which a verification was asked.
    pub(super) fn of_verification(&self, verification: Uuid, user: &User, now: Timestamp) -> Option<(Uuid, Draft)> {
        let all = self.all();
        let is_it = |draft: &Draft| {
            draft.owner == user.name
                && is_kept(draft, now)
                && draft.check.as_ref().is_some_and(|check| check.done == Some(verification))
        };
        all.drafts.iter().find(|(_, draft)| is_it(draft)).map(|(id, draft)| (*id, draft.clone()))
    }

    /// Forgets a user's draft.
    pub(super) fn forget(&self, id: Uuid, user: &User) {
        let drafts = &mut self.all().drafts;
        if drafts.get(&id).is_some_and(|draft| draft.owner == user.name) {
            drafts.remove(&id);
        }
    }

    /// Forgets what was typed in a session.
    pub(in crate::web) fn forget_session(&self, session: &[u8; 32]) {
        self.all().drafts.retain(|_, draft| draft.session != *session);
    }

    /// Forgets what nobody has used for long. Whether anything is left.
    pub(super) fn sweep(&self, now: Timestamp) -> bool {
        let All { drafts, is_swept } = &mut *self.all();
        sweep(drafts, now);
        *is_swept = !drafts.is_empty();
        *is_swept
    }

    fn all(&self) -> MutexGuard<'_, All> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn sweep(drafts: &mut HashMap<Uuid, Draft>, now: Timestamp) {
    drafts.retain(|_, draft| is_kept(draft, now));
}

/// A clock that is set back keeps nothing longer.
fn is_kept(draft: &Draft, now: Timestamp) -> bool {
    now.duration_since(draft.used).abs() < KEPT
}

fn remove_oldest(drafts: &mut HashMap<Uuid, Draft>, is_meant: impl Fn(&Draft) -> bool) {
    let meant = drafts.iter().filter(|(_, draft)| is_meant(draft));
    if let Some(id) = meant.min_by_key(|(_, draft)| draft.used).map(|(id, _)| *id) {
        drafts.remove(&id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::counter::Field;

    fn user(name: &str, session: u8) -> User {
        User { name: name.parse().unwrap(), session: [session; 32] }
    }

    fn minutes(minutes: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minutes)
    }

    fn draft(user: &User, number: &str) -> Draft {
        let mut typed = Typed::default();
        typed.put(Field::Number(0), number);
        let check = Check::new("alive/alive".parse().unwrap(), typed, BTreeSet::new());
        Draft::new(user, minutes(0), Demand::default(), Some(check))
    }

    #[test]
    fn a_draft_is_its_users_alone() {
        let (drafts, wang, li) = (Drafts::default(), user("wang", 1), user("li", 2));
        let (one, other) = (Uuid::now_v7(), Uuid::now_v7());
        assert!(drafts.keep(one, draft(&wang, "1"), minutes(0)));
        assert!(!drafts.keep(other, draft(&li, "2"), minutes(0)));
        assert!(drafts.find(one, &li, minutes(1)).is_none());
        drafts.forget(one, &li);
        let found = drafts.find(one, &wang, minutes(1)).unwrap().check.unwrap();
        assert_eq!(found.typed.text(Field::Number(0)), "1");
    }

    #[test]
    fn a_draft_goes_by_itself_and_with_its_session() {
        let (drafts, wang) = (Drafts::default(), user("wang", 1));
        let (one, other) = (Uuid::now_v7(), Uuid::now_v7());
        drafts.keep(one, draft(&wang, "1"), minutes(0));
        drafts.keep(other, draft(&wang, "2"), minutes(0));
        assert!(drafts.find(one, &user("wang", 2), minutes(14)).is_some(), "another session of the same user goes on");
        assert!(drafts.find(one, &user("wang", 2), minutes(28)).is_some(), "what is used stays");
        assert!(drafts.find(other, &wang, minutes(15)).is_none());
        drafts.forget_session(&[1; 32]);
        assert!(drafts.find(one, &user("wang", 2), minutes(29)).is_some());
        drafts.forget_session(&[2; 32]);
        assert!(drafts.find(one, &user("wang", 2), minutes(29)).is_none());
        assert!(!drafts.sweep(minutes(29)));
        assert!(drafts.keep(one, draft(&wang, "1"), minutes(30)), "somebody has to see to it again");
    }

    #[test]
    fn one_user_fills_no_memory() {
        let (drafts, wang, li) = (Drafts::default(), user("wang", 1), user("li", 2));
        let first = Uuid::now_v7();
        drafts.keep(first, draft(&li, "1"), minutes(0));
        for _ in 0..2 * MOST_OF_ONE {
            drafts.keep(Uuid::now_v7(), draft(&wang, "2"), minutes(1));
        }
        assert_eq!(drafts.all().drafts.len(), MOST_OF_ONE + 1);
        assert!(drafts.find(first, &li, minutes(1)).is_some());
    }
}
