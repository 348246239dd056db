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

/// An enumeration that is a closed list, with each word's name beside it: the name in files and tables, too.
macro_rules! closed_list {
    (
        $(#[$attribute:meta])*
        $visibility:vis enum $name:ident {
            $($(#[$documentation:meta])* $variant:ident = $text:literal),+ $(,)?
        }
    ) => {
        $(#[$attribute])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
        $visibility enum $name {
            $($(#[$documentation])* #[serde(rename = $text)] $variant),+
        }

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

    closed_list! {
        enum Weekend {
            Saturday = "saturday",
            Sunday = "sunday",
        }
    }

    #[test]
    fn every_word_is_found_by_its_name_and_written_by_it() {
        for day in Weekend::ALL {
            assert_eq!(Weekend::named(day.as_str()), Some(*day));
            assert_eq!(serde_json::to_string(day).unwrap(), format!("\"{}\"", day.as_str()));
        }
        assert_eq!(Weekend::named("monday"), None);
    }
}
