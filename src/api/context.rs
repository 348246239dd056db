//! What every reply needs to know of its request.

use axum::body::Body;
use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Response, header};
use uuid::Uuid;

use super::problem::Problem;

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
        let languages = headers.get_all(header::ACCEPT_LANGUAGE).iter().filter_map(|value| value.to_str().ok());
        Self {
            traceparent: format!("00-{trace_id}-{span}-{flags}"),
            request_id: id.to_string(),
            trace_id,
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
