//! Departments that answer whatever they like.

use futures_util::future::join_all;
use serde_json::json;

use super::life::Life;
use super::town::{is_named, until};

/// Operations of each department of which a question about anybody comes to one at least.
const ASKED: [(&str, &[&str]); 4] = [
    ("police", &["person"]),
    ("civil-affairs", &["marriages", "key"]),
    ("health", &["death", "birth"]),
    ("court", &["index", "token"]),
];

const FAULTS: [&str; 13] = [
    "garbage",
    "wrong-person",
    "wrong-schema",
    "unknown-code",
    "huge",
    "null",
    "cut",
    "empty-200",
    "bad-signature",
    "status-500",
    "status-503",
    "refuse",
    "drip",
];

impl Life {
    /// Departments that answer whatever they like.
    pub(super) async fn has_bad_departments(&self) {
        let people = self.living();
        for (round, fault) in FAULTS.into_iter().enumerate() {
            for source in ["police", "civil-affairs", "health", "court"] {
                self.departments.fault(source, "*", fault, 20).await;
            }
            let mut questions = self.questions(&people[round * 7..]).await;
            for question in &mut questions {
                question["max_age"] = json!("0s");
            }
            let before = self.calls().await;
            // A department that is left alone after the fault before is asked again in a moment.
            let met = async || {
                join_all(questions.iter().map(|question| self.ask("a question in trouble", question, &[]))).await;
                let calls = before.iter().zip(self.calls().await);
                let met = calls.into_iter().all(|((_, before), (_, after))| after > *before);
                // Who refuses connections counts none.
                (met || fault == "refuse").then_some(())
            };
            until(&format!("{fault} is met everywhere"), met).await;
            self.departments.heal().await;
        }
        let answers = async || {
            let mut question = is_named(people[0]);
            question["max_age"] = json!("0s");
            (self.ask("a question afterwards", &question, &[]).await.body["outcome"] == "confirmed").then_some(())
        };
        until("the police are asked again", answers).await;
    }

    /// How often each department was called.
    async fn calls(&self) -> Vec<(&'static str, u64)> {
        let mut all = Vec::new();
        for (source, operations) in ASKED {
            let mut calls = 0;
            for operation in operations {
                calls += self.departments.calls(source, operation).await;
            }
            all.push((source, calls));
        }
        all
    }
}
