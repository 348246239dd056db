//! Patterns of words: what stands one after another in a text, with little in between.
//!
//! A pattern is a row of elements. An element is a word, or words separated by `|`; `<name>` stands for a list of words; an
//! element that ends with `?` may be missing. Between two elements may stand up to two other characters; none where `+` is
//! written between them, eight where `..` is, and twenty where `...` is, which alone may reach past a comma. A comma in a
//! word stands for any punctuation mark, and for the end of the text.

use std::collections::BTreeMap;
use std::ops::Range;

use aho_corasick::{AhoCorasick, MatchKind};

use super::sound::Text;
use crate::diagnostic::unknown;

/// Learns patterns.
pub(super) struct Builder<'a> {
    lists: &'a BTreeMap<String, Vec<String>>,
    words: BTreeMap<String, Vec<usize>>,
    elements: BTreeMap<Vec<String>, usize>,
}

/// The words of all patterns.
#[derive(Debug)]
pub(super) struct Lexicon {
    automaton: Option<AhoCorasick>,
    /// For each word of the automaton, the elements that it may be.
    elements: Vec<Vec<usize>>,
    count: usize,
}

/// Elements, each with the gap before it.
#[derive(Debug, Clone, Default)]
pub(super) struct Pattern(Vec<(Gap, usize)>);

#[derive(Debug, Clone, Copy)]
struct Gap {
    most: usize,
    past_comma: bool,
}

/// Where a text has which elements.
pub(super) struct Hits {
    /// For each element its places, by their beginning.
    places: Vec<Vec<Range<usize>>>,
    /// For each character, and the end, how many commas stand before it.
    commas: Vec<usize>,
}

const NEAR: Gap = Gap { most: 2, past_comma: false };
const TOUCHING: Gap = Gap { most: 0, past_comma: false };
const FAR: Gap = Gap { most: 8, past_comma: false };
const ANYWHERE: Gap = Gap { most: 20, past_comma: true };

/// Lists may name lists, so deep.
const MAX_DEPTH: usize = 8;

impl<'a> Builder<'a> {
    pub(super) fn new(lists: &'a BTreeMap<String, Vec<String>>) -> Self {
        Self { lists, words: BTreeMap::new(), elements: BTreeMap::new() }
    }

    /// Reads a pattern; what may be missing makes several of it.
    pub(super) fn pattern(&mut self, pattern: &str) -> Result<Vec<Pattern>, String> {
        let mut variants = vec![Pattern::default()];
        let mut gap = NEAR;
        for token in pattern.split_whitespace() {
            match token {
                "+" => gap = TOUCHING,
                ".." => gap = FAR,
                "..." => gap = ANYWHERE,
                _ => {
                    let (words, optional) = token.strip_suffix('?').map_or((token, false), |words| (words, true));
                    let element = self.element(words)?;
                    let without = if optional { variants.clone() } else { Vec::new() };
                    for variant in &mut variants {
                        variant.0.push((gap, element));
                    }
                    variants.extend(without);
                    gap = NEAR;
                }
            }
        }
        if variants.iter().any(|variant| variant.0.is_empty()) {
            return Err("a pattern needs a word that may not be missing".to_owned());
        }
        Ok(variants)
    }

    fn element(&mut self, alternatives: &str) -> Result<usize, String> {
        let mut words = Vec::new();
        self.expand(alternatives, &mut words, 0)?;
        words.sort_unstable();
        words.dedup();
        let number = self.elements.len();
        if let Some(known) = self.elements.get(&words) {
            return Ok(*known);
        }
        for word in &words {
            self.words.entry(word.clone()).or_default().push(number);
        }
        self.elements.insert(words, number);
        Ok(number)
    }

    fn expand(&self, alternatives: &str, words: &mut Vec<String>, depth: usize) -> Result<(), String> {
        if depth > MAX_DEPTH {
            return Err("lists of words name each other in a circle".to_owned());
        }
        for word in alternatives.split('|') {
            match word.strip_prefix('<').and_then(|word| word.strip_suffix('>')) {
                Some(name) => {
                    let known = self.lists.keys().map(String::as_str);
                    let list = self.lists.get(name).ok_or_else(|| unknown("list of words", name, known))?;
                    for word in list {
                        self.expand(word, words, depth + 1)?;
                    }
                }
                None if word.is_empty() || word.contains(['<', '>', '?']) => {
                    return Err(format!("\"{alternatives}\" is not words separated by |, or <list>"));
                }
                None => words.push(word.to_owned()),
            }
        }
        Ok(())
    }

    pub(super) fn build(self) -> Lexicon {
        let count = self.elements.len();
        let automaton = AhoCorasick::builder().match_kind(MatchKind::Standard).build(self.words.keys()).ok();
        Lexicon { automaton, elements: self.words.into_values().collect(), count }
    }
}

impl Lexicon {
    pub(super) fn hits(&self, text: &Text) -> Hits {
        let mut places = vec![Vec::new(); self.count];
        let ended = format!("{},", text.text);
        for found in self.automaton.iter().flat_map(|automaton| automaton.find_overlapping_iter(&ended)) {
            let place = text.character_at(found.start())..text.character_at(found.end());
            for element in self.elements.get(found.pattern().as_usize()).into_iter().flatten() {
                if let Some(list) = places.get_mut(*element) {
                    list.push(place.clone());
                }
            }
        }
        // Words are found by their ends.
        places.iter_mut().filter(|list| list.len() > 1).for_each(|list| list.sort_unstable_by_key(|place| place.start));
        let mut commas = Vec::with_capacity(text.characters.len() + 1);
        commas.push(0);
        let mut count = 0;
        for character in &text.characters {
            count += usize::from(*character == ',');
            commas.push(count);
        }
        Hits { places, commas }
    }
}

impl Pattern {
    /// Where it is found: at every beginning, as short as it can be.
    pub(super) fn find<'a>(&'a self, hits: &'a Hits) -> impl Iterator<Item = Range<usize>> + 'a {
        let is_possible = self.0.iter().all(|(_, element)| !hits.places(*element).is_empty());
        let first = self.0.first().filter(|_| is_possible).map(|(_, element)| hits.places(*element));
        let rest = self.0.get(1..).unwrap_or_default();
        first.into_iter().flatten().filter_map(move |place| reach(rest, hits, place.end).map(|end| place.start..end))
    }
}

impl Hits {
    fn places(&self, element: usize) -> &[Range<usize>] {
        self.places.get(element).map_or(&[], Vec::as_slice)
    }

    /// Whether two places stand in one clause.
    pub(super) fn in_one_clause(&self, one: usize, other: usize) -> bool {
        self.commas.get(one) == self.commas.get(other)
    }
}

/// The nearest end of a text's part that begins at a place and holds all these elements.
fn reach(elements: &[(Gap, usize)], hits: &Hits, from: usize) -> Option<usize> {
    let Some(((gap, element), rest)) = elements.split_first() else { return Some(from) };
    let places = hits.places(*element);
    let begin = places.partition_point(|place| place.start < from);
    places
        .iter()
        .skip(begin)
        .take_while(|place| place.start <= from + gap.most)
        .filter(|place| gap.past_comma || hits.in_one_clause(from, place.start))
        .filter_map(|place| reach(rest, hits, place.end))
        .min()
}

#[cfg(test)]
mod tests {
    use super::super::sound::{Ear, normalise};
    use super::*;

    fn find(pattern: &str, text: &str) -> Vec<(usize, usize)> {
        let lists = BTreeMap::from([("kin".to_owned(), vec!["妈".to_owned(), "妈妈".to_owned(), "爸".to_owned()])]);
        let mut builder = Builder::new(&lists);
        let patterns = builder.pattern(pattern).unwrap();
        let text = Text::new(normalise(text, 100), &Ear::default());
        let hits = builder.build().hits(&text);
        let places = patterns.iter().flat_map(|pattern| pattern.find(&hits));
        places.map(|place| (place.start, place.end)).collect()
    }

    #[test]
    fn gaps_are_kept() {
        let none: [(usize, usize); 0] = [];
        assert_eq!(find("<kin> 是 <kin>", "证明我妈就是我妈"), [(3, 8)]);
        assert_eq!(find("<kin> + 是", "我妈就是"), none);
        assert_eq!(find("妈 没了", "妈，没了"), none);
        assert_eq!(find("妈 .. 没了", "妈头几年没了"), [(0, 6)]);
        assert_eq!(find("没了 ... 房子", "妈没了，她的房子"), [(1, 8)]);
        assert_eq!(find("没? 犯 过", "没犯过"), [(0, 3), (1, 3)]);
        assert_eq!(find("的条,", "在世的条"), [(2, 4)]);
        assert_eq!(find("的条,", "在世的条件"), none);
    }

    #[test]
    fn mistakes_are_told() {
        let lists =
            BTreeMap::from([("a".to_owned(), vec!["<b>".to_owned()]), ("b".to_owned(), vec!["<a>".to_owned()])]);
        let mut builder = Builder::new(&lists);
        assert!(builder.pattern("<a>").unwrap_err().contains("circle"));
        assert!(builder.pattern("<c>").unwrap_err().contains("unknown list of words"));
        assert!(builder.pattern("没?").is_err());
        assert!(builder.pattern("没||犯").is_err());
    }
}
