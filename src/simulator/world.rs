//! The truth: who was born to whom, who married whom, who is listed where. Rows of a few bytes, linked by
//! number, so that a million people fit into a few hundred megabytes.

use std::collections::HashMap;
use std::num::NonZeroU32;

use super::day::Day;
use super::dice::Dice;
use super::names::Name;
use super::number::{Number, Register};
use super::places::{self, Places};

/// Position of a row in its table.
macro_rules! row_number {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub(super) struct $name(NonZeroU32);

        impl $name {
            /// Of the row that is next when a table has so many.
            pub(super) fn at(index: usize) -> Self {
                let number = u32::try_from(index + 1).unwrap_or(u32::MAX);
                Self(NonZeroU32::new(number).unwrap_or(NonZeroU32::MAX))
            }

            pub(super) fn index(self) -> usize {
                self.0.get() as usize - 1
            }
        }
    };
}

row_number!(
    /// A person.
    PersonId
);
row_number!(
    /// A marriage.
    MarriageId
);
row_number!(
    /// A household register.
    HouseId
);
row_number!(
    /// One person's time in one household register.
    RowId
);

/// A person, living or dead.
#[derive(Debug, Clone)]
pub(super) struct Human {
    pub(super) number: Number,
    pub(super) name: Name,
    pub(super) born: Day,
    pub(super) died: Option<Day>,
    pub(super) mother: Option<PersonId>,
    pub(super) father: Option<PersonId>,
    /// County of the first registration, present code.
    pub(super) county: u32,
    /// What some departments were not told, see the `Untold` constants.
    pub(super) untold: u8,
    first_child: Option<PersonId>,
    next_of_mother: Option<PersonId>,
    next_of_father: Option<PersonId>,
    last_marriage: Option<MarriageId>,
    last_row: Option<RowId>,
}

/// Bits of [`Human::untold`] and [`Marriage::untold`].
pub(super) mod untold {
    pub(in crate::simulator) const DEATH_TO_POLICE: u8 = 1;
    pub(in crate::simulator) const DEATH_TO_CIVIL_AFFAIRS: u8 = 2;
    pub(in crate::simulator) const DEATH_TO_HEALTH: u8 = 4;
    pub(in crate::simulator) const BIRTH_TO_POLICE: u8 = 8;
    pub(in crate::simulator) const BIRTH_TO_HEALTH: u8 = 16;
    pub(in crate::simulator) const MOVE_TO_POLICE: u8 = 32;

    /// Of a marriage: civil affairs has no record of it.
    pub(in crate::simulator) const MARRIAGE: u8 = 1;
    /// Of a marriage: civil affairs does not know that it ended.
    pub(in crate::simulator) const END_TO_CIVIL_AFFAIRS: u8 = 2;
    /// Of a marriage: the court's index does not know its divorce yet.
    pub(in crate::simulator) const END_TO_COURT: u8 = 4;
}

/// What ended a marriage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// Divorced at civil affairs.
    Divorce,
    /// Divorced by a court.
    Court,
    /// One of the two died.
    Death,
    /// Annulled: it never was a marriage.
    Annulment,
}

/// A marriage; the husband first.
#[derive(Debug, Clone)]
pub(super) struct Marriage {
    pub(super) parties: [PersonId; 2],
    pub(super) from: Day,
    pub(super) end: Option<(Day, End)>,
    /// Where it was registered.
    pub(super) county: u32,
    pub(super) untold: u8,
    earlier: [Option<MarriageId>; 2],
}

impl Marriage {
    /// The other one of the two.
    pub(super) fn spouse_of(&self, person: PersonId) -> PersonId {
        if self.parties[0] == person { self.parties[1] } else { self.parties[0] }
    }

    /// Whether it was in force on that day.
    pub(super) fn in_force(&self, on: Day) -> bool {
        self.from <= on && self.end.is_none_or(|(end, _)| on < end)
    }
}

/// A household register.
#[derive(Debug, Clone)]
pub(super) struct House {
    /// Registered county, present code.
    pub(super) county: u32,
    /// The street and committee part of the division.
    pub(super) area: u32,
    pub(super) last_row: Option<RowId>,
}

/// One person's time in one household register.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) person: PersonId,
    pub(super) house: HouseId,
    /// Relation to the head, GB/T 4761.
    pub(super) relation: u8,
    pub(super) from: Day,
    pub(super) to: Option<Day>,
    /// The police were not told of its beginning.
    pub(super) from_untold: bool,
    /// The police were not told of its end.
    pub(super) to_untold: bool,
    pub(super) earlier_of_person: Option<RowId>,
    pub(super) earlier_of_house: Option<RowId>,
}

impl Row {
    /// A row that was closed on the day it was opened stands in no register.
    pub(super) fn is_void(&self) -> bool {
        self.to.is_some_and(|to| to <= self.from)
    }
}

/// An adoption.
#[derive(Debug, Clone)]
pub(super) struct Adoption {
    pub(super) child: PersonId,
    pub(super) adopters: [Option<PersonId>; 2],
    pub(super) on: Day,
    pub(super) county: u32,
}

/// What a judgment says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum JudgmentKind {
    Divorce,
    Annulment,
    DeclaredDead,
    DeclaredMissing,
}

/// A court's judgment.
#[derive(Debug, Clone)]
pub(super) struct Judgment {
    pub(super) kind: JudgmentKind,
    pub(super) parties: [Option<PersonId>; 2],
    pub(super) effective: Day,
    pub(super) revoked: Option<Day>,
    pub(super) county: u32,
    /// It is in the archive, and somebody has to go and read it.
    pub(super) on_paper: bool,
    /// Not in the court's own index yet.
    pub(super) untold: bool,
}

/// Everybody and everything that happened.
#[derive(Debug)]
pub(super) struct World {
    pub(super) today: Day,
    pub(super) places: Places,
    pub(super) humans: Vec<Human>,
    pub(super) marriages: Vec<Marriage>,
    pub(super) houses: Vec<House>,
    pub(super) rows: Vec<Row>,
    pub(super) adoptions: Vec<Adoption>,
    pub(super) judgments: Vec<Judgment>,
    by_number: Register<PersonId>,
    adoptions_of: HashMap<PersonId, Vec<u32>>,
    judgments_of: HashMap<PersonId, Vec<u32>>,
}

/// What is known of a person at birth.
#[derive(Debug, Clone, Copy)]
pub(super) struct Birth {
    pub(super) born: Day,
    pub(super) male: bool,
    pub(super) name: Name,
    pub(super) county: u32,
    pub(super) mother: Option<PersonId>,
    pub(super) father: Option<PersonId>,
}

impl World {
    pub(super) fn new(today: Day, population: usize) -> Self {
        Self {
            today,
            places: Places::new(),
            humans: Vec::with_capacity(population),
            marriages: Vec::with_capacity(population / 3),
            houses: Vec::with_capacity(population),
            rows: Vec::with_capacity(population * 3),
            adoptions: Vec::new(),
            judgments: Vec::new(),
            by_number: Register::with_capacity_and_hasher(population, std::hash::BuildHasherDefault::default()),
            adoptions_of: HashMap::new(),
            judgments_of: HashMap::new(),
        }
    }

    pub(super) fn human(&self, id: PersonId) -> &Human {
        &self.humans[id.index()]
    }

    pub(super) fn human_mut(&mut self, id: PersonId) -> &mut Human {
        &mut self.humans[id.index()]
    }

    pub(super) fn marriage(&self, id: MarriageId) -> &Marriage {
        &self.marriages[id.index()]
    }

    #[cfg(test)]
    pub(super) fn people(&self) -> impl Iterator<Item = PersonId> + use<> {
        (0..self.humans.len()).map(PersonId::at)
    }

    /// Who has this ID number.
    pub(super) fn find(&self, id_number: &str) -> Option<PersonId> {
        self.by_number.get(&Number::parse(id_number)?).copied()
    }

    pub(super) fn alive(&self, id: PersonId, on: Day) -> bool {
        let human = self.human(id);
        human.born <= on && human.died.is_none_or(|died| on < died)
    }

    /// Adds a person, with a number that nobody else has.
    pub(super) fn add_person(&mut self, birth: Birth, dice: &mut Dice) -> PersonId {
        let id = PersonId::at(self.humans.len());
        let number = self.draw_number(birth, dice);
        self.by_number.insert(number, id);
        let link = |parent: Option<PersonId>| parent.and_then(|parent| self.human(parent).first_child);
        let (next_of_mother, next_of_father) = (link(birth.mother), link(birth.father));
        for parent in [birth.mother, birth.father].into_iter().flatten() {
            self.human_mut(parent).first_child = Some(id);
        }
        self.humans.push(Human {
            number,
            name: birth.name,
            born: birth.born,
            died: None,
            mother: birth.mother,
            father: birth.father,
            county: birth.county,
            untold: 0,
            first_child: None,
            next_of_mother,
            next_of_father,
            last_marriage: None,
            last_row: None,
        });
        id
    }

    fn draw_number(&self, birth: Birth, dice: &mut Dice) -> Number {
        let mut county = places::code_at_birth(birth.county, birth.born);
        loop {
            // A county and a day have 497 sequences for each sex.
            for _ in 0..2000 {
                let sequence = dice.between(0, 496) * 2 + u32::from(birth.male);
                let number = Number::new(county, birth.born, sequence.max(2 - u32::from(birth.male)));
                if !self.by_number.contains_key(&number) {
                    return number;
                }
            }
            county = self.places.draw(dice);
        }
    }

    /// Children by birth, latest entry first.
    pub(super) fn children(&self, parent: PersonId) -> impl Iterator<Item = PersonId> {
        let is_mother = !self.human(parent).number.is_male();
        std::iter::successors(self.human(parent).first_child, move |child| {
            let child = self.human(*child);
            if is_mother { child.next_of_mother } else { child.next_of_father }
        })
    }

    /// Adds a marriage. The husband comes first.
    pub(super) fn marry(&mut self, parties: [PersonId; 2], from: Day, county: u32) -> MarriageId {
        let id = MarriageId::at(self.marriages.len());
        let earlier = parties.map(|party| self.human(party).last_marriage);
        for party in parties {
            self.human_mut(party).last_marriage = Some(id);
        }
        self.marriages.push(Marriage { parties, from, end: None, county, untold: 0, earlier });
        id
    }

    /// Marriages, latest first.
    pub(super) fn marriages_of(&self, person: PersonId) -> impl Iterator<Item = MarriageId> {
        std::iter::successors(self.human(person).last_marriage, move |id| {
            let marriage = self.marriage(*id);
            marriage.earlier[usize::from(marriage.parties[0] != person)]
        })
    }

    /// The marriage in force on that day.
    pub(super) fn marriage_on(&self, person: PersonId, on: Day) -> Option<MarriageId> {
        self.marriages_of(person).find(|id| self.marriage(*id).in_force(on))
    }

    /// Ends a marriage; a court's divorce leaves a judgment.
    pub(super) fn end_marriage(&mut self, id: MarriageId, on: Day, end: End) {
        let marriage = &mut self.marriages[id.index()];
        marriage.end = Some((on, end));
        let ([one, other], county) = (marriage.parties, marriage.county);
        let kind = match end {
            End::Court => JudgmentKind::Divorce,
            End::Annulment => JudgmentKind::Annulment,
            End::Divorce | End::Death => return,
        };
        let parties = [Some(one), Some(other)];
        self.judge(Judgment { kind, parties, effective: on, revoked: None, county, on_paper: false, untold: false });
    }

    pub(super) fn judge(&mut self, judgment: Judgment) {
        let index = u32::try_from(self.judgments.len()).unwrap_or(u32::MAX);
        for party in judgment.parties.into_iter().flatten() {
            self.judgments_of.entry(party).or_default().push(index);
        }
        self.judgments.push(judgment);
    }

    /// Judgments about this person with their positions, earliest entry first.
    pub(super) fn judgments_of(&self, person: PersonId) -> impl Iterator<Item = (usize, &Judgment)> {
        let positions = self.judgments_of.get(&person).map_or(&[][..], Vec::as_slice);
        positions.iter().filter_map(|index| Some((*index as usize, self.judgments.get(*index as usize)?)))
    }

    pub(super) fn adopt(&mut self, adoption: Adoption) {
        let index = u32::try_from(self.adoptions.len()).unwrap_or(u32::MAX);
        let child = self.human(adoption.child);
        let involved = [Some(adoption.child), adoption.adopters[0], adoption.adopters[1], child.mother, child.father];
        for person in involved.into_iter().flatten() {
            self.adoptions_of.entry(person).or_default().push(index);
        }
        self.adoptions.push(adoption);
    }

    /// Adoptions in which this person is child, adopter or birth parent, with their positions.
    pub(super) fn adoptions_of(&self, person: PersonId) -> impl Iterator<Item = (usize, &Adoption)> {
        let positions = self.adoptions_of.get(&person).map_or(&[][..], Vec::as_slice);
        positions.iter().filter_map(|index| Some((*index as usize, self.adoptions.get(*index as usize)?)))
    }

    /// Who adopted this person.
    pub(super) fn adopters(&self, child: PersonId) -> impl Iterator<Item = PersonId> {
        self.adoptions_of(child).filter(move |(_, one)| one.child == child).flat_map(|(_, one)| one.adopters).flatten()
    }

    pub(super) fn link_row(&mut self, row: Row) {
        let id = RowId::at(self.rows.len());
        self.humans[row.person.index()].last_row = Some(id);
        self.houses[row.house.index()].last_row = Some(id);
        self.rows.push(row);
    }

    pub(super) fn last_row(&self, person: PersonId) -> Option<RowId> {
        self.human(person).last_row
    }
}
