//! Certificates, authorities and revocation lists that change while the gateway runs.

use std::sync::Arc;

use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::authority::{Authority, Identity};
use super::gateway::{Gateway, token};
use super::until::until;

/// A connection, kept; and the certificate that the gateway has shown on it.
async fn connect(
    gateway: &Gateway,
    identity: Option<&Identity>,
) -> Option<(TlsStream<TcpStream>, CertificateDer<'static>)> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(gateway.root.as_ref().unwrap().as_bytes()).unwrap()).unwrap();
    heyan::sources::install_crypto();
    let builder = rustls::ClientConfig::builder().with_root_certificates(roots);
    let config = match identity {
        None => builder.with_no_client_auth(),
        Some(identity) => {
            let key = PrivateKeyDer::from_pem_slice(identity.key.as_bytes()).unwrap();
            builder.with_client_auth_cert(vec![identity.der.clone()], key).unwrap()
        }
    };
    let stream = TcpStream::connect(&gateway.address).await.unwrap();
    let name = ServerName::try_from("127.0.0.1").unwrap();
    let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.ok()?;
    let shown = stream.get_ref().1.peer_certificates().unwrap()[0].clone();
    Some((stream, shown))
}

/// The status of `GET /v1/me` on a connection that stays open.
async fn me(stream: &mut TlsStream<TcpStream>, token: &str) -> u16 {
    let field = if token.is_empty() { String::new() } else { format!("authorization: Bearer {token}\r\n") };
    stream.write_all(format!("GET /v1/me HTTP/1.1\r\nhost: a\r\n{field}\r\n").as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    loop {
        assert!(stream.read_buf(&mut bytes).await.unwrap() > 0, "the connection is not open any more");
        let text = String::from_utf8_lossy(&bytes);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.split("content-length: ").nth(1).unwrap().lines().next().unwrap();
        if length.parse() == Ok(body.len()) {
            return head.split(' ').nth(1).unwrap().parse().unwrap();
        }
    }
}

#[tokio::test]
async fn a_new_certificate_takes_over_and_no_connection_breaks() {
    let authority = Authority::new("root");
    let mut gateway = Gateway::with_tls(&authority, "");
    gateway.agencies(&[("fund", &token("fund"))]);
    gateway.start().await;
    let (mut kept, first) = connect(&gateway, None).await.unwrap();
    assert_eq!(me(&mut kept, "fund").await, 200);
    let renewed = authority.server();
    gateway.identity(&renewed);
    let shows = async |wanted: &CertificateDer<'static>| {
        let (_, shown) = connect(&gateway, None).await.unwrap();
        (shown == *wanted).then_some(())
    };
    until("the new certificate is shown", async || shows(&renewed.der).await).await;
    assert_ne!(first, renewed.der);
    assert_eq!(me(&mut kept, "fund").await, 200);

    // A key of another certificate, a file that is none, and one that is gone: nothing changes.
    let third = authority.server();
    gateway.write("server.key", &third.key);
    gateway.has_logged("this key is not that of the certificate").await;
    gateway.write("server.pem", "nonsense");
    gateway.has_logged("there is no certificate in this file").await;
    std::fs::remove_file(gateway.path("server.pem")).unwrap();
    gateway.has_logged("cannot be read: No such file").await;
    gateway.signal("HUP");
    gateway.has_logged("the configuration stays as it was").await;
    assert_eq!(shows(&renewed.der).await, Some(()));
    assert_eq!(me(&mut kept, "fund").await, 200);
    gateway.write("server.pem", &third.certificate);
    until("the third certificate is shown", async || shows(&third.der).await).await;
    assert_eq!(me(&mut kept, "fund").await, 200);
}

#[tokio::test]
async fn who_is_revoked_is_refused_on_open_connections_too() {
    let authority = Authority::new("root");
    let mut gateway = Gateway::with_tls(&authority, "");
    gateway.write("crl.pem", &authority.list(&[], 2090));
    gateway.configure(&format!("{}\ncrl = \"{}\"", gateway.tls(), gateway.path("crl.pem").display()));
    gateway.agencies(&[("fund", "certificates = [\"san:fund.gov.cn\"]"), ("bank", &token("bank"))]);
    gateway.start().await;
    let fund = authority.issue(&["fund.gov.cn"], |parameters| parameters.serial_number = Some(7_u64.into()));
    let (mut kept, _) = connect(&gateway, Some(&fund)).await.unwrap();
    let (mut other, _) = connect(&gateway, None).await.unwrap();
    assert_eq!((me(&mut kept, "").await, me(&mut other, "bank").await), (200, 200));

    gateway.write("crl.pem", &authority.list(&[7], 2090));
    until("it is revoked", async || (me(&mut kept, "").await == 401).then_some(())).await;
    gateway.has_logged("the client certificate is revoked").await;
    gateway.me(Some(&fund), None).await.is_cut_off();
    assert_eq!(me(&mut other, "bank").await, 200);

    // Too old to be believed: no certificate is taken, and tokens are.
    gateway.write("crl.pem", &authority.list(&[], 2021));
    gateway.has_logged("without which no client certificate is taken, has expired").await;
    assert_eq!((me(&mut kept, "").await, me(&mut other, "bank").await), (401, 200));
    gateway.me(Some(&authority.client(&["fund.gov.cn"])), None).await.is_cut_off();
    gateway.has_logged("the revocation list has expired").await;

    gateway.write("crl.pem", &authority.list(&[], 2090));
    until("it holds again", async || (me(&mut kept, "").await == 200).then_some(())).await;
}

#[tokio::test]
async fn an_authority_that_is_not_trusted_any_more_takes_its_clients_along() {
    let (old, new) = (Authority::new("old"), Authority::new("new"));
    let mut gateway = Gateway::with_tls(&old, "");
    gateway.agencies(&[("fund", "certificates = [\"san:fund.gov.cn\"]")]);
    gateway.start().await;
    let (mut kept, _) = connect(&gateway, Some(&old.client(&["fund.gov.cn"]))).await.unwrap();
    assert_eq!(me(&mut kept, "").await, 200);
    gateway.write("ca.pem", &new.pem);
    until("the old authority is gone", async || (me(&mut kept, "").await == 401).then_some(())).await;
    assert_eq!(gateway.me(Some(&new.client(&["fund.gov.cn"])), None).await.agency(), "fund");
    gateway.me(Some(&old.client(&["fund.gov.cn"])), None).await.is_cut_off();
}
