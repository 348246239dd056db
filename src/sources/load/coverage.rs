//! Whether what a fact says comes from records that are held against the person who was asked for.

use serde_json::{Map, Value};

use super::super::reply::{Path, Start};
use super::super::text::{AboutText, FactText, OperationText, Quantity};
use super::Loader;

impl Loader<'_> {
    /// Where the fact's record stands. One in the array of `about.each` is the first there that names the person.
    pub(super) fn start(&mut self, place: &str, text: &OperationText) -> Start {
        let at = Path::new(&text.fact.at);
        let Some(each) = text.about.each.as_deref().map(Path::new) else { return Start::At(at) };
        match at.0.strip_prefix(each.0.as_slice()) {
            Some([first, rest @ ..]) if first == "0" => Start::Theirs(Path(rest.to_vec())),
            Some([_, ..]) if text.about.quantity == Quantity::Some => {
                let each = text.about.each.as_deref().unwrap_or_default();
                let message = format!(
                    "with match = \"some\" another record may be another person's: say \"{each}/0\", which is the first \
                     record that names the person"
                );
                self.wrong(&format!("{place}/fact/at"), message);
                Start::At(at)
            }
            _ => Start::At(at),
        }
    }

    /// Refuses a fact that is not, or not only, taken from what names the person.
    pub(super) fn covered(&mut self, place: &str, text: &OperationText) {
        let stars = [("rows", text.rows.as_deref()), ("about/each", text.about.each.as_deref())];
        for (name, pointer) in stars.into_iter().chain([("fact/at", Some(text.fact.at.as_str()))]) {
            self.one_place(&format!("{place}/{name}"), pointer.unwrap_or_default());
        }
        if let Some(agree) = &text.about.agree {
            self.one_place(&format!("{place}/about/agree/name"), &agree.name);
            self.one_place(&format!("{place}/about/agree/birth_date"), &agree.birth_date);
        }
        let mut origins = Vec::new();
        self.origins(&format!("{place}/fact/fields"), &text.fact.fields, &Path::new(&text.fact.at).0, &mut origins);
        if text.about.none.is_some() {
            return;
        }
        for (place, origin) in origins {
            let wrong = match text.about.each.as_deref() {
                Some(each) => outside(each, &text.about, &text.fact, &origin),
                None => elsewhere(&text.about, &origin),
            };
            if let Some(message) = wrong {
                self.wrong(&place, message);
            }
        }
    }

    fn one_place(&mut self, place: &str, pointer: &str) {
        if Path::new(pointer).0.iter().any(|part| part == "*") {
            self.wrong(place, "this must be one place; * stands for every item only in about.at");
        }
    }

    /// Where each field comes from, from the top of the reply; `*` where it is a list of all items.
    fn origins(
        &mut self,
        place: &str,
        fields: &Map<String, Value>,
        base: &[String],
        origins: &mut Vec<(String, Vec<String>)>,
    ) {
        let join = |base: &[String], pointer: &str| [base, Path::new(pointer).0.as_slice()].concat();
        for (name, field) in fields {
            let place = format!("{place}/{name}");
            let text = |key: &str| field.get(key).and_then(Value::as_str);
            let at = field.as_str().or_else(|| text("at"));
            for pointer in [at, text("each")].into_iter().flatten() {
                self.one_place(&place, pointer);
            }
            let base = match text("each") {
                Some(each) => [join(base, each).as_slice(), &["*".to_owned()]].concat(),
                None => base.to_vec(),
            };
            match (field.get("value"), field.get("fields").and_then(Value::as_object)) {
                (Some(_), _) => {}
                (None, Some(fields)) => self.origins(&format!("{place}/fields"), fields, &base, origins),
                (None, None) => origins.push((place, join(&base, at.unwrap_or_default()))),
            }
        }
    }
}

/// What is wrong with a field that should come from the records of `each`.
fn outside(each: &str, about: &AboutText, fact: &FactText, origin: &[String]) -> Option<String> {
    let records = Path::new(each).0;
    match origin.strip_prefix(records.as_slice()) {
        None | Some([]) => Some(format!(
            "this comes from outside \"{each}\", whose records alone are held against the person; mend about.each"
        )),
        Some([item, ..]) if item != "*" && about.quantity == Quantity::Some => {
            let is_theirs = Path::new(&fact.at).0.len() > records.len();
            let message = "with match = \"some\" this record may be another person's; let fact.at point to";
            (!is_theirs).then(|| format!("{message} \"{each}/0\""))
        }
        Some(_) => None,
    }
}

/// What is wrong with a field that comes from another item of an array than the one that names the person.
fn elsewhere(about: &AboutText, origin: &[String]) -> Option<String> {
    let is_index = |part: &String| part.parse::<usize>().is_ok();
    let agree = about.agree.iter().flat_map(|agree| [agree.name.as_str(), agree.birth_date.as_str()]);
    about.at.iter().map(String::as_str).chain(agree).find_map(|pointer| {
        let named = Path::new(pointer).0;
        let array = named.iter().position(|part| part == "*" || is_index(part))?;
        let item = origin.get(array).filter(|_| origin[..array] == named[..array])?;
        let is_other = *item != named[array] && (is_index(item) || item == "*");
        is_other.then(|| {
            let array = named[..array].iter().fold(String::new(), |path, part| path + "/" + part);
            format!("another record than this may be the one that names the person; say about.each = \"{array}\"")
        })
    })
}
