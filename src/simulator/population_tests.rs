//! What holds for every generated population.

use std::collections::HashSet;

use super::day::Day;
use super::populate;
use super::world::{Human, PersonId, World, untold};

fn generate(size: usize, seed: u64) -> World {
    populate(size, seed, Day::new(2026, 11, 23)).0
}

#[test]
fn lives_are_possible_and_marriages_legal() {
    let world = generate(6000, 1);
    assert_eq!(world.humans.len(), 6000);
    let numbers: HashSet<_> = world.humans.iter().map(|human| human.number).collect();
    assert_eq!(numbers.len(), 6000);
    for id in world.people() {
        let human = world.human(id);
        assert!(human.died.is_none_or(|died| died > human.born && died <= world.today));
        for parent in [human.mother, human.father].into_iter().flatten() {
            let parent = world.human(parent);
            assert!(parent.born.plus_years(16) < human.born);
            assert!(parent.died.is_none_or(|died| human.died.is_none_or(|own| own > died)));
        }
        let mut names = HashSet::new();
        assert!(world.children(id).all(|child| names.insert(world.human(child).name)));
        let marriages: Vec<_> = world.marriages_of(id).map(|one| world.marriage(one)).collect();
        for pair in marriages.windows(2) {
            let (earlier_end, _) = pair[1].end.unwrap();
            assert!(earlier_end < pair[0].from);
        }
        assert!(human.died.is_none_or(|died| marriages.iter().all(|one| one.end.is_some_and(|(end, _)| end <= died))));
    }
    for marriage in &world.marriages {
        let [man, woman] = marriage.parties;
        assert!(world.human(man).number.is_male() && !world.human(woman).number.is_male());
        assert!(world.human(man).born.plus_years(22) <= marriage.from);
        assert!(world.human(woman).born.plus_years(20) <= marriage.from);
        assert!(!world.too_close_to_marry(man, woman));
        assert!(marriage.end.is_none_or(|(end, _)| end > marriage.from && end <= world.today));
    }
}

#[test]
fn registers_list_everybody_once_and_housemates_at_the_same_time() {
    let world = generate(20_000, 2);
    for id in world.people() {
        let listed = world.rows_of(id).filter(|row| row.to.is_none()).count();
        let human = world.human(id);
        let is_registered = human.died.is_none() || human.untold & untold::DEATH_TO_POLICE != 0;
        assert_eq!(listed, usize::from(is_registered), "{human:?}");
        let rows: Vec<_> = world.rows_of(id).collect();
        assert!(rows.windows(2).all(|pair| pair[1].to == Some(pair[0].from)));
        for row in rows.iter().filter(|row| !row.is_void()) {
            for other in world.rows_in(row.house).filter(|other| !other.is_void()) {
                let end = |to: Option<Day>| to.unwrap_or(Day::new(9999, 12, 31));
                assert!(row.from < end(other.to) && other.from < end(row.to), "{row:?} {other:?}");
            }
        }
    }
}

#[test]
fn a_population_has_everything_that_happens() {
    let world = generate(6000, 3);
    let alive = world.people().filter(|id| world.human(*id).died.is_none()).count();
    let deep = world.people().filter(|id| generations(&world, *id) >= 3).count();
    let remarried = world.people().filter(|id| world.marriages_of(*id).count() > 1).count();
    let founders = world.humans.iter().filter(|human| human.mother.is_none()).count();
    println!(
        "alive {alive}, three generations back {deep}, remarried {remarried}, founders {founders}, marriages {}, adoptions {}, judgments {}, rows {}",
        world.marriages.len(),
        world.adoptions.len(),
        world.judgments.len(),
        world.rows.len()
    );
    assert!(alive > 2500 && alive < 5000);
    assert!(deep > 300 && remarried > 100);
    assert!(world.adoptions.len() > 5 && world.judgments.len() > 20);
    assert!(founders < 1800);
    let certified = |human: &&Human| human.born.year() >= 1996;
    assert!(world.humans.iter().filter(certified).all(|human| human.mother.is_some()));
    assert!(world.humans.iter().filter(certified).count() > 500);
}

#[test]
fn the_cast_is_there_however_few_people_there_are() {
    let today = Day::new(2026, 11, 23);
    for size in [1, 100, 300] {
        let (world, cast) = populate(size, 4, today);
        assert!(world.humans.len() >= size && world.humans.len() <= size.max(100));
        let names: HashSet<_> = cast.iter().map(|case| case.name).collect();
        assert_eq!(names.len(), 26);
        assert_eq!(cast.len(), 26);
        let mut seen = HashSet::new();
        for person in cast.iter().flat_map(|case| case.people.values()) {
            let id = world.find(&person.id_number).unwrap();
            assert_eq!(world.human(id).name.to_string(), person.name);
            assert!(seen.insert(id), "{person:?}");
        }
    }
}

#[test]
fn one_seed_makes_one_population() {
    let (one, two, other) = (generate(500, 9), generate(500, 9), generate(500, 10));
    let numbers = |world: &World| world.humans.iter().map(|human| human.number).collect::<Vec<_>>();
    assert_eq!(numbers(&one), numbers(&two));
    assert_ne!(numbers(&one), numbers(&other));
}

fn generations(world: &World, id: PersonId) -> usize {
    world.human(id).mother.map_or(0, |mother| 1 + generations(world, mother))
}
