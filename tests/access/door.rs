//! The TLS of the listener itself.

use std::sync::Arc;
use std::time::Duration;

use rustls::client::Resumption;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, HandshakeKind, ProtocolVersion, RootCertStore, SupportedProtocolVersion};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::authority::Authority;
use super::gateway::{Gateway, token};

fn config(gateway: &Gateway, versions: &[&'static SupportedProtocolVersion], protocols: &[&str]) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(gateway.root.as_ref().unwrap().as_bytes()).unwrap()).unwrap();
    heyan::sources::install_crypto();
    let builder = ClientConfig::builder_with_protocol_versions(versions).with_root_certificates(roots);
    let mut config = builder.with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    config.resumption = Resumption::in_memory_sessions(8);
    Arc::new(config)
}

/// What was agreed on: the version, the protocol, and whether the handshake was a whole one.
async fn shake(
    gateway: &Gateway,
    config: &Arc<ClientConfig>,
) -> std::io::Result<(ProtocolVersion, Option<Vec<u8>>, HandshakeKind)> {
    let stream = TcpStream::connect(&gateway.address).await?;
    let name = ServerName::try_from("127.0.0.1").unwrap();
    let mut stream = TlsConnector::from(Arc::clone(config)).connect(name, stream).await?;
    stream.write_all(b"GET /livez HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await?;
    let mut reply = Vec::new();
    // Read to the end, because tickets come after the handshake.
    stream.read_to_end(&mut reply).await?;
    assert!(reply.starts_with(b"HTTP/1.1 200"));
    let connection = stream.get_ref().1;
    let version = connection.protocol_version().unwrap();
    Ok((version, connection.alpn_protocol().map(<[_]>::to_vec), connection.handshake_kind().unwrap()))
}

#[tokio::test]
async fn versions_and_protocols_are_as_they_should_be() {
    let authority = Authority::new("root");
    let mut gateway = Gateway::with_tls(&authority, "");
    gateway.start().await;
    let (version, protocol, _) =
        shake(&gateway, &config(&gateway, &[&TLS13, &TLS12], &["h2", "http/1.1"])).await.unwrap();
    assert_eq!((version, protocol.as_deref()), (ProtocolVersion::TLSv1_3, Some(&b"http/1.1"[..])));
    for versions in [&TLS12, &TLS13] {
        // Where clients have certificates, nobody comes back by what was said before.
        let config = config(&gateway, &[versions], &[]);
        for _ in 0..3 {
            let (version, protocol, kind) = shake(&gateway, &config).await.unwrap();
            assert_eq!((version, protocol), (versions.version, None));
            assert!(!matches!(kind, HandshakeKind::Resumed), "{kind:?}");
        }
    }
    assert!(shake(&gateway, &config(&gateway, &[&TLS13], &["h2"])).await.is_err());
    gateway.has_logged("no version, cipher suite or protocol in common").await;
}

#[tokio::test]
async fn who_does_not_speak_tls_or_says_nothing_is_gone_soon() {
    let authority = Authority::new("root");
    let mut gateway = Gateway::with_tls(&authority, "handshake_timeout = \"1s\"");
    gateway.agencies(&[("fund", &token("fund"))]);
    gateway.start().await;
    let mut silent = TcpStream::connect(&gateway.address).await.unwrap();
    let mut slow = TcpStream::connect(&gateway.address).await.unwrap();
    slow.write_all(&[22, 3, 1, 2]).await.unwrap();
    let mut plain = TcpStream::connect(&gateway.address).await.unwrap();
    plain.write_all(b"GET /livez HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    for stream in [&mut silent, &mut slow, &mut plain] {
        let mut rest = Vec::new();
        // A connection that is reset has ended too.
        let ended = tokio::time::timeout(Duration::from_secs(30), stream.read_to_end(&mut rest)).await;
        assert!(ended.is_ok(), "a connection without TLS stays open");
        assert!(!rest.starts_with(b"HTTP"));
    }
    gateway.has_logged("it took too long").await;
    gateway.has_logged("what the client says is not TLS").await;
    assert_eq!(gateway.me(None, Some("fund")).await.agency(), "fund");
}
