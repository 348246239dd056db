//! Layer 0: the words. Values that exist only if they are valid, and that mask themselves when printed.
//!
//! Everything personal ([`IdNumber`], [`PersonName`]) shows its content through one explicit `reveal()` alone.

mod closed_list;
mod credit_code;
mod digits;
mod division;
mod found_number;
mod id_number;
mod ids;
mod liaoning;
mod masked;
mod note;
mod outcome;
mod person;
mod person_name;
mod token_hash;

pub use closed_list::ClosedList;
pub(crate) use closed_list::closed_list;
pub use credit_code::{CreditCode, CreditCodeError};
pub use division::{Division, DivisionError, Level};
pub use found_number::holds_id_number;
pub use id_number::{IdNumber, IdNumberError, Sex};
pub use ids::{AgencyId, ClaimRef, Slug, SlugError};
pub use masked::without_personal_numbers;
pub use note::{Note, NoteError, one_line};
pub use outcome::{Answer, Cause, Decision, Disposition, Outcome};
pub use person::Person;
pub use person_name::{PersonName, PersonNameError};
pub use token_hash::{TokenHash, TokenHashError};

/// Hides all of a personal value but its first and last character: a birth date and four visible
/// digits of an ID number would leave about 34 candidates.
pub(crate) fn mask(value: &str) -> String {
    let count = value.chars().count();
    let mut masked = String::with_capacity(value.len());
    for (index, character) in value.chars().enumerate() {
        let visible = count > 2 && (index == 0 || index + 1 == count);
        masked.push(if visible { character } else { '*' });
    }
    masked
}

#[cfg(test)]
mod tests {
    use super::mask;

    #[test]
    fn masking_keeps_the_ends_of_long_values_only() {
        assert_eq!(mask("210102199001011234"), "2****************4");
        assert_eq!(mask("张三"), "**");
        assert_eq!(mask(""), "");
    }
}
