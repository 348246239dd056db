//! What a question that is granted passes before a department is asked: its grant's rate and quota, and the watch.

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Mutex as AsyncMutex;

use super::Api;
use super::problem::{FieldError, Problem, Reason};
use crate::domain::{AgencyId, Person};
use crate::durable::{Allower, Durable, NotCounted, NotSaved, Tally, window_end};
use crate::rights::{Agency, Exhausted, Grant, Granted, Minute, Particulars, Permit, Refusal};
use crate::watch::{Finding, Pace};

/// How much of each grant is used that has limits. It outlives a change of configuration, and what is counted by the day
/// outlives the process.
#[derive(Default)]
pub struct Allowances(Mutex<HashMap<Key, Arc<AsyncMutex<Used>>>>);

/// An agency and the key of its grant.
type Key = (AgencyId, u128);

#[derive(Default)]
struct Used {
    minute: Minute,
    day: Tally,
}

/// What is left of a grant.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Left {
    /// Of the last minute's questions.
    pub(crate) minute: Option<u32>,
    /// Of the day's.
    pub(crate) day: Option<u32>,
    /// When the day ends.
    pub(crate) day_ends: Timestamp,
}

/// A day of Asia/Shanghai, in seconds.
const DAY: u32 = 86_400;

/// Counts a question and looks whether it is part of guessing; waits if it is to be slow.
pub(super) async fn admit(
    api: &Api,
    agency: &Agency,
    permit: &Permit<'_>,
    officer: Option<&str>,
    people: &[Person],
) -> Result<Granted, Problem> {
    let (now, durable) = (api.gateway.clock.now(), &*api.gateway.durable);
    let counted = api.shared.allowances.charge(&agency.id, permit, now, durable).await;
    let granted = counted.map_err(|refusal| refused(refusal, now))?;
    let verdict = api.gateway.watch.before(&api.shared.watch, &agency.id, officer, people, now);
    if let Some(finding) = &verdict.finding {
        tell(finding);
        api.shared.telemetry.metrics().finding(finding.measure.as_str(), finding.is_stopped);
    }
    match verdict.pace {
        Pace::Go => {}
        Pace::Slow(delay) => tokio::time::sleep(delay).await,
        Pace::Stop { retry_after } => {
            let seconds = u32::try_from(retry_after.as_secs()).unwrap_or(u32::MAX).max(1);
            return Err(Problem::ProbingSuspected(seconds));
        }
    }
    Ok(granted)
}

/// Tells the operator. Neither who was asked about nor the officer's name is in it: the ledger says what was asked.
fn tell(finding: &Finding) {
    let officer = finding.officer.map(|officer| format!("{officer:016x}"));
    tracing::warn!(
        agency = %finding.agency,
        officer = officer.as_deref().unwrap_or("all"),
        measure = finding.measure.as_str(),
        window_minutes = finding.minutes,
        value = finding.value,
        bound = finding.bound,
        stopped = finding.is_stopped,
        "an agency's questions look like guessing"
    );
}

/// The problem that a refusal is.
pub(super) fn refused(refusal: Refusal, now: Timestamp) -> Problem {
    let seconds = |until: Timestamp| {
        let wait = until.duration_since(now) + SignedDuration::from_millis(999);
        u32::try_from(wait.as_secs()).unwrap_or(0).max(1)
    };
    match refusal {
        Refusal::Claim => Problem::ClaimNotGranted,
        Refusal::Purpose => Problem::PurposeNotGranted,
        Refusal::Day => Problem::NotGrantedToday,
        Refusal::Missing(Particulars { officer, case, legal_basis }) => {
            let fields = [(officer, "/officer"), (case, "/case"), (legal_basis, "/legal_basis")];
            let missing = fields.into_iter().filter(|(is_missing, _)| *is_missing);
            let error = |pointer: &str| FieldError { pointer: pointer.to_owned(), reason: Reason::Demanded };
            Problem::ParticularsDemanded(missing.map(|(_, pointer)| error(pointer)).collect())
        }
        Refusal::Rate(Exhausted { limit, until }) | Refusal::Quota(Exhausted { limit, until }) => {
            Problem::RateLimited { limit, seconds: seconds(until) }
        }
        Refusal::Uncounted => Problem::LedgerUnavailable(5),
    }
}

impl Allowances {
    /// Counts a question on the first grant of the permit that has room for it.
    async fn charge(
        &self,
        agency: &AgencyId,
        permit: &Permit<'_>,
        now: Timestamp,
        durable: &dyn Durable,
    ) -> Result<Granted, Refusal> {
        let mut soonest: Option<Refusal> = None;
        let until = |refusal: &Refusal| match refusal {
            Refusal::Rate(used) | Refusal::Quota(used) => used.until,
            _ => now,
        };
        for grant in permit.grants() {
            match self.charge_one(agency, grant, now, durable).await {
                Ok(()) => return Ok(permit.on(grant)),
                Err(refusal) => {
                    soonest = Some(soonest.filter(|other| until(other) <= until(&refusal)).unwrap_or(refusal));
                }
            }
        }
        Err(soonest.unwrap_or(Refusal::Uncounted))
    }

    async fn charge_one(
        &self,
        agency: &AgencyId,
        grant: &Grant,
        now: Timestamp,
        durable: &dyn Durable,
    ) -> Result<(), Refusal> {
        let (per_minute, per_day) = (grant.terms.per_minute, grant.terms.per_day);
        if per_minute.is_none() && per_day.is_none() {
            return Ok(());
        }
        let used = self.used(agency, grant);
        let mut used = used.lock().await;
        if let Some((limit, until)) = per_minute.and_then(|limit| Some((limit, used.minute.full_until(limit, now)?))) {
            return Err(Refusal::Rate(Exhausted { limit, until }));
        }
        if let Some(limit) = per_day {
            let counted = used.day.count(&allower(agency, grant), DAY, limit, now, durable).await;
            counted.map_err(|why| match why {
                NotCounted::Full(until) => Refusal::Quota(Exhausted { limit, until }),
                NotCounted::NotSaved(NotSaved) => Refusal::Uncounted,
            })?;
        }
        used.minute.count(now);
        Ok(())
    }

    /// What is left of a grant.
    pub(crate) async fn left(
        &self,
        agency: &AgencyId,
        grant: &Grant,
        now: Timestamp,
        durable: &dyn Durable,
    ) -> Result<Left, NotSaved> {
        let (per_minute, per_day) = (grant.terms.per_minute, grant.terms.per_day);
        let mut left = Left { minute: None, day: None, day_ends: window_end(DAY, now) };
        if per_minute.is_none() && per_day.is_none() {
            return Ok(left);
        }
        let used = self.used(agency, grant);
        let mut used = used.lock().await;
        left.minute = per_minute.map(|limit| limit.saturating_sub(used.minute.sum(now)));
        if let Some(limit) = per_day {
            let made = used.day.made(&allower(agency, grant), DAY, now, durable).await?;
            left.day = Some(limit.saturating_sub(made));
        }
        Ok(left)
    }

    fn used(&self, agency: &AgencyId, grant: &Grant) -> Arc<AsyncMutex<Used>> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(all.entry((agency.clone(), grant.key())).or_default())
    }
}

fn allower(agency: &AgencyId, grant: &Grant) -> Allower {
    Allower::Grant { agency: agency.clone(), grant: grant.key() }
}
