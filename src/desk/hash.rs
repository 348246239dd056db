use std::fmt;

use argon2::{Algorithm, Argon2, Params, Version};
use zeroize::Zeroizing;

use super::DeskError;
use crate::accounts::Password;

/// What is kept of a password: Argon2id (RFC 9106) of it, with a salt of its own, and how much work that was.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash {
    pub(super) salt: [u8; 16],
    pub(super) hash: [u8; 32],
    pub(super) work: Work,
}

/// How much work a hash is: KiB of memory, passes over it, and lanes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Work {
    pub(super) memory: u32,
    pub(super) passes: u32,
    pub(super) lanes: u32,
}

impl Work {
    /// What OWASP's Password Storage Cheat Sheet asks for: 19 MiB, two passes, one lane.
    pub(super) const NOW: Self = Self { memory: 19 * 1024, passes: 2, lanes: 1 };
}

impl PasswordHash {
    /// The hash of a password, with a new salt. It takes tens of milliseconds: never on a thread that serves requests.
    ///
    /// # Errors
    /// If the system has no random numbers or no memory.
    pub fn of(password: &Password) -> Result<Self, DeskError> {
        let mut salt = [0; 16];
        getrandom::fill(&mut salt).map_err(|_| DeskError::System)?;
        let hash = compute(password, &salt, Work::NOW)?;
        Ok(Self { salt, hash: *hash, work: Work::NOW })
    }

    /// A hash that no password has, which takes as long to compare as any: for users whom nobody knows.
    #[must_use]
    pub fn of_nobody() -> Self {
        Self { salt: [0; 16], hash: [0; 32], work: Work::NOW }
    }

    /// Whether this is the password. The time that it takes says nothing.
    ///
    /// # Errors
    /// If the system has no memory for it.
    pub fn is_of(&self, password: &Password) -> Result<bool, DeskError> {
        let hash = compute(password, &self.salt, self.work)?;
        Ok(aws_lc_rs::constant_time::verify_slices_are_equal(&*hash, &self.hash).is_ok())
    }

    /// Whether it was made with less work than is asked for now.
    #[must_use]
    pub fn is_outdated(&self) -> bool {
        self.work != Work::NOW
    }
}

fn compute(password: &Password, salt: &[u8; 16], work: Work) -> Result<Zeroizing<[u8; 32]>, DeskError> {
    let params =
        Params::new(work.memory, work.passes, work.lanes, Some(32)).map_err(|_| DeskError::Altered("a hash"))?;
    let mut hash = Zeroizing::new([0; 32]);
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    argon2.hash_password_into(password.reveal().as_bytes(), salt, &mut *hash).map_err(|_| DeskError::System)?;
    Ok(hash)
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("PasswordHash(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_known_by_its_hash_alone() {
        let password = Password::new("correct horse battery");
        let (one, other) = (PasswordHash::of(&password).unwrap(), PasswordHash::of(&password).unwrap());
        assert_ne!(one.hash, other.hash, "each has a salt of its own");
        assert!(one.is_of(&password).unwrap() && other.is_of(&password).unwrap());
        assert!(!one.is_of(&Password::new("correct horse batterY")).unwrap());
        assert!(!PasswordHash::of_nobody().is_of(&password).unwrap());
        assert!(!one.is_outdated());
        assert!(PasswordHash { work: Work { memory: 1024, ..Work::NOW }, ..one }.is_outdated());
    }
}
