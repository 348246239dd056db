use std::collections::BTreeMap;

use super::{AgencyKey, AgencyName, Demand, State, Subject};
use crate::domain::AgencyId;

/// What figures are made of: one record, or many alike whose time is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    /// The committee that recorded them.
    pub committee: AgencyId,
    /// The year in which they were demanded (Asia/Shanghai).
    pub year: i16,
    /// The month, counted from 1.
    pub month: i8,
    /// Who demanded.
    pub demander: AgencyName,
    /// What.
    pub subject: Subject,
    /// Where they stand.
    pub state: State,
    /// How many.
    pub count: u32,
}

impl Counted {
    /// A record, as it counts.
    #[must_use]
    pub fn one(demand: &Demand, state: State) -> Self {
        Self {
            committee: demand.committee.clone(),
            year: demand.facts.on.year(),
            month: demand.facts.on.month(),
            demander: demand.facts.demander.name.clone(),
            subject: demand.facts.subject.clone(),
            state,
            count: 1,
        }
    }
}

/// The figures of a year.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figures {
    /// The year.
    pub year: i16,
    /// All demands of it.
    pub total: Tally,
    /// By agency, most demands first. Spellings of one name are one row, under the name that was met first.
    pub by_agency: Vec<Row<AgencyName>>,
    /// By matter, most demands first.
    pub by_matter: Vec<Row<Subject>>,
    /// By agency and matter, in the order of the two lists.
    pub by_both: Vec<Row<(AgencyName, Subject)>>,
    /// How many records were taken back; they are in no other figure.
    pub withdrawn: u32,
}

/// One line of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row<L> {
    /// What is counted.
    pub label: L,
    /// How often.
    pub tally: Tally,
}

/// How many demands there were, and what came of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// In each month, January first.
    pub months: [u32; 12],
    /// In the year.
    pub total: u32,
    /// Of those, the corrected ones.
    pub corrected: u32,
    /// Those that were made public.
    pub exposed: u32,
    /// Those that ended without a correction.
    pub closed: u32,
}

impl Tally {
    /// Those that are still being followed.
    #[must_use]
    pub fn open(&self) -> u32 {
        self.total - self.corrected - self.exposed - self.closed
    }

    fn add(&mut self, counted: &Counted) {
        let month = usize::try_from(counted.month - 1).ok().and_then(|month| self.months.get_mut(month));
        if let Some(month) = month {
            *month += counted.count;
        }
        self.total += counted.count;
        match counted.state {
            State::Corrected => self.corrected += counted.count,
            State::Exposed => self.exposed += counted.count,
            State::Closed => self.closed += counted.count,
            State::Recorded | State::LetterSent | State::Answered | State::Withdrawn => {}
        }
    }
}

/// The figures of a year, from whatever is counted; what is of another year is left out.
#[must_use]
pub fn figures<'a>(year: i16, counted: impl IntoIterator<Item = &'a Counted>) -> Figures {
    let mut names = BTreeMap::new();
    let (mut agencies, mut matters, mut both) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    let (mut total, mut withdrawn) = (Tally::default(), 0);
    for counted in counted.into_iter().filter(|counted| counted.year == year) {
        if counted.state == State::Withdrawn {
            withdrawn += counted.count;
            continue;
        }
        let key = counted.demander.key();
        names.entry(key.clone()).or_insert_with(|| counted.demander.clone());
        let subject = counted.subject.clone();
        total.add(counted);
        agencies.entry(key.clone()).or_insert_with(Tally::default).add(counted);
        matters.entry(subject.clone()).or_insert_with(Tally::default).add(counted);
        both.entry((key, subject)).or_insert_with(Tally::default).add(counted);
    }
    let rows = |tallies: BTreeMap<_, Tally>| {
        let mut rows: Vec<_> = tallies.into_iter().collect();
        // It is stable: what is counted equally often stays in the order of its key.
        rows.sort_by_key(|(_, tally)| std::cmp::Reverse(tally.total));
        rows
    };
    let named = |key: &AgencyKey| names.get(key).cloned();
    let agencies = rows(agencies);
    let by_agency =
        agencies.iter().filter_map(|(key, tally)| Some(Row { label: named(key)?, tally: *tally })).collect();
    let mut by_matter: Vec<Row<Subject>> = matters.into_iter().map(|(label, tally)| Row { label, tally }).collect();
    by_matter.sort_by_key(|row| std::cmp::Reverse(row.tally.total));
    let by_both = agencies
        .iter()
        .flat_map(|(key, _)| by_matter.iter().map(move |row| (key.clone(), row.label.clone())))
        .filter_map(|pair| Some(Row { tally: *both.get(&pair)?, label: (named(&pair.0)?, pair.1) }))
        .collect();
    Figures { year, total, by_agency, by_matter, by_both, withdrawn }
}

#[cfg(test)]
pub(super) mod testing {
    use jiff::civil::Date;

    use super::super::{Demander, Facts, Kind, Level, Number, Said};
    use super::*;

    /// A record of that day.
    pub(in super::super) fn demand(on: Date) -> Demand {
        let name = "某银行沈阳分行".to_owned().try_into().unwrap();
        Demand {
            id: uuid::Uuid::nil(),
            number: Number { year: 2026, sequence: 1 },
            committee: AgencyId("committee".parse().unwrap()),
            worker: "lihua".to_owned(),
            recorded: "2026-11-23T08:00:00Z".parse().unwrap(),
            facts: Facts {
                subject: Subject::Matter("kinship".parse().unwrap()),
                demander: Demander { name, kind: Kind::Service, level: Level::City, superior: None },
                on,
                said: Said::NoReason,
                note: None,
                basis: "辽民发〔2020〕52号 二（一）".to_owned(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::{Date, date};
    use proptest::prelude::*;

    use super::*;
    use crate::domain::ClosedList as _;

    /// Each agency in several spellings.
    const SPELLINGS: [&[&str]; 3] = [
        &["中国银行沈阳分行", "中国 银行 沈阳分行", "中國銀行（沈阳）分行"],
        &["沈阳市公积金管理中心", "沈阳市公积金管理中心 ", "沈阳市公积金·管理中心"],
        &["ABC Bank", "ａｂｃ　ｂａｎｋ", "Abc-Bank"],
    ];
    const MATTERS: [&str; 3] = ["kinship", "alive", "unlisted"];

    #[derive(Debug, Clone)]
    struct Drawn {
        agency: usize,
        spelling: usize,
        matter: usize,
        on: Date,
        state: State,
    }

    fn drawn() -> impl Strategy<Value = Drawn> {
        let day = (0_i32..900).prop_map(|days| date(2025, 1, 1).checked_add(jiff::Span::new().days(days)).unwrap());
        let state = proptest::sample::select(State::ALL.to_vec());
        (0_usize..3, 0_usize..3, 0_usize..3, day, state).prop_map(|(agency, spelling, matter, on, state)| Drawn {
            agency,
            spelling,
            matter,
            on,
            state,
        })
    }

    fn counted(drawn: &Drawn) -> Counted {
        let mut demand = testing::demand(drawn.on);
        demand.facts.demander.name = SPELLINGS[drawn.agency][drawn.spelling].to_owned().try_into().unwrap();
        demand.facts.subject = Subject::named(MATTERS[drawn.matter]).unwrap();
        Counted::one(&demand, drawn.state)
    }

    fn count(drawn: &[Drawn], is_meant: impl Fn(&Drawn) -> bool) -> u32 {
        let counts = |one: &&Drawn| one.state != State::Withdrawn && one.on.year() == 2026 && is_meant(one);
        u32::try_from(drawn.iter().filter(counts).count()).unwrap()
    }

    fn check(tally: &Tally, drawn: &[Drawn], is_meant: impl Fn(&Drawn) -> bool) {
        assert_eq!(tally.total, count(drawn, &is_meant));
        assert_eq!(tally.corrected, count(drawn, |one| is_meant(one) && one.state == State::Corrected));
        assert_eq!(tally.exposed, count(drawn, |one| is_meant(one) && one.state == State::Exposed));
        assert_eq!(tally.closed, count(drawn, |one| is_meant(one) && one.state == State::Closed));
        let open = [State::Recorded, State::LetterSent, State::Answered];
        assert_eq!(tally.open(), count(drawn, |one| is_meant(one) && open.contains(&one.state)));
        for (month, found) in (1..).zip(tally.months) {
            assert_eq!(found, count(drawn, |one| is_meant(one) && one.on.month() == month));
        }
    }

    proptest! {
        #[test]
        fn figures_are_what_counting_by_hand_gives(drawn in proptest::collection::vec(drawn(), 0..60)) {
            let records: Vec<Counted> = drawn.iter().map(counted).collect();
            let figures = figures(2026, &records);
            check(&figures.total, &drawn, |_| true);
            let spelling = |one: &&str| AgencyName::try_from((*one).to_owned()).unwrap();
            let spellings = SPELLINGS.map(|all| all.iter().map(spelling).collect::<Vec<_>>());
            let agency = |name: &AgencyName| spellings.iter().position(|all| all.contains(name)).unwrap();
            for row in &figures.by_agency {
                let agency = agency(&row.label);
                check(&row.tally, &drawn, |one| one.agency == agency);
            }
            for row in &figures.by_matter {
                check(&row.tally, &drawn, |one| MATTERS[one.matter] == row.label.as_str());
            }
            for row in &figures.by_both {
                let (agency, matter) = (agency(&row.label.0), row.label.1.as_str());
                check(&row.tally, &drawn, |one| one.agency == agency && MATTERS[one.matter] == matter);
            }
            for sum in [
                figures.by_agency.iter().map(|row| row.tally.total).sum::<u32>(),
                figures.by_matter.iter().map(|row| row.tally.total).sum(),
                figures.by_both.iter().map(|row| row.tally.total).sum(),
                figures.total.months.iter().sum(),
            ] {
                prop_assert_eq!(sum, figures.total.total);
            }
            let withdrawn = drawn.iter().filter(|one| one.state == State::Withdrawn && one.on.year() == 2026).count();
            prop_assert_eq!(usize::try_from(figures.withdrawn).unwrap(), withdrawn);
            prop_assert!(figures.by_agency.windows(2).all(|pair| pair[0].tally.total >= pair[1].tally.total));
        }

        /// Records whose time is over count as they did, however they were added up.
        #[test]
        fn what_was_added_up_counts_alike(drawn in proptest::collection::vec(drawn(), 0..40)) {
            let records: Vec<Counted> = drawn.iter().map(counted).collect();
            let mut sums: Vec<Counted> = Vec::new();
            for one in &records {
                let is_alike = |sum: &&mut Counted| Counted { count: 1, demander: sum.demander.clone(), ..one.clone() }
                    == Counted { count: 1, ..(**sum).clone() } && sum.demander.key() == one.demander.key();
                match sums.iter_mut().find(is_alike) {
                    Some(sum) => sum.count += 1,
                    None => sums.push(one.clone()),
                }
            }
            prop_assert_eq!(figures(2026, &sums), figures(2026, &records));
        }
    }
}
