use heyan::config::PlainHttp;

use crate::scene::{PASSWORD, Scene};

#[tokio::test]
async fn every_page_tells_browsers_what_they_may_not_do() {
    let scene = Scene::new().await;
    let mut browser = scene.signed_in("wang").await;
    for (path, status) in
        [("/account", 200), ("/account/password", 200), ("/nothing-here", 404), ("/sign-out", 405), ("/sign-in", 303)]
    {
        let page = browser.get(path).await;
        assert_eq!(page.status, status, "{path}");
        for (name, value) in [
            (
                "content-security-policy",
                "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; \
                 form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
            ),
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("x-frame-options", "DENY"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
            ("cache-control", "no-store"),
            ("content-language", "zh-CN"),
        ] {
            assert_eq!(page.header(name), value, "{path}");
        }
        assert_eq!(page.header("strict-transport-security"), "", "plain HTTP has none");
        assert!(page.text.len() < 60_000, "{path}");
    }
}

#[tokio::test]
async fn cookies_are_as_safe_as_the_line() {
    let plain = Scene::new().await;
    let shown = plain.browser().sign_in("wang", PASSWORD).await;
    let given: Vec<&str> = shown.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap()).collect();
    assert!(given.iter().any(|cookie| cookie.starts_with("heyan-session=")), "{given:?}");
    for cookie in &given {
        assert!(cookie.contains("; Path=/; HttpOnly; SameSite=Lax") && !cookie.contains("Secure"), "{cookie}");
    }
    let proxied = Scene::with(|settings| settings.plain_http = PlainHttp::BehindTlsProxy).await;
    let shown = proxied.browser().sign_in("wang", PASSWORD).await;
    assert_eq!(shown.header("strict-transport-security"), "max-age=31536000");
    let given: Vec<&str> = shown.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap()).collect();
    assert!(given.iter().any(|cookie| cookie.starts_with("__Host-heyan-session=")), "{given:?}");
    for cookie in &given {
        assert!(
            cookie.starts_with("__Host-") && cookie.ends_with("; Path=/; HttpOnly; SameSite=Lax; Secure"),
            "{cookie}"
        );
    }
}

#[tokio::test]
async fn pages_speak_the_readers_language() {
    let scene = Scene::new().await;
    let mut browser = scene.browser();
    let page = browser.get("/sign-in").await;
    assert!(page.text.contains("<html lang=\"zh-CN\">") && page.title() == "登录");
    browser.fields.push(("accept-language", "en-GB, zh;q=0.5".to_owned()));
    let page = browser.get("/sign-in?then=/account").await;
    assert!(page.text.contains("<html lang=\"en\">") && page.title() == "Sign in", "{}", page.text);
    assert_eq!(page.header("content-language"), "en");
    // The switch wins over the browser's own wish, and leads back.
    let chosen = browser.submit(&page, "/language", &[("language", "zh-CN")]).await;
    assert_eq!((chosen.status, chosen.location()), (303, "/sign-in?then=/account"));
    assert_eq!(browser.get(chosen.location()).await.title(), "登录");
    let unknown = browser.submit(&page, "/language", &[("language", "xx")]).await;
    assert_eq!(unknown.status, 400);
}

#[tokio::test]
async fn programs_get_problems_and_people_get_pages() {
    let scene = Scene::new().await;
    let mut browser = scene.browser();
    for path in ["/nothing", "/v1", "/%FF", "/sign-in/x"] {
        let page = browser.get(path).await;
        assert_eq!((page.status, page.header("content-type")), (404, "text/html; charset=utf-8"), "{path}");
        assert!(page.text.contains("没有找到这个页面"));
    }
    for path in ["/v1/nothing", "/problems/nothing", "/.well-known/nothing"] {
        let problem = browser.get(path).await;
        assert_eq!((problem.status, problem.header("content-type")), (404, "application/problem+json"), "{path}");
    }
    browser.fields = vec![("accept", "*/*".to_owned())];
    assert_eq!(browser.get("/nothing").await.header("content-type"), "application/problem+json");
}

#[tokio::test]
async fn style_and_pictures_are_kept_for_good_under_names_that_change() {
    let scene = Scene::new().await;
    let mut browser = scene.browser();
    let page = browser.get("/sign-in").await;
    let mut named = 0;
    for address in page.text.split('"').filter(|text| text.starts_with("/assets/")) {
        let asset = browser.get(address).await;
        assert_eq!(asset.status, 200, "{address}");
        assert_eq!(asset.header("cache-control"), "public, max-age=31536000, immutable");
        assert_eq!(asset.header("x-content-type-options"), "nosniff");
        assert!(asset.headers.get("set-cookie").is_none());
        named += 1;
    }
    assert_eq!(named, 2, "{}", page.text);
    assert_eq!(browser.get("/assets/heyan.css").await.status, 404);
    assert_eq!(browser.get("/assets/..%2f..%2fsign-in").await.status, 404);
}
