use std::net::IpAddr;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};

use super::{Client, PageError, Web};

impl FromRequestParts<Web> for Client {
    type Rejection = PageError;

    /// The address at the other end of the connection, or the one that the proxy there has written last.
    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, PageError> {
        let peer = parts.extensions.get::<Self>().copied().ok_or(PageError::Broken)?;
        let forwarded = web.front.forwarded_for.then(|| forwarded(&parts.headers)).flatten();
        Ok(forwarded.map_or(peer, Self))
    }
}

/// The last entry of `X-Forwarded-For`: those before it may be anybody's words.
fn forwarded(fields: &HeaderMap) -> Option<IpAddr> {
    let last = fields.get_all("x-forwarded-for").iter().next_back().map(HeaderValue::to_str)?.ok()?;
    let entry = last.rsplit(',').next()?.trim();
    let bare = entry.strip_prefix('[').and_then(|entry| entry.split(']').next()).unwrap_or(entry);
    bare.parse().or_else(|_| entry.parse().map(|socket: std::net::SocketAddr| socket.ip())).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_entry_is_the_proxys_own() {
        let from = |fields: &[&str]| {
            let mut headers = HeaderMap::new();
            for field in fields {
                headers.append("x-forwarded-for", field.parse().unwrap());
            }
            forwarded(&headers).map(|address| address.to_string())
        };
        assert_eq!(from(&["1.1.1.1, 10.0.0.7"]).as_deref(), Some("10.0.0.7"));
        assert_eq!(from(&["1.1.1.1", "10.0.0.7:4711"]).as_deref(), Some("10.0.0.7"));
        assert_eq!(from(&["[2001:db8::1]:80"]).as_deref(), Some("2001:db8::1"));
        assert_eq!(from(&["2001:db8::1"]).as_deref(), Some("2001:db8::1"));
        assert_eq!(from(&["unknown"]), None);
        assert_eq!(from(&[]), None);
    }
}
