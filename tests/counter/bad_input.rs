//! Whatever is typed: what is wrong is told beside it, what was typed is there again, and nothing is asked.

use crate::demo::Demo;
use crate::tab::Tab;

const NUMBER: &str = "11010519491231002X";

/// A worker at the first question of a claim.
async fn at_the_first_question(town: &Demo, matter: &str, claim: &str) -> Tab {
    let mut browser = town.worker().await;
    browser.go(&format!("/matters/{matter}")).await;
    let form = browser.check(claim).unwrap();
    browser.send(&form, &[]).await;
    assert!(browser.path.ends_with("/1"), "{}", browser.path);
    browser
}

#[tokio::test]
async fn what_is_wrong_with_a_person_is_told_and_what_was_typed_stays() {
    let town = Demo::shared();
    let mut browser = at_the_first_question(&town, "alive", "alive/alive").await;
    let long = "王".repeat(3000);
    for (name, number, told) in [
        ("", "", &["请填写老人的姓名", "请填写老人的身份证号码"][..]),
        (" \u{202E}\n", "　", &["请填写老人的姓名", "请填写老人的身份证号码"]),
        ("<script>alert(1)</script>", NUMBER, &["照身份证填写"]),
        ("王😀", "😀", &["照身份证填写", "只有最后一位可以是 X"]),
        (&long, NUMBER, &["最多 50 个字"]),
        ("王秀英", "1101051949123100", &["应当是 18 位"]),
        ("王秀英", "110105194912310021", &["有一位填错了"]),
        ("王秀英", "99010519491231002X", &["前六位不对"]),
        ("王秀英", "11010519490229002X", &["第 7 到 14 位"]),
        ("王秀英", "210102203001010013", &["有一位填错了"]),
        ("\" autofocus onfocus=\"alert(1)", "' or 1=1 --", &["照身份证填写", "只有最后一位"]),
    ] {
        let form = browser.step();
        browser.send(&form, &[("name", name), ("number", number)]).await;
        assert_eq!(browser.page.status, 422, "{name:?} {number:?}");
        let said = browser.text();
        let title = if told.len() == 1 { "有一处需要改正" } else { "有几处需要改正" };
        assert!(said.contains(title) && told.iter().all(|told| said.contains(told)), "{name:?}: {said}");
        assert!(
            !browser.page.text.contains("<script>alert") && !browser.page.text.contains("onfocus=\"alert"),
            "{}",
            browser.page.text
        );
        assert!(browser.page.text.contains("<title>有误："));
        if name.len() < 100 && !name.trim().is_empty() {
            assert_eq!(browser.step().value("name"), name, "what was typed is there again");
        }
    }
}

#[tokio::test]
async fn what_is_typed_carelessly_is_taken_as_it_is_meant() {
    let town = Demo::shared();
    let mut browser = at_the_first_question(&town, "alive", "alive/alive").await;
    let form = browser.step();
    let wide = "１１０１０５－１９４９１２３１ ００２ｘ\r\n";
    browser.send(&form, &[("name", " 王 秀英\n"), ("number", &format!("\u{202B}{wide}"))]).await;
    assert!(browser.path.ends_with("/2"), "{}", browser.text());
    browser.go(&browser.path.replace("/2", "/1")).await;
    assert_eq!(browser.step().value("number"), "110105 19491231 002X");
    assert_eq!(browser.step().value("name"), "王秀英");
}

#[tokio::test]
async fn days_and_choices_are_looked_at() {
    let town = Demo::shared();
    let mut browser = at_the_first_question(&town, "marital-status", "marital-status/status-is").await;
    let form = browser.step();
    browser.send(&form, &[("name", "王秀英"), ("number", NUMBER)]).await;
    let form = browser.step();
    browser.send(&form, &[("value", "happy")]).await;
    assert!(browser.page.status == 422 && browser.text().contains("请选择“"));
    let form = browser.step();
    browser.send(&form, &[("value", "married")]).await;
    for (day, told) in
        [("明年", "这不是日期"), ("2999-01-01", "还没有到"), ("2020-02-30", "这不是日期"), ("<b>", "这不是日期")]
    {
        let form = browser.step();
        browser.send(&form, &[("value", day)]).await;
        assert!(browser.page.status == 422 && browser.text().contains(told), "{day}: {}", browser.text());
        assert!([day, "2999年1月1日"].contains(&&*browser.step().value("value")), "what was typed is there again");
    }
    let form = browser.step();
    browser.send(&form, &[("value", "２０２０年１月２日")]).await;
    assert_eq!(browser.page.status, 200);
    let form = browser.step();
    browser.send(&form, &[]).await;
    assert!(browser.page.status == 422 && browser.text().contains("请选择“居民要办什么事”"), "a purpose is chosen");
}

#[tokio::test]
async fn what_stays_on_record_holds_no_number() {
    let town = Demo::shared();
    let mut browser = town.worker().await;
    for (text, by, told) in [
        ("", "", "请写下对方要的是什么证明"),
        (" \n\u{200B}", "", "请写下对方要的是什么证明"),
        (&*format!("证明 {NUMBER} 单身"), "", "不能写身份证号码"),
        ("单身证明", NUMBER, "不能写身份证号码"),
        (&*"证".repeat(501), "", "最多 500 个字"),
    ] {
        browser.submit("/", &[("text", text), ("by", by), ("basis", "")]).await;
        assert!(browser.page.status == 422 && browser.text().contains(told), "{text}: {}", browser.text());
    }
    browser.submit("/", &[("text", "<img src=x onerror=alert(1)>单身证明"), ("by", "\"><b>"), ("basis", "")]).await;
    assert_eq!(browser.page.status, 200);
    assert!(
        !browser.page.text.contains("<img src=x") && !browser.page.text.contains("\"><b>"),
        "{}",
        browser.page.text
    );
}

#[tokio::test]
async fn a_forged_form_does_nothing() {
    let town = Demo::shared();
    let mut browser = at_the_first_question(&town, "alive", "alive/alive").await;
    let path = browser.path.clone();
    let fields = |token: &str| {
        [("csrf", token), ("name", "王秀英"), ("number", NUMBER)]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
    };
    for token in ["", "x", &"A".repeat(43)] {
        browser.post(&path, &fields(token)).await;
        assert!(browser.page.status != 200 || !browser.path.ends_with("/2"), "{}", browser.text());
    }
    browser.go(&path).await;
    assert_eq!(browser.step().value("name"), "", "nothing of it was kept");
    // Nor does an address that nobody was given.
    for strange in [
        "/checks/x/1",
        "/checks/01900000-0000-7000-8000-000000000000/1",
        "/checks/x/review",
        "/found/x",
        "/results/x",
        "/results/01900000-0000-7000-8000-000000000000",
        "/results/01900000-0000-7000-8000-000000000000/notice",
    ] {
        browser.go(strange).await;
        assert_eq!(browser.page.status, 410, "{strange}");
        assert!(browser.links().iter().any(|link| link == "/"), "there is a way on");
    }
    for strange in ["/matters/x", "/retained/x", "/matters/x/notice"] {
        browser.go(strange).await;
        assert_eq!(browser.page.status, 404, "{strange}");
    }
    browser.go(&path.replace("/1", "/99")).await;
    assert_eq!(browser.page.status, 404);
}
