//! The answers for many people against the truth that the departments were told.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::asks::question;
use super::demo::Demo;

pub(crate) struct World {
    pub(crate) people: BTreeMap<String, Value>,
    pub(crate) children: BTreeMap<String, BTreeSet<String>>,
    pub(crate) today: String,
}

pub(crate) fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

pub(crate) fn list(value: &Value, key: &str) -> Vec<String> {
    value[key].as_array().into_iter().flatten().filter_map(|item| Some(item.as_str()?.to_owned())).collect()
}

pub(crate) fn legal_parents(person: &Value) -> Vec<String> {
    let adoptive = list(person, "adoptive_parents");
    if adoptive.is_empty() { list(person, "birth_parents") } else { adoptive }
}

/// The day before.
fn before(day: &str) -> String {
    day.parse::<jiff::civil::Date>().unwrap().yesterday().unwrap().to_string()
}

impl World {
    pub(crate) fn new(people: Vec<Value>) -> Self {
        let mut children: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for person in &people {
            for parent in legal_parents(person) {
                children.entry(parent).or_default().insert(text(person, "id_number").to_owned());
            }
        }
        let people = people.into_iter().map(|person| (text(&person, "id_number").to_owned(), person)).collect();
        Self { people, children, today: heyan::clock::day_of(jiff::Timestamp::now()).to_string() }
    }

    pub(crate) fn status(&self, person: &Value) -> &'static str {
        // An annulled marriage never was one.
        let marriages = person["marriages"].as_array().unwrap().iter().filter(|one| one["ended_by"] != "annulment");
        let Some(last) = marriages.max_by_key(|marriage| text(marriage, "from")) else { return "unmarried" };
        match (last["to"].as_str(), text(last, "ended_by")) {
            (None, _) => "married",
            (Some(to), _) if *to > *self.today => "married",
            (Some(_), "death") => "widowed",
            (Some(_), _) => "divorced",
        }
    }
}

/// Asks, and checks that the outcome is among those that are true.
async fn expect(demo: &Demo, claim: &str, people: &[(&str, &Value)], parameters: Option<Value>, truth: &[&str]) {
    let request = question(claim, people, parameters);
    let reply = demo.verify(&request).await.body;
    let outcome = reply["outcome"].as_str().unwrap_or("no outcome");
    // A judgment on paper takes the court longer than anybody waits here; in which cases is for the dice to say.
    let is_searched = |witness: &Value| witness["source"] == "court" && witness["answer"] == "pending";
    if outcome == "pending" && reply["witnesses"].as_array().unwrap().iter().any(is_searched) {
        return;
    }
    assert!(truth.contains(&outcome), "{claim} is {outcome}, not {truth:?}: {:?} {}", people, reply["witnesses"]);
}

#[tokio::test]
async fn what_is_answered_is_true() {
    let demo = Demo::with(&["--population", "3000", "--seed", "7"]);
    let world = World::new(demo.population().await);
    for (index, person) in world.people.values().enumerate().filter(|(index, _)| index % 9 == 0) {
        life_and_death(&demo, person).await;
        marriages(&demo, &world, person).await;
        parents(&demo, &world, person).await;
        children(&demo, &world, person).await;
        let other = world.people.values().nth((index * 7 + 3) % world.people.len()).unwrap();
        strangers(&demo, person, other).await;
    }
}

async fn life_and_death(demo: &Demo, person: &Value) {
    let one = [("person", person)];
    expect(demo, "identity/name-matches-id", &one, None, &["confirmed"]).await;
    let Some(died) = person["died"].as_str() else {
        expect(demo, "alive/alive", &one, None, &["confirmed"]).await;
        expect(demo, "death/died", &one, None, &["no_record"]).await;
        return;
    };
    expect(demo, "alive/alive", &one, None, &["refuted"]).await;
    expect(demo, "death/died", &one, Some(json!({"on_or_before": died})), &["confirmed"]).await;
    let told_late = person["unknown_to"].get("health").is_some();
    let truth: &[&str] = if told_late { &["refuted", "no_record"] } else { &["refuted"] };
    expect(demo, "death/died", &one, Some(json!({"on_or_before": before(died)})), truth).await;
}

async fn marriages(demo: &Demo, world: &World, person: &Value) {
    for marriage in person["marriages"].as_array().unwrap() {
        let spouse = &world.people[text(marriage, "spouse")];
        let couple = [("person", person), ("spouse", spouse)];
        let others = person["marriages"].as_array().unwrap().iter();
        let again: Vec<&Value> = others.filter(|other| other["spouse"] == marriage["spouse"]).collect();
        let now = again.iter().any(|one| one["to"].is_null());
        expect(demo, "kinship/spouse", &couple, None, if now { &["confirmed"] } else { &["refuted"] }).await;
        let on = |day: &str| Some(json!({"on": day}));
        let from = text(marriage, "from");
        expect(demo, "marital-status/spouses", &couple, on(from), &["confirmed"]).await;
        expect(demo, "marital-status/spouses", &couple, on(&before(from)), &["refuted"]).await;
        if let Some(to) = marriage["to"].as_str() {
            expect(demo, "marital-status/spouses", &couple, on(&before(to)), &["confirmed"]).await;
            // Some marry each other again, the very next day.
            let truth: &[&str] =
                if again.iter().any(|one| text(one, "from") == to) { &["confirmed"] } else { &["refuted"] };
            expect(demo, "marital-status/spouses", &couple, on(to), truth).await;
        }
    }
    if person["died"].is_null() {
        let status = world.status(person);
        for claimed in ["unmarried", "married", "divorced", "widowed"] {
            let truth: &[&str] = if claimed == status { &["confirmed"] } else { &["refuted"] };
            let parameters = Some(json!({"status": claimed}));
            expect(demo, "marital-status/status-is", &[("person", person)], parameters, truth).await;
        }
    }
}

async fn parents(demo: &Demo, world: &World, person: &Value) {
    let recorded = text(person, "born") >= "1996-01-01";
    let adopted = !list(person, "adoptive_parents").is_empty();
    let legal = legal_parents(person);
    for id in list(person, "birth_parents").iter().chain(&list(person, "adoptive_parents")) {
        let pair = [("child", person), ("parent", &world.people[id])];
        let truth: &[&str] = match (legal.contains(id), recorded || adopted) {
            (true, true) => &["confirmed"],
            // Who was born before births were recorded is known by the registers that list both, or by none.
            (true, false) => &["confirmed", "no_record"],
            (false, _) => &["refuted"],
        };
        expect(demo, "kinship/parent-child", &pair, None, truth).await;
    }
    let siblings = legal.iter().filter_map(|parent| world.children.get(parent)).flatten();
    for sibling in siblings.filter(|id| *id != text(person, "id_number")).take(2) {
        let sibling = &world.people[sibling];
        let both = recorded && text(sibling, "born") >= "1996-01-01";
        let truth: &[&str] = if both { &["confirmed"] } else { &["confirmed", "no_record"] };
        expect(demo, "kinship/sibling", &[("person", person), ("sibling", sibling)], None, truth).await;
    }
}

async fn children(demo: &Demo, world: &World, person: &Value) {
    let count = world.children.get(text(person, "id_number")).map_or(0, BTreeSet::len);
    let complete = text(person, "born") >= "1981-01-01";
    let ask = async |count: usize, truth: &[&str]| {
        expect(demo, "childbearing/has-children", &[("person", person)], Some(json!({"count": count})), truth).await;
    };
    ask(count, if complete { &["confirmed"] } else { &["no_record"] }).await;
    ask(count + 1, if complete { &["refuted"] } else { &["no_record"] }).await;
    if count > 0 {
        ask(count - 1, if complete { &["refuted"] } else { &["refuted", "no_record"] }).await;
    }
}

async fn strangers(demo: &Demo, person: &Value, other: &Value) {
    let id = text(other, "id_number").to_owned();
    let known = legal_parents(person).contains(&id) || list(person, "birth_parents").contains(&id);
    if text(person, "id_number") == id || known {
        return;
    }
    let truth = ["refuted", "no_record"];
    expect(demo, "kinship/parent-child", &[("child", person), ("parent", other)], None, &truth).await;
    if !person["marriages"].as_array().unwrap().iter().any(|marriage| marriage["spouse"] == id.as_str()) {
        expect(demo, "kinship/spouse", &[("person", person), ("spouse", other)], None, &["refuted"]).await;
    }
}
