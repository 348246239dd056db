//! What the four departments have in common: they read a call, and answer it from what they know.

use std::fmt::Display;

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
    /// Everybody but the one asked for, beginning with the next in the register.
    pub(super) fn others(&self, asked: Option<PersonId>) -> impl Iterator<Item = PersonId> + use<> {
        let start = asked.map_or(0, |id| id.index() + 1);
        let everybody = (start..self.humans.len()).chain(0..start).map(PersonId::at);
        everybody.filter(move |id| Some(*id) != asked)
    }

    /// Somebody else's records: there are some, and none names the one asked for, as a spouse's would. The cast sees to
    /// it that there always is such a person.
    pub(super) fn records_of_another<R: Display>(
        &self,
        asked: Option<PersonId>,
        records_of: impl Fn(PersonId) -> Vec<R>,
    ) -> Option<(PersonId, Vec<R>)> {
        let number = asked.map(|id| self.id_number(id));
        let names_asked = |record: &R| number.as_ref().is_some_and(|number| record.to_string().contains(number));
        let records = self.others(asked).map(|id| (id, records_of(id)));
        let mut suitable = records.filter(|(_, records)| !records.is_empty() && !records.iter().any(names_asked));
        suitable.next()
    }
}
