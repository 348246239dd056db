//! The words for what the counter's core says, as keys of the catalogue.

use jiff::Timestamp;

use crate::counter::{Basis, Field, NoDivision, Wrong};
use crate::domain::{Answer, Cause, Disposition, IdNumberError, Outcome, PersonNameError};
use crate::words::Words;

/// The name of a disposition, for style sheets and anchors.
pub(super) fn disposition(disposition: Disposition) -> &'static str {
    match disposition {
        Disposition::Verify => "verify",
        Disposition::Issuer => "issuer",
        Disposition::OwnDocuments => "own-documents",
        Disposition::Abolished => "abolished",
    }
}

/// What a group of matters is called.
pub(super) fn group_heading(disposition: Disposition) -> &'static str {
    match disposition {
        Disposition::Verify => "counter.group_verify",
        Disposition::Issuer => "counter.group_issuer",
        Disposition::OwnDocuments => "counter.group_own_documents",
        Disposition::Abolished => "counter.group_abolished",
    }
}

/// The answer to a demand, in one line.
pub(super) fn headline(disposition: Disposition) -> &'static str {
    match disposition {
        Disposition::Verify => "counter.answer_verify",
        Disposition::Issuer => "counter.answer_issuer",
        Disposition::OwnDocuments => "counter.answer_own_documents",
        Disposition::Abolished => "counter.answer_abolished",
    }
}

/// What stands above a matter's documents: where no proof is needed, they are what was lost.
pub(super) fn documents(disposition: Disposition) -> &'static str {
    match disposition {
        Disposition::Verify | Disposition::Issuer | Disposition::OwnDocuments => "counter.documents",
        Disposition::Abolished => "counter.documents_lost",
    }
}

/// How an outcome looks beside its words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Look {
    /// The class of its box: `good`, `warn`, `bad`, or nothing.
    pub(super) tone: &'static str,
    /// A sign that needs no colour.
    pub(super) sign: &'static str,
    /// The headline's key.
    pub(super) headline: &'static str,
    /// What it means.
    pub(super) meaning: &'static str,
    /// What to do now.
    pub(super) advice: &'static str,
}

/// How an outcome looks.
pub(super) fn outcome(outcome: Outcome) -> Look {
    let look = |tone, sign, headline, meaning, advice| Look { tone, sign, headline, meaning, advice };
    match outcome {
        Outcome::Confirmed => {
            look("good", "✓", "counter.confirmed", "counter.confirmed_means", "counter.confirmed_now")
        }
        Outcome::Refuted => look("bad", "✕", "counter.refuted", "counter.refuted_means", "counter.refuted_now"),
        Outcome::NoRecord => look("warn", "?", "counter.no_record", "counter.no_record_means", "counter.no_record_now"),
        Outcome::Mismatch => look("warn", "≠", "counter.mismatch", "counter.mismatch_means", "counter.mismatch_now"),
        Outcome::Conflict => look("warn", "!", "counter.conflict", "counter.conflict_means", "counter.conflict_now"),
        Outcome::Pending => look("", "…", "counter.pending", "counter.pending_means", "counter.pending_now"),
        Outcome::Unavailable => {
            look("warn", "!", "counter.unavailable", "counter.unavailable_means", "counter.unavailable_now")
        }
        Outcome::Referred => look("", "→", "counter.referred", "counter.referred_means", "counter.referred_now"),
    }
}

/// What a department said, where the question has come to this.
pub(super) fn witness(outcome: Outcome, answer: Answer, cause: Option<Cause>) -> &'static str {
    match (answer, cause) {
        // What the others said was enough: nobody waits for it any more.
        (Answer::Pending, _) if outcome != Outcome::Pending => "counter.witness_not_needed",
        (Answer::Unavailable, Some(cause)) => self::cause(cause),
        (said, _) => self::answer(said),
    }
}

/// What a department said.
fn answer(answer: Answer) -> &'static str {
    match answer {
        Answer::Confirms => "counter.witness_confirms",
        Answer::Refutes => "counter.witness_refutes",
        Answer::NoRecord => "counter.witness_no_record",
        Answer::Mismatch => "counter.witness_mismatch",
        Answer::Unavailable => "counter.witness_unavailable",
        Answer::Pending => "counter.witness_pending",
    }
}

/// Why a department said nothing, as far as it matters at a counter.
fn cause(cause: Cause) -> &'static str {
    match cause {
        Cause::PlannedOutage | Cause::ClosedByOperator => "counter.cause_planned",
        Cause::Busy | Cause::RateLimited | Cause::Saturated | Cause::CircuitOpen => "counter.cause_busy",
        Cause::Timeout | Cause::ConnectRefused | Cause::ConnectionLost | Cause::NotKept => "counter.cause_silent",
        Cause::Tls
        | Cause::Denied
        | Cause::SourceError
        | Cause::InvalidSourceResponse
        | Cause::WrongSubject
        | Cause::UnknownCode
        | Cause::TooLarge
        | Cause::Misconfigured
        | Cause::Interrupted
        | Cause::Unrepresentable => "counter.cause_fault",
    }
}

/// Why something that was typed will not do. What is missing is named as its field is, with whose it is.
pub(super) fn wrong(field: Field, wrong: Wrong, label: &str, words: &Words) -> String {
    let missing = |key| words.fill(key, &[("what", &label.trim_end_matches(['？', '?', '，']))]);
    let key = match wrong {
        Wrong::Missing if matches!(field, Field::Number(_)) => return missing("counter.wrong_number_missing"),
        Wrong::Missing => return missing("counter.wrong_missing"),
        Wrong::NotChosen => return missing("counter.wrong_not_chosen"),
        Wrong::Name(PersonNameError::Empty) => return missing("counter.wrong_name_missing"),
        Wrong::Name(PersonNameError::TooLong) => "counter.wrong_name_long",
        Wrong::Name(PersonNameError::Character) => "counter.wrong_name_character",
        Wrong::IdNumber(IdNumberError::Length) => "counter.wrong_number_length",
        Wrong::IdNumber(IdNumberError::Character) => "counter.wrong_number_character",
        Wrong::IdNumber(IdNumberError::Division) => "counter.wrong_number_division",
        Wrong::IdNumber(IdNumberError::BirthDate) => "counter.wrong_number_birth",
        Wrong::IdNumber(IdNumberError::CheckCharacter) => "counter.wrong_number_check",
        Wrong::IdNumber(IdNumberError::AmbiguousCentury) => "counter.wrong_number_century",
        Wrong::Future => "counter.wrong_future",
        Wrong::SamePerson => "counter.wrong_same_person",
        Wrong::Day => "counter.wrong_day",
        Wrong::Division(NoDivision::Unknown) => "counter.wrong_division",
        Wrong::Division(NoDivision::Several) => "counter.wrong_division_several",
        Wrong::HoldsNumber => "counter.wrong_holds_number",
        Wrong::HoldsName => "counter.wrong_holds_name",
        Wrong::NoLaw => "counter.wrong_no_law",
        Wrong::Shape => "counter.wrong_shape",
        Wrong::Number(least, most) => {
            return words.fill("counter.wrong_count", &[("least", &least), ("most", &most)]);
        }
        Wrong::TooLong(most) => return words.fill("counter.wrong_too_long", &[("most", &most)]),
    };
    words.text(key).to_owned()
}

/// A reason why it may be asked.
pub(super) fn basis(basis: Basis) -> &'static str {
    match basis {
        Basis::Consent => "counter.basis_consent",
        Basis::Relative => "counter.basis_relative",
        Basis::Law => "counter.basis_law",
    }
}

/// What whoever demands the certificate has to do instead.
pub(super) fn demander(disposition: Disposition) -> &'static str {
    match disposition {
        Disposition::Verify => "counter.demander_verify",
        Disposition::Issuer => "counter.demander_issuer",
        Disposition::OwnDocuments => "counter.demander_own_documents",
        Disposition::Abolished => "counter.demander_abolished",
    }
}

/// A moment, by the clock on the wall.
pub(super) fn moment(moment: Timestamp, english: bool) -> String {
    let time = jiff::tz::offset(8).to_datetime(moment);
    let (year, month, day, hour, minute) = (time.year(), time.month(), time.day(), time.hour(), time.minute());
    if english {
        format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}")
    } else {
        format!("{year}年{month}月{day}日 {hour:02}:{minute:02}")
    }
}

/// The time of a day, by the clock on the wall.
pub(super) fn time_of_day(moment: Timestamp) -> String {
    let time = jiff::tz::offset(8).to_datetime(moment);
    format!("{:02}:{:02}", time.hour(), time.minute())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    #[test]
    fn whom_nobody_waits_for_any_more_is_not_said_to_be_at_work() {
        for outcome in Outcome::ALL {
            let is_awaited = outcome == Outcome::Pending;
            let said = witness(outcome, Answer::Pending, None);
            assert_eq!(said == "counter.witness_pending", is_awaited, "{outcome:?}");
            assert_eq!(said == "counter.witness_not_needed", !is_awaited, "{outcome:?}");
        }
        assert_eq!(witness(Outcome::Refuted, Answer::Unavailable, Some(Cause::Busy)), "counter.cause_busy");
        assert_eq!(witness(Outcome::Refuted, Answer::Refutes, None), "counter.witness_refutes");
    }

    /// Texts are named in many places: none may be missing.
    #[test]
    fn every_text_of_the_counter_is_there() {
        let file = include_str!("../../../config/words/zh-CN.toml");
        let table = file.split("\n[counter]\n").nth(1).unwrap().split("\n[").next().unwrap();
        let known: Vec<&str> = table.lines().filter_map(|line| line.split_once(" = ").map(|(key, _)| key)).collect();
        for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/web/counter")).unwrap() {
            let text = fs::read_to_string(entry.unwrap().path()).unwrap();
            let program = text.split("#[cfg(test)]").next().unwrap();
            for (at, mark) in program.match_indices("\"counter.") {
                let key = program[at + mark.len()..].split('"').next().unwrap();
                assert!(known.contains(&key), "config/words lacks counter.{key}");
            }
        }
    }
}
