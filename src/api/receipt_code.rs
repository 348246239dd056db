//! What is told to whoever holds no more than a short code: what is on the paper already, and that it is true. Who asked, what
//! for and about whom is not on the paper, and is not told.

use serde_json::{Value, json};

use super::Api;
use crate::domain::Outcome;
use crate::durable::NotSaved;
use crate::receipt::{Code, CodeError, Invalid, Receipt};

/// Why a code says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum NoCode {
    /// It has not the form of one.
    #[error("this is no code of a receipt")]
    Malformed,
    /// It is mistyped.
    #[error("the code is mistyped: please compare it once more")]
    Mistyped,
    /// This gateway has not made it, or has destroyed the key with which it did.
    #[error("this gateway knows no such code")]
    Unknown,
    /// It has made it, and does not keep the verification any more.
    #[error("the code is genuine, and its verification is not kept any more: ask for the receipt itself")]
    NotKept,
    /// There is no outcome yet.
    #[error("there is no outcome yet")]
    Pending,
    /// There was never a receipt.
    #[error("there is no receipt of this verification")]
    NoReceipt,
    /// There is a receipt, and it is not valid.
    #[error(transparent)]
    Receipt(#[from] Invalid),
}

/// The reasons that only codes have.
pub(super) const REASONS: [&str; 5] = ["mistyped", "unknown-code", "not-kept", "pending", "no-receipt"];

impl NoCode {
    /// The word on the wire.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => Invalid::Malformed.as_str(),
            Self::Mistyped => REASONS[0],
            Self::Unknown => REASONS[1],
            Self::NotKept => REASONS[2],
            Self::Pending => REASONS[3],
            Self::NoReceipt => REASONS[4],
            Self::Receipt(why) => why.as_str(),
        }
    }

    fn words(self, english: bool) -> String {
        let chinese = match self {
            Self::Malformed => "这不是核验回执的短码",
            Self::Mistyped => "短码输入有误，请再核对一次",
            Self::Unknown => "本系统没有这个短码",
            Self::NotKept => "短码属实，但本系统已不再保存该次核验的结果，请查验回执原文",
            Self::Pending => "该次核验尚无结果",
            Self::NoReceipt => "该次核验没有回执",
            Self::Receipt(why) => return super::receipts::words(why, english),
        };
        if english { self.to_string() } else { chinese.to_owned() }
    }
}

/// What is told of a code. Nothing is looked up before it is known that this gateway has made it.
///
/// # Errors
/// If what is kept cannot be read.
pub(super) async fn check(api: &Api, text: &str, english: bool) -> Result<Value, NotSaved> {
    Ok(match receipt(api, text).await? {
        Ok(receipt) => json!({
            "valid": true, "issuer": receipt.issuer, "matter": receipt.matter.as_str(), "claim": receipt.claim.as_str(),
            "outcome": receipt.outcome.as_str(), "as_of": receipt.as_of.to_string(),
            "issued_at": receipt.issued.to_string(), "expires_at": receipt.expires.to_string()
        }),
        Err(why) => json!({"valid": false, "reason": why.as_str(), "detail": why.words(english)}),
    })
}

async fn receipt(api: &Api, text: &str) -> Result<Result<Receipt, NoCode>, NotSaved> {
    let code = match text.parse::<Code>() {
        Ok(code) => code,
        Err(CodeError::Form) => return Ok(Err(NoCode::Malformed)),
        Err(CodeError::Typo) => return Ok(Err(NoCode::Mistyped)),
    };
    let Some(id) = code.verification(api.shared.keys.receipt_signers()) else { return Ok(Err(NoCode::Unknown)) };
    let Some(verification) = api.gateway.find_for_anybody(id).await? else { return Ok(Err(NoCode::NotKept)) };
    Ok(match &verification.receipt {
        _ if verification.outcome == Outcome::Pending => Err(NoCode::Pending),
        None => Err(NoCode::NoReceipt),
        Some(receipt) => api.shared.checker.check(receipt, api.gateway.clock.now()).map_err(NoCode::from),
    })
}
