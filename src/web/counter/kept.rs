//! A check that its own form carries, sealed: whoever comes back after the session has ended finds everything again.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::check::Open;
use super::drafts::{Check, Demand, Draft};
use super::now;
use crate::counter::{Field, Typed};
use crate::domain::ClaimRef;
use crate::web::memory::User;
use crate::web::seal::SealedForm;
use crate::web::{Web, Worker};

#[derive(Serialize, Deserialize)]
struct Kept {
    claim: ClaimRef,
    demand: Demand,
    typed: Vec<(Field, String)>,
    seen: BTreeSet<usize>,
}

/// The check, sealed. Empty where it cannot be sealed: then it is in memory alone.
pub(super) fn seal(web: &Web, worker: &Worker, open: &Open) -> String {
    let kept = Kept {
        claim: open.check.claim.clone(),
        demand: open.demand.clone(),
        typed: open.check.typed.fields().map(|(field, text)| (field, text.to_owned())).collect(),
        seen: open.check.seen.clone(),
    };
    let Ok(body) = serde_json::to_vec(&kept) else { return String::new() };
    let owner = web.front.seal.owner(Some(&worker.account().user));
    let form = SealedForm { path: path(open.id), body, owner, sent: now(web) };
    web.front.seal.seal(&form).unwrap_or_default()
}

/// Takes up the check of a form, if it is this user's and of this draft.
pub(super) fn restore(web: &Web, worker: &Worker, id: Uuid, sealed: &str) -> Option<Draft> {
    let form = web.front.seal.open(sealed, now(web))?;
    if form.owner != web.front.seal.owner(Some(&worker.account().user)) || form.path != path(id) {
        return None;
    }
    let Kept { claim, demand, typed: fields, seen } = serde_json::from_slice(&form.body).ok()?;
    let mut typed = Typed::default();
    for (field, text) in fields {
        typed.put(field, &text);
    }
    let draft = Draft { demand, check: Some(Check::new(claim, typed, seen)) };
    web.front.counter.drafts.keep(web, &User::of(worker), id, draft.clone());
    Some(draft)
}

/// What the seal is for.
fn path(id: Uuid) -> String {
    format!("/checks/{id}")
}
