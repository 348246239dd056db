//! How a department or an operation is doing, in a word.

/// How a department or an operation is doing; the worst comes last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Nobody has asked it within ten minutes.
    NoTraffic,
    /// Its calls are answered.
    Well,
    /// It was failing; its last call was answered, and nothing has failed for a minute.
    Recovered,
    /// It is out of service now, as planned.
    PlannedOutage,
    /// It was failing, and its last calls were answered.
    Recovering,
    /// Some of its calls fail.
    Degraded,
    /// An operator has closed it.
    ClosedByHand,
    /// Half of its calls fail, or more.
    Failing,
    /// It has failed too often of late, and is left alone: a call finds out every now and then whether it is well again.
    LeftAlone,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::NoTraffic,
        Self::Well,
        Self::Recovered,
        Self::PlannedOutage,
        Self::Recovering,
        Self::Degraded,
        Self::ClosedByHand,
        Self::Failing,
        Self::LeftAlone,
    ];

    /// Its name: the key of its words.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoTraffic => "no-traffic",
            Self::Well => "well",
            Self::Recovered => "recovered",
            Self::PlannedOutage => "planned-outage",
            Self::Recovering => "recovering",
            Self::Degraded => "degraded",
            Self::ClosedByHand => "closed-by-hand",
            Self::Failing => "failing",
            Self::LeftAlone => "left-alone",
        }
    }

    /// Whether there is something to do about it.
    #[must_use]
    pub fn is_trouble(self) -> bool {
        match self {
            Self::NoTraffic | Self::Well | Self::Recovered | Self::PlannedOutage => false,
            Self::Recovering | Self::Degraded | Self::ClosedByHand | Self::Failing | Self::LeftAlone => true,
        }
    }

    /// How bad it is: being left alone is what becomes of failing.
    pub(super) fn weight(self) -> u8 {
        match self {
            Self::NoTraffic | Self::Well => 0,
            Self::Recovered => 1,
            Self::PlannedOutage => 2,
            Self::Recovering => 3,
            Self::Degraded | Self::ClosedByHand => 4,
            Self::Failing | Self::LeftAlone => 5,
        }
    }
}
