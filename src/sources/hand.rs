//! Whether an operator has closed a department by hand.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

use crate::situation::Closure;

/// What holds a department shut.
#[derive(Debug, Default)]
pub(super) struct Hand {
    /// Spares every call the lock.
    holds: AtomicBool,
    closure: Mutex<Option<Closure>>,
}

impl Hand {
    /// Closes the department, or opens it.
    pub(super) fn set(&self, closure: Option<Closure>) {
        let mut held = self.closure.lock().unwrap_or_else(PoisonError::into_inner);
        self.holds.store(closure.is_some(), Ordering::Release);
        *held = closure;
    }

    /// Why it is closed at this moment, if it is.
    pub(super) fn closure(&self, now: Timestamp) -> Option<Closure> {
        if !self.holds.load(Ordering::Acquire) {
            return None;
        }
        let held = self.closure.lock().unwrap_or_else(PoisonError::into_inner);
        held.clone().filter(|closure| closure.until.is_none_or(|until| until > now))
    }
}
