use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

fn grant(claims: &[&str], purposes: &[&str], terms: Terms) -> Grant {
    let purposes = match purposes {
        ["*"] => Purposes::Every,
        purposes => Purposes::These(purposes.iter().map(|purpose| purpose.parse().unwrap()).collect()),
    };
    Grant::new(claims.iter().map(|claim| claim.parse().unwrap()).collect(), purposes, false, terms)
}

fn agency(grants: Vec<Grant>) -> Agency {
    Agency {
        id: AgencyId("fund".parse().unwrap()), name: "住房公积金管理中心".to_owned(), grants, has_callback: false
    }
}

const NOON: &str = "2026-11-23T12:00:00+08:00";
const ALL: Particulars = Particulars { officer: true, case: true, legal_basis: true };
const NONE: Particulars = Particulars { officer: false, case: false, legal_basis: false };

fn ask(agency: &Agency, claim: &str, purpose: &str, names: Particulars, now: &str) -> Result<Vec<Grant>, Refusal> {
    let (claim, purpose) = (claim.parse().unwrap(), purpose.parse().unwrap());
    let asked = Asked { claim: &claim, purpose: &purpose, names, patient: false };
    decide(agency, &asked, now.parse().unwrap()).map(|permit| permit.grants().iter().copied().cloned().collect())
}

#[test]
fn nothing_is_allowed_that_no_grant_names() {
    let of = |claim: &str, purpose: &str, agency: &Agency| ask(agency, claim, purpose, ALL, NOON).map(drop);
    assert_eq!(of("alive/alive", "pension", &agency(Vec::new())), Err(Refusal::Claim));
    let agency = agency(vec![
        grant(&["alive/alive"], &["pension"], Terms::default()),
        grant(&["marital-status/*"], &["housing"], Terms::default()),
    ]);
    assert_eq!(of("alive/alive", "pension", &agency), Ok(()));
    assert_eq!(of("alive/alive", "housing", &agency), Err(Refusal::Purpose));
    assert_eq!(of("marital-status/spouses", "housing", &agency), Ok(()));
    assert_eq!(of("marital-status/spouses", "pension", &agency), Err(Refusal::Purpose));
    assert_eq!(of("death/died", "pension", &agency), Err(Refusal::Claim));
}

#[test]
fn a_grant_is_valid_from_the_first_moment_of_a_day_to_the_last_of_another_in_shanghai() {
    let (valid_from, valid_until) = (Some("2026-11-23".parse().unwrap()), Some("2026-11-24".parse().unwrap()));
    let agency = agency(vec![grant(&["*"], &["*"], Terms { valid_from, valid_until, ..Terms::default() })]);
    for (now, is_valid) in [
        ("2026-11-22T23:59:59.999999+08:00", false),
        ("2026-11-22T15:59:59Z", false),
        ("2026-11-22T16:00:00Z", true),
        ("2026-11-24T23:59:59.999999+08:00", true),
        ("2026-11-24T16:00:00Z", false),
    ] {
        let expected = if is_valid { Ok(()) } else { Err(Refusal::Day) };
        assert_eq!(ask(&agency, "alive/alive", "pension", NONE, now).map(drop), expected, "{now}");
    }
}

#[test]
fn the_least_that_is_missing_is_told() {
    let demanding = |demands| grant(&["*"], &["*"], Terms { demands, ..Terms::default() });
    let officer = Particulars { officer: true, ..NONE };
    let agency = agency(vec![demanding(ALL), demanding(officer)]);
    assert_eq!(ask(&agency, "a/a", "p", NONE, NOON), Err(Refusal::Missing(officer)));
    let case = Particulars { case: true, ..NONE };
    assert_eq!(ask(&agency, "a/a", "p", case, NOON), Err(Refusal::Missing(officer)));
    assert_eq!(ask(&agency, "a/a", "p", officer, NOON), Ok(vec![demanding(officer)]));
    assert_eq!(ask(&agency, "a/a", "p", ALL, NOON).unwrap().len(), 2);
}

#[test]
fn what_other_grants_say_changes_no_refusal() {
    let demands = ALL;
    let narrow = grant(&["a/a"], &["p"], Terms { demands, ..Terms::default() });
    let other = grant(&["b/b"], &["q"], Terms::default());
    for claim in ["a/a", "c/c"] {
        let alone = ask(&agency(vec![narrow.clone()]), claim, "p", NONE, NOON);
        assert_eq!(ask(&agency(vec![narrow.clone(), other.clone()]), claim, "p", NONE, NOON), alone);
    }
}

#[test]
fn the_most_permissive_grant_comes_first() {
    let limited = |per_day, per_minute, keeps| Grant {
        keeps,
        ..grant(&["*"], &["*"], Terms { per_minute, per_day, ..Terms::default() })
    };
    let [few, many, open] =
        [limited(Some(5), None, true), limited(Some(50), Some(1), false), limited(None, None, false)];
    let agency = agency(vec![few.clone(), many.clone(), open.clone()]);
    assert_eq!(ask(&agency, "a/a", "p", NONE, NOON).unwrap(), [open.clone(), many.clone(), few.clone()]);
    let (claim, purpose) = ("a/a".parse().unwrap(), "p".parse().unwrap());
    let asked = Asked { claim: &claim, purpose: &purpose, names: NONE, patient: true };
    let permit = decide(&agency, &asked, NOON.parse().unwrap()).unwrap();
    assert_eq!(permit.grants(), [&few, &open, &many], "what is to be kept is counted where it may be kept");
    assert!(permit.on(permit.grants()[0]).keeps() && !permit.on(permit.grants()[1]).keeps());
}

#[test]
fn a_key_stays_with_what_is_granted() {
    let one = grant(&["a/a", "b/*"], &["p", "q"], Terms::default());
    let turned = grant(&["b/*", "a/a"], &["q", "p"], Terms { per_day: Some(7), ..Terms::default() });
    assert_eq!(one.key(), turned.key());
    let demands = ALL;
    let others = [
        grant(&["a/a"], &["p", "q"], Terms::default()),
        grant(&["a/a", "b/*"], &["p"], Terms::default()),
        grant(&["a/a", "b/*"], &["*"], Terms::default()),
        grant(&["a/a", "b/*"], &["p", "q"], Terms { demands, ..Terms::default() }),
    ];
    let keys: BTreeSet<u128> = others.iter().chain([&one]).map(Grant::key).collect();
    assert_eq!(keys.len(), 5);
}

#[test]
fn patterns_read_as_they_print() {
    for text in ["*", "alive/*", "alive/alive"] {
        assert_eq!(text.parse::<ClaimPattern>().unwrap().to_string(), text);
    }
    assert!("alive".parse::<ClaimPattern>().is_err());
}

fn any_grant() -> impl Strategy<Value = Grant> {
    let claims = prop::collection::vec(prop::sample::select(vec!["*", "a/*", "a/a", "a/b", "b/a"]), 0..3);
    let purposes = prop::sample::select(vec![vec!["*"], vec!["p"], vec!["q"], vec![], vec!["p", "q"]]);
    let day = || prop::option::of(20_i8..27);
    let demands = (any::<bool>(), any::<bool>(), any::<bool>());
    let limits = (prop::option::of(1_u32..5), prop::option::of(1_u32..5));
    (claims, purposes, day(), day(), demands, limits).prop_map(|(claims, purposes, from, until, demands, limits)| {
        let date = |day: Option<i8>| day.map(|day| jiff::civil::date(2026, 11, day));
        let demands = Particulars { officer: demands.0, case: demands.1, legal_basis: demands.2 };
        let (valid_from, valid_until, (per_minute, per_day)) = (date(from), date(until), limits);
        grant(&claims, &purposes, Terms { valid_from, valid_until, demands, per_minute, per_day })
    })
}

/// What the contract says, one grant at a time.
fn permits(grant: &Grant, claim: &str, purpose: &str, names: Particulars, day: i8) -> bool {
    let (matter, _) = claim.split_once('/').unwrap();
    let claims: Vec<String> = grant.claims.iter().map(ToString::to_string).collect();
    let covers = [claim, &format!("{matter}/*"), "*"].iter().any(|pattern| claims.iter().any(|one| one == pattern));
    let serves = match &grant.purposes {
        Purposes::Every => true,
        Purposes::These(these) => these.iter().any(|one| one.as_str() == purpose),
    };
    let day = jiff::civil::date(2026, 11, day);
    let Terms { valid_from, valid_until, demands, .. } = grant.terms;
    let begun = valid_from.is_none_or(|from| day >= from);
    let ended = valid_until.is_some_and(|until| day > until);
    let named = (names.officer || !demands.officer) && (names.case || !demands.case);
    covers && serves && begun && !ended && named && (names.legal_basis || !demands.legal_basis)
}

proptest! {
    #[test]
    fn a_question_is_permitted_by_exactly_the_grants_that_permit_it(
        grants in prop::collection::vec(any_grant(), 0..6),
        claim in prop::sample::select(vec!["a/a", "a/b", "b/a", "c/c"]),
        purpose in prop::sample::select(vec!["p", "q", "r"]),
        names in (any::<bool>(), any::<bool>(), any::<bool>()),
        day in 18_i8..29,
    ) {
        let names = Particulars { officer: names.0, case: names.1, legal_basis: names.2 };
        let permitting: Vec<&Grant> =
            grants.iter().filter(|grant| permits(grant, claim, purpose, names, day)).collect();
        let agency = agency(grants.clone());
        match ask(&agency, claim, purpose, names, &format!("2026-11-{day}T00:00:00+08:00")) {
            Ok(found) => {
                prop_assert_eq!(found.len(), permitting.len());
                prop_assert!(found.iter().all(|one| permitting.contains(&one)));
                let most = |limit: Option<u32>| limit.unwrap_or(u32::MAX);
                prop_assert!(found.is_sorted_by_key(|one| std::cmp::Reverse(most(one.terms.per_day))));
            }
            Err(refusal) => {
                prop_assert!(permitting.is_empty());
                // What is said to be missing is enough, and is missing.
                if let Refusal::Missing(missing) = refusal {
                    prop_assert!(missing.count() > 0 && missing.without(names) == missing);
                    let more = Particulars {
                        officer: names.officer || missing.officer,
                        case: names.case || missing.case,
                        legal_basis: names.legal_basis || missing.legal_basis,
                    };
                    prop_assert!(grants.iter().any(|grant| permits(grant, claim, purpose, more, day)));
                }
            }
        }
    }
}
