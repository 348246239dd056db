//! How families name their children.

use super::dice::Dice;
use super::names::Name;
use super::world::{PersonId, World};

impl World {
    /// A name for a child, after one of the parents, that neither they nor the brothers and sisters bear.
    pub(super) fn name_child(
        &self,
        parents: [Option<PersonId>; 2],
        after: PersonId,
        child: (bool, u32),
        dice: &mut Dice,
    ) -> Name {
        let (male, year) = child;
        let mut name = Name::after(self.human(after).name, male, year, dice);
        for _ in 0..20 {
            let is_taken = parents.into_iter().flatten().any(|parent| {
                self.human(parent).name == name || self.children(parent).any(|other| self.human(other).name == name)
            });
            if !is_taken {
                break;
            }
            name = Name::after(self.human(after).name, male, year, dice);
        }
        name
    }
}
