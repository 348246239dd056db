use std::time::Duration;

use super::*;
use crate::durable::testing::Volatile;
use crate::rights::{Asked, ClaimPattern, Purposes, Terms, decide};

fn moment(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn agency(limits: &[(Option<u32>, Option<u32>)]) -> Agency {
    let grant = |(number, (per_minute, per_day)): (usize, &(Option<u32>, Option<u32>))| {
        let terms = Terms { per_minute: *per_minute, per_day: *per_day, ..Terms::default() };
        // Each is one of its own: further claims tell them apart.
        let further = format!("other-{number}/*").parse().unwrap();
        Grant::new(vec![ClaimPattern::Every, further], Purposes::Every, number == 0, terms)
    };
    Agency {
        id: AgencyId("fund".parse().unwrap()),
        name: "公积金".to_owned(),
        grants: limits.iter().enumerate().map(grant).collect(),
        has_callback: false,
    }
}

async fn charge(all: &Allowances, agency: &Agency, durable: &dyn Durable, now: Timestamp) -> Result<Granted, Refusal> {
    let (claim, purpose) = ("alive/alive".parse().unwrap(), "pension".parse().unwrap());
    let asked = Asked { claim: &claim, purpose: &purpose, names: Particulars::default(), patient: false };
    all.charge(&agency.id, &decide(agency, &asked, now).unwrap(), now, durable).await
}

#[tokio::test]
async fn a_day_holds_so_many_and_ends_at_midnight_in_shanghai() {
    let (all, durable, agency) = (Allowances::default(), Volatile::default(), agency(&[(None, Some(3))]));
    let noon = moment("2026-11-25T12:00:00+08:00");
    for left in [2, 1, 0] {
        charge(&all, &agency, &durable, noon).await.unwrap();
        let day_ends = moment("2026-11-26T00:00:00+08:00");
        let expected = Left { minute: None, day: Some(left), day_ends };
        assert_eq!(all.left(&agency.id, &agency.grants[0], noon, &durable).await, Ok(expected));
    }
    let until = moment("2026-11-25T16:00:00Z");
    assert_eq!(charge(&all, &agency, &durable, noon).await, Err(Refusal::Quota(Exhausted { limit: 3, until })));
    // A new process knows it, too.
    let refused = charge(&Allowances::default(), &agency, &durable, noon).await;
    assert_eq!(refused, Err(Refusal::Quota(Exhausted { limit: 3, until })));
    charge(&all, &agency, &durable, until).await.unwrap();
}

#[tokio::test]
async fn a_grant_that_is_used_up_gives_way_to_another() {
    let (all, durable) = (Allowances::default(), Volatile::default());
    let agency = agency(&[(Some(1), Some(2)), (Some(2), Some(9))]);
    let now = moment("2026-11-25T12:00:00+08:00");
    let kept = |granted: Result<Granted, Refusal>| granted.map(Granted::keeps);
    assert_eq!(kept(charge(&all, &agency, &durable, now).await), Ok(false), "the larger one comes first");
    assert_eq!(kept(charge(&all, &agency, &durable, now).await), Ok(false));
    assert_eq!(kept(charge(&all, &agency, &durable, now).await), Ok(true));
    let until = now + Duration::from_secs(61);
    let refused = charge(&all, &agency, &durable, now).await.unwrap_err();
    assert!(matches!(refused, Refusal::Rate(Exhausted { until: then, .. }) if then == until), "{refused:?}");
    assert_eq!(kept(charge(&all, &agency, &durable, until).await), Ok(false));
}

#[tokio::test]
async fn what_a_rate_refuses_is_not_counted_by_the_day() {
    let (all, durable, agency) = (Allowances::default(), Volatile::default(), agency(&[(Some(1), Some(5))]));
    let now = moment("2026-11-25T12:00:00+08:00");
    for _ in 0..4 {
        let _ = charge(&all, &agency, &durable, now).await;
    }
    let left = all.left(&agency.id, &agency.grants[0], now, &durable).await.unwrap();
    assert_eq!((left.minute, left.day), (Some(0), Some(4)));
}

#[test]
fn each_refusal_is_a_problem_that_says_what_to_do() {
    let now = moment("2026-11-25T12:00:00+08:00");
    let missing = Particulars { officer: true, case: false, legal_basis: true };
    let Problem::ParticularsDemanded(errors) = refused(Refusal::Missing(missing), now) else { panic!() };
    let errors: Vec<(&str, &Reason)> = errors.iter().map(|error| (&*error.pointer, &error.reason)).collect();
    assert_eq!(errors, [("/officer", &Reason::Demanded), ("/legal_basis", &Reason::Demanded)]);
    let used = Exhausted { limit: 7, until: now + Duration::from_millis(1500) };
    for refusal in [Refusal::Rate(used), Refusal::Quota(used)] {
        assert_eq!(refused(refusal, now), Problem::RateLimited { limit: 7, seconds: 2 });
    }
    assert_eq!(refused(Refusal::Day, now), Problem::NotGrantedToday);
    assert_eq!(refused(Refusal::Uncounted, now), Problem::LedgerUnavailable(5));
}
