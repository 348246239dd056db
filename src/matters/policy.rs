use serde::{Deserialize, Serialize};

/// The same thing in Chinese and in English.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Bilingual<T> {
    /// Chinese.
    pub chinese: T,
    /// English.
    pub english: T,
}

impl<T> Bilingual<T> {
    /// The one in English, or the one in Chinese.
    pub fn pick(&self, english: bool) -> &T {
        if english { &self.english } else { &self.chinese }
    }
}

/// What the policy says of all matters alike: `config/policy.toml`, and the retained items of `config/retained.toml`.
#[derive(Debug)]
pub struct Policy {
    /// On which conditions a committee may still act.
    pub transition: Transition,
    /// What to tell a demander who names no legal basis.
    pub no_basis: Bilingual<Vec<String>>,
    /// What committees still issue.
    pub retained: Vec<Retained>,
}

/// The transitional rule: when a committee may still issue what it need not issue any more.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Transition {
    /// Where it is written.
    pub citation: String,
    /// The conditions.
    pub conditions: Bilingual<Vec<String>>,
}

/// An item that committees still issue, because a law says so: its guide (办事指南).
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Retained {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What people call it.
    #[serde(skip_serializing)]
    pub everyday: Vec<String>,
    /// The article that requires it.
    pub legal_basis: String,
    /// What that article requires.
    pub legal_text: String,
    /// Who issues it.
    pub issued_by: String,
    /// What it is for.
    pub purpose: String,
    /// What to do, step by step.
    pub steps: Vec<String>,
    /// How long it may take.
    pub time_limit: String,
    /// A sample of the form, with blanks.
    pub form: String,
    /// The name and the steps in English.
    pub english: RetainedEnglish,
}

/// A retained item's name and steps in English.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RetainedEnglish {
    /// The name.
    pub name: String,
    /// What to do, step by step.
    pub steps: Vec<String>,
}
