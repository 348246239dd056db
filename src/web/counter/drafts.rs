//! What a worker has typed so far, in memory alone (see `web::memory`).
//!
//! Each check has a draft of its own, so that two tabs with two residents never meet. It goes too when the worker asks for the
//! next resident.
//!
//! Forms carry it sealed besides: whoever comes back after the session has ended signs in, and finds everything again. Why not
//! in sealed fields alone: then no address would lead back to what was typed.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::counter::Typed;
use crate::domain::ClaimRef;

/// What one resident has come for.
#[derive(Clone)]
pub(in crate::web) struct Draft {
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

impl Draft {
    /// The verification that was asked with it.
    pub(super) fn verification(&self) -> Option<Uuid> {
        self.check.as_ref()?.done
    }
}

impl Check {
    pub(super) fn new(claim: ClaimRef, typed: Typed, seen: BTreeSet<usize>) -> Self {
        Self { claim, typed, seen, done: None, stopped: None, asking: Arc::default() }
    }
}
