//! What is told to whoever holds no more than a short code: what is on the paper already, and that it is true. Who asked, what
//! for and about whom is not on the paper, and is not told.

use serde_json::{Map, Value, json};

use super::Api;
use crate::domain::{ClaimRef, Outcome};
use crate::ledger::{Event, NotProved};
use crate::receipt::{Code, CodeError, Invalid, Recorded, Validity, is_ahead};

/// What a code says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// What was asked.
    pub claim: ClaimRef,
    /// Its particulars, such as a status and a day.
    pub particulars: Map<String, Value>,
    /// What came of it.
    pub outcome: Outcome,
    /// When, and until when it is a proof: that time has not come.
    pub validity: Validity,
}

/// Why a code says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoCode {
    /// It has not the form of one.
    #[error("this is no code of a receipt")]
    Malformed,
    /// It is mistyped.
    #[error("the code is mistyped: please compare it once more")]
    Mistyped,
    /// This gateway has not made it, or has destroyed the key with which it did.
    #[error("this gateway knows no such code")]
    Unknown,
    /// Its receipt is no proof any more.
    #[error("the receipt has expired")]
    Expired,
    /// It was issued later than now.
    #[error("the receipt is not valid yet: one of the clocks is wrong")]
    NotYetValid,
}

/// The reasons that only codes have.
pub(super) const REASONS: [&str; 2] = ["mistyped", "unknown-code"];

impl NoCode {
    /// The word on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => Invalid::Malformed.as_str(),
            Self::Mistyped => REASONS[0],
            Self::Unknown => REASONS[1],
            Self::Expired => Invalid::Expired.as_str(),
            Self::NotYetValid => Invalid::NotYetValid.as_str(),
        }
    }

    fn words(self, english: bool) -> String {
        let chinese = match self {
            Self::Malformed => "这不是核验回执的短码",
            Self::Mistyped => "短码输入有误，请再核对一次",
            Self::Unknown => "本系统没有这个短码",
            Self::Expired => return super::receipts::words(Invalid::Expired, english),
            Self::NotYetValid => return super::receipts::words(Invalid::NotYetValid, english),
        };
        if english { self.to_string() } else { chinese.to_owned() }
    }
}

/// The ledger cannot be read now: there may be such a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotRead;

/// What is told of a code.
///
/// # Errors
/// If the ledger cannot be read.
pub(super) async fn check(api: &Api, text: &str, english: bool) -> Result<Value, NotRead> {
    Ok(match open(api, text).await? {
        Ok(Opened { claim, particulars, outcome, validity }) => json!({
            "valid": true, "issuer": api.shared.issuer.name(), "matter": claim.matter.as_str(),
            "claim": claim.claim.as_str(), "parameters": particulars, "outcome": outcome.as_str(), "as_of": validity.as_of.to_string(),
            "issued_at": validity.issued.to_string(), "expires_at": validity.expires.to_string()
        }),
        Err(why) => json!({"valid": false, "reason": why.as_str(), "detail": why.words(english)}),
    })
}

/// What a code says. One entry of the ledger is looked up for it, by its number; nothing of that is told unless this gateway
/// has made the code of that very entry.
///
/// # Errors
/// If the ledger cannot be read.
pub async fn open(api: &Api, text: &str) -> Result<Result<Opened, NoCode>, NotRead> {
    let code = match text.parse::<Code>() {
        Ok(code) => code,
        Err(CodeError::Form) => return Ok(Err(NoCode::Malformed)),
        Err(CodeError::Typo) => return Ok(Err(NoCode::Mistyped)),
    };
    let entry = match api.gateway.ledger.entry(code.entry()).await {
        Ok(entry) => entry,
        Err(NotProved::Outside(_)) => return Ok(Err(NoCode::Unknown)),
        Err(NotProved::Unreadable) => return Err(NotRead),
    };
    let (Event::Answered { outcome, .. }, Some(verification), Some(claim)) =
        (entry.event, entry.verification, entry.claim)
    else {
        return Ok(Err(NoCode::Unknown));
    };
    let particulars = entry.particulars;
    let recorded =
        Recorded { entry: code.entry(), at: entry.at, verification, claim: &claim, particulars: &particulars, outcome };
    let now = api.gateway.clock.now();
    Ok(match code.opens(&recorded, api.shared.keys.receipt_signers()) {
        None => Err(NoCode::Unknown),
        Some(validity) if is_ahead(validity.issued, now) => Err(NoCode::NotYetValid),
        Some(validity) if now >= validity.expires => Err(NoCode::Expired),
        Some(validity) => Ok(Opened { claim, particulars, outcome, validity }),
    })
}
