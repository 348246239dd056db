//! What the four departments have in common: they read a call, and answer it from what they know.

use super::wire::{Reply, Request};
use super::world::{PersonId, World};

/// A department's system.
pub(super) trait Department: Send + Sync + 'static {
    /// A request as far as the department could read it.
    type Call: Send;

    /// The source id.
    fn id(&self) -> &'static str;

    /// The operation that a request is for (none: no such address), and what it asks.
    fn receive(&self, request: &Request) -> (Option<&'static str>, Self::Call);

    /// The reply, gone wrong if it is to.
    fn answer(&self, call: Self::Call, world: &World, twist: Option<Twist>) -> Reply;
}

/// A way in which a reply's content goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Twist {
    /// Its fields have other names or types than agreed.
    WrongSchema,
    /// It is about somebody else.
    WrongPerson,
    /// Its result code is in no handbook.
    UnknownCode,
    /// The caller's signature is refused.
    BadSignature,
    /// It says that all is well, with a null where the records belong.
    Null,
}

impl World {
    /// Somebody other than the one asked for of whom the department has something to say.
    pub(super) fn somebody_else(&self, asked: Option<PersonId>, suits: impl Fn(PersonId) -> bool) -> Option<PersonId> {
        let start = asked.map_or(0, |id| id.index() + 1);
        let count = self.humans.len();
        let others = (start..count).chain(0..start).map(PersonId::at);
        others.filter(|id| Some(*id) != asked).take(20_000).find(|id| suits(*id))
    }
}
