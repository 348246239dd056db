use std::time::Duration;

use crate::browser::{Browser, Shown};
use crate::committees::TODAY;
use crate::scene::Scene;

/// What a worker fills in.
pub(crate) const FILLED: [(&str, &str); 7] = [
    ("agency", "某银行沈阳和平支行"),
    ("kind", "service"),
    ("level", "unknown"),
    ("superior", "某银行辽宁省分行"),
    ("on", "2026-11-20"),
    ("said", "system-asks"),
    ("note", ""),
];

/// The filled-in form with some fields changed.
pub(crate) fn filled<'a>(changes: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let changed = |name: &str| changes.iter().any(|(other, _)| *other == name);
    FILLED.iter().copied().filter(|(name, _)| !changed(name)).chain(changes.iter().copied()).collect()
}

/// Records a demand; where its record is.
pub(crate) async fn record(browser: &mut Browser, matter: &str, changes: &[(&str, &str)]) -> String {
    let page = browser.get(&format!("/demands/new?matter={matter}")).await;
    let shown = browser.submit(&page, "/demands", &filled(changes)).await;
    assert_eq!(shown.status, 303, "{}", shown.text);
    shown.location().to_owned()
}

/// Enters a step.
async fn enter(browser: &mut Browser, record: &str, step: &str, typed: &[(&str, &str)]) -> Shown {
    let place = format!("{record}/{step}");
    let page = browser.get(&place).await;
    browser.submit(&page, &place, typed).await
}

#[tokio::test]
async fn what_may_be_an_exception_is_asked_about_before_it_is_recorded() {
    let scene = Scene::new().await;
    let mut east = scene.signed_in("east").await;
    let page = east.get("/demands/new?matter=kinship").await;
    assert!(!page.says("例外吗"), "nothing hints at an exception");
    let notary = [("agency", "沈阳市和平公证处")];
    let asked = east.submit(&page, "/demands", &filled(&notary)).await;
    assert!(asked.status == 422 && asked.says("公证办理情况除外"), "{}", asked.text);
    let told = east.submit(&asked, "/demands", &filled(&[notary[0], ("excepted", "yes")])).await;
    assert!(told.status == 422 && told.says("先不记录"), "{}", told.text);
    let recorded = east.submit(&told, "/demands", &filled(&[notary[0], ("excepted", "no")])).await;
    assert_eq!(recorded.status, 303, "{}", recorded.text);
}

#[tokio::test]
async fn a_demand_is_recorded_with_one_form_and_followed_to_its_end() {
    let scene = Scene::new().await;
    let mut east = scene.signed_in("east").await;
    let form = east.get("/demands/new?matter=kinship").await;
    for known in ["第1项 亲属关系证明", &format!("value=\"{TODAY}\""), "沈阳市公积金管理中心"] {
        assert!(form.says(known), "{known}");
    }
    assert!(!form.says("<option value=\"东街社区居民委员会\">"), "nobody demands of himself");
    let record = record(&mut east, "kinship", &[]).await;
    let page = east.get(&record).await;
    for said in ["2026-0001", "某银行沈阳和平支行", "第1项 亲属关系证明", "2026年11月20日", "已记录", "附件第1项"]
    {
        assert!(page.says(said), "{said}");
    }

    let step = |on| [("to", "某银行辽宁省分行"), ("on", on), ("note", "")];
    assert_eq!(enter(&mut east, &record, "letter-sent", &step("2026-11-21")).await.status, 303);
    let answer = [("gist", "will-correct"), ("on", "2026-11-22"), ("note", "来电话说的")];
    assert_eq!(enter(&mut east, &record, "answered", &answer).await.status, 303);
    assert_eq!(enter(&mut east, &record, "corrected", &[("on", TODAY), ("note", "")]).await.status, 303);
    let page = east.get(&record).await;
    for said in
        ["已纠正", "发函给某银行辽宁省分行", "收到答复：承认不合理，答应纠正", "来电话说的", "east（村（居）民委员会）"]
    {
        assert!(page.says(said), "{said}");
    }
}

#[tokio::test]
async fn steps_that_do_not_follow_are_refused_and_nothing_is_taken_away() {
    let scene = Scene::new().await;
    let (mut east, mut over) = (scene.signed_in("east").await, scene.signed_in("over").await);
    let record = record(&mut east, "alive", &[]).await;
    for step in ["answered", "corrected", "closed", "exposed"] {
        let shown = east.get(&format!("{record}/{step}")).await;
        assert_eq!(shown.status, 422, "{step}");
        assert!(shown.title().starts_with("有误："));
        let typed = [("gist", "upholds"), ("channel", "media"), ("why", "no-answer"), ("on", TODAY)];
        assert_eq!(enter(&mut east, &record, step, &typed).await.status, 422, "{step}");
    }
    let sent = [("to", "某银行辽宁省分行"), ("on", "2026-11-21")];
    for (typed, wrong) in [
        ([("to", ""), ("on", TODAY)], "请填写函发给哪个单位"),
        ([("to", "张三"), ("on", TODAY)], "请写单位的全称"),
        ([("to", "某银行辽宁省分行"), ("on", "2026-11-24")], "日期还没有到"),
        ([("to", "某银行辽宁省分行"), ("on", "2026-11-19")], "日期早于上一步"),
        ([("to", "某银行辽宁省分行"), ("on", "不知道")], "请填写日期"),
    ] {
        let shown = enter(&mut east, &record, "letter-sent", &typed).await;
        assert!(shown.status == 422 && shown.says(wrong), "{wrong}: {}", shown.text);
    }
    assert_eq!(enter(&mut east, &record, "letter-sent", &sent).await.status, 303);
    let exposed = [("channel", "media"), ("on", TODAY)];
    let shown = enter(&mut east, &record, "exposed", &exposed).await;
    assert!(shown.status == 422 && shown.says("由民政部门登记"));
    assert_eq!(enter(&mut over, &record, "exposed", &exposed).await.status, 303);
    assert!(east.get(&record).await.says("媒体平台公开曝光"));
    // What a supervisor entered is not the committee's to take back; what it entered itself is, and both stay to be seen.
    let back = [("note", "登记错了")];
    assert_eq!(enter(&mut east, &record, "taken-back", &back).await.status, 422);
    assert_eq!(enter(&mut over, &record, "taken-back", &[("note", "")]).await.status, 422);
    assert_eq!(enter(&mut over, &record, "taken-back", &back).await.status, 303);
    assert_eq!(enter(&mut east, &record, "taken-back", &back).await.status, 303);
    let page = east.get(&record).await;
    assert!(page.says("<del>媒体平台公开曝光</del>") && page.says("<del>发函给某银行辽宁省分行</del>"));
    assert_eq!(enter(&mut east, &record, "taken-back", &back).await.status, 303);
    assert!(east.get(&record).await.says("已撤回"));
    assert_eq!(enter(&mut east, &record, "letter-sent", &sent).await.status, 422, "it is over");
    assert!(east.get("/demands/figures").await.says("这一年没有记录"));
}

#[tokio::test]
async fn a_committee_sees_its_own_records_and_a_supervisor_everybodys() {
    let scene = Scene::new().await;
    let (mut east, mut west, mut over) =
        (scene.signed_in("east").await, scene.signed_in("west").await, scene.signed_in("over").await);
    let of_east = record(&mut east, "kinship", &[]).await;
    record(&mut west, "birth", &[("agency", "西边某小学")]).await;
    for path in ["", "/letter", "/letter-sent", "/taken-back"] {
        assert_eq!(west.get(&format!("{of_east}{path}")).await.status, 404, "{path}");
    }
    let page = east.get(&format!("{of_east}/letter-sent")).await;
    let typed = [("to", "某银行辽宁省分行"), ("on", TODAY)];
    let stolen = west.submit(&page, &format!("{of_east}/letter-sent"), &typed).await;
    assert_ne!(stolen.status, 303, "the form's token is another's");
    assert!(!west.get("/demands").await.says("某银行沈阳和平支行"));
    assert!(!west.get("/demands?committee=east").await.says("某银行沈阳和平支行"), "the filter opens nothing");
    assert!(!west.get("/demands/new?matter=alive").await.says("某银行沈阳和平支行"), "nor do suggestions");
    assert!(!west.get("/demands/list.csv?committee=east").await.says("某银行沈阳和平支行"));
    let all = over.get("/demands").await;
    assert!(all.says("某银行沈阳和平支行") && all.says("西边某小学") && all.says("东街社区居民委员会"));
    let one = over.get("/demands?committee=east").await;
    assert!(one.says("某银行沈阳和平支行") && !one.says("<td>西边某小学"));
    assert_eq!(over.get(&of_east).await.status, 200);
    // A supervisor records nothing, an operator sees nothing, and whoever has not signed in signs in first.
    assert_eq!(over.get("/demands/new?matter=alive").await.status, 403);
    let mut ops = scene.signed_in("ops").await;
    for path in ["/demands", "/demands/figures", "/demands/list.csv", &of_east] {
        assert_eq!(ops.get(path).await.status, 403, "{path}");
    }
    let mut nobody = scene.browser();
    assert_eq!(nobody.get(&of_east).await.status, 303);
}

#[tokio::test]
async fn a_form_makes_one_record_however_often_it_is_sent() {
    let mut scene = Scene::new().await;
    let mut east = scene.signed_in("east").await;
    let page = east.get("/demands/new?matter=kinship").await;
    let typed = filled(&[]);
    let (mut first, mut second) = (east.clone(), east.clone());
    let (one, other) = tokio::join!(first.submit(&page, "/demands", &typed), second.submit(&page, "/demands", &typed));
    assert_eq!((one.status, one.location()), (303, other.location()));
    let record = one.location().to_owned();
    let place = format!("{record}/letter-sent");
    let step = east.get(&place).await;
    let sent = [("to", "某银行辽宁省分行"), ("on", TODAY)];
    for _ in 0..2 {
        assert_eq!(east.submit(&step, &place, &sent).await.location(), record);
    }
    // A page that was open since before: somebody has entered a step meanwhile.
    let stale = east.submit(&step, &place, &[("form", "another"), ("to", "某银行总行"), ("on", TODAY)]).await;
    assert!(stale.status == 303 || stale.says("刚才有人登记了别的一步"));
    assert_eq!(east.get(&record).await.text.matches("发函给").count(), 1);

    scene.restart();
    let mut east = scene.signed_in("east").await;
    let list = east.get("/demands").await;
    assert!(list.says("共 1 条记录") && list.says("已发函"));
    assert!(east.get(&record).await.says("发函给某银行辽宁省分行"));
}

#[tokio::test]
async fn the_letter_says_what_was_demanded_and_names_no_resident() {
    let scene = Scene::new().await;
    let mut east = scene.signed_in("east").await;
    let known = record(&mut east, "kinship", &[("note", "居民跑了三趟，身份证11010519491231002X也不认")]).await;
    let letter = east.get(&format!("{known}/letter")).await;
    for said in [
        "某银行辽宁省分行",
        "亲属关系证明",
        "某银行沈阳和平支行",
        "第1项，办事途径",
        "三、有关工作要求（二）",
        "东街社区居民委员会",
        "2026-0001",
    ] {
        assert!(letter.says(said), "{said}");
    }
    assert!(!letter.says("跑了三趟") && !letter.says("11010519491231002X"));
    // Where the authority is not known, it is asked for, and stands in no address.
    let unknown = record(&mut east, "unlisted", &[("superior", "")]).await;
    let place = format!("{unknown}/letter");
    let asked = east.get(&place).await;
    assert!(asked.says("还不知道上级主管部门") && asked.says("没有法律法规依据的证明"));
    assert_eq!(east.submit(&asked, &place, &[("to", "")]).await.status, 422);
    let addressed = east.submit(&asked, &place, &[("to", "沈阳市教育局")]).await;
    assert!(addressed.status == 200 && addressed.says("沈阳市教育局："));
    // The same as a PDF.
    for (page, place) in [(&letter, &known), (&addressed, &unknown)] {
        let pdf = east.submit(page, &format!("{place}/letter.pdf"), &[]).await;
        assert_eq!((pdf.status, pdf.header("content-type")), (200, "application/pdf"));
    }
    let place = format!("{known}/letter.pdf");
    let hidden = letter.form(&place).with(&[]);
    let forged = hidden.iter().map(|(name, value)| (name.as_str(), if name == "to" { "张三" } else { value.as_str() }));
    let forged = east.post(&place, &forged.collect::<Vec<_>>()).await;
    assert_eq!(forged.status, 400);
}

#[tokio::test]
async fn records_go_when_their_time_is_over_and_figures_stay() {
    let mut scene = Scene::new().await;
    let mut east = scene.signed_in("east").await;
    let old = record(&mut east, "kinship", &[]).await;
    scene.clock.advance(Duration::from_hours(24 * 366 * 5));
    let mut east = scene.signed_in("east").await;
    let on = scene.today();
    let new = record(&mut east, "alive", &[("on", &on)]).await;
    // It is looked for them when the gateway starts, and every hour.
    scene.restart();
    let mut east = scene.signed_in("east").await;
    let gone = async || {
        let mut east = scene.signed_in("east").await;
        east.get(&old).await.status == 404
    };
    for _ in 0..200 {
        if gone().await {
            break;
        }
        tokio::task::yield_now().await;
    }
    assert!(gone().await, "five years are over");
    assert_eq!(east.get(&new).await.status, 200);
    let figures = east.get("/demands/figures?year=2026").await;
    assert!(figures.says("某银行沈阳和平支行") && figures.says("第1项 亲属关系证明"));
    assert!(east.get("/demands/figures.csv?year=2026").await.says("2026,11,某银行沈阳和平支行,第1项 亲属关系证明,1"));
}
