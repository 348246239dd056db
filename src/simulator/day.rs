//! Days as four bytes: a million people have many dates.

use std::fmt;
use std::num::NonZeroU32;

use jiff::civil::Date;

/// A day, counted from 1 January 1800.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Day(NonZeroU32);

/// Days from 1 March of the year 0 to 31 December 1799.
const OFFSET: u32 = 657_376;

impl Day {
    pub(super) fn new(year: u32, month: u32, day: u32) -> Self {
        // Years begin in March here, so that the leap day is a year's last.
        let (year, month) = if month > 2 { (year, month - 3) } else { (year.saturating_sub(1), month + 9) };
        let (era, of_era) = (year / 400, year % 400);
        let of_year = (153 * month + 2) / 5 + day.saturating_sub(1);
        let count = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year;
        Self::numbered(count.saturating_sub(OFFSET))
    }

    pub(super) fn of(date: Date) -> Self {
        Self::new(
            u32::try_from(date.year()).unwrap_or(0),
            u32::try_from(date.month()).unwrap_or(1),
            u32::try_from(date.day()).unwrap_or(1),
        )
    }

    /// Reads `YYYY-MM-DD`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        (text.len() == 10).then(|| text.parse::<Date>().ok().map(Self::of)).flatten()
    }

    pub(super) fn date(self) -> Date {
        let (year, month, day) = self.parts();
        let narrow = |part: u32| i8::try_from(part).unwrap_or(1);
        Date::new(i16::try_from(year).unwrap_or(1800), narrow(month), narrow(day)).unwrap_or_default()
    }

    /// Year, month and day of the month.
    pub(super) fn parts(self) -> (u32, u32, u32) {
        let count = self.0.get() + OFFSET;
        let (era, of_era) = (count / 146_097, count % 146_097);
        let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted = (5 * of_year + 2) / 153;
        let day = of_year - (153 * shifted + 2) / 5 + 1;
        let (month, carry) = if shifted < 10 { (shifted + 3, 0) } else { (shifted - 9, 1) };
        (era * 400 + year_of_era + carry, month, day)
    }

    pub(super) fn year(self) -> u32 {
        self.parts().0
    }

    pub(super) fn plus(self, days: u32) -> Self {
        Self::numbered(self.0.get().saturating_add(days))
    }

    pub(super) fn minus(self, days: u32) -> Self {
        Self::numbered(self.0.get().saturating_sub(days))
    }

    /// The same day of the year, so many years later; 29 February becomes 1 March.
    pub(super) fn plus_years(self, years: u32) -> Self {
        let (year, month, day) = self.parts();
        let leap = (year + years).is_multiple_of(4)
            && (!(year + years).is_multiple_of(100) || (year + years).is_multiple_of(400));
        if (month, day) == (2, 29) && !leap {
            Self::new(year + years, 3, 1)
        } else {
            Self::new(year + years, month, day)
        }
    }

    /// Days from `earlier` to here; 0 if it is later.
    pub(super) fn since(self, earlier: Self) -> u32 {
        self.0.get().saturating_sub(earlier.0.get())
    }

    /// Position in time, for sorting.
    pub(super) fn number(self) -> u32 {
        self.0.get()
    }

    /// The inverse of [`Self::number`].
    pub(super) fn numbered(number: u32) -> Self {
        Self(NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN))
    }

    /// `YYYYMMDD`.
    pub(super) fn compact(self) -> String {
        let (year, month, day) = self.parts();
        format!("{year:04}{month:02}{day:02}")
    }
}

impl fmt::Display for Day {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.parts();
        write!(formatter, "{year:04}-{month:02}-{day:02}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_agree_with_the_calendar() {
        let mut date = jiff::civil::date(1899, 12, 25);
        let mut day = Day::of(date);
        for _ in 0..60_000 {
            assert_eq!(day.date(), date);
            assert_eq!(Day::of(date), day);
            assert_eq!(day.to_string(), date.to_string());
            date = date.tomorrow().unwrap();
            day = day.plus(1);
        }
    }

    #[test]
    fn leap_days_have_anniversaries() {
        assert_eq!(Day::new(2000, 2, 29).plus_years(1), Day::new(2001, 3, 1));
        assert_eq!(Day::new(2000, 2, 29).plus_years(4), Day::new(2004, 2, 29));
        assert_eq!(Day::parse("2001-02-29"), None);
        assert_eq!(Day::parse("20010228"), None);
    }
}
