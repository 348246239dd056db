//! How old a fact may be at most: `10m`, `1h30m`, `90s`, `500ms`, up to 24 hours.

use std::time::Duration;

/// Exactly what is accepted (ECMA-262).
pub(super) const PATTERN: &str = concat!(
    "^(24h(0?0m)?(0?0s)?|([01]?[0-9]|2[0-3])h([0-5]?[0-9]m)?([0-5]?[0-9]s)?",
    "|1440m(0?0s)?|(14[0-3][0-9]|1[0-3][0-9]{2}|0?[0-9]{1,3})m([0-5]?[0-9]s)?",
    "|(86400|86[0-3][0-9]{2}|8[0-5][0-9]{3}|[0-7]?[0-9]{1,4})s",
    "|(86400000|86[0-3][0-9]{5}|8[0-5][0-9]{6}|[0-7]?[0-9]{1,7})ms)$"
);

/// Each unit with its milliseconds, and how many of it may stand before the next greater one is due.
const UNITS: [(&str, u64, u64); 4] = [("h", 3_600_000, 24), ("m", 60_000, 59), ("s", 1000, 59), ("ms", 1, 0)];

const DAY: u64 = 86_400_000;

/// The length of time that a text says.
pub(super) fn parse(text: &str) -> Option<Duration> {
    let (mut rest, mut units, mut total) = (text, UNITS.as_slice(), 0_u64);
    while !rest.is_empty() {
        let digits = rest.find(|character: char| !character.is_ascii_digit())?;
        let (number, tail) = rest.split_at(digits);
        let unit = &tail[..tail.find(|character: char| !character.is_ascii_lowercase()).unwrap_or(tail.len())];
        let place = units.iter().position(|(name, ..)| *name == unit)?;
        let (_, millis, most) = units[place];
        let is_first = rest.len() == text.len();
        let count = number.parse::<u64>().ok()?;
        let most = if is_first { DAY / millis } else { most };
        let longest = if is_first { most.to_string().len() } else { 2 };
        if count > most || number.len() > longest || !is_first && unit == "ms" {
            return None;
        }
        total += count * millis;
        units = &units[place + 1..];
        rest = &tail[unit.len()..];
    }
    (!text.is_empty() && total <= DAY).then(|| Duration::from_millis(total))
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    static SCHEMA: LazyLock<jsonschema::Validator> =
        LazyLock::new(|| jsonschema::validator_for(&json!({"type": "string", "pattern": PATTERN})).unwrap());

    fn agree(text: &str) {
        assert_eq!(parse(text).is_some(), SCHEMA.is_valid(&json!(text)), "{text}");
    }

    #[test]
    fn lengths_of_time() {
        for (text, seconds) in [
            ("0s", Some(0)),
            ("10m", Some(600)),
            ("1h30m", Some(5400)),
            ("1h5s", Some(3605)),
            ("2h03m04s", Some(7384)),
            ("24h", Some(86_400)),
            ("1440m", Some(86_400)),
            ("86400s", Some(86_400)),
            ("3000ms", Some(3)),
            ("24h0m00s", Some(86_400)),
            ("24h1s", None),
            ("1441m", None),
            ("86401s", None),
            ("1440m1s", None),
            ("1h60m", None),
            ("1s1m", None),
            ("1h1h", None),
            ("1.5h", None),
            ("PT1H", None),
            (" 1m", None),
            ("1m ", None),
            ("-1m", None),
            ("10", None),
            ("h", None),
            ("", None),
            ("999999999999999999999h", None),
        ] {
            assert_eq!(parse(text), seconds.map(Duration::from_secs), "{text}");
            agree(text);
        }
        for (unit, most) in [("h", 40), ("m", 1500), ("s", 90_000)] {
            for count in 0..most {
                agree(&format!("{count}{unit}"));
            }
        }
        for count in (86_399_000..86_400_100).chain(8_599_990..8_600_010).chain(9_999_990..10_000_010) {
            agree(&format!("{count}ms"));
        }
    }

    proptest! {
        #[test]
        fn the_pattern_says_exactly_what_is_accepted(text in "([0-9]{0,3}h)?([0-9]{0,5}m)?([0-9]{0,6}s)?([0-9]{1,9}ms)?") {
            agree(&text);
        }
    }
}
