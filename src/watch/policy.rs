use std::time::Duration;

use serde::Deserialize;

/// The lengths of the windows in minutes: ten minutes, an hour, a day.
pub const WINDOWS: [i64; 3] = [10, 60, 24 * 60];

/// When questions are slowed and stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// For each officer that an agency names.
    pub officer: Bounds,
    /// For each agency as a whole.
    pub agency: Bounds,
    /// Names that an agency tries with one ID number in a day.
    pub names: Bound,
    /// Other people that an agency tries with one ID number in a day.
    pub counterparts: Bound,
    /// How long a question waits that is just short of the second bound, behind those that wait already; past the first bound
    /// it is a tenth of this, and grows evenly.
    pub delay: Duration,
    /// A question that would wait longer is stopped.
    pub longest_delay: Duration,
}

/// What is counted in windows of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// People asked about, in each of [`WINDOWS`].
    pub subjects: [Bound; 3],
    /// Answers that are `mismatch`.
    pub mismatch: Share,
    /// Answers that are `no_record`.
    pub no_record: Share,
}

/// A number: past `slow` questions are slowed, past `stop` they are stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bound {
    /// So many are all right.
    pub slow: u32,
    /// So many may be asked, slowly.
    pub stop: u32,
}

/// A share of the answers of a window, in per cent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Share {
    /// Such a share is all right.
    pub slow: u32,
    /// Such a share may be asked, slowly.
    pub stop: u32,
    /// Of fewer answers no share is taken.
    pub of: u32,
}

impl Bound {
    /// Nothing is past it.
    pub const NONE: Self = Self { slow: u32::MAX, stop: u32::MAX };
}

impl Bounds {
    const NONE: Self = Self { subjects: [Bound::NONE; 3], mismatch: Share::NONE, no_record: Share::NONE };
}

impl Share {
    /// Nothing is past it.
    pub const NONE: Self = Self { slow: 100, stop: 100, of: u32::MAX };
}

impl Policy {
    /// Nobody is ever slowed: for a demo and for tests of other things.
    pub const WIDE: Self = Self {
        officer: Bounds::NONE,
        agency: Bounds::NONE,
        names: Bound::NONE,
        counterparts: Bound::NONE,
        delay: Duration::ZERO,
        longest_delay: Duration::ZERO,
    };

    /// How long a question waits by how far, in thousandths, it is from the first bound to the second.
    pub(super) fn delay(&self, severity: u32) -> Duration {
        self.delay * severity.clamp(100, 1000) / 1000
    }
}

impl Default for Policy {
    /// What somebody at a counter never reaches: an officer who asks about a person every ten seconds all day long is slowed.
    fn default() -> Self {
        let bound = |slow, stop| Bound { slow, stop };
        let share = |slow, stop, of| Share { slow, stop, of };
        Self {
            officer: Bounds {
                subjects: [bound(60, 120), bound(200, 400), bound(800, 1600)],
                mismatch: share(30, 60, 20),
                no_record: share(60, 90, 30),
            },
            agency: Bounds {
                subjects: [bound(3000, 6000), bound(10_000, 20_000), bound(40_000, 60_000)],
                mismatch: share(20, 50, 200),
                no_record: share(60, 90, 200),
            },
            names: bound(3, 6),
            counterparts: bound(6, 12),
            delay: Duration::from_secs(2),
            longest_delay: Duration::from_secs(5),
        }
    }
}
