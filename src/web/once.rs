//! What a form does happens once, however often it is sent: a double click and a reload lead to the same place.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use moka::future::Cache;

use super::PageError;
use crate::accounts::UserName;

/// Where each form that was carried out has led.
pub(super) struct Once(Cache<(UserName, String), Arc<str>>);

impl Default for Once {
    fn default() -> Self {
        Self(Cache::builder().max_capacity(MOST).time_to_live(REMEMBERED).build())
    }
}

const MOST: u64 = 20_000;

/// As long as a session may last, and a little more.
const REMEMBERED: Duration = Duration::from_hours(9);

impl Once {
    /// Does the work of a form that has this id, unless it is done or under way; then it waits for where that leads. Work that
    /// failed is not remembered: the form can be sent again.
    pub(super) async fn run(
        &self,
        user: &UserName,
        id: String,
        work: impl Future<Output = Result<String, PageError>>,
    ) -> Result<Arc<str>, PageError> {
        let place = async { work.await.map(Arc::from) };
        self.0.try_get_with((user.clone(), id), place).await.map_err(|error| PageError::clone(&error))
    }
}

impl fmt::Debug for Once {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Once(…)")
    }
}
