use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Remark;

/// Something that somebody does to the gateway itself. It is on record before it takes effect; who does it is the entry's
/// officer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Administration {
    /// What is done.
    pub act: Act,
    /// What it is done to, such as a source's id; `None`: to the gateway as a whole.
    pub object: Option<Remark>,
    /// Why, in the words of whoever does it.
    pub reason: Option<Remark>,
    /// Until when it is meant to be so.
    pub until: Option<Timestamp>,
}

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Act {
    /// A department is not asked any more.
    CloseSource,
    /// A department is asked again, whatever its breakers have seen.
    OpenSource,
    /// `/readyz` says no, and requests end.
    Drain,
    /// `/readyz` says yes again.
    Undrain,
    /// The configuration is read anew.
    Reload,
    /// What was recorded just before could not be done after all: the object is the same, the reason names the act.
    NotDone,
    /// Somebody signs in to the pages: he is the officer.
    SignIn,
    /// Somebody ends his session: he is the officer.
    SignOut,
    /// Somebody tries to sign in, and is refused. The object is the user, where there is one: what else was typed may be a password.
    RefuseSignIn,
    /// An account is made; the object is its user.
    NewAccount,
    /// Nobody signs in with an account any more; the object is its user.
    DisableAccount,
    /// Somebody can sign in with an account again; the object is its user.
    EnableAccount,
    /// An account has another password; the object is its user.
    ChangePassword,
}

impl Act {
    /// Everything that can be done.
    pub const ALL: [Self; 13] = [
        Self::CloseSource,
        Self::OpenSource,
        Self::Drain,
        Self::Undrain,
        Self::Reload,
        Self::NotDone,
        Self::SignIn,
        Self::SignOut,
        Self::RefuseSignIn,
        Self::NewAccount,
        Self::DisableAccount,
        Self::EnableAccount,
        Self::ChangePassword,
    ];

    /// The word in the ledger.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CloseSource => "close-source",
            Self::OpenSource => "open-source",
            Self::Drain => "drain",
            Self::Undrain => "undrain",
            Self::Reload => "reload",
            Self::NotDone => "not-done",
            Self::SignIn => "sign-in",
            Self::SignOut => "sign-out",
            Self::RefuseSignIn => "refuse-sign-in",
            Self::NewAccount => "new-account",
            Self::DisableAccount => "disable-account",
            Self::EnableAccount => "enable-account",
            Self::ChangePassword => "change-password",
        }
    }
}
