//! Layer 0: what is wrong in a file that a person wrote, where, and what to do about it.

use std::fmt;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Diagnostic {
    /// The file, as its owner knows it.
    pub file: String,
    /// The line, counted from 1; `None` where the whole file is meant.
    pub line: Option<usize>,
    /// What is wrong, and what would be right.
    pub message: String,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(formatter, "{}:{line}: {}", self.file, self.message),
            None => write!(formatter, "{}: {}", self.file, self.message),
        }
    }
}

/// Says that a name is unknown, and which valid name is nearest to it, or which ones there are.
#[must_use]
pub fn unknown<'a>(what: &str, name: &str, valid: impl IntoIterator<Item = &'a str>) -> String {
    let mut valid: Vec<&str> = valid.into_iter().collect();
    valid.sort_unstable();
    valid.dedup();
    if let Some(nearest) = nearest(name, &valid) {
        return format!("unknown {what} \"{name}\"; did you mean \"{nearest}\"?");
    }
    match valid.len() {
        0 => format!("unknown {what} \"{name}\"; there is none that could stand here"),
        1..=12 => format!("unknown {what} \"{name}\"; valid: {}", valid.join(", ")),
        count => format!("unknown {what} \"{name}\"; it is none of the {count} valid ones"),
    }
}

fn nearest<'a>(name: &str, valid: &[&'a str]) -> Option<&'a str> {
    let likeness = |candidate: &str| {
        strsim::jaro_winkler(name, candidate).max(strsim::normalized_damerau_levenshtein(name, candidate))
    };
    let best = valid.iter().copied().max_by(|a, b| likeness(a).total_cmp(&likeness(b)))?;
    let is_one_slip = strsim::damerau_levenshtein(name, best) == 1;
    (is_one_slip || likeness(best) >= 0.75).then_some(best)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_valid_name_is_offered() {
        assert!(unknown("key", "pth", ["path", "method"]).ends_with("did you mean \"path\"?"));
        assert!(unknown("key", "zzz", ["path", "method"]).ends_with("valid: method, path"));
    }
}
