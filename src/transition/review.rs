use jiff::Timestamp;

use crate::domain::{Note, closed_list};

/// What a supervisor says of a record. Reviews are added and never changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Review {
    /// The supervisor's account.
    pub user: String,
    /// When.
    pub at: Timestamp,
    /// What is said.
    pub verdict: Verdict,
    /// Why; an objection says it always.
    pub note: Option<Note>,
}

closed_list! {
    /// What a supervisor makes of a record.
    pub enum Verdict {
        /// It keeps to the rule.
        InOrder = "in-order",
        /// It does not, or not clearly.
        Objection = "objection",
    }
}
