use std::time::Duration;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::keys::KeySet;
use super::*;
use crate::callers::{KeyPlace, KeySource, SignatureAlgorithm};

fn agency(id: &str) -> Agency {
    Agency { id: AgencyId(id.parse().unwrap()), name: "甲".to_owned(), grants: Vec::new(), has_callback: false }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap()
}

fn asked(access: &Access, fields: &[&[u8]], now: i64) -> Result<(String, Credential), Unauthenticated> {
    use futures_util::FutureExt as _;

    let caller = access.authenticate(fields.iter().copied(), None, at(now)).now_or_never().unwrap()?;
    Ok((caller.agency.id.to_string(), caller.by))
}

fn holder(tokens: Vec<TokenTerms>) -> Holder {
    Holder { agency: agency("fund"), tokens, certificates: Vec::new() }
}

#[test]
fn a_token_opens_for_its_holder_alone() {
    let token = Token::generate().unwrap();
    let hash: TokenHash = token.hash().to_string().parse().unwrap();
    let access = Access::new([holder(vec![hash.into()])], Vec::new());
    let open = |field: &str| asked(&access, &[field.as_bytes()], 0).map(|(id, _)| id);
    let (good, foreign) = (token.reveal(), Token::generate().unwrap());
    for field in [format!("Bearer {good}"), format!("bearer {good}"), format!("BEARER  {good}")] {
        assert_eq!(open(&field).as_deref(), Ok("fund"), "{field}");
    }
    assert_eq!(asked(&access, &[], 0), Err(Unauthenticated::Nothing));
    for other in ["", "Basic abc", good, "Bearers x"] {
        assert_eq!(open(other), Err(TokenRefusal::NotBearer.into()), "{other}");
    }
    for (before, after) in
        [("", " "), ("", "\t"), ("\t", ""), ("", ","), ("\"", "\""), ("", " x"), ("", "=x"), ("", "令")]
    {
        let field = format!("Bearer {before}{good}{after}");
        assert_eq!(open(&field), Err(TokenRefusal::Malformed.into()), "{field}");
    }
    for malformed in ["Bearer", "Bearer ", "Bearer =", &format!("Bearer {}", "a".repeat(8193))] {
        assert_eq!(open(malformed), Err(TokenRefusal::Malformed.into()), "{malformed}");
    }
    let hash = token.hash().to_string().replace(':', "");
    for wrong in [foreign.reveal(), &good[1..], &good.to_uppercase(), &format!("{good}="), &hash] {
        assert_eq!(open(&format!("Bearer {wrong}")), Err(TokenRefusal::Unknown.into()), "{wrong}");
    }
    let field = format!("Bearer {good}");
    assert_eq!(asked(&access, &[field.as_bytes(), field.as_bytes()], 0), Err(TokenRefusal::Several.into()));
    assert_eq!(asked(&access, &[b"Bearer \xff"], 0), Err(TokenRefusal::Malformed.into()));
}

#[test]
fn a_token_is_good_in_its_time() {
    let hash = TokenHash::of("a");
    let terms = TokenTerms { hash, from: Some(at(10)), until: Some(at(20)) };
    let access = Access::new([holder(vec![terms])], Vec::new());
    let at = |now| asked(&access, &[b"Bearer a"], now).map(|_| ());
    assert_eq!(at(9), Err(TokenRefusal::Early.into()));
    assert_eq!((at(10), at(19)), (Ok(()), Ok(())));
    assert_eq!(at(20), Err(TokenRefusal::Expired.into()));
}

#[test]
fn a_token_shows_itself_on_demand_alone() {
    let token = Token::generate().unwrap();
    assert_eq!(token.reveal().len(), "heyan_".len() + 43);
    assert!(token.reveal().starts_with("heyan_"));
    assert_eq!(format!("{token:?}"), "Token(…)");
    let access = Access::new([holder(vec![token.hash().into()])], Vec::new());
    assert!(!format!("{access:?}").contains(token.reveal()));
}

const NOW: i64 = 1_800_000_000;

/// An issuer with one key, whose keys are there.
struct World {
    key: Ed25519KeyPair,
    access: Access,
}

impl World {
    fn new(change: impl FnOnce(&mut Issuer)) -> Self {
        let key = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
        let source = KeySource::File("keys.json".into());
        let keys = KeyPlace { source, refresh: Duration::from_mins(5), keep: Duration::from_hours(24) };
        let mut issuer = Issuer {
            issuer: "https://id".to_owned(),
            audience: "heyan".to_owned(),
            keys: keys.clone(),
            algorithms: vec![SignatureAlgorithm::EdDsa],
            agency_claim: "client_id".to_owned(),
            agencies: None,
            officer_claim: Some("sub".to_owned()),
            certificate_bound: false,
            leeway: Duration::from_secs(30),
            longest: Duration::from_hours(1),
        };
        change(&mut issuer);
        let ring = Arc::new(Keyring::new(keys));
        ring.put(KeySet::read(json!({"keys": [jwk(&key, "k1")]}).to_string().into_bytes()).unwrap(), at(NOW));
        let access = Access::new([holder(Vec::new())], vec![(issuer, ring)]);
        Self { key, access }
    }

    fn sign(&self, header: &str, payload: &str) -> String {
        let signed = format!("{}.{}", BASE64.encode(header), BASE64.encode(payload));
        format!("{signed}.{}", BASE64.encode(self.key.sign(signed.as_bytes())))
    }

    fn verify(&self, token: &str, certificate: Option<&[u8; 32]>, now: i64) -> Result<String, JwtRefusal> {
        let verified = self.access.jwts.verify(token, TokenHash::of(token), certificate, at(now))?;
        Ok(verified.agency.to_string())
    }

    /// What becomes of a token whose claims, or whose header's, are changed so; null takes one away.
    fn with(&self, header: &Value, payload: &Value) -> Result<String, JwtRefusal> {
        let merged = |mut base: Value, change: &Value| {
            for (name, value) in change.as_object().unwrap() {
                if value.is_null() {
                    base.as_object_mut().unwrap().remove(name);
                } else {
                    base[name] = value.clone();
                }
            }
            base.to_string()
        };
        let token = self.sign(&merged(head(), header), &merged(claims(), payload));
        self.verify(&token, None, NOW)
    }
}

fn jwk(key: &Ed25519KeyPair, id: &str) -> Value {
    json!({"kty": "OKP", "crv": "Ed25519", "kid": id, "x": BASE64.encode(key.public_key().as_ref())})
}

fn head() -> Value {
    json!({"alg": "EdDSA", "typ": "at+jwt", "kid": "k1"})
}

fn claims() -> Value {
    json!({"iss": "https://id", "aud": "heyan", "exp": NOW + 300, "iat": NOW, "sub": "王五", "client_id": "fund", "jti": "1"})
}

#[test]
fn each_rule_of_access_tokens_is_kept() {
    use JwtRefusal as Why;

    let world = World::new(|_| {});
    let header = |change: Value| world.with(&change, &json!({}));
    let payload = |change: Value| world.with(&json!({}), &change);
    assert_eq!(payload(json!({})).as_deref(), Ok("fund"));
    for fine in [json!({"typ": "application/AT+JWT"}), json!({"jwk": {}, "x5t": "a", "jku": "https://evil"})] {
        assert_eq!(header(fine).as_deref(), Ok("fund"));
    }
    for (change, why) in [
        (json!({"alg": "none"}), Why::Algorithm),
        (json!({"alg": "HS256"}), Why::Algorithm),
        (json!({"alg": "ES256"}), Why::Algorithm),
        (json!({"alg": "eddsa"}), Why::Algorithm),
        (json!({"alg": null}), Why::Algorithm),
        (json!({"typ": null}), Why::Type),
        (json!({"typ": "JWT"}), Why::Type),
        (json!({"kid": null}), Why::NoKeyId),
        (json!({"kid": 1}), Why::NoKeyId),
        (json!({"kid": "k2"}), Why::UnknownKey),
        (json!({"crit": ["exp"]}), Why::Critical),
    ] {
        assert_eq!(header(change.clone()), Err(why), "{change}");
    }
    for fine in [
        json!({"aud": ["x", "heyan"]}),
        json!({"exp": NOW - 29}),
        json!({"nbf": NOW + 30}),
        json!({"iat": NOW + 30}),
        json!({"exp": 1_800_000_300.5}),
        json!({"sub": null}),
    ] {
        assert_eq!(payload(fine.clone()).as_deref(), Ok("fund"), "{fine}");
    }
    for (change, why) in [
        (json!({"iss": null}), Why::Claim("iss")),
        (json!({"iss": "https://id/"}), Why::Issuer),
        (json!({"aud": null}), Why::Claim("aud")),
        (json!({"aud": "Heyan"}), Why::Audience),
        (json!({"aud": ["heyan.evil"]}), Why::Audience),
        (json!({"aud": ["heyan", 1]}), Why::Audience),
        (json!({"aud": []}), Why::Audience),
        (json!({"exp": null}), Why::Claim("exp")),
        (json!({"exp": "9999999999"}), Why::Claim("exp")),
        (json!({"exp": 1e300}), Why::Claim("exp")),
        (json!({"exp": NOW - 30}), Why::Expired),
        (json!({"iat": null}), Why::Claim("iat")),
        (json!({"iat": NOW + 31}), Why::FromTheFuture),
        (json!({"nbf": NOW + 31}), Why::Early),
        (json!({"nbf": "soon"}), Why::Claim("nbf")),
        (json!({"exp": NOW + 3601}), Why::TooLong),
        (json!({"client_id": null}), Why::Agency),
        (json!({"client_id": ["fund"]}), Why::Agency),
        (json!({"client_id": "Fund"}), Why::Agency),
        (json!({"sub": "a\nb"}), Why::Officer),
        (json!({"sub": 5}), Why::Officer),
        (json!({"cnf": {"jkt": "x"}}), Why::UnknownBinding),
        (json!({"cnf": {}}), Why::UnknownBinding),
        (json!({"cnf": "x5t#S256"}), Why::UnknownBinding),
        (json!({"cnf": {"x5t#S256": "AAAA"}}), Why::UnknownBinding),
        (json!({"cnf": {"x5t#S256": BASE64.encode([1; 32]), "jkt": "x"}}), Why::UnknownBinding),
        (json!({"cnf": {"x5t#S256": BASE64.encode([1; 32])}}), Why::NoCertificate),
    ] {
        assert_eq!(payload(change.clone()), Err(why), "{change}");
    }
}

#[test]
fn what_is_said_twice_or_not_signed_is_not_believed() {
    let world = World::new(|_| {});
    let (header, payload) = (head().to_string(), claims().to_string());
    let good = world.sign(&header, &payload);
    assert_eq!(world.verify(&good, None, NOW).as_deref(), Ok("fund"));
    let twice = payload.replacen('{', "{\"client_id\":\"bank\",", 1);
    assert_eq!(world.verify(&world.sign(&header, &twice), None, NOW), Err(JwtRefusal::Json));
    let twice = header.replacen('{', "{\"alg\":\"none\",", 1);
    assert_eq!(world.verify(&world.sign(&twice, &payload), None, NOW), Err(JwtRefusal::Json));
    let (signed, signature) = good.rsplit_once('.').unwrap();
    for (token, why) in [
        (format!("{signed}."), JwtRefusal::Signature),
        (format!("{signed}.{signature}="), JwtRefusal::Encoding),
        (format!("{signed}.+{}", &signature[1..]), JwtRefusal::Encoding),
        (format!("..{signature}"), JwtRefusal::Json),
        (format!("*{good}"), JwtRefusal::Encoding),
    ] {
        assert_eq!(world.verify(&token, None, NOW), Err(why), "{token}");
    }
    let other = Ed25519KeyPair::from_seed_unchecked(&[8; 32]).unwrap();
    let forged = format!("{signed}.{}", BASE64.encode(other.sign(signed.as_bytes())));
    assert_eq!(world.verify(&forged, None, NOW), Err(JwtRefusal::Signature));
}

#[test]
fn a_bound_token_is_good_for_its_certificate_alone() {
    let world = World::new(|issuer| issuer.certificate_bound = true);
    assert_eq!(world.with(&json!({}), &json!({})), Err(JwtRefusal::Unbound));
    let mut bound = claims();
    bound["cnf"] = json!({"x5t#S256": BASE64.encode([1; 32])});
    let token = world.sign(&head().to_string(), &bound.to_string());
    // The second time it is remembered, and looked at all the same.
    for _ in 0..2 {
        assert_eq!(world.verify(&token, None, NOW), Err(JwtRefusal::NoCertificate));
        assert_eq!(world.verify(&token, Some(&[2; 32]), NOW), Err(JwtRefusal::AnotherCertificate));
        assert_eq!(world.verify(&token, Some(&[1; 32]), NOW).as_deref(), Ok("fund"));
    }
}

#[test]
fn a_remembered_token_expires_and_goes_with_its_key() {
    let world = World::new(|_| {});
    let token = world.sign(&head().to_string(), &claims().to_string());
    assert!(world.verify(&token, None, NOW).is_ok());
    assert!(world.verify(&token, None, NOW + 329).is_ok());
    assert_eq!(world.verify(&token, None, NOW + 330), Err(JwtRefusal::Expired));
    let ring = world.access.keyrings().next().unwrap();
    ring.put(KeySet::read(json!({"keys": [jwk(&world.key, "k2")]}).to_string().into_bytes()).unwrap(), at(NOW));
    assert_eq!(world.verify(&token, None, NOW), Err(JwtRefusal::UnknownKey));
    assert_eq!(world.verify(&token, None, NOW + 86_401), Err(JwtRefusal::NoKeys));
}

#[test]
fn a_value_means_an_agency_where_a_list_says_so() {
    let meanings = [("client-7".to_owned(), AgencyId("fund".parse().unwrap()))];
    let world = World::new(|issuer| issuer.agencies = Some(meanings.into()));
    assert_eq!(world.with(&json!({}), &json!({"client_id": "client-7"})).as_deref(), Ok("fund"));
    assert_eq!(world.with(&json!({}), &json!({})), Err(JwtRefusal::Agency));
}

/// The examples of RFC 8037 (appendix A.4) and RFC 7515 (appendix A.3).
#[test]
fn signatures_of_others_are_understood() {
    let keys = json!({"keys": [
        {"kid": "ed", "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
        {"kid": "ec", "kty": "EC", "crv": "P-256", "use": "sig", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
         "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}
    ]});
    let keys = KeySet::read(keys.to_string().into_bytes()).unwrap();
    let eddsa = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    let es256 = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
    for (id, algorithm, jws) in [("ed", SignatureAlgorithm::EdDsa, eddsa), ("ec", SignatureAlgorithm::Es256, es256)] {
        let (message, signature) = jws.rsplit_once('.').unwrap();
        let mut signature = BASE64.decode(signature).unwrap();
        assert_eq!(keys.verify(id, algorithm, message.as_bytes(), &signature), Ok(()));
        assert_eq!(keys.verify(id, algorithm, b"x", &signature), Err(JwtRefusal::Signature));
        let other = keys.verify(id, SignatureAlgorithm::Rs256, message.as_bytes(), &signature);
        assert_eq!(other, Err(JwtRefusal::KeyOfAnotherAlgorithm));
        signature[5] ^= 1;
        assert_eq!(keys.verify(id, algorithm, message.as_bytes(), &signature), Err(JwtRefusal::Signature));
    }
}

#[test]
fn a_set_of_keys_is_whole_or_refused() {
    let key = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
    let good = jwk(&key, "k1");
    let read = |keys: Value| KeySet::read(json!({"keys": keys}).to_string().into_bytes()).map(|_| ());
    let with = |name: &str, value: Value| {
        let mut changed = good.clone();
        changed[name] = value;
        changed
    };
    assert_eq!(read(json!([good, {"kty": "new"}])), Ok(()));
    assert_eq!(read(json!([good, good])), Err(KeySetError::SameId));
    for secret in [with("d", json!("x")), json!({"kty": "oct", "kid": "k1", "k": "AAAA"})] {
        assert_eq!(read(json!([secret])), Err(KeySetError::Secret));
    }
    for useless in [
        with("use", json!("enc")),
        with("alg", json!("HS256")),
        with("alg", json!("ES256")),
        with("key_ops", json!(["sign"])),
        with("kid", json!("")),
        with("crv", json!("X25519")),
        with("x", json!("AAAA")),
        json!({"kid": "r", "kty": "RSA", "n": BASE64.encode([0xFF; 128]), "e": "AQAB"}),
        json!({"kid": "e", "kty": "EC", "crv": "P-256", "x": BASE64.encode([1; 32]), "y": BASE64.encode([1; 32])}),
    ] {
        assert_eq!(read(json!([useless])), Err(KeySetError::Empty), "{useless}");
    }
    assert_eq!(read(Value::Array(vec![good.clone(); 65])), Err(KeySetError::TooLarge));
    assert_eq!(KeySet::read(vec![b' '; 200_000]).map(|_| ()), Err(KeySetError::TooLarge));
    for bad in ["", "[]", "{}", r#"{"keys": {}}"#, r#"{"keys": [1]}"#, r#"{"keys": [], "keys": []}"#] {
        assert_eq!(KeySet::read(bad.into()).map(|_| ()), Err(KeySetError::Malformed), "{bad}");
    }
}

proptest! {
    #[test]
    fn a_token_that_differs_anywhere_is_refused(place in 0_usize..400, byte in any::<u8>(), cut in any::<bool>()) {
        let world = World::new(|_| {});
        let good = world.sign(&head().to_string(), &claims().to_string());
        let mut bytes = good.clone().into_bytes();
        let place = place % bytes.len();
        if cut { bytes.truncate(place) } else { bytes[place] = byte }
        let changed = String::from_utf8_lossy(&bytes).into_owned();
        prop_assert_eq!(world.verify(&changed, None, NOW).is_ok(), changed == good);
    }
}
