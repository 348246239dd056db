use std::fmt;

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization as _;

use crate::domain::{closed_list, one_line, without_personal_numbers};

/// Who demanded a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Demander {
    /// Its name.
    pub name: AgencyName,
    /// What it is.
    pub kind: Kind,
    /// On which level it works.
    pub level: Level,
    /// The authority above it that has to correct it, where that is known.
    pub superior: Option<AgencyName>,
}

closed_list! {
    /// The kinds of organisations that the policy names (三（二）).
    #[derive(PartialOrd, Ord)]
    pub enum Kind {
        /// 政府部门.
        Government = "government",
        /// 公用企事业单位.
        PublicUtility = "public-utility",
        /// 服务机构, such as a bank or a notary's office.
        Service = "service",
    }
}

closed_list! {
    /// The level on which an agency works.
    #[derive(PartialOrd, Ord)]
    pub enum Level {
        /// Nobody said, or it has none.
        Unknown = "unknown",
        /// Township or sub-district (乡镇、街道).
        Township = "township",
        /// County or district (县、区).
        County = "county",
        /// City (市).
        City = "city",
        /// Province (省).
        Province = "province",
        /// The whole country.
        National = "national",
    }
}

/// The full name of an organisation, as somebody wrote it: one line, 2 to 60 characters of names' kind, no number of a person.
/// A name so short that it could be a person's is none unless it has a word in it that organisations bear.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AgencyName(Box<str>);

/// Why a text is no organisation's name. No variant holds the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AgencyNameError {
    /// Nothing that can be seen.
    #[error("an organisation has a name")]
    Empty,
    /// More than [`AgencyName::MAX_CHARACTERS`].
    #[error("a name has at most 60 characters")]
    TooLong,
    /// A character that names do not have, or one that names do not begin with.
    #[error("a name holds letters, Hanzi, digits and a few signs only, and begins with a letter, Hanzi or digit")]
    Character,
    /// It holds a number by which a person could be found.
    #[error("a name holds no number of a person")]
    Number,
    /// It could be a person's name.
    #[error("write the organisation's full name")]
    NotFull,
}

impl AgencyName {
    /// The most characters.
    pub const MAX_CHARACTERS: usize = 60;

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What all spellings of the name have in common.
    #[must_use]
    pub fn key(&self) -> AgencyKey {
        let folded: String = self.0.nfkc().flat_map(char::to_lowercase).filter(|one| one.is_alphanumeric()).collect();
        // 瀋 of 瀋陽 means 沈 in a place's name, and 渖 nowhere.
        AgencyKey(fast2s::convert(&folded).replace('渖', "沈").into())
    }
}

impl TryFrom<String> for AgencyName {
    type Error = AgencyNameError;

    fn try_from(text: String) -> Result<Self, AgencyNameError> {
        let name = one_line(&text, Self::MAX_CHARACTERS).ok_or(AgencyNameError::TooLong)?;
        let Some(first) = name.chars().next() else { return Err(AgencyNameError::Empty) };
        let is_sound = |one: char| one.is_alphanumeric() || SIGNS.contains(one) || is_mark(one);
        if !first.is_alphanumeric() || !name.chars().all(is_sound) || !name.chars().any(char::is_alphabetic) {
            return Err(AgencyNameError::Character);
        }
        if without_personal_numbers(&name) != name {
            return Err(AgencyNameError::Number);
        }
        // A short word in Hanzi may be a person; so may one in Latin letters that has no word of an organisation in it.
        let is_short = name.chars().filter(|one| one.is_alphanumeric()).count() <= 4 || name.is_ascii();
        let lower = name.to_lowercase();
        let has = |word: &&str| if word.is_ascii() { lower.contains(*word) } else { lower.ends_with(*word) };
        if is_short && !OF_ORGANISATIONS.iter().any(has) {
            return Err(AgencyNameError::NotFull);
        }
        Ok(Self(name.into()))
    }
}

impl From<AgencyName> for String {
    fn from(name: AgencyName) -> Self {
        name.0.into()
    }
}

impl fmt::Display for AgencyName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// What all spellings of an organisation's name have in common: full-width or not, with spaces and signs or without, capital
/// or small letters, traditional or simplified characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AgencyKey(Box<str>);

impl AgencyKey {
    /// The key as it is kept.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What stands in names beside letters and digits.
const SIGNS: &str = " （）()《》〈〉“”‘’·•-—–－、，,.．．&＆/№【】〔〕'’";

fn is_mark(character: char) -> bool {
    matches!(u32::from(character), 0x0300..=0x036F)
}

/// Words with which organisations' names end; those in Latin letters stand anywhere. Lower-case.
const OF_ORGANISATIONS: [&str; 61] = [
    "局",
    "行",
    "公司",
    "中心",
    "院",
    "学校",
    "所",
    "委",
    "处",
    "站",
    "办",
    "部",
    "社",
    "厂",
    "支队",
    "大队",
    "政府",
    "大厅",
    "窗口",
    "法庭",
    "大学",
    "中学",
    "小学",
    "幼儿园",
    "公园",
    "馆",
    "店",
    "厅",
    "科室",
    "集团",
    "基金",
    "基金会",
    "物业",
    "电网",
    "供电",
    "协会",
    "工会",
    "商会",
    "学会",
    "委员会",
    "邮政",
    "机场",
    "bank",
    "bureau",
    "office",
    "ltd",
    "limited",
    "company",
    "inc",
    "court",
    "school",
    "university",
    "hospital",
    "center",
    "centre",
    "department",
    "fund",
    "insurance",
    "station",
    "hall",
    "committee",
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn name(text: &str) -> Result<AgencyName, AgencyNameError> {
        text.to_owned().try_into()
    }

    #[test]
    fn spellings_of_one_name_have_one_key() {
        let key = name("中国银行（沈阳）分行A座").unwrap().key();
        for spelling in [
            "中国银行(沈阳)分行A座",
            " 中国银行 （沈阳） 分行 a座",
            "中国银行（沈阳）分行Ａ座",
            "中國銀行（瀋陽）分行A座",
            "中国\u{3000}银行·沈阳·分行-A座",
            "中国银行\u{200b}（沈阳）\u{202e}分行A座",
        ] {
            assert_eq!(name(spelling).unwrap().key(), key, "{spelling}");
        }
        assert_ne!(name("中国银行大连分行").unwrap().key(), key);
    }

    #[test]
    fn names_of_organisations_are_taken() {
        for text in [
            "沈阳市公积金管理中心",
            "公证处",
            "某银行",
            "中国移动通信集团辽宁有限公司",
            "The People's Bank",
            "第120中学",
            "辽宁“放心”家政、养老服务公司",
        ] {
            assert!(name(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn what_is_none_is_refused() {
        use AgencyNameError::{Character, Empty, NotFull, Number, TooLong};
        let (long, longest) = ("长".repeat(61), "中".repeat(60));
        assert!(name(&longest).is_ok());
        for (text, error) in [
            ("", Empty),
            (" \n\u{3000}\u{202e}", Empty),
            (long.as_str(), TooLong),
            ("<script>银行", Character),
            ("银行<b>", Character),
            ("=HYPERLINK(\"银行\")", Character),
            ("＝1+1银行", Character),
            ("@银行", Character),
            ("😀银行", Character),
            ("-银行", Character),
            ("12345", Character),
            ("银行11010519491231002X", Number),
            ("银行１１０１０５１９４９１２３１００２Ｘ", Number),
            ("银行 13912345678", Number),
            ("张三", NotFull),
            ("王小明", NotFull),
            ("王学明", NotFull),
            ("欧阳建国", NotFull),
            ("Zhang San", NotFull),
        ] {
            assert_eq!(name(text), Err(error), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_name_that_was_kept_is_read_again_with_the_same_key(text in "[\\p{Han}a-zA-ZＡ-Ｚ（）() 0-9]{0,70}") {
            if let Ok(kept) = name(&text) {
                let again = name(kept.as_str()).unwrap();
                prop_assert_eq!(again.key(), kept.key());
                prop_assert_eq!(again, kept);
            }
        }
    }
}
