//! Departments tell the gateway what they learned, as far as it has subscribed.

use std::collections::BTreeMap;
use std::io;
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Where the gateway is, and each department's token there.
#[derive(Debug)]
pub(super) struct Notices {
    gateway: RwLock<Option<String>>,
    tokens: BTreeMap<String, String>,
}

impl Notices {
    pub(super) fn new(gateway: Option<String>, tokens: BTreeMap<String, String>) -> Self {
        Self { gateway: RwLock::new(gateway), tokens }
    }

    pub(super) fn set_gateway(&self, url: &str) {
        *self.gateway.write().unwrap_or_else(PoisonError::into_inner) = Some(url.to_owned());
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
        let Some(gateway) = gateway else { return Ok(None) };
        let authority =
            gateway.trim_end_matches('/').strip_prefix("http://").ok_or("the gateway's address is not http://")?;
        let token = self.tokens.get(source).map_or("", String::as_str);
        let body = json!({ "subjects": subjects, "kind": kind, "on": on }).to_string();
        let request = format!(
            "POST /v1/sources/{source}/events HTTP/1.1\r\nHost: {authority}\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
        match tokio::time::timeout(PATIENCE, exchange(authority, &request)).await {
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
