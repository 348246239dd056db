use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::checkpoint::{NoteError, is_name};

/// The origin of a ledger (C2SP `tlog-checkpoint`): its name in its checkpoints, and that of those who sign for it. A ledger
/// keeps it for ever, because whoever holds one of its checkpoints knows it by that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin(Arc<str>);

impl Origin {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Origin {
    /// `heyan/ledger`.
    fn default() -> Self {
        Self("heyan/ledger".into())
    }
}

impl FromStr for Origin {
    type Err = NoteError;

    fn from_str(text: &str) -> Result<Self, NoteError> {
        if is_name(text) { Ok(Self(text.into())) } else { Err(NoteError::Name) }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_a_name_that_notes_can_hold() {
        for right in ["heyan/ledger", "heyan.example.gov.cn/账本", "a"] {
            assert_eq!(right.parse::<Origin>().unwrap().as_str(), right);
        }
        for wrong in ["", "a b", "a\u{3000}b", "a+b", "a\n"] {
            assert_eq!(wrong.parse::<Origin>(), Err(NoteError::Name), "{wrong}");
        }
        assert_eq!(Origin::default().to_string().parse(), Ok(Origin::default()));
    }
}
