use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(default)]
pub(in crate::sources) struct LimitsText {
    pub(in crate::sources) connect_timeout: String,
    pub(in crate::sources) response_timeout: String,
    pub(in crate::sources) deadline: String,
    pub(in crate::sources) body: usize,
    pub(in crate::sources) concurrency: usize,
    pub(in crate::sources) per_second: Option<u32>,
    pub(in crate::sources) per_hour: Option<u32>,
    pub(in crate::sources) per_day: Option<u32>,
    pub(in crate::sources) planned_outages: Vec<OutageText>,
    pub(in crate::sources) attempts: u32,
    pub(in crate::sources) breaker: BreakerText,
}

#[derive(Debug, Deserialize)]
#[serde(default)]
pub(in crate::sources) struct BreakerText {
    pub(in crate::sources) failures: u32,
    pub(in crate::sources) open: String,
}

impl Default for BreakerText {
    fn default() -> Self {
        Self { failures: 5, open: "2s".to_owned() }
    }
}

impl Default for LimitsText {
    fn default() -> Self {
        Self {
            connect_timeout: "1s".to_owned(),
            response_timeout: "2s".to_owned(),
            deadline: "2500ms".to_owned(),
            body: 1024 * 1024,
            concurrency: 256,
            per_second: None,
            per_hour: None,
            per_day: None,
            planned_outages: Vec::new(),
            attempts: 2,
            breaker: BreakerText::default(),
        }
    }
}

#[derive(Debug, Clone, Deserialize)]
pub(in crate::sources) struct OutageText {
    #[serde(default)]
    pub(in crate::sources) days: Vec<String>,
    pub(in crate::sources) from: String,
    pub(in crate::sources) to: String,
}
