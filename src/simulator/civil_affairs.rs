//! Civil affairs (民政), over the national exchange platform: a working key fetched with a first key, signed
//! headers, a form with a JSON string in it.

use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::Sha256;

use super::department::{Department, Twist};
use super::dice::{Dice, scramble};
use super::form;
use super::wire::{Reply, Request, epoch_millis, is_about_now};
use super::world::{Adoption, End, Marriage, MarriageId, PersonId, World, untold};

/// The marriage and adoption registers behind the exchange platform.
#[derive(Debug)]
pub(super) struct CivilAffairs {
    /// Working keys with the time, in milliseconds since 1970, until which each is valid; latest last.
    keys: Mutex<Vec<(String, u64)>>,
    dice: Mutex<Dice>,
}

/// A request as far as it could be read.
#[derive(Debug)]
pub(super) enum Call {
    Lost,
    Key { signed: bool },
    Refused(&'static str),
    Query { register: Register, person: String },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Register {
    Marriages,
    Adoptions,
}

#[derive(Debug, Deserialize)]
#[serde(default)]
#[derive(Default)]
struct Content {
    id_number: String,
    reason: String,
    org: String,
}

impl CivilAffairs {
    pub(super) fn new(dice: Dice) -> Self {
        Self { keys: Mutex::new(Vec::new()), dice: Mutex::new(dice) }
    }

    fn new_key(&self) -> String {
        let drawn = {
            let mut dice = self.dice.lock().unwrap_or_else(PoisonError::into_inner);
            [dice.next(), dice.next()]
        };
        let key = STANDARD.encode([drawn[0].to_be_bytes(), drawn[1].to_be_bytes()].concat());
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        let now = epoch_millis();
        keys.retain(|(_, until)| *until > now);
        // A key lives on when a new one is fetched; only the oldest of very many go early.
        if keys.len() >= MOST_KEYS {
            keys.remove(0);
        }
        keys.push((key.clone(), now + KEY_SECONDS * 1000));
        key
    }

    fn is_signed(&self, request: &Request, service: &str) -> bool {
        let header = |name: &str| request.header(name);
        let (rid, sid, time) = (header("gjgxjhpt_rid"), header("gjgxjhpt_sid"), header("gjgxjhpt_rtime"));
        if rid != REQUESTER || sid != service || !is_about_now(time) {
            return false;
        }
        let text = format!("{sid}{rid}{time}");
        let now = epoch_millis();
        let keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        let mut valid = keys.iter().rev().filter(|(_, until)| *until > now);
        valid.any(|(key, _)| sign(key, &text) == header("gjgxjhpt_sign"))
    }

    fn receive_key(request: &Request) -> Call {
        let fields = form::read(&request.body);
        let field = |name: &str| fields.get(name).map_or("", String::as_str);
        let (rid, sid, time) = (field("rid"), field("sid"), field("rtime"));
        let known = rid == REQUESTER && SERVICES.iter().any(|(_, known, ..)| *known == sid);
        let signed = known && is_about_now(time) && sign(FIRST_KEY, &format!("{sid}{rid}{time}")) == field("sign");
        Call::Key { signed }
    }
}

impl Department for CivilAffairs {
    type Call = Call;

    fn id(&self) -> &'static str {
        "civil-affairs"
    }

    fn receive(&self, request: &Request) -> (Option<&'static str>, Call) {
        if request.posts_to("/auth/key") {
            return (Some("key"), Self::receive_key(request));
        }
        if !request.posts_to("/gateway/mz") {
            return (None, Call::Lost);
        }
        let fields = form::read(&request.body);
        let method = fields.get("method").map_or("", String::as_str);
        let Some((_, service, operation, register)) = SERVICES.iter().find(|(known, ..)| *known == method) else {
            return (Some("marriages"), Call::Refused("P400"));
        };
        let content: Option<Content> = fields.get("biz_content").and_then(|text| serde_json::from_str(text).ok());
        let call = match content {
            _ if !self.is_signed(request, service) => Call::Refused("A401"),
            Some(content) if fields.get("app_id").is_some_and(|id| id == "heyan") && content.is_complete() => {
                Call::Query { register: *register, person: content.id_number }
            }
            _ => Call::Refused("P400"),
        };
        (Some(*operation), call)
    }

    fn answer(&self, call: Call, world: &World, twist: Option<Twist>) -> Reply {
        let refused = twist == Some(Twist::BadSignature);
        match call {
            Call::Lost => Reply::not_found(),
            Call::Key { signed: true } if !refused => {
                let data = json!({ "secret": self.new_key(), "expires_in": KEY_SECONDS });
                Reply::json(&json!({ "code": "1", "msg": "ok", "data": data }))
            }
            Call::Key { .. } => Reply::json(&json!({ "code": "A401", "msg": "签名验证失败", "data": {} })),
            Call::Refused(code) => frame(code, &json!({})),
            Call::Query { .. } if refused => frame("A401", &json!({})),
            Call::Query { register, person } => query(world, register, &person, twist),
        }
    }
}

impl Content {
    fn is_complete(&self) -> bool {
        [&self.id_number, &self.reason, &self.org].iter().all(|field| !field.trim().is_empty())
    }
}

fn query(world: &World, register: Register, person: &str, twist: Option<Twist>) -> Reply {
    let records_of = |id| match register {
        Register::Marriages => marriages(world, id),
        Register::Adoptions => adoptions(world, id),
    };
    let asked = world.find(person);
    let records = match twist {
        Some(Twist::WrongPerson) => world.records_of_another(asked, records_of).map(|(_, records)| records),
        _ => asked.map(records_of),
    };
    let records = records.unwrap_or_default();
    match twist {
        Some(Twist::UnknownCode) => frame("2", &json!({ "result": records })),
        Some(Twist::WrongSchema) => frame("1", &json!({ "result": { "list": records, "total": 1 } })),
        Some(Twist::Null) => frame("1", &json!({ "result": null })),
        _ => frame(if records.is_empty() { "0" } else { "1" }, &json!({ "result": records })),
    }
}

fn marriages(world: &World, id: PersonId) -> Vec<Value> {
    let known = |id: &MarriageId| world.marriage(*id).untold & untold::MARRIAGE == 0;
    let mut records: Vec<Value> = world.marriages_of(id).filter(known).map(|id| marriage_record(world, id)).collect();
    records.reverse();
    records
}

fn marriage_record(world: &World, id: MarriageId) -> Value {
    let marriage = world.marriage(id);
    let [a, b] = marriage.parties.map(|party| world.human(party));
    let end = marriage.end.filter(|(_, end)| knows_end(world, marriage, *end));
    let reason = end.map_or("", |(_, end)| match end {
        End::Divorce | End::Court => "LH",
        End::Death => "SW",
        End::Annulment => "CX",
    });
    json!({
        "djzh": certificate("J", marriage.county, marriage.from.year(), id.index()),
        "xm_a": a.name.to_string(),
        "sfzh_a": a.number.to_string(),
        "xm_b": b.name.to_string(),
        "sfzh_b": b.number.to_string(),
        "djrq": marriage.from.to_string(),
        "zxrq": end.map(|(on, _)| on.to_string()).unwrap_or_default(),
        "zxyy": reason,
    })
}

fn knows_end(world: &World, marriage: &Marriage, end: End) -> bool {
    if end == End::Death {
        let died_then = |id: &PersonId| world.human(*id).died == marriage.end.map(|(on, _)| on);
        let known = |id: &PersonId| world.human(*id).untold & untold::DEATH_TO_CIVIL_AFFAIRS == 0;
        return marriage.parties.iter().any(|id| died_then(id) && known(id));
    }
    marriage.untold & untold::END_TO_CIVIL_AFFAIRS == 0
}

fn adoptions(world: &World, id: PersonId) -> Vec<Value> {
    world.adoptions_of(id).map(|(index, adoption)| adoption_record(world, index, adoption)).collect()
}

fn adoption_record(world: &World, index: usize, adoption: &Adoption) -> Value {
    let child = world.human(adoption.child);
    let person = |id: PersonId| json!({ "xm": world.human(id).name.to_string(), "sfzh": world.id_number(id) });
    let list = |people: [Option<PersonId>; 2]| people.into_iter().flatten().map(person).collect::<Vec<_>>();
    json!({
        "djzh": certificate("S", adoption.county, adoption.on.year(), index),
        "sfzh_child": child.number.to_string(),
        "xm_child": child.name.to_string(),
        "syr": list(adoption.adopters),
        "sfm": list([child.father, child.mother]),
        "djrq": adoption.on.to_string(),
    })
}

/// A certificate's number, like `J210102-2020-000123`.
fn certificate(kind: &str, county: u32, year: u32, index: usize) -> String {
    let serial = (index as u64 * 7919 + 1041) % 1_000_000;
    format!("{kind}{county:06}-{year:04}-{serial:06}")
}

fn frame(code: &str, data: &Value) -> Reply {
    let message = match code {
        "1" => "",
        "0" => "未查询到记录",
        "A401" => "签名验证失败",
        "P400" => "参数错误",
        _ => "系统提示",
    };
    Reply::json(&json!({ "code": code, "msg": message, "biz_data": data }))
}

fn sign(key: &str, text: &str) -> String {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key.as_bytes()) else { return String::new() };
    mac.update(text.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

/// A seed that no other start has.
pub(super) fn seed_of_this_start() -> u64 {
    scramble(epoch_millis() ^ (u64::from(std::process::id()) << 40))
}

/// Method, service id, operation, register.
const SERVICES: [(&str, &str, &str, Register); 2] = [
    ("mz.marriage.query", "MZ-MARRIAGE", "marriages", Register::Marriages),
    ("mz.adoption.query", "MZ-ADOPTION", "adoptions", Register::Adoptions),
];
const REQUESTER: &str = "heyan-demo";
const FIRST_KEY: &str = "demo-civil-first-key";
const KEY_SECONDS: u64 = 1800;
const MOST_KEYS: usize = 64;
