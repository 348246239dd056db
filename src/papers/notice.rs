use jiff::Timestamp;

use super::flow::{Flow, Role};
use super::sheet::{About, Ink};
use super::{Language, Most, NotPrinted, page, shortened, words};
use crate::domain::{IdNumber, Outcome, PersonName};
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
    pub finding: Option<Finding<'a>>,
    /// What to do instead, unless the finding is all that is needed.
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
}

/// What was checked.
#[derive(Debug, Clone, Copy)]
pub struct Finding<'a> {
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
    /// Where anybody can see that the paper says what the gateway said.
    pub slip: Option<Slip<'a>>,
}

/// One of the people whom a finding is about. The ID number is always masked on paper.
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
            authorities: &text.authorities,
            exceptions: &text.exceptions,
            citation: &text.citation,
        }
    }

    /// What to tell a demander who names no law.
    #[must_use]
    pub fn without_basis(policy: &'a Policy, language: Language) -> Self {
        let steps = policy.no_basis.pick(language == Language::English);
        Self {
            steps, documents: &[], authorities: &[], exceptions: &[], citation: "辽民发〔2020〕52号 二（一）"
        }
    }
}

impl Notice<'_> {
    /// The notice as a PDF of one page.
    ///
    /// # Errors
    /// If it is more than a page holds, or cannot be written.
    pub fn pdf(&self) -> Result<Vec<u8>, NotPrinted> {
        let title = self.language.pick("告知单", "Notice");
        let of = self.demand.matter.map_or(String::new(), |matter| format!(" {}", self.name_of(matter)));
        let about = About {
            title: format!("{title}{of}"),
            author: self.committee.to_owned(),
            language: self.language,
            at: self.at,
        };
        page(&about, self.foot(), |flow, most| self.compose(flow, most))
    }

    fn foot(&self) -> &'static str {
        self.language.pick(
            "依据：辽民发〔2020〕52号《关于改进和规范基层群众性自治组织出具证明工作的实施意见》。本告知单不加盖印章。",
            "By 辽民发〔2020〕52号, on the certificates of residents' and villagers' committees. This notice bears no seal.",
        )
    }

    fn compose(&self, flow: &mut Flow<'_>, most: Most) {
        let language = self.language;
        flow.title(language.pick("告知单", "Notice"));
        flow.panel(language.pick(
            "本告知单不是证明。它只说明核验了什么、结果如何，或者应当到哪里办理。",
            "This notice is not a certificate. It only says what was checked and what came of it, or where to go instead.",
        ));
        self.demanded(flow);
        if let Some(finding) = &self.finding {
            self.found(flow, finding);
        }
        if let Some(advice) = &self.advice {
            self.advise(flow, advice, most);
        }
        let officer = language.pick("经办人：", "Officer: ");
        let committee = shortened(self.committee, NAME);
        let officer =
            Some(shortened(self.officer, NAME)).filter(|name| !name.is_empty()).map(|name| format!("{officer}{name}"));
        let day = words::day(crate::clock::day_of(self.at), language);
        let lines: Vec<String> = [Some(committee), officer, Some(day)].into_iter().flatten().collect();
        flow.signature(&lines);
    }

    fn demanded(&self, flow: &mut Flow<'_>) {
        let language = self.language;
        flow.heading(language.pick("要求开具的证明", "What was demanded"));
        let demand = &self.demand;
        let quoted =
            |said: &str| language.pick(format!("“{}”", shortened(said, SAID)), format!("“{}”", shortened(said, SAID)));
        let rows = [
            (language.pick("事项", "Matter"), demand.matter.map(|matter| self.name_of(matter))),
            (language.pick("原话", "In their words"), demand.said.filter(|said| !said.trim().is_empty()).map(quoted)),
            (language.pick("要求单位", "Demanded by"), demand.by.map(|by| shortened(by, SAID))),
            (language.pick("办理事项", "Needed for"), demand.purpose.map(|purpose| shortened(purpose, SAID))),
        ];
        flow.rows(&filled(rows));
        let why = match demand.matter {
            Some(matter) => {
                let why = words::disposition(matter.text.disposition, language);
                language.pick(format!("{why}（{}）", matter.text.citation), format!("{why} ({})", matter.text.citation))
            }
            None => language
                .pick(
                    "要求村（居）民委员会出具证明的，应当同时提供法律法规依据。没有依据的，不予出具。（辽民发〔2020〕52号 二（一））",
                    "Whoever demands a committee's certificate names the law that requires it. Without one, none is issued. (辽民发〔2020〕52号 二（一）)",
                )
                .to_owned(),
        };
        flow.paragraph(&why, Role::Body, Ink::Text);
    }

    fn found(&self, flow: &mut Flow<'_>, finding: &Finding<'_>) {
        let language = self.language;
        flow.heading(language.pick("核验情况", "What was checked"));
        let mut rows = vec![(language.pick("核验内容", "Question").to_owned(), shortened(finding.claim, SAID))];
        rows.extend(finding.details.iter().map(|(label, value)| (shortened(label, NAME), shortened(value, NAME))));
        rows.extend(finding.people.iter().map(subject));
        rows.push((language.pick("数据截至", "As of").to_owned(), words::moment(finding.as_of, language)));
        flow.rows(&rows);
        flow.gap(4.0);
        let (word, meaning) = words::outcome(finding.outcome, language);
        let Some(slip) = &finding.slip else {
            flow.paragraph(&format!("{}{word}", language.pick("结果：", "Result: ")), Role::Verdict, Ink::Accent);
            flow.paragraph(meaning, Role::Body, Ink::Text);
            return;
        };
        let alt = language.pick("查验回执的二维码", "QR code that leads to the page on which the receipt is checked");
        flow.with_qr(&slip.address(), alt, QR_SIDE, |flow| {
            let room = QR_SIDE + 22.0;
            flow.narrow(&format!("{}{word}", language.pick("结果：", "Result: ")), Role::Verdict, Ink::Accent, room);
            flow.narrow(meaning, Role::Body, Ink::Text, room);
            flow.gap(7.0);
            flow.narrow(language.pick("核验回执编号", "Code of the receipt"), Role::Small, Ink::Quiet, room);
            flow.narrow(&slip.code.to_string(), Role::Code, Ink::Strong, room);
            flow.gap(2.0);
            let page = shortened(slip.check_page, ADDRESS);
            let until = words::day(crate::clock::day_of(slip.until), language);
            let how = language.pick(
                format!("任何人都可以查验，至{until}：扫描二维码，或者打开 {page} 输入编号。"),
                format!("Anybody can check it until {until}: scan the code, or open {page} and type it."),
            );
            flow.narrow(&how, Role::Small, Ink::Quiet, room);
        });
    }

    fn advise(&self, flow: &mut Flow<'_>, advice: &Advice<'_>, most: Most) {
        let language = self.language;
        flow.heading(language.pick("接下来怎么办", "What to do now"));
        let (steps, left_out) = most.of(advice.steps);
        flow.steps(steps);
        self.left_out(flow, left_out);
        let (documents, left_out) = most.of(advice.documents);
        if !documents.is_empty() {
            flow.gap(4.0);
            let head = language.pick(["可用的证件、材料", "遗失后由谁补办"], ["Papers that serve", "Reissued by"]);
            let rows: Vec<[&str; 2]> =
                documents.iter().map(|document| [document.name.as_str(), document.reissued_by.as_str()]).collect();
            flow.table(head, &rows);
            self.left_out(flow, left_out);
        }
        let joined = |texts: &[String], by: &str| (!texts.is_empty()).then(|| texts.join(by));
        flow.gap(2.0);
        flow.rows(&filled([
            (language.pick("主管单位", "In charge"), joined(advice.authorities, "、")),
            (language.pick("例外", "Except for"), joined(advice.exceptions, "；")),
            (language.pick("依据", "Written in"), Some(advice.citation.to_owned())),
        ]));
    }

    fn left_out(&self, flow: &mut Flow<'_>, count: usize) {
        if count > 0 {
            let text = self.language.pick(
                format!("另有{count}项，请向村（居）民委员会询问。"),
                format!("There are {count} more: ask the committee."),
            );
            flow.paragraph(&text, Role::Small, Ink::Quiet);
        }
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

/// The side of the QR code, in points: 29 mm.
const QR_SIDE: f32 = 82.0;

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
