//! Life goes on: marriages, divorces, deaths, births and moves after the start.

use std::str::FromStr;

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::domain::Division;

use super::calls;
use super::day::Day;
use super::dice::Dice;
use super::households::{Address, Change};
use super::places;
use super::world::{Birth, End, MarriageId, PersonId, World, untold};

/// Something that happens.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Event {
    pub(super) kind: Kind,
    /// Marriage and divorces: the two; death: one; birth: the mother, and the father if he is stated; move: all
    /// who move into one new household.
    persons: Vec<String>,
    /// The day, `YYYY-MM-DD`.
    pub(super) on: String,
    /// The departments that know at once.
    known_to: Vec<String>,
    #[serde(default)]
    pub(super) notify: bool,
    /// Where a move goes, 6, 9 or 12 digits; anywhere if it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    division: Option<String>,
}

/// What happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Kind {
    Marriage,
    Divorce,
    CourtDivorce,
    /// A court finds that a marriage never was one.
    Annulment,
    Death,
    Birth,
    Move,
}

impl Kind {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Marriage => "marriage",
            Self::Divorce => "divorce",
            Self::CourtDivorce => "court-divorce",
            Self::Annulment => "annulment",
            Self::Death => "death",
            Self::Birth => "birth",
            Self::Move => "move",
        }
    }
}

impl Event {
    pub(super) fn is_known_to(&self, source: &str) -> bool {
        self.known_to.iter().any(|known| known == source)
    }

    /// The bit, unless the department knows.
    fn unless(&self, source: &str, bit: u8) -> u8 {
        if self.is_known_to(source) { 0 } else { bit }
    }
}

/// Lets an event happen; an event that has happened already reaches the departments that it names now. Those
/// whose truth it changed, a newborn first.
///
/// # Errors
/// A sentence that says why it cannot have happened.
pub(super) fn happen(world: &mut World, event: &Event) -> Result<Vec<PersonId>, String> {
    let now = jiff::Timestamp::now();
    let shanghai = TimeZone::get("Asia/Shanghai").unwrap_or(TimeZone::UTC);
    world.today = world.today.max(Day::of(shanghai.to_datetime(now).date()));
    let on = Day::parse(&event.on).ok_or("\"on\" is a date like 2026-01-31")?;
    if on > world.today {
        return Err("it lies in the future".to_owned());
    }
    if let Some(stranger) = event.known_to.iter().find(|one| calls::operations(one).is_none()) {
        return Err(format!("there is no department \"{stranger}\""));
    }
    if event.division.is_some() && event.kind != Kind::Move {
        return Err("only a move has a division".to_owned());
    }
    let find = |(index, text): (usize, &String)| {
        world.find(text).ok_or_else(|| format!("nobody in the population has the ID number persons[{index}]"))
    };
    let people = event.persons.iter().enumerate().map(find).collect::<Result<Vec<_>, _>>()?;
    if (1..people.len()).any(|index| people[..index].contains(&people[index])) {
        return Err("a person is named twice".to_owned());
    }
    match (event.kind, people.as_slice()) {
        (Kind::Marriage, [one, other]) => marriage(world, event, *one, *other, on),
        (Kind::Divorce, [one, other]) => divorce(world, event, *one, *other, (on, End::Divorce)),
        (Kind::CourtDivorce, [one, other]) => divorce(world, event, *one, *other, (on, End::Court)),
        (Kind::Annulment, [one, other]) => divorce(world, event, *one, *other, (on, End::Annulment)),
        (Kind::Death, [person]) => death(world, event, *person, on),
        (Kind::Birth, [mother]) => birth(world, event, *mother, None, on),
        (Kind::Birth, [mother, father]) => birth(world, event, *mother, Some(*father), on),
        (Kind::Move, [_, ..]) => removal(world, event, &people, on),
        (Kind::Marriage | Kind::Divorce | Kind::CourtDivorce | Kind::Annulment, _) => {
            Err("it takes two persons".to_owned())
        }
        (Kind::Death, _) => Err("one person dies at a time".to_owned()),
        (Kind::Birth, _) => Err("a birth names the mother, and the father if he is stated".to_owned()),
        (Kind::Move, []) => Err("somebody must move".to_owned()),
    }
}

fn marriage(
    world: &mut World,
    event: &Event,
    one: PersonId,
    other: PersonId,
    on: Day,
) -> Result<Vec<PersonId>, String> {
    let hidden = event.unless("civil-affairs", untold::MARRIAGE);
    let known = world.marriages_of(one).find(|id| {
        let marriage = world.marriage(*id);
        marriage.spouse_of(one) == other && marriage.from == on
    });
    if let Some(known) = known {
        world.marriages[known.index()].untold &= hidden | !untold::MARRIAGE;
        return Ok(vec![one, other]);
    }
    let is_male = |id| world.human(id).number.is_male();
    let (man, woman) = match (is_male(one), is_male(other)) {
        (true, false) => (one, other),
        (false, true) => (other, one),
        _ => return Err("a marriage is between a man and a woman".to_owned()),
    };
    check_free(world, man, 22, on)?;
    check_free(world, woman, 20, on)?;
    if world.too_close_to_marry(man, woman) {
        return Err("the two are too closely related to marry".to_owned());
    }
    let county = world.home(man).map_or(world.human(man).county, |home| world.address(home).county);
    let id = world.marry([man, woman], on, county);
    world.marriages[id.index()].untold = hidden;
    Ok(vec![one, other])
}

fn check_free(world: &World, person: PersonId, age: u32, on: Day) -> Result<(), String> {
    let human = world.human(person);
    if human.died.is_some() {
        return Err("one of the two has died".to_owned());
    }
    if human.born.plus_years(age) > on {
        return Err("one of the two is too young to marry".to_owned());
    }
    let last = world.marriages_of(person).next().map(|id| world.marriage(id));
    match last.map(|marriage| marriage.end) {
        Some(None) => Err("one of the two is married".to_owned()),
        Some(Some((end, _))) if end > on => Err("one of the two was married then".to_owned()),
        _ => Ok(()),
    }
}

fn divorce(
    world: &mut World,
    event: &Event,
    one: PersonId,
    other: PersonId,
    end: (Day, End),
) -> Result<Vec<PersonId>, String> {
    let together: Vec<MarriageId> =
        world.marriages_of(one).filter(|id| world.marriage(*id).spouse_of(one) == other).collect();
    let is_judged = end.1 != End::Divorce;
    let of_court = if is_judged { event.unless("court", untold::END_TO_COURT) } else { 0 };
    let hidden = event.unless("civil-affairs", untold::END_TO_CIVIL_AFFAIRS) | of_court;
    let mask = untold::END_TO_CIVIL_AFFAIRS | untold::END_TO_COURT;
    let id = if let Some(id) = together.iter().copied().find(|id| world.marriage(*id).end == Some(end)) {
        world.marriages[id.index()].untold &= hidden | !mask;
        id
    } else {
        let in_force = |id: &MarriageId| world.marriage(*id).end.is_none() && world.marriage(*id).from < end.0;
        let id = together.into_iter().find(in_force).ok_or("the two are not married to each other")?;
        world.end_marriage(id, end.0, end.1);
        world.marriages[id.index()].untold |= hidden;
        id
    };
    let [husband, wife] = world.marriage(id).parties.map(Some);
    let is_untold = world.marriage(id).untold & untold::END_TO_COURT != 0;
    for judgment in &mut world.judgments {
        if judgment.effective == end.0 && is_judged && judgment.parties == [husband, wife] {
            judgment.untold = is_untold;
        }
    }
    Ok(vec![one, other])
}

fn death(world: &mut World, event: &Event, person: PersonId, on: Day) -> Result<Vec<PersonId>, String> {
    let human = world.human(person);
    let mut hidden = event.unless("police", untold::DEATH_TO_POLICE)
        | event.unless("civil-affairs", untold::DEATH_TO_CIVIL_AFFAIRS)
        | event.unless("health", untold::DEATH_TO_HEALTH);
    let mut people = vec![person];
    match human.died {
        Some(died) if died == on => hidden &= human.untold,
        Some(_) => return Err("the person has died already, on another day".to_owned()),
        None => {
            check_death(world, person, on)?;
            let last = world.marriages_of(person).next();
            if let Some(id) = last.filter(|id| world.marriage(*id).end.is_none()) {
                people.push(world.marriage(id).spouse_of(person));
                world.end_marriage(id, on, End::Death);
            }
        }
    }
    let human = world.human_mut(person);
    human.died = Some(on);
    human.untold &= !(untold::DEATH_TO_POLICE | untold::DEATH_TO_CIVIL_AFFAIRS | untold::DEATH_TO_HEALTH);
    human.untold |= hidden;
    // Registered is whom the police list; they strike nobody off of whose death they were not told.
    if hidden & untold::DEATH_TO_POLICE == 0 {
        world.leave(&[person], Change::on(on));
    }
    Ok(people)
}

fn check_death(world: &World, person: PersonId, on: Day) -> Result<(), String> {
    let listed = world.rows_of(person).next().map(|row| row.from);
    let married = world
        .marriages_of(person)
        .next()
        .map(|id| world.marriage(id).end.map_or(world.marriage(id).from, |(end, _)| end));
    let children = world.children(person).map(|child| world.human(child).born).max();
    let last = [Some(world.human(person).born), listed, married, children].into_iter().flatten().max();
    match last {
        Some(last) if on < last => Err(format!("the person is known to have lived on {last}")),
        _ => Ok(()),
    }
}

fn birth(
    world: &mut World,
    event: &Event,
    mother: PersonId,
    father: Option<PersonId>,
    on: Day,
) -> Result<Vec<PersonId>, String> {
    if world.human(mother).number.is_male() || father.is_some_and(|father| !world.human(father).number.is_male()) {
        return Err("a birth names the mother first, then the father".to_owned());
    }
    let lived = world.alive(mother, on) && father.is_none_or(|father| world.alive(father, on.minus(300)));
    if !lived {
        return Err("a parent had died by then, or was not born".to_owned());
    }
    let ages = [Some(mother), father].into_iter().flatten().map(|one| on.since(world.human(one).born) / 365);
    if ages.into_iter().any(|age| age < 14) || on.since(world.human(mother).born) / 365 > 60 {
        return Err("a parent was too young or too old".to_owned());
    }
    let listed = world.rows_of(mother).next().map(|row| row.from);
    if listed.is_some_and(|listed| on < listed) && event.is_known_to("police") {
        return Err("the mother's household register was opened later than that".to_owned());
    }
    let mut dice = Dice::new(world.humans.len() as u64 ^ (u64::from(on.number()) << 32));
    let male = dice.chance(513);
    let name = world.name_child([Some(mother), father], father.unwrap_or(mother), (male, on.year()), &mut dice);
    let county = world.home(mother).map_or(world.human(mother).county, |home| world.address(home).county);
    let child = world.add_person(Birth { born: on, male, name, county, mother: Some(mother), father }, &mut dice);
    world.human_mut(child).untold =
        event.unless("police", untold::BIRTH_TO_POLICE) | event.unless("health", untold::BIRTH_TO_HEALTH);
    if event.is_known_to("police") {
        world.join(&[child], mother, Change::on(on));
    }
    Ok([Some(child), Some(mother), father].into_iter().flatten().collect())
}

fn removal(world: &mut World, event: &Event, people: &[PersonId], on: Day) -> Result<Vec<PersonId>, String> {
    for person in people {
        if world.human(*person).died.is_some() || world.home(*person).is_none() {
            return Err("only the living move, and only those who are registered".to_owned());
        }
        let listed = world.rows_of(*person).next().map(|row| row.from);
        if listed.is_some_and(|listed| on <= listed) {
            return Err("a person was registered in the present household on that day or later".to_owned());
        }
    }
    let mut dice = Dice::new(world.houses.len() as u64);
    let mut address = Address { county: world.places.draw(&mut dice), area: places::draw_area(&mut dice) };
    if let Some(division) = &event.division {
        let known = Division::from_str(division).map_err(|error| format!("division: {error}"))?;
        let county =
            known.county_code().and_then(|county| county.parse().ok()).filter(|county| world.places.has(*county));
        address.county = county.ok_or("division: one of Liaoning's present counties, or a place in it")?;
        let digits = known.code().get(6..).unwrap_or("");
        address.area = match digits.len() {
            3 => digits.parse::<u32>().unwrap_or(1) * 1000 + address.area % 1000,
            6 => digits.parse().unwrap_or(address.area),
            _ => address.area,
        };
    }
    let mut affected = people.to_vec();
    for home in people.iter().filter_map(|person| world.home(*person)).collect::<Vec<_>>() {
        affected.extend(world.members(home));
    }
    affected.sort_unstable();
    affected.dedup();
    affected.retain(|one| !people.contains(one));
    world.found(people, address, Change { on, told: event.is_known_to("police") });
    Ok(people.iter().copied().chain(affected).collect())
}
