//! Whether the departments can be asked, found out without anybody's data: address, connection, TLS, credentials, health
//! operation, clock.

mod trouble;

use std::io;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::{join_all, select_ok};
use jiff::{SignedDuration, Timestamp};
use reqwest::header::DATE;
use reqwest::{Client, Method, Request, RequestBuilder, Response, Url};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, timeout, timeout_at};

use super::authentication::{DENIED, MOST_CREDENTIAL};
use super::client::{bounded, chain, install_crypto, tls_error};
use super::{Description, Health};
use crate::clock::Clock;
use crate::domain::{Cause, Slug};

pub use trouble::{TlsTrouble, Trouble};

/// What probing a source came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probed {
    /// The source.
    pub source: Slug,
    /// Its health operation, a method and an address; `None`: its file describes none.
    pub health: Option<String>,
    /// Until when it is planned to be out of service; then it was not called.
    pub closed_until: Option<Timestamp>,
    /// What is wrong.
    pub troubles: Vec<Trouble>,
    /// How far its clock is ahead of ours, where that is more than a minute and harms nothing.
    pub ahead: Option<SignedDuration>,
    /// Whether it was shown our credentials and did not have to say whether it accepts them.
    pub unproven: bool,
    /// How long all that took.
    pub took: Duration,
}

/// Clocks may differ by so much.
const SKEW: SignedDuration = SignedDuration::from_mins(1);

/// Probes these sources at the same time, each step within the limits of its source.
pub async fn probe(sources: &[Description], clock: &dyn Clock) -> Vec<Probed> {
    install_crypto();
    join_all(sources.iter().map(|source| Probe { source, clock }.run())).await
}

/// One source being probed.
struct Probe<'a> {
    source: &'a Description,
    clock: &'a dyn Clock,
}

impl Probe<'_> {
    async fn run(self) -> Probed {
        let began = Instant::now();
        let health = self.source.health.as_ref();
        let mut probed = Probed {
            source: self.source.id.clone(),
            health: health.map(|health| shown(&health.method, &health.address)),
            closed_until: self.source.limits.closed_until(self.clock.now()),
            troubles: Vec::new(),
            ahead: None,
            unproven: false,
            took: Duration::ZERO,
        };
        if probed.closed_until.is_none() {
            let last = self.steps(&mut probed).await.err();
            probed.troubles.extend(last);
            probed.took = began.elapsed();
        }
        probed
    }

    /// An error ends the probing: what comes after it would only fail for the same reason.
    async fn steps(&self, probed: &mut Probed) -> Result<(), Trouble> {
        let client = self.source.client().ok_or(Trouble::Misconfigured)?;
        let proxy = self.source.proxy.as_ref().and_then(|proxy| proxy.parse::<Url>().ok());
        self.connect(proxy.as_ref().unwrap_or(&self.source.address)).await?;
        let has_credential = self.credential(&client, probed).await?;
        self.health(&client, has_credential, probed).await
    }

    async fn connect(&self, to: &Url) -> Result<(), Trouble> {
        let within = self.source.limits.connect_timeout;
        let deadline = Instant::now() + within;
        let host = to.host_str().unwrap_or_default().trim_matches(['[', ']']);
        let port = to.port_or_known_default().unwrap_or_default();
        let unresolved = || Trouble::Unresolved { host: host.to_owned() };
        let addresses = timeout_at(deadline, lookup_host((host, port))).await;
        let addresses = addresses.map_err(|_| unresolved())?.map_err(|_| unresolved())?;
        let connecting: Vec<_> = addresses.map(|address| TcpStream::connect(address).boxed()).collect();
        if connecting.is_empty() {
            return Err(unresolved());
        }
        let at = place(to);
        let error = match timeout_at(deadline, select_ok(connecting)).await {
            Ok(Ok(_)) => return Ok(()),
            Ok(Err(error)) => error.kind(),
            Err(_) => io::ErrorKind::TimedOut,
        };
        Err(match error {
            io::ErrorKind::ConnectionRefused => Trouble::Refused { at },
            io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted | io::ErrorKind::BrokenPipe => {
                Trouble::Lost { request: format!("connecting to {at}") }
            }
            io::ErrorKind::TimedOut => Trouble::Silent { at, within },
            _ => Trouble::NoWay { at },
        })
    }

    /// Fetches the token or the working key, where one is needed. Returns whether everything is there that proves who we are.
    async fn credential(&self, client: &Client, probed: &mut Probed) -> Result<bool, Trouble> {
        let proof = &self.source.authentication.proof;
        let service = self.service().unwrap_or_default();
        let Some((credential, request)) = proof.credential(client, service) else { return Ok(true) };
        let request = build(request)?;
        let (url, request_shown) = (request.url().clone(), shown(request.method(), request.url()));
        let is_elsewhere = place(&url) != place(&self.source.address);
        let reached = if is_elsewhere && self.source.proxy.is_none() { self.connect(&url).await } else { Ok(()) };
        let response = match reached {
            Ok(()) => self.send(client, request).await,
            Err(trouble) => Err(trouble),
        };
        let response = match response {
            Ok(response) => response,
            Err(trouble) if is_elsewhere => {
                probed.troubles.push(trouble);
                return Ok(false);
            }
            Err(trouble) => return Err(trouble),
        };
        self.compare_clocks(&response, probed);
        let status = response.status().as_u16();
        let reading = timeout(self.source.limits.response_timeout, bounded(response, MOST_CREDENTIAL));
        let body = reading.await.unwrap_or(Err(Cause::Timeout));
        let reply: Option<serde_json::Value> = body.ok().and_then(|body| serde_json::from_slice(&body).ok());
        if let Some(reply) = reply.as_ref().filter(|_| status == 200)
            && proof.take(reply).await
        {
            return Ok(true);
        }
        // Departments that answer everything with 200 say no in a reply without what was asked for.
        let is_denied = DENIED.contains(&status) || status == 200 && reply.is_some_and(|reply| reply.is_object());
        probed.troubles.push(if is_denied {
            self.denied(request_shown, status, Some(credential))
        } else {
            Trouble::NoCredential { request: request_shown, status, credential }
        });
        Ok(false)
    }

    /// Calls the health operation; where there is none, asks for the head of the base address, whatever the answer is.
    async fn health(&self, client: &Client, has_credential: bool, probed: &mut Probed) -> Result<(), Trouble> {
        let Some(Health { method, address, status: expected }) = &self.source.health else {
            let response = self.send(client, build(Ok(client.head(self.source.address.clone())))?).await?;
            self.compare_clocks(&response, probed);
            probed.unproven = has_credential && self.has_plain_secret();
            return Ok(());
        };
        let mut request = client.request(method.clone(), address.clone());
        if has_credential {
            let proven = self.source.authentication.apply(client, request, self.service()).await;
            request = proven.map_err(|_| Trouble::Misconfigured)?;
        }
        let response = self.send(client, build(Ok(request))?).await?;
        self.compare_clocks(&response, probed);
        let (status, request) = (response.status().as_u16(), shown(method, address));
        let is_denied = matches!(status, 401 | 403);
        if status == *expected {
            probed.unproven = has_credential && self.has_plain_secret();
        } else if is_denied && has_credential && self.source.authentication.proof.secret_place().is_some() {
            probed.troubles.push(self.denied(request, status, None));
        } else if !is_denied || has_credential {
            probed.troubles.push(Trouble::Unwell { request, expected: *expected, status });
        }
        Ok(())
    }

    async fn send(&self, client: &Client, request: Request) -> Result<Response, Trouble> {
        let within = self.source.limits.response_timeout;
        let (url, request_shown) = (request.url().clone(), shown(request.method(), request.url()));
        match timeout(within, client.execute(request)).await {
            Ok(Ok(response)) => Ok(response),
            // The proxy is there; what lies behind it, it has to say.
            Ok(Err(error)) if self.source.proxy.is_some() && error.is_connect() && tls_error(&error).is_none() => {
                Err(Trouble::NoWay { at: place(&url) })
            }
            Ok(Err(error)) => Err(trouble(&error, &url, request_shown, within)),
            Err(_) => Err(Trouble::Hanging { request: request_shown, within }),
        }
    }

    fn compare_clocks(&self, response: &Response, probed: &mut Probed) {
        let date = response.headers().get(DATE).and_then(|date| date.to_str().ok());
        let date = date.and_then(|date| jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(date).ok());
        let Some(ahead) = date.map(|date| date.duration_since(self.clock.now())) else { return };
        if ahead.abs() <= SKEW || probed.ahead.is_some() || probed.is_late() {
            return;
        }
        if self.source.authentication.proof.depends_on_time() {
            probed.troubles.push(Trouble::Clock { ahead });
        } else {
            probed.ahead = Some(ahead);
        }
    }

    fn denied(&self, request: String, status: u16, credential: Option<super::Credential>) -> Trouble {
        let secret = self.source.authentication.proof.secret_place().unwrap_or("the source's file").to_owned();
        Trouble::Denied { request, status, credential, secret }
    }

    /// Whether our credentials go with a request as they are, without anything that is fetched first.
    fn has_plain_secret(&self) -> bool {
        let proof = &self.source.authentication.proof;
        proof.secret_place().is_some() && !proof.is_fetched()
    }

    /// The exchange platform's id of some operation.
    fn service(&self) -> Option<&str> {
        self.source.operations.values().find_map(|operation| operation.service.as_deref())
    }
}

impl Probed {
    /// Whether the department can be asked, or will be as planned.
    #[must_use]
    pub fn is_well(&self) -> bool {
        self.troubles.is_empty()
    }

    /// Whether its clock has been found wrong already.
    fn is_late(&self) -> bool {
        self.troubles.iter().any(|trouble| matches!(trouble, Trouble::Clock { .. }))
    }
}

fn build(request: Result<RequestBuilder, Cause>) -> Result<Request, Trouble> {
    request.ok().and_then(|request| request.build().ok()).ok_or(Trouble::Misconfigured)
}

fn trouble(error: &reqwest::Error, url: &Url, request: String, within: Duration) -> Trouble {
    if let Some(error) = tls_error(error) {
        return Trouble::Tls { at: place(url), why: error.into() };
    }
    if error.is_timeout() {
        return Trouble::Hanging { request, within };
    }
    let is_no_http = |error: &hyper::Error| error.is_parse();
    if chain(error).filter_map(|error| error.downcast_ref()).any(is_no_http) {
        return Trouble::NotHttp { request };
    }
    if error.is_connect() && url.scheme() == "https" {
        return Trouble::Tls { at: place(url), why: TlsTrouble::BrokenOff };
    }
    Trouble::Lost { request }
}

/// Host and port.
fn place(url: &Url) -> String {
    format!("{}:{}", url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or_default())
}

/// A request as it may be shown: without whatever may be secret in its address.
fn shown(method: &Method, url: &Url) -> String {
    let path = url.path();
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{method} {}://{}{port}{path}", url.scheme(), url.host_str().unwrap_or_default())
}
