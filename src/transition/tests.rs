use jiff::civil::date;
use proptest::prelude::*;

use super::*;
use crate::domain::ClosedList as _;

const VERIFIED: Circumstances =
    Circumstances { disposition: Disposition::Verify, checkable: true, held_by_departments: false };

fn name(text: &str) -> crate::domain::PersonName {
    text.parse().unwrap()
}

fn linked(finding: Finding) -> Checked {
    Checked { finding, verification: Some(uuid::Uuid::nil()) }
}

/// Answers by which the committee may act, with a risk.
fn full() -> Answers {
    Answers {
        need: Some(Need::PartyDemandsIt),
        papers_prove_it: Some(false),
        own_duty: Some(true),
        check: Some(linked(Finding::Referred)),
        verified: Some(Verified::OnTheSpot),
        scope: Some(Scope::Everybody),
        risk: Some(Risk::Possible),
        no_risk_because: None,
        deliberation: Some(Deliberation {
            on: date(2026, 11, 20),
            form: Form::Council,
            present: 21,
            agreed: 15,
            resolved: Resolution::Agreed,
            note: None,
        }),
        precautions: Some(vec![Precaution::OnlyWhatWasVerified]),
        signature: Some(Signature {
            signer: name("赵书记"),
            office: Office::Secretary,
            seal: Seal::new(name("赵书记"), name("钱保管")).unwrap(),
        }),
    }
}

fn decided(answers: &Answers) -> Decision {
    match progress(answers, VERIFIED) {
        Progress::Decided(decision) => decision,
        Progress::Ask(question) => panic!("{question:?}"),
    }
}

#[test]
fn questions_come_one_after_another_and_end_in_a_reason() {
    let (whole, mut answers) = (full(), Answers::default());
    let mut asked_for = Vec::new();
    while let Progress::Ask(question) = progress(&answers, VERIFIED) {
        assert_eq!(asked(&answers, progress(&answers, VERIFIED).question()).last(), Some(&question));
        asked_for.push(question);
        match question {
            Question::Need => answers.need = whole.need,
            Question::Papers => answers.papers_prove_it = whole.papers_prove_it,
            Question::Duties => answers.own_duty = whole.own_duty,
            Question::Check => answers.check = whole.check,
            Question::Verified => answers.verified = whole.verified,
            Question::Scope => answers.scope = whole.scope,
            Question::Risk => answers.risk = whole.risk,
            Question::Deliberation => answers.deliberation = whole.deliberation.clone(),
            Question::Precautions => answers.precautions.clone_from(&whole.precautions),
            Question::Signature => answers.signature = whole.signature.clone(),
        }
    }
    assert_eq!(asked_for, Question::ALL);
    let Decision::May(grounds) = decided(&answers) else { panic!() };
    for ground in [Ground::PartyDemandsIt, Ground::ResidentsAgreed, Ground::RiskPrevented, Ground::Signed] {
        assert!(grounds.contains(&ground), "{ground:?}");
    }
}

#[test]
fn without_risk_for_the_resident_alone_nobody_has_to_meet() {
    let answers = Answers {
        scope: Some(Scope::Resident),
        risk: Some(Risk::NoneSeen),
        no_risk_because: Some("只写现场看到的情况".to_owned().try_into().unwrap()),
        deliberation: None,
        precautions: None,
        ..full()
    };
    assert!(matches!(decided(&answers), Decision::May(grounds) if grounds.contains(&Ground::NoRisk)));
    assert!(!asked(&answers, progress(&answers, VERIFIED).question()).contains(&Question::Deliberation));
    let everybody = Answers { scope: Some(Scope::Everybody), ..answers };
    assert_eq!(progress(&everybody, VERIFIED), Progress::Ask(Question::Deliberation));
}

#[test]
fn that_none_is_seen_needs_a_reason() {
    let silent = Answers { scope: Some(Scope::Resident), risk: Some(Risk::NoneSeen), no_risk_because: None, ..full() };
    assert_eq!(progress(&silent, VERIFIED), Progress::Ask(Question::Risk));
}

#[test]
fn what_departments_hold_is_no_own_duty_whatever_is_answered() {
    let held = Circumstances { held_by_departments: true, ..VERIFIED };
    for checkable in [true, false] {
        let came_to = progress(&full(), Circumstances { checkable, ..held });
        assert_eq!(came_to, Progress::Decided(Decision::MayNot(Obstacle::DepartmentsHoldIt)));
    }
    let not_own = Answers { own_duty: Some(false), ..full() };
    assert_eq!(progress(&not_own, held), Progress::Decided(Decision::MayNot(Obstacle::NotItsDuty)));
}

#[test]
fn each_obstacle_stops_it() {
    let check = |finding| Some(linked(finding));
    let meeting = |change: fn(&mut Deliberation)| {
        let mut deliberation = full().deliberation.unwrap();
        change(&mut deliberation);
        Some(deliberation)
    };
    for (answers, obstacle) in [
        (Answers { need: Some(Need::Neither), ..full() }, Obstacle::NotNeeded),
        (Answers { papers_prove_it: Some(true), ..full() }, Obstacle::PapersServe),
        (Answers { own_duty: Some(false), ..full() }, Obstacle::NotItsDuty),
        (Answers { check: check(Finding::Confirmed), ..full() }, Obstacle::ReceiptServes),
        (Answers { check: check(Finding::Refuted), ..full() }, Obstacle::Refuted),
        (Answers { check: check(Finding::NotAsked), ..full() }, Obstacle::CheckFirst),
        (Answers { check: check(Finding::Pending), ..full() }, Obstacle::StillPending),
        (Answers { check: check(Finding::Mismatch), ..full() }, Obstacle::DataDiffer),
        (Answers { check: check(Finding::Conflict), ..full() }, Obstacle::DepartmentsDisagree),
        (Answers { verified: Some(Verified::CouldNot), ..full() }, Obstacle::NotVerified),
        (Answers { deliberation: meeting(|one| one.resolved = Resolution::NotAgreed), ..full() }, Obstacle::NotAgreed),
        (Answers { deliberation: meeting(|one| one.agreed = 10), ..full() }, Obstacle::NotAgreed),
        (
            Answers { deliberation: meeting(|one| one.resolved = Resolution::LeftOpen), ..full() },
            Obstacle::NotDeliberated,
        ),
        (Answers { precautions: Some(Vec::new()), ..full() }, Obstacle::RiskNotPrevented),
    ] {
        assert_eq!(decided(&answers), Decision::MayNot(obstacle));
        assert_eq!(asked(&answers, progress(&answers, VERIFIED).question()).last(), Some(&obstacle.question()));
    }
}

#[test]
fn where_no_department_can_be_asked_nobody_has_to() {
    let nowhere = Circumstances { checkable: false, ..VERIFIED };
    for finding in [Finding::NotAsked, Finding::Referred] {
        let answers = Answers { check: Some(Checked { finding, verification: None }), ..full() };
        assert!(matches!(progress(&answers, nowhere), Progress::Decided(Decision::May(_))));
    }
}

#[test]
fn what_departments_said_is_read_and_not_told() {
    let nowhere = Circumstances { checkable: false, ..VERIFIED };
    for finding in [Finding::NoRecord, Finding::Unavailable, Finding::Mismatch, Finding::Conflict] {
        let told = Answers { check: Some(Checked { finding, verification: None }), ..full() };
        for circumstances in [VERIFIED, nowhere] {
            assert_eq!(progress(&told, circumstances), Progress::Ask(Question::Check), "{finding:?}");
        }
    }
    let told = Answers { check: Some(Checked { finding: Finding::Referred, verification: None }), ..full() };
    assert_eq!(progress(&told, VERIFIED), Progress::Ask(Question::Check), "a department is connected");
    let read = Answers { check: Some(linked(Finding::NoRecord)), ..full() };
    assert!(matches!(decided(&read), Decision::May(_)));
}

#[test]
fn what_others_issue_or_nobody_has_to_is_no_committees_duty() {
    for (disposition, obstacle) in
        [(Disposition::Issuer, Obstacle::IssuedByOthers), (Disposition::Abolished, Obstacle::NothingNeeded)]
    {
        for own_duty in [true, false] {
            let answers = Answers { own_duty: Some(own_duty), ..full() };
            let came_to = progress(&answers, Circumstances { disposition, ..VERIFIED });
            assert_eq!(came_to, Progress::Decided(Decision::MayNot(obstacle)));
            assert_eq!(came_to.question(), Question::Duties);
        }
    }
}

#[test]
fn the_seal_is_in_the_hands_of_two() {
    assert_eq!(Seal::new(name("赵 书记"), name("赵书记")), Err(OnePerson));
    let one = r#"{"approver": "赵书记", "keeper": "赵书记"}"#;
    assert!(serde_json::from_str::<Seal>(one).is_err());
}

#[test]
fn answers_are_read_as_they_were_written() {
    let text = serde_json::to_string(&full()).unwrap();
    assert_eq!(serde_json::from_str::<Answers>(&text).unwrap(), full());
    assert!(serde_json::from_str::<Answers>(r#"{"resident": "x"}"#).is_err());
}

fn any<T: crate::domain::ClosedList + std::fmt::Debug>() -> impl Strategy<Value = Option<T>> {
    proptest::option::weighted(0.9, proptest::sample::select(T::ALL.to_vec()))
}

fn answers() -> impl Strategy<Value = Answers> {
    let yes = || proptest::option::weighted(0.9, proptest::bool::ANY);
    let meeting = (proptest::option::weighted(0.9, (0_u32..40, 0_u32..40)), any::<Resolution>());
    let given = || proptest::option::weighted(0.9, Just(()));
    let rest = (meeting, proptest::option::of(proptest::bool::ANY), given(), given());
    let check = (any::<Finding>(), proptest::bool::ANY);
    (any(), yes(), yes(), check, any(), any(), any(), rest).prop_map(
        |(
            need,
            papers_prove_it,
            own_duty,
            check,
            verified,
            scope,
            risk,
            ((counts, resolved), careful, signed, said),
        )| {
            let (finding, known) = check;
            Answers {
                need,
                papers_prove_it,
                own_duty,
                check: finding.map(|finding| Checked { finding, verification: known.then(uuid::Uuid::nil) }),
                verified,
                scope,
                risk,
                no_risk_because: said.and_then(|()| "只写看到的情况".to_owned().try_into().ok()),
                deliberation: counts.zip(resolved).map(|((present, agreed), resolved)| Deliberation {
                    present,
                    agreed,
                    resolved,
                    ..full().deliberation.unwrap()
                }),
                precautions: careful.map(|careful| if careful { vec![Precaution::NamedEnd] } else { Vec::new() }),
                signature: signed.and(full().signature),
            }
        },
    )
}

fn dispositions() -> impl Strategy<Value = Disposition> {
    use Disposition::{Abolished, Issuer, OwnDocuments, Verify};
    proptest::sample::select(vec![Verify, Issuer, OwnDocuments, Abolished])
}

proptest! {
    /// No way through the questions ends in `May` unless each condition of the policy is met.
    #[test]
    fn nothing_is_stamped_blank(answers in answers(), disposition in dispositions(), checkable: bool, held_by_departments: bool) {
        let came_to = progress(&answers, Circumstances { disposition, checkable, held_by_departments });
        let may = matches!(came_to, Progress::Decided(Decision::May(_)));
        let open = [Finding::Referred, Finding::Unavailable, Finding::NoRecord];
        let nobody = [Finding::Referred, Finding::NotAsked];
        let left_open = answers.check.is_some_and(|check| {
            (check.verification.is_some() && open.contains(&check.finding))
                || (!checkable && nobody.contains(&check.finding))
        });
        let agreed = answers.deliberation.as_ref().is_some_and(|meeting| {
            meeting.resolved == Resolution::Agreed && meeting.agreed * 2 > meeting.present
        });
        let careful = answers.precautions.as_ref().is_some_and(|precautions| !precautions.is_empty());
        let met = matches!(answers.need, Some(Need::MeasuresDoNotConnect | Need::PartyDemandsIt))
            && answers.papers_prove_it == Some(false)
            && answers.own_duty == Some(true)
            && !held_by_departments
            && matches!(disposition, Disposition::Verify | Disposition::OwnDocuments)
            && left_open
            && answers.verified.is_some_and(|verified| verified != Verified::CouldNot)
            && answers.scope.is_some()
            && answers.risk.is_some_and(|risk| risk == Risk::Possible || answers.no_risk_because.is_some())
            && (!answers.needs_deliberation() || agreed)
            && (answers.risk == Some(Risk::NoneSeen) || careful)
            && answers.signature.is_some();
        prop_assert_eq!(may, met);
        let asked = asked(&answers, came_to.question());
        prop_assert!(asked.windows(2).all(|pair| pair[0] < pair[1]));
        prop_assert!(!asked.is_empty());
    }
}
