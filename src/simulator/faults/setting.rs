//! One fault, as the control endpoint and the command line set it.

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::HEALTH;
use crate::simulator::calls;
use crate::simulator::department::Twist;

/// A way in which a department fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::simulator) enum Fault {
    /// Answers after `millis`.
    Delay,
    /// Takes the request and never answers.
    Hang,
    /// Resets connections.
    Refuse,
    /// Closes the connection in the middle of the body.
    Cut,
    #[serde(rename = "status-500")]
    Status500,
    #[serde(rename = "status-503")]
    Status503,
    /// Answers with bytes that are no document.
    Garbage,
    WrongSchema,
    WrongPerson,
    UnknownCode,
    /// The reply, and very much white space after it.
    Huge,
    /// The reply, one byte every `millis` (100 if that is 0).
    Drip,
    /// Says that all is well, with a null where the records belong.
    Null,
    /// Status 200 without a body.
    #[serde(rename = "empty-200")]
    Empty200,
    /// Refuses the caller's signature.
    BadSignature,
}

/// A fault to set. As text: `SOURCE.OPERATION=FAULT`, and `,share=…` and `,millis=…` where they matter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Setting {
    pub(super) source: String,
    /// An operation, or `*` for all.
    pub(super) operation: String,
    pub(super) fault: Fault,
    /// How many of the calls it hits, from 0 to 1.
    #[serde(default = "all")]
    pub(super) share: f64,
    #[serde(default)]
    pub(super) millis: u64,
}

fn all() -> f64 {
    1.0
}

impl Setting {
    /// Whether there is such a source and such an operation, and the numbers make sense.
    ///
    /// # Errors
    /// A sentence that says what there is no such thing of.
    pub(super) fn check(&self) -> Result<(), String> {
        let operations = calls::operations(&self.source).ok_or_else(|| {
            let known: Vec<&str> = calls::sources().collect();
            format!("there is no source \"{}\": {} are simulated", self.source, known.join(", "))
        })?;
        if self.operation != "*" && !operations.contains(&self.operation.as_str()) {
            let known = operations.join(", ");
            return Err(format!(
                "{} has no operation \"{}\": it has {known}, and * for all",
                self.source, self.operation
            ));
        }
        if !(0.0..=1.0).contains(&self.share) {
            return Err("the share is a number from 0 to 1".to_owned());
        }
        if self.millis > MOST_MILLIS {
            return Err(format!("millis is at most {MOST_MILLIS}"));
        }
        Ok(())
    }

    /// `*` is every operation; when the machine itself is down, the issuing of tokens and keys is, too, and so are the
    /// questions whether it is up. The fetching of feedback belongs to its operation.
    pub(super) fn covers(&self, operation: &str) -> bool {
        if self.operation == "*" {
            let is_down = matches!(self.fault, Fault::Refuse | Fault::Hang | Fault::Status500 | Fault::Status503);
            return is_down || !matches!(operation, "token" | "key" | HEALTH);
        }
        let rest = operation.strip_prefix(self.operation.as_str());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    }
}

impl Fault {
    /// The fault as a change of the reply's content, if it is one.
    pub(in crate::simulator) fn twist(self) -> Option<Twist> {
        match self {
            Self::WrongSchema => Some(Twist::WrongSchema),
            Self::WrongPerson => Some(Twist::WrongPerson),
            Self::UnknownCode => Some(Twist::UnknownCode),
            Self::BadSignature => Some(Twist::BadSignature),
            Self::Null => Some(Twist::Null),
            Self::Delay
            | Self::Hang
            | Self::Refuse
            | Self::Cut
            | Self::Status500
            | Self::Status503
            | Self::Garbage
            | Self::Huge
            | Self::Drip
            | Self::Empty200 => None,
        }
    }
}

impl FromStr for Setting {
    /// A sentence that says what is wrong.
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let form = || format!("write it such as {EXAMPLE}");
        let (target, rest) = text.split_once('=').ok_or_else(form)?;
        // The fetching of feedback has a dot in its name, no source has.
        let (source, operation) = target.split_once('.').ok_or_else(form)?;
        let mut parts = rest.split(',');
        let word = parts.next().unwrap_or_default();
        let fault = Fault::deserialize(Value::String(word.to_owned())).map_err(|error| error.to_string())?;
        let (source, operation) = (source.to_owned(), operation.to_owned());
        let mut setting = Self { source, operation, fault, share: all(), millis: 0 };
        let mut said = Vec::new();
        for part in parts {
            let (name, value) = part.split_once('=').ok_or_else(form)?;
            if said.contains(&name) {
                return Err(format!("{name} is said twice"));
            }
            said.push(name);
            match name {
                "share" => setting.share = value.parse().map_err(|_| "the share is a number from 0 to 1")?,
                "millis" => setting.millis = value.parse().map_err(|_| "millis is a whole number")?,
                _ => return Err(format!("a fault has a share and millis, and no \"{name}\"")),
            }
        }
        setting.check()?;
        Ok(setting)
    }
}

const EXAMPLE: &str = "police.person=delay,share=0.3,millis=50";
const MOST_MILLIS: u64 = 3_600_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_written_in_one_word() {
        let setting: Setting = "court.judgments.fetch=drip,millis=5,share=0.25".parse().unwrap();
        let expected = Setting {
            source: "court".to_owned(),
            operation: "judgments.fetch".to_owned(),
            fault: Fault::Drip,
            share: 0.25,
            millis: 5,
        };
        assert_eq!(setting, expected);
        let setting: Setting = "police.*=status-503".parse().unwrap();
        assert_eq!((setting.operation.as_str(), setting.fault, setting.share), ("*", Fault::Status503, 1.0));
    }

    #[test]
    fn what_is_wrong_with_a_fault_is_said() {
        for (text, reason) in [
            ("", EXAMPLE),
            ("hang", EXAMPLE),
            ("police=hang", EXAMPLE),
            ("police.person=hang,0.5", EXAMPLE),
            ("army.person=hang", "there is no source \"army\": police,"),
            ("police.birth=hang", "it has person, households, and * for all"),
            ("police.=hang", "no operation \"\""),
            ("police.person=explode", "unknown variant `explode`, expected one of `delay`"),
            ("police.person=hang,share=2", "share is a number from 0 to 1"),
            ("police.person=hang,share=NaN", "share is a number from 0 to 1"),
            ("police.person=hang,share=", "share is a number from 0 to 1"),
            ("police.person=delay,millis=1.5", "millis is a whole number"),
            ("police.person=delay,millis=9999999", "millis is at most"),
            ("police.person=delay,millis=1,millis=2", "millis is said twice"),
            ("police.person=delay,when=now", "no \"when\""),
        ] {
            let said = text.parse::<Setting>().unwrap_err();
            assert!(said.contains(reason), "{text}: {said}");
        }
    }
}
