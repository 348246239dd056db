//! Tokens that forms carry, and forms that travel sealed.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Prk, Salt};
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::accounts::UserName;

/// The keys of what is handed out and comes back, all derived from one secret (HKDF, RFC 5869).
pub(super) struct Seal {
    tokens: hmac::Key,
    forms: RandomizedNonceKey,
}

/// A form that could not be carried out, because whoever sent it had to sign in first.
#[derive(Serialize, Deserialize)]
pub(super) struct SealedForm {
    /// Where it was sent.
    pub(super) path: String,
    /// Its body, as it was sent.
    pub(super) body: Vec<u8>,
    /// Whose it was.
    pub(super) owner: Owner,
    /// When it was sent.
    pub(super) sent: Timestamp,
}

/// Stands for a user in a token: nobody can tell whom it means, but it can be seen whether it is this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Owner([u8; 16]);

/// How long a form waits for its owner to sign in.
const LONGEST: SignedDuration = SignedDuration::from_hours(8);

impl Seal {
    pub(super) fn new(secret: &[u8; 32]) -> Result<Self, Unspecified> {
        let root = Salt::new(HKDF_SHA256, b"heyan pages").extract(secret);
        Ok(Self {
            tokens: hmac::Key::new(hmac::HMAC_SHA256, &*derive(&root, b"tokens")?),
            forms: RandomizedNonceKey::new(&AES_256_GCM, &*derive(&root, b"forms")?)?,
        })
    }

    /// The token of the forms of a session, or of somebody who has not signed in. It names its owner first.
    pub(super) fn token(&self, session: &[u8; 32], user: Option<&UserName>) -> String {
        let (owner, own) = (self.owner(user), self.half(b"session", session));
        URL_SAFE_NO_PAD.encode([owner.0, own].concat())
    }

    /// Whether a token is one of the forms of this session. How long that takes says nothing.
    pub(super) fn is_token(&self, token: &str, session: &[u8; 32], user: Option<&UserName>) -> bool {
        let expected = self.token(session, user);
        verify_slices_are_equal(expected.as_bytes(), token.as_bytes()).is_ok()
    }

    /// Whom a token names; it may be of a session that has ended.
    pub(super) fn owner_of(token: &str) -> Option<Owner> {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok().filter(|bytes| bytes.len() == 32)?;
        bytes.first_chunk().copied().map(Owner)
    }

    /// What stands for a user.
    pub(super) fn owner(&self, user: Option<&UserName>) -> Owner {
        Owner(self.half(b"owner", user.map_or("", |user| user.as_str()).as_bytes()))
    }

    /// What a device proves with that this user has signed in there.
    pub(super) fn device(&self, user: &UserName, device: &[u8; 32]) -> [u8; 16] {
        self.half(b"device", &[device, user.as_str().as_bytes()].concat())
    }

    /// Encrypts a form, so that whoever carries it can neither read nor change it.
    pub(super) fn seal(&self, form: &SealedForm) -> Result<String, Unspecified> {
        let mut content = serde_json::to_vec(form).map_err(|_| Unspecified)?;
        let nonce = self.forms.seal_in_place_append_tag(Aad::from(FORM), &mut content)?;
        content.splice(..0, *nonce.as_ref());
        Ok(URL_SAFE_NO_PAD.encode(content))
    }

    /// The form, if it is one that was sealed here, not too long ago.
    pub(super) fn open(&self, sealed: &str, now: Timestamp) -> Option<SealedForm> {
        let sealed = URL_SAFE_NO_PAD.decode(sealed).ok()?;
        let (nonce, content) = sealed.split_first_chunk()?;
        let mut content = Zeroizing::new(content.to_vec());
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let content = self.forms.open_in_place(nonce, Aad::from(FORM), &mut content).ok()?;
        let form: SealedForm = serde_json::from_slice(content).ok()?;
        let age = now.duration_since(form.sent);
        (age.abs() <= LONGEST).then_some(form)
    }

    fn half(&self, purpose: &[u8], of: &[u8]) -> [u8; 16] {
        let mut context = hmac::Context::with_key(&self.tokens);
        context.update(&[purpose, &[0]].concat());
        context.update(of);
        let mut half = [0; 16];
        half.copy_from_slice(&context.sign().as_ref()[..16]);
        half
    }
}

const FORM: &[u8] = b"form";

struct Length;

impl KeyType for Length {
    fn len(&self) -> usize {
        32
    }
}

fn derive(root: &Prk, purpose: &[u8]) -> Result<Zeroizing<[u8; 32]>, Unspecified> {
    let mut derived = Zeroizing::new([0; 32]);
    root.expand(&[purpose], Length)?.fill(&mut *derived)?;
    Ok(derived)
}

impl fmt::Debug for Seal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Seal(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_of_one_session_and_names_its_owner() {
        let seal = Seal::new(&[7; 32]).unwrap();
        let (wang, li): (UserName, UserName) = ("wang".parse().unwrap(), "li".parse().unwrap());
        let token = seal.token(&[1; 32], Some(&wang));
        assert!(seal.is_token(&token, &[1; 32], Some(&wang)));
        assert!(!seal.is_token(&token, &[2; 32], Some(&wang)));
        assert!(!seal.is_token(&token, &[1; 32], Some(&li)));
        assert!(!seal.is_token(&token, &[1; 32], None));
        assert!(!seal.is_token("", &[1; 32], Some(&wang)));
        assert_eq!(Seal::owner_of(&token), Some(seal.owner(Some(&wang))));
        assert_ne!(Seal::owner_of(&token), Some(seal.owner(Some(&li))));
        assert_eq!(Seal::owner_of("AAAA"), None);
        assert!(!Seal::new(&[8; 32]).unwrap().is_token(&token, &[1; 32], Some(&wang)));
    }

    #[test]
    fn a_sealed_form_comes_back_as_it_was_or_not_at_all() {
        let seal = Seal::new(&[7; 32]).unwrap();
        let sent = Timestamp::from_second(1_800_000_000).unwrap();
        let form = SealedForm { path: "/a".to_owned(), body: b"name=x".to_vec(), owner: seal.owner(None), sent };
        let sealed = seal.seal(&form).unwrap();
        assert!(!sealed.contains("name"));
        let opened = seal.open(&sealed, sent).unwrap();
        assert_eq!((opened.path, opened.body), (form.path, form.body));
        assert!(seal.open(&sealed, sent + SignedDuration::from_hours(9)).is_none());
        assert!(Seal::new(&[8; 32]).unwrap().open(&sealed, sent).is_none());
        for at in 0..sealed.len() {
            let mut changed = sealed.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert!(changed == sealed || seal.open(&changed, sent).is_none(), "{at}");
        }
    }
}
