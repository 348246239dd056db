//! The truth about everybody, one line of JSON a person.

use std::collections::BTreeMap;

use serde::Serialize;

use super::households::Address;
use super::world::{End, HouseId, Human, PersonId, World, untold};

/// One person, with what each department does not know.
#[derive(Debug, Serialize)]
pub(super) struct Line {
    id_number: String,
    name: String,
    sex: &'static str,
    born: String,
    died: Option<String>,
    birth_parents: Vec<String>,
    adoptive_parents: Vec<String>,
    marriages: Vec<MarriageLine>,
    household: Option<String>,
    former_households: Vec<String>,
    registered_division: Option<String>,
    unknown_to: BTreeMap<&'static str, Vec<&'static str>>,
}

#[derive(Debug, Serialize)]
struct MarriageLine {
    spouse: String,
    from: String,
    to: Option<String>,
    ended_by: Option<&'static str>,
}

impl World {
    /// The ID number of a person.
    pub(super) fn id_number(&self, id: PersonId) -> String {
        self.human(id).number.to_string()
    }

    /// The line of one person.
    pub(super) fn truth(&self, id: PersonId) -> Line {
        let human = self.human(id);
        let home = self.home(id);
        let mut former: Vec<HouseId> = Vec::new();
        for row in self.rows_of(id).filter(|row| row.to.is_some() && !row.is_void()) {
            if !former.contains(&row.house) && Some(row.house) != home {
                former.insert(0, row.house);
            }
        }
        let numbers = |people: Vec<PersonId>| people.into_iter().map(|one| self.id_number(one)).collect();
        Line {
            id_number: human.number.to_string(),
            name: human.name.to_string(),
            sex: if human.number.is_male() { "male" } else { "female" },
            born: human.born.to_string(),
            died: human.died.map(|died| died.to_string()),
            birth_parents: numbers([human.mother, human.father].into_iter().flatten().collect()),
            adoptive_parents: numbers(self.adopters(id).collect()),
            marriages: self.marriage_lines(id),
            household: home.map(house_number),
            former_households: former.into_iter().map(house_number).collect(),
            registered_division: home.map(|home| division(self.address(home))),
            unknown_to: self.unknown_to(id, human),
        }
    }

    fn marriage_lines(&self, id: PersonId) -> Vec<MarriageLine> {
        let line = |marriage| {
            let marriage = self.marriage(marriage);
            MarriageLine {
                spouse: self.id_number(marriage.spouse_of(id)),
                from: marriage.from.to_string(),
                to: marriage.end.map(|(on, _)| on.to_string()),
                ended_by: marriage.end.map(|(_, end)| end.word()),
            }
        };
        let mut lines: Vec<MarriageLine> = self.marriages_of(id).map(line).collect();
        lines.reverse();
        lines
    }

    fn unknown_to(&self, id: PersonId, human: &Human) -> BTreeMap<&'static str, Vec<&'static str>> {
        let mut unknown: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        let mut add = |department, what| {
            let list = unknown.entry(department).or_default();
            if !list.contains(&what) {
                list.push(what);
            }
        };
        for (bit, department, what) in OF_PEOPLE {
            if human.untold & bit != 0 {
                add(department, what);
            }
        }
        for marriage in self.marriages_of(id).map(|one| self.marriage(one)) {
            let end = match marriage.end {
                Some((_, End::Court)) => "court-divorce",
                Some((_, End::Annulment)) => "annulment",
                _ => "divorce",
            };
            for (bit, department, what) in [
                (untold::MARRIAGE, "civil-affairs", "marriage"),
                (untold::END_TO_CIVIL_AFFAIRS, "civil-affairs", end),
                (untold::END_TO_COURT, "court", end),
            ] {
                if marriage.untold & bit != 0 {
                    add(department, what);
                }
            }
        }
        unknown
    }
}

impl End {
    fn word(self) -> &'static str {
        match self {
            Self::Divorce => "divorce",
            Self::Court => "court",
            Self::Death => "death",
            Self::Annulment => "annulment",
        }
    }
}

const OF_PEOPLE: [(u8, &str, &str); 6] = [
    (untold::DEATH_TO_POLICE, "police", "died"),
    (untold::BIRTH_TO_POLICE, "police", "birth"),
    (untold::MOVE_TO_POLICE, "police", "move"),
    (untold::DEATH_TO_CIVIL_AFFAIRS, "civil-affairs", "died"),
    (untold::DEATH_TO_HEALTH, "health", "died"),
    (untold::BIRTH_TO_HEALTH, "health", "birth"),
];

/// The number of a register: nine digits that do not tell in which order registers were opened.
pub(super) fn house_number(house: HouseId) -> String {
    // A power of three shares no factor with a power of ten, so that no two houses get one number.
    let number = (house.index() as u64 * 387_420_489 + 271_828_183) % 1_000_000_000;
    format!("{number:09}")
}

/// The 12 digits of a registered division.
pub(super) fn division(address: Address) -> String {
    format!("{:06}{:06}", address.county, address.area)
}
