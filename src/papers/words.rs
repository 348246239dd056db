//! The words that several papers use, in plain Chinese and English.

use jiff::Timestamp;
use jiff::civil::Date;

use super::Language;
use crate::domain::{Disposition, Outcome};

/// A day, as people write it.
#[must_use]
pub fn day(date: Date, language: Language) -> String {
    let (year, month, day) = (date.year(), date.month(), date.day());
    match language {
        Language::Chinese => format!("{year}年{month}月{day}日"),
        Language::English => format!("{day} {} {year}", MONTHS[usize::from(month.unsigned_abs()).clamp(1, 12) - 1]),
    }
}

/// A moment, to the minute, by Beijing time.
#[must_use]
pub fn moment(moment: Timestamp, language: Language) -> String {
    let at = jiff::tz::offset(8).to_datetime(moment);
    let (hour, minute) = (at.hour(), at.minute());
    let day = day(at.date(), language);
    match language {
        Language::Chinese => format!("{day} {hour}:{minute:02}"),
        Language::English => format!("{day}, {hour}:{minute:02} (Beijing time)"),
    }
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// What an outcome is called, and what it means.
pub(super) fn outcome(outcome: Outcome, language: Language) -> (&'static str, &'static str) {
    let [chinese, english] = match outcome {
        Outcome::Confirmed => [
            ("属实", "有关部门的记录与所述相符。"),
            ("Confirmed", "The departments' records agree with what was said."),
        ],
        Outcome::Refuted => {
            [("与记录不符", "有关部门的记录与所述不符。"), ("Not as said", "The department's record says otherwise.")]
        }
        Outcome::NoRecord => [
            ("没有记录", "已询问的部门没有能够说明此事的记录。这不表示所述不实。"),
            ("No record", "No department that was asked has a record of this. That does not mean that it is untrue."),
        ],
        Outcome::Mismatch => [
            ("姓名与记录不一致", "请核对姓名和公民身份号码，再核验一次。"),
            ("The name is not the recorded one", "Check name and ID number, and verify again."),
        ],
        Outcome::Conflict => [
            ("部门记录互相矛盾", "请由有关部门核实后，再核验一次。"),
            ("Departments contradict each other", "They must settle it before this can be verified."),
        ],
        Outcome::Pending => [
            ("还在办理", "有关部门还没有给出可以用的答复，所以还没有核验回执。不必重新申请。"),
            (
                "Not finished",
                "A department needs more time. There is no answer yet, and so no receipt. There is no need to apply again.",
            ),
        ],
        Outcome::Unavailable => [
            ("暂时问不到", "暂时无法询问有关部门，请稍后再核验。不应因此要求居民开具证明。"),
            (
                "Cannot be asked now",
                "A department cannot be asked at present. Verify again later; no certificate may be demanded for that.",
            ),
        ],
        Outcome::Referred => [
            ("请按下列办法办理", "掌握此事的部门尚未接入核验系统。"),
            ("Do this instead", "The department that holds this fact is not connected yet."),
        ],
    };
    language.pick(chinese, english)
}

/// What to do where records say otherwise: nothing but to have whatever is wrong corrected, by whoever holds it.
#[must_use]
pub fn correction(departments: &[String], language: Language) -> Vec<String> {
    let departments = departments.join("、");
    language
        .pick(
            [
                "先看看姓名、号码、日期有没有填错；填错了的，改正以后再核验一次。".to_owned(),
                format!("没有填错而认为记录有误的，请向{departments}申请更正，更正以后再核验。"),
            ],
            [
                "First see whether a name, number or day was mistyped; if so, verify again.".to_owned(),
                format!(
                    "If not, and the record is wrong, ask for it to be corrected: {departments}. Then verify again."
                ),
            ],
        )
        .into()
}

/// Why a committee issues no certificate of a matter.
pub(super) fn disposition(disposition: Disposition, language: Language) -> &'static str {
    let [chinese, english] = match disposition {
        Disposition::Verify => [
            "此事由部门之间核对信息，村（居）民委员会不出具证明。",
            "Departments check this with each other. The committee issues no certificate.",
        ],
        Disposition::Issuer => [
            "此项证明由主管单位出具，村（居）民委员会不出具。",
            "The competent authority issues this paper. The committee does not.",
        ],
        Disposition::OwnDocuments => [
            "居民自己的证件和材料就能说明此事，村（居）民委员会不出具证明。",
            "The resident's own papers show this. The committee issues no certificate.",
        ],
        Disposition::Abolished => {
            ["办理此事不需要村（居）民委员会的证明。", "No certificate of a committee is needed for this."]
        }
    };
    language.pick(chinese, english)
}

/// That a page has no room for so many more.
pub(super) fn left_out(count: usize, language: Language) -> String {
    language.pick(
        format!("另有{count}项，请向村（居）民委员会询问。"),
        format!("There are {count} more: ask the committee."),
    )
}

/// 二（一）, as it is written.
pub(super) const NO_BASIS: &str =
    "凡是没有法律法规依据或未经国务院批准列入保留证明事项清单的证明事项，基层群众性自治组织不予出具。";

/// 二（一） of whoever demands one, as it is written.
pub(super) const NAME_BASIS: &str =
    "凡是相关部门要求基层群众性自治组织出具证明事项的，应当同时提供基层群众性自治组织出具此证明事项的有关依据。";

/// 三（二）, as it is written.
pub(super) const CORRECTION: &str = "今后，各政府部门、公用企事业单位和服务机构一旦出现擅自要求居民群众找基层群众性自治组织开具不合理证明导致居民群众办事创业困难的情形，要予以通报或在媒体平台公开曝光，要求开具证明单位的上级主管部门应及时予以纠正。";
