use std::os::unix::fs::PermissionsExt as _;

use heyan::keys::Keys;
use heyan::signing::Algorithm;
use serde_json::json;

use super::reply::send;
use super::town::{Scratch, done, heyan, hours_ago, receipt, start};

#[tokio::test]
async fn a_receipt_is_checked_by_whoever_has_it() {
    let scratch = Scratch::new();
    let demo = start(&scratch.0, &[]);
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
    let demo = start(&scratch.0, &[]);
    let answered = demo.ask("confirmed").await;
    let short = answered["receipt_code"].as_str().unwrap().to_owned();
    for typed in [short.clone(), short.to_lowercase().replace('-', ""), format!(" {} ", short.replace('-', " "))] {
        let found = demo.check_code(&typed).await;
        let mut members: Vec<&str> = found.as_object().unwrap().keys().map(String::as_str).collect();
        members.sort_unstable();
        // Nothing about people, nor who asked, nor what for.
        let expected =
            ["as_of", "claim", "expires_at", "issued_at", "issuer", "matter", "outcome", "parameters", "valid"];
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
    // There is no code of what has no outcome yet.
    assert_eq!(demo.ask("pending").await.get("receipt_code"), None);
    let other_end = if short.ends_with('0') { "1" } else { "0" };
    for (wrong, reason) in [
        (String::new(), "malformed"),
        ("核验".to_owned(), "malformed"),
        (format!("{}{other_end}", &short[..short.len() - 1]), "mistyped"),
    ] {
        let found = demo.check_code(&wrong).await;
        assert_eq!((&found["valid"], &found["reason"]), (&json!(false), &json!(reason)), "{wrong}");
        assert_eq!(found.as_object().unwrap().len(), 3, "{found}");
    }
    for body in [r#"{"code": 7}"#, r#"{"code": "a", "receipt": "b"}"#, r#"{"code": "a", "more": 1}"#] {
        assert_eq!(send(demo.post(body)).await.status, 422, "{body}");
    }
}

#[tokio::test]
async fn a_code_is_known_where_it_was_made_for_as_long_as_its_receipt() {
    let scratch = Scratch::new();
    let short = {
        let demo = start(&scratch.0, &[]);
        demo.ask("confirmed").await["receipt_code"].as_str().unwrap().to_owned()
    };
    // Another process, that remembers nothing of the question.
    let demo = start(&scratch.0, &[]);
    let found = demo.check_code(&short).await;
    assert_eq!((&found["valid"], &found["outcome"]), (&json!(true), &json!("confirmed")), "{found}");
    // Another gateway, with an entry of the same number.
    let elsewhere = Scratch::new();
    let other = start(&elsewhere.0, &[]);
    for _ in 0..3 {
        assert_eq!(other.check_code(&short).await["reason"], "unknown-code");
        other.ask("confirmed").await;
    }
    // Its own, while somebody changes what the ledger says.
    let ledger = rusqlite::Connection::open(scratch.0.join("ledger.sqlite")).unwrap();
    let change = "DROP TRIGGER entries_stay;
        UPDATE entries SET leaf = CAST(replace(CAST(leaf AS TEXT), '\"confirmed\"', '\"refuted\"') AS BLOB);";
    ledger.execute_batch(change).unwrap();
    assert_eq!(demo.check_code(&short).await["reason"], "unknown-code");
    // Without the key that made it, nobody can say that it is genuine.
    let first = elsewhere.open().receipt().public().id().to_string();
    let code = other.ask("confirmed").await["receipt_code"].as_str().unwrap().to_owned();
    let data = elsewhere.0.to_str().unwrap();
    done(&["keys", "rotate", "--data-dir", data, "--use", "receipt"]);
    done(&["reload", "--data-dir", data]);
    assert_eq!(other.check_code(&code).await["valid"], true);
    done(&["keys", "destroy", "--data-dir", data, &first]);
    done(&["reload", "--data-dir", data]);
    assert_eq!(other.check_code(&code).await["reason"], "unknown-code");
}

#[tokio::test]
async fn a_code_expires_with_its_receipt() {
    let (scratch, overlay) = (Scratch::new(), Scratch::new());
    std::fs::create_dir_all(overlay.0.join("config")).unwrap();
    let settings = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/config/heyan.toml")).unwrap();
    let settings = settings.replacen("valid_for = \"720h\"", "valid_for = \"1s\"", 1);
    overlay.write("config/heyan.toml", &settings);
    let demo = start(&scratch.0, &["--overlay", overlay.0.to_str().unwrap()]);
    let answered = demo.ask("confirmed").await;
    let (code, receipt) = (answered["receipt_code"].as_str().unwrap(), answered["receipt"].as_str().unwrap());
    // However long it takes: once the receipt has expired, so has the code.
    while demo.check(receipt).await["valid"] == true {
        tokio::task::yield_now().await;
    }
    assert_eq!(demo.check_code(code).await["reason"], "expired");
}

#[tokio::test]
async fn what_is_no_question_is_a_problem() {
    let scratch = Scratch::new();
    let demo = start(&scratch.0, &[]);
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
    let demo = start(&scratch.0, &[]);
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
    let demo = start(&scratch.0, &[]);
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
    let again = start(&scratch.0, &[]);
    assert_eq!(again.check(&new).await["valid"], true);
}

#[tokio::test]
async fn keys_that_cannot_be_used_change_nothing() {
    let scratch = Scratch::new();
    let data = scratch.0.to_str().unwrap();
    let demo = start(&scratch.0, &[]);
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
