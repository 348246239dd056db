//! What goes on record of accounts: who signs in, who is refused, and what changes.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use super::{Front, PageError, Web};
use crate::accounts::UserName;
use crate::gateway::administered;
use crate::ledger::{Act, Administration, Ledger};

/// Records what a user does about the own account, before it takes effect.
pub(super) async fn record(web: &Web, user: &UserName, act: Act) -> Result<(), PageError> {
    let what = Administration { act, object: Some(user.as_str().into()), reason: None, until: None };
    Ok(web.api.gateway.record_administration(user.as_str(), what).await?)
}

/// Records that somebody was not let in; the user, if there is one of that name.
pub(super) async fn record_refused(web: &Web, user: Option<&UserName>) -> Result<(), PageError> {
    Ok(web.api.gateway.record_refused_sign_in(user).await?)
}

/// Records what `heyan account` changes beside a running gateway, and what it has changed before.
pub async fn record_changes(front: &Front, ledger: &dyn Ledger, rules: impl Fn() -> Arc<str>) {
    loop {
        let changes = front.desk.unrecorded().await.unwrap_or_else(|error| {
            tracing::error!(%error, "what was changed of accounts cannot be read, and is not on record yet");
            Vec::new()
        });
        for change in changes {
            let entry = administered(Some(&change.hand.by), change.what.clone(), change.hand.at, rules());
            // The ledger has logged why, if it cannot; then it is tried again.
            if ledger.record(&entry).await.is_err() {
                break;
            }
            if let Err(error) = front.desk.is_recorded(&change).await {
                tracing::error!(%error, "a change of an account is on record, and will be once more");
                break;
            }
        }
        sleep(LOOK_EVERY).await;
    }
}

/// How often it is looked whether there is something.
const LOOK_EVERY: Duration = Duration::from_secs(1);
