//! What stands between a question and a department: one resilience stack for each source and operation. From the outside in:
//!
//! 1. the deadline: whatever is below ends by then;
//! 2. retries, where asking again is safe, with a pause, and within a budget of a tenth of all calls;
//! 3. closures by hand and planned outages: a department that is closed is not called;
//! 4. the circuit breaker: one that fails is left alone, and probed;
//! 5. concurrency: who could not be answered in time does not wait for a place;
//! 6. the rates of the registration;
//! 7. the time limit of one exchange;
//! 8. hedging: a second exchange beside a slow one, only where the registration allows it.

use std::pin::pin;
use std::sync::atomic::Ordering;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::SemaphorePermit;
use tokio::time::{Instant, sleep, sleep_until, timeout_at};

use super::limits::Limits;
use super::state::{Admitted, Circuit, DAY, HOUR, SourceState};
use crate::clock::Clock;
use crate::departments::Failure;
use crate::domain::{Cause, Slug};
use crate::durable::Durable;

/// One exchange with a department, which can be made several times.
pub(super) trait Attempt: Sync {
    /// What it yields.
    type Answer: Send;

    /// Makes it.
    fn make(&self, turn: Turn) -> impl Future<Output = Result<Self::Answer, Cause>> + Send;

    /// Whether making it again does no harm, though the department may have taken the first.
    fn is_safe(&self) -> bool;

    /// Renews what proves who we are. Returns whether there was anything to renew.
    fn renew(&self) -> impl Future<Output = bool> + Send;
}

/// Which one of several exchanges it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Turn {
    /// Which try, from 1 on.
    pub(super) attempt: u32,
    /// Whether it is made beside a slow one.
    pub(super) is_hedge: bool,
    /// When its time is over.
    pub(super) end: Instant,
}

/// The stack of one operation.
pub(super) struct Stack<'a> {
    pub(super) source: &'a Slug,
    pub(super) limits: &'a Limits,
    pub(super) hedge_after: Option<Duration>,
    pub(super) state: &'a SourceState,
    pub(super) circuit: &'a Circuit,
    pub(super) durable: &'a dyn Durable,
    pub(super) clock: &'a dyn Clock,
    /// From 0 to 1: spreads pauses, so that those who failed together do not come again together.
    pub(super) jitter: fn() -> f64,
}

/// The pause before the first retry; it doubles with each. Jitter makes it half as long up to half as long again.
const PAUSE: Duration = Duration::from_millis(50);

impl Stack<'_> {
    /// The answer, by the deadline.
    pub(super) async fn run<A: Attempt>(&self, attempt: &A, deadline: Instant) -> Result<A::Answer, Failure> {
        self.circuit.deposit();
        let (mut made, mut before) = (1, None);
        loop {
            let failure = match self.once(attempt, made, deadline).await {
                Ok(answer) => return Ok(answer),
                // That there was no second attempt is no news about the department; what the first one met is.
                Err(failure) if !failure.cause.is_the_departments() => return Err(before.unwrap_or(failure)),
                Err(failure) => failure,
            };
            before = Some(failure);
            let Some(pause) = self.pause(attempt, &failure, made, deadline).await else { return Err(failure) };
            sleep(pause).await;
            made += 1;
        }
    }

    /// How long to wait before the next attempt; `None`: there is none.
    async fn pause<A: Attempt>(
        &self,
        attempt: &A,
        failure: &Failure,
        made: u32,
        deadline: Instant,
    ) -> Option<Duration> {
        let renews = failure.cause == Cause::Denied && made == 1;
        let may_pass = failure.cause.may_pass() && attempt.is_safe();
        let pause = if renews { Duration::ZERO } else { PAUSE * (1 << (made - 1).min(10)) };
        let pause = pause.mul_f64(0.5 + (self.jitter)());
        let in_time = Instant::now() + pause + self.circuit.latency() < deadline;
        let again = (renews || may_pass) && made < self.limits.attempts && in_time && self.circuit.withdraw();
        (again && (!renews || attempt.renew().await)).then_some(pause)
    }

    async fn once<A: Attempt>(&self, attempt: &A, made: u32, deadline: Instant) -> Result<A::Answer, Failure> {
        let let_through = self.let_through(deadline).await;
        let (admitted, _place) = let_through.inspect_err(|failure| {
            self.circuit.note(self.clock.now(), Duration::ZERO, Err(failure.cause));
        })?;
        let (began, began_at) = (Instant::now(), self.clock.now());
        let end = deadline.min(began + self.limits.response_timeout);
        let turn = Turn { attempt: made, is_hedge: false, end };
        let answer = timeout_at(end, self.hedged(attempt, turn)).await.unwrap_or(Err(Cause::Timeout));
        let took = began.elapsed();
        self.circuit.took(took);
        let result = answer.as_ref().map(drop).map_err(|cause| *cause);
        // Whoever left too little time learns nothing about the department.
        let says_nothing = result == Err(Cause::Timeout) && took * 2 < self.limits.response_timeout;
        if !says_nothing {
            self.circuit.note(began_at, took, result);
        }
        match result {
            Ok(()) => admitted.answered(self.clock.now()),
            Err(_) if says_nothing => drop(admitted),
            Err(cause) if cause.is_the_departments() => admitted.failed(cause, self.clock.now()),
            Err(_) => drop(admitted),
        }
        answer.map_err(Failure::from)
    }

    /// What stands before an exchange.
    async fn let_through(&self, deadline: Instant) -> Result<(Admitted<'_>, SemaphorePermit<'_>), Failure> {
        let now = self.clock.now();
        if let Some(closure) = self.state.hand.closure(now) {
            return Err(Failure { cause: Cause::ClosedByOperator, until: closure.until });
        }
        if let Some(end) = self.limits.closed_until(now) {
            return Err(Failure { cause: Cause::PlannedOutage, until: Some(end) });
        }
        let refused = |wait| Failure { cause: Cause::CircuitOpen, until: after(now, wait) };
        let admitted = self.circuit.admit(Instant::now()).map_err(refused)?;
        let place = self.place(deadline).await?;
        self.allowance(deadline).await?;
        Ok((admitted, place))
    }

    /// A place among the exchanges that the department takes at once.
    async fn place(&self, deadline: Instant) -> Result<SemaphorePermit<'_>, Failure> {
        if let Ok(place) = self.state.places.try_acquire() {
            return Ok(place);
        }
        let latency = self.circuit.latency();
        if Instant::now() + self.state.wait(latency) + latency > deadline {
            return Err(Failure { cause: Cause::Saturated, until: after(self.clock.now(), latency) });
        }
        let _waiting = Waiting::new(self.state);
        match timeout_at(deadline, self.state.places.acquire()).await {
            Ok(Ok(place)) => Ok(place),
            Ok(Err(_)) | Err(_) => Err(Cause::Saturated.into()),
        }
    }

    /// Waits until the registration allows a call, where that is soon enough.
    async fn allowance(&self, deadline: Instant) -> Result<(), Failure> {
        let rates = self.limits.rates;
        if let Some(most) = rates.per_second {
            let latest = deadline - self.circuit.latency().min(deadline - Instant::now());
            let soon = || Failure { cause: Cause::RateLimited, until: after(self.clock.now(), Duration::from_secs(1)) };
            loop {
                let now = Instant::now();
                let next = self.state.next_second(most, now, latest).ok_or_else(soon)?;
                if next <= now {
                    break;
                }
                sleep_until(next).await;
                if self.state.leave(most, next, Instant::now()) {
                    break;
                }
            }
        }
        for (most, seconds) in [(rates.per_hour, HOUR), (rates.per_day, DAY)] {
            if let Some(most) = most {
                self.state.count(self.source, seconds, most, self.clock.now(), self.durable).await?;
            }
        }
        Ok(())
    }

    /// The first of two that works, where a second may be made.
    async fn hedged<A: Attempt>(&self, attempt: &A, turn: Turn) -> Result<A::Answer, Cause> {
        match self.hedge_after.filter(|_| attempt.is_safe()) {
            None => attempt.make(turn).await,
            // Boxed: it would make the future of every exchange as large.
            Some(after) => Box::pin(self.hedged_after(attempt, turn, after)).await,
        }
    }

    async fn hedged_after<A: Attempt>(&self, attempt: &A, turn: Turn, after: Duration) -> Result<A::Answer, Cause> {
        let mut first = pin!(attempt.make(turn));
        tokio::select! {
            answer = &mut first => return answer,
            () = sleep(after) => {}
        }
        let deadline = Instant::now();
        if !self.circuit.withdraw() || self.allowance(deadline).await.is_err() {
            return first.await;
        }
        let mut second = pin!(attempt.make(Turn { is_hedge: true, ..turn }));
        tokio::select! {
            answer = &mut first => if answer.is_ok() { answer } else { second.await },
            answer = &mut second => if answer.is_ok() { answer } else { first.await },
        }
    }
}

fn after(now: Timestamp, wait: Duration) -> Option<Timestamp> {
    now.checked_add(SignedDuration::try_from(wait).ok()?).ok()
}

/// Counts who waits for a place.
struct Waiting<'a>(&'a SourceState);

impl<'a> Waiting<'a> {
    fn new(state: &'a SourceState) -> Self {
        state.waiting.fetch_add(1, Ordering::Relaxed);
        Self(state)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests;
