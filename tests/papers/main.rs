//! Papers as other programs see them: text that poppler reads back, QR codes that another party's reader decodes, files that
//! qpdf finds nothing wrong with.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod letters;
mod notices;
mod reading;

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use heyan::config::Folder;
use heyan::domain::{AgencyId, Outcome};
use heyan::matters::Catalog;
use heyan::receipt::{Code, Issuer, Said};
use heyan::server::Installation;
use heyan::signing::{Algorithm, KeyId, SigningKey, SubjectKey};
use jiff::Timestamp;
use uuid::Uuid;

/// The catalog that is built in.
static CATALOG: LazyLock<Arc<Catalog>> = LazyLock::new(|| {
    let loaded = Installation::load(&Folder::embedded(), &|name| {
        Some(name.to_owned()).filter(|name| !name.ends_with("ADDRESS"))
    });
    loaded.unwrap_or_else(|errors| panic!("{errors:#?}")).catalog
});

fn at() -> Timestamp {
    "2026-11-23T08:30:00Z".parse().unwrap()
}

/// The code of some receipt.
fn code() -> Code {
    let key = SigningKey::new(KeyId("receipt-1".parse().unwrap()), Algorithm::Ed25519, &[1; 32]).unwrap();
    let subject = SubjectKey::new(KeyId("subject-1".parse().unwrap()), &[1; 32]);
    let issuer = Issuer::new(Arc::new(key), Arc::new(subject), "heyan", Duration::from_hours(720));
    let said = Said {
        verification: Uuid::from_u128(7),
        agency: &AgencyId("committee".parse().unwrap()),
        purpose: &"pension".parse().unwrap(),
        claim: &"alive/alive".parse().unwrap(),
        particulars: &serde_json::Map::new(),
        outcome: Outcome::Confirmed,
        as_of: at(),
        subjects: &[],
        ledger: Some(123_456),
        rules: &"sha256:00".into(),
    };
    issuer.code(&said, at()).unwrap()
}
