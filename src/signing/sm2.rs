use std::hint::black_box;

use sm2::dsa;
use sm2::dsa::signature::{Signer as _, Verifier as _};
use sm2::elliptic_curve::sec1::ToSec1Point as _;

use super::Signature;

/// The user id that goes into each signature where none was agreed on (GM/T 0009 section 10).
pub const DEFAULT_USER_ID: &str = "1234567812345678";

/// Uncompressed points start so (GB/T 32918.1 section 4.2.8).
const UNCOMPRESSED: u8 = 4;

/// A key that signs. The number k of each signature is derived from the secret and the message (RFC 6979 with SM3), so that
/// no failure of a random generator can betray the secret.
pub(super) struct Pair(Box<dsa::SigningKey>);

impl Pair {
    pub(super) fn new(secret: &[u8; 32]) -> Option<Self> {
        let key = dsa::SigningKey::from_slice(DEFAULT_USER_ID, secret).ok()?;
        // n - 1 has no inverse of 1 + d, so it can sign nothing (GB/T 32918.2 section 5.2).
        let pair = Self(Box::new(key));
        pair.sign(b"").map(|_| pair)
    }

    pub(super) fn public(&self) -> [u8; 64] {
        Public(self.0.verifying_key().clone(), [0; 64]).coordinates()
    }

    pub(super) fn sign(&self, message: &[u8]) -> Option<Signature> {
        self.0.try_sign(message).ok().map(|signature| signature.to_bytes().into())
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        // The library does not wipe its secret: a number that is none takes its place.
        let mut one = [0; 32];
        one[31] = 1;
        if let Ok(nobody) = dsa::SigningKey::from_slice(DEFAULT_USER_ID, &one) {
            *self.0 = nobody;
            black_box(&self.0);
        }
    }
}

/// What checks signatures, with its coordinates.
pub(super) struct Public(dsa::VerifyingKey, [u8; 64]);

impl Public {
    pub(super) fn new(bytes: &[u8]) -> Option<Self> {
        let coordinates: [u8; 64] = bytes.try_into().ok()?;
        let mut point = [UNCOMPRESSED; 65];
        point[1..].copy_from_slice(&coordinates);
        dsa::VerifyingKey::from_sec1_bytes(DEFAULT_USER_ID, &point).ok().map(|key| Self(key, coordinates))
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.1
    }

    fn coordinates(&self) -> [u8; 64] {
        let point = self.0.to_sec1_point(false);
        let mut coordinates = [0; 64];
        coordinates.copy_from_slice(&point.as_bytes()[1..]);
        coordinates
    }

    pub(super) fn verifies(&self, message: &[u8], signature: &Signature) -> bool {
        dsa::Signature::from_slice(signature).is_ok_and(|signature| self.0.verify(message, &signature).is_ok())
    }
}
