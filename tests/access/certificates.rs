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
