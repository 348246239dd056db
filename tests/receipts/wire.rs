use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;
use std::time::Duration;

use heyan::keys::Keys;
use heyan::receipt::Issuer;
use heyan::signing::Algorithm;
use serde_json::json;

use super::town::{Demo, Scratch, done, heyan, hours_ago, receipt, send};

#[tokio::test]
async fn a_receipt_is_checked_by_whoever_has_it() {
    let scratch = Scratch::new();
    let demo = Demo::start(&scratch.0, &[]);
    let text = scratch.receipt();
    let found = demo.check(&text).await;
    let expected = [("valid", json!(true)), ("outcome", json!("confirmed")), ("matter", json!("marital-status"))];
    for (member, value) in expected {
        assert_eq!(found[member], value, "{found}");
    }
    for shown in ["210102198001010010", "王小明", "subject"] {
        assert!(!found.to_string().contains(shown), "{found}");
    }
    let keys = scratch.open();
    assert_eq!(demo.reason(&receipt(&keys, hours_ago(25))).await, "expired");
    assert_eq!(demo.reason(&receipt(&keys, hours_ago(-1))).await, "not-yet-valid");
    let strangers = Keys::ephemeral(None, hours_ago(0)).unwrap();
    assert_eq!(demo.reason(&receipt(&strangers, hours_ago(0))).await, "unknown-key");
    let (head, rest) = text.split_once('.').unwrap();
    let payload = rest.split('.').next().unwrap();
    assert_eq!(demo.reason(&text.replacen(payload, &payload.replacen('a', "b", 1), 1)).await, "altered");
    assert_eq!(
        demo.reason(&format!("eyJhbGciOiJub25lIiwidHlwIjoiaGV5YW4tcmVjZWlwdCtqd3QiLCJraWQiOiJhIn0.{payload}.")).await,
        "wrong-algorithm"
    );
    for nothing in ["", " ", "x", "核验", "\u{1}", "..", head] {
        assert_eq!(demo.reason(nothing).await, "malformed", "{nothing}");
    }
    assert_eq!(demo.reason(&"A".repeat(60_000)).await, "too-long");
}

#[tokio::test]
async fn whoever_holds_a_code_learns_what_is_on_the_paper() {
    let scratch = Scratch::new();
    let demo = Demo::start(&scratch.0, &[]);
    let code = |id: &str, keys: &Keys| {
        let (signing, subject) = (Arc::clone(keys.receipt()), Arc::clone(keys.subject()));
        Issuer::new(signing, subject, "heyan", Duration::from_hours(1)).code(id.parse().unwrap()).to_string()
    };
    let check = async |code: &str| {
        let reply = send(demo.post(json!({"code": code}).to_string())).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        reply.body
    };
    let keys = scratch.open();
    let answered = demo.ask("confirmed").await;
    let short = code(answered["id"].as_str().unwrap(), &keys);
    for typed in [short.clone(), short.to_lowercase().replace('-', ""), format!(" {} ", short.replace('-', " "))] {
        let found = check(&typed).await;
        let mut members: Vec<&str> = found.as_object().unwrap().keys().map(String::as_str).collect();
        members.sort_unstable();
        // Nothing about people, nor who asked, nor what for.
        let expected = ["as_of", "claim", "expires_at", "issued_at", "issuer", "matter", "outcome", "valid"];
        assert_eq!(members, expected, "{found}");
        let same = |name: &str| found[name] == answered[name];
        assert!(
            found["valid"] == true && found["outcome"] == "confirmed" && same("matter") && same("claim"),
            "{found}"
        );
        assert_eq!(found["as_of"].as_str().unwrap().get(..19), answered["as_of"].as_str().unwrap().get(..19));
        let receipt = demo.check(answered["receipt"].as_str().unwrap()).await;
        assert_eq!((&found["expires_at"], &found["issued_at"]), (&receipt["expires_at"], &receipt["issued_at"]));
    }
    let pending = demo.ask("pending").await;
    let other_end = if short.ends_with('0') { "1" } else { "0" };
    let strangers = Keys::ephemeral(None, hours_ago(0)).unwrap();
    for (wrong, reason) in [
        (String::new(), "malformed"),
        ("核验".to_owned(), "malformed"),
        (format!("{}{other_end}", &short[..short.len() - 1]), "mistyped"),
        (code(answered["id"].as_str().unwrap(), &strangers), "unknown-code"),
        (code("01932f6e-9c1a-7c3e-8f00-1234567890ab", &keys), "not-kept"),
        (code(pending["id"].as_str().unwrap(), &keys), "pending"),
    ] {
        let found = check(&wrong).await;
        assert_eq!((&found["valid"], &found["reason"]), (&json!(false), &json!(reason)), "{wrong}");
        assert_eq!(found.as_object().unwrap().len(), 3, "{found}");
    }
    for body in [r#"{"code": 7}"#, r#"{"code": "a", "receipt": "b"}"#, r#"{"code": "a", "more": 1}"#] {
        assert_eq!(send(demo.post(body)).await.status, 422, "{body}");
    }
}

#[tokio::test]
async fn what_is_no_question_is_a_problem() {
    let scratch = Scratch::new();
    let demo = Demo::start(&scratch.0, &[]);
    for (body, status) in [
        ("{", 400),
        (r#"{"receipt": "a", "receipt": "b"}"#, 400),
        ("[]", 422),
        ("{}", 422),
        (r#"{"receipt": 7}"#, 422),
        (r#"{"receipt": "a", "more": 1}"#, 422),
    ] {
        let reply = send(demo.post(body)).await;
        assert_eq!(
            (reply.status, &reply.headers["content-type"]),
            (status, &"application/problem+json".parse().unwrap()),
            "{body}"
        );
    }
    assert_eq!(send(demo.post("a".repeat(70_000))).await.status, 413);
    assert_eq!(send(demo.get("/v1/receipts/check")).await.status, 405);
    let english = send(demo.post(r#"{"receipt": "a"}"#).header("accept-language", "en")).await.body;
    let chinese = send(demo.post(r#"{"receipt": "a"}"#)).await.body;
    assert_eq!((&english["detail"], &chinese["detail"]), (&json!("this is no receipt"), &json!("这不是核验回执")));
}

#[tokio::test]
async fn the_keys_are_public_and_cacheable() {
    let scratch = Scratch::new();
    let demo = Demo::start(&scratch.0, &[]);
    let reply = send(demo.get("/.well-known/jwks.json")).await;
    assert_eq!((reply.status, &reply.headers["content-type"]), (200, &"application/jwk-set+json".parse().unwrap()));
    assert_eq!(reply.headers["cache-control"], "public, max-age=300");
    let tag = reply.headers["etag"].clone();
    assert_eq!(send(demo.get("/.well-known/jwks.json").header("if-none-match", tag)).await.status, 304);
    let keys = scratch.open();
    let [key] = reply.body["keys"].as_array().unwrap().as_slice() else { panic!("{}", reply.body) };
    assert_eq!(key["kid"], keys.receipt().public().id().as_str());
    assert_eq!((&key["kty"], &key["crv"], &key["alg"]), (&json!("OKP"), &json!("Ed25519"), &json!("EdDSA")));
    assert!(key["d"].is_null());
}

#[tokio::test]
async fn a_running_gateway_takes_a_new_key_and_forgets_a_distrusted_one() {
    let scratch = Scratch::new();
    let data = scratch.0.to_str().unwrap();
    let demo = Demo::start(&scratch.0, &[]);
    let (old, first) = (scratch.receipt(), scratch.open().receipt().public().id().to_string());
    done(&["keys", "rotate", "--data-dir", data, "--use", "receipt", "--algorithm", "sm2"]);
    let new = scratch.receipt();
    assert_eq!(demo.reason(&new).await, "unknown-key");
    done(&["reload", "--data-dir", data]);
    for text in [&old, &new] {
        assert_eq!(demo.check(text).await["valid"], true);
    }
    let keys = demo.keys().await;
    assert_eq!(keys.iter().map(|key| key["alg"].as_str().unwrap()).collect::<Vec<_>>(), ["EdDSA", "SM2SM3"]);
    assert_eq!(scratch.open().receipt().public().algorithm(), Algorithm::Sm2);
    // The secret is gone, and what it signed still checks.
    done(&["keys", "destroy", "--data-dir", data, &first]);
    done(&["reload", "--data-dir", data]);
    assert_eq!(demo.check(&old).await["valid"], true);
    done(&["keys", "destroy", "--data-dir", data, &first, "--distrust"]);
    done(&["reload", "--data-dir", data]);
    assert_eq!(demo.reason(&old).await, "unknown-key");
    assert_eq!(demo.check(&new).await["valid"], true);
    drop(demo);
    let again = Demo::start(&scratch.0, &[]);
    assert_eq!(again.check(&new).await["valid"], true);
}

#[tokio::test]
async fn keys_that_cannot_be_used_change_nothing() {
    let scratch = Scratch::new();
    let data = scratch.0.to_str().unwrap();
    let demo = Demo::start(&scratch.0, &[]);
    let text = scratch.receipt();
    let file = scratch.keys().join(format!("{}.key", scratch.open().receipt().public().id()));
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    let (code, said, errors) = heyan(&["reload", "--data-dir", data], "");
    assert_eq!(code, Some(2), "{said}{errors}");
    assert!(
        errors.contains(&format!("chmod 600 '{}'", file.display())) && errors.contains("nothing has changed"),
        "{errors}"
    );
    assert_eq!(demo.check(&text).await["valid"], true);
}
