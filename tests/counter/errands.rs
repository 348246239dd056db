//! The ten commonest errands, from what was demanded to the notice.

use serde_json::Value;

use crate::client::client;
use crate::demo::Demo;
use crate::tab::Tab;

/// Goes from the first page to the answer to a demand.
async fn demanded(town: &Demo, text: &str, by: &str) -> Tab {
    let mut browser = town.worker().await;
    assert_eq!(browser.path, "/", "a worker begins there");
    browser.submit("/", &[("text", text), ("by", by), ("basis", "")]).await;
    assert_eq!(browser.page.status, 200, "{}", browser.page.text);
    assert!(browser.text().contains(by), "{}", browser.text());
    browser
}

/// Answers one question after another as a question of the API has it, up to the page that shows everything once more.
pub(crate) async fn fill_in(browser: &mut Tab, question: &Value) {
    let matters =
        client().get(format!("{}/v1/matters", browser.browser.base)).send().await.unwrap().text().await.unwrap();
    let matters: Value = serde_json::from_str(&matters).unwrap();
    let find = |all: &Value, id: &Value| all.as_array().unwrap().iter().find(|one| one["id"] == *id).unwrap().clone();
    let claim = find(&find(&matters["matters"], &question["matter"])["claims"], &question["claim"]);
    let mut people =
        claim["roles"].as_array().unwrap().iter().map(|role| &question["subjects"][role.as_str().unwrap()]);
    let mut parameters = claim["parameters"].as_array().unwrap().iter().map(|parameter| {
        let value = &question["parameters"][parameter["name"].as_str().unwrap()];
        value.as_str().map_or_else(|| if value.is_null() { String::new() } else { value.to_string() }, str::to_owned)
    });
    while !browser.path.ends_with("/review") {
        let form = browser.step();
        if form.has("number") {
            let person = people.next().unwrap();
            let (name, number) = (person["name"].as_str().unwrap(), person["id_number"].as_str().unwrap());
            browser.send(&form, &[("name", name), ("number", number)]).await;
        } else if form.has("value") {
            browser.send(&form, &[("value", &parameters.next().unwrap())]).await;
        } else if form.has("purpose") {
            browser.send(&form, &[("purpose", question["purpose"].as_str().unwrap())]).await;
        } else {
            browser.send(&form, &[("basis", "consent"), ("law", "")]).await;
        }
        assert_eq!(browser.page.status, 200, "{}", browser.text());
    }
}

/// Begins a check on the page, fills it in and asks.
pub(crate) async fn check(browser: &mut Tab, question: &Value) {
    let claim = format!("{}/{}", question["matter"].as_str().unwrap(), question["claim"].as_str().unwrap());
    let form = browser.check(&claim).unwrap_or_else(|| panic!("{claim} cannot be checked: {}", browser.page.text));
    browser.send(&form, &[]).await;
    fill_in(browser, question).await;
    let path = browser.path.clone();
    browser.submit(&path, &[]).await;
}

/// From a demand over the check to the notice.
async fn errand(text: &str, case: &str, said: &str) {
    let town = Demo::shared();
    let question = town.sample(case).clone();
    let mut browser = demanded(&town, text, "某某银行").await;
    assert!(browser.heading().contains("不用开这个证明"), "{text}: {}", browser.heading());
    check(&mut browser, &question).await;
    assert!(browser.path.starts_with("/results/"), "{}: {}", browser.path, browser.text());
    assert_eq!(browser.heading(), said, "{text}: {}", browser.text());
    assert!(browser.text().contains("回执编号"), "{}", browser.text());
    let notice = browser.links().into_iter().find(|link| link.ends_with("/notice")).unwrap();
    browser.go(&notice).await;
    let paper = browser.text();
    for part in
        ["告知单", "不是证明", "某某银行", text, "结果：属实", "回执编号", "演示社区居民委员会", "辽民发〔2020〕52号"]
    {
        assert!(paper.contains(part), "{text}: the notice lacks {part}: {paper}");
    }
    for person in question["subjects"].as_object().unwrap().values() {
        let (name, number) = (person["name"].as_str().unwrap(), person["id_number"].as_str().unwrap());
        assert!(paper.contains(name) && !paper.contains(number), "{paper}");
        assert!(browser.asked.iter().all(|path| !path.contains(name) && !path.contains(number)));
    }
    assert!(browser.asked.iter().all(|path| path.is_ascii()), "{:?}", browser.asked);
    assert!(browser.page.text.contains("<svg class=\"paper-qr\""), "whoever has a camera checks it with that");
    browser.submit(&format!("{notice}.pdf"), &[]).await;
    assert!(browser.page.status == 200 && browser.page.text.starts_with("%PDF-"), "{text}: {}", browser.path);
    // What is listed is nobody's.
    browser.go("/results").await;
    for person in question["subjects"].as_object().unwrap().values() {
        assert!(!browser.page.text.contains(person["name"].as_str().unwrap()));
    }
}

#[tokio::test]
async fn they_are_married() {
    errand("公积金中心让开婚姻关系证明", "夫妻", "核验属实").await;
}

#[tokio::test]
async fn my_mother_is_my_mother() {
    errand("要证明我妈是我妈", "户口在祖父母家的孩子与父母", "核验属实").await;
}

#[tokio::test]
async fn an_old_person_is_alive() {
    errand("证明老人还活着", "健在", "核验属实").await;
}

#[tokio::test]
async fn somebody_died_and_there_is_a_subsidy() {
    errand("领丧葬费要死亡证明", "去世", "核验属实").await;
}

#[tokio::test]
async fn somebody_is_registered_here() {
    errand("户籍证明", "户籍在辽宁省", "核验属实").await;
}

#[tokio::test]
async fn somebody_is_single() {
    errand("单身证明", "从未结婚", "核验属实").await;
}

#[tokio::test]
async fn they_are_related_and_born_before_1996() {
    errand("亲属关系证明", "1996 年以前出生的人与父母", "核验属实").await;
}

#[tokio::test]
async fn a_name_has_a_rare_character() {
    errand("姓名和身份证对不上的证明", "生僻字姓名", "核验属实").await;
}

#[tokio::test]
async fn what_nobody_is_connected_for_is_told_before_anything_is_typed() {
    let town = Demo::shared();
    let mut browser = demanded(&town, "要开名下无房证明", "房管所").await;
    let said = browser.text();
    assert!(browser.check("property/owns-real-estate").is_none());
    for part in ["这个部门的系统还没有连上", "不动产权属证书", "不动产登记机构", "法律援助情况除外"]
    {
        assert!(said.contains(part), "{part}: {said}");
    }
    let notice = browser.links().into_iter().find(|link| link.contains("/notice")).unwrap();
    browser.go(&notice).await;
    let paper = browser.text();
    for part in ["不是证明", "要开名下无房证明", "房管所", "不动产登记机构", "附件第17项"] {
        assert!(paper.contains(part), "{part}: {paper}");
    }
}

#[tokio::test]
async fn what_may_be_an_exception_is_settled_before_anybody_is_accused() {
    let town = Demo::shared();
    for (text, by, exception) in
        [("要经济困难证明", "市法律援助中心", "法律援助情况除外"), ("亲属关系证明", "公证处", "公证办理情况除外")]
    {
        let mut browser = demanded(&town, text, by).await;
        assert_eq!(browser.heading(), "这可能是文件写明的例外，先问清楚");
        let said = browser.text();
        assert!(said.contains(exception) && !said.contains("不能让居民来开证明"), "{said}");
        browser.submit("/demands/new", &[]).await;
        assert!(browser.text().contains("这次属于文件写明的例外吗"), "{}", browser.text());
    }
    let usual = demanded(&town, "亲属关系证明", "某银行").await;
    assert!(usual.heading().starts_with("不用开"), "{}", usual.heading());
}

#[tokio::test]
async fn a_lost_document_is_reissued_without_a_certificate() {
    let town = Demo::shared();
    let mut browser = demanded(&town, "身份证丢了要遗失证明", "派出所").await;
    assert!(browser.heading().contains("直接去办"), "{}", browser.heading());
    let said = browser.text();
    assert!(said.contains("丢了什么，找谁补办") && !said.contains("这些证件可以用"), "{said}");
    for part in ["居民身份证", "公安派出所", "天然气卡", "燃气经营企业", "老年人优待证", "《出生医学证明》"]
    {
        assert!(said.contains(part), "{part}: {said}");
    }
    let notice = browser.links().into_iter().find(|link| link.contains("/notice")).unwrap();
    browser.go(&notice).await;
    assert!(browser.text().contains("燃气经营企业"));
}

#[tokio::test]
async fn what_committees_still_issue_has_its_guide() {
    let town = Demo::shared();
    let browser = demanded(&town, "法院要社区推荐公民当诉讼代理人的推荐信", "").await;
    assert_eq!(browser.heading(), "这个可以开");
    assert!(browser.text().contains("第六十一条第二款第三项") && browser.text().contains("推 荐 信"));
}

#[tokio::test]
async fn what_has_no_basis_has_a_notice_that_asks_for_it() {
    let town = Demo::shared();
    let mut browser = demanded(&town, "要开一个天气很好的证明", "某公司").await;
    assert_eq!(browser.heading(), "没有依据，先请对方说明依据");
    assert!(browser.text().contains("说不出依据的") && browser.links().iter().any(|link| link == "/#all"));
    let notice = browser.links().into_iter().find(|link| link.ends_with("/notice")).unwrap();
    browser.go(&notice).await;
    let paper = browser.text();
    for part in ["不是证明", "天气很好", "某公司", "请要求单位写明", "第几条", "应当同时提供", "应及时予以纠正"]
    {
        assert!(paper.contains(part), "{part}: {paper}");
    }
    browser.submit(&format!("{notice}.pdf"), &[]).await;
    assert!(browser.page.status == 200 && browser.page.text.starts_with("%PDF-"), "{}", browser.path);
    assert!(browser.asked.iter().all(|path| path.is_ascii()), "{:?}", browser.asked);
}

#[tokio::test]
async fn what_is_not_understood_is_not_called_a_certificate_without_basis() {
    let town = Demo::shared();
    for noise in ["你好", "😀😀", "婚"] {
        let browser = demanded(&town, noise, "").await;
        assert_eq!(browser.heading(), "没有找到这个证明，换个说法再找一次", "{noise}");
        assert!(!browser.text().contains("没有依据") && browser.links().iter().any(|link| link == "/#all"), "{noise}");
    }
    for unlisted in ["收养证明", "社区盖章"] {
        let browser = demanded(&town, unlisted, "").await;
        assert_eq!(browser.heading(), "没有依据，先请对方说明依据", "{unlisted}");
    }
    let mut browser = town.worker().await;
    let typed = [("text", "监护证明"), ("by", ""), ("basis", "民法典第三十一条")];
    browser.submit("/", &typed).await;
    assert_eq!(browser.heading(), "对方说了依据，先核对这一条");
    let said = browser.text();
    assert!(
        said.contains("民法典第三十一条") && said.contains("找到这一条的原文") && !said.contains("说不出依据的"),
        "{said}"
    );
}

/// What was typed at the counter is not typed again to record the demand, and stands in no address.
#[tokio::test]
async fn one_click_records_a_demand_with_what_was_typed_of_it() {
    let town = Demo::shared();
    for (text, subject) in [("银行要证明我妈是我妈", "亲属关系证明"), ("要开一个天气很好的证明", "其他没有依据的证明")]
    {
        let mut browser = demanded(&town, text, "某某银行沈阳和平支行").await;
        browser.submit("/demands/new", &[]).await;
        let form = browser.page.form("/demands");
        assert_eq!(form.value("agency"), "某某银行沈阳和平支行");
        assert!(browser.text().contains(subject) && browser.path == "/demands/new", "{}", browser.text());
        assert!(browser.asked.iter().all(|path| path.is_ascii()), "{:?}", browser.asked);
    }
}

/// What is said of a matter says no more and no less than the annex.
#[tokio::test]
async fn the_annex_is_not_softened() {
    let town = Demo::shared();
    let mut browser = town.worker().await;
    assert!(browser.text().contains("不用居委会、村委会开证明") && !browser.text().contains("什么证明都不用"));
    for (matter, said) in [
        ("dog-keeping", "养犬居民应当自行征求利害关系人的同意，并提供相关证明材料。"),
        ("kinship", "公安派出所在核实后应当出具。"),
    ] {
        browser.go(&format!("/matters/{matter}")).await;
        assert!(browser.text().contains(said), "{matter}: {}", browser.text());
    }
}

/// Every matter of the annex has its answer, and nothing on it leads to nowhere but what other areas have yet to bring.
#[tokio::test]
async fn every_matter_has_its_page() {
    let town = Demo::shared();
    let mut browser = town.worker().await;
    let matters: Vec<String> = browser.links().into_iter().filter(|link| link.starts_with("/matters/")).collect();
    assert_eq!(matters.len(), 20);
    for matter in matters {
        browser.go(&matter).await;
        assert_eq!(browser.page.status, 200, "{matter}");
        assert!(browser.heading().contains('不') || browser.heading().contains("直接去办"), "{}", browser.heading());
        browser.go(&format!("{matter}/notice")).await;
        assert_eq!(browser.page.status, 200, "{matter}");
    }
}
