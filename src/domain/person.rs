use super::{IdNumber, PersonName};

/// A person as a question names one: the number, and the name that must agree with it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Person {
    /// The ID number.
    pub id_number: IdNumber,
    /// The name; absent for a person whom only a department's record names by number.
    pub name: Option<PersonName>,
}
