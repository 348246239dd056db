use std::time::Duration;

use crate::browser::{Browser, Shown};
use crate::committees::TODAY;
use crate::scene::Scene;

/// Answers by which a committee may act, with a risk, in their order.
const ANSWERS: [(&str, &[(&str, &str)]); 10] = [
    ("need", &[("answer", "party-demands-it")]),
    ("papers", &[("answer", "no")]),
    ("duties", &[("answer", "yes")]),
    ("check", &[("answer", "referred")]),
    ("verified", &[("answer", "on-the-spot")]),
    ("scope", &[("answer", "everybody")]),
    ("risk", &[("answer", "possible")]),
    (
        "deliberation",
        &[
            ("resolved", "agreed"),
            ("on", "2026-11-20"),
            ("form_of", "council"),
            ("present", "２１人"),
            ("agreed", "15"),
            ("note", ""),
        ],
    ),
    ("precautions", &[("answer", "named-purpose"), ("answer", "named-end")]),
    ("signature", &[("signer", "赵建国"), ("office", "both"), ("approver", "赵建国"), ("keeper", "钱秀英")]),
];

/// Begins a checklist; where it is.
async fn begin(browser: &mut Browser, matter: &str) -> String {
    let page = browser.get(&format!("/deliberations/new?matter={matter}")).await;
    let shown = browser.submit(&page, "/deliberations", &[]).await;
    assert_eq!(shown.status, 303, "{}", shown.text);
    shown.location().strip_suffix("/need").unwrap().to_owned()
}

async fn answer(browser: &mut Browser, list: &str, question: &str, typed: &[(&str, &str)]) -> Shown {
    let place = format!("{list}/{question}");
    let page = browser.get(&place).await;
    assert_eq!(page.status, 200, "{place} leads to {}", page.location());
    browser.submit(&page, &place, typed).await
}

/// Answers everything, but for what is changed, until there is a conclusion; the page on which it stands.
async fn walk(browser: &mut Browser, matter: &str, changes: &[(&str, &[(&str, &str)])]) -> (String, Shown) {
    let list = begin(browser, matter).await;
    for (question, typed) in ANSWERS {
        let typed = changes.iter().find(|(other, _)| *other == question).map_or(typed, |(_, typed)| *typed);
        let shown = answer(browser, &list, question, typed).await;
        assert_eq!(shown.status, 303, "{question}: {}", shown.text);
        if shown.location().ends_with("/decide") {
            break;
        }
    }
    let look = browser.get(&format!("{list}/decide")).await;
    (list, look)
}

async fn decide(browser: &mut Browser, list: &str, look: &Shown) -> Shown {
    browser.submit(look, &format!("{list}/decide"), &[]).await
}

#[tokio::test]
async fn a_checklist_ends_in_a_record_with_its_reasons() {
    let mut scene = Scene::new().await;
    let mut east = scene.signed_in("east").await;
    let (list, look) = walk(&mut east, "business-premises", &[]).await;
    assert!(look.says("可以按过渡规定办理") && look.says("核对答案"));
    let (mut first, mut second) = (east.clone(), east.clone());
    let (one, other) = tokio::join!(decide(&mut first, &list, &look), decide(&mut second, &list, &look));
    assert_eq!((one.status, one.location(), other.location()), (303, list.as_str(), list.as_str()));
    let record = east.get(&list).await;
    for said in [
        "过渡期办理记录 2026-0001",
        "这是核对记录，不是证明",
        "由赵建国签字；赵建国批准用章，钱秀英用印并登记",
        "到了多少人：21；",
        "〔二（一）、三（四）〕",
        "经居民议事协商，到会的多数人同意",
    ] {
        assert!(record.says(said), "{said}: {}", record.text);
    }
    let pdf = east.submit(&record, &format!("{list}/record.pdf"), &[]).await;
    assert_eq!((pdf.status, pdf.header("content-type")), (200, "application/pdf"));
    let mut west = scene.signed_in("west").await;
    let other = west.submit(&record, &format!("{list}/record.pdf"), &[]).await;
    assert_ne!(other.header("content-type"), "application/pdf", "another committee's record is nowhere");
    // Going back, reloading and sending again do no harm once it is decided.
    for path in ["/need", "/signature", "/decide"] {
        assert_eq!(east.get(&format!("{list}{path}")).await.location(), list);
    }
    assert_eq!(decide(&mut east, &list, &look).await.location(), list);
    scene.restart();
    let mut east = scene.signed_in("east").await;
    assert!(east.get(&list).await.says("2026-0001") && east.get("/deliberations").await.says("可以办理"));
}

#[tokio::test]
async fn it_stops_where_the_rule_does() {
    let scene = Scene::new().await;
    let mut east = scene.signed_in("east").await;
    let check: fn(&'static str) -> Vec<(&'static str, &'static str)> = |finding| vec![("answer", finding)];
    for (question, typed, why, instead) in [
        ("need", check("neither"), "不属于规定说的两种情形", "记录一次不合理索要"),
        ("papers", check("yes"), "法定证件能够证明的，不再出具", "请居民出示证件"),
        ("duties", check("no"), "不属于村（居）民委员会自身职责", "给居民告知单"),
        ("check", check("confirmed"), "核验回执就够了", "把告知单和回执交给居民"),
        ("check", check("refuted"), "部门的记录与所说不符", "申请更正"),
        ("check", check("not-asked"), "部门可以核验，还没有核验", "先在本系统核验"),
        ("verified", check("could-not"), "没有能够核实", "给居民告知单"),
        ("precautions", check("none"), "可能有法律风险，还没有防范", "先做好防范准备"),
        ("deliberation", vec![("resolved", "left-open")], "还没有经过居民讨论", "先组织居民议事协商"),
        (
            "deliberation",
            vec![("resolved", "agreed"), ("on", TODAY), ("form_of", "assembly"), ("present", "20"), ("agreed", "10")],
            "同意的没有过半数",
            "把结果告诉居民",
        ),
    ] {
        // Where departments can be asked, nothing goes on without their answer.
        let matter = if question == "check" { "kinship" } else { "business-premises" };
        let (list, look) = walk(&mut east, matter, &[(question, &typed)]).await;
        assert!(look.says("不能办理") && look.says(why) && look.says(instead), "{question}: {}", look.text);
        assert_eq!(decide(&mut east, &list, &look).await.status, 303);
        assert!(east.get(&list).await.says(why), "a refusal is on record too");
    }
    // About a matter of which no department can be asked, nobody has to.
    let (_, look) = walk(&mut east, "business-premises", &[("check", &[("answer", "not-asked")])]).await;
    assert!(look.says("可以按过渡规定办理"));
}

#[tokio::test]
async fn answers_are_read_kindly_and_refused_plainly() {
    let scene = Scene::new().await;
    let mut east = scene.signed_in("east").await;
    let list = begin(&mut east, "business-premises").await;
    for question in ["papers", "signature", "decide"] {
        assert_eq!(east.get(&format!("{list}/{question}")).await.location(), format!("{list}/need"), "not yet");
    }
    for (question, typed) in ANSWERS {
        for wrong in [vec![], vec![("answer", "<b>nothing")], vec![("answer", ""), ("resolved", "x"), ("signer", "")]] {
            let shown = answer(&mut east, &list, question, &wrong).await;
            assert!(shown.status == 422 && shown.says("field-wrong") && !shown.says("<b>nothing"), "{question}");
        }
        assert_eq!(answer(&mut east, &list, question, typed).await.status, 303, "{question}");
    }
    let meeting = ANSWERS[7].1;
    for (name, typed, wrong) in [
        ("present", "很多", "请填写到了多少人"),
        ("present", "-1", "请填写到了多少人"),
        ("agreed", "99999999999", "请填写多少人同意"),
        ("agreed", "22", "同意的人数比到会的人数多"),
        ("on", "2026-11-24", "日期还没有到"),
        ("note", "张三先生不同意", "这里好像写了人名"),
    ] {
        let typed: Vec<_> =
            meeting.iter().map(|(field, value)| (*field, if *field == name { typed } else { value })).collect();
        let shown = answer(&mut east, &list, "deliberation", &typed).await;
        assert!(shown.status == 422 && shown.says(wrong), "{wrong}");
    }
    let signature = ANSWERS[9].1;
    for (name, typed, wrong) in [
        ("keeper", "赵建国", "不能是同一个人"),
        ("keeper", "赵 建国", "不能是同一个人"),
        ("signer", "<b>", "姓名里有不能用的符号"),
        ("signer", "11010519491231002X", "姓名里有不能用的符号"),
        ("office", "国王", "请选择签字的人的职务"),
        ("approver", "", "请填写批准用章的人的姓名"),
    ] {
        let typed: Vec<_> =
            signature.iter().map(|(field, value)| (*field, if *field == name { typed } else { value })).collect();
        let shown = answer(&mut east, &list, "signature", &typed).await;
        assert!(shown.status == 422 && shown.says(wrong), "{wrong}");
    }
    // Where several fields are empty, the summary tells them apart.
    for (question, told) in [
        (
            "signature",
            [
                "请填写签字的负责人的姓名",
                "请填写批准用章的人的姓名",
                "请填写保管印章的人的姓名",
                "请选择签字的人的职务",
            ],
        ),
        ("deliberation", ["请选择最后怎么定的", "请选择用什么形式开的", "请填写到了多少人", "请填写多少人同意"]),
    ] {
        let shown = answer(&mut east, &list, question, &[]).await;
        let summary = shown.text.split("class=\"summary\"").nth(1).unwrap().split("</div>").next().unwrap();
        assert!(summary.contains("有几处需要改正") && told.iter().all(|told| summary.contains(told)), "{summary}");
    }
    let shown = answer(&mut east, &list, "need", &[]).await;
    assert!(shown.says("有一处需要改正") && shown.says("请选择“居民为什么还需要这个证明”"), "{}", shown.text);
    let both = [("answer", "none"), ("answer", "named-end")];
    assert!(answer(&mut east, &list, "precautions", &both).await.says("就不要再选别的"));
    // An answer that is changed in another tab is looked at again before it becomes a record.
    let look = east.get(&format!("{list}/decide")).await;
    assert_eq!(answer(&mut east, &list, "need", &[("answer", "measures-do-not-connect")]).await.status, 303);
    let again = decide(&mut east, &list, &look).await;
    assert!(again.status == 200 && again.says("政策措施还没有衔接好"));
}

#[tokio::test]
async fn a_checklist_is_its_workers_and_goes_after_a_day() {
    let mut scene = Scene::new().await;
    let (mut east, mut west, mut over) =
        (scene.signed_in("east").await, scene.signed_in("west").await, scene.signed_in("over").await);
    let list = begin(&mut east, "kinship").await;
    assert_eq!(west.get(&format!("{list}/need")).await.status, 404);
    assert_eq!(over.get(&format!("{list}/need")).await.status, 403);
    assert_eq!(west.get(&list).await.status, 404);
    let open = east.get(&format!("{list}/need")).await;
    scene.clock.advance(Duration::from_hours(25));
    scene.restart();
    let mut east = scene.signed_in("east").await;
    let mut gone = east.get(&format!("{list}/need")).await;
    for _ in 0..200 {
        if gone.status == 404 {
            break;
        }
        gone = east.get(&format!("{list}/need")).await;
    }
    assert!(gone.status == 404 && gone.says("这次核对已经不在了"), "{}", gone.text);
    assert_ne!(east.submit(&open, &format!("{list}/need"), &[("answer", "neither")]).await.status, 303);
}

#[tokio::test]
async fn a_supervisor_reviews_and_nobody_else_does() {
    let scene = Scene::new().await;
    let (mut east, mut west, mut over) =
        (scene.signed_in("east").await, scene.signed_in("west").await, scene.signed_in("over").await);
    let (list, look) = walk(&mut east, "kinship", &[("papers", &[("answer", "yes")])]).await;
    decide(&mut east, &list, &look).await;
    assert_eq!(west.get(&list).await.status, 404);
    assert!(!west.get("/deliberations").await.says(&list) && over.get("/deliberations").await.says(&list));
    let place = format!("{list}/review");
    let page = over.get(&list).await;
    assert_eq!(over.submit(&page, &place, &[]).await.status, 422);
    assert_eq!(over.submit(&page, &place, &[("verdict", "objection"), ("note", "")]).await.status, 422);
    let objection = [("verdict", "objection"), ("note", "居民没有证件，请重新核对")];
    for _ in 0..2 {
        assert_eq!(over.submit(&page, &place, &objection).await.location(), list);
    }
    let page = east.get(&list).await;
    assert_eq!(page.text.matches("居民没有证件，请重新核对").count(), 1);
    assert!(!page.says("/review\"") && east.get("/deliberations").await.says("有异议"));
    let hidden = over.get(&list).await.form(&place).with(&[]);
    let forged: Vec<(&str, &str)> = hidden.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_ne!(east.post(&place, &forged).await.status, 303);
}

#[tokio::test]
async fn a_check_is_linked_by_its_id_and_an_unknown_one_is_asked_for() {
    let scene = Scene::new().await;
    let mut east = scene.signed_in("east").await;
    let unknown = "0193d0a1-0000-7000-8000-000000000000";
    let page = east.get(&format!("/deliberations/new?matter=kinship&check={unknown}")).await;
    assert!(page.says(unknown));
    let list = east.submit(&page, "/deliberations", &[]).await.location().strip_suffix("/need").unwrap().to_owned();
    for (question, typed) in &ANSWERS[..3] {
        assert_eq!(answer(&mut east, &list, question, typed).await.status, 303);
    }
    let asked = east.get(&format!("{list}/check")).await;
    assert!(asked.says("还没有核验") && !asked.says("已关联核验"), "nothing is known of it");
    let nonsense = east.get("/deliberations/new?matter=kinship&check=%3Cb%3E").await;
    assert!(nonsense.status == 200 && !nonsense.says("<b>"));
}

#[tokio::test]
async fn what_departments_said_is_not_chosen_from_a_list() {
    let scene = Scene::new().await;
    let mut east = scene.signed_in("east").await;
    let list = begin(&mut east, "kinship").await;
    for (question, typed) in &ANSWERS[..3] {
        assert_eq!(answer(&mut east, &list, question, typed).await.status, 303);
    }
    let page = east.get(&format!("{list}/check")).await;
    assert!(page.says("还没有核验") && page.says("先核验，再从核验结果的页面进来"), "{}", page.text);
    assert!(page.says("href=\"/matters/kinship\""), "the way to the check: {}", page.text);
    for finding in ["no-record", "referred", "unavailable", "mismatch", "conflict"] {
        assert!(!page.says(&format!("value=\"{finding}\"")), "{finding} is no choice");
        let shown = answer(&mut east, &list, "check", &[("answer", finding)]).await;
        assert!(shown.status == 422 && shown.says("要由系统读取"), "{finding}: {}", shown.text);
    }
    assert_eq!(east.get(&format!("{list}/verified")).await.location(), format!("{list}/check"), "nothing was taken");
}

#[tokio::test]
async fn what_departments_hold_is_not_approved_by_clicks_and_no_risk_says_why() {
    let scene = Scene::new().await;
    let mut east = scene.signed_in("east").await;
    for matter in ["property", "marital-status", "identity"] {
        let (_, look) = walk(&mut east, matter, &[]).await;
        let said = look.says("不能办理") && look.says("答的是“属于自己的职责”") && !look.says("可以按过渡规定办理");
        assert!(said, "{matter}: {}", look.text);
    }
    let list = begin(&mut east, "business-premises").await;
    for (question, typed) in ANSWERS.iter().take_while(|(question, _)| *question != "risk") {
        let typed: &[_] = if *question == "scope" { &[("answer", "resident")] } else { typed };
        answer(&mut east, &list, question, typed).await;
    }
    let silent = answer(&mut east, &list, "risk", &[("answer", "none-seen")]).await;
    assert!(silent.status == 422 && silent.says("请简单写一写为什么"), "{}", silent.text);
    let told = answer(&mut east, &list, "risk", &[("answer", "none-seen"), ("because", "只写现场看到的")]).await;
    assert_eq!(told.location(), format!("{list}/signature"));
}

#[tokio::test]
async fn what_the_annex_gives_to_others_is_no_committees_duty() {
    let scene = Scene::new().await;
    let mut east = scene.signed_in("east").await;
    for (matter, why, instead) in [
        ("no-criminal-record", "这件事归公安部门、国家安全部门、司法行政部门管", "请居民到公安部门"),
        ("illness", "这件事归医疗卫生机构", "给居民告知单"),
        ("dog-keeping", "办这件事不用村（居）民委员会的证明，由公安部门直接办理", "给居民告知单"),
    ] {
        let (list, look) = walk(&mut east, matter, &[]).await;
        let said = look.says("不能办理") && look.says(why) && look.says(instead);
        assert!(said && !look.says("可以按过渡规定办理"), "{matter}: {}", look.text);
        assert_eq!(decide(&mut east, &list, &look).await.status, 303);
        assert!(east.get(&list).await.says(why), "{matter}: the record says who is in charge");
    }
}
