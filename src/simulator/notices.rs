//! Departments tell the gateway what they learned, as far as it has subscribed.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use hyper::Uri;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Each department's token for telling the gateway of events, by source id.
pub const EVENT_TOKENS: [(&str, &str); 4] = [
    ("police", "demo-police-events"),
    ("civil-affairs", "demo-civil-affairs-events"),
    ("health", "demo-health-events"),
    ("court", "demo-court-events"),
];

/// Where the gateway is: host and port. As text an address such as `http://127.0.0.1:8080`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GatewayAddress(String);

impl FromStr for GatewayAddress {
    /// A sentence that says what is wrong.
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let read = || {
            let uri = text.parse::<Uri>().ok()?;
            let is_plain = uri.scheme_str() == Some("http") && uri.path() == "/" && uri.query().is_none();
            let (host, whole) = (uri.host()?, uri.authority()?.as_str());
            // What is left is a port, or somebody's name and password before the host.
            let port: u16 = match whole.strip_prefix(host)? {
                "" => 80,
                rest => rest.strip_prefix(':')?.parse().ok()?,
            };
            (is_plain && !host.is_empty() && !text.contains('#')).then(|| Self(format!("{host}:{port}")))
        };
        read().ok_or_else(|| "write it such as http://127.0.0.1:8080, without a path".to_owned())
    }
}

impl From<SocketAddr> for GatewayAddress {
    /// Of a gateway on this machine; one that listens on all its addresses is told on one that always exists.
    fn from(address: SocketAddr) -> Self {
        let ip = match address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
            ip => ip,
        };
        Self(SocketAddr::new(ip, address.port()).to_string())
    }
}

/// What the departments know of the gateway.
#[derive(Debug)]
pub(super) struct Notices {
    gateway: RwLock<Option<GatewayAddress>>,
}

impl Notices {
    pub(super) fn new(gateway: Option<GatewayAddress>) -> Self {
        Self { gateway: RwLock::new(gateway) }
    }

    pub(super) fn set_gateway(&self, gateway: GatewayAddress) {
        *self.gateway.write().unwrap_or_else(PoisonError::into_inner) = Some(gateway);
    }

    /// Tells the gateway in a department's name. The HTTP status; none where there is no gateway to tell.
    ///
    /// # Errors
    /// A sentence about what failed.
    pub(super) async fn send(
        &self,
        source: &str,
        kind: &str,
        on: &str,
        subjects: &[String],
    ) -> Result<Option<u16>, String> {
        let gateway = self.gateway.read().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(GatewayAddress(authority)) = gateway else { return Ok(None) };
        let token = EVENT_TOKENS.iter().find(|(known, _)| *known == source).map_or("", |(_, token)| *token);
        let body = json!({ "subjects": subjects, "kind": kind, "on": on }).to_string();
        let request = format!(
            "POST /v1/sources/{source}/events HTTP/1.1\r\nHost: {authority}\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
        match tokio::time::timeout(PATIENCE, exchange(&authority, &request)).await {
            Ok(Ok(status)) => Ok(Some(status)),
            Ok(Err(error)) => Err(format!("the gateway could not be told: {error}")),
            Err(_) => Err("the gateway did not answer in time".to_owned()),
        }
    }
}

/// One plain HTTP exchange; of the response, the status alone matters.
async fn exchange(authority: &str, request: &str) -> io::Result<u16> {
    let mut stream = TcpStream::connect(authority).await?;
    stream.write_all(request.as_bytes()).await?;
    let mut head = Vec::new();
    stream.take(1024).read_to_end(&mut head).await?;
    let line = String::from_utf8_lossy(&head);
    let status = line.split(' ').nth(1).and_then(|status| status.parse().ok());
    status.ok_or_else(|| io::Error::other("no HTTP response"))
}

const PATIENCE: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gateway_is_a_host_and_a_port() {
        for (text, expected) in [
            ("http://127.0.0.1:8080", "127.0.0.1:8080"),
            ("http://localhost:8080/", "localhost:8080"),
            ("http://gateway", "gateway:80"),
            ("http://[::1]:81", "[::1]:81"),
        ] {
            assert_eq!(text.parse(), Ok(GatewayAddress(expected.to_owned())), "{text}");
        }
        for text in [
            "",
            "gateway",
            "127.0.0.1:8080",
            "https://gateway",
            "http://",
            "http://:80",
            "http://gateway:",
            "http://gateway:99999",
            "http://gateway/v1",
            "http://gateway?x=1",
            "http://gateway#x",
            "http://user@gateway",
            "http://gate way",
            "http://gateway\r\nx: y",
        ] {
            assert!(text.parse::<GatewayAddress>().is_err(), "{text}");
        }
        let everywhere: SocketAddr = "[::]:8080".parse().unwrap();
        assert_eq!(GatewayAddress::from(everywhere), GatewayAddress("[::1]:8080".to_owned()));
    }
}
