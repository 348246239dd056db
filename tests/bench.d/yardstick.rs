//! What the gateway is measured by: hyper alone, and what parts of an answer cost at the very least behind it.

use std::convert::Infallible;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use heyan::domain::{AgencyId, Answer, Outcome, Person};
use heyan::ledger::{Entry, Event, Ledger as _, LedgerKey, LedgerKeys, Subject, SubjectHash, Subjects, Witness};
use heyan::ledger_store::LedgerStore;
use heyan::receipt::{Issuer, Said};
use heyan::signing::{Algorithm, KeyId, SigningKey, SubjectKey};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use reqwest::Client;
use tokio::net::TcpListener;
use uuid::Uuid;

/// What a server does before it answers a constant.
pub(crate) enum Yardstick {
    /// Nothing.
    Bare,
    /// It asks at this address, as often as the request's path has letters, all at once: what asking departments costs with these
    /// libraries when nothing is read or decided.
    Asking(String),
    /// It records an entry in a ledger on the disk and signs a receipt, as for an answer from the cache.
    Recording(Box<Recorder>),
}

/// Serves on one thread until the process is killed; prints its address first.
pub(crate) async fn serve(yardstick: Yardstick) {
    heyan::sources::install_crypto();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("http://{}", listener.local_addr().unwrap());
    let (yardstick, client) = (Arc::new(yardstick), Client::builder().no_proxy().build().unwrap());
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        stream.set_nodelay(true).unwrap();
        let (client, yardstick) = (client.clone(), Arc::clone(&yardstick));
        let answer = service_fn(move |request| answer(Arc::clone(&yardstick), client.clone(), request));
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), answer));
    }
}

async fn answer(
    yardstick: Arc<Yardstick>,
    client: Client,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let times = request.uri().path().len() - 1;
    request.into_body().collect().await.unwrap();
    match &*yardstick {
        Yardstick::Bare => {}
        Yardstick::Asking(url) => {
            for reply in join_all((0..times).map(|_| client.post(url).body(QUESTION).send())).await {
                reply.unwrap().bytes().await.unwrap();
            }
        }
        Yardstick::Recording(recorder) => recorder.record().await,
    }
    Ok(Response::new(Full::new(Bytes::from_static(b"{\"outcome\":\"confirmed\"}"))))
}

/// About as long as a question to a department is.
const QUESTION: &str =
    "{\"application\":\"heyan-demo\",\"biz\":\"queryPerson\",\"data\":{\"gmsfhm\":\"000000000000000000\",\"xm\":\"\"}}";

/// The ledger and the issuer, without the gateway.
pub(crate) struct Recorder {
    ledger: LedgerStore,
    issuer: Issuer,
    subject: Arc<SubjectKey>,
    person: Person,
}

impl Recorder {
    pub(crate) fn new(folder: &Path) -> Self {
        let id = |name: &str| KeyId(name.parse().unwrap());
        let keys = LedgerKeys::new(LedgerKey::new("heyan/bench", &[1; 32]).unwrap(), Vec::new(), Vec::new());
        let subject = Arc::new(SubjectKey::new(id("subject-1"), &[1; 32]));
        let key = SigningKey::new(id("receipt-1"), Algorithm::Ed25519, &[1; 32]).unwrap();
        Self {
            ledger: LedgerStore::open(folder, keys).unwrap(),
            issuer: Issuer::new(Arc::new(key), Arc::clone(&subject), "heyan", Duration::from_hours(720)),
            subject,
            person: Person { id_number: "11010519491231002X".parse().unwrap(), name: None },
        }
    }

    async fn record(&self) {
        let (verification, at) = (Uuid::now_v7(), Timestamp::now());
        let hash = SubjectHash::of(&self.person.id_number, &self.subject);
        let entry = Entry {
            event: Event::Answered {
                outcome: Outcome::Confirmed,
                witnesses: vec![Witness { source: "police".parse().unwrap(), answer: Answer::Confirms }],
            },
            at,
            request: Uuid::now_v7().to_string(),
            verification: Some(verification),
            agency: Some(AgencyId("bench".parse().unwrap())),
            officer: Some("bench".into()),
            claim: Some("alive/alive".parse().unwrap()),
            particulars: serde_json::Map::new(),
            purpose: Some("pension".parse().unwrap()),
            case: None,
            legal_basis: None,
            subjects: Some(Subjects {
                key: self.subject.id().clone(),
                hashes: vec![Subject { role: "person".to_owned(), hash }],
            }),
            rules: "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef".into(),
        };
        let index = self.ledger.record(&entry).await.unwrap();
        let said = Said {
            verification,
            agency: entry.agency.as_ref().unwrap(),
            purpose: entry.purpose.as_ref().unwrap(),
            claim: entry.claim.as_ref().unwrap(),
            particulars: &entry.particulars,
            outcome: Outcome::Confirmed,
            as_of: at,
            subjects: &[("person", &self.person)],
            ledger: Some(index),
            rules: &entry.rules,
        };
        self.issuer.issue(&said, at).unwrap();
        self.issuer.code(&said, at).unwrap();
    }
}
