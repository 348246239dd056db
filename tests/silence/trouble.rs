//! Departments that answer whatever they like.

use futures_util::future::join_all;
use serde_json::json;

use super::life::Life;
use super::town::{is_named, until};

/// An operation of each department that a question about anybody comes to.
const ASKED: [(&str, &str); 4] =
    [("police", "person"), ("civil-affairs", "marriages"), ("health", "death"), ("court", "index")];

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
            let mut before = Vec::new();
            for (source, operation) in ASKED {
                before.push(self.departments.calls(source, operation).await);
            }
            join_all(questions.iter().map(|question| self.ask("a question in trouble", question, &[]))).await;
            for ((source, operation), before) in ASKED.into_iter().zip(before) {
                let calls = self.departments.calls(source, operation).await - before;
                assert!(calls > 0 || fault == "refuse", "{fault} was not met at {source}");
            }
            self.departments.heal().await;
        }
        let answers = async || {
            let mut question = is_named(people[0]);
            question["max_age"] = json!("0s");
            (self.ask("a question afterwards", &question, &[]).await.body["outcome"] == "confirmed").then_some(())
        };
        until("the police are asked again", answers).await;
    }
}
