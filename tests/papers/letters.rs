use heyan::demands::{AgencyName, Number, Said};
use heyan::domain::ClosedList as _;
use heyan::papers::{Language, Letter};
use heyan::rights::Agency;
use jiff::civil::date;

use super::reading::{Paper, squeezed};
use super::{CATALOG, at};

fn name(text: &str) -> AgencyName {
    text.to_owned().try_into().unwrap()
}

fn committee(name: &str) -> Agency {
    let id = heyan::domain::AgencyId("huangsi".parse().unwrap());
    Agency { id, name: name.to_owned(), grants: Vec::new(), has_callback: false }
}

#[test]
fn a_letter_says_what_was_demanded_and_quotes_what_that_goes_against() {
    let (to, agency) = (name("沈阳市住房和城乡建设局"), name("沈阳市住房公积金管理中心和平管理部"));
    let committee = committee("沈阳市和平区北市场街道皇寺社区居民委员会");
    let matter = CATALOG.matter("marital-status");
    let letter = Letter {
        language: Language::Chinese,
        number: Number { year: 2026, sequence: 7 },
        to: Some(&to),
        agency: &agency,
        on: date(2026, 11, 20),
        matter,
        said: Said::SystemAsks,
        committee: &committee,
        at: at(),
    };
    let paper = Paper::new("letter", &letter.paper().pdf().unwrap());
    let text = paper.text();
    for expected in [
        "关于纠正索要不合理证明的函",
        "2026-0007",
        "沈阳市住房和城乡建设局：",
        "2026年11月20日，沈阳市住房公积金管理中心和平管理部要求居民",
        "“婚姻状况证明”",
        "称其系统或者材料清单要求提供",
        "第8项",
        "（二）",
        "要求开具证明单位的上级主管部门应及时予以纠正。",
        "皇寺社区居民委员会",
        "2026年11月23日",
        "本函不含居民个人信息。",
    ] {
        assert!(text.contains(expected), "{expected} is not in {text}");
    }
    assert!(text.contains(&squeezed(&matter.unwrap().text.route)), "{text}");
    assert!(paper.is_sound() && paper.structure().contains("BlockQuote"));
    let unlisted = Letter { matter: None, ..letter };
    let text = Paper::new("letter-unlisted", &unlisted.paper().pdf().unwrap()).text();
    assert!(text.contains("基层群众性自治组织不予出具。") && !text.contains("婚姻"), "{text}");
}

#[test]
fn a_letter_accuses_nobody_of_what_the_record_does_not_say() {
    let (agency, committee) = (name("某某银行和平支行"), committee("皇寺社区居民委员会"));
    let letter = |said, language| Letter {
        language,
        number: Number { year: 2026, sequence: 7 },
        to: None,
        agency: &agency,
        on: date(2026, 11, 20),
        matter: None,
        said,
        committee: &committee,
        at: at(),
    };
    let text = |said| Paper::new("letter-said", &letter(said, Language::Chinese).paper().pdf().unwrap()).text();
    assert!(text(Said::NoReason).contains("没有说明法律依据"));
    let other = text(Said::Other);
    assert!(!other.contains("没有说明") && !other.contains('称'), "{other}");
    let named = text(Said::LawDoesNotAsk);
    assert!(named.contains("说了依据，但所说的依据没有要求由我处出具") && !named.contains("没有说明"), "{named}");
    let english = Paper::new("letter-said-en", &letter(Said::Other, Language::English).paper().pdf().unwrap()).text();
    assert!(!english.contains("Itnamed") && !english.contains("It named"), "{english}");
}

#[test]
fn every_letter_is_one_page() {
    let longest = "沈阳市".repeat(19) + "管理局";
    let (to, agency, committee) = (name(&longest), name(&longest), committee(&longest));
    for language in [Language::Chinese, Language::English] {
        let number = Number { year: 2026, sequence: 123_456 };
        let said = Said::ALL.iter().cycle();
        for (matter, said) in CATALOG.matters().iter().map(Some).chain([None]).zip(said) {
            let (to, agency, committee) = (Some(&to), &agency, &committee);
            let on = date(2026, 11, 20);
            let letter = Letter { language, number, to, agency, on, matter, said: *said, committee, at: at() };
            let id = matter.map_or("none", |matter| matter.id.as_str());
            let bytes = letter.paper().pdf().unwrap();
            let paper = Paper::new(&format!("letter-{id}-{}", language.tag()), &bytes);
            assert!(paper.about().contains("Pages:           1") && bytes.len() < 100_000, "{id}");
            let text = paper.text();
            assert!(text.contains(&squeezed(&longest)), "{text}");
            assert!(matter.is_none_or(|matter| text.contains(&squeezed(&matter.text.route))), "{text}");
        }
    }
}
