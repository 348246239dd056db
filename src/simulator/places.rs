//! Where people are born and registered: Liaoning's counties, and the codes they had before.

use crate::domain::Division;

use super::day::Day;
use super::dice::Dice;

/// Liaoning's counties by present code, those of the two largest cities listed more often.
#[derive(Debug)]
pub(super) struct Places {
    counties: Vec<u32>,
    drawn: Vec<u32>,
}

impl Places {
    pub(super) fn new() -> Self {
        let counties: Vec<u32> =
            Division::counties_of_liaoning().filter_map(|county| county.code().parse().ok()).collect();
        let weight = |code: u32| if matches!(code / 100, 2101 | 2102) { 2 } else { 1 };
        let drawn = counties.iter().flat_map(|code| std::iter::repeat_n(*code, weight(*code))).collect();
        Self { counties, drawn }
    }

    /// A county.
    pub(super) fn draw(&self, dice: &mut Dice) -> u32 {
        dice.pick(&self.drawn).unwrap_or(HEPING)
    }

    /// A county of the same city.
    pub(super) fn nearby(&self, county: u32, dice: &mut Dice) -> u32 {
        let near = |code: u32| code / 100 == county / 100;
        let count = self.counties.iter().filter(|code| near(**code)).count();
        let nth = dice.below(u32::try_from(count).unwrap_or(0)) as usize;
        self.counties.iter().copied().filter(|code| near(*code)).nth(nth).unwrap_or(county)
    }

    /// Whether it is one of Liaoning's present counties.
    pub(super) fn has(&self, county: u32) -> bool {
        self.counties.contains(&county)
    }
}

/// The street (or town) and committee part of a registered division, six digits.
pub(super) fn draw_area(dice: &mut Dice) -> u32 {
    if dice.chance(650) {
        dice.between(1, 16) * 1000 + dice.between(1, 18)
    } else {
        dice.between(100, 118) * 1000 + dice.between(200, 222)
    }
}

/// The code that this county had when somebody born on that day got a number: cards began in 1984.
pub(super) fn code_at_birth(county: u32, born: Day) -> u32 {
    let year = born.year().max(1985);
    FORMER_CODES
        .iter()
        .find(|(present, _, until)| *present == county && year < *until)
        .map_or(county, |(_, former, _)| *former)
}

/// 和平区 of Shenyang.
pub(super) const HEPING: u32 = 210_102;

/// Present code, former code, the first year of a later one; earlier ones first.
const FORMER_CODES: &[(u32, u32, u32)] = &[
    (210_115, 210_122, 2016),
    (210_181, 210_121, 1993),
    (210_213, 210_221, 1987),
    (210_214, 210_222, 1991),
    (210_214, 210_282, 2015),
    (210_283, 210_225, 1992),
    (210_681, 210_623, 1993),
    (210_682, 210_621, 1994),
    (210_781, 210_724, 1993),
    (210_782, 210_725, 1995),
    (210_881, 210_824, 1992),
    (210_882, 210_821, 1992),
    (211_081, 211_022, 1996),
    (211_104, 211_121, 2016),
    (211_282, 211_222, 1988),
    (211_381, 211_326, 1985),
    (211_382, 211_323, 1991),
    (211_421, 210_723, 1994),
    (211_422, 211_325, 1989),
    (211_481, 210_722, 1986),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn former_codes_are_in_the_standard() {
        for (present, former, _) in FORMER_CODES {
            assert!(Places::new().has(*present), "{present}");
            assert!(former.to_string().parse::<Division>().is_ok(), "{former}");
        }
        assert_eq!(code_at_birth(210_214, Day::new(1962, 5, 1)), 210_222);
        assert_eq!(code_at_birth(210_214, Day::new(2001, 5, 1)), 210_282);
        assert_eq!(code_at_birth(210_214, Day::new(2020, 5, 1)), 210_214);
    }
}
