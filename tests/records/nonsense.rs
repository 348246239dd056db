use crate::demands::{FILLED, filled, record};
use crate::scene::Scene;

/// What is typed where it does not belong: what it is, and what of it may never be seen again.
const NONSENSE: [(&str, Option<&str>); 8] = [
    ("", None),
    ("<script>alert(1)</script>", Some("<script>alert")),
    ("\"><img src=x onerror=alert(1)>", Some("<img")),
    ("😀\u{202E}\u{200F}😀", Some("\u{202E}")),
    ("第一行\r\n第二行", None),
    ("=HYPERLINK(\"http://x\")", None),
    ("11010519491231002X", None),
    ("{page.title}{{7*7}}", Some("{page.title}49")),
];

#[tokio::test]
async fn every_field_takes_nonsense_without_harm() {
    let scene = Scene::new().await;
    let mut east = scene.signed_in("east").await;
    let long = "长".repeat(3000);
    let all = NONSENSE.into_iter().chain([(long.as_str(), None)]);
    for (typed, never) in all {
        for (name, _) in FILLED {
            let page = east.get("/demands/new?matter=kinship").await;
            let shown = east.submit(&page, "/demands", &filled(&[(name, typed)])).await;
            let optional = matches!((name, typed), ("superior" | "note", ""));
            let note = name == "note" && !typed.starts_with('长');
            let joined = matches!(name, "agency" | "superior") && typed.starts_with("第一行");
            let status = if optional || note || joined { 303 } else { 422 };
            assert_eq!(shown.status, status, "{name}: {typed}: {}", shown.text);
            let shown = if status == 303 { east.get(shown.location()).await } else { shown };
            // What is refused stands in its field as it was typed, for its own writer.
            let is_kept = status == 303 || !typed.starts_with('😀');
            assert!(!is_kept || never.is_none_or(|never| !shown.says(never)), "{name}: {typed}");
            if status == 422 {
                assert!(shown.says("field-wrong") && shown.says("class=\"summary\""), "{name}: {typed}");
                assert!(name == "agency" || shown.says("某银行沈阳和平支行"), "nothing that was typed is lost");
            }
        }
    }
    let matter = east.get("/demands/new?matter=%3Cb%3Enothing").await;
    assert!(matter.status == 200 && !matter.says("<b>nothing"));
    let refused = east.submit(&matter, "/demands", &filled(&[("matter", "nothing")])).await;
    assert_eq!(refused.status, 422);
}

#[tokio::test]
async fn forms_that_no_page_of_ours_has_made_do_nothing() {
    let scene = Scene::new().await;
    let mut east = scene.signed_in("east").await;
    let typed = filled(&[("matter", "kinship")]);
    assert_eq!(east.post("/demands", &typed).await.status, 403);
    let mut garbage = typed.clone();
    garbage.push(("csrf", "AAAA"));
    assert_ne!(east.post("/demands", &garbage).await.status, 303);
    assert!(east.get("/demands").await.says("没有符合条件的记录"));
    for path in ["/demands/nothing", "/demands/00000000-0000-0000-0000-000000000000", "/demands/figures/x"] {
        assert_eq!(east.get(path).await.status, 404, "{path}");
    }
}

/// Whatever was typed: no ID number is kept or leaves, and no note leaves its record.
#[tokio::test]
async fn what_leads_to_a_resident_is_neither_kept_nor_exported() {
    let scene = Scene::new().await;
    let (mut east, mut over) = (scene.signed_in("east").await, scene.signed_in("over").await);
    let note = "居民的号是１１０１０５１９４９１２３１００２Ｘ和110105 19491231 0021，电话13912345678，要求很急";
    let known = record(&mut east, "kinship", &[("note", note), ("said", "other")]).await;
    let page = east.get("/demands/new?matter=kinship").await;
    for (field, typed) in [("note", "居民张三来过三次"), ("agency", "张三"), ("agency", "某银行11010519491231002X")]
    {
        let refused = east.submit(&page, "/demands", &filled(&[(field, typed)])).await;
        assert_eq!(refused.status, 422, "{typed}");
    }
    let step = format!("{known}/letter-sent");
    let form = east.get(&step).await;
    let sent = [("to", "某银行辽宁省分行"), ("on", "2026-11-23"), ("note", "寄件110105194912310021")];
    assert_eq!(east.submit(&form, &step, &sent).await.status, 303);
    let mut leaving = String::new();
    for path in
        ["/demands/list.csv", "/demands/figures.csv", "/demands/figures", "/demands", &format!("{known}/letter")]
    {
        leaving += &over.get(path).await.text;
    }
    let shown = east.get(&known).await.text;
    let kept = scene.written();
    let holds = |text: &str| kept.windows(text.len()).any(|window| window == text.as_bytes());
    for number in [
        "11010519491231002X",
        "１１０１０５１９４９１２３１００２Ｘ",
        "19491231",
        "110105194912310021",
        "13912345678",
        "张三",
    ] {
        assert!(!leaving.contains(number) && !shown.contains(number) && !holds(number), "{number}");
    }
    assert!(shown.contains("要求很急") && holds("要求很急") && !leaving.contains("要求很急"));
}
