use std::fmt;

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization as _;

use super::masked::{is_invisible, without_personal_numbers};

/// A short text that somebody wrote freely where no resident may be named: on one line, without characters that cannot be
/// seen, and with every number masked by which somebody could be found ([`without_personal_numbers`]).
///
/// What reads as a person's name with a form of address is refused ([`NoteError::NamesSomebody`]). No program knows every
/// name: the page says that none belongs there, and what leaves the page (letters, figures, exports) carries no note.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Note(Box<str>);

/// Why a text is no [`Note`]. No variant holds the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// Nothing that can be seen.
    #[error("a note says something")]
    Empty,
    /// More than [`Note::MAX_CHARACTERS`].
    #[error("a note has at most 120 characters")]
    TooLong,
    /// It seems to name a person.
    #[error("a note names nobody")]
    NamesSomebody,
}

impl Note {
    /// The most characters.
    pub const MAX_CHARACTERS: usize = 120;

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Note {
    type Error = NoteError;

    fn try_from(text: String) -> Result<Self, NoteError> {
        let line = one_line(&text, Self::MAX_CHARACTERS).ok_or(NoteError::TooLong)?;
        if line.is_empty() {
            return Err(NoteError::Empty);
        }
        if names_somebody(&line) {
            return Err(NoteError::NamesSomebody);
        }
        Ok(Self(without_personal_numbers(&line).into()))
    }
}

impl From<Note> for String {
    fn from(note: Note) -> Self {
        note.0.into()
    }
}

impl fmt::Display for Note {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// A text on one line: composed (NFC), white space of any kind a single space, without control characters and what cannot be
/// seen. `None`: more than so many characters are left.
#[must_use]
pub fn one_line(text: &str, max_characters: usize) -> Option<String> {
    // Nothing that composes or is left out takes more room than this for each character that stays.
    if text.len() > max_characters * 64 {
        return None;
    }
    let visible = text.nfc().filter(|character| {
        (!character.is_control() || character.is_whitespace()) && !is_invisible(*character) && *character != '\u{FFFD}'
    });
    let visible: String = visible.collect();
    let line = visible.split_whitespace().collect::<Vec<_>>().join(" ");
    (line.chars().count() <= max_characters).then_some(line)
}

/// Whether a text reads as if it named somebody: a common surname, one or two Hanzi or a mark that stands for them, and a form
/// of address; or a word such as 姓名 with a name after it.
fn names_somebody(text: &str) -> bool {
    let characters: Vec<char> = text.chars().filter(|character| !character.is_whitespace()).collect();
    (0..characters.len()).any(|at| is_addressed(&characters[at..]) || is_announced(&characters[at..]))
}

fn is_addressed(characters: &[char]) -> bool {
    if !characters.first().is_some_and(|first| SURNAMES.contains(*first)) {
        return false;
    }
    // A given name, then how people are addressed; a surname with 某 stands for nobody.
    (1..=2).any(|given| {
        let is_name =
            characters.get(1..=given).is_some_and(|name| name.iter().all(|one| is_hanzi(*one) && *one != '某'));
        is_name && ADDRESSES.iter().any(|address| starts_with(&characters[given + 1..], address))
    })
}

fn is_announced(characters: &[char]) -> bool {
    ANNOUNCEMENTS.iter().any(|announcement| {
        let rest = characters.get(announcement.chars().count()..).unwrap_or_default();
        let rest = rest.split_first().filter(|(first, _)| ":：是为叫".contains(**first)).map_or(rest, |(_, rest)| rest);
        let is_name =
            matches!(rest, [first, second, ..] if SURNAMES.contains(*first) && is_hanzi(*second) && *second != '某');
        starts_with(characters, announcement) && is_name
    })
}

fn starts_with(characters: &[char], word: &str) -> bool {
    word.chars().enumerate().all(|(at, character)| characters.get(at) == Some(&character))
}

fn is_hanzi(character: char) -> bool {
    matches!(u32::from(character), 0x3400..=0x4DBF | 0x4E00..=0x9FFF | 0x2_0000..=0x3_FFFF)
}

/// Common surnames. Those that begin everyday words as well (方便, 任何, 马上, 白跑) are not among them.
const SURNAMES: &str = "王李张刘陈杨黄赵吴徐孙朱胡郭林罗郑梁谢宋唐韩冯邓曹彭肖董袁潘蒋蔡杜苏魏吕丁沈姚卢姜崔钟谭陆汪范廖贾夏韦\
                        邹孟熊秦邱尹薛闫段侯陶黎贺顾郝龚邵覃武戴莫汤佟";

/// How people are addressed or called.
const ADDRESSES: [&str; 23] = [
    "先生",
    "女士",
    "小姐",
    "同志",
    "师傅",
    "大爷",
    "大妈",
    "大娘",
    "大叔",
    "大婶",
    "阿姨",
    "叔叔",
    "奶奶",
    "爷爷",
    "老人",
    "本人",
    "的身份证",
    "身份证",
    "之妻",
    "之夫",
    "之子",
    "之女",
    "的户口",
];

/// Words after which a name stands.
const ANNOUNCEMENTS: [&str; 8] = ["姓名", "名字", "居民", "当事人", "申请人", "办事人", "名叫", "户主"];

#[cfg(test)]
mod tests {
    use super::*;

    fn note(text: &str) -> Result<Note, NoteError> {
        text.to_owned().try_into()
    }

    #[test]
    fn a_note_is_one_line_that_can_be_seen() {
        for (text, kept) in [
            ("窗口说  系统\r\n里要传", "窗口说 系统 里要传"),
            ("\u{202E}窗口\u{200F}说\u{0}要", "窗口说要"),
            ("<b>说要</b>", "<b>说要</b>"),
            ("😀说要", "😀说要"),
            ("号11010519491231002X", "号******************"),
            ("e\u{0301}", "é"),
        ] {
            assert_eq!(note(text).unwrap().as_str(), kept);
        }
        for nothing in ["", " \u{3000}\n", "\u{200b}\u{202e}"] {
            assert_eq!(note(nothing), Err(NoteError::Empty));
        }
    }

    #[test]
    fn a_note_is_short() {
        assert!(note(&"长".repeat(120)).is_ok());
        assert_eq!(note(&"长".repeat(121)), Err(NoteError::TooLong));
        assert_eq!(note(&"\u{202e}".repeat(100_000)), Err(NoteError::TooLong));
    }

    #[test]
    fn a_note_that_seems_to_name_somebody_is_refused() {
        for text in [
            "张三先生来过",
            "王小明女士要办",
            "居民张三来开",
            "姓名：李小龙",
            "当事人赵六说",
            "给王 小明 女士",
            "陈秀英大妈跑了三趟",
            "刘伟的身份证不认",
        ] {
            assert_eq!(note(text), Err(NoteError::NamesSomebody), "{text}");
        }
        for text in [
            "居民跑了三趟",
            "工作人员说高速办事要快",
            "王某某女士",
            "不认居民身份证",
            "周一再来，说上级要求",
            "居民白跑一趟",
            "不方便居民",
            "请任何居民都开证明",
        ] {
            assert!(note(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn what_was_kept_is_read_again() {
        let kept = note("号11010519491231002X").unwrap();
        let text = serde_json::to_string(&kept).unwrap();
        assert_eq!(serde_json::from_str::<Note>(&text).unwrap(), kept);
    }
}
