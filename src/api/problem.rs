//! What went wrong, told as problem details (RFC 9457), in Chinese or English, and never with the offending value.

mod reason;
#[cfg(test)]
mod tests;

use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};
use serde::Serialize;

use super::context::Context;
use crate::telemetry;

pub(crate) use reason::{FieldError, Kind, Reason};

/// Every problem that a reply can tell. One match each says its status, its title and who can do something about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Problem {
    /// The body is not JSON, or JSON of a kind that parsers disagree about.
    Malformed(Vec<FieldError>),
    /// No credential.
    Unauthorized,
    /// A credential that nobody has.
    InvalidToken,
    /// A client certificate that does not hold any more, or is no agency's.
    InvalidCertificate,
    /// A token of one agency beside a certificate of another.
    TwoAgencies,
    /// No grant covers the claim.
    ClaimNotGranted,
    /// No grant covers the claim for this purpose.
    PurposeNotGranted,
    /// It is granted, but not on this day.
    NotGrantedToday,
    /// The grant demands particulars that the request does not name.
    ParticularsDemanded(Vec<FieldError>),
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
    /// More requests than the agency may make: so many; again after so many seconds.
    RateLimited {
        /// How many it may make.
        limit: u32,
        /// After how many seconds it may make more.
        seconds: u32,
    },
    /// The agency's questions look like guessing; again after so many seconds.
    ProbingSuspected(u32),
    /// More requests than the gateway can do; again after so many seconds.
    Overloaded(u32),
    /// The program has a mistake, and did not come to an answer.
    InternalError,
    /// The question cannot be recorded, so nobody is asked; again after so many seconds.
    LedgerUnavailable(u32),
    /// The ledger cannot be read; again after so many seconds.
    LedgerUnreadable(u32),
}

/// A problem as it goes onto the wire.
#[derive(Serialize)]
struct Details<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    detail: &'a str,
    code: &'a str,
    origin: &'a str,
    retryable: bool,
    request_id: &'a str,
    trace_id: &'a str,
    errors: Vec<Error>,
}

#[derive(Serialize)]
struct Error {
    pointer: String,
    reason: String,
}

/// Who can do something about a problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    Client,
    Gateway,
}

impl Origin {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Gateway => "gateway",
        }
    }
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
            Self::Unauthorized | Self::InvalidToken | Self::InvalidCertificate | Self::TwoAgencies => "unauthorized",
            Self::ClaimNotGranted | Self::PurposeNotGranted | Self::NotGrantedToday | Self::ParticularsDemanded(_) => {
                "not-granted"
            }
            Self::NotFound => "not-found",
            Self::MethodNotAllowed(_) => "method-not-allowed",
            Self::PayloadTooLarge => "payload-too-large",
            Self::UnsupportedMediaType => "unsupported-media-type",
            Self::RequestTimeout => "request-timeout",
            Self::IdempotencyConflict => "idempotency-conflict",
            Self::Invalid(_) => "invalid-request",
            Self::RateLimited { .. } => "rate-limited",
            Self::ProbingSuspected(_) => "probing-suspected",
            Self::Overloaded(_) => "overloaded",
            Self::InternalError => "internal-error",
            Self::LedgerUnavailable(_) | Self::LedgerUnreadable(_) => "ledger-unavailable",
        }
    }

    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::Malformed(_) => StatusCode::BAD_REQUEST,
            Self::Unauthorized | Self::InvalidToken | Self::InvalidCertificate | Self::TwoAgencies => {
                StatusCode::UNAUTHORIZED
            }
            Self::ClaimNotGranted | Self::PurposeNotGranted | Self::NotGrantedToday | Self::ParticularsDemanded(_) => {
                StatusCode::FORBIDDEN
            }
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::PayloadTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::RequestTimeout => StatusCode::REQUEST_TIMEOUT,
            Self::IdempotencyConflict => StatusCode::CONFLICT,
            Self::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::RateLimited { .. } | Self::ProbingSuspected(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::InternalError => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Overloaded(_) | Self::LedgerUnavailable(_) | Self::LedgerUnreadable(_) => {
                StatusCode::SERVICE_UNAVAILABLE
            }
        }
    }

    pub(crate) fn origin(&self) -> Origin {
        match self {
            Self::InternalError | Self::Overloaded(_) | Self::LedgerUnavailable(_) | Self::LedgerUnreadable(_) => {
                Origin::Gateway
            }
            Self::Malformed(_)
            | Self::Unauthorized
            | Self::InvalidToken
            | Self::InvalidCertificate
            | Self::TwoAgencies
            | Self::ClaimNotGranted
            | Self::PurposeNotGranted
            | Self::NotGrantedToday
            | Self::ParticularsDemanded(_)
            | Self::NotFound
            | Self::MethodNotAllowed(_)
            | Self::PayloadTooLarge
            | Self::UnsupportedMediaType
            | Self::RequestTimeout
            | Self::IdempotencyConflict
            | Self::Invalid(_)
            | Self::RateLimited { .. }
            | Self::ProbingSuspected(_) => Origin::Client,
        }
    }

    /// Whether the same request may succeed later.
    pub(crate) fn is_retryable(&self) -> bool {
        matches!(self, Self::RequestTimeout) || self.retry_after().is_some()
    }

    fn retry_after(&self) -> Option<u32> {
        match self {
            Self::RateLimited { seconds, .. }
            | Self::ProbingSuspected(seconds)
            | Self::Overloaded(seconds)
            | Self::LedgerUnavailable(seconds)
            | Self::LedgerUnreadable(seconds) => Some(*seconds),
            _ => None,
        }
    }

    /// Title and detail in Chinese and English.
    pub(crate) fn words(&self) -> [(&'static str, &'static str); 2] {
        match self {
            Self::Malformed(_) => {
                [("请求内容不是有效的 JSON", CORRECT[0]), ("The body is not acceptable JSON", CORRECT[1])]
            }
            Self::Unauthorized => [
                (
                    "没有有效的凭证",
                    "请在 Authorization 请求头中提供有效的 Bearer 令牌，或者使用本单位的客户端证书连接。",
                ),
                (
                    "No valid credential",
                    "Send a valid bearer token in the Authorization header, or connect with your agency's client certificate.",
                ),
            ],
            Self::InvalidToken => [
                ("没有有效的凭证", "令牌无效、尚未生效或者已经过期，请更换有效的 Bearer 令牌。"),
                ("No valid credential", "The token is not valid, not yet, or not any more: send a valid bearer token."),
            ],
            Self::InvalidCertificate => [
                ("没有有效的凭证", "客户端证书已经失效，或者没有登记在任何用证部门名下，请使用本单位登记的证书。"),
                (
                    "No valid credential",
                    "The client certificate does not hold any more, or is not registered for an agency: use one that is.",
                ),
            ],
            Self::TwoAgencies => [
                ("没有有效的凭证", "令牌和客户端证书不属于同一个用证部门，请使用同一部门的凭证。"),
                ("No valid credential", "The token and the client certificate are of two agencies: use those of one."),
            ],
            Self::ClaimNotGranted => [
                ("没有授权", "贵单位未被授权核验该主张。"),
                ("Not granted", "Your agency has no grant for this claim."),
            ],
            Self::PurposeNotGranted => [
                ("没有授权", "贵单位未被授权为该办事事项核验该主张。"),
                ("Not granted", "Your agency has no grant for this claim for this purpose."),
            ],
            Self::NotGrantedToday => [
                ("没有授权", "贵单位的该项授权今天无效，起止日期见 GET /v1/me。"),
                ("Not granted", "Your agency's grant for this is not valid today; GET /v1/me says its days."),
            ],
            Self::ParticularsDemanded(_) => [
                ("没有授权", "该项授权要求填写 errors 所列各项。"),
                ("Not granted", "The grant demands what errors names."),
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
            Self::Invalid(_) => [("请求不符合要求", CORRECT[0]), ("Invalid request", CORRECT[1])],
            Self::RateLimited { .. } => [
                ("请求过于频繁", "已超过授权的次数，请在 Retry-After 所示的秒数之后重试。"),
                ("Too many requests", "More than the grant allows; try again after the seconds of Retry-After."),
            ],
            Self::ProbingSuspected(_) => [
                (
                    "疑似试探查询",
                    "近期的查询近似于逐个试探，已暂停，请在 Retry-After 所示的秒数之后重试，或者联系平台管理员。",
                ),
                (
                    "Probing suspected",
                    "Recent questions look like guessing and are paused. Try again after the seconds of Retry-After, or ask the gateway's operator.",
                ),
            ],
            Self::LedgerUnreadable(_) => [
                ("审计账本暂时无法读取", "暂时无法给出证明，请在 Retry-After 所示的秒数之后重试。"),
                ("The ledger cannot be read", "There is no proof for now. Try again after the seconds of Retry-After."),
            ],
            Self::InternalError => [
                ("系统出错", "本次请求没有得到结果，请联系平台管理员，并告知 trace_id。"),
                ("Internal error", "The request came to no answer. Tell the gateway's operator the trace_id."),
            ],
            Self::Overloaded(_) => [("系统繁忙", LATER[0]), ("Overloaded", LATER[1])],
            Self::LedgerUnavailable(_) => [
                ("暂时无法记录", "核验必须先记录在案，目前无法记录，因此没有查询任何部门，请稍后重试。"),
                (
                    "Cannot be recorded",
                    "What cannot be recorded is not asked: no department was asked. Try again later.",
                ),
            ],
        }
    }

    fn errors(&self) -> &[FieldError] {
        match self {
            Self::Malformed(errors) | Self::Invalid(errors) | Self::ParticularsDemanded(errors) => errors,
            Self::Unauthorized
            | Self::InvalidToken
            | Self::InvalidCertificate
            | Self::TwoAgencies
            | Self::ClaimNotGranted
            | Self::PurposeNotGranted
            | Self::NotGrantedToday
            | Self::NotFound
            | Self::MethodNotAllowed(_)
            | Self::PayloadTooLarge
            | Self::UnsupportedMediaType
            | Self::RequestTimeout
            | Self::IdempotencyConflict
            | Self::RateLimited { .. }
            | Self::ProbingSuspected(_)
            | Self::InternalError
            | Self::Overloaded(_)
            | Self::LedgerUnavailable(_)
            | Self::LedgerUnreadable(_) => &[],
        }
    }

    /// The reply.
    pub(crate) fn respond(&self, context: &Context) -> Response<Body> {
        telemetry::request(|told| told.problem = Some(self.code()));
        let [chinese, english] = self.words();
        let (title, detail) = if context.english { english } else { chinese };
        let error =
            |error: &FieldError| Error { pointer: error.pointer.clone(), reason: error.reason.text(context.english) };
        let details = Details {
            r#type: format!("/problems/{}", self.code()),
            title,
            status: self.status().as_u16(),
            detail,
            code: self.code(),
            origin: self.origin().as_str(),
            retryable: self.is_retryable(),
            request_id: &context.request_id,
            trace_id: &context.trace_id,
            errors: self.errors().iter().map(error).collect(),
        };
        // A structure without maps of unknown keys can always be written.
        let mut response = Response::new(Body::from(serde_json::to_vec(&details).unwrap_or_default()));
        *response.status_mut() = self.status();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(context.language()));
        // A 404 could otherwise be stored on the way (RFC 9111 section 4.2.2), in one caller's language.
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = self.retry_after() {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        match self {
            Self::Unauthorized | Self::InvalidCertificate => {
                // RFC 6750 section 3.
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"heyan\""));
            }
            Self::InvalidToken | Self::TwoAgencies => {
                let challenge = HeaderValue::from_static("Bearer realm=\"heyan\", error=\"invalid_token\"");
                headers.insert(header::WWW_AUTHENTICATE, challenge);
            }
            Self::RateLimited { limit, seconds } => {
                headers.insert("ratelimit-limit", HeaderValue::from(*limit));
                headers.insert("ratelimit-remaining", HeaderValue::from(0));
                headers.insert("ratelimit-reset", HeaderValue::from(*seconds));
            }
            Self::MethodNotAllowed(allowed) => {
                headers.insert(header::ALLOW, HeaderValue::from_static(allowed));
            }
            _ => {}
        }
        response
    }
}

/// What several problems advise, in Chinese and English.
const CORRECT: [&str; 2] = ["请按 errors 中的说明改正后重新提交。", "Correct what errors names and send it again."];
const LATER: [&str; 2] = ["请在 Retry-After 所示的秒数之后重试。", "Try again after the seconds of Retry-After."];
