//! A demo with a committee's worker.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use serde_json::Value;

use crate::client::client;
use crate::demo::Demo;
use crate::tab::Tab;

impl Demo {
    /// One of the test's own.
    pub(crate) fn new() -> Self {
        Self::with(&[])
    }

    /// One of the test's own, with these further arguments.
    pub(crate) fn with(arguments: &[&str]) -> Self {
        Self::start(|command| {
            command.args(arguments);
        })
    }

    /// One for all tests that change nothing in it and count nothing.
    pub(crate) fn shared() -> Arc<Self> {
        static DEMO: Mutex<Weak<Demo>> = Mutex::new(Weak::new());
        // A test that failed leaves it as it is.
        let mut demo = DEMO.lock().unwrap_or_else(PoisonError::into_inner);
        demo.upgrade().unwrap_or_else(|| {
            let new = Arc::new(Self::new());
            *demo = Arc::downgrade(&new);
            new
        })
    }

    /// The question of a case.
    pub(crate) fn sample(&self, case: &str) -> &Value {
        let found = self.list("samples").iter().find(|sample| sample["case"] == case);
        &found.unwrap_or_else(|| panic!("the demo has no case {case}"))["request"]
    }

    /// A worker who has signed in.
    pub(crate) async fn worker(&self) -> Tab {
        let mut tab = Tab::new(&self.text("gateway"));
        self.sign_in(&mut tab, "committee").await;
        tab
    }

    /// How many entries the ledger has.
    pub(crate) async fn entries(&self) -> u64 {
        let text = client().get(format!("{}/v1/ledger/checkpoint", self.text("gateway"))).send().await.unwrap();
        text.text().await.unwrap().lines().nth(1).unwrap().parse().unwrap()
    }
}
