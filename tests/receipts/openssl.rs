//! Receipts that are signed with SM2 are checked by OpenSSL, which knows nothing of ours.

use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use heyan::keys::Keys;
use heyan::signing::Algorithm;

use super::town::{Scratch, hours_ago, receipt};

#[test]
fn openssl_verifies_receipts_of_sm2() {
    // Only OpenSSL from 3.0 on knows SM2 by itself. Signatures of OpenSSL are checked here without it: signing/sm2.rs.
    let version = Command::new("openssl").arg("version").output();
    let version = version.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    if !version.starts_with("OpenSSL 3") {
        println!(
            "NOT CHECKED: there is no OpenSSL 3 here ({version:?}), so nobody has verified receipts of SM2 but we"
        );
        return;
    }
    let scratch = Scratch::new();
    std::fs::create_dir(&scratch.0).unwrap();
    let keys = Keys::ephemeral(Some(Algorithm::Sm2), hours_ago(0)).unwrap();
    let public = scratch.write("public.pem", &pem(keys.receipt().public().bytes()));
    for hours in 0..8 {
        let text = receipt(&keys, hours_ago(hours));
        let (signed, signature) = text.rsplit_once('.').unwrap();
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        let verify = |message: &str| {
            let message = scratch.write("message", message);
            std::fs::write(scratch.0.join("signature"), asn1(&signature)).unwrap();
            let signature = scratch.0.join("signature");
            let output = Command::new("openssl")
                .args(["pkeyutl", "-verify", "-rawin", "-digest", "sm3", "-pkeyopt", "distid:1234567812345678"])
                .args(["-pubin", "-inkey", &public, "-in", &message, "-sigfile", signature.to_str().unwrap()])
                .output()
                .unwrap();
            output.status.success()
        };
        assert!(verify(signed), "{text}");
        assert!(!verify(&signed.replacen('.', "", 1)), "{text}");
    }
}

/// A public key of the curve SM2 as `SubjectPublicKeyInfo` (RFC 5480), whose object identifiers are 1.2.840.10045.2.1 and
/// 1.2.156.10197.1.301.
fn pem(coordinates: &[u8]) -> String {
    let mut der = vec![0x30, 0x59, 0x30, 0x13];
    der.extend([0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01]);
    der.extend([0x06, 0x08, 0x2A, 0x81, 0x1C, 0xCF, 0x55, 0x01, 0x82, 0x2D]);
    der.extend([0x03, 0x42, 0x00, 0x04]);
    der.extend(coordinates);
    format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(der))
}

/// r and s as two INTEGERs in a SEQUENCE, each without leading zeros, with one where the first bit would be a sign.
fn asn1(signature: &[u8]) -> Vec<u8> {
    let integer = |bytes: &[u8]| {
        let start = bytes.iter().position(|byte| *byte != 0).unwrap();
        let sign = if bytes[start] & 0x80 == 0 { &[][..] } else { &[0] };
        let digits = [sign, &bytes[start..]].concat();
        [&[0x02, u8::try_from(digits.len()).unwrap()], &digits[..]].concat()
    };
    let content = [integer(&signature[..32]), integer(&signature[32..])].concat();
    [&[0x30, u8::try_from(content.len()).unwrap()], &content[..]].concat()
}
