//! What every reply needs to know of its request.

use axum::body::Body;
use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Response, header};
use uuid::Uuid;

use super::problem::Problem;
use crate::telemetry::{self, Parent, SpanId, TraceId};

/// A request's identity and language.
#[derive(Debug, Clone)]
pub(crate) struct Context {
    /// Ours: in the reply, and in the departments' logs.
    pub(crate) request_id: String,
    /// The caller's trace, or a new one (W3C Trace Context).
    pub(crate) trace_id: String,
    /// The trace context to hand on.
    pub(crate) traceparent: String,
    /// What goes with it.
    pub(crate) tracestate: Option<String>,
    /// Whether English is preferred to Chinese.
    pub(crate) english: bool,
}

impl Context {
    /// Reads it from the headers.
    pub(crate) fn new(headers: &HeaderMap) -> Self {
        let languages = headers.get_all(header::ACCEPT_LANGUAGE).iter().filter_map(|value| value.to_str().ok());
        // A request that is recorded nowhere has a name all the same.
        let unknown = || Parent { trace: TraceId::random(), span: SpanId::random(), is_sampled: false };
        let parent = telemetry::parent().unwrap_or_else(unknown);
        Self {
            traceparent: parent.to_string(),
            tracestate: telemetry::state(),
            request_id: Uuid::now_v7().to_string(),
            trace_id: parent.trace.to_string(),
            english: prefers_english(languages),
        }
    }

    /// The language of the reply (RFC 5646).
    pub(crate) fn language(&self) -> &'static str {
        if self.english { "en" } else { "zh-CN" }
    }
}

impl<S: Sync> FromRequestParts<S> for Context {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self::new(&parts.headers))
    }
}

/// The one variable segment of a path. One that is not UTF-8 once decoded names nothing.
pub(crate) struct Segment(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for Segment {
    type Rejection = Response<Body>;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        match Path::<String>::from_request_parts(parts, state).await {
            Ok(Path(segment)) => Ok(Self(segment)),
            Err(_) => Err(Problem::NotFound.respond(&Context::new(&parts.headers))),
        }
    }
}

/// Whether `Accept-Language` (RFC 9110 section 12.5.4) ranks English above Chinese.
fn prefers_english<'a>(fields: impl IntoIterator<Item = &'a str>) -> bool {
    let (mut english, mut chinese, mut any) = (None::<u16>, None::<u16>, None::<u16>);
    for range in fields.into_iter().flat_map(|field| field.split(',')) {
        let mut parts = range.split(';').map(str::trim);
        let language = parts.next().and_then(|tag| tag.split('-').next()).unwrap_or_default();
        let Some(weight) = parts.next().map_or(Some(1000), weight) else { continue };
        let rank = match language.to_ascii_lowercase().as_str() {
            "en" => &mut english,
            "zh" => &mut chinese,
            "*" => &mut any,
            _ => continue,
        };
        *rank = (*rank).max(Some(weight));
    }
    // `*` stands for whatever is not named.
    let rank = |named: Option<u16>| named.or(any).unwrap_or(0);
    rank(english) > rank(chinese)
}

/// A quality value (RFC 9110 section 12.4.2) in thousandths.
fn weight(parameter: &str) -> Option<u16> {
    let value = parameter.strip_prefix("q=").or_else(|| parameter.strip_prefix("Q="))?;
    let (whole, fraction) = value.split_once('.').unwrap_or((value, ""));
    if !matches!(whole, "0" | "1") || fraction.len() > 3 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    format!("{whole}{fraction:0<3}").parse().ok().filter(|weight| *weight <= 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chinese_is_the_default() {
        for chinese in [
            "",
            "*",
            "fr",
            "fr, *;q=0.5",
            "zh",
            "zh-CN,en;q=0.8",
            "en;q=0.5,zh;q=0.5",
            "en;q=0",
            "en;q=2",
            "en;q=x",
            "english",
        ] {
            assert!(!prefers_english([chinese]), "{chinese}");
        }
        for english in [
            "en",
            "EN-gb",
            "en-GB,zh;q=0.9",
            "zh;q=0.3, en ; q=0.301",
            "zh;Q=0.9,en",
            "zh;q=0,*",
            "zh-TW;q=0.1,*;q=0.2",
            "en;q=0.1,fr",
        ] {
            assert!(prefers_english([english]), "{english}");
        }
        assert!(prefers_english(["zh;q=0.5", "en"]));
    }
}
