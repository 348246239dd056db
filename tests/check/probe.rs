//! `heyan check --probe`, over real sockets.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use heyan::simulator::{FaultSetting, Options, Simulator};
use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::Value;

use super::Overlay;

async fn simulator(faults: &[&str]) -> Simulator {
    let options = Options {
        population: 100,
        seed: 1,
        today: jiff::civil::date(2026, 11, 25),
        listen: [127, 0, 0, 1].into(),
        ports: None,
        gateway: None,
        faults: faults.iter().map(|fault| fault.parse::<FaultSetting>().unwrap()).collect(),
        court_delay: Duration::ZERO,
    };
    Simulator::start(options).await.unwrap()
}

/// What the command says, and its exit code.
async fn check(simulator: &Simulator, arguments: &[&str], variables: &[(&str, &str)]) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_heyan"));
    command.args(["check", "--probe"]).args(arguments);
    for (source, address) in simulator.sources() {
        command.env(format!("HEYAN_{}_ADDRESS", source.to_uppercase().replace('-', "_")), address);
    }
    command.envs(variables.iter().copied());
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    for secret in
        ["demo-police-secret", "demo-health-token", "demo-court-secret", "demo-civil-first-key", "wrong-secret"]
    {
        assert!(!text.contains(secret), "a secret is shown: {text}");
    }
    (output.status.code().unwrap(), text)
}

/// What is found of each source, in its order: id, state, codes of the problems.
async fn found(simulator: &Simulator, arguments: &[&str], variables: &[(&str, &str)]) -> (i32, Vec<String>) {
    let (code, text) = check(simulator, &[&["--json"], arguments].concat(), variables).await;
    let found: Value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}"));
    let line = |source: &Value| {
        let problems = source["problems"].as_array().unwrap().iter();
        let codes: Vec<&str> = problems.map(|problem| problem["code"].as_str().unwrap()).collect();
        format!("{} {} {}", source["id"].as_str().unwrap(), source["state"].as_str().unwrap(), codes.join(","))
    };
    assert_eq!(found["well"], code == 0);
    (code, found["sources"].as_array().unwrap().iter().map(|source| line(source).trim_end().to_owned()).collect())
}

const ALL_WELL: [&str; 4] = ["civil-affairs well", "court well", "health well", "police well"];

#[tokio::test]
async fn departments_that_are_well_are_said_to_be() {
    let simulator = simulator(&[]).await;
    assert_eq!(found(&simulator, &[], &[]).await, (0, ALL_WELL.map(str::to_owned).to_vec()));
    let (code, text) = check(&simulator, &[], &[]).await;
    assert!(code == 0 && text.contains("no errors\ncivil-affairs  well"), "{text}");
    assert!(!text.contains('→'), "{text}");
}

#[tokio::test]
async fn each_department_that_is_not_is_told_with_what_to_do() {
    let simulator = simulator(&[]).await;
    // Nobody listens there any more.
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let variables = [
        ("HEYAN_POLICE_ADDRESS", &*format!("http://{free}")),
        ("HEYAN_COURT_SECRET", "wrong-secret"),
        ("HEYAN_CIVIL_AFFAIRS_FIRST_KEY", "wrong-secret"),
        ("HEYAN_HEALTH_ADDRESS", "http://no-such-host.invalid"),
    ];
    let expected = [
        "civil-affairs not-well denied",
        "court not-well denied",
        "health not-well unresolved",
        "police not-well refused",
    ];
    assert_eq!(found(&simulator, &[], &variables).await, (1, expected.map(str::to_owned).to_vec()));
    let (_, text) = check(&simulator, &[], &variables).await;
    for expected in [
        format!("police         not well  nothing listens at {free}"),
        "is the department's system up, is the address right, does a firewall lie between?".to_owned(),
        "check the secret in the environment variable HEYAN_COURT_SECRET".to_owned(),
        "check the secret in the environment variable HEYAN_CIVIL_AFFAIRS_FIRST_KEY".to_owned(),
    ] {
        assert!(text.contains(&expected), "{expected}: {text}");
    }
}

#[tokio::test]
async fn those_that_hang_keep_nobody_waiting_longer_than_their_limits() {
    let simulator = simulator(&["police.*=hang", "civil-affairs.*=hang", "health.*=hang", "court.*=hang"]).await;
    let began = Instant::now();
    let (code, found) = found(&simulator, &[], &[]).await;
    assert!(began.elapsed() < Duration::from_secs(7), "two seconds each, all at the same time");
    let expected = ["civil-affairs", "court", "health", "police"].map(|source| format!("{source} not-well hanging"));
    assert_eq!((code, found), (1, expected.to_vec()));
}

#[tokio::test]
async fn statuses_and_broken_connections_are_told() {
    let simulator = simulator(&["court.*=status-503", "health.*=refuse"]).await;
    let expected = ["civil-affairs well", "court not-well no-credential,unwell", "health not-well lost", "police well"];
    assert_eq!(found(&simulator, &[], &[]).await, (1, expected.map(str::to_owned).to_vec()));
}

#[tokio::test]
async fn a_configuration_that_is_wrong_is_told_and_nobody_is_called() {
    let simulator = simulator(&[]).await;
    let overlay = Overlay::new();
    overlay.write("config/sources/police.toml", "id = \"police\"\nkind = 1\n");
    let (code, text) = check(&simulator, &["--overlay", overlay.0.to_str().unwrap()], &[]).await;
    assert!(code == 2 && text.contains("unknown key \"kind\"") && !text.contains("well"), "{text}");
}

/// A department whose clock is an hour behind, and that is asked to prove who it is when it is asked anything.
fn plain(reply: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut head = [0; 4096];
            // A caller who only sees whether somebody listens sends nothing.
            if matches!(stream.read(&mut head), Ok(1..)) {
                let _ = stream.write_all(reply.as_bytes());
            }
        }
    });
    address
}

#[tokio::test]
async fn clocks_statuses_and_what_is_no_http_are_told() {
    let simulator = simulator(&[]).await;
    let late = plain("HTTP/1.1 401 Unauthorized\r\nDate: Tue, 01 Jan 2030 00:00:00 GMT\r\nContent-Length: 0\r\n\r\n");
    let gone = plain("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    let variables = [("HEYAN_POLICE_ADDRESS", &*late), ("HEYAN_HEALTH_ADDRESS", &*gone)];
    let (code, text) = found(&simulator, &[], &variables).await;
    assert_eq!((code, &*text[2], &*text[3]), (1, "health not-well unwell", "police not-well clock,denied"));
    let other = plain("220 mail.example ESMTP\r\n");
    let (code, text) = found(&simulator, &[], &[("HEYAN_POLICE_ADDRESS", &*other)]).await;
    assert_eq!((code, &*text[3]), (1, "police not-well not-http"));
}

/// A department behind TLS, with its certificate as PEM.
fn secure(change: impl FnOnce(&mut CertificateParams)) -> (String, String) {
    heyan::sources::install_crypto();
    let key = KeyPair::generate().unwrap();
    let mut parameters = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    change(&mut parameters);
    let certificate = parameters.self_signed(&key).unwrap();
    let private = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let server = ServerConfig::builder().with_no_client_auth();
    let server = Arc::new(server.with_single_cert(vec![certificate.der().clone()], private).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(stream) = stream else { return };
            let mut stream = StreamOwned::new(ServerConnection::new(Arc::clone(&server)).unwrap(), stream);
            if matches!(stream.read(&mut [0; 4096]), Ok(1..)) {
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
                stream.conn.send_close_notify();
                let _ = stream.flush();
            }
        }
    });
    (address, certificate.pem())
}

type Change<'a> = &'a dyn Fn(&mut CertificateParams);

#[tokio::test]
async fn what_is_wrong_with_a_certificate_is_told() {
    let simulator = simulator(&[]).await;
    let (unknown, _) = secure(|_| {});
    let (code, text) = found(&simulator, &[], &[("HEYAN_POLICE_ADDRESS", &unknown)]).await;
    assert_eq!((code, &*text[3]), (1, "police not-well tls-unknown-issuer"));
    let expired = |parameters: &mut CertificateParams| parameters.not_after = date_time_ymd(2001, 1, 1);
    let early = |parameters: &mut CertificateParams| parameters.not_before = date_time_ymd(2999, 1, 1);
    let other = |parameters: &mut CertificateParams| {
        *parameters = CertificateParams::new(vec!["police.example".to_owned()]).unwrap();
    };
    let authority =
        |parameters: &mut CertificateParams| parameters.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let cases: [(Change<'_>, i32, &str, &str); 5] = [
        (&|_| {}, 0, "police well", ""),
        (&expired, 1, "police not-well tls-expired", "expired on 2001-01-01"),
        (&early, 1, "police not-well tls-not-yet-valid", "from 2999-01-01"),
        (&other, 1, "police not-well tls-wrong-name", "its certificate is for police.example\n"),
        (&authority, 1, "police not-well tls-of-authority", "CA:FALSE"),
    ];
    for (change, code, expected, words) in cases {
        let (address, pem) = secure(change);
        let overlay = Overlay::new();
        overlay.write("ca.pem", pem);
        let text = heyan::config::Folder::embedded().read("config/sources/police.toml").unwrap().text.clone();
        let file = overlay.0.join("ca.pem").display().to_string();
        let text = text.replacen("[limits]", &format!("[tls]\nca_file = \"{file}\"\n\n[limits]"), 1);
        overlay.write("config/sources/police.toml", text);
        let (arguments, variables) =
            (["--overlay", overlay.0.to_str().unwrap()], [("HEYAN_POLICE_ADDRESS", &*address)]);
        let found = found(&simulator, &arguments, &variables).await;
        assert_eq!((found.0, &*found.1[3]), (code, expected));
        let (_, text) = check(&simulator, &arguments, &variables).await;
        assert!(text.contains(words), "{words}: {text}");
    }
    // TLS where there is none.
    let plain = plain("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").replace("http:", "https:");
    let (code, text) = found(&simulator, &[], &[("HEYAN_POLICE_ADDRESS", &plain)]).await;
    assert_eq!((code, &*text[3]), (1, "police not-well not-tls"));
}
