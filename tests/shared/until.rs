//! Waiting for what another process does.

use std::time::{Duration, Instant};

/// Tries until there is something; a minute and a half is as good as never.
pub(crate) async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(began.elapsed() < Duration::from_secs(90), "it was waited in vain until {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
