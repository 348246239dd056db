//! Whether somebody knows a user's password, within how often that may be tried.

use std::sync::PoisonError;
use std::time::Duration;

use super::device::Device;
use super::visit::now;
use super::{Client, PageError, Web};
use crate::accounts::{Origin, Password, UserName};
use crate::desk::{DeskError, KnownAccount, PasswordHash};

/// What came of a try.
pub(super) enum Proof {
    /// It is the user's password, and the user may sign in.
    Right(Box<KnownAccount>),
    /// It is not, or there is no such user, or nobody may sign in with that account. Which of these is said to nobody who tries.
    Wrong {
        /// The user, if there is one.
        user: Option<UserName>,
    },
    /// It was not looked at: so long whoever tries has to wait.
    Wait(Duration),
}

/// Looks at a user and a password. Whether there is such a user, and whether he may sign in, changes nothing about the work.
pub(super) async fn prove(
    web: &Web,
    client: Client,
    device: Option<&Device>,
    typed: &str,
    password: Password,
) -> Result<Proof, PageError> {
    let user = typed.parse::<UserName>().ok();
    let device = user.as_ref().and_then(|user| device?.known_to(web, user));
    let origin = Origin { address: client.0, device };
    // As it would be a user's name: capitals and spaces are no further tries.
    let tried = user.as_ref().map_or(typed, UserName::as_str);
    let begun = attempts(web).begin(tried, origin, now(web));
    if let Err(wait) = begun {
        return Ok(Proof::Wait(wait));
    }
    let known = match &user {
        Some(user) => web.front.desk.account(user).await?,
        None => None,
    };
    let hash = known.as_ref().and_then(|known| known.password.clone()).unwrap_or_else(PasswordHash::of_nobody);
    let (is_right, harder) = compare(web, hash, password).await?;
    match known {
        Some(known) if is_right && known.disabled.is_none() => {
            attempts(web).succeeded(tried, origin);
            if let Some(harder) = harder {
                web.front.desk.keep_hash(&known.account.user, harder).await?;
            }
            Ok(Proof::Right(Box::new(known)))
        }
        known => Ok(Proof::Wrong { user: known.map(|known| known.account.user) }),
    }
}

fn attempts(web: &Web) -> std::sync::MutexGuard<'_, crate::accounts::Attempts> {
    web.front.attempts.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Compares on a thread that may wait: a few at once, and not too many behind them. If it is right and the hash was made with less
/// work than is asked for now, there is one with more.
async fn compare(web: &Web, hash: PasswordHash, password: Password) -> Result<(bool, Option<PasswordHash>), PageError> {
    let work = move || -> Result<_, DeskError> {
        let is_right = hash.is_of(&password)?;
        let harder = (is_right && hash.is_outdated()).then(|| PasswordHash::of(&password)).transpose()?;
        Ok((is_right, harder))
    };
    hashing(web, work).await
}

/// Does what takes a core for a while.
pub(super) async fn hashing<T: Send + 'static>(
    web: &Web,
    work: impl FnOnce() -> Result<T, DeskError> + Send + 'static,
) -> Result<T, PageError> {
    let _place = web.front.waiting.try_acquire().map_err(|_| PageError::Busy)?;
    let _turn = web.front.hashing.acquire().await.map_err(|_| PageError::Broken)?;
    Ok(tokio::task::spawn_blocking(work).await.map_err(|_| PageError::Broken)??)
}
