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

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes<const N: usize>(text: &str) -> [u8; N] {
        let digits: String = text.split_whitespace().collect();
        let byte = |index| u8::from_str_radix(&digits[index..index + 2], 16).unwrap();
        (0..2 * N).step_by(2).map(byte).collect::<Vec<u8>>().try_into().unwrap()
    }

    /// GB/T 32918.5 annex A.2: the user id is ours, the random number another one.
    #[test]
    fn the_standards_own_signature_verifies() {
        let pair = Pair::new(&bytes("3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8")).unwrap();
        let public = "09f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020
                      ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13";
        assert_eq!(pair.public(), bytes::<64>(public));
        let signature = "f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3
                         b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa";
        let public = Public::new(&pair.public()).unwrap();
        assert!(public.verifies(b"message digest", &bytes(signature)));
        assert!(!public.verifies(b"message digests", &bytes(signature)));
    }

    /// Made by OpenSSL 3.0: `openssl genpkey -algorithm SM2` and `openssl dgst -sm3 -sign … -sigopt
    /// distid:1234567812345678`, its ASN.1 taken off.
    #[test]
    fn a_signature_of_openssl_verifies() {
        let pair = Pair::new(&bytes("b6a5c784eeec85df9d774008c89d9a0caabe2ab11abeabefefb8749b92c5bf97")).unwrap();
        let public = "b83aaee95f95d0433a486471a8cc86511ef29cc14ed6b23adf141562ac53cbd1
                      acdaa88b6e85befff2d803682399430ae172153a99acc9641902ec425567cd64";
        assert_eq!(pair.public(), bytes::<64>(public));
        let signature = "a5ce50729449074a7f202b3e3ac89855110b1cd67a24ba11d4dd70489e883ef9
                         5e1ec78e0cf65ef571b46634010ed45bbec0705c14c961c1f043178c6080c01c";
        assert!(Public::new(&pair.public()).unwrap().verifies(b"heyan receipt", &bytes(signature)));
    }
}
