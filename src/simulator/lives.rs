//! Generations of lives: births, marriages, divorces, adoptions and deaths, year by year until today.
//!
//! A person's death is drawn at birth, so that a marriage can be drawn with its end and its children as soon
//! as it begins. Where people are registered follows afterwards, see [`super::settling`].

use super::day::Day;
use super::dice::Dice;
use super::names::Name;
use super::world::{Adoption, Birth, End, Judgment, JudgmentKind, MarriageId, PersonId, World, untold};

/// Fills the world with people until there are `size` of them.
pub(super) fn populate(world: &mut World, size: usize, dice: &mut Dice) {
    let first = world.humans.len();
    let mut lives = Lives::new(world, size, dice);
    lives.settle_founders(size.saturating_sub(first));
    for year in FIRST_YEAR..=lives.today.year() {
        lives.marry_off(year);
    }
    lives.fill_up();
    lives.plant_recent_deaths(first, size);
    lives.plant_missing(first, size);
}

const FIRST_YEAR: u32 = 1925;

/// People until today per founder, the founders themselves counted. A little less comes of them,
/// and families who came from elsewhere fill the rest.
const PEOPLE_PER_FOUNDER: usize = 5;

struct Lives<'a> {
    world: &'a mut World,
    dice: &'a mut Dice,
    size: usize,
    today: Day,
    /// Who looks for a spouse in which year: men, women.
    looking: [Vec<Vec<PersonId>>; 2],
    /// Couples without children, and people who stay single, who may adopt.
    willing_couples: Vec<MarriageId>,
    willing_singles: Vec<PersonId>,
}

impl<'a> Lives<'a> {
    fn new(world: &'a mut World, size: usize, dice: &'a mut Dice) -> Self {
        let today = world.today;
        let years = today.year().saturating_sub(FIRST_YEAR) as usize + 2;
        let looking = [(); 2].map(|()| vec![Vec::new(); years]);
        Self { world, dice, size, today, looking, willing_couples: Vec::new(), willing_singles: Vec::new() }
    }

    fn is_full(&self) -> bool {
        self.world.humans.len() >= self.size
    }

    fn settle_founders(&mut self, size: usize) {
        for index in 0..size / PEOPLE_PER_FOUNDER {
            let year = self.dice.between(1908, 1938);
            let born = self.day_in(year);
            let founder = self.founder(born, index % 2 == 0);
            self.plan_wedding(founder);
        }
    }

    /// Somebody whose parents are not in the population.
    fn founder(&mut self, born: Day, male: bool) -> PersonId {
        let name = Name::draw(male, born.year(), self.dice);
        let county = self.world.places.draw(self.dice);
        let founder = self.world.add_person(Birth { born, male, name, county, mother: None, father: None }, self.dice);
        let died = self.draw_death(born).max(born.plus_years(50));
        self.world.human_mut(founder).died = (died < self.today).then_some(died);
        founder
    }

    fn day_in(&mut self, year: u32) -> Day {
        Day::new(year, 1, 1).plus(self.dice.below(365))
    }

    /// A day to die on, whether or not it has come.
    fn draw_death(&mut self, born: Day) -> Day {
        let days = if self.dice.chance(30) {
            self.dice.between(19 * 365, 60 * 365)
        } else {
            // About normal around 78 years.
            let spread: u32 = (0..4).map(|_| self.dice.below(32 * 365 / 2)).sum();
            46 * 365 + spread
        };
        born.plus(days.min(103 * 365))
    }

    fn plan_wedding(&mut self, person: PersonId) {
        let human = self.world.human(person);
        let (born, male) = (human.born, human.number.is_male());
        let year = born.year();
        let (never, age) = match year {
            ..1960 => (25, 23),
            1960..1975 => (30, 24),
            1975..1988 => (50, 26),
            _ => (110, 28),
        };
        if self.dice.chance(never) {
            self.willing_singles.push(person);
            if !male && self.dice.chance(200) {
                let born = born.plus(self.dice.between(21 * 365, 34 * 365));
                self.bear(person, None, born);
            }
            return;
        }
        let when = year + age + u32::from(male) * 2 - 3 + self.dice.below(7);
        self.look(person, when);
    }

    fn look(&mut self, person: PersonId, year: u32) {
        let sex = usize::from(!self.world.human(person).number.is_male());
        let list = self.looking.get_mut(sex).and_then(|years| years.get_mut(year.checked_sub(FIRST_YEAR)? as usize));
        if let Some(list) = list {
            list.push(person);
        }
    }

    /// Pairs those who look for a spouse in this year, first within their city.
    fn marry_off(&mut self, year: u32) {
        let mut sides = [0, 1].map(|sex: usize| {
            let years = self.looking.get_mut(sex);
            years.and_then(|years| years.get_mut((year - FIRST_YEAR) as usize)).map(std::mem::take).unwrap_or_default()
        });
        for side in &mut sides {
            self.dice.shuffle(side);
            side.sort_by_key(|person| self.world.human(*person).county / 100);
        }
        let [mut grooms, mut brides] = sides.map(|side| side.into_iter().peekable());
        while let (Some(man), Some(woman)) = (grooms.peek().copied(), brides.peek().copied()) {
            let [his, hers] = [man, woman].map(|one| self.world.human(one).county / 100);
            // Somebody left over in one city finds somebody in the next one, or next year.
            if his != hers && self.dice.chance(700) {
                let late = if his < hers { grooms.next() } else { brides.next() };
                self.wait(late.unwrap_or(man), year);
                continue;
            }
            grooms.next();
            brides.next();
            if !self.try_wedding(man, woman, year) {
                self.wait(man, year);
                self.wait(woman, year);
            }
        }
        grooms.chain(brides).for_each(|one| self.wait(one, year));
    }

    fn wait(&mut self, person: PersonId, year: u32) {
        if self.world.human(person).born.year() + 60 > year {
            self.look(person, year + 1);
        }
    }

    fn try_wedding(&mut self, man: PersonId, woman: PersonId, year: u32) -> bool {
        let born = [man, woman].map(|one| self.world.human(one).born);
        let mut earliest = Day::new(year, 1, 1).max(born[0].plus_years(22)).max(born[1].plus_years(20));
        for one in [man, woman] {
            let Some(last) = self.world.marriages_of(one).next() else { continue };
            let Some((end, _)) = self.world.marriage(last).end else { return false };
            earliest = earliest.max(end.plus(60));
        }
        let latest = Day::new(year, 12, 31).min(self.today);
        if earliest > latest || born[0].year().abs_diff(born[1].year()) > 12 {
            return false;
        }
        let on = earliest.plus(self.dice.below(latest.since(earliest) + 1));
        let both_live = [man, woman].iter().all(|one| self.world.alive(*one, on.plus(30)));
        if !both_live || self.world.too_close_to_marry(man, woman) {
            return false;
        }
        self.wed(man, woman, on);
        true
    }

    /// A marriage with all that comes of it.
    fn wed(&mut self, man: PersonId, woman: PersonId, on: Day) {
        let county = self.world.human(if self.dice.chance(600) { man } else { woman }).county;
        let marriage = self.world.marry([man, woman], on, county);
        let end = self.draw_end(man, woman, on);
        self.draw_children(marriage, end.map_or(self.today, |(end, _)| end));
        let Some((day, end)) = end else { return };
        self.world.end_marriage(marriage, day, end);
        let mut remarries = false;
        for one in [man, woman] {
            let young = self.world.human(one).born.plus_years(62) > day;
            if young && self.world.alive(one, day) && self.dice.chance(450) {
                let year = day.year().max(on.year()) + 1 + self.dice.below(5);
                remarries |= year <= self.today.year();
                self.look(one, year);
            }
        }
        if end == End::Court {
            self.file_judgment(marriage, day, remarries);
        }
    }

    fn draw_end(&mut self, man: PersonId, woman: PersonId, on: Day) -> Option<(Day, End)> {
        let death = [man, woman].into_iter().filter_map(|one| self.world.human(one).died).min();
        let divorces = match on.year() {
            ..1970 => 20,
            1970..1980 => 50,
            1980..1990 => 110,
            1990..2000 => 180,
            _ => 260,
        };
        if self.dice.chance(divorces) {
            let day = on.plus(self.dice.between(300, 7500));
            let end = if self.dice.chance(250) { End::Court } else { End::Divorce };
            if day < self.today && death.is_none_or(|death| day < death) {
                return Some((day, end));
            }
        }
        death.map(|death| (death, End::Death))
    }

    /// Some judgments lie in an archive on paper; some have not reached civil affairs.
    fn file_judgment(&mut self, marriage: MarriageId, on: Day, remarries: bool) {
        let archived = on.year() < 2003 && self.dice.chance(300);
        if let Some(judgment) = self.world.judgments.last_mut() {
            judgment.on_paper = archived;
        }
        if !remarries && on.plus(6 * 365) > self.today && self.dice.chance(250) {
            self.world.marriages[marriage.index()].untold |= untold::END_TO_CIVIL_AFFAIRS;
        }
    }

    fn draw_children(&mut self, marriage: MarriageId, until: Day) {
        let [father, mother] = self.world.marriage(marriage).parties;
        let on = self.world.marriage(marriage).from;
        let second = self.world.children(mother).next().is_some() || self.world.children(father).next().is_some();
        let count = match on.year() {
            _ if second => self.dice.below(2),
            ..1956 => self.dice.between(2, 5),
            1956..1971 => self.dice.between(2, 4),
            1971..1981 => self.dice.between(1, 3),
            1981..2016 => u32::from(!self.dice.chance(70)) + u32::from(self.dice.chance(220)),
            _ => u32::from(!self.dice.chance(250)) + u32::from(self.dice.chance(250)),
        };
        if count == 0 && !second {
            self.willing_couples.push(marriage);
        }
        let mut born = on.plus(self.dice.between(280, 900));
        for _ in 0..count {
            if born >= until || self.world.human(mother).born.plus_years(45) < born {
                break;
            }
            self.bear(mother, Some(father), born);
            born = born.plus(self.dice.between(500, 1600));
        }
    }

    fn bear(&mut self, mother: PersonId, father: Option<PersonId>, born: Day) {
        if self.is_full() || born >= self.today || !self.world.alive(mother, born) {
            return;
        }
        let male = self.dice.chance(513);
        let namesake = father.filter(|_| !self.dice.chance(40)).unwrap_or(mother);
        let name = self.world.name_child([Some(mother), father], namesake, (male, born.year()), self.dice);
        let home = self.world.human(father.unwrap_or(mother)).county;
        let county = if self.dice.chance(850) { home } else { self.world.places.nearby(home, self.dice) };
        let child = self.world.add_person(Birth { born, male, name, county, mother: Some(mother), father }, self.dice);
        // Nobody here dies before the own parents.
        let drawn = self.draw_death(born);
        let parents_end = [Some(mother), father].into_iter().flatten().map(|one| self.world.human(one).died);
        let outlived = parents_end.min_by_key(|end| (end.is_some(), std::cmp::Reverse(*end))).flatten();
        let died = outlived.map(|end| if drawn > end { drawn } else { end.plus(self.dice.between(200, 6000)) });
        self.world.human_mut(child).died = died.filter(|died| *died < self.today);
        self.plan_wedding(child);
        if born.year() >= 1970 && died.is_none_or(|died| died > self.today) && self.dice.chance(8) {
            self.give_up(child, born);
        }
    }

    /// An adoption, if somebody suitable is there.
    fn give_up(&mut self, child: PersonId, born: Day) {
        let on = born.plus(self.dice.between(60, 1500));
        if on >= self.today {
            return;
        }
        let suits = |one: PersonId, years: u32| {
            let human = self.world.human(one);
            self.world.alive(one, self.today) && human.born.plus_years(years) <= born && human.born.plus_years(52) > on
        };
        let is_parent = |one: PersonId| self.world.is_parent(one, child);
        let suits_couple = |id: &MarriageId| {
            let marriage = self.world.marriage(*id);
            marriage.in_force(on) && marriage.parties.iter().all(|one| suits(*one, 30) && !is_parent(*one))
        };
        let couple = search(&self.willing_couples, self.dice, suits_couple);
        let adopters = if let Some(couple) = couple {
            self.world.marriage(self.willing_couples.swap_remove(couple)).parties.map(Some)
        } else {
            let single = search(&self.willing_singles, self.dice, |one| suits(*one, 40) && !is_parent(*one));
            let Some(single) = single else { return };
            [Some(self.willing_singles.swap_remove(single)), None]
        };
        let Some(first) = adopters[0] else { return };
        let (name, county) = (self.world.human(first).name, self.world.human(first).county);
        let human = self.world.human_mut(child);
        human.name = human.name.adopted_by(name);
        self.world.adopt(Adoption { child, adopters, on, county });
    }

    /// Families who came from elsewhere, until the size is reached.
    fn fill_up(&mut self) {
        while !self.is_full() {
            // They were born before birth certificates began, which would name their parents.
            let year = self.dice.between(1986, 2013);
            let ages = [self.dice.between(23, 33), self.dice.between(21, 30)];
            let born = ages.map(|age| self.day_in(year.saturating_sub(age)));
            let man = self.founder(born[0], true);
            if self.is_full() {
                break;
            }
            let woman = self.founder(born[1], false);
            self.try_wedding(man, woman, year);
        }
    }

    /// Old people who died in hospital yesterday or the day before: health knows, the others do not yet.
    fn plant_recent_deaths(&mut self, first: usize, size: usize) {
        let mut left = size / 2500 + usize::from(size > first + 200);
        for _ in 0..size * 4 {
            if left == 0 {
                break;
            }
            let Some(person) = self.draw_living(first) else { continue };
            let parents = self.world.parents(person);
            let orphan = parents.into_iter().all(|one| self.world.human(one).died.is_some());
            if !orphan || self.world.human(person).born.plus_years(62) > self.today {
                continue;
            }
            left -= 1;
            let on = self.today.minus(self.dice.between(1, 2));
            let human = self.world.human_mut(person);
            human.died = Some(on);
            human.untold |= untold::DEATH_TO_POLICE | untold::DEATH_TO_CIVIL_AFFAIRS;
            if let Some(marriage) = self.world.marriage_on(person, on) {
                self.world.end_marriage(marriage, on, End::Death);
            }
        }
    }

    fn plant_missing(&mut self, first: usize, size: usize) {
        for _ in 0..size / 3000 {
            let Some(person) = self.draw_living(first) else { continue };
            if self.world.human(person).born.plus_years(25) > self.today {
                continue;
            }
            let effective = self.today.minus(self.dice.between(100, 2500));
            let county = self.world.human(person).county;
            let parties = [Some(person), None];
            let (kind, revoked) = (JudgmentKind::DeclaredMissing, None);
            let (on_paper, untold) = (self.dice.chance(200), false);
            self.world.judge(Judgment { kind, parties, effective, revoked, county, on_paper, untold });
        }
    }

    fn draw_living(&mut self, first: usize) -> Option<PersonId> {
        let count = self.world.humans.len().checked_sub(first).filter(|count| *count > 0)?;
        let person = PersonId::at(first + self.dice.below(u32::try_from(count).unwrap_or(u32::MAX)) as usize);
        self.world.human(person).died.is_none().then_some(person)
    }
}

/// Where somebody suitable stands, if one is found soon.
fn search<T>(among: &[T], dice: &mut Dice, suits: impl Fn(&T) -> bool) -> Option<usize> {
    let count = u32::try_from(among.len()).unwrap_or(u32::MAX);
    (0..200).map(|_| dice.below(count) as usize).find(|index| among.get(*index).is_some_and(&suits))
}
