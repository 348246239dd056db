use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow, bail};
use clap::Args;
use reqwest::{Certificate, Client, Identity, RequestBuilder};
use serde_json::Value;
use zeroize::Zeroizing;

use super::{Failure, say};

#[derive(Args)]
#[command(
    after_help = "Exit codes: 0 confirmed; 1 any other outcome (refuted, no_record, mismatch, conflict, referred); \
                        2 the request, the token or the usage is wrong; 3 no outcome: pending after --wait, unavailable, or \
                        the gateway cannot be reached."
)]
pub(super) struct Arguments {
    /// A file that holds the request as JSON, or - for standard input. Names and ID numbers never stand on a command line,
    /// where every process of the machine could read them
    request: PathBuf,
    /// The gateway
    #[arg(long, value_name = "URL", env = "HEYAN_GATEWAY", default_value = "http://127.0.0.1:8080", value_parser = gateway)]
    gateway: String,
    /// A file that holds the bearer token; else it stands in the environment variable `HEYAN_TOKEN`
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// A file of authorities, as PEM, that the gateway's certificate must come from; else the system's
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// The agency's client certificate, as PEM; then there need be no token
    #[arg(long, value_name = "FILE", requires = "key")]
    certificate: Option<PathBuf>,
    /// The key of the client certificate, as PEM
    #[arg(long, value_name = "FILE", requires = "certificate")]
    key: Option<PathBuf>,
    /// How long to wait for a department that needs time
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    wait: u64,
    /// Print the whole reply as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let request = read_request(&arguments.request).map_err(Failure::Usage)?;
    let token = read_token(arguments).map_err(Failure::Usage)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let client = client(arguments)?;
    let reply = runtime.block_on(ask(arguments, &client, request, token.as_ref().map(|token| token.trim())))?;
    if arguments.json {
        say(&reply.to_string());
    } else {
        print(&reply);
    }
    match reply["outcome"].as_str() {
        Some("confirmed") => Ok(()),
        Some("pending" | "unavailable") | None => Err(anyhow!("there is no answer yet").into()),
        Some(_) => Err(Failure::No),
    }
}

/// The token; where there is a certificate, there may be none.
fn read_token(arguments: &Arguments) -> anyhow::Result<Option<Zeroizing<String>>> {
    let token = match &arguments.token_file {
        Some(file) => fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?,
        None => match std::env::var("HEYAN_TOKEN") {
            Ok(token) => token,
            Err(_) if arguments.certificate.is_some() => return Ok(None),
            Err(_) => bail!("no token: set HEYAN_TOKEN, or name a --token-file, or a --certificate with its --key"),
        },
    };
    Ok(Some(Zeroizing::new(token)))
}

/// A client that believes whom the arguments name, and shows the agency's certificate.
fn client(arguments: &Arguments) -> Result<Client, Failure> {
    crate::sources::install_crypto();
    let read = |file: &Path| {
        let pem = fs::read(file).with_context(|| format!("cannot read {}", file.display()));
        pem.map(Zeroizing::new).map_err(Failure::Usage)
    };
    let wrong = |file: &Path, what: &str| Failure::Usage(anyhow!("{} holds no {what} as PEM", file.display()));
    let mut builder = Client::builder().redirect(reqwest::redirect::Policy::none());
    if let Some(file) = &arguments.ca {
        let authorities = Certificate::from_pem_bundle(&read(file)?).ok().filter(|all| !all.is_empty());
        builder = builder.tls_certs_only(authorities.ok_or_else(|| wrong(file, "certificates"))?);
    }
    if let (Some(certificate), Some(key)) = (&arguments.certificate, &arguments.key) {
        let mut pem = read(certificate)?;
        pem.push(b'\n');
        pem.extend_from_slice(&read(key)?);
        let identity = Identity::from_pem(&pem).map_err(|_| {
            let both = format!("{} and {}", certificate.display(), key.display());
            Failure::Usage(anyhow!("{both} are no certificate with its key as PEM"))
        })?;
        builder = builder.identity(identity);
    }
    builder.build().context("these certificates cannot be used").map_err(Failure::Usage)
}

/// The gateway's address without a slash at its end.
fn gateway(text: &str) -> Result<String, String> {
    let url = reqwest::Url::parse(text).ok();
    let is_one = url.is_some_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    if is_one {
        Ok(text.trim_end_matches('/').to_owned())
    } else {
        Err("write it such as http://127.0.0.1:8080".to_owned())
    }
}

fn read_request(path: &PathBuf) -> anyhow::Result<Vec<u8>> {
    let mut request = Vec::new();
    if path.as_os_str() == "-" {
        io::stdin().read_to_end(&mut request).context("cannot read standard input")?;
    } else {
        request = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    }
    Ok(request)
}

async fn ask(arguments: &Arguments, client: &Client, request: Vec<u8>, token: Option<&str>) -> Result<Value, Failure> {
    let with_token = |request: RequestBuilder| match token {
        Some(token) => request.bearer_auth(token),
        None => request,
    };
    let base = &arguments.gateway;
    let deadline = Instant::now() + Duration::from_secs(arguments.wait);
    let first =
        client.post(format!("{base}/v1/verifications")).header("content-type", "application/json").body(request);
    let mut reply = read_reply(with_token(first)).await?;
    while reply["outcome"] == "pending" && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let id = reply["id"].as_str().context("the reply has no id")?;
        reply = read_reply(with_token(client.get(format!("{base}/v1/verifications/{id}")))).await?;
    }
    Ok(reply)
}

async fn read_reply(request: RequestBuilder) -> Result<Value, Failure> {
    let response =
        request.send().await.map_err(reqwest::Error::without_url).context("the gateway cannot be reached")?;
    let status = response.status();
    let body = response.bytes().await.map_err(reqwest::Error::without_url).context("the reply broke off")?;
    let reply: Value =
        serde_json::from_slice(&body).with_context(|| format!("the gateway replied {status}, and not with JSON"))?;
    if status.is_success() {
        return Ok(reply);
    }
    let mut message = format!("{status}: {}", reply["detail"].as_str().unwrap_or_default());
    for error in reply["errors"].as_array().into_iter().flatten() {
        message += &format!(
            "\n  {}: {}",
            error["pointer"].as_str().unwrap_or_default(),
            error["reason"].as_str().unwrap_or_default()
        );
    }
    // What the caller sent or is cannot be mended by trying again; anything else could be.
    let is_ours = matches!(status.as_u16(), 400 | 401 | 403 | 409 | 413 | 415 | 422);
    Err(if is_ours { Failure::Usage(anyhow!(message)) } else { anyhow!(message).into() })
}

fn print(reply: &Value) {
    say(reply["outcome"].as_str().unwrap_or_default());
    for witness in reply["witnesses"].as_array().into_iter().flatten() {
        let text = |key: &str| witness[key].as_str().unwrap_or("-").to_owned();
        say(&format!("  {:<14} {:<12} {}", text("source"), text("answer"), text("as_of")));
    }
    if let Some(summary) = reply["guidance"]["summary"].as_str() {
        say(summary);
        for step in reply["guidance"]["steps"].as_array().into_iter().flatten() {
            say(&format!("  · {}", step.as_str().unwrap_or_default()));
        }
    }
}
