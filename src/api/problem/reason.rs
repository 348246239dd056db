use crate::claims::Shape;
use crate::domain::{DivisionError, IdNumberError, PersonNameError};

/// Something wrong at one place of a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FieldError {
    /// The JSON Pointer (RFC 6901).
    pub(crate) pointer: String,
    /// What is wrong with it.
    pub(crate) reason: Reason,
}

/// Why a field is refused. No variant holds what was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reason {
    /// Not JSON from this line and column on.
    Syntax(usize, usize),
    /// Nested too deep.
    Depth,
    /// The key stands twice.
    DuplicateKey,
    /// A NUL character.
    Nul,
    /// The contract has no such field; these it has.
    UnknownField(Vec<String>),
    /// It must be there.
    Missing,
    /// It must be a value of this kind.
    Type(Kind),
    /// It must have so many characters.
    Length(usize, usize),
    /// An array has so many items.
    Items(usize, usize),
    /// It holds control characters.
    ControlCharacter,
    /// It must be one of these.
    NotOneOf(Vec<String>),
    /// It must lie between these.
    Range(i64, i64),
    /// It must be the officer whom the access token names.
    OfficerOfToken,
    /// Not a day of the calendar, `YYYY-MM-DD`.
    Date,
    /// Later than today.
    Future,
    /// Not a length of time, or longer than allowed.
    Duration,
    /// No such matter, or the matter has no such claim.
    UnknownClaim,
    /// No such purpose.
    UnknownPurpose,
    /// The same person in two roles.
    SamePerson,
    /// Not an ID number.
    IdNumber(IdNumberError),
    /// An ID number stands in a text that is written down.
    HoldsIdNumber,
    /// The grant demands it.
    Demanded,
    /// Not a name.
    Name(PersonNameError),
    /// A number of letters and digits that looks otherwise.
    Shape(Shape),
    /// Not a division.
    Division(DivisionError),
    /// The idempotency key is empty, too long, or holds other than printable ASCII.
    IdempotencyKey,
    /// Not the index of an entry of the ledger.
    EntryIndex,
    /// Not the size of a tree of the ledger, which has had up to so many entries.
    TreeSize(u64),
}

/// Kinds of JSON values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Object,
    String,
    Integer,
    Array,
}

impl Reason {
    /// In plain words.
    pub(crate) fn text(&self, english: bool) -> String {
        let [chinese, plain] = self.words();
        if english { plain } else { chinese }
    }

    fn words(&self) -> [String; 2] {
        let fixed = |chinese: &str, english: &str| [chinese.to_owned(), english.to_owned()];
        match self {
            Self::Syntax(line, column) => [
                format!("第 {line} 行第 {column} 列起不是有效的 JSON"),
                format!("not valid JSON at line {line}, column {column}"),
            ],
            Self::Depth => fixed("嵌套层数过多，最多 16 层", "nested too deep; 16 levels at most"),
            Self::DuplicateKey => fixed("同一个键出现了两次", "the same key stands twice"),
            Self::Nul => fixed("字符串中含有 NUL 字符", "a string holds the character NUL"),
            Self::UnknownField(known) => [
                format!("没有这个字段；可用的字段：{}", known.join("、")),
                format!("no such field; the fields are: {}", known.join(", ")),
            ],
            Self::Missing => fixed("缺少此项", "this is missing"),
            Self::Type(Kind::Object) => fixed("必须是 JSON 对象", "must be a JSON object"),
            Self::Type(Kind::String) => fixed("必须是字符串", "must be a string"),
            Self::Type(Kind::Integer) => fixed("必须是整数", "must be a whole number"),
            Self::Type(Kind::Array) => fixed("必须是数组", "must be an array"),
            Self::Items(least, most) => {
                [format!("须有 {least} 至 {most} 项"), format!("must have {least} to {most} items")]
            }
            Self::Length(least, most) => {
                [format!("须为 {least} 至 {most} 个字符"), format!("must have {least} to {most} characters")]
            }
            Self::ControlCharacter => fixed("不得含有控制字符", "must not hold control characters"),
            Self::NotOneOf(values) => {
                [format!("必须是下列之一：{}", values.join("、")), format!("must be one of: {}", values.join(", "))]
            }
            Self::Range(least, most) => {
                [format!("必须在 {least} 与 {most} 之间"), format!("must lie between {least} and {most}")]
            }
            Self::Shape(shape) => [
                format!(
                    "格式应为 {shape}：A 代表一个英文字母，0 代表一个数字，例如 {}",
                    shape.example(),
                    shape = shape.as_str()
                ),
                format!("must look like {}: A is a letter, 0 a digit, such as {}", shape.as_str(), shape.example()),
            ],
            Self::OfficerOfToken => {
                fixed("与访问令牌中的经办人不一致", "must be the officer whom the access token names")
            }
            Self::Date => fixed("不是日历中的日期（格式 YYYY-MM-DD）", "not a calendar date (YYYY-MM-DD)"),
            Self::Future => fixed("晚于今天", "later than today"),
            Self::Duration => fixed(
                "不是有效的时长（如 10m、24h），最长 24 小时",
                "not a length of time (such as 10m, 24h) of 24 hours at most",
            ),
            Self::UnknownClaim => fixed(
                "没有这个证明事项或者核验主张，见 GET /v1/matters",
                "no such matter or claim; see GET /v1/matters",
            ),
            Self::UnknownPurpose => fixed("没有这个办事事项，见 GET /v1/me", "no such purpose; see GET /v1/me"),
            Self::SamePerson => fixed("不同角色不能是同一个人", "one person cannot stand in two roles"),
            Self::IdNumber(error) => [id_number_words(*error).to_owned(), error.to_string()],
            Self::HoldsIdNumber => {
                fixed("此项会记录在案，不得含有公民身份号码", "this is written down: an ID number must not stand in it")
            }
            Self::Demanded => fixed("授权要求填写此项", "the grant demands this"),
            Self::Name(error) => [name_words(*error).to_owned(), error.to_string()],
            Self::Division(error) => [division_words(*error).to_owned(), error.to_string()],
            Self::IdempotencyKey => fixed(
                "Idempotency-Key 须为 1 至 255 个可打印 ASCII 字符",
                "the Idempotency-Key must have 1 to 255 printable ASCII characters",
            ),
            Self::EntryIndex => fixed(
                "必须是账本条目的序号，即从 0 起的整数",
                "must be the index of an entry: a whole number from 0 on",
            ),
            Self::TreeSize(most) => [
                format!("必须是 1 至 {most} 的整数，first 不得大于 second"),
                format!("must be a whole number from 1 to {most}, and first not larger than second"),
            ],
        }
    }
}

fn id_number_words(error: IdNumberError) -> &'static str {
    match error {
        IdNumberError::Length => "公民身份号码应为 18 位，旧号码为 15 位",
        IdNumberError::Character => "公民身份号码中有数字以外的字符，如空格、全角字符；只有末位可以是 X",
        IdNumberError::Division => "前六位不是任何行政区划的代码",
        IdNumberError::BirthDate => "号码中的出生日期不是 1800 年以来日历中的日期",
        IdNumberError::CheckCharacter => "校验码不正确，请核对号码",
        IdNumberError::AmbiguousCentury => "这是百岁老人的旧号码，请提供 18 位号码",
    }
}

fn name_words(error: PersonNameError) -> &'static str {
    match error {
        PersonNameError::Empty => "姓名不能为空",
        PersonNameError::TooLong => "姓名最多 50 个字符",
        PersonNameError::Character => "姓名中含有不能用于姓名的字符",
    }
}

fn division_words(error: DivisionError) -> &'static str {
    match error {
        DivisionError::Form => "行政区划代码应为 2、4、6、9 或 12 位数字",
        DivisionError::Unknown => "没有这个行政区划代码",
    }
}
