//! What `heyan check` and `heyan serve` say of the files that say who calls.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use rcgen::date_time_ymd;

use super::authority::Authority;
use super::gateway::Gateway;

/// The line of the gateway's file that begins so.
fn line(gateway: &Gateway, beginning: &str) -> usize {
    let text = fs::read_to_string(gateway.path("overlay/config/heyan.toml")).unwrap();
    text.lines().position(|line| line.starts_with(beginning)).unwrap() + 1
}

/// What is wrong is told at the line that names the file.
fn is_told(gateway: &Gateway, beginning: &str, words: &str) {
    let (code, said) = gateway.check();
    let place = format!("config/heyan.toml:{}: ", line(gateway, beginning));
    let told = said.lines().any(|line| line.contains(&place) && line.contains(words));
    assert!(code == Some(2) && told, "{code:?} {said} does not say {place}… {words}");
}

#[test]
fn each_wrong_file_is_told_at_its_line() {
    let (authority, other) = (Authority::new("root"), Authority::new("root"));
    let gateway = Gateway::with_tls(&authority, "");
    gateway.write("crl.pem", &authority.list(&[], 2090));
    gateway.configure(&format!("{}\ncrl = \"{}\"", gateway.tls(), gateway.path("crl.pem").display()));
    assert_eq!(gateway.check().0, Some(0), "{}", gateway.check().1);

    gateway.write("server.key", &other.server().key);
    is_told(&gateway, "key = \"", "this key is not that of the certificate");
    gateway.write("server.key", "nonsense");
    is_told(&gateway, "key = \"", "there is no private key in this file");
    gateway.identity(&authority.server());
    fs::set_permissions(gateway.path("server.key"), fs::Permissions::from_mode(0o640)).unwrap();
    is_told(&gateway, "key = \"", "can be read by others than its owner (mode 640)");
    gateway.identity(&authority.issue(&["127.0.0.1"], |one| one.not_after = date_time_ymd(2001, 1, 1)));
    is_told(&gateway, "certificate = \"", "has expired, on 2001-01-01");
    gateway.identity(&authority.server());

    gateway.write("ca.pem", "");
    is_told(&gateway, "client_ca = \"", "there is no certificate in this file");
    gateway.write("ca.pem", &authority.pem);
    gateway.write("crl.pem", &authority.pem);
    is_told(&gateway, "crl = \"", "there is no revocation list in this file");
    gateway.write("crl.pem", &authority.list(&[], 2021));
    is_told(&gateway, "crl = \"", "has expired, on 2021-01-01");
    fs::remove_file(gateway.path("crl.pem")).unwrap();
    is_told(&gateway, "crl = \"", "cannot be read: No such file");
}

#[test]
fn what_soon_expires_is_told_and_is_no_error() {
    let authority = Authority::new("root");
    let gateway = Gateway::with_tls(&authority, "");
    let soon = heyan::clock::day_of(jiff::Timestamp::now().checked_add(jiff::SignedDuration::from_hours(240)).unwrap());
    let month = u8::try_from(soon.month()).unwrap();
    let until = date_time_ymd(soon.year().into(), month, u8::try_from(soon.day()).unwrap());
    gateway.identity(&authority.issue(&["127.0.0.1"], |one| one.not_after = until));
    let (code, said) = gateway.check();
    assert!(code == Some(0) && said.contains(&format!("expires on {soon}")), "{said}");
}

#[test]
fn settings_that_say_nothing_together_are_told() {
    let gateway = Gateway::new();
    gateway.agencies(&[("fund", "certificates = [\"san:fund.cn\"]"), ("bank", "certificates = [\"san:*.cn\"]")]);
    gateway.configure(
        "[[issuers]]\nissuer = \"a\"\naudience = \"b\"\njwks = \"http://id.gov.cn/keys\"\nalgorithms = [\"EdDSA\"]\n\
         agency_claim = \"c\"\nagencies = { x = \"found\" }\ncertificate_bound = true\nleeway = \"1h\"",
    );
    let (code, said) = gateway.check();
    assert_eq!(code, Some(2), "{said}");
    for words in [
        "nobody is asked for a certificate",
        "one whole DNS name or URI of it, without wildcards",
        "is not an address that keys may come from",
        "unknown agency \"found\"; did you mean \"fund\"?",
        "tokens cannot be bound to certificates",
        "not a length of time from 0ns to 300s",
    ] {
        assert!(said.contains(words), "{said} does not say {words}");
    }
    for (algorithm, words) in [("none", "none"), ("HS256", "HS256")] {
        gateway.configure(&format!(
            "[[issuers]]\nissuer = \"a\"\naudience = \"b\"\njwks = \"https://x/k\"\nalgorithms = [\"{algorithm}\"]\nagency_claim = \"c\""
        ));
        let (code, said) = gateway.check();
        assert!(code == Some(2) && said.contains(words) && said.contains("heyan.toml:"), "{said}");
    }
}

#[test]
fn people_s_data_does_not_travel_in_the_clear() {
    let gateway = Gateway::new();
    let serve = |more: &[&str]| {
        let arguments = [&["serve", "--in-memory", "--listen", "0.0.0.0:0"], more].concat();
        let mut process = gateway.command(&arguments).stderr(std::process::Stdio::piped()).spawn().unwrap();
        let mut errors = std::io::BufReader::new(process.stderr.take().unwrap());
        let mut said = String::new();
        // Either it takes requests, or it has ended.
        while !said.contains("taking requests") && std::io::BufRead::read_line(&mut errors, &mut said).unwrap() > 0 {}
        let is_serving = said.contains("taking requests");
        if is_serving {
            process.kill().unwrap();
        }
        (is_serving, process.wait().unwrap().code(), said)
    };
    let (is_serving, code, said) = serve(&[]);
    assert!(!is_serving && code == Some(2) && said.contains("would travel in the clear"), "{said}");
    assert!(serve(&["--behind-tls-proxy"]).0);
}
