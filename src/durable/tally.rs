use jiff::Timestamp;

use super::{Allower, Durable, NotSaved, Quota};

/// Counts calls in windows of time whose count survives a restart: those of a registration, and those of a grant. Reservations
/// run ahead of the calls, so that a process that ends has counted every call that it made. Whoever shares a tally holds it
/// alone while it counts.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tally(Option<Window>);

#[derive(Debug, Clone, Copy)]
struct Window {
    number: i64,
    made: u32,
    /// As many are counted if the process ends.
    reserved: u32,
}

/// Why a call is not counted, and so not made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotCounted {
    /// As many were made as are allowed, until this moment.
    #[error("as many calls were made as are allowed")]
    Full(Timestamp),
    /// How many were made cannot be read or kept.
    #[error(transparent)]
    NotSaved(#[from] NotSaved),
}

/// Asia/Shanghai has kept UTC+8 without daylight saving time since 1991.
const SHANGHAI_SECONDS: i64 = 8 * 3600;

impl Tally {
    /// Counts a call in the present window of so many seconds, in which `most` may be made.
    ///
    /// # Errors
    /// If it is one too many, or cannot be counted.
    pub async fn count(
        &mut self,
        of: &Allower,
        seconds: u32,
        most: u32,
        now: Timestamp,
        durable: &dyn Durable,
    ) -> Result<(), NotCounted> {
        let mut window = self.window(of, seconds, now, durable).await?;
        if window.made >= most {
            return Err(NotCounted::Full(end(window.number, seconds)));
        }
        if window.made >= window.reserved {
            let ahead = (most / 100).max(1);
            let up_to = window.made.saturating_add(ahead).min(most);
            durable.reserve(&quota(of, seconds, window.number), up_to).await?;
            window.reserved = up_to;
        }
        window.made += 1;
        self.0 = Some(window);
        Ok(())
    }

    /// How many calls count as made in the present window.
    ///
    /// # Errors
    /// If that cannot be read.
    pub async fn made(
        &mut self,
        of: &Allower,
        seconds: u32,
        now: Timestamp,
        durable: &dyn Durable,
    ) -> Result<u32, NotSaved> {
        let window = self.window(of, seconds, now, durable).await?;
        self.0 = Some(window);
        Ok(window.made)
    }

    async fn window(
        &self,
        of: &Allower,
        seconds: u32,
        now: Timestamp,
        durable: &dyn Durable,
    ) -> Result<Window, NotSaved> {
        let number = (now.as_second() + SHANGHAI_SECONDS).div_euclid(i64::from(seconds));
        match self.0 {
            Some(window) if window.number == number => Ok(window),
            _ => {
                let made = durable.reserved(&quota(of, seconds, number)).await?;
                Ok(Window { number, made, reserved: made })
            }
        }
    }
}

/// When the window ends that holds this moment.
#[must_use]
pub fn window_end(seconds: u32, now: Timestamp) -> Timestamp {
    end((now.as_second() + SHANGHAI_SECONDS).div_euclid(i64::from(seconds)), seconds)
}

fn quota(of: &Allower, seconds: u32, window: i64) -> Quota {
    Quota { of: of.clone(), seconds, window }
}

fn end(window: i64, seconds: u32) -> Timestamp {
    Timestamp::from_second((window + 1) * i64::from(seconds) - SHANGHAI_SECONDS).unwrap_or(Timestamp::MAX)
}
