use jiff::Timestamp;

use super::paper::{Block, Finding, Paper, Proof, Weight};
use super::{Language, Qr, shortened, words};
use crate::domain::{Disposition, IdNumber, Outcome, PersonName};
use crate::matters::{Document, Matter, Policy};
use crate::receipt::Code;

/// A notice (告知单): what was demanded, what was checked and what came of it, or what to do instead. It is no certificate, and
/// says so.
#[derive(Debug, Clone, Copy)]
pub struct Notice<'a> {
    /// Its language.
    pub language: Language,
    /// What was demanded.
    pub demand: Demand<'a>,
    /// What was checked, if something was.
    pub checked: Option<Checked<'a>>,
    /// What to do instead, unless what was checked is all that is needed.
    pub advice: Option<Advice<'a>>,
    /// The committee that hands it out.
    pub committee: &'a str,
    /// Who hands it out.
    pub officer: &'a str,
    /// When.
    pub at: Timestamp,
}

/// What was demanded of the resident.
#[derive(Debug, Clone, Copy, Default)]
pub struct Demand<'a> {
    /// The matter, where it is one of the annex.
    pub matter: Option<&'a Matter>,
    /// In the demander's own words.
    pub said: Option<&'a str>,
    /// Who demanded it.
    pub by: Option<&'a str>,
    /// What for (办事事项).
    pub purpose: Option<&'a str>,
    /// The legal basis that was named.
    pub basis: Option<&'a str>,
}

/// What was checked.
#[derive(Debug, Clone, Copy)]
pub struct Checked<'a> {
    /// The claim, in plain words.
    pub claim: &'a str,
    /// Its parameters, each with its label, in plain words: a day, a status.
    pub details: &'a [(&'a str, &'a str)],
    /// Whom it is about, where the paper is to say so.
    pub people: &'a [Subject<'a>],
    /// What came of it.
    pub outcome: Outcome,
    /// The age of the oldest answer that counted.
    pub as_of: Timestamp,
    /// When the department is asked again, where the outcome is still to come.
    pub again: Option<Timestamp>,
    /// Where anybody can see that the paper says what the gateway said.
    pub slip: Option<Slip<'a>>,
}

/// One of the people whom a question is about. The ID number is always masked on paper.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The role, in plain words.
    pub role: &'a str,
    /// The name, as it was typed.
    pub name: Option<&'a PersonName>,
    /// The ID number.
    pub id_number: Option<&'a IdNumber>,
}

/// How a receipt is checked by whoever holds the paper.
#[derive(Debug, Clone, Copy)]
pub struct Slip<'a> {
    /// The receipt's code.
    pub code: Code,
    /// Until when the receipt is valid.
    pub until: Timestamp,
    /// The address of the page on which codes are checked, such as `https://heyan.example.gov.cn/check`.
    pub check_page: &'a str,
}

/// What to do instead of demanding a certificate of a committee.
#[derive(Debug, Clone, Copy)]
pub struct Advice<'a> {
    /// Step by step.
    pub steps: &'a [String],
    /// Which papers serve, and who reissues them.
    pub documents: &'a [Document],
    /// Whether no paper has to serve, and these are what was lost.
    pub are_lost: bool,
    /// Who is in charge.
    pub authorities: &'a [String],
    /// 除外: where this does not hold.
    pub exceptions: &'a [String],
    /// Where it is written.
    pub citation: &'a str,
}

impl<'a> Advice<'a> {
    /// What the annex says of a matter.
    #[must_use]
    pub fn of(matter: &'a Matter, language: Language) -> Self {
        let text = &matter.text;
        Self {
            steps: language.pick(&text.guidance, &text.english.guidance),
            documents: &text.documents,
            are_lost: text.disposition == Disposition::Abolished,
            authorities: &text.authorities,
            exceptions: &text.exceptions,
            citation: &text.citation,
        }
    }

    /// The same, where records say otherwise: no paper helps, and these steps alone do.
    #[must_use]
    pub fn of_refuted(matter: &'a Matter, steps: &'a [String]) -> Self {
        let text = &matter.text;
        Self { steps, documents: &[], are_lost: false, authorities: &[], exceptions: &[], citation: &text.citation }
    }

    /// What to tell a demander who names no law.
    #[must_use]
    pub fn without_basis(policy: &'a Policy, language: Language) -> Self {
        let steps = policy.no_basis.pick(language == Language::English);
        Self {
            steps,
            documents: &[],
            are_lost: false,
            authorities: &[],
            exceptions: &[],
            citation: "辽民发〔2020〕52号 二（一）",
        }
    }
}

impl Notice<'_> {
    /// The paper.
    #[must_use]
    pub fn paper(&self) -> Paper {
        let language = self.language;
        let title = language.pick("告知单", "Notice");
        let of = self.demand.matter.map_or(String::new(), |matter| format!(" {}", self.name_of(matter)));
        let mut paper = Paper::new(format!("{title}{of}"), self.committee, language, self.at);
        paper.put(Block::Title(title.to_owned()));
        let panel = language.pick(
            "本告知单不是证明。它只说明核验了什么、结果如何，或者应当到哪里办理。",
            "This notice is not a certificate. It only says what was checked and what came of it, or where to go instead.",
        );
        paper.put(Block::Panel(panel.to_owned()));
        self.demanded(&mut paper);
        if self.demand.matter.is_none() {
            self.ask_for_the_basis(&mut paper);
        }
        if let Some(checked) = &self.checked {
            self.found(&mut paper, checked);
        }
        if let Some(advice) = &self.advice {
            self.advise(&mut paper, advice);
        }
        if self.demand.matter.is_none() {
            self.cite(&mut paper);
        }
        let officer = language.pick("经办人：", "Officer: ");
        let officer =
            Some(shortened(self.officer, NAME)).filter(|name| !name.is_empty()).map(|name| format!("{officer}{name}"));
        let day = words::day(crate::clock::day_of(self.at), language);
        let lines = [Some(shortened(self.committee, NAME)), officer, Some(day)].into_iter().flatten().collect();
        paper.put(Block::Signature(lines));
        paper.foot(language.pick(
            "依据：辽民发〔2020〕52号《关于改进和规范基层群众性自治组织出具证明工作的实施意见》。本告知单不加盖印章。",
            "By 辽民发〔2020〕52号, on the certificates of residents' and villagers' committees. This notice bears no seal.",
        ));
        paper
    }

    fn demanded(&self, paper: &mut Paper) {
        let language = self.language;
        paper.heading(language.pick("要求开具的证明", "What was demanded"));
        let demand = &self.demand;
        let quoted = |said: &str| format!("“{}”", shortened(said, SAID));
        let typed = |text: Option<&str>| text.map(|text| shortened(text, SAID));
        paper.rows(filled([
            (language.pick("事项", "Matter"), demand.matter.map(|matter| self.name_of(matter))),
            (language.pick("原话", "In their words"), demand.said.filter(|said| !said.trim().is_empty()).map(quoted)),
            (language.pick("要求单位", "Demanded by"), typed(demand.by)),
            (language.pick("所说的依据", "Basis named"), typed(demand.basis)),
            (language.pick("办理事项", "Needed for"), typed(demand.purpose)),
        ]));
        let why = match demand.matter {
            Some(matter) => {
                let why = words::disposition(matter.text.disposition, language);
                language.pick(format!("{why}（{}）", matter.text.citation), format!("{why} ({})", matter.text.citation))
            }
            None if demand.basis.is_some() => language
                .pick(
                    "要求单位说了依据。村（居）民委员会要先看这一条是否真的要求由它出具；拿不准的，请街道（乡镇）民政部门答复。",
                    "A basis was named. The committee first looks whether that article really asks it to issue this; where it is not sure, the subdistrict's or town's civil affairs office answers.",
                )
                .to_owned(),
            None => language
                .pick(
                    "没有说明法律法规依据。没有依据的证明，村（居）民委员会不予出具。",
                    "No law was named. Without one, the committee issues no certificate.",
                )
                .to_owned(),
        };
        paper.text(Weight::Plain, why);
    }

    /// What whoever demands a certificate that is in no list has to say, with room to write it down.
    fn ask_for_the_basis(&self, paper: &mut Paper) {
        let language = self.language;
        paper.heading(language.pick("请要求单位写明", "The demander writes here"));
        let room = |label: &str| (label.to_owned(), "＿".repeat(ROOM));
        let labels = language.pick(
            ["法律、法规的名称", "第几条", "国务院保留的哪一项", "单位和经办人", "联系电话"],
            ["Law or regulation", "Article", "Item retained nationally", "Agency and officer", "Telephone"],
        );
        paper.rows(labels.map(room).into());
    }

    /// What is written of certificates that are in no list.
    fn cite(&self, paper: &mut Paper) {
        let language = self.language;
        paper.heading(language.pick("文件是这样规定的", "What the rules say"));
        let articles = [
            (language.pick("二、规范证明事项（一）", "二（一）, on what committees issue"), words::NAME_BASIS),
            (language.pick("二、规范证明事项（一）", "二（一）, on what committees issue"), words::NO_BASIS),
            (language.pick("三、有关工作要求（二）", "三（二）, on correction and exposure"), words::CORRECTION),
        ];
        for (place, text) in articles {
            paper.put(Block::Quote { place: format!("辽民发〔2020〕52号 {place}"), text: text.to_owned() });
        }
    }

    /// What an outcome means, and of one that is still to come when to ask for it.
    fn meaning(&self, checked: &Checked<'_>) -> String {
        let (language, (_, meaning)) = (self.language, words::outcome(checked.outcome, self.language));
        if checked.outcome != Outcome::Pending {
            return meaning.to_owned();
        }
        match checked.again {
            Some(again) => {
                let again = words::moment(again, language);
                language.pick(
                    format!("{meaning}部门将在{again}再被询问一次，请在那以后询问结果。"),
                    format!("{meaning} The department is asked again at {again}; ask for the result after that."),
                )
            }
            None => language.pick(
                format!("{meaning}请过一会儿询问结果；超过一小时还没有的，请重新核验一次。"),
                format!("{meaning} Ask for the result in a while; if there is none after an hour, verify once more."),
            ),
        }
    }

    fn found(&self, paper: &mut Paper, checked: &Checked<'_>) {
        let language = self.language;
        paper.heading(language.pick("核验情况", "What was checked"));
        let mut rows = vec![(language.pick("核验内容", "Question").to_owned(), shortened(checked.claim, SAID))];
        rows.extend(checked.details.iter().map(|(label, value)| (shortened(label, NAME), shortened(value, NAME))));
        rows.extend(checked.people.iter().map(subject));
        rows.push((language.pick("数据截至", "As of").to_owned(), words::moment(checked.as_of, language)));
        paper.rows(rows);
        let (word, _) = words::outcome(checked.outcome, language);
        paper.put(Block::Result(Finding {
            result: format!("{}{word}", language.pick("结果：", "Result: ")),
            meaning: self.meaning(checked),
            proof: checked.slip.as_ref().map(|slip| slip.proof(language)),
        }));
    }

    fn advise(&self, paper: &mut Paper, advice: &Advice<'_>) {
        let language = self.language;
        paper.heading(language.pick("接下来怎么办", "What to do now"));
        paper.steps(advice.steps.to_vec());
        if !advice.documents.is_empty() {
            let head = if advice.are_lost {
                language.pick(["丢了什么", "找谁补办"], ["What is lost", "Reissued by"])
            } else {
                language.pick(["可用的证件、材料", "遗失后由谁补办"], ["Papers that serve", "Reissued by"])
            };
            let row = |document: &Document| [document.name.clone(), document.reissued_by.clone()];
            let rows = advice.documents.iter().map(row).collect();
            paper.put(Block::Table { head: head.map(str::to_owned), rows });
        }
        let joined = |texts: &[String], by: &str| (!texts.is_empty()).then(|| texts.join(by));
        paper.rows(filled([
            (language.pick("主管单位", "In charge"), joined(advice.authorities, "、")),
            (language.pick("例外", "Except for"), joined(advice.exceptions, "；")),
            (language.pick("依据", "Written in"), Some(advice.citation.to_owned())),
        ]));
    }

    fn name_of(&self, matter: &Matter) -> String {
        let text = &matter.text;
        match self.language {
            Language::Chinese => text.name.clone(),
            Language::English => format!("{} ({})", text.english.name, text.name),
        }
    }
}

impl Slip<'_> {
    fn proof(&self, language: Language) -> Proof {
        let page = shortened(self.check_page, ADDRESS);
        let until = words::day(crate::clock::day_of(self.until), language);
        Proof {
            label: language.pick("核验回执编号", "Code of the receipt").to_owned(),
            code: self.code.to_string(),
            how: language.pick(
                format!("任何人都可以查验，至{until}：扫描二维码，或者打开 {page} 输入编号。"),
                format!("Anybody can check it until {until}: scan the code, or open {page} and type it."),
            ),
            qr: Qr::new(&self.address()),
            alt: language
                .pick("查验回执的二维码", "QR code that leads to the page on which the receipt is checked")
                .to_owned(),
        }
    }

    /// What the QR code holds: the page, and the code where no server and no log gets to see it (RFC 3986 section 3.5). The
    /// page takes it from there; where it cannot, the code is typed.
    fn address(&self) -> String {
        format!("{}#{}", self.check_page, self.code.to_string().replace('-', ""))
    }
}

/// The most characters of a name, of what was said, and of an address: more would crowd out the rest.
const NAME: usize = 60;
const SAID: usize = 120;
const ADDRESS: usize = 120;

/// How much room there is to write something down, in characters.
const ROOM: usize = 22;

fn filled<const N: usize>(rows: [(&str, Option<String>); N]) -> Vec<(String, String)> {
    let of =
        |(label, value): (&str, Option<String>)| Some((label.to_owned(), value.filter(|value| !value.is_empty())?));
    rows.into_iter().filter_map(of).collect()
}

fn subject(subject: &Subject<'_>) -> (String, String) {
    let name = subject.name.map(|name| name.reveal().to_owned());
    let parts: Vec<String> = name.into_iter().chain(subject.id_number.map(ToString::to_string)).collect();
    (shortened(subject.role, NAME), parts.join("  "))
}
