use std::time::Duration;

use heyan::accounts::{Role, UserName};
use heyan::config::Settings;
use heyan::ledger_store::{LedgerError, Snapshot};
use jiff::Timestamp;
use serde_json::Value;

use crate::browser::Browser;
use crate::scene::Scene;

/// Where an operator, a supervisor and a committee's worker begin.
pub(crate) fn home(user: &str) -> &'static str {
    match user {
        "wang" => "/operator",
        "li" => "/demands",
        _ => "/",
    }
}

/// A gateway with an operator and a supervisor, and nobody else in it.
impl Scene {
    pub(crate) async fn new() -> Self {
        Self::with(|_| ()).await
    }

    /// One whose settings are changed so.
    pub(crate) async fn with(change: impl FnOnce(&mut Settings)) -> Self {
        Self::loaded("", &[], change).await
    }

    /// One whose file has these lines more, with these variables.
    pub(crate) async fn loaded(lines: &str, variables: &[(&str, &str)], change: impl FnOnce(&mut Settings)) -> Self {
        let mut scene = Self::at(Timestamp::from_second(1_800_000_000).unwrap());
        scene.write("config/heyan.toml", &format!("{}{lines}", include_str!("../../config/heyan.toml")));
        scene.start(variables, change);
        scene.account("wang", Role::Operator, None).await;
        scene.account("li", Role::Supervisor, None).await;
        scene
    }

    pub(crate) fn wait(&self, long: Duration) {
        self.clock.advance(long);
    }

    /// Every entry of the ledger.
    pub(crate) fn entries(&self) -> Vec<Value> {
        let mut entries = Vec::new();
        let read = Snapshot::open(&self.data()).unwrap().entries(|_, leaf| {
            entries.push(serde_json::from_slice(leaf).unwrap());
            Ok::<_, LedgerError>(())
        });
        read.unwrap();
        entries
    }
}

impl Browser {
    /// Whether somebody is signed in here, and who.
    pub(crate) async fn who(&mut self) -> Option<UserName> {
        let page = self.get("/account").await;
        let rest = page.text.split("用户名</dt><dd>").nth(1)?;
        rest.split("</dd>").next()?.parse().ok()
    }
}

pub(crate) fn user(name: &str) -> UserName {
    name.parse().unwrap()
}
