//! How two people are related: for the household registers, and for who may marry whom.

use super::day::Day;
use super::world::{PersonId, World};

/// Relation to the head of the household, GB/T 4761-2008.
pub(super) mod relation {
    pub(in crate::simulator) const HEAD: u8 = 2;
    pub(super) const HUSBAND: u8 = 11;
    pub(super) const WIFE: u8 = 12;
    pub(super) const ADOPTED_SON: u8 = 27;
    pub(super) const ADOPTED_DAUGHTER: u8 = 37;
    pub(super) const SON_IN_LAW: u8 = 28;
    pub(super) const DAUGHTER_IN_LAW: u8 = 38;
    pub(super) const OTHER_RELATIVE: u8 = 97;
    pub(super) const NOT_RELATED: u8 = 99;
}

impl World {
    /// Legal parents: those who adopted the person, else those of the birth.
    pub(super) fn parents(&self, person: PersonId) -> impl Iterator<Item = PersonId> + use<> {
        let mut adopters = self.adopters(person);
        let human = self.human(person);
        let parents = match adopters.next() {
            Some(first) => [Some(first), adopters.next()],
            None => [human.father, human.mother],
        };
        parents.into_iter().flatten()
    }

    pub(super) fn is_parent(&self, parent: PersonId, child: PersonId) -> bool {
        self.parents(child).any(|one| one == parent)
    }

    pub(super) fn are_siblings(&self, one: PersonId, other: PersonId) -> bool {
        one != other && self.parents(one).any(|parent| self.is_parent(parent, other))
    }

    /// Direct relatives, or collateral ones up to the third degree of kinship (art. 1048): they share a
    /// grandparent, by blood or by adoption.
    pub(super) fn too_close_to_marry(&self, one: PersonId, other: PersonId) -> bool {
        let (line, other_line) = (self.forebears(one), self.forebears(other));
        line.iter().any(|forebear| other_line.contains(forebear))
    }

    /// The person, the parents and the grandparents.
    fn forebears(&self, person: PersonId) -> Vec<PersonId> {
        let blood = |id: PersonId| [self.human(id).mother, self.human(id).father].into_iter().flatten();
        let mut line = vec![person];
        line.extend(blood(person).chain(self.adopters(person)));
        for index in 1..line.len() {
            let Some(parent) = line.get(index).copied() else { continue };
            line.extend(blood(parent).chain(self.adopters(parent)).collect::<Vec<_>>());
        }
        line
    }

    /// What `member` is to `head` on that day.
    pub(super) fn relation(&self, head: PersonId, member: PersonId, on: Day) -> u8 {
        if head == member {
            return relation::HEAD;
        }
        let spouse = |person| self.marriage_on(person, on).map(|id| self.marriage(id).spouse_of(person));
        let (spouse_of_head, spouse_of_member) = (spouse(head), spouse(member));
        let male = self.human(member).number.is_male();
        let by_sex = |man: u8, woman: u8| if male { man } else { woman };
        if spouse_of_head == Some(member) {
            return by_sex(relation::HUSBAND, relation::WIFE);
        }
        if self.is_parent(head, member) {
            return self.code_of_child(head, member, on);
        }
        if spouse_of_head.is_some_and(|spouse| self.is_parent(spouse, member)) {
            return by_sex(relation::ADOPTED_SON, relation::ADOPTED_DAUGHTER);
        }
        if spouse_of_member.is_some_and(|spouse| self.is_parent(head, spouse)) {
            return by_sex(relation::SON_IN_LAW, relation::DAUGHTER_IN_LAW);
        }
        self.code_of_elder(head, member, spouse_of_head)
            .or_else(|| self.code_of_sibling(head, member, spouse_of_member))
            .or_else(|| self.code_of_descendant(head, member, spouse_of_head))
            .unwrap_or_else(|| self.code_of_others(head, member))
    }

    fn code_of_child(&self, head: PersonId, child: PersonId, on: Day) -> u8 {
        let male = self.human(child).number.is_male();
        if self.adopters(child).next().is_some() {
            return if male { relation::ADOPTED_SON } else { relation::ADOPTED_DAUGHTER };
        }
        let born = self.human(child).born;
        let (mut all, mut elder) = (0, 0);
        for other in self.children(head).filter(|other| self.human(*other).born <= on) {
            all += 1;
            let is_elder = (self.human(other).born, other) < (born, child);
            elder += u8::from(is_elder && self.human(other).number.is_male() == male);
        }
        let first = if male { 20 } else { 30 };
        match (all, elder) {
            (1, _) => first + 1,
            (_, 0..=4) => first + 2 + elder,
            _ => first + 9,
        }
    }

    /// Parents, parents-in-law, grandparents.
    fn code_of_elder(&self, head: PersonId, member: PersonId, spouse_of_head: Option<PersonId>) -> Option<u8> {
        let woman = u8::from(!self.human(member).number.is_male());
        if self.is_parent(member, head) {
            let adopted = self.adopters(head).next().is_some();
            return Some(if adopted { 57 } else { 51 } + woman);
        }
        if spouse_of_head.is_some_and(|spouse| self.is_parent(member, spouse)) {
            return Some(if self.human(head).number.is_male() { 55 } else { 53 } + woman);
        }
        let parent = self.parents(head).find(|parent| self.is_parent(member, *parent))?;
        Some(if self.human(parent).number.is_male() { 61 } else { 63 } + woman)
    }

    /// Brothers and sisters, and whom they married.
    fn code_of_sibling(&self, head: PersonId, member: PersonId, spouse_of_member: Option<PersonId>) -> Option<u8> {
        let is_sibling = self.are_siblings(head, member);
        let sibling = if is_sibling { Some(member) } else { spouse_of_member }?;
        if !self.are_siblings(head, sibling) {
            return None;
        }
        let elder = self.human(sibling).born < self.human(head).born;
        let code = match (self.human(sibling).number.is_male(), elder) {
            (true, true) => 71,
            (true, false) => 73,
            (false, true) => 75,
            (false, false) => 77,
        };
        Some(code + u8::from(!is_sibling))
    }

    fn code_of_descendant(&self, head: PersonId, member: PersonId, spouse_of_head: Option<PersonId>) -> Option<u8> {
        let woman = u8::from(!self.human(member).number.is_male());
        let is_grandchild = |child: &PersonId| {
            self.is_parent(head, *child) || spouse_of_head.is_some_and(|one| self.is_parent(one, *child))
        };
        if let Some(child) = self.parents(member).find(is_grandchild) {
            return Some(if self.human(child).number.is_male() { 41 } else { 43 } + woman);
        }
        let is_great = self.parents(member).flat_map(|one| self.parents(one)).any(|one| self.is_parent(head, one));
        is_great.then_some(47 + woman)
    }

    fn code_of_others(&self, head: PersonId, member: PersonId) -> u8 {
        let (line, other_line) = (self.forebears(head), self.forebears(member));
        let related = line.iter().any(|forebear| other_line.contains(forebear));
        if related { relation::OTHER_RELATIVE } else { relation::NOT_RELATED }
    }
}
