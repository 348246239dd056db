use heyan::domain::{IdNumber, Outcome, PersonName};
use heyan::papers::{Advice, Block, Checked, Demand, Language, Notice, Slip, Subject};

use super::reading::{Paper, drawn, squeezed};
use super::{CATALOG, at, code};

const PAGE: &str = "https://heyan.example.gov.cn/check";

fn slip() -> Slip<'static> {
    Slip { code: code(), until: "2026-12-23T08:30:00Z".parse().unwrap(), check_page: PAGE }
}

fn finding<'a>(people: &'a [Subject<'a>], outcome: Outcome) -> Checked<'a> {
    let details = &[("日期", "2026年11月23日")];
    Checked {
        claim: "两人在该日是夫妻", details, people, outcome, as_of: at(), again: None, slip: Some(slip())
    }
}

fn notice<'a>(language: Language, matter: &str, finding: Option<Checked<'a>>, advises: bool) -> Notice<'a> {
    let matter = CATALOG.matter(matter).unwrap();
    let purpose = Some("住房公积金提取");
    Notice {
        language,
        demand: Demand {
            matter: Some(matter),
            said: Some("单身证明"),
            by: Some("沈阳市公积金管理中心"),
            purpose,
            basis: None,
        },
        checked: finding,
        advice: advises.then(|| Advice::of(matter, language)),
        committee: "沈阳市和平区北市场街道皇寺社区居民委员会",
        officer: "wang-li",
        at: at(),
    }
}

#[test]
fn every_field_is_read_back() {
    let names: [PersonName; 2] = ["𠮷𬱖㛃".parse().unwrap(), "阿卜杜拉·买买提".parse().unwrap()];
    let number: IdNumber = "11010519491231002X".parse().unwrap();
    let people = [
        Subject { role: "本人", name: Some(&names[0]), id_number: Some(&number) },
        Subject { role: "配偶", name: Some(&names[1]), id_number: Some(&number) },
    ];
    let finding = finding(&people, Outcome::Confirmed);
    let bytes = notice(Language::Chinese, "marital-status", Some(finding), true).paper().pdf().unwrap();
    assert!(bytes.len() < 100_000, "{} bytes", bytes.len());
    let paper = Paper::new("every-field", &bytes);
    let text = paper.text();
    for expected in [
        "告知单",
        "本告知单不是证明。",
        "婚姻状况证明",
        "“单身证明”",
        "沈阳市公积金管理中心",
        "住房公积金提取",
        "两人在该日是夫妻",
        "2026年11月23日",
        "𠮷𬱖㛃",
        "阿卜杜拉·买买提",
        "1****************X",
        "结果：属实",
        "16:30",
        &code().to_string(),
        PAGE,
        "至2026年12月23日",
        "结婚证",
        "辽民发〔2020〕52号附件第8项",
        "本告知单不加盖印章",
        "沈阳市和平区北市场街道皇寺社区居民委员会",
        "经办人：wang-li",
    ] {
        assert!(text.contains(expected), "{expected} is not in {text}");
    }
    assert!(!text.contains(number.reveal()) && !text.contains("19491231"), "{text}");
    let about = paper.about();
    for expected in ["Title:           告知单 婚姻状况证明", "Pages:           1", "Tagged:          yes", "A4"]
    {
        assert!(about.contains(expected), "{expected} is not in {about}");
    }
    assert!(paper.is_sound());
}

#[test]
fn what_is_still_to_come_says_when_to_ask_for_it() {
    let pending =
        Checked { again: Some("2026-11-23T09:15:00Z".parse().unwrap()), slip: None, ..finding(&[], Outcome::Pending) };
    for (language, told) in [
        (
            Language::Chinese,
            [
                "还在办理",
                "还没有给出可以用的答复",
                "还没有核验回执",
                "2026年11月23日17:15再被询问一次",
                "两人在该日是夫妻",
            ],
        ),
        (
            Language::English,
            ["Not finished", "no answer yet", "no receipt", "17:15 (Beijing time)", "两人在该日是夫妻"],
        ),
    ] {
        let bytes = notice(language, "marital-status", Some(pending), true).paper().pdf().unwrap();
        let paper = Paper::new(&format!("pending-{}", language.tag()), &bytes);
        let text = paper.text();
        for part in told {
            assert!(text.contains(&squeezed(part)), "{part} is not in {text}");
        }
        let unknown = Checked { again: None, ..pending };
        let said = notice(language, "marital-status", Some(unknown), true).paper().pdf().unwrap();
        let said = Paper::new(&format!("pending-unknown-{}", language.tag()), &said).text();
        let ask = match language {
            Language::Chinese => "请过一会儿询问结果",
            Language::English => "Ask for the result in a while",
        };
        assert!(said.contains(&squeezed(ask)), "{said}");
        assert!(!text.contains("核验回执编号") && paper.qr_codes().is_empty(), "there is no receipt yet: {text}");
        assert!(paper.about().contains("Pages:           1") && paper.is_sound());
    }
}

#[test]
fn the_qr_code_leads_to_the_check_page_and_holds_nothing_but_the_code() {
    let bytes =
        notice(Language::Chinese, "alive", Some(finding(&[], Outcome::Confirmed)), false).paper().pdf().unwrap();
    let expected = format!("{PAGE}#{}", code().to_string().replace('-', ""));
    assert_eq!(Paper::new("qr", &bytes).qr_codes(), [expected]);
}

/// The page in the browser has the same code as the PDF.
#[test]
fn the_qr_code_of_the_page_is_read_back() {
    let paper = notice(Language::Chinese, "alive", Some(finding(&[], Outcome::Confirmed)), false).paper();
    let proof = paper.blocks().iter().find_map(|block| match block {
        Block::Result(finding) => finding.proof.as_ref(),
        _ => None,
    });
    let expected = format!("{PAGE}#{}", code().to_string().replace('-', ""));
    assert_eq!(drawn(proof.unwrap().qr.as_ref().unwrap()), [expected]);
}

#[test]
fn whoever_names_no_law_is_told_what_to_name() {
    for (basis, told) in [(None, "没有说明法律法规依据"), (Some("某管理办法"), "拿不准的，请街道（乡镇）民政部门答复")]
    {
        let mut notice = notice(Language::Chinese, "alive", None, false);
        notice.demand =
            Demand { said: Some("天气很好的证明"), by: Some("某公司"), basis, ..Demand::default() };
        notice.advice = Some(Advice::without_basis(CATALOG.policy(), Language::Chinese));
        let pdf = Paper::new(&format!("no-basis-{}", basis.is_some()), &notice.paper().pdf().unwrap());
        let text = pdf.text();
        for part in [
            told,
            "“天气很好的证明”",
            "某公司",
            "请要求单位写明",
            "第几条",
            "单位和经办人",
            "应当同时提供",
            "要予以通报",
        ] {
            assert!(text.contains(part), "{part} is not in {text}");
        }
        assert!(
            pdf.is_sound()
                && pdf.about().contains("Pages:           1")
                && basis.is_none_or(|basis| text.contains(basis))
        );
    }
    let mut notice = notice(Language::English, "alive", None, false);
    let words = "很长的话".repeat(100);
    notice.demand = Demand { said: Some(&words), by: Some(&words), basis: Some(&words), ..Demand::default() };
    notice.advice = Some(Advice::without_basis(CATALOG.policy(), Language::English));
    let pdf = Paper::new("no-basis-longest", &notice.paper().pdf().unwrap());
    assert!(pdf.is_sound() && pdf.about().contains("Pages:           1"));
}

/// What the page says the PDF says too, word for word.
#[test]
fn the_page_and_the_pdf_say_the_same() {
    let notice = notice(Language::Chinese, "lost-documents", Some(finding(&[], Outcome::NoRecord)), true);
    let paper = notice.paper();
    let text = Paper::new("same", &paper.pdf().unwrap()).text();
    for block in paper.blocks() {
        let said: Vec<&str> = match block {
            Block::Title(text) | Block::Panel(text) | Block::Heading(text) | Block::Text(_, text) => vec![text],
            Block::Quote { place, text } => vec![place, text],
            Block::Rows(rows) => rows.iter().flat_map(|(label, value)| [label.as_str(), value]).collect(),
            Block::Steps(lines) | Block::Signature(lines) => lines.iter().map(String::as_str).collect(),
            Block::Table { head, rows } => {
                // A long cell stands in several lines, beside those of the next one.
                let cells = rows.iter().flatten().filter(|cell| cell.chars().count() < 8);
                head.iter().chain(cells).map(String::as_str).collect()
            }
            Block::Result(finding) => vec![&finding.result],
        };
        for part in said {
            assert!(text.contains(&squeezed(part)), "{part} is not in {text}");
        }
    }
    assert!(text.contains(&squeezed(paper.footer())));
}

#[test]
fn every_matter_is_one_page_in_both_languages() {
    for language in [Language::Chinese, Language::English] {
        for matter in CATALOG.matters() {
            for (kind, finding) in [("advice", None), ("both", Some(finding(&[], Outcome::NoRecord)))] {
                let bytes = notice(language, matter.id.as_str(), finding, true).paper().pdf().unwrap();
                let paper = Paper::new(&format!("{}-{}-{kind}", matter.id, language.tag()), &bytes);
                let (about, text) = (paper.about(), paper.text());
                assert!(about.contains("Pages:           1"), "{about}");
                assert!(bytes.len() < 100_000, "{}: {} bytes", matter.id, bytes.len());
                assert!(text.contains(&squeezed(&matter.text.name)) && text.contains(&squeezed(&matter.text.citation)));
                let steps =
                    if language == Language::English { &matter.text.english.guidance } else { &matter.text.guidance };
                let documents = matter.text.documents.iter().flat_map(|one| [&one.name, &one.reissued_by]);
                for said in steps.iter().chain(&matter.text.exceptions).chain(&matter.text.authorities) {
                    assert!(text.contains(&squeezed(said)), "{}: {said} is not in {text}", matter.id);
                }
                for said in documents.filter(|said| said.chars().count() < 8) {
                    assert!(text.contains(&squeezed(said)), "{}: {said} is not in {text}", matter.id);
                }
            }
        }
    }
}

#[test]
fn the_longest_of_everything_is_one_page_still() {
    let long: PersonName = "阿".repeat(50).parse().unwrap();
    let rare: PersonName = "王\u{2A6A5}\u{E123}\u{2A6A6}李".repeat(10).parse().unwrap();
    let number: IdNumber = "11010519491231002X".parse().unwrap();
    let people = [
        Subject { role: "被继承人", name: Some(&long), id_number: Some(&number) },
        Subject { role: "继承人", name: Some(&rare), id_number: Some(&number) },
    ];
    let words = "很长的话".repeat(100);
    for language in [Language::Chinese, Language::English] {
        for matter in ["lost-documents", "property", "inheritance"] {
            let mut notice = notice(language, matter, Some(finding(&people, Outcome::Refuted)), true);
            (notice.demand.said, notice.demand.by, notice.committee) =
                (Some(words.as_str()), Some(words.as_str()), words.as_str());
            let bytes = notice.paper().pdf().unwrap();
            let paper = Paper::new(&format!("longest-{matter}-{}", language.tag()), &bytes);
            assert!(paper.about().contains("Pages:           1") && paper.is_sound());
            let text = paper.text();
            assert!(text.contains(&"阿".repeat(50)), "{text}");
            // What the typeface does not have is named, and whoever copies it gets the character.
            assert!(text.contains(rare.reveal()), "{text}");
        }
    }
}

#[test]
fn equal_notices_are_equal_bytes() {
    let one =
        || notice(Language::English, "alive", Some(finding(&[], Outcome::Confirmed)), true).paper().pdf().unwrap();
    assert_eq!(one(), one());
}

#[test]
fn hostile_words_are_words() {
    let said = "<script>\u{202E}证明\u{0}\n第二行\t😀\u{E123}(BT) /F1 \\) Tj";
    let mut notice = notice(Language::Chinese, "alive", None, true);
    (notice.demand.said, notice.demand.by, notice.officer) = (Some(said), Some(""), " ");
    let paper = Paper::new("hostile", &notice.paper().pdf().unwrap());
    let text = paper.text();
    assert!(text.contains("“<script>证明第二行😀\u{E123}(BT)/F1\\)Tj”") && paper.is_sound(), "{text}");
}

#[test]
fn what_was_lost_is_not_said_to_serve() {
    for (matter, head, other) in [("lost-documents", "找谁补办", "可用的证件"), ("kinship", "可用的证件", "丢了什么")]
    {
        let bytes = notice(Language::Chinese, matter, None, true).paper().pdf().unwrap();
        let text = Paper::new(&format!("head-{matter}"), &bytes).text();
        assert!(text.contains(head) && !text.contains(other), "{matter}: {text}");
    }
}

#[test]
fn it_is_read_aloud_in_order() {
    let notice = notice(Language::Chinese, "marital-status", Some(finding(&[], Outcome::Confirmed)), true);
    let structure = Paper::new("structure", &notice.paper().pdf().unwrap()).structure();
    for tag in ["H1", "H2", "Table", "TH", "L ", "LI", "Figure"] {
        assert!(structure.contains(tag), "{tag} is not in {structure}");
    }
    let place = |text: &str| structure.find(text).unwrap_or_else(|| panic!("{text} is not in {structure}"));
    let order =
        ["告知单", "不是证明", "要求开具的证明", "核验情况", "结果：属实", "接下来怎么办", "本告知单不加盖印章"];
    assert!(order.windows(2).all(|pair| place(pair[0]) < place(pair[1])), "{structure}");
}
