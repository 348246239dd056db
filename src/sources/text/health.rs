use serde::Deserialize;

/// How it is asked whether it is well, without anybody's data.
#[derive(Debug, Deserialize)]
pub(in crate::sources) struct HealthText {
    #[serde(default = "get")]
    pub(in crate::sources) method: String,
    pub(in crate::sources) path: String,
    #[serde(default = "ok")]
    pub(in crate::sources) status: u16,
}

fn get() -> String {
    "GET".to_owned()
}

fn ok() -> u16 {
    200
}
