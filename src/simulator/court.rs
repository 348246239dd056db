//! The court (法院): an index that answers at once, and the judgments themselves, applied for and fetched later.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hyper::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::application::{Application, Numbering};
use super::department::{Department, Twist};
use super::dice::Dice;
use super::form;
use super::number::Number;
use super::wire::{Reply, Request, epoch_millis};
use super::world::{Judgment, JudgmentKind, PersonId, World};

/// The court's index and archive.
#[derive(Debug)]
pub(super) struct Court {
    /// From an application to its feedback.
    delay: Duration,
    numbering: Numbering,
    desk: Mutex<Desk>,
}

#[derive(Debug)]
struct Desk {
    dice: Dice,
    tokens: Vec<(String, Instant)>,
}

/// A request as far as it could be read.
#[derive(Debug)]
pub(super) enum Call {
    Lost,
    Token { known: bool },
    Unauthorised,
    BadParameters,
    Index(String),
    Apply(Number),
    Fetch(String),
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Question {
    sfzh: String,
    xm: String,
    sqbh: String,
    org: String,
    reason: String,
}

impl Court {
    /// The court of the population with this seed.
    pub(super) fn new(delay: Duration, seed: u64, dice: Dice) -> Self {
        let desk = Desk { dice, tokens: Vec::new() };
        Self { delay, numbering: Numbering::new(seed), desk: Mutex::new(desk) }
    }

    fn desk(&self) -> std::sync::MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn new_token(&self) -> Reply {
        let mut desk = self.desk();
        let drawn = [desk.dice.next(), desk.dice.next(), desk.dice.next(), desk.dice.next()];
        let token = URL_SAFE_NO_PAD.encode(drawn.map(u64::to_be_bytes).concat());
        let now = Instant::now();
        desk.tokens.retain(|(_, until)| *until > now);
        if desk.tokens.len() >= MOST_TOKENS {
            desk.tokens.remove(0);
        }
        desk.tokens.push((token.clone(), now + Duration::from_secs(TOKEN_SECONDS)));
        Reply::json(&json!({ "access_token": token, "token_type": "Bearer", "expires_in": TOKEN_SECONDS }))
    }

    fn is_authorised(&self, request: &Request) -> bool {
        let Some(token) = request.header("authorization").strip_prefix("Bearer ") else { return false };
        let now = Instant::now();
        self.desk().tokens.iter().rev().any(|(known, until)| known == token && *until > now)
    }

    fn apply(&self, person: Number, world: &World) -> String {
        let id = world.find(&person.to_string());
        let on_paper = id.is_some_and(|id| visible(world, id).any(|(_, one)| one.on_paper));
        let delay = if on_paper { DELAY_ON_PAPER } else { self.delay };
        let ready = epoch_millis().saturating_add(u64::try_from(delay.as_millis()).unwrap_or(u64::MAX));
        self.numbering.give(Application { person, ready }, world.today)
    }

    fn fetch(&self, number: &str, world: &World, twist: Option<Twist>) -> Reply {
        match self.numbering.read(number) {
            None => Reply::json(&json!({ "code": "3" })),
            Some(application) if application.ready > epoch_millis() => Reply::json(&json!({ "code": "2" })),
            Some(application) => feedback(world, &application.person.to_string(), twist),
        }
    }
}

impl Department for Court {
    type Call = Call;

    fn id(&self) -> &'static str {
        "court"
    }

    fn receive(&self, request: &Request) -> (Option<&'static str>, Call) {
        if request.posts_to("/oauth/token") {
            return (Some("token"), Call::Token { known: is_known_client(request) });
        }
        let operation = match request.path.as_str() {
            "/court/index" => "index",
            "/court/apply" => "judgments",
            "/court/feedback" => "judgments.fetch",
            _ => return (None, Call::Lost),
        };
        if !request.posts_to(&request.path) {
            return (None, Call::Lost);
        }
        if !self.is_authorised(request) {
            return (Some(operation), Call::Unauthorised);
        }
        let question: Question = serde_json::from_slice(&request.body).unwrap_or_default();
        let is_given = |field: &String| !field.trim().is_empty();
        let names_person = is_given(&question.sfzh) && is_given(&question.xm);
        let call = match operation {
            _ if !is_given(&question.org) || !is_given(&question.reason) => Call::BadParameters,
            "index" if names_person => Call::Index(question.sfzh),
            "judgments" if names_person => Number::parse(&question.sfzh).map_or(Call::BadParameters, Call::Apply),
            "judgments.fetch" if is_given(&question.sqbh) => Call::Fetch(question.sqbh),
            _ => Call::BadParameters,
        };
        (Some(operation), call)
    }

    fn answer(&self, call: Call, world: &World, twist: Option<Twist>) -> Reply {
        let refused = twist == Some(Twist::BadSignature);
        match call {
            Call::Lost => Reply::not_found(),
            Call::Token { known: true } if !refused => self.new_token(),
            Call::Token { .. } => {
                Reply::json(&json!({ "error": "invalid_client" })).with_status(StatusCode::UNAUTHORIZED)
            }
            Call::Unauthorised => unauthorised(),
            _ if refused => unauthorised(),
            Call::BadParameters => Reply::json(&json!({ "code": "3" })),
            Call::Index(person) => index(world, &person, twist),
            Call::Apply(person) => match twist {
                Some(Twist::UnknownCode) => Reply::json(&json!({ "code": "7" })),
                Some(Twist::WrongSchema) => Reply::json(&json!({ "code": "0", "sqbh": [self.apply(person, world)] })),
                Some(Twist::Null) => Reply::json(&json!({ "code": "0", "sqbh": null })),
                _ => Reply::json(&json!({ "code": "0", "sqbh": self.apply(person, world) })),
            },
            Call::Fetch(number) => self.fetch(&number, world, twist),
        }
    }
}

fn is_known_client(request: &Request) -> bool {
    let expected = STANDARD.encode(format!("{CLIENT}:{SECRET}"));
    let grant = form::read(&request.body);
    request.header("authorization").strip_prefix("Basic ") == Some(expected.as_str())
        && grant.get("grant_type").is_some_and(|grant| grant == "client_credentials")
}

/// Judgments of which the court's systems know.
fn visible(world: &World, id: PersonId) -> impl Iterator<Item = (usize, &Judgment)> {
    world.judgments_of(id).filter(|(_, judgment)| !judgment.untold)
}

/// The kinds of the judgments in force about somebody.
fn kinds_about(world: &World, id: PersonId) -> Vec<&'static str> {
    let mut kinds = Vec::new();
    for (_, judgment) in visible(world, id).filter(|(_, judgment)| judgment.revoked.is_none()) {
        if !kinds.contains(&judgment.kind.word()) {
            kinds.push(judgment.kind.word());
        }
    }
    kinds
}

fn index(world: &World, person: &str, twist: Option<Twist>) -> Reply {
    let (mut named, mut kinds) = (person.to_owned(), Vec::new());
    let asked = world.find(person);
    if let Some(id) = asked {
        kinds = kinds_about(world, id);
    }
    if twist == Some(Twist::WrongPerson) {
        // Somebody of whom the opposite holds: both a record and its absence come from the wrong person.
        let opposite = world.others(asked).find(|id| kinds_about(world, *id).is_empty() != kinds.is_empty());
        if let Some(id) = opposite {
            (named, kinds) = (world.id_number(id), kinds_about(world, id));
        }
    }
    let reply = match twist {
        Some(Twist::UnknownCode) => json!({ "code": "7", "sfzh": named, "kinds": kinds }),
        Some(Twist::WrongSchema) => json!({ "code": 0, "sfzh": named, "kinds": kinds.join(",") }),
        Some(Twist::Null) => json!({ "code": "0", "sfzh": named, "kinds": null }),
        _ => json!({ "code": if kinds.is_empty() { "1" } else { "0" }, "sfzh": named, "kinds": kinds }),
    };
    Reply::json(&reply)
}

fn feedback(world: &World, person: &str, twist: Option<Twist>) -> Reply {
    let (mut named, mut judgments) = (person.to_owned(), Vec::new());
    let asked = world.find(person);
    let lines_about = |id| visible(world, id).map(|(at, one)| line(world, id, at, one)).collect::<Vec<Value>>();
    if twist != Some(Twist::WrongPerson) {
        judgments = asked.map(lines_about).unwrap_or_default();
    } else if let Some((id, lines)) = world.records_of_another(asked, lines_about) {
        (named, judgments) = (world.id_number(id), lines);
    }
    let reply = match twist {
        Some(Twist::UnknownCode) => json!({ "code": "7", "sfzh": named, "judgments": judgments }),
        Some(Twist::WrongSchema) => json!({ "code": "0", "sfzh": named, "judgments": { "list": judgments } }),
        Some(Twist::Null) => json!({ "code": "0", "sfzh": named, "judgments": null }),
        _ => {
            let code = if judgments.is_empty() { "1" } else { "0" };
            json!({ "code": code, "sfzh": named, "judgments": judgments })
        }
    };
    Reply::json(&reply)
}

fn line(world: &World, id: PersonId, at: usize, judgment: &Judgment) -> Value {
    let other = judgment.parties.into_iter().flatten().find(|party| *party != id);
    let court = judgment.county % 10_000;
    let matter = match judgment.kind {
        JudgmentKind::Divorce | JudgmentKind::Annulment => "民初",
        JudgmentKind::DeclaredDead | JudgmentKind::DeclaredMissing => "民特",
    };
    let serial = (at * 613 + 88) % 9000 + 12;
    json!({
        "ah": format!("({})辽{court:04}{matter}{serial}号", judgment.effective.year()),
        "kind": judgment.kind.word(),
        "other": other.map(|other| world.id_number(other)).unwrap_or_default(),
        "effective": judgment.effective.to_string(),
        "revoked": judgment.revoked.map(|day| day.to_string()).unwrap_or_default(),
    })
}

impl JudgmentKind {
    fn word(self) -> &'static str {
        match self {
            Self::Divorce => "divorce",
            Self::Annulment => "annulment",
            Self::DeclaredDead => "declared-dead",
            Self::DeclaredMissing => "declared-missing",
        }
    }
}

fn unauthorised() -> Reply {
    Reply::json(&json!({ "code": "401" })).with_status(StatusCode::UNAUTHORIZED)
}

const CLIENT: &str = "heyan-demo";
const SECRET: &str = "demo-court-secret";
const TOKEN_SECONDS: u64 = 600;
const MOST_TOKENS: usize = 256;
const DELAY_ON_PAPER: Duration = Duration::from_secs(20);
