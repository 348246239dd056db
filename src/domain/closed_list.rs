/// A closed list of words, each with a name of its own in forms, tables and files.
pub trait ClosedList: Sized + Copy + PartialEq + 'static {
    /// All of them, as a form lists them.
    const ALL: &'static [Self];

    /// The word's name: lower-case letters and hyphens.
    fn as_str(self) -> &'static str;

    /// The word with this name.
    #[must_use]
    fn named(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|word| word.as_str() == text)
    }
}

/// Names the variants of a closed list once.
macro_rules! closed_list {
    ($name:ident { $($variant:ident = $text:literal),+ $(,)? }) => {
        impl $crate::domain::ClosedList for $name {
            const ALL: &'static [Self] = &[$(Self::$variant),+];

            fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text),+
                }
            }
        }
    };
}

pub(crate) use closed_list;

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Clone, Copy, PartialEq)]
    enum Weekend {
        Saturday,
        Sunday,
    }

    closed_list!(Weekend { Saturday = "saturday", Sunday = "sunday" });

    #[test]
    fn every_word_is_found_by_its_name() {
        for day in Weekend::ALL {
            assert_eq!(Weekend::named(day.as_str()), Some(*day));
        }
        assert_eq!(Weekend::named("monday"), None);
    }
}
