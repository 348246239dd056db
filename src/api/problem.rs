//! What went wrong, told as problem details (RFC 9457), in Chinese or English, and never with the offending value.

use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};
use serde_json::{Value, json};

use super::context::Context;
use crate::domain::{DivisionError, IdNumberError, PersonNameError};

/// Every problem that a reply can tell. One match each says its status, its title and who can do something about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Problem {
    /// The body is not JSON, or JSON of a kind that parsers disagree about.
    Malformed(Vec<FieldError>),
    /// No credential.
    Unauthorized,
    /// A credential that nobody has.
    InvalidToken,
    /// No grant covers the claim.
    ClaimNotGranted,
    /// No grant covers the claim for this purpose.
    PurposeNotGranted,
    /// Nothing is here.
    NotFound,
    /// Something is here, but not for this method; these are allowed.
    MethodNotAllowed(&'static str),
    /// The body is larger than the limit.
    PayloadTooLarge,
    /// The body is not declared as JSON.
    UnsupportedMediaType,
    /// The body did not arrive in time.
    RequestTimeout,
    /// The idempotency key came before with another body.
    IdempotencyConflict,
    /// Well-formed, but not a question.
    Invalid(Vec<FieldError>),
}

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
    /// It holds control characters.
    ControlCharacter,
    /// It must be one of these.
    NotOneOf(Vec<String>),
    /// It must lie between these.
    Range(i64, i64),
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
    /// Not a name.
    Name(PersonNameError),
    /// Not a division.
    Division(DivisionError),
    /// The idempotency key is empty, too long, or holds other than printable ASCII.
    IdempotencyKey,
}

/// Kinds of JSON values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Object,
    String,
    Integer,
}

impl Problem {
    /// One field is wrong.
    pub(crate) fn field(pointer: &str, reason: Reason) -> Self {
        Self::Invalid(vec![FieldError { pointer: pointer.to_owned(), reason }])
    }

    /// The stable name: the last segment of the problem's `type`.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "malformed",
            Self::Unauthorized | Self::InvalidToken => "unauthorized",
            Self::ClaimNotGranted | Self::PurposeNotGranted => "not-granted",
            Self::NotFound => "not-found",
            Self::MethodNotAllowed(_) => "method-not-allowed",
            Self::PayloadTooLarge => "payload-too-large",
            Self::UnsupportedMediaType => "unsupported-media-type",
            Self::RequestTimeout => "request-timeout",
            Self::IdempotencyConflict => "idempotency-conflict",
            Self::Invalid(_) => "invalid-request",
        }
    }

    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::Malformed(_) => StatusCode::BAD_REQUEST,
            Self::Unauthorized | Self::InvalidToken => StatusCode::UNAUTHORIZED,
            Self::ClaimNotGranted | Self::PurposeNotGranted => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::PayloadTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::RequestTimeout => StatusCode::REQUEST_TIMEOUT,
            Self::IdempotencyConflict => StatusCode::CONFLICT,
            Self::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
        }
    }

    /// Title and detail in Chinese and English.
    pub(crate) fn words(&self) -> [(&'static str, &'static str); 2] {
        match self {
            Self::Malformed(_) => [
                ("请求内容不是有效的 JSON", "请按 errors 中的说明改正后重新提交。"),
                ("The body is not acceptable JSON", "Correct what errors names and send it again."),
            ],
            Self::Unauthorized | Self::InvalidToken => [
                ("没有有效的凭证", "请在 Authorization 请求头中提供有效的 Bearer 令牌。"),
                ("No valid credential", "Send a valid bearer token in the Authorization header."),
            ],
            Self::ClaimNotGranted => [
                ("没有授权", "贵单位未被授权核验该主张。"),
                ("Not granted", "Your agency has no grant for this claim."),
            ],
            Self::PurposeNotGranted => [
                ("没有授权", "贵单位未被授权为该办事事项核验该主张。"),
                ("Not granted", "Your agency has no grant for this claim for this purpose."),
            ],
            Self::NotFound => [
                ("没有找到", "此地址没有内容，或者不属于贵单位。"),
                ("Not found", "Nothing is here, or it is not your agency's."),
            ],
            Self::MethodNotAllowed(_) => [
                ("方法不允许", "此地址不接受该方法，可用的方法见 Allow 响应头。"),
                ("Method not allowed", "The Allow header names the methods that this address takes."),
            ],
            Self::PayloadTooLarge => [
                ("请求内容过大", "请求内容不得超过 64 KiB。"),
                ("The body is too large", "A body may have 64 KiB at most."),
            ],
            Self::UnsupportedMediaType => [
                ("内容类型不受支持", "请使用 Content-Type: application/json。"),
                ("Unsupported media type", "Use Content-Type: application/json."),
            ],
            Self::RequestTimeout => {
                [("请求内容未及时送达", "请重新提交。"), ("The body did not arrive in time", "Send it again.")]
            }
            Self::IdempotencyConflict => [
                ("幂等键冲突", "同一 Idempotency-Key 已用于内容不同的请求，请换用新的键。"),
                ("Idempotency conflict", "This Idempotency-Key came before with another body; use a new key."),
            ],
            Self::Invalid(_) => [
                ("请求不符合要求", "请按 errors 中的说明改正后重新提交。"),
                ("Invalid request", "Correct what errors names and send it again."),
            ],
        }
    }

    fn errors(&self) -> &[FieldError] {
        match self {
            Self::Malformed(errors) | Self::Invalid(errors) => errors,
            Self::Unauthorized
            | Self::InvalidToken
            | Self::ClaimNotGranted
            | Self::PurposeNotGranted
            | Self::NotFound
            | Self::MethodNotAllowed(_)
            | Self::PayloadTooLarge
            | Self::UnsupportedMediaType
            | Self::RequestTimeout
            | Self::IdempotencyConflict => &[],
        }
    }

    /// The reply.
    pub(crate) fn respond(&self, context: &Context) -> Response<Body> {
        let [chinese, english] = self.words();
        let (title, detail) = if context.english { english } else { chinese };
        let errors: Vec<Value> = self
            .errors()
            .iter()
            .map(|error| json!({"pointer": error.pointer, "reason": error.reason.text(context.english)}))
            .collect();
        let body = json!({
            "type": format!("/problems/{}", self.code()),
            "title": title,
            "status": self.status().as_u16(),
            "detail": detail,
            "code": self.code(),
            "origin": "client",
            "retryable": matches!(self, Self::RequestTimeout),
            "request_id": context.request_id,
            "trace_id": context.trace_id,
            "errors": errors,
        });
        let mut response = Response::new(Body::from(body.to_string()));
        *response.status_mut() = self.status();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(context.language()));
        match self {
            Self::Unauthorized => {
                // RFC 6750 section 3.
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"heyan\""));
            }
            Self::InvalidToken => {
                let challenge = HeaderValue::from_static("Bearer realm=\"heyan\", error=\"invalid_token\"");
                headers.insert(header::WWW_AUTHENTICATE, challenge);
            }
            Self::MethodNotAllowed(allowed) => {
                headers.insert(header::ALLOW, HeaderValue::from_static(allowed));
            }
            _ => {}
        }
        response
    }
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
            Self::Name(error) => [name_words(*error).to_owned(), error.to_string()],
            Self::Division(error) => [division_words(*error).to_owned(), error.to_string()],
            Self::IdempotencyKey => fixed(
                "Idempotency-Key 须为 1 至 255 个可打印 ASCII 字符",
                "the Idempotency-Key must have 1 to 255 printable ASCII characters",
            ),
        }
    }
}

fn id_number_words(error: IdNumberError) -> &'static str {
    match error {
        IdNumberError::Length => "公民身份号码应为 18 位，旧号码为 15 位",
        IdNumberError::Character => "公民身份号码只能由数字组成，末位可以是 X",
        IdNumberError::Division => "前六位不是任何行政区划的代码",
        IdNumberError::BirthDate => "号码中的出生日期不是日历中的日期",
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
