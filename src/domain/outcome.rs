use serde::{Deserialize, Serialize};

/// What one witness says (答复).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// The facts confirm the claim.
    Confirms,
    /// The facts refute it.
    Refutes,
    /// The department has no record that says either.
    NoRecord,
    /// The name given is not the recorded one; which part differs is not said.
    Mismatch,
    /// A department could not be asked; see [`Cause`].
    Unavailable,
    /// A department needs more time.
    Pending,
}

/// What the gateway says (核验结果).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The claim is true.
    Confirmed,
    /// The claim is false.
    Refuted,
    /// Nobody who was asked holds a record that says either.
    NoRecord,
    /// A name given is not the recorded one.
    Mismatch,
    /// Departments contradict each other.
    Conflict,
    /// A department needs more time.
    Pending,
    /// A department that could change the outcome could not be asked.
    Unavailable,
    /// No source is connected for this: the guidance says where to go.
    Referred,
}

impl Answer {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Confirms, Self::Refutes, Self::NoRecord, Self::Mismatch, Self::Unavailable, Self::Pending];

    /// The word on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Confirms => "confirms",
            Self::Refutes => "refutes",
            Self::NoRecord => "no-record",
            Self::Mismatch => "mismatch",
            Self::Unavailable => "unavailable",
            Self::Pending => "pending",
        }
    }
}

impl Outcome {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Confirmed,
        Self::Refuted,
        Self::NoRecord,
        Self::Mismatch,
        Self::Conflict,
        Self::Pending,
        Self::Unavailable,
        Self::Referred,
    ];

    /// The word on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Refuted => "refuted",
            Self::NoRecord => "no_record",
            Self::Mismatch => "mismatch",
            Self::Conflict => "conflict",
            Self::Pending => "pending",
            Self::Unavailable => "unavailable",
            Self::Referred => "referred",
        }
    }
}

/// Why a department gave no usable answer: one name each, the same in replies, metrics and docs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// No answer in time.
    Timeout,
    /// Nothing listens at the department's address, or it hangs up before it says anything.
    ConnectRefused,
    /// The connection broke in the middle of the answer.
    ConnectionLost,
    /// The secure connection failed.
    Tls,
    /// The department says that it is busy.
    Busy,
    /// The department does not let us ask.
    Denied,
    /// The department reports an error of its own.
    SourceError,
    /// The reply does not fit its schema or cannot be decoded.
    InvalidSourceResponse,
    /// The reply is about another person.
    WrongSubject,
    /// The reply's result code is not in the source's map.
    UnknownCode,
    /// The reply is larger than the source's limit.
    TooLarge,
    /// The secret that the source needs is not there.
    Misconfigured,
    /// The department is out of service at this time, as planned.
    PlannedOutage,
    /// An operator has closed the department.
    ClosedByOperator,
    /// The department has failed too often of late: it is left alone for a moment.
    CircuitOpen,
    /// We may not ask the department more often.
    RateLimited,
    /// As many calls as the department takes at once are under way, and waiting would take too long.
    Saturated,
    /// We stopped while an application was being sent: whether the department has it is not known, and it is not sent twice.
    Interrupted,
    /// What has to be kept before the department may be asked could not be kept.
    NotKept,
    /// A value cannot be written in the form that the department wants.
    Unrepresentable,
}

impl Cause {
    /// All of them.
    pub const ALL: [Self; 20] = [
        Self::Timeout,
        Self::ConnectRefused,
        Self::ConnectionLost,
        Self::Tls,
        Self::Busy,
        Self::Denied,
        Self::SourceError,
        Self::InvalidSourceResponse,
        Self::WrongSubject,
        Self::UnknownCode,
        Self::TooLarge,
        Self::Misconfigured,
        Self::PlannedOutage,
        Self::ClosedByOperator,
        Self::CircuitOpen,
        Self::RateLimited,
        Self::Saturated,
        Self::Interrupted,
        Self::NotKept,
        Self::Unrepresentable,
    ];

    /// The word on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::ConnectRefused => "connect-refused",
            Self::ConnectionLost => "connection-lost",
            Self::Tls => "tls",
            Self::Busy => "busy",
            Self::Denied => "denied",
            Self::SourceError => "source-error",
            Self::InvalidSourceResponse => "invalid-source-response",
            Self::WrongSubject => "wrong-subject",
            Self::UnknownCode => "unknown-code",
            Self::TooLarge => "too-large",
            Self::Misconfigured => "misconfigured",
            Self::PlannedOutage => "planned-outage",
            Self::ClosedByOperator => "closed-by-operator",
            Self::CircuitOpen => "circuit-open",
            Self::RateLimited => "rate-limited",
            Self::Saturated => "saturated",
            Self::Interrupted => "interrupted",
            Self::NotKept => "not-kept",
            Self::Unrepresentable => "unrepresentable",
        }
    }
}

/// What a cause says of the department, and of asking again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Nature {
    /// The department failed, and may be well a moment later.
    Passing,
    /// The department failed, and asking again at once would not help.
    Standing,
    /// The department was not called, because of what the gateway knows of it or may not do; later it may.
    Held,
    /// The question cannot be asked, now or later.
    Hopeless,
}

impl Cause {
    fn nature(self) -> Nature {
        match self {
            Self::Timeout | Self::ConnectRefused | Self::ConnectionLost | Self::Busy | Self::SourceError => {
                Nature::Passing
            }
            Self::Tls
            | Self::Denied
            | Self::InvalidSourceResponse
            | Self::WrongSubject
            | Self::UnknownCode
            | Self::TooLarge => Nature::Standing,
            Self::PlannedOutage
            | Self::ClosedByOperator
            | Self::CircuitOpen
            | Self::RateLimited
            | Self::Saturated
            | Self::NotKept => Nature::Held,
            Self::Misconfigured | Self::Interrupted | Self::Unrepresentable => Nature::Hopeless,
        }
    }

    /// Whether asking again may go well a moment later.
    #[must_use]
    pub fn may_pass(self) -> bool {
        self.nature() == Nature::Passing
    }

    /// Whether it is the department that failed.
    #[must_use]
    pub fn is_the_departments(self) -> bool {
        matches!(self.nature(), Nature::Passing | Nature::Standing)
    }

    /// Whether the question may be asked again later, when the department can be asked.
    #[must_use]
    pub fn is_passing(self) -> bool {
        matches!(self.nature(), Nature::Passing | Nature::Held)
    }
}

/// What happens to a matter (处置方式).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Disposition {
    /// Departments check the fact with each other.
    Verify,
    /// Another body issues the paper.
    Issuer,
    /// The resident's own papers serve.
    OwnDocuments,
    /// No proof is needed at all.
    Abolished,
}

/// What triage says about a demand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// In the annex: a committee must not issue it.
    Prohibited,
    /// In the city's list of retained items: a committee issues it by its guide.
    Retained,
    /// Neither: the demander must state a legal basis (二(一)).
    NoBasis,
}
