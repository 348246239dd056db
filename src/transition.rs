//! Layer 1: the transitional rule (辽民发〔2020〕52号 三（四）): when a committee may still act on a matter that the annex lists.
//!
//! It is asked one question after another; the answers decide. What comes out is a record with a reason: the committee may act
//! on these grounds and conditions, or it may not, because of this, and what to do instead. It is no certificate and says
//! nothing of the fact. There is no place in it for the resident.

mod answers;
mod review;

use serde::{Deserialize, Serialize};

use crate::domain::{Disposition, closed_list};

pub use review::{Review, Verdict};

pub use answers::{
    Answers, Checked, Deliberation, Finding, Form, Need, Office, OnePerson, Precaution, Resolution, Risk, Scope, Seal,
    Signature, Verified,
};

closed_list! {
    /// A question of the checklist, in its order.
    #[derive(PartialOrd, Ord)]
    pub enum Question {
        /// Why the resident still needs it.
        Need = "need",
        /// Whether a document by law proves it.
        Papers = "papers",
        /// Whether it is within the committee's own duties.
        Duties = "duties",
        /// What the departments said.
        Check = "check",
        /// How the committee verified it.
        Verified = "verified",
        /// Whether it touches everybody.
        Scope = "scope",
        /// Whether there may be a legal risk.
        Risk = "risk",
        /// The deliberation with residents.
        Deliberation = "deliberation",
        /// What was done against the risk.
        Precautions = "precautions",
        /// Who signs, and who answers for the seal.
        Signature = "signature",
    }
}

impl Question {
    /// The article that the question comes from.
    #[must_use]
    pub fn article(self) -> &'static str {
        match self {
            Self::Need | Self::Duties | Self::Check | Self::Verified | Self::Risk | Self::Precautions => {
                "辽民发〔2020〕52号 三（四）"
            }
            Self::Papers | Self::Scope => "辽民发〔2020〕52号 二（一）",
            Self::Deliberation => "辽民发〔2020〕52号 二（一）、三（四）",
            Self::Signature => "辽民发〔2020〕52号 二（一）、二（三）",
        }
    }
}

/// What is so of a matter, whatever is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Circumstances {
    /// What the annex does with it.
    pub disposition: Disposition,
    /// Whether departments can be asked about it at all.
    pub checkable: bool,
    /// Whether the fact is on departments' own records (户籍、婚姻、犯罪记录、疾病、财产 and the like): that is no committee's duty.
    pub held_by_departments: bool,
}

/// How far the checklist has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// This is to be answered next.
    Ask(Question),
    /// Nothing is left to ask.
    Decided(Decision),
}

/// What comes out of the checklist.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// The committee may act, for these reasons.
    May(Vec<Ground>),
    /// It may not, because of this.
    MayNot(Obstacle),
}

closed_list! {
    /// A reason why the committee may act.
    pub enum Ground {
        /// Measures do not connect yet.
        MeasuresDoNotConnect = "measures-do-not-connect",
        /// A civil or commercial party expressly demands it.
        PartyDemandsIt = "party-demands-it",
        /// It lies within the committee's own duties.
        OwnDuty = "own-duty",
        /// No department could say it.
        NoDepartmentSays = "no-department-says",
        /// The committee verified it itself.
        VerifiedItself = "verified-itself",
        /// No legal risk was seen.
        NoRisk = "no-risk",
        /// Residents deliberated and agreed.
        ResidentsAgreed = "residents-agreed",
        /// The risk was assessed and guarded against.
        RiskPrevented = "risk-prevented",
        /// The head signs, and the seal has an approver and a keeper.
        Signed = "signed",
    }
}

closed_list! {
    /// Why the committee may not act.
    pub enum Obstacle {
        /// Nobody needs it: neither of the rule's two cases is there.
        NotNeeded = "not-needed",
        /// A document by law proves it.
        PapersServe = "papers-serve",
        /// It is not the committee's duty.
        NotItsDuty = "not-its-duty",
        /// It was said to be the committee's duty, and departments hold the fact.
        DepartmentsHoldIt = "departments-hold-it",
        /// The annex says who issues it: whatever is answered, that is no committee's duty.
        IssuedByOthers = "issued-by-others",
        /// The annex says that nobody has to prove it.
        NothingNeeded = "nothing-needed",
        /// The departments confirmed it: the receipt serves.
        ReceiptServes = "receipt-serves",
        /// The departments say that it is not so.
        Refuted = "refuted",
        /// The departments can be asked and were not.
        CheckFirst = "check-first",
        /// A department has not answered yet.
        StillPending = "still-pending",
        /// A name given is not the recorded one.
        DataDiffer = "data-differ",
        /// Departments contradict each other.
        DepartmentsDisagree = "departments-disagree",
        /// The committee could not verify it.
        NotVerified = "not-verified",
        /// Residents did not agree.
        NotAgreed = "not-agreed",
        /// Residents have not deliberated yet, or left it open.
        NotDeliberated = "not-deliberated",
        /// Nothing was done against the risk.
        RiskNotPrevented = "risk-not-prevented",
    }
}

impl Obstacle {
    /// The question whose answer stands in the way.
    #[must_use]
    pub fn question(self) -> Question {
        match self {
            Self::NotNeeded => Question::Need,
            Self::PapersServe => Question::Papers,
            Self::NotItsDuty | Self::DepartmentsHoldIt | Self::IssuedByOthers | Self::NothingNeeded => Question::Duties,
            Self::ReceiptServes
            | Self::Refuted
            | Self::CheckFirst
            | Self::StillPending
            | Self::DataDiffer
            | Self::DepartmentsDisagree => Question::Check,
            Self::NotVerified => Question::Verified,
            Self::NotAgreed | Self::NotDeliberated => Question::Deliberation,
            Self::RiskNotPrevented => Question::Precautions,
        }
    }
}

impl Decision {
    /// The question that decided.
    #[must_use]
    pub fn question(&self) -> Question {
        match self {
            Self::May(_) => Question::Signature,
            Self::MayNot(obstacle) => obstacle.question(),
        }
    }
}

impl Progress {
    /// The question that is open, or that decided.
    #[must_use]
    pub fn question(&self) -> Question {
        match self {
            Self::Ask(question) => *question,
            Self::Decided(decision) => decision.question(),
        }
    }
}

/// What the answers come to: the next question, or the decision. Answers to questions that the others leave out have no weight.
#[must_use]
pub fn progress(answers: &Answers, circumstances: Circumstances) -> Progress {
    match walk(answers, circumstances) {
        Ok(grounds) => Progress::Decided(Decision::May(grounds)),
        Err(Stop::Unanswered(question)) => Progress::Ask(question),
        Err(Stop::Obstacle(obstacle)) => Progress::Decided(Decision::MayNot(obstacle)),
    }
}

/// The questions that these answers lead through, up to the one that is open or decides.
#[must_use]
pub fn asked(answers: &Answers, last: Question) -> Vec<Question> {
    let is_asked = |question: Question| match question {
        Question::Deliberation => answers.needs_deliberation(),
        Question::Precautions => answers.risk == Some(Risk::Possible),
        _ => true,
    };
    <Question as crate::domain::ClosedList>::ALL
        .iter()
        .copied()
        .filter(|question| *question <= last && is_asked(*question))
        .collect()
}

enum Stop {
    Unanswered(Question),
    Obstacle(Obstacle),
}

impl From<Question> for Stop {
    fn from(question: Question) -> Self {
        Self::Unanswered(question)
    }
}

impl From<Obstacle> for Stop {
    fn from(obstacle: Obstacle) -> Self {
        Self::Obstacle(obstacle)
    }
}

/// The questions one after another, as the policy has them.
fn walk(answers: &Answers, circumstances: Circumstances) -> Result<Vec<Ground>, Stop> {
    let mut grounds = Vec::new();
    grounds.push(match answers.need.ok_or(Question::Need)? {
        Need::MeasuresDoNotConnect => Ground::MeasuresDoNotConnect,
        Need::PartyDemandsIt => Ground::PartyDemandsIt,
        Need::Neither => return Err(Obstacle::NotNeeded.into()),
    });
    if answers.papers_prove_it.ok_or(Question::Papers)? {
        return Err(Obstacle::PapersServe.into());
    }
    let own_duty = answers.own_duty.ok_or(Question::Duties)?;
    match circumstances.disposition {
        Disposition::Issuer => return Err(Obstacle::IssuedByOthers.into()),
        Disposition::Abolished => return Err(Obstacle::NothingNeeded.into()),
        Disposition::Verify | Disposition::OwnDocuments if !own_duty => return Err(Obstacle::NotItsDuty.into()),
        Disposition::Verify | Disposition::OwnDocuments if circumstances.held_by_departments => {
            return Err(Obstacle::DepartmentsHoldIt.into());
        }
        Disposition::Verify | Disposition::OwnDocuments => grounds.push(Ground::OwnDuty),
    }
    departments_leave_it_open(answers, circumstances.checkable)?;
    grounds.push(Ground::NoDepartmentSays);
    if answers.verified.ok_or(Question::Verified)? == Verified::CouldNot {
        return Err(Obstacle::NotVerified.into());
    }
    grounds.push(Ground::VerifiedItself);
    let scope = answers.scope.ok_or(Question::Scope)?;
    let risk = answers.risk.ok_or(Question::Risk)?;
    if scope == Scope::Everybody || risk == Risk::Possible {
        residents_agreed(answers)?;
        grounds.push(Ground::ResidentsAgreed);
    }
    match risk {
        Risk::NoneSeen => {
            answers.no_risk_because.as_ref().ok_or(Question::Risk)?;
            grounds.push(Ground::NoRisk);
        }
        Risk::Possible => {
            if answers.precautions.as_ref().ok_or(Question::Precautions)?.is_empty() {
                return Err(Obstacle::RiskNotPrevented.into());
            }
            grounds.push(Ground::RiskPrevented);
        }
    }
    answers.signature.as_ref().ok_or(Question::Signature)?;
    grounds.push(Ground::Signed);
    Ok(grounds)
}

/// Where departments have said it, or can still say it, nobody else does.
fn departments_leave_it_open(answers: &Answers, checkable: bool) -> Result<(), Stop> {
    match answers.check.filter(|check| check.holds(checkable)).ok_or(Question::Check)?.finding {
        Finding::Confirmed => Err(Obstacle::ReceiptServes.into()),
        Finding::Refuted => Err(Obstacle::Refuted.into()),
        Finding::Pending => Err(Obstacle::StillPending.into()),
        Finding::Mismatch => Err(Obstacle::DataDiffer.into()),
        Finding::Conflict => Err(Obstacle::DepartmentsDisagree.into()),
        Finding::NotAsked if checkable => Err(Obstacle::CheckFirst.into()),
        Finding::NotAsked | Finding::NoRecord | Finding::Unavailable | Finding::Referred => Ok(()),
    }
}

fn residents_agreed(answers: &Answers) -> Result<(), Stop> {
    match answers.deliberation.as_ref().ok_or(Question::Deliberation)?.resolution() {
        Resolution::Agreed => Ok(()),
        Resolution::NotAgreed => Err(Obstacle::NotAgreed.into()),
        Resolution::LeftOpen => Err(Obstacle::NotDeliberated.into()),
    }
}

#[cfg(test)]
mod tests;
