//! What every reply needs to know of its request.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use uuid::Uuid;

/// A request's identity and language.
#[derive(Debug, Clone)]
pub(crate) struct Context {
    /// Ours: in the reply, and in the departments' logs.
    pub(crate) request_id: String,
    /// The caller's trace, or a new one (W3C Trace Context).
    pub(crate) trace_id: String,
    /// The trace context to hand on.
    pub(crate) traceparent: String,
    /// Whether English is preferred to Chinese.
    pub(crate) english: bool,
}

impl Context {
    /// Reads it from the headers.
    pub(crate) fn new(headers: &HeaderMap) -> Self {
        let id = Uuid::now_v7();
        let given = headers.get("traceparent").and_then(|value| value.to_str().ok());
        let trace_id = given.and_then(trace_id).map_or_else(|| Uuid::now_v7().simple().to_string(), str::to_owned);
        let flags = given.filter(|given| given.contains(&trace_id)).and_then(|given| given.get(53..55)).unwrap_or("00");
        let span = &id.simple().to_string()[16..];
        let language = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        Self {
            traceparent: format!("00-{trace_id}-{span}-{flags}"),
            request_id: id.to_string(),
            trace_id,
            english: language.is_some_and(prefers_english),
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

/// The trace id of a valid `traceparent` of version 00.
fn trace_id(traceparent: &str) -> Option<&str> {
    let mut parts = traceparent.split('-');
    let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let is_hex = |text: &str, length: usize| {
        text.len() == length && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    let is_set = |text: &str| text.bytes().any(|byte| byte != b'0');
    let valid =
        version == "00" && is_hex(trace, 32) && is_set(trace) && is_hex(span, 16) && is_set(span) && is_hex(flags, 2);
    (valid && parts.next().is_none()).then_some(trace)
}

/// Whether `Accept-Language` (RFC 9110 section 12.5.4) ranks English above Chinese.
fn prefers_english(accepted: &str) -> bool {
    let quality = |wanted: &str| {
        accepted
            .split(',')
            .filter_map(|range| {
                let mut parts = range.split(';');
                let language = parts.next()?.trim().split('-').next()?;
                let weight = parts.find_map(|part| part.trim().strip_prefix("q=")?.parse::<f32>().ok()).unwrap_or(1.0);
                language.eq_ignore_ascii_case(wanted).then_some(weight)
            })
            .fold(0.0_f32, f32::max)
    };
    quality("en") > quality("zh")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chinese_is_the_default() {
        for (accepted, english) in [
            ("", false),
            ("*", false),
            ("en", true),
            ("en-GB,zh;q=0.9", true),
            ("zh-CN,en;q=0.8", false),
            ("fr", false),
        ] {
            assert_eq!(prefers_english(accepted), english, "{accepted}");
        }
    }

    #[test]
    fn only_a_valid_trace_is_kept() {
        let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert_eq!(trace_id(good), Some("4bf92f3577b34da6a3ce929d0e0e4736"));
        for bad in ["", "00-0-0-0", "00-00000000000000000000000000000000-00f067aa0ba902b7-01", &good.to_uppercase()] {
            assert_eq!(trace_id(bad), None, "{bad}");
        }
        let mut headers = HeaderMap::new();
        headers.insert("traceparent", good.parse().unwrap());
        let context = Context::new(&headers);
        assert!(context.traceparent.starts_with("00-4bf92f3577b34da6a3ce929d0e0e4736-"));
        assert!(context.traceparent.ends_with("-01"));
    }
}
