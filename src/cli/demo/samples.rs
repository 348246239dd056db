//! A request for each kind of case that must come out right, about people whom the departments always have.

use std::collections::BTreeMap;

use anyhow::Context as _;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::simulator::{Case, Person};

/// A request with the outcome that it has.
pub(super) struct Sample {
    pub(super) case: String,
    pub(super) request: Value,
    pub(super) outcome: String,
}

impl Sample {
    pub(super) fn json(&self) -> Value {
        json!({"case": self.case, "request": self.request, "outcome": self.outcome})
    }
}

/// `samples.toml`.
#[derive(Deserialize)]
struct Table {
    samples: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    case: String,
    planted: String,
    claim: String,
    people: BTreeMap<String, String>,
    #[serde(default)]
    parameters: Map<String, Value>,
    purpose: String,
    outcome: String,
}

/// What people type for the middle dot of a name.
const DOTS: [char; 6] = ['·', '•', '・', '‧', '．', '∙'];

/// The samples about this cast.
///
/// # Errors
/// If the table of samples is broken, or names somebody who is not in the cast.
pub(super) fn of(cast: &[Case]) -> anyhow::Result<Vec<Sample>> {
    let table: Table = toml::from_str(include_str!("samples.toml"))?;
    let mut samples = Vec::new();
    for row in table.samples {
        let name = row.case.clone();
        samples.push(sample(row, cast).with_context(|| format!("nobody is planted for the sample \"{name}\""))?);
    }
    samples.extend(with_old_number(cast));
    samples.extend(with_each_dot(cast));
    samples.extend(with_another_name(cast));
    Ok(samples)
}

fn sample(row: Row, cast: &[Case]) -> Option<Sample> {
    let planted = cast.iter().find(|planted| planted.name == row.planted)?;
    let mut subjects = Map::new();
    for (role, who) in row.people {
        subjects.insert(role, person(planted.people.get(who.as_str())?));
    }
    let mut parameters = row.parameters;
    for (name, value) in &mut parameters {
        if let Some(known) = value.as_str().and_then(|value| value.strip_prefix('$')) {
            let known = planted.parameters.get(known)?;
            let number = known.parse::<i64>().ok().filter(|_| name == "count");
            *value = number.map_or_else(|| json!(known), |number| json!(number));
        }
    }
    let request = request(&row.claim, &Value::Object(subjects), parameters, &row.purpose);
    Some(Sample { case: row.case, request, outcome: row.outcome })
}

fn request(claim: &str, subjects: &Value, parameters: Map<String, Value>, purpose: &str) -> Value {
    let (matter, claim) = claim.split_once('/').unwrap_or((claim, ""));
    let mut request = json!({"matter": matter, "claim": claim, "subjects": subjects});
    if !parameters.is_empty() {
        request["parameters"] = Value::Object(parameters);
    }
    request["purpose"] = json!(purpose);
    request["officer"] = json!("窗口经办人");
    request
}

fn person(person: &Person) -> Value {
    json!({"name": person.name, "id_number": person.id_number})
}

fn one<'a>(cast: &'a [Case], name: &str) -> Option<&'a Person> {
    cast.iter().find(|planted| planted.name == name)?.people.get("person")
}

/// The 15 digits of the old form: without the century and the check character.
fn with_old_number(cast: &[Case]) -> Option<Sample> {
    let old = one(cast, "old-number")?;
    let number = format!("{}{}", old.id_number.get(..6)?, old.id_number.get(8..17)?);
    let subjects = json!({"person": {"name": old.name, "id_number": number}});
    let request = request("alive/alive", &subjects, Map::new(), "pension");
    Some(Sample { case: "15 位旧号码".to_owned(), request, outcome: "confirmed".to_owned() })
}

fn with_each_dot(cast: &[Case]) -> Vec<Sample> {
    let Some(person) = one(cast, "middle-dot") else { return Vec::new() };
    let sample = |dot: char| {
        let name = person.name.replace('·', &dot.to_string());
        let subjects = json!({"person": {"name": name, "id_number": person.id_number}});
        let written = format!("姓名中的间隔号写作 U+{:04X}", u32::from(dot));
        Sample {
            case: written,
            request: request("identity/name-matches-id", &subjects, Map::new(), "passport"),
            outcome: "confirmed".to_owned(),
        }
    };
    DOTS.into_iter().map(sample).collect()
}

fn with_another_name(cast: &[Case]) -> Option<Sample> {
    let (person, other) = (one(cast, "alive")?, one(cast, "unmarried")?);
    let subjects = json!({"person": {"name": other.name, "id_number": person.id_number}});
    let request = request("identity/name-matches-id", &subjects, Map::new(), "bank-account");
    Some(Sample { case: "姓名与号码不一致".to_owned(), request, outcome: "mismatch".to_owned() })
}
