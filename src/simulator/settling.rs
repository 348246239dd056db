//! Who was listed in which household register, from the first registration to today: births, weddings,
//! divorces, adoptions, moves and deaths in the order in which they happened.

use super::day::Day;
use super::dice::Dice;
use super::households::{Address, Change};
use super::places;
use super::world::{End, MarriageId, PersonId, World, untold};

/// Registers everybody from this person and this marriage on.
pub(super) fn settle(world: &mut World, first_person: usize, first_marriage: usize, dice: &mut Dice) {
    let mut happenings = Vec::with_capacity(world.humans.len() * 3);
    for index in first_person..world.humans.len() {
        happenings_of_person(world, PersonId::at(index), dice, &mut happenings);
    }
    for index in first_marriage..world.marriages.len() {
        let marriage = world.marriage(MarriageId::at(index));
        happenings.push(Happening::Wedding.at(marriage.from, index));
        if let Some((end, End::Divorce | End::Court)) = marriage.end {
            happenings.push(Happening::Divorce.at(end, index));
        }
    }
    for (index, adoption) in world.adoptions.iter().enumerate() {
        if adoption.child.index() >= first_person {
            happenings.push(Happening::Adoption.at(adoption.on, index));
        }
    }
    happenings.sort_unstable();
    let mut registrar = Registrar { world, dice };
    for happening in happenings {
        registrar.register(happening);
    }
}

/// What happened, in the order in which things of one day are registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Happening {
    Birth,
    ComingOfAge,
    Wedding,
    Divorce,
    Adoption,
    LeavingHome,
    Removal,
    Death,
}

const KINDS: [Happening; 8] = [
    Happening::Birth,
    Happening::ComingOfAge,
    Happening::Wedding,
    Happening::Divorce,
    Happening::Adoption,
    Happening::LeavingHome,
    Happening::Removal,
    Happening::Death,
];

impl Happening {
    /// Day, kind and row in one number that sorts by time.
    fn at(self, on: Day, index: usize) -> u64 {
        let kind = KINDS.iter().position(|kind| *kind == self).unwrap_or(0) as u64;
        (u64::from(on.number()) << 35) | (kind << 32) | (index as u64)
    }
}

fn happenings_of_person(world: &World, id: PersonId, dice: &mut Dice, happenings: &mut Vec<u64>) {
    let human = world.human(id);
    let mut push = |happening: Happening, on: Day| {
        if on <= world.today && human.died.is_none_or(|died| on < died) {
            happenings.push(happening.at(on, id.index()));
        }
    };
    match human.mother {
        Some(_) => push(Happening::Birth, human.born),
        None => push(Happening::ComingOfAge, human.born.plus_years(18)),
    }
    if dice.chance(150) {
        push(Happening::LeavingHome, human.born.plus(dice.between(20 * 365, 30 * 365)));
    }
    if dice.chance(90) {
        push(Happening::Removal, human.born.plus(dice.between(25 * 365, 60 * 365)));
    }
    if let Some(died) = human.died.filter(|_| human.untold & untold::DEATH_TO_POLICE == 0) {
        happenings.push(Happening::Death.at(died, id.index()));
    }
}

struct Registrar<'a> {
    world: &'a mut World,
    dice: &'a mut Dice,
}

impl Registrar<'_> {
    fn register(&mut self, happening: u64) {
        let on = Day::numbered(u32::try_from(happening >> 35).unwrap_or(0));
        let index = u32::try_from(happening & u64::from(u32::MAX)).unwrap_or(0) as usize;
        let kind = KINDS.get(((happening >> 32) & 7) as usize);
        let person = PersonId::at(index);
        let change = Change::on(on);
        match kind.copied().unwrap_or(Happening::Death) {
            Happening::Birth => self.birth(person, change),
            Happening::ComingOfAge => {
                let address = self.address_in(self.world.human(person).county);
                self.world.found(&[person], address, change);
            }
            Happening::Wedding => self.wedding(MarriageId::at(index), change),
            Happening::Divorce => self.divorce(MarriageId::at(index), change),
            Happening::Adoption => {
                let adoption = self.world.adoptions.get(index).map(|one| (one.child, one.adopters[0]));
                if let Some((child, Some(adopter))) = adoption {
                    self.world.join(&[child], adopter, change);
                }
            }
            Happening::LeavingHome => self.leaving_home(person, change),
            Happening::Removal => self.removal(person, change),
            Happening::Death => self.world.leave(&[person], change),
        }
    }

    fn address_in(&mut self, county: u32) -> Address {
        Address { county, area: places::draw_area(self.dice) }
    }

    fn birth(&mut self, child: PersonId, change: Change) {
        let human = self.world.human(child);
        let Some(mother) = human.mother else { return };
        let father = human.father;
        let host = if change.on.year() >= 1985 && self.dice.chance(70) {
            self.grandparent_elsewhere(mother, father, change.on)
        } else {
            father.filter(|_| self.dice.chance(150))
        };
        let host = host.filter(|host| self.world.alive(*host, change.on) && self.world.home(*host).is_some());
        self.world.join(&[child], host.unwrap_or(mother), change);
    }

    /// A grandparent who lives in another household than the parents.
    fn grandparent_elsewhere(&self, mother: PersonId, father: Option<PersonId>, on: Day) -> Option<PersonId> {
        let mut parents = [father, Some(mother)].into_iter().flatten();
        let home = self.world.home(mother);
        let grandparents = parents.by_ref().flat_map(|parent| self.world.parents(parent));
        let mut elsewhere = grandparents
            .filter(|one| self.world.alive(*one, on) && self.world.home(*one).is_some_and(|it| Some(it) != home));
        elsewhere.next()
    }

    fn wedding(&mut self, marriage: MarriageId, change: Change) {
        let [man, woman] = self.world.marriage(marriage).parties;
        match self.dice.below(100) {
            0..60 => {
                let county = self.world.human(man).county;
                let address = self.address_in(county);
                let mut people = if self.dice.chance(850) { vec![man, woman] } else { vec![woman, man] };
                people.extend(self.minors_with(man, change.on));
                people.extend(self.minors_with(woman, change.on));
                self.world.found(&people, address, change);
            }
            60..90 => self.move_in(woman, man, change),
            90..95 => self.move_in(man, woman, change),
            // Some stay where they are registered.
            _ => {}
        }
    }

    fn move_in(&mut self, who: PersonId, host: PersonId, change: Change) {
        if self.world.home(who) == self.world.home(host) {
            return;
        }
        let mut people = vec![who];
        people.extend(self.minors_with(who, change.on));
        self.world.join(&people, host, change);
    }

    /// A parent's children under 18 in the parent's household.
    fn minors_with(&self, parent: PersonId, on: Day) -> Vec<PersonId> {
        let Some(home) = self.world.home(parent) else { return Vec::new() };
        let members = self.world.members(home);
        let is_minor = |one: &PersonId| self.world.human(*one).born.plus_years(18) > on;
        members.into_iter().filter(is_minor).filter(|one| self.world.is_parent(parent, *one)).collect()
    }

    fn divorce(&mut self, marriage: MarriageId, change: Change) {
        let [man, woman] = self.world.marriage(marriage).parties;
        let Some(home) = self.world.home(woman).filter(|home| self.world.home(man) == Some(*home)) else { return };
        let head = self.world.head(home);
        let hers = head.is_some_and(|head| head == woman || self.world.is_parent(head, woman));
        let leaver = if hers { man } else { woman };
        let mut people = vec![leaver];
        if self.dice.chance(500) {
            people.extend(self.minors_with(leaver, change.on));
        }
        let county = self.world.human(leaver).county;
        let address = self.address_in(county);
        self.world.found(&people, address, change);
    }

    fn leaving_home(&mut self, person: PersonId, change: Change) {
        let Some(home) = self.world.home(person) else { return };
        let alone = self.world.members(home).len() < 2;
        if alone || self.world.head(home) == Some(person) || self.world.marriage_on(person, change.on).is_some() {
            return;
        }
        let county = self.world.places.draw(self.dice);
        let address = self.address_in(county);
        self.world.found(&[person], address, change);
    }

    fn removal(&mut self, person: PersonId, change: Change) {
        let Some(home) = self.world.home(person).filter(|home| self.world.head(*home) == Some(person)) else { return };
        let county = self.world.address(home).county;
        let county = if self.dice.chance(600) {
            self.world.places.nearby(county, self.dice)
        } else {
            self.world.places.draw(self.dice)
        };
        let address = self.address_in(county);
        self.world.relocate(home, address, change);
    }
}
