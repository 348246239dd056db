//! What the gateway says about the same people in different questions goes together, also after events that only some
//! departments were told of.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::StreamExt as _;
use jiff::ToSpan as _;
use jiff::civil::Date;
use reqwest::Method;
use serde_json::{Value, json};

use super::asks::question;
use super::client::client;
use super::demo::Demo;
use super::reply::send;
use super::truth::{World, legal_parents, list, text};

const ALL: &[&str] = &["civil-affairs", "court", "health", "police"];

/// A demo in which much has happened, and who was concerned.
struct Aftermath {
    demo: Demo,
    world: World,
    concerned: BTreeSet<String>,
}

#[tokio::test]
async fn answers_go_together() {
    let aftermath = Aftermath::new().await;
    let people: Vec<&Value> = aftermath.world.people.values().collect();
    let some = people
        .iter()
        .enumerate()
        .filter(|(index, person)| aftermath.concerned.contains(text(person, "id_number")) || index % 6 == 0);
    let stranger = |index: usize| people[(index * 7 + 3) % people.len()];
    let checks = futures_util::stream::iter(some.map(|(index, person)| aftermath.check(person, stranger(index))));
    let count = checks.buffer_unordered(8).count().await;
    assert!(count > 200, "only {count} people");
}

impl Aftermath {
    async fn new() -> Self {
        let demo = Demo::with(&["--population", "440", "--seed", "11"]);
        let before = World::new(demo.population().await);
        let yesterday = before.today.parse::<Date>().unwrap().yesterday().unwrap();
        let days = [30, 20, 10, 1].map(|days| (yesterday - days.days()).to_string());
        let mut concerned = BTreeSet::new();
        let (mut kind, mut told) = (0, [0; STORIES.len()]);
        for wife in before.people.values().filter(|person| text(person, "sex") == "female" && person["died"].is_null())
        {
            let last = wife["marriages"].as_array().unwrap().last();
            let Some(husband) = last.filter(|last| last["to"].is_null()).map(|last| text(last, "spouse")) else {
                continue;
            };
            let couple = [text(wife, "id_number"), husband];
            let mut happened = true;
            for (day, (event, persons, known_to)) in days.iter().zip(STORIES[kind]) {
                let persons = persons.iter().map(|index| couple[*index]).collect::<Vec<_>>();
                let event = json!({"kind": event, "persons": persons, "on": day, "known_to": known_to});
                let request = client().request(Method::POST, format!("{}/control/events", demo.text("control")));
                let reply = send(request.body(event.to_string())).await;
                happened &= reply.status == 200;
                for person in reply.body["persons"].as_array().into_iter().flatten() {
                    concerned.insert(text(person, "id_number").to_owned());
                }
            }
            told[kind] += usize::from(happened);
            kind = (kind + 1) % STORIES.len();
        }
        assert!(told.iter().all(|count| *count > 0), "some story could not happen: {told:?}");
        let world = World::new(demo.population().await);
        Self { demo, world, concerned }
    }

    async fn ask(&self, claim: &str, people: &[(&str, &Value)], parameters: Option<Value>) -> String {
        let reply = self.demo.verify(&question(claim, people, parameters)).await.body;
        reply["outcome"].as_str().unwrap_or_else(|| panic!("{reply}")).to_owned()
    }

    /// What is said of the two, whichever of them comes first.
    async fn both(&self, claim: &str, roles: [&str; 2], pair: [&Value; 2], parameters: Option<Value>) -> String {
        let there = self.ask(claim, &[(roles[0], pair[0]), (roles[1], pair[1])], parameters.clone()).await;
        let back = self.ask(claim, &[(roles[0], pair[1]), (roles[1], pair[0])], parameters).await;
        assert_eq!(there, back, "{claim} of {pair:?} and the other way round");
        there
    }

    async fn check(&self, person: &Value, stranger: &Value) {
        self.marriage(person).await;
        self.children(person).await;
        self.relatives(person, stranger).await;
    }

    async fn marriage(&self, person: &Value) {
        let mut statuses = BTreeMap::new();
        for status in ["unmarried", "married", "divorced", "widowed"] {
            let parameters = Some(json!({"status": status}));
            let outcome = self.ask("marital-status/status-is", &[("person", person)], parameters).await;
            // A court that has to find a paper first says nothing yet.
            if outcome == "pending" {
                return;
            }
            statuses.insert(status, outcome);
        }
        let confirmed: Vec<_> = statuses.iter().filter(|(_, outcome)| *outcome == "confirmed").collect();
        assert!(confirmed.len() <= 1, "{statuses:?} of {person}");
        let spouses: BTreeSet<&str> =
            person["marriages"].as_array().unwrap().iter().map(|marriage| text(marriage, "spouse")).collect();
        let mut married_to = 0;
        for spouse in spouses {
            let spouse = &self.world.people[spouse];
            let outcome = self.both("kinship/spouse", ["person", "spouse"], [person, spouse], None).await;
            assert!(["confirmed", "refuted"].contains(&outcome.as_str()), "{outcome}: {person}");
            married_to += usize::from(outcome == "confirmed");
        }
        assert_eq!(married_to, usize::from(statuses["married"] == "confirmed"), "{statuses:?} of {person}");
        if person["died"].is_null() {
            let truth = self.world.status(person);
            // Of a newborn whom the police do not know yet, nothing is known.
            let unknown = list(&person["unknown_to"], "police").contains(&"birth".to_owned());
            for (status, outcome) in &statuses {
                let expected = match *status == truth {
                    _ if unknown => "no_record",
                    true => "confirmed",
                    false => "refuted",
                };
                assert_eq!(outcome, expected, "{status}, {truth} in truth: {person}");
            }
        }
    }

    async fn children(&self, person: &Value) {
        let count = self.world.children.get(text(person, "id_number")).map_or(0, BTreeSet::len);
        for claimed in count.saturating_sub(1)..=count + 1 {
            let outcome =
                self.ask("childbearing/has-children", &[("person", person)], Some(json!({"count": claimed}))).await;
            let wrong = if claimed == count { "refuted" } else { "confirmed" };
            assert_ne!(outcome, wrong, "{claimed} children, {count} in truth: {person}");
        }
    }

    async fn relatives(&self, person: &Value, stranger: &Value) {
        let parents = legal_parents(person);
        let siblings = parents.iter().filter_map(|parent| self.world.children.get(parent)).flatten();
        let siblings = siblings.filter(|id| *id != text(person, "id_number")).take(2);
        let known = |id: &String| self.world.people.get(id);
        let birth_parents = list(person, "birth_parents");
        let others: Vec<&Value> =
            birth_parents.iter().chain(&parents).chain(siblings).filter_map(known).chain([stranger]).collect();
        for other in others.into_iter().filter(|other| other["id_number"] != person["id_number"]) {
            self.both("kinship/sibling", ["person", "sibling"], [person, other], None).await;
            let now = self
                .both("kinship/same-household", ["person", "other"], [person, other], Some(json!({"when": "now"})))
                .await;
            let ever = self
                .both("kinship/same-household", ["person", "other"], [person, other], Some(json!({"when": "ever"})))
                .await;
            assert!(now != "confirmed" || ever == "confirmed", "{person} {other}");
            let there = self.ask("kinship/parent-child", &[("parent", other), ("child", person)], None).await;
            let back = self.ask("kinship/parent-child", &[("parent", person), ("child", other)], None).await;
            assert!(there != "confirmed" || back != "confirmed", "{person} {other}");
        }
    }
}

/// What happens to a wife (0) and her husband (1), and who is told.
type Story = &'static [(&'static str, &'static [usize], &'static [&'static str])];

const STORIES: [Story; 14] = [
    &[("court-divorce", &[0, 1], &["court"])],
    &[("court-divorce", &[0, 1], ALL)],
    &[("court-divorce", &[0, 1], &["court"]), ("marriage", &[0, 1], ALL)],
    &[("court-divorce", &[0, 1], &["court"]), ("marriage", &[0, 1], ALL), ("divorce", &[0, 1], &["civil-affairs"])],
    &[("court-divorce", &[0, 1], ALL), ("marriage", &[0, 1], ALL), ("court-divorce", &[0, 1], &["court"])],
    &[("annulment", &[0, 1], &["court"])],
    &[("annulment", &[0, 1], &["court", "civil-affairs"]), ("marriage", &[0, 1], ALL)],
    &[("annulment", &[0, 1], &["court"]), ("marriage", &[0, 1], ALL), ("death", &[1], &["civil-affairs"])],
    &[("divorce", &[0, 1], &["civil-affairs"])],
    &[("death", &[1], &["civil-affairs"])],
    &[("death", &[0], &["police"])],
    &[("death", &[1], &["health"])],
    &[("birth", &[0, 1], &["police"])],
    &[("birth", &[0], &["health"]), ("death", &[1], &["health", "civil-affairs"])],
];
