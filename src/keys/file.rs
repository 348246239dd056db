use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::key::{Key, KeyAlgorithm, KeyUse, Secret};
use super::{KeysError, Malformed};
use crate::signing::{KeyId, PublicKey};

/// The most bytes of a key's text.
pub(super) const LONGEST: usize = 1024;

/// A key's text: one line of JSON. A whole key has its secret; a destroyed one the moment, and what still checks its
/// signatures. Bytes are base64url (RFC 4648 section 5).
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line<'a> {
    id: KeyId,
    r#use: KeyUse,
    algorithm: KeyAlgorithm,
    made: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none", default, borrow)]
    secret: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    destroyed: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    public: Option<String>,
}

/// Reads a key's text.
pub(super) fn parse(text: &str) -> Result<Key, Malformed> {
    let line: Line<'_> = serde_json::from_str(text).map_err(|_| Malformed::Shape)?;
    let (id, algorithm) = (line.id, line.algorithm);
    match (line.secret, line.destroyed, line.public) {
        (Some(secret), None, None) => {
            let mut bytes = Zeroizing::new([0; 32]);
            let length = URL_SAFE_NO_PAD.decode_slice(secret, &mut *bytes).map_err(|_| Malformed::Shape)?;
            if length != 32 {
                return Err(Malformed::Shape);
            }
            let key = Key::of(line.r#use, algorithm, line.made, Secret::new(bytes))?;
            if *key.id() == id { Ok(key) } else { Err(Malformed::Name) }
        }
        (None, Some(at), public) => {
            let public = public.map(|public| {
                let signing = algorithm.signing().ok_or(Malformed::Algorithm)?;
                let bytes = URL_SAFE_NO_PAD.decode(public).map_err(|_| Malformed::Shape)?;
                Ok::<_, Malformed>(PublicKey::new(id.clone(), signing, &bytes)?)
            });
            Key::ruin((id, line.r#use, algorithm), line.made, at, public.transpose()?)
        }
        _ => Err(Malformed::Shape),
    }
}

/// Writes a key's text.
pub(super) fn write(key: &Key) -> Result<Zeroizing<Vec<u8>>, KeysError> {
    let mut secret = Zeroizing::new([0; 43]);
    let secret = match key.secret() {
        Some(whole) => {
            let written = URL_SAFE_NO_PAD.encode_slice(whole.reveal(), &mut *secret);
            written.ok().and_then(|length| std::str::from_utf8(&secret[..length]).ok())
        }
        None => None,
    };
    let destroyed = key.destroyed();
    let public = key.public().filter(|_| destroyed.is_some()).map(|public| URL_SAFE_NO_PAD.encode(public.bytes()));
    let (id, made) = (key.id().clone(), key.made());
    let line = Line { id, r#use: key.usage(), algorithm: key.algorithm(), made, secret, destroyed, public };
    // Large enough that it never moves, which would leave a copy behind.
    let mut text = Zeroizing::new(Vec::with_capacity(LONGEST));
    let written = serde_json::to_writer(&mut *text, &line);
    text.push(b'\n');
    let malformed = |_| KeysError::Malformed { place: key.id().to_string(), why: Malformed::Shape };
    written.map(|()| text).map_err(malformed)
}
