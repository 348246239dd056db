use std::fmt;
use std::str::FromStr;

use super::liaoning::{self, Entry};

/// An administrative division (行政区划代码, GB/T 2260; below the county GB/T 10114 and the statistical
/// codes): 2, 4, 6, 9 or 12 digits, each level a prefix of the next.
///
/// Liaoning is known county by county, with the codes that were abolished; other provinces by prefix.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Division {
    digits: [u8; 12],
    level: Level,
}

/// How deep a division lies; the number of digits of its code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Level {
    /// 2 digits: province, autonomous region, municipality.
    Province,
    /// 4 digits: prefecture-level city.
    Prefecture,
    /// 6 digits: county, district, county-level city.
    County,
    /// 9 digits: street, town.
    Township,
    /// 12 digits: neighbourhood or village committee.
    Committee,
}

/// Why a text is not a division.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DivisionError {
    /// Not 2, 4, 6, 9 or 12 digits.
    #[error("a division has 2, 4, 6, 9 or 12 digits")]
    Form,
    /// No province has this prefix, or Liaoning has no such city or county.
    #[error("no administrative division has this code")]
    Unknown,
}

/// First two digits of every province-level unit, GB/T 2260; 83 is on the residence permits of Taiwan's residents.
const PROVINCES: [&[u8; 2]; 35] = [
    b"11", b"12", b"13", b"14", b"15", b"21", b"22", b"23", b"31", b"32", b"33", b"34", b"35", b"36", b"37", b"41",
    b"42", b"43", b"44", b"45", b"46", b"50", b"51", b"52", b"53", b"54", b"61", b"62", b"63", b"64", b"65", b"71",
    b"81", b"82", b"83",
];

impl Division {
    /// The code's digits, as many as its level has.
    #[must_use]
    pub fn code(&self) -> &str {
        // Only ASCII digits get into the array.
        std::str::from_utf8(&self.digits[..self.level.digits()]).unwrap_or_default()
    }

    /// How deep it lies.
    #[must_use]
    pub fn level(&self) -> Level {
        self.level
    }

    /// The first six digits, if the division is a county or lies in one.
    #[must_use]
    pub fn county_code(&self) -> Option<&str> {
        (self.level >= Level::County).then(|| &self.code()[..6])
    }

    /// Whether `other` is this division or lies in it.
    #[must_use]
    pub fn contains(&self, other: &Self) -> bool {
        other.code().starts_with(self.code())
    }

    /// The official name, for Liaoning's cities and counties, present and former.
    #[must_use]
    pub fn name(&self) -> Option<&'static str> {
        match self.level {
            Level::Province => (self.code() == "21").then_some("辽宁省"),
            Level::Prefecture => liaoning::find(&format!("{}00", self.code())).map(|entry| entry.name),
            Level::County | Level::Township | Level::Committee => {
                liaoning::find(&self.code()[..6]).map(|entry| entry.name)
            }
        }
    }

    /// Liaoning's present counties, districts and county-level cities, for whoever needs real ones.
    pub fn counties_of_liaoning() -> impl Iterator<Item = Self> {
        liaoning::ENTRIES
            .iter()
            .filter(|entry| entry.in_force && entry.is_county())
            .filter_map(|entry| entry.code.to_string().parse().ok())
    }

    /// Liaoning itself, and its cities, counties and districts of today, for whoever picks one by name.
    pub fn of_liaoning() -> impl Iterator<Item = Self> {
        let all =
            liaoning::ENTRIES.iter().filter(|entry| entry.in_force && (entry.code % 100 == 0 || entry.is_county()));
        all.filter_map(|entry| {
            let code = entry.code.to_string();
            let short = code.strip_suffix("0000").or_else(|| code.strip_suffix("00")).unwrap_or(&code);
            short.parse().ok()
        })
    }

    /// Whether ID numbers may begin with these six digits: a county, present or abolished.
    pub(super) fn issues_id_numbers(county: &str) -> bool {
        if let Some(prefecture) = county.strip_prefix("21") {
            return !prefecture.ends_with("00") && liaoning::find(county).is_some();
        }
        is_province(county.as_bytes())
    }
}

impl Level {
    fn of(digits: usize) -> Option<Self> {
        match digits {
            2 => Some(Self::Province),
            4 => Some(Self::Prefecture),
            6 => Some(Self::County),
            9 => Some(Self::Township),
            12 => Some(Self::Committee),
            _ => None,
        }
    }

    fn digits(self) -> usize {
        match self {
            Self::Province => 2,
            Self::Prefecture => 4,
            Self::County => 6,
            Self::Township => 9,
            Self::Committee => 12,
        }
    }
}

impl FromStr for Division {
    type Err = DivisionError;

    fn from_str(text: &str) -> Result<Self, DivisionError> {
        let level = Level::of(text.len()).ok_or(DivisionError::Form)?;
        if !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(DivisionError::Form);
        }
        let mut digits = [b'0'; 12];
        digits[..text.len()].copy_from_slice(text.as_bytes());
        let known = match (level, text.starts_with("21")) {
            (Level::Province, _) | (_, false) => is_province(text.as_bytes()),
            (Level::Prefecture, true) => liaoning::find(&format!("{text}00")).is_some(),
            (_, true) => liaoning::find(&text[..6]).is_some_and(Entry::is_county),
        };
        if known { Ok(Self { digits, level }) } else { Err(DivisionError::Unknown) }
    }
}

impl fmt::Display for Division {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.code())
    }
}

impl fmt::Debug for Division {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Division({})", self.code())
    }
}

fn is_province(code: &[u8]) -> bool {
    PROVINCES.iter().any(|province| code.starts_with(*province))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn liaoning_has_a_hundred_counties_each_with_a_name() {
        let counties: Vec<Division> = Division::counties_of_liaoning().collect();
        assert_eq!(counties.len(), 100);
        assert!(counties.iter().all(|county| county.name().is_some()));
    }

    #[test]
    fn levels_nest() {
        let city: Division = "2101".parse().unwrap();
        let committee: Division = "210102001001".parse().unwrap();
        assert_eq!(city.name(), Some("沈阳市"));
        assert_eq!(committee.name(), Some("和平区"));
        assert!(city.contains(&committee));
        assert!(!committee.contains(&city));
    }

    #[test]
    fn former_codes_are_known_and_invented_ones_refused() {
        assert_eq!("210225".parse::<Division>().unwrap().name(), Some("庄河县"));
        assert_eq!("210199".parse::<Division>(), Err(DivisionError::Unknown));
        assert_eq!("2199".parse::<Division>(), Err(DivisionError::Unknown));
        assert_eq!("00".parse::<Division>(), Err(DivisionError::Unknown));
        assert_eq!("210".parse::<Division>(), Err(DivisionError::Form));
        assert_eq!("21010a".parse::<Division>(), Err(DivisionError::Form));
        assert!("440300".parse::<Division>().is_ok());
    }
}
