//! Names of traces and spans, and how they travel (W3C Trace Context).

use std::fmt;
use std::num::{NonZeroU64, NonZeroU128};
use std::str::FromStr;

/// The name of a trace: the same wherever it passes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TraceId(NonZeroU128);

/// The name of a span in it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SpanId(NonZeroU64);

/// A text that is no such name: 32 or 16 lower-case hexadecimal digits, not all of them 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("lower-case hexadecimal digits, 32 of a trace and 16 of a span, not all of them 0")]
pub struct NoId;

impl TraceId {
    /// A new one. All of it is random, because samplers elsewhere decide by its last digits.
    #[must_use]
    pub fn random() -> Self {
        Self(NonZeroU128::new(fastrand::u128(1..)).unwrap_or(NonZeroU128::MIN))
    }

    /// The bytes, as they are written.
    #[must_use]
    pub fn bytes(self) -> [u8; 16] {
        self.0.get().to_be_bytes()
    }

    /// What a sampler looks at: the last 8 bytes.
    pub(super) fn low(self) -> u64 {
        u64::try_from(self.0.get() & u128::from(u64::MAX)).unwrap_or_default()
    }
}

impl SpanId {
    /// A new one.
    #[must_use]
    pub fn random() -> Self {
        Self(NonZeroU64::new(fastrand::u64(1..)).unwrap_or(NonZeroU64::MIN))
    }

    /// The bytes, as they are written.
    #[must_use]
    pub fn bytes(self) -> [u8; 8] {
        self.0.get().to_be_bytes()
    }
}

/// Whether a text is so many lower-case hexadecimal digits.
fn is_hex(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

impl FromStr for TraceId {
    type Err = NoId;

    fn from_str(text: &str) -> Result<Self, NoId> {
        let number = u128::from_str_radix(text, 16).ok().filter(|_| is_hex(text, 32));
        number.and_then(NonZeroU128::new).map(Self).ok_or(NoId)
    }
}

impl FromStr for SpanId {
    type Err = NoId;

    fn from_str(text: &str) -> Result<Self, NoId> {
        let number = u64::from_str_radix(text, 16).ok().filter(|_| is_hex(text, 16));
        number.and_then(NonZeroU64::new).map(Self).ok_or(NoId)
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:032x}", self.0)
    }
}

impl fmt::Display for SpanId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:016x}", self.0)
    }
}

impl fmt::Debug for TraceId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl fmt::Debug for SpanId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// A span as those know it who work for it: what `traceparent` says (W3C Trace Context, section 3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parent {
    /// Its trace.
    pub trace: TraceId,
    /// Its own name.
    pub span: SpanId,
    /// Whether its caller may have recorded it.
    pub is_sampled: bool,
}

impl FromStr for Parent {
    type Err = NoId;

    /// Reads a `traceparent`. Of later versions what this one knows is read, as the standard has it.
    fn from_str(text: &str) -> Result<Self, NoId> {
        let mut parts = text.splitn(5, '-');
        let mut part = || parts.next().ok_or(NoId);
        let (version, trace, span, flags) = (part()?, part()?, part()?, part()?);
        let is_known = is_hex(version, 2) && version != "ff" && is_hex(flags, 2);
        if !is_known || (version == "00" && parts.next().is_some()) {
            return Err(NoId);
        }
        let flags = u8::from_str_radix(flags, 16).map_err(|_| NoId)?;
        Ok(Self { trace: trace.parse()?, span: span.parse()?, is_sampled: flags & SAMPLED == SAMPLED })
    }
}

impl fmt::Display for Parent {
    /// A `traceparent` of version 00.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { trace, span, is_sampled } = self;
        write!(formatter, "00-{trace}-{span}-{:02x}", u8::from(*is_sampled))
    }
}

/// The flag of those that may have been recorded.
const SAMPLED: u8 = 1;

/// The most bytes of a `tracestate` that is handed on.
const MOST_STATE: usize = 512;

/// A `tracestate` (W3C Trace Context, section 3.3) as it is handed on, from the fields in which it came; `None`: there is none,
/// or one that nobody has to hand on. It is never looked into, and recorded nowhere.
pub(super) fn state<'a>(fields: impl Iterator<Item = &'a str>) -> Option<Box<str>> {
    let mut state = String::new();
    for field in fields.map(str::trim).filter(|field| !field.is_empty()) {
        if !state.is_empty() {
            state.push(',');
        }
        state.push_str(field);
    }
    let is_sound = (1..=MOST_STATE).contains(&state.len()) && state.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    is_sound.then(|| state.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_traceparent_is_read_and_written() {
        let parent: Parent = GOOD.parse().unwrap();
        assert_eq!(parent.trace.to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(parent.span.to_string(), "00f067aa0ba902b7");
        assert!(parent.is_sampled);
        assert_eq!(parent.to_string(), GOOD);
        let later: Parent = "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-02-more".parse().unwrap();
        assert!(!later.is_sampled);
    }

    #[test]
    fn what_is_none_is_refused() {
        let zeros = "0".repeat(32);
        for bad in [
            "",
            "00-0-0-0",
            &GOOD.to_uppercase(),
            &GOOD.replacen("00-", "ff-", 1),
            &GOOD.replacen("00-", "0g-", 1),
            &format!("{GOOD}-00"),
            &format!("00-{zeros}-00f067aa0ba902b7-01"),
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1",
            "00-+bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
        ] {
            assert_eq!(bad.parse::<Parent>(), Err(NoId), "{bad}");
        }
    }

    #[test]
    fn new_names_are_spread_evenly_where_samplers_look() {
        let below = (0..4000).filter(|_| TraceId::random().low() >> 1 < 1 << 62).count();
        assert!((1500..2500).contains(&below), "{below}");
    }

    #[test]
    fn a_tracestate_is_one_text_within_bounds() {
        assert_eq!(state(["a=1", " b=2 ", ""].into_iter()).as_deref(), Some("a=1,b=2"));
        let long = format!("a={}", "x".repeat(600));
        for none in [vec![], vec![""], vec![long.as_str()], vec!["a=张三"], vec!["a=\u{7}"]] {
            assert_eq!(state(none.iter().copied()), None, "{none:?}");
        }
    }
}
