//! People who are always there: one family for each case that must come out right.

use std::collections::BTreeMap;

use super::day::Day;
use super::dice::Dice;
use super::health::certificate_number;
use super::households::{Address, Change};
use super::names::Name;
use super::places;
use super::world::{Adoption, Birth, End, Judgment, JudgmentKind, MarriageId, PersonId, World, untold};
use super::{Case, Person};

/// Adds them to the world.
pub(super) fn plant(world: &mut World, dice: &mut Dice) -> Vec<Case> {
    let mut planter = Planter { world, dice, cases: Vec::new() };
    planter.plant_marriages();
    planter.plant_widows();
    planter.plant_children();
    planter.plant_adoption();
    planter.plant_deaths();
    planter.plant_households();
    planter.plant_grandparents();
    planter.plant_names();
    planter.plant_judgments();
    planter.plant_second_adoption();
    planter.cases
}

struct Planter<'a> {
    world: &'a mut World,
    dice: &'a mut Dice,
    cases: Vec<Case>,
}

/// Sex, as the cast is written down.
const M: bool = true;
const F: bool = false;

impl Planter<'_> {
    fn plant_marriages(&mut self) {
        let (person, spouse) = (self.person("孙立军", M, 1984), self.person("周晓丽", F, 1986));
        self.wed([person, spouse], 2012);
        self.case("spouses", &[("person", person), ("spouse", spouse)]);

        let (person, spouse) = (self.person("赵海涛", M, 1982), self.person("吴艳红", F, 1984));
        let marriage = self.wed([person, spouse], 2010);
        let on = self.world.today.minus(self.dice.between(90, 160));
        self.world.end_marriage(marriage, on, End::Court);
        self.world.marriages[marriage.index()].untold |= untold::END_TO_CIVIL_AFFAIRS;
        self.register(&[spouse], on);
        self.case("divorced-by-court", &[("person", person), ("spouse", spouse)]);

        let (person, spouse) = (self.person("徐静", F, 1983), self.person("郭振宇", M, 1981));
        let marriage = self.wed([spouse, person], 2008);
        let on = self.day_in(2019);
        self.world.end_marriage(marriage, on, End::Divorce);
        self.register(&[person], on);
        self.case("divorced", &[("person", person), ("spouse", spouse)]);

        let person = self.single("林佳慧", F, 1993);
        self.case("unmarried", &[("person", person)]);
        let person = self.single("何雪梅", F, 1990);
        self.case("childless", &[("person", person)]);
    }

    fn plant_widows(&mut self) {
        let (person, spouse) = (self.person("马桂芝", F, 1958), self.person("高德山", M, 1955));
        let marriage = self.wed([spouse, person], 1981);
        let on = self.day_in(2018);
        self.die(spouse, on, Some(marriage));
        self.case("widowed", &[("person", person), ("spouse", spouse)]);

        let (person, first) = (self.person("宋国华", M, 1960), self.person("韩淑芳", F, 1962));
        let marriage = self.wed([person, first], 1985);
        let on = self.day_in(2009);
        self.die(first, on, Some(marriage));
        let spouse = self.person("郑玉霞", F, 1963);
        self.wed([person, spouse], 2013);
        self.case("widowed-remarried", &[("person", person), ("first_spouse", first), ("spouse", spouse)]);
    }

    fn plant_children(&mut self) {
        let (mother, first) = (self.person("董丽娟", F, 1975), self.person("曹宏伟", M, 1973));
        let marriage = self.wed([first, mother], 1997);
        let person = self.child("曹天宇", M, 1999, mother, Some(first));
        let on = self.day_in(2004);
        self.world.end_marriage(marriage, on, End::Divorce);
        self.register(&[mother, person], on);
        let second = self.person("魏志刚", M, 1972);
        self.wed([second, mother], 2006);
        let sibling = self.child("魏思琪", F, 2008, mother, Some(second));
        self.case("half-siblings", &[("person", person), ("sibling", sibling)]);

        let (parent, parent_2) = (self.person("冯晓燕", F, 1988), self.person("田俊杰", M, 1986));
        self.wed([parent_2, parent], 2013);
        let child = self.child("田梓涵", F, 2016, parent, Some(parent_2));
        self.case("birth", &[("child", child), ("parent", parent), ("parent_2", parent_2)]);
        let certificate = certificate_number(self.world, child);
        self.parameter("certificate_number", &certificate);

        let (person, father) = (self.person("杜春燕", F, 1985), self.person("吕鹏", M, 1983));
        self.wed([father, person], 2009);
        self.child("吕一诺", F, 2011, person, Some(father));
        self.child("吕浩然", M, 2015, person, Some(father));
        self.case("has-children", &[("person", person)]);
        self.parameter("count", "2");
    }

    fn plant_adoption(&mut self) {
        let (mother, father) = (self.person("丁娜", F, 1985), self.person("任勇", M, 1983));
        self.wed([father, mother], 2008);
        let child = self.child("任雨欣", F, 2012, mother, Some(father));
        let (man, woman) = (self.person("姚建平", M, 1974), self.person("谭秀梅", F, 1976));
        self.adopt(child, [man, woman], 2014, "姚雨欣");
        let roles =
            [("child", child), ("adoptive_parent", man), ("adoptive_parent_2", woman), ("birth_parent", mother)];
        self.case("adopted", &roles);
    }

    /// For a reply to be about the wrong person, there must be a second family with an adoption.
    fn plant_second_adoption(&mut self) {
        let mother = self.single("龚丽华", F, 1984);
        let child = self.child("龚小雨", F, 2010, mother, None);
        let (man, woman) = (self.person("樊志强", M, 1973), self.person("洪玉兰", F, 1975));
        self.adopt(child, [man, woman], 2015, "樊小雨");
    }

    fn plant_deaths(&mut self) {
        let person = self.single("范玉林", M, 1946);
        self.world.human_mut(person).died = Some(self.world.today.minus(1));
        self.world.human_mut(person).untold = untold::DEATH_TO_POLICE | untold::DEATH_TO_CIVIL_AFFAIRS;
        self.case("died-yesterday", &[("person", person)]);

        let person = self.single("石凤霞", F, 1969);
        self.case("alive", &[("person", person)]);

        let (person, spouse) = (self.person("孟广林", M, 1948), self.person("秦桂香", F, 1950));
        let marriage = self.wed([person, spouse], 1973);
        let heir = self.child("孟宏伟", M, 1976, spouse, Some(person));
        self.move_out(heir, 2001);
        let on = self.day_in(2015);
        self.die(person, on, Some(marriage));
        self.case("died", &[("person", person), ("heir", heir), ("heir_spouse", spouse)]);
    }

    fn plant_households(&mut self) {
        let (parent, mother) = (self.person("贾志国", M, 1955), self.person("薛秀云", F, 1957));
        self.wed([parent, mother], 1978);
        let child = self.child("贾晓东", M, 1980, mother, Some(parent));
        self.move_out(child, 2004);
        self.case("parent-before-1996", &[("parent", parent), ("child", child)]);

        let (father, mother) = (self.person("尹长山", M, 1952), self.person("侯淑琴", F, 1954));
        self.wed([father, mother], 1976);
        let person = self.child("尹立娜", F, 1978, mother, Some(father));
        let sibling = self.child("尹大伟", M, 1982, mother, Some(father));
        self.move_out(person, 2002);
        self.move_out(sibling, 2008);
        self.case("siblings-before-1996", &[("person", person), ("sibling", sibling)]);

        let (father, mother) = (self.person("邵永生", M, 1962), self.person("武春兰", F, 1964));
        self.wed([father, mother], 1987);
        let person = self.child("邵鑫", M, 1989, mother, Some(father));
        let other = self.child("邵婷", F, 1992, mother, Some(father));
        self.move_out(person, 2013);
        self.move_out(other, 2017);
        self.case("formerly-one-household", &[("person", person), ("other", other)]);
    }

    fn plant_grandparents(&mut self) {
        let (grandmother, grandfather) = (self.person("常凤英", F, 1958), self.person("邹宝贵", M, 1956));
        self.wed([grandfather, grandmother], 1981);
        let parent = self.child("邹海龙", M, 1984, grandmother, Some(grandfather));
        let mother = self.person("汤慧颖", F, 1986);
        self.wed([parent, mother], 2009);
        let born = self.day_in(2011);
        let child = self.bear("邹子墨", M, born, mother, Some(parent));
        self.world.join(&[child], grandfather, Change::on(born));
        self.case("grandparents-household", &[("child", child), ("parent", parent), ("grandparent", grandfather)]);
    }

    fn plant_names(&mut self) {
        let (person, other) = (self.single("张伟", M, 1979), self.single("张伟", M, 1991));
        self.case("same-name", &[("person", person), ("other", other)]);
        let person = self.single("潘洪军", M, 1957);
        self.case("old-number", &[("person", person)]);
        let person = self.single("阿依古丽·买买提", F, 1988);
        self.case("middle-dot", &[("person", person)]);
        let person = self.single("袁𠮷祥", M, 1982);
        self.case("rare-name", &[("person", person)]);
    }

    fn plant_judgments(&mut self) {
        let person = self.single("戴铁军", M, 1971);
        let on = self.world.today.minus(self.dice.between(300, 500));
        self.declare(person, JudgmentKind::DeclaredMissing, on);
        self.case("declared-missing", &[("person", person)]);

        let person = self.single("康志远", M, 1968);
        let on = self.day_in(2021);
        self.declare(person, JudgmentKind::DeclaredDead, on);
        self.die(person, on, None);
        self.world.human_mut(person).untold |= untold::DEATH_TO_HEALTH;
        self.case("declared-dead", &[("person", person)]);

        let person = self.single("柴红梅", F, 1974);
        let (on, revoked) = (self.day_in(2016), self.day_in(2020));
        self.declare(person, JudgmentKind::DeclaredDead, on);
        if let Some(judgment) = self.world.judgments.last_mut() {
            judgment.revoked = Some(revoked);
        }
        self.case("declared-dead-revoked", &[("person", person)]);

        let person = self.single("齐洪涛", M, 1970);
        let on = self.world.today.minus(self.dice.between(600, 900));
        self.declare(person, JudgmentKind::DeclaredMissing, on);
        if let Some(judgment) = self.world.judgments.last_mut() {
            judgment.on_paper = true;
        }
        self.case("on-paper", &[("person", person)]);
    }

    fn day_in(&mut self, year: u32) -> Day {
        Day::new(year, 1, 1).plus(self.dice.below(360))
    }

    /// Somebody without parents in the population, not registered yet.
    fn person(&mut self, name: &str, male: bool, year: u32) -> PersonId {
        let (born, county, name) = (self.day_in(year), self.world.places.draw(self.dice), Name::planted(name));
        self.world.add_person(Birth { born, male, name, county, mother: None, father: None }, self.dice)
    }

    /// Somebody in a household of one.
    fn single(&mut self, name: &str, male: bool, year: u32) -> PersonId {
        let person = self.person(name, male, year);
        let on = self.world.human(person).born.plus_years(18);
        self.register(&[person], on);
        person
    }

    fn bear(&mut self, name: &str, male: bool, born: Day, mother: PersonId, father: Option<PersonId>) -> PersonId {
        let (county, name) = (self.world.human(mother).county, Name::planted(name));
        self.world.add_person(Birth { born, male, name, county, mother: Some(mother), father }, self.dice)
    }

    /// A child in the mother's household.
    fn child(&mut self, name: &str, male: bool, year: u32, mother: PersonId, father: Option<PersonId>) -> PersonId {
        let born = self.day_in(year);
        let child = self.bear(name, male, born, mother, father);
        self.world.join(&[child], mother, Change::on(born));
        child
    }

    /// A marriage, husband first, and the couple's own household.
    fn wed(&mut self, couple: [PersonId; 2], year: u32) -> MarriageId {
        let on = self.day_in(year);
        let county = self.world.human(couple[0]).county;
        let marriage = self.world.marry(couple, on, county);
        self.register(&couple, on);
        marriage
    }

    /// A couple marries and adopts a child, which gets a new name.
    fn adopt(&mut self, child: PersonId, [man, woman]: [PersonId; 2], year: u32, name: &str) {
        self.wed([man, woman], 2003);
        let on = self.day_in(year);
        let county = self.world.human(man).county;
        self.world.adopt(Adoption { child, adopters: [Some(man), Some(woman)], on, county });
        self.world.human_mut(child).name = Name::planted(name);
        self.world.join(&[child], man, Change::on(on));
    }

    fn register(&mut self, people: &[PersonId], on: Day) {
        let county = people.first().map_or(places::HEPING, |person| self.world.human(*person).county);
        self.world.found(people, Address { county, area: places::draw_area(self.dice) }, Change::on(on));
    }

    fn move_out(&mut self, person: PersonId, year: u32) {
        let on = self.day_in(year);
        self.register(&[person], on);
    }

    fn die(&mut self, person: PersonId, on: Day, marriage: Option<MarriageId>) {
        self.world.human_mut(person).died = Some(on);
        if let Some(marriage) = marriage {
            self.world.end_marriage(marriage, on, End::Death);
        }
        self.world.leave(&[person], Change::on(on));
    }

    fn declare(&mut self, person: PersonId, kind: JudgmentKind, effective: Day) {
        let county = self.world.human(person).county;
        let (parties, revoked, on_paper, untold) = ([Some(person), None], None, false, false);
        self.world.judge(Judgment { kind, parties, effective, revoked, county, on_paper, untold });
    }

    fn case(&mut self, name: &'static str, roles: &[(&'static str, PersonId)]) {
        let person = |id: PersonId| {
            let human = self.world.human(id);
            Person { id_number: human.number.to_string(), name: human.name.to_string(), born: human.born.date() }
        };
        let people = roles.iter().map(|(role, id)| (*role, person(*id))).collect();
        self.cases.push(Case { name, people, parameters: BTreeMap::new() });
    }

    /// A parameter of the latest case.
    fn parameter(&mut self, name: &'static str, value: &str) {
        if let Some(case) = self.cases.last_mut() {
            case.parameters.insert(name, value.to_owned());
        }
    }
}
