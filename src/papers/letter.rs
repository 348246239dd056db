use jiff::Timestamp;
use jiff::civil::Date;

use super::Language;
use super::paper::{Block, Paper, Weight};
use super::words::{self, CORRECTION, NO_BASIS};
use crate::clock::day_of;
use crate::demands::{AgencyName, Number, Said};
use crate::matters::Matter;
use crate::rights::Agency;

/// A letter to the superior authority of an agency that demanded what it may not (辽民发〔2020〕52号 三（二）).
///
/// Nobody can be named in it: beside days, numbers and closed lists it holds names of organisations alone.
#[derive(Debug, Clone, Copy)]
pub struct Letter<'a> {
    /// Its language.
    pub language: Language,
    /// The record's number in the committee's books.
    pub number: Number,
    /// The superior authority, once it is known.
    pub to: Option<&'a AgencyName>,
    /// Who demanded the certificate.
    pub agency: &'a AgencyName,
    /// On which day.
    pub on: Date,
    /// The matter, where it is one of the annex.
    pub matter: Option<&'a Matter>,
    /// What the agency said.
    pub said: Said,
    /// The committee that writes.
    pub committee: &'a Agency,
    /// When.
    pub at: Timestamp,
}

impl Letter<'_> {
    /// The paper.
    #[must_use]
    pub fn paper(&self) -> Paper {
        let language = self.language;
        let title = language.pick("关于纠正索要不合理证明的函", "On a certificate that may not be demanded");
        let name = format!("{title} {}", self.number);
        let mut paper = Paper::new(name, &*self.committee.name, language, self.at);
        paper.put(Block::Title(title.to_owned()));
        paper.text(Weight::Quiet, format!("{}{}", language.pick("编号：", "Number: "), self.number));
        let to = self.to.map_or_else(|| "〔　　　　　　　　〕".to_owned(), ToString::to_string);
        paper.text(Weight::Strong, language.pick(format!("{to}："), format!("To {to}:")));
        paper.text(Weight::Plain, self.facts());
        paper.heading(language.pick("依据", "What it goes against"));
        let source = language.pick(
            "　　辽宁省民政厅等六部门《关于改进和规范基层群众性自治组织出具证明工作的实施意见》（辽民发〔2020〕52号）：",
            "辽民发〔2020〕52号, in the words of its Chinese text:",
        );
        paper.text(Weight::Plain, source);
        let (place, article) = self.article();
        paper.put(Block::Quote { place, text: article.to_owned() });
        let place = language.pick("三、有关工作要求（二）", "三（二）, on correction and exposure");
        paper.put(Block::Quote { place: place.to_owned(), text: CORRECTION.to_owned() });
        paper.heading(language.pick("请求", "What we ask"));
        let requests = language.pick(
            [
                "请贵单位督促该单位停止索要此项证明，并及时予以纠正。",
                "纠正以前，请不要因为没有此项证明影响居民办事。",
                "请把纠正情况告知我处。",
            ],
            [
                "Please see to it that the agency stops demanding this certificate, and correct it in time.",
                "Until then, let nobody's errand fail for want of this certificate.",
                "Please tell us what has been corrected.",
            ],
        );
        paper.steps(requests.map(str::to_owned).into());
        paper.put(Block::Signature(vec![self.committee.name.clone(), words::day(day_of(self.at), language)]));
        paper.foot(language.pick("本函不含居民个人信息。", "This letter holds nothing about the resident."));
        paper
    }

    fn facts(&self) -> String {
        let (on, agency) = (words::day(self.on, self.language), self.agency);
        let said = said(self.said, self.language);
        match (self.language, self.matter) {
            (Language::Chinese, Some(matter)) => {
                let name = &matter.text.name;
                format!("　　{on}，{agency}要求居民到我处开具“{name}”{said}。按照规定，此项证明不应由我处出具。")
            }
            (Language::Chinese, None) => {
                format!("　　{on}，{agency}要求居民到我处开具没有法律法规依据的证明{said}。按照规定，我处不予出具。")
            }
            (Language::English, Some(matter)) => {
                let (name, official) = (&matter.text.english.name, &matter.text.name);
                format!(
                    "On {on}, {agency} sent a resident to us for a certificate: {name} ({official}).{said} We may not issue it."
                )
            }
            (Language::English, None) => {
                format!(
                    "On {on}, {agency} sent a resident to us for a certificate that no law requires.{said} We may not issue it."
                )
            }
        }
    }

    /// Where it is written that the committee does not issue the certificate, and the words.
    fn article(&self) -> (String, &str) {
        match self.matter {
            Some(matter) => {
                let (number, route) = (matter.text.number, matter.text.route.as_str());
                let place = self.language.pick(
                    format!("附件《不应由基层群众性自治组织出具证明事项清单（第一批）》第{number}项，办事途径"),
                    format!("附件, item {number} of what committees do not issue, and what is to be done instead"),
                );
                (place, route)
            }
            None => {
                let place = self.language.pick("二、规范证明事项（一）", "二（一）, on what committees issue");
                (place.to_owned(), NO_BASIS)
            }
        }
    }
}

/// What the agency said, to be put behind what it demanded; nothing, where that stands in the record alone.
fn said(said: Said, language: Language) -> &'static str {
    let [chinese, english] = match said {
        Said::Other => ["", ""],
        Said::NoReason => ["，没有说明法律依据", " It named no law."],
        Said::SystemAsks => {
            ["，称其系统或者材料清单要求提供", " It said that its system or its list of papers asks for it."]
        }
        Said::OwnRules => {
            ["，称其上级或者内部规定要求提供", " It said that its superiors or its own rules ask for it."]
        }
        Said::CannotCheck => ["，称其无法自行核实", " It said that it cannot check the fact itself."],
        Said::UnnamedLaw => {
            ["，称有法律依据，但没有说明是哪一条", " It said that there is a law, but not which article."]
        }
        Said::LawDoesNotAsk => {
            ["，说了依据，但所说的依据没有要求由我处出具", " It named a basis, which does not ask us to issue this."]
        }
        Said::RefusesDocuments => ["，不认可居民出示的证件和材料", " It did not take the resident's own documents."],
        Said::RefusesReceipt => ["，不认可核验回执", " It did not take the receipt of a verification."],
    };
    language.pick(chinese, english)
}
