use std::time::Duration;

use heyan::accounts::Role;

use crate::house::{home, user};
use crate::scene::{PASSWORD, Scene};

#[tokio::test]
async fn whoever_is_not_signed_in_is_asked_to_and_comes_back() {
    let scene = Scene::new().await;
    let mut browser = scene.browser();
    let asked = browser.get("/account/password").await;
    assert_eq!((asked.status, asked.location()), (303, "/sign-in?then=/account/password"));
    let page = browser.get(asked.location()).await;
    assert_eq!((page.status, page.title()), (200, "登录"));
    let wrong = browser.submit(&page, "/sign-in", &[("user", "wang"), ("password", "wrong")]).await;
    assert_eq!((wrong.status, wrong.title()), (422, "有误：登录"));
    assert!(wrong.text.contains("href=\"#user\"") && wrong.text.contains("value=\"wang\""), "{}", wrong.text);
    let entered = browser.submit(&wrong, "/sign-in", &[("user", " Wang "), ("password", PASSWORD)]).await;
    assert_eq!((entered.status, entered.location()), (303, "/account/password"), "{}", entered.text);
    assert_eq!(browser.who().await, Some(user("wang")));
    // Whoever is in already needs no page to sign in.
    assert_eq!(browser.get("/sign-in").await.location(), home("wang"));
}

#[tokio::test]
async fn where_somebody_goes_on_is_never_another_site() {
    let scene = Scene::new().await;
    for then in ["//evil.example/", "https://evil.example/", "/\\evil.example", "javascript:alert(1)"] {
        let mut browser = scene.browser();
        let page = browser.get(&format!("/sign-in?then={then}")).await;
        assert!(!page.text.contains("name=\"then\""), "{then}");
        let typed = [("user", "wang"), ("password", PASSWORD), ("then", then)];
        assert_eq!(browser.submit(&page, "/sign-in", &typed).await.location(), home("wang"), "{then}");
    }
}

#[tokio::test]
async fn a_session_is_new_and_nobody_can_plant_one() {
    let scene = Scene::new().await;
    let mut victim = scene.browser();
    let planted = "A".repeat(43);
    victim.cookies.insert("heyan-session".to_owned(), planted.clone());
    victim.sign_in("wang", PASSWORD).await;
    let session = victim.cookies["heyan-session"].clone();
    assert_ne!(session, planted);
    let mut attacker = scene.browser();
    attacker.cookies.insert("heyan-session".to_owned(), planted);
    assert_eq!(attacker.who().await, None);
    // Signing in again ends the session before.
    let mut old = victim.clone();
    let page = victim.get("/account").await;
    victim.submit(&page, "/sign-out", &[]).await;
    assert_eq!(old.who().await, None, "signing out ends it here, not in the browser alone");
    victim.sign_in("wang", PASSWORD).await;
    assert_ne!(victim.cookies["heyan-session"], session);
}

#[tokio::test]
async fn a_session_ends_when_nobody_is_there_and_at_the_latest_after_its_time() {
    let scene = Scene::new().await;
    let mut browser = scene.signed_in("wang").await;
    scene.wait(Duration::from_mins(14));
    assert!(browser.who().await.is_some());
    scene.wait(Duration::from_mins(14));
    assert!(browser.who().await.is_some());
    scene.wait(Duration::from_mins(15));
    assert!(browser.who().await.is_none());
    let mut browser = scene.signed_in("wang").await;
    for _ in 0..47 {
        scene.wait(Duration::from_mins(10));
        assert!(browser.who().await.is_some());
    }
    scene.wait(Duration::from_mins(10));
    assert!(browser.who().await.is_none(), "eight hours");
    // What a page fetches by itself does not keep it alive.
    let mut browser = scene.signed_in("wang").await;
    browser.fields.push(("sec-fetch-dest", "empty".to_owned()));
    scene.wait(Duration::from_mins(10));
    assert!(browser.who().await.is_some());
    scene.wait(Duration::from_mins(10));
    assert!(browser.who().await.is_none());
}

#[tokio::test]
async fn an_account_that_is_disabled_is_out_at_once() {
    let scene = Scene::new().await;
    let mut browser = scene.signed_in("wang").await;
    scene.desk().disable_account(&user("wang"), Some(jiff::Timestamp::UNIX_EPOCH), None).await.unwrap();
    assert_eq!(browser.who().await, None);
    let refused = scene.browser().sign_in("wang", PASSWORD).await;
    let wrong = scene.browser().sign_in("wang", "wrong").await;
    assert_eq!((refused.status, refused.text.len()), (422, wrong.text.len()), "and nobody can tell why");
    scene.desk().disable_account(&user("wang"), None, None).await.unwrap();
    assert_eq!(browser.who().await, None, "a session does not come back");
    scene.signed_in("wang").await;
}

#[tokio::test]
async fn a_user_whom_nobody_knows_is_refused_as_everybody_is() {
    let scene = Scene::new().await;
    let known = scene.browser().sign_in("wang", "wrong").await;
    for unknown in ["meng", "no user at all!", "11010519491231002X", "密码写错了地方"] {
        let refused = scene.browser().sign_in(unknown, "wrong").await;
        assert_eq!(refused.status, known.status);
        let message = "用户名或密码不对";
        assert_eq!(refused.text.matches(message).count(), known.text.matches(message).count());
    }
    let empty = scene.browser().sign_in("", "").await;
    assert!(empty.text.contains("请填写用户名") && empty.text.contains("请填写密码"), "all at once");
}

#[tokio::test]
async fn another_password_ends_all_other_sessions() {
    let scene = Scene::new().await;
    let (mut here, mut there) = (scene.signed_in("wang").await, scene.signed_in("wang").await);
    let page = here.get("/account/password").await;
    let new = "another horse battery";
    let change = |old, new, again| [("old", old), ("new", new), ("again", again)];
    for (old, new, again, told) in [
        ("", new, new, "请填写现在的密码"),
        ("wrong", new, new, "现在的密码不对"),
        (PASSWORD, "short", "short", "至少要有 12 个字符"),
        (PASSWORD, PASSWORD, PASSWORD, "和现在的一样"),
        (PASSWORD, new, "other", "两次填写的新密码不一样"),
    ] {
        let refused = here.submit(&page, "/account/password", &change(old, new, again)).await;
        assert!(refused.status == 422 && refused.text.contains(told), "{told}: {}", refused.text);
        assert!(![old, new].iter().any(|word| !word.is_empty() && refused.text.contains(&format!("value=\"{word}\""))));
    }
    let before = here.cookies["heyan-session"].clone();
    let changed = here.submit(&page, "/account/password", &change(PASSWORD, new, new)).await;
    assert_eq!((changed.status, changed.location()), (303, "/account?password=changed"), "{}", changed.text);
    assert!(here.get(changed.location()).await.text.contains("密码已经改好"));
    assert_ne!(here.cookies["heyan-session"], before);
    assert_eq!((here.who().await, there.who().await), (Some(user("wang")), None));
    assert_eq!(scene.browser().sign_in("wang", PASSWORD).await.status, 422);
    assert_eq!(scene.browser().sign_in("wang", new).await.status, 303);
}

#[tokio::test]
async fn a_committee_whose_agency_is_gone_is_told_so() {
    let scene = Scene::new().await;
    scene.account("zhao", Role::Committee, Some("committee")).await;
    let mut browser = scene.signed_in("zhao").await;
    assert!(browser.get("/account").await.text.contains("committee"));
}
