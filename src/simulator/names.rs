//! Names as frequent as they really are in their generation, six bytes each.

use std::fmt;

use super::dice::Dice;
use super::name_tables::{
    FEMALE, FULL, GIVEN_RARE, KOREAN_FEMALE, KOREAN_MALE, KOREAN_SURNAMES, MALE, MANCHU_CLANS, MONGOL_CLANS,
    MONGOL_NAMES, RARE, SURNAMES, UYGHUR_FEMALE, UYGHUR_MALE,
};

/// A name, put together from the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Name {
    /// A surname of the table and one or two characters.
    Han { surname: u16, given: [Glyph; 2] },
    /// Own name, middle dot, father's name.
    Uyghur { female: bool, own: u8, father: u8 },
    /// Clan, middle dot, given name.
    Clan { clan: u8, own: u8 },
    /// A whole name of the table of planted ones.
    Full(u8),
}

/// A character in two bytes: of the basic plane itself, or a private code for one of the table of rare ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Glyph(u16);

impl Glyph {
    const NONE: Self = Self(0);
    /// Private use: no given name holds such a character.
    const FIRST_RARE: u16 = 0xE000;

    fn of(character: char) -> Self {
        if let Some(index) = RARE.iter().position(|rare| *rare == character) {
            return Self(Self::FIRST_RARE + u16::try_from(index).unwrap_or(0));
        }
        Self(u16::try_from(u32::from(character)).unwrap_or(0))
    }

    fn character(self) -> Option<char> {
        match self.0 {
            0 => None,
            code if code >= Self::FIRST_RARE => RARE.get(usize::from(code - Self::FIRST_RARE)).copied(),
            code => char::from_u32(u32::from(code)),
        }
    }
}

impl Name {
    /// The name of somebody without a family to take it from.
    pub(super) fn draw(male: bool, born: u32, dice: &mut Dice) -> Self {
        match dice.below(1000) {
            0..=2 => Self::uyghur(male, dice),
            3..=7 => Self::clan(dice),
            8..=13 => {
                let surname = dice.pick(KOREAN_SURNAMES).and_then(surname_index).unwrap_or(0);
                Self::Han { surname, given: Self::korean(male, dice) }
            }
            _ => Self::Han { surname: draw_surname(dice), given: draw_given(male, born, dice) },
        }
    }

    /// A child's name after a parent's.
    pub(super) fn after(parent: Self, male: bool, born: u32, dice: &mut Dice) -> Self {
        match parent {
            Self::Han { surname, .. } => {
                let korean = SURNAMES.get(usize::from(surname)).is_some_and(|(name, _)| *name == "朴");
                let given = if korean { Self::korean(male, dice) } else { draw_given(male, born, dice) };
                Self::Han { surname, given }
            }
            Self::Uyghur { female: false, own, .. } => {
                let Self::Uyghur { own: name, .. } = Self::uyghur(male, dice) else { return parent };
                Self::Uyghur { female: !male, own: name, father: own }
            }
            Self::Uyghur { .. } => Self::uyghur(male, dice),
            Self::Clan { clan, .. } => {
                let Self::Clan { own, .. } = Self::clan(dice) else { return parent };
                Self::Clan { clan, own }
            }
            Self::Full(_) => Self::draw(male, born, dice),
        }
    }

    /// This given name with that parent's surname, where both are of that kind.
    pub(super) fn adopted_by(self, parent: Self) -> Self {
        match (self, parent) {
            (Self::Han { given, .. }, Self::Han { surname, .. }) => Self::Han { surname, given },
            _ => self,
        }
    }

    /// A name in characters, for the planted people: one of the tables', or put together from them.
    pub(super) fn planted(text: &str) -> Self {
        if let Some(index) = FULL.iter().position(|full| *full == text) {
            return Self::Full(u8::try_from(index).unwrap_or(0));
        }
        let mut given = text.chars();
        let surname = given.next().map(String::from).and_then(|first| surname_index(&first)).unwrap_or(0);
        Self::Han { surname, given: glyphs(given) }
    }

    fn uyghur(male: bool, dice: &mut Dice) -> Self {
        let own = if male { UYGHUR_MALE } else { UYGHUR_FEMALE };
        Self::Uyghur { female: !male, own: below(own.len(), dice), father: below(UYGHUR_MALE.len(), dice) }
    }

    fn clan(dice: &mut Dice) -> Self {
        let clan = below(MANCHU_CLANS.len() + MONGOL_CLANS.len(), dice);
        Self::Clan { clan, own: below(MONGOL_NAMES.len(), dice) }
    }

    fn korean(male: bool, dice: &mut Dice) -> [Glyph; 2] {
        glyphs(dice.pick(if male { KOREAN_MALE } else { KOREAN_FEMALE }).unwrap_or_default().chars())
    }
}

impl fmt::Display for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entry = |table: &'static [&'static str], index: u8| table.get(usize::from(index)).copied().unwrap_or("");
        match *self {
            Self::Han { surname, given } => {
                formatter.write_str(SURNAMES.get(usize::from(surname)).map_or("王", |(name, _)| name))?;
                given.into_iter().filter_map(Glyph::character).try_for_each(|one| write!(formatter, "{one}"))
            }
            Self::Uyghur { female, own, father } => {
                let own = entry(if female { UYGHUR_FEMALE } else { UYGHUR_MALE }, own);
                write!(formatter, "{own}·{}", entry(UYGHUR_MALE, father))
            }
            Self::Clan { clan, own } => {
                let clan = MANCHU_CLANS.iter().chain(MONGOL_CLANS).nth(usize::from(clan)).copied().unwrap_or("");
                write!(formatter, "{clan}·{}", entry(MONGOL_NAMES, own))
            }
            Self::Full(index) => formatter.write_str(entry(FULL, index)),
        }
    }
}

fn draw_surname(dice: &mut Dice) -> u16 {
    let total: u32 = SURNAMES.iter().map(|(_, weight)| u32::from(*weight)).sum();
    let mut left = dice.below(total);
    for (index, (_, weight)) in (0..).zip(SURNAMES) {
        match left.checked_sub(u32::from(*weight)) {
            Some(rest) => left = rest,
            None => return index,
        }
    }
    0
}

fn draw_given(male: bool, born: u32, dice: &mut Dice) -> [Glyph; 2] {
    if dice.chance(2) {
        return glyphs(dice.pick(GIVEN_RARE).unwrap_or_default().chars());
    }
    let tables = if male { MALE } else { FEMALE };
    // A few are named like the generation before.
    let year = if dice.chance(80) { born.saturating_sub(18) } else { born };
    let Some(table) = tables.iter().find(|table| year < table.before).or(tables.last()) else {
        return [Glyph::NONE; 2];
    };
    if dice.chance(table.whole) {
        return glyphs(dice.pick(table.names).unwrap_or_default().chars());
    }
    let first = dice.pick(table.first).map_or(Glyph::NONE, Glyph::of);
    match dice.pick(table.second).map(Glyph::of) {
        Some(second) if second != first => [first, second],
        _ => [first, Glyph::NONE],
    }
}

fn glyphs(mut characters: impl Iterator<Item = char>) -> [Glyph; 2] {
    [(); 2].map(|()| characters.next().map_or(Glyph::NONE, Glyph::of))
}

fn surname_index(text: &str) -> Option<u16> {
    SURNAMES.iter().position(|(name, _)| *name == text).and_then(|index| u16::try_from(index).ok())
}

fn below(len: usize, dice: &mut Dice) -> u8 {
    u8::try_from(dice.below(u32::try_from(len).unwrap_or(0))).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::PersonName;

    #[test]
    fn every_name_is_one_that_registers_take() {
        let mut dice = Dice::new(1);
        let mut dots = 0;
        for round in 0..30_000 {
            let name = Name::draw(round % 2 == 0, 1920 + round % 105, &mut dice);
            let child = Name::after(name, round % 3 == 0, 2001, &mut dice);
            for text in [name.to_string(), child.to_string()] {
                assert_eq!(text.parse::<PersonName>().unwrap().reveal(), text);
                assert!(text.chars().count() >= 2, "{text}");
                dots += usize::from(text.contains('·'));
            }
        }
        assert!(dots > 50);
    }

    #[test]
    fn planted_names_are_kept() {
        for text in ["阿依古丽·买买提", "王建国", "李𬀩", "张𠮷祥"] {
            assert_eq!(Name::planted(text).to_string(), text);
        }
        assert_eq!(Name::planted("李秀英").adopted_by(Name::planted("王建国")).to_string(), "王秀英");
    }

    #[test]
    fn names_are_small() {
        assert!(size_of::<Name>() <= 8);
    }
}
