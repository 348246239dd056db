//! What browsers are told beside every page.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

/// Nothing runs, and nothing is shown, that does not come from here.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; \
                      form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// Of every page and of every answer to a form. What is personal is stored nowhere on the way, nor by the browser.
pub(super) fn of_pages(fields: &mut HeaderMap, is_tls: bool) {
    common(fields);
    let mut set = |name, value| drop(fields.insert(name, HeaderValue::from_static(value)));
    set(header::CONTENT_SECURITY_POLICY, POLICY);
    set(header::X_FRAME_OPTIONS, "DENY");
    set(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    set(HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=(), payment=(), usb=()");
    if is_tls {
        set(header::STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    }
    if !fields.contains_key(header::CACHE_CONTROL) {
        fields.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    fields.insert(header::VARY, HeaderValue::from_static("accept-language, cookie"));
}

/// Of style sheets, scripts and pictures.
pub(super) fn of_assets(fields: &mut HeaderMap) {
    common(fields);
}

fn common(fields: &mut HeaderMap) {
    let mut set = |name, value| drop(fields.insert(name, HeaderValue::from_static(value)));
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::REFERRER_POLICY, "no-referrer");
    set(HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
}
