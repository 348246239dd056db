use serde_json::Value;

use crate::house::user;
use crate::scene::{PASSWORD, Scene};

/// What is recorded of accounts: who, what, to whom.
fn acts(entries: &[Value]) -> Vec<(Value, Value, Value)> {
    let acts = entries.iter().map(|entry| {
        assert_eq!(entry["kind"], "administered", "{entry}");
        (entry["officer"].clone(), entry["act"].clone(), entry["object"].clone())
    });
    acts.collect()
}

#[tokio::test]
async fn who_signs_in_or_out_and_who_is_refused_is_on_record() {
    let scene = Scene::new().await;
    scene.signed_in("wang").await;
    scene.browser().sign_in("wang", "wrong").await;
    scene.browser().sign_in("my-password-by-mistake", "wrong").await;
    let mut browser = scene.signed_in("li").await;
    let page = browser.get("/account/password").await;
    let new = "another horse battery";
    browser.submit(&page, "/account/password", &[("old", PASSWORD), ("new", new), ("again", new)]).await;
    let page = browser.get("/account").await;
    browser.submit(&page, "/sign-out", &[]).await;
    let (said, null) = (|text: &str| Value::from(text), Value::Null);
    assert_eq!(
        acts(&scene.entries()),
        [
            (said("wang"), said("sign-in"), said("wang")),
            (null.clone(), said("refuse-sign-in"), said("wang")),
            (null.clone(), said("refuse-sign-in"), null),
            (said("li"), said("sign-in"), said("li")),
            (said("li"), said("change-password"), said("li")),
            (said("li"), said("sign-out"), said("li")),
        ]
    );
    // What was typed as a user or a password is in no file.
    for file in std::fs::read_dir(scene.data()).unwrap() {
        let path = file.unwrap().path();
        let Ok(bytes) = std::fs::read(&path) else { continue };
        for secret in ["my-password-by-mistake", "wrong", PASSWORD, new] {
            let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "{secret} is in {}", path.display());
        }
    }
}

#[tokio::test]
async fn what_is_done_beside_the_gateway_is_recorded_by_it() {
    let scene = Scene::new().await;
    let hand = heyan::desk::Hand { by: "uid 7".to_owned(), at: "2026-11-25T08:00:00Z".parse().unwrap() };
    scene.desk().disable_account(&user("wang"), Some(hand.at), Some(hand.clone())).await.unwrap();
    for _ in 0..200 {
        if scene.desk().unrecorded().await.unwrap().is_empty() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let entries = scene.entries();
    assert_eq!(acts(&entries), [("uid 7".into(), "disable-account".into(), "wang".into())]);
    assert_eq!(entries[0]["at"], "2026-11-25T08:00:00Z", "when it was done");
}
