//! Answers, out of forms and into them.

use jiff::civil::Date;

use super::super::demands::{note, past_day};
use super::super::{Draft, Form};
use crate::domain::{ClosedList, Note, PersonName, one_line};
use crate::transition::{
    Answers, Checked, Deliberation, Form as Meeting, Office, Precaution, Question, Resolution, Risk, Seal, Signature,
};

/// What is wrong with fields: their names, and the keys of the texts.
pub(super) type Wrong = Vec<(&'static str, &'static str)>;

/// Takes over the answer to a question.
pub(super) fn read(
    question: Question,
    form: &Form,
    answers: &mut Answers,
    checkable: bool,
    today: Date,
) -> Result<(), Wrong> {
    match question {
        Question::Need => answers.need = Some(one(form)?),
        Question::Papers => answers.papers_prove_it = Some(yes_or_no(form)?),
        Question::Duties => answers.own_duty = Some(yes_or_no(form)?),
        Question::Check => {
            let said = Checked { finding: one(form)?, verification: None };
            // What the system has read itself stands.
            if answers.check.is_none_or(|check| check.verification.is_none()) {
                if !said.holds(checkable) {
                    return Err(vec![("answer", "deliberations.check_unlinked")]);
                }
                answers.check = Some(said);
            }
        }
        Question::Verified => answers.verified = Some(one(form)?),
        Question::Scope => answers.scope = Some(one(form)?),
        Question::Risk => (answers.risk, answers.no_risk_because) = risk(form)?,
        Question::Deliberation => answers.deliberation = Some(deliberation(form, today)?),
        Question::Precautions => answers.precautions = Some(precautions(form)?),
        Question::Signature => answers.signature = Some(signature(form)?),
    }
    Ok(())
}

/// The form of a question with what was answered before.
pub(super) fn answered(question: Question, answers: &Answers) -> Draft {
    let word = |word: Option<&'static str>| word.map(|word| ("answer", word.to_owned())).into_iter().collect();
    let yes_or_no = |answer: Option<bool>| word(answer.map(|yes| if yes { "yes" } else { "no" }));
    let values: Vec<(&str, String)> = match question {
        Question::Need => word(answers.need.map(ClosedList::as_str)),
        Question::Papers => yes_or_no(answers.papers_prove_it),
        Question::Duties => yes_or_no(answers.own_duty),
        Question::Check => word(answers.check.map(|check| check.finding.as_str())),
        Question::Verified => word(answers.verified.map(ClosedList::as_str)),
        Question::Scope => word(answers.scope.map(ClosedList::as_str)),
        Question::Risk => {
            let because = answers.no_risk_because.iter().map(|because| ("because", because.to_string()));
            answers.risk.iter().map(|risk| ("answer", risk.as_str().to_owned())).chain(because).collect()
        }
        Question::Deliberation => answers.deliberation.as_ref().map(of_deliberation).unwrap_or_default(),
        Question::Precautions => match &answers.precautions {
            None => Vec::new(),
            Some(none) if none.is_empty() => vec![("answer", "none".to_owned())],
            Some(some) => some.iter().map(|one| ("answer", one.as_str().to_owned())).collect(),
        },
        Question::Signature => answers.signature.as_ref().map(of_signature).unwrap_or_default(),
    };
    Draft::of(values.iter().map(|(name, value)| (*name, value.as_str())))
}

fn one<T: ClosedList>(form: &Form) -> Result<T, Wrong> {
    T::named(form.value("answer")).ok_or_else(|| vec![("answer", "deliberations.missing")])
}

fn yes_or_no(form: &Form) -> Result<bool, Wrong> {
    match form.value("answer") {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => Err(vec![("answer", "deliberations.missing")]),
    }
}

/// Whoever sees no risk says why.
fn risk(form: &Form) -> Result<(Option<Risk>, Option<Note>), Wrong> {
    let risk: Risk = one(form)?;
    if risk == Risk::Possible {
        return Ok((Some(risk), None));
    }
    match note(form.value("because")) {
        Ok(Some(because)) => Ok((Some(risk), Some(because))),
        Ok(None) => Err(vec![("because", "deliberations.missing_because")]),
        Err(key) => Err(vec![("because", key)]),
    }
}

fn deliberation(form: &Form, today: Date) -> Result<Deliberation, Wrong> {
    let mut wrong = Wrong::new();
    let resolved = Resolution::named(form.value("resolved"));
    if resolved.is_none() {
        wrong.push(("resolved", "deliberations.missing_resolved"));
    }
    // Where nobody has met yet, there is nothing else to say.
    if resolved == Some(Resolution::LeftOpen) && form.value("present").trim().is_empty() {
        let form_ = Meeting::named(form.value("form_of")).unwrap_or(Meeting::Council);
        let on = past_day(form.value("on"), today).unwrap_or(today);
        return Ok(Deliberation { on, form: form_, present: 0, agreed: 0, resolved: Resolution::LeftOpen, note: None });
    }
    let on = past_day(form.value("on"), today).map_err(|key| wrong.push(("on", key))).ok();
    let meeting = Meeting::named(form.value("form_of"));
    if meeting.is_none() {
        wrong.push(("form_of", "deliberations.missing_form_of"));
    }
    let mut count = |name: &'static str, key: &'static str| {
        let number = count(form.value(name));
        number.or_else(|| {
            wrong.push((name, key));
            None
        })
    };
    let present = count("present", "deliberations.wrong_present");
    let agreed = count("agreed", "deliberations.wrong_agreed");
    match (present, agreed, resolved) {
        (Some(present), Some(agreed), _) if agreed > present => wrong.push(("agreed", "deliberations.too_many")),
        (Some(0), _, Some(Resolution::Agreed)) => wrong.push(("present", "deliberations.nobody")),
        _ => {}
    }
    let note = note(form.value("note")).map_err(|key| wrong.push(("note", key))).ok();
    match (on, meeting, present, agreed, resolved, note) {
        (Some(on), Some(form), Some(present), Some(agreed), Some(resolved), Some(note)) if wrong.is_empty() => {
            Ok(Deliberation { on, form, present, agreed, resolved, note })
        }
        _ => Err(wrong),
    }
}

fn of_deliberation(meeting: &Deliberation) -> Vec<(&'static str, String)> {
    let note = meeting.note.as_ref().map(ToString::to_string).unwrap_or_default();
    vec![
        ("on", meeting.on.to_string()),
        ("form_of", meeting.form.as_str().to_owned()),
        ("present", meeting.present.to_string()),
        ("agreed", meeting.agreed.to_string()),
        ("resolved", meeting.resolved.as_str().to_owned()),
        ("note", note),
    ]
}

/// A number of people, in digits of any width, with or without 人 behind it.
fn count(text: &str) -> Option<u32> {
    use unicode_normalization::UnicodeNormalization as _;
    let plain: String = one_line(text, 12)?.nfkc().collect();
    let digits = plain.trim().trim_end_matches('人').trim();
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|count| is_number && *count <= Deliberation::MOST_PRESENT)
}

fn precautions(form: &Form) -> Result<Vec<Precaution>, Wrong> {
    let chosen: Vec<&str> = form.values("answer").collect();
    let is_none = chosen.contains(&"none");
    let mut taken: Vec<Precaution> = chosen.iter().filter_map(|word| Precaution::named(word)).collect();
    taken.sort_unstable();
    taken.dedup();
    match (is_none, taken.is_empty()) {
        (true, true) | (false, false) => Ok(taken),
        (true, false) => Err(vec![("answer", "deliberations.pick_or_none")]),
        (false, true) => Err(vec![("answer", "deliberations.missing")]),
    }
}

fn signature(form: &Form) -> Result<Signature, Wrong> {
    let mut wrong = Wrong::new();
    let mut name = |field: &'static str, missing: &'static str, strange: &'static str| {
        let line = one_line(form.value(field), 60);
        let is_missing = line.as_ref().is_some_and(String::is_empty);
        let name = line.and_then(|line| line.parse::<PersonName>().ok());
        if name.is_none() {
            wrong.push((field, if is_missing { missing } else { strange }));
        }
        name
    };
    let signer = name("signer", "deliberations.missing_signer", "deliberations.wrong_signer");
    let approver = name("approver", "deliberations.missing_approver", "deliberations.wrong_approver");
    let keeper = name("keeper", "deliberations.missing_keeper", "deliberations.wrong_keeper");
    let office = Office::named(form.value("office"));
    if office.is_none() {
        wrong.push(("office", "deliberations.missing_office"));
    }
    let seal = match approver.zip(keeper).map(|(approver, keeper)| Seal::new(approver, keeper)) {
        Some(Err(_)) => {
            wrong.push(("keeper", "deliberations.one_person"));
            None
        }
        Some(Ok(seal)) => Some(seal),
        None => None,
    };
    match (signer, office, seal) {
        (Some(signer), Some(office), Some(seal)) if wrong.is_empty() => Ok(Signature { signer, office, seal }),
        _ => Err(wrong),
    }
}

fn of_signature(signature: &Signature) -> Vec<(&'static str, String)> {
    vec![
        ("signer", signature.signer.reveal().to_owned()),
        ("office", signature.office.as_str().to_owned()),
        ("approver", signature.seal.approver().reveal().to_owned()),
        ("keeper", signature.seal.keeper().reveal().to_owned()),
    ]
}
