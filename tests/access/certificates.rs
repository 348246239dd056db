//! Callers with certificates.

use rcgen::{DnType, ExtendedKeyUsagePurpose, date_time_ymd};

use super::authority::Authority;
use super::gateway::{Gateway, token};

#[tokio::test]
async fn a_certificate_is_known_by_whole_names_or_its_key() {
    let authority = Authority::new("root");
    let mut gateway = Gateway::with_tls(&authority, "");
    let by_key = authority.client(&["anything.cn"]);
    gateway.agencies(&[
        ("fund", "certificates = [\"san:fund.gov.cn\", \"san:other.fund.gov.cn\"]"),
        ("bank", "certificates = [\"san:spiffe://gov.cn/bank\"]"),
        ("school", &format!("certificates = [\"{}\"]", by_key.pin)),
    ]);
    gateway.start().await;
    assert_eq!(gateway.me(Some(&authority.client(&["fund.gov.cn"])), None).await.agency(), "fund");
    assert_eq!(gateway.me(Some(&authority.client(&["x.cn", "FUND.gov.cn"])), None).await.agency(), "fund");
    assert_eq!(gateway.me(Some(&authority.client(&["spiffe://gov.cn/bank"])), None).await.agency(), "bank");
    assert_eq!(gateway.me(Some(&by_key), None).await.agency(), "school");
    for almost in [
        "x.fund.gov.cn",
        "afund.gov.cn",
        "fund.gov.cn.evil.cn",
        "*.gov.cn",
        "gov.cn",
        "spiffe://gov.cn/bank/",
        "spiffe://gov.cn/BANK",
        "spiffe://fund.gov.cn",
    ] {
        gateway.me(Some(&authority.client(&[almost])), None).await.is_refused("not registered for an agency");
    }
    let by_common_name = authority.issue(&["x.cn"], |parameters| {
        parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        parameters.distinguished_name.push(DnType::CommonName, "fund.gov.cn");
    });
    gateway.me(Some(&by_common_name), None).await.is_refused("not registered");
    let of_two = authority.client(&["fund.gov.cn", "spiffe://gov.cn/bank"]);
    gateway.me(Some(&of_two), None).await.is_refused("not registered");
    gateway.has_logged("are of several agencies").await;
    gateway.me(None, None).await.is_refused("Send a valid bearer token");
}

/// The departments are not there: what is asked ends as `unavailable` for whoever is let in.
#[tokio::test]
async fn verify_shows_its_certificate_and_knows_the_gateway_s() {
    let (authority, stranger) = (Authority::new("root"), Authority::new("other"));
    let mut gateway = Gateway::with_tls(&authority, "");
    gateway.agencies(&[("fund", "certificates = [\"san:fund.gov.cn\"]")]);
    gateway.start().await;
    let fund = authority.client(&["fund.gov.cn"]);
    for (name, text) in [("fund.pem", &fund.certificate), ("fund.key", &fund.key), ("other.pem", &stranger.pem)] {
        gateway.write(name, text);
    }
    let question = serde_json::json!({
        "matter": "identity", "claim": "name-matches-id", "purpose": "pension",
        "subjects": {"person": {"name": "王小明", "id_number": "210102198001010010"}}
    });
    gateway.write("question.json", &question.to_string());
    let at = |name: &str| gateway.path(name).to_str().unwrap().to_owned();
    let verify = |more: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_heyan"));
        command.args(["verify", &at("question.json"), "--wait", "0", "--gateway", &gateway.url("")]).args(more);
        let output = command.env_remove("HEYAN_TOKEN").output().unwrap();
        let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
        (output.status.code(), said)
    };
    let (ca, pem, key, other) = (at("ca.pem"), at("fund.pem"), at("fund.key"), at("other.pem"));
    let (code, said) = verify(&["--ca", &ca, "--certificate", &pem, "--key", &key]);
    assert!(code == Some(3) && said.starts_with("unavailable"), "{said}");
    for (arguments, code, words) in [
        (&["--ca", &*other, "--certificate", &*pem, "--key", &*key][..], 3, "cannot be reached"),
        (&["--certificate", &pem, "--key", &key], 3, "cannot be reached"),
        (&["--ca", &ca], 2, "--certificate"),
        (&["--ca", &ca, "--certificate", &pem], 2, "--key"),
        (&["--ca", &key, "--certificate", &pem, "--key", &key], 2, "no certificates as PEM"),
        (&["--ca", &ca, "--certificate", &pem, "--key", &pem], 2, "no certificate with its key"),
        (&["--ca", "/nowhere", "--certificate", &pem, "--key", &key], 2, "cannot read /nowhere"),
    ] {
        let (found, said) = verify(arguments);
        assert!(found == Some(code) && said.contains(words), "{arguments:?}: {found:?} {said}");
    }
}

#[tokio::test]
async fn what_does_not_hold_gets_no_connection() {
    let (authority, stranger) = (Authority::new("root"), Authority::new("root"));
    let mut gateway = Gateway::with_tls(&authority, "");
    gateway.write("crl.pem", &authority.list(&[7], 2090));
    gateway.configure(&format!("{}\ncrl = \"{}\"", gateway.tls(), gateway.path("crl.pem").display()));
    gateway.agencies(&[("fund", "certificates = [\"san:fund.gov.cn\"]")]);
    gateway.start().await;
    let client = |change: &dyn Fn(&mut rcgen::CertificateParams)| {
        authority.issue(&["fund.gov.cn"], |parameters| {
            parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
            change(parameters);
        })
    };
    let good = client(&|parameters| parameters.serial_number = Some(8_u64.into()));
    assert_eq!(gateway.me(Some(&good), None).await.agency(), "fund");
    for (identity, why) in [
        (stranger.client(&["fund.gov.cn"]), "comes from no authority"),
        (client(&|parameters| parameters.not_after = date_time_ymd(2001, 1, 1)), "has expired"),
        (client(&|parameters| parameters.not_before = date_time_ymd(2090, 1, 1)), "is not good yet"),
        (client(&|parameters| parameters.serial_number = Some(7_u64.into())), "is revoked"),
        (
            client(&|parameters| parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth]),
            "is for another purpose",
        ),
    ] {
        gateway.me(Some(&identity), None).await.is_cut_off();
        gateway.has_logged(why).await;
    }
    assert_eq!(gateway.me(Some(&good), None).await.agency(), "fund");
}

#[tokio::test]
async fn a_token_beside_a_certificate_is_of_the_same_agency() {
    let authority = Authority::new("root");
    let mut gateway = Gateway::with_tls(&authority, "");
    gateway.agencies(&[
        ("fund", &format!("certificates = [\"san:fund.gov.cn\"]\n{}", token("fund"))),
        ("bank", &token("bank")),
    ]);
    gateway.start().await;
    let (fund, nobody) = (authority.client(&["fund.gov.cn"]), authority.client(&["x.cn"]));
    assert_eq!(gateway.me(Some(&fund), Some("fund")).await.agency(), "fund");
    assert_eq!(gateway.me(None, Some("bank")).await.agency(), "bank");
    gateway.me(Some(&fund), Some("bank")).await.is_refused("two agencies");
    gateway.me(Some(&fund), Some("nobody")).await.is_refused("The token is not valid");
    gateway.me(Some(&nobody), Some("bank")).await.is_refused("not registered");
    let basic = gateway.client(Some(&fund)).get(gateway.url("/v1/me")).header("authorization", "Basic YTpi");
    assert_eq!(super::gateway::send(basic).await.status, 401);
}

#[tokio::test]
async fn who_must_have_a_certificate_gets_no_connection_without() {
    let authority = Authority::new("root");
    let mut gateway = Gateway::with_tls(&authority, "client_certificates = \"required\"");
    gateway.agencies(&[("fund", &format!("certificates = [\"san:fund.gov.cn\"]\n{}", token("fund")))]);
    gateway.start().await;
    gateway.me(None, Some("fund")).await.is_cut_off();
    gateway.has_logged("has no certificate, and must have one").await;
    assert_eq!(gateway.me(Some(&authority.client(&["fund.gov.cn"])), None).await.agency(), "fund");
}
