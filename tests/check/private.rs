//! Files with a secret in them that others can read.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use rcgen::{CertificateParams, KeyPair};

use super::Overlay;
use super::oidc::OIDC;

const GATEWAY: &str = include_str!("../../config/heyan.toml");
const HEALTH: &str = include_str!("../../config/sources/health.toml");

/// A certificate with its key.
fn identity() -> String {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(["heyan.example".to_owned()]).unwrap().self_signed(&key).unwrap();
    format!("{}{}", certificate.pem(), key.serialize_pem())
}

#[test]
fn a_secret_that_others_can_read_is_refused_wherever_it_is_named() {
    let overlay = Overlay::new();
    let file = overlay.0.join("secret");
    let named = format!("{{ file = \"{}\" }}", file.display());
    let agency = format!(
        "[[agencies]]\nid = \"bank\"\nname = \"银行\"\ngrants = []\ncallback = {{ address = \"https://bank.example/\", secret = {named} }}\n"
    );
    let key = "b1".repeat(32);
    let in_health = |line: &str, instead: &str| HEALTH.replacen(line, instead, 1);
    let secret = "secret = { env = \"HEYAN_HEALTH_TOKEN\" }";
    let tls = format!("tls = {{ identity_file = \"{}\" }}\n[authentication]", file.display());
    for (path, text, contents) in [
        ("config/sources/health.toml", in_health(secret, &format!("secret = {named}")), key.clone()),
        ("config/sources/health.toml", in_health("[authentication]", &tls), identity()),
        ("config/agencies/bank.toml", agency, key.clone()),
        (
            "config/heyan.toml",
            format!("{GATEWAY}{}", OIDC.replacen("{ env = \"OIDC_SECRET\" }", &named, 1)),
            key.clone(),
        ),
        ("config/heyan.toml", GATEWAY.replacen("[durable]\n", &format!("[durable]\nkey = {named}\n"), 1), key.clone()),
    ] {
        assert_ne!(text, HEALTH);
        overlay.write(path, &text);
        fs::write(&file, &contents).unwrap();
        let errors = |mode| {
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
            overlay.errors()
        };
        let private = errors(0o600);
        assert!(private.is_empty(), "{path}: {private:#?}");
        for open in [0o644, 0o640] {
            let errors = errors(open);
            let told = format!("can be read by others than its owner (mode {open:o})");
            assert!(errors.len() == 1 && errors[0].contains(&told) && errors[0].contains("chmod 600 '"), "{errors:#?}");
            assert!(errors[0].contains(&format!("{path}:")), "{errors:#?}");
        }
        fs::remove_file(overlay.0.join(path)).unwrap();
    }
}
