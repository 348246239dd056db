use jiff::Timestamp;
use jiff::civil::Date;

use super::flow::{Flow, Role};
use super::sheet::{About, Ink};
use super::{Language, Most, NotPrinted, page, words};
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
    /// The superior authority.
    pub to: &'a AgencyName,
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
    /// The letter as a PDF of one page.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn pdf(&self) -> Result<Vec<u8>, NotPrinted> {
        let (language, author) = (self.language, self.committee.name.clone());
        let title = format!("{} {}", self.title(), self.number);
        let foot = language.pick("本函不含居民个人信息。", "This letter holds nothing about the resident.");
        page(&About { title, author, language, at: self.at }, foot, |flow, _: Most| self.compose(flow))
    }

    fn title(&self) -> &'static str {
        self.language.pick("关于纠正索要不合理证明的函", "On a certificate that may not be demanded")
    }

    fn compose(&self, flow: &mut Flow<'_>) {
        let language = self.language;
        flow.title(self.title());
        let number = language.pick("编号：", "Number: ");
        flow.paragraph(&format!("{number}{}", self.number), Role::Small, Ink::Quiet);
        flow.gap(10.0);
        let to = language.pick(format!("{}：", self.to), format!("To {}:", self.to));
        flow.paragraph(&to, Role::Body, Ink::Strong);
        flow.gap(4.0);
        flow.paragraph(&self.facts(), Role::Body, Ink::Text);
        flow.heading(language.pick("依据", "What it goes against"));
        let source = language.pick(
            "　　辽宁省民政厅等六部门《关于改进和规范基层群众性自治组织出具证明工作的实施意见》（辽民发〔2020〕52号）：",
            "辽民发〔2020〕52号, in the words of its Chinese text:",
        );
        flow.paragraph(source, Role::Body, Ink::Text);
        let (place, article) = self.article();
        flow.quote(&place, article);
        let place = language.pick("三、有关工作要求（二）", "三（二）, on correction and exposure");
        flow.quote(place, CORRECTION);
        flow.heading(language.pick("请求", "What we ask"));
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
        flow.steps(&requests.map(str::to_owned));
        flow.gap(10.0);
        flow.signature(&[self.committee.name.clone(), words::day(day_of(self.at), language)]);
    }

    fn facts(&self) -> String {
        let (on, agency, said) = (words::day(self.on, self.language), self.agency, said(self.said, self.language));
        match (self.language, self.matter) {
            (Language::Chinese, Some(matter)) => {
                let name = &matter.text.name;
                format!("　　{on}，{agency}要求居民到我处开具“{name}”，{said}。按照规定，此项证明不应由我处出具。")
            }
            (Language::Chinese, None) => {
                format!("　　{on}，{agency}要求居民到我处开具没有法律法规依据的证明，{said}。按照规定，我处不予出具。")
            }
            (Language::English, Some(matter)) => {
                let (name, official) = (&matter.text.english.name, &matter.text.name);
                format!(
                    "On {on}, {agency} sent a resident to us for a certificate: {name} ({official}). {said} We may not issue it."
                )
            }
            (Language::English, None) => {
                format!(
                    "On {on}, {agency} sent a resident to us for a certificate that no law requires. {said} We may not issue it."
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

/// 三（二）, as it is written.
const CORRECTION: &str = "今后，各政府部门、公用企事业单位和服务机构一旦出现擅自要求居民群众找基层群众性自治组织开具不合理证明导致居民群众办事创业困难的情形，要予以通报或在媒体平台公开曝光，要求开具证明单位的上级主管部门应及时予以纠正。";

/// 二（一）, as it is written.
const NO_BASIS: &str =
    "凡是没有法律法规依据或未经国务院批准列入保留证明事项清单的证明事项，基层群众性自治组织不予出具。";

fn said(said: Said, language: Language) -> &'static str {
    let [chinese, english] = match said {
        // What else was said stands in the record: the letter says what was demanded.
        Said::NoReason | Said::Other => ["没有说明法律依据", "It named no law."],
        Said::SystemAsks => {
            ["称其系统或者材料清单要求提供", "It said that its system or its list of papers asks for it."]
        }
        Said::OwnRules => ["称其上级或者内部规定要求提供", "It said that its superiors or its own rules ask for it."],
        Said::CannotCheck => ["称其无法自行核实", "It said that it cannot check the fact itself."],
        Said::UnnamedLaw => ["称有法律依据，但没有说明是哪一条", "It said that there is a law, but not which article."],
        Said::RefusesDocuments => ["不认可居民出示的证件和材料", "It did not take the resident's own documents."],
        Said::RefusesReceipt => ["不认可核验回执", "It did not take the receipt of a verification."],
    };
    language.pick(chinese, english)
}
