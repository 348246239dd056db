//! The household registers. Whoever stands in the same register as somebody else stood there at the same time:
//! a register that somebody has left takes nobody new, but goes on under a new number.

use super::day::Day;
use super::kinship::relation;
use super::world::{House, HouseId, PersonId, Row, RowId, World, untold};

/// When the registers change, and whether the police are told.
#[derive(Debug, Clone, Copy)]
pub(super) struct Change {
    pub(super) on: Day,
    pub(super) told: bool,
}

impl Change {
    /// A change that the police know.
    pub(super) fn on(on: Day) -> Self {
        Self { on, told: true }
    }
}

/// A registered division, in two parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) county: u32,
    pub(super) area: u32,
}

impl World {
    pub(super) fn house(&self, id: HouseId) -> &House {
        &self.houses[id.index()]
    }

    pub(super) fn row(&self, id: RowId) -> &Row {
        &self.rows[id.index()]
    }

    /// All rows of a person, latest first.
    pub(super) fn rows_of(&self, person: PersonId) -> impl Iterator<Item = &Row> {
        let rows = std::iter::successors(self.last_row(person), |id| self.row(*id).earlier_of_person);
        rows.map(|id| self.row(id))
    }

    /// All rows of a household, latest first.
    pub(super) fn rows_in(&self, house: HouseId) -> impl Iterator<Item = &Row> {
        let rows = std::iter::successors(self.house(house).last_row, |id| self.row(*id).earlier_of_house);
        rows.map(|id| self.row(id))
    }

    /// The household that lists the person now.
    pub(super) fn home(&self, person: PersonId) -> Option<HouseId> {
        self.rows_of(person).next().filter(|row| row.to.is_none()).map(|row| row.house)
    }

    pub(super) fn address(&self, house: HouseId) -> Address {
        let house = self.house(house);
        Address { county: house.county, area: house.area }
    }

    /// Who is listed now, in the order of entry.
    pub(super) fn members(&self, house: HouseId) -> Vec<PersonId> {
        let mut members: Vec<PersonId> =
            self.rows_in(house).filter(|row| row.to.is_none()).map(|row| row.person).collect();
        members.reverse();
        members
    }

    pub(super) fn head(&self, house: HouseId) -> Option<PersonId> {
        self.rows_in(house).find(|row| row.to.is_none() && row.relation == relation::HEAD).map(|row| row.person)
    }

    /// A new register for these people, the first as its head; they leave where they were.
    pub(super) fn found(&mut self, people: &[PersonId], address: Address, change: Change) -> HouseId {
        self.leave(people, change);
        let house = HouseId::at(self.houses.len());
        self.houses.push(House { county: address.county, area: address.area, last_row: None });
        for person in people {
            self.enter(house, *person, people.first().copied(), change);
        }
        house
    }

    /// People join somebody's household; they leave where they were.
    pub(super) fn join(&mut self, people: &[PersonId], host: PersonId, change: Change) -> Option<HouseId> {
        self.leave(people, change);
        let house = self.home(host)?;
        let house = if self.rows_in(house).any(|row| row.to.is_some() && !row.is_void()) {
            self.renew(house, change)?
        } else {
            house
        };
        let head = self.head(house);
        for person in people {
            self.enter(house, *person, head, change);
        }
        Some(house)
    }

    /// People leave their households. One that loses its head goes on under a new one, by a new number.
    pub(super) fn leave(&mut self, people: &[PersonId], change: Change) {
        let mut houses: Vec<HouseId> = Vec::new();
        for person in people {
            if let Some(house) = self.home(*person) {
                self.close(*person, change);
                if !houses.contains(&house) {
                    houses.push(house);
                }
            }
        }
        for house in houses {
            // Who entered on the very day has never stood beside those who leave.
            let entered = self.rows_in(house).any(|row| row.to.is_none() && row.from == change.on);
            if entered || self.head(house).is_none() {
                self.renew(house, change);
            }
        }
    }

    /// Everybody of the household moves to another division.
    pub(super) fn relocate(&mut self, house: HouseId, address: Address, change: Change) -> Option<HouseId> {
        let mut people = self.members(house);
        let head = self.head(house)?;
        people.retain(|person| *person != head);
        people.insert(0, head);
        for person in &people {
            self.close(*person, change);
        }
        Some(self.found(&people, address, change))
    }

    /// The household's remaining members under a new number; the head stays, or the next one follows.
    fn renew(&mut self, house: HouseId, change: Change) -> Option<HouseId> {
        let mut people = self.members(house);
        let was_head = self.rows_in(house).find(|row| row.relation == relation::HEAD).map(|row| row.person);
        let spouse_of_head = was_head
            .and_then(|head| self.marriages_of(head).next().map(|id| self.marriage(id).spouse_of(head)))
            .filter(|spouse| people.contains(spouse));
        let eldest = people.iter().copied().min_by_key(|person| (self.human(*person).born, *person));
        let head = self.head(house).or(spouse_of_head).or(eldest)?;
        people.retain(|person| *person != head);
        people.insert(0, head);
        for person in &people {
            self.close(*person, change);
        }
        Some(self.found(&people, self.address(house), change))
    }

    fn enter(&mut self, house: HouseId, person: PersonId, head: Option<PersonId>, change: Change) {
        let relation = head.map_or(relation::HEAD, |head| self.relation(head, person, change.on));
        if change.told {
            self.tell_police(person);
        } else {
            self.human_mut(person).untold |= untold::MOVE_TO_POLICE;
        }
        self.link_row(Row {
            person,
            house,
            relation,
            from: change.on,
            to: None,
            from_untold: !change.told,
            to_untold: false,
            earlier_of_person: self.last_row(person),
            earlier_of_house: self.house(house).last_row,
        });
    }

    fn close(&mut self, person: PersonId, change: Change) {
        if change.told {
            self.tell_police(person);
        }
        let Some(id) = self.last_row(person) else { return };
        if let Some(row) = self.rows.get_mut(id.index()).filter(|row| row.to.is_none()) {
            row.to = Some(change.on);
            row.to_untold = !change.told;
        }
    }

    /// A change that the police know brings the earlier ones to their knowledge.
    fn tell_police(&mut self, person: PersonId) {
        if self.human(person).untold & untold::MOVE_TO_POLICE == 0 {
            return;
        }
        self.human_mut(person).untold &= !untold::MOVE_TO_POLICE;
        let mut next = self.last_row(person);
        while let Some(row) = next.and_then(|id| self.rows.get_mut(id.index())) {
            row.from_untold = false;
            row.to_untold = false;
            next = row.earlier_of_person;
        }
    }
}
