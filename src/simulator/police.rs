//! The police (公安): a JSON query in a fixed frame, the result a JSON string inside the reply.

use serde::Deserialize;
use serde_json::{Value, json};
use sm3::{Digest, Sm3};

use super::department::{Department, Twist};
use super::truth::{division, house_number};
use super::wire::{Reply, Request, is_about_now};
use super::world::{PersonId, Row, World, untold};

/// The police's query service.
#[derive(Debug)]
pub(super) struct Police;

/// A request as far as it could be read.
#[derive(Debug)]
pub(super) enum Call {
    /// Not for this service.
    Lost,
    /// Refused with a code before the query was looked at.
    Refused(&'static str),
    /// A query.
    Query { service: Service, person: String, items: Vec<&'static str> },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Service {
    Person,
    Households,
}

impl Service {
    /// What can be asked for.
    fn items(self) -> &'static [&'static str] {
        match self {
            Self::Person => &["XM", "GMSFHM", "XB", "CSRQ", "HH", "SSXQ", "ZXBS", "ZXYY", "ZXRQ"],
            Self::Households => &["HH", "GMSFHM", "XM", "YHZGX", "RHRQ", "CHRQ"],
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Frame {
    sender_id: String,
    service_id: String,
    end_user: EndUser,
    params: Params,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct EndUser {
    user_dept: String,
    call_reason: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Params {
    condition: String,
    required_items: String,
}

impl Department for Police {
    type Call = Call;

    fn id(&self) -> &'static str {
        "police"
    }

    fn receive(&self, request: &Request) -> (Option<&'static str>, Call) {
        if !request.posts_to("/ga/query") {
            return (None, Call::Lost);
        }
        let frame: Result<Frame, _> = serde_json::from_slice(&request.body);
        let Ok(frame) = frame else { return (Some("person"), Call::Refused("999")) };
        let (operation, service) = match frame.service_id.as_str() {
            "S-RK-001" => ("person", Service::Person),
            "S-HJ-002" => ("households", Service::Households),
            _ => return (Some("person"), Call::Refused("999")),
        };
        let call = if is_signed(request) && frame.sender_id == "HEYAN-DEMO" {
            read(&frame, service).unwrap_or_else(Call::Refused)
        } else {
            Call::Refused("900")
        };
        (Some(operation), call)
    }

    fn answer(&self, call: Call, world: &World, twist: Option<Twist>) -> Reply {
        if twist == Some(Twist::BadSignature) {
            return frame("900", &Value::Null);
        }
        let (service, person, items) = match call {
            Call::Lost => return Reply::not_found(),
            Call::Refused(code) => return frame(code, &Value::Null),
            Call::Query { service, person, items } => (service, person, items),
        };
        let asked = world.find(&person);
        let about = match twist {
            // With all items, because those that were asked for may name nobody.
            Some(Twist::WrongPerson) => {
                world.records_of_another(asked, |id| rows_of(world, service, id, service.items())).map(|(id, _)| id)
            }
            _ => asked,
        };
        let rows = about.map(|id| rows_of(world, service, id, &items)).unwrap_or_default();
        match twist {
            Some(Twist::UnknownCode) => frame("0A7", &json!(text_of(&rows))),
            Some(Twist::WrongSchema) => frame("000", &json!(text_of(&renamed(rows)))),
            Some(Twist::Null) => frame("000", &Value::Null),
            _ => frame(if rows.is_empty() { "001" } else { "000" }, &json!(text_of(&rows))),
        }
    }
}

/// The digest of key, secret and time, as the platform's handbook has it.
fn is_signed(request: &Request) -> bool {
    let time = request.header("x-timestamp");
    let digest = Sm3::digest(format!("{APP_KEY}{SECRET}{time}").as_bytes());
    let expected = digest.iter().fold(String::with_capacity(64), |mut text, byte| {
        text.extend([byte >> 4, byte & 15].into_iter().filter_map(|half| char::from_digit(u32::from(half), 16)));
        text
    });
    request.header("x-app-key") == APP_KEY && is_about_now(time) && request.header("x-sign") == expected
}

fn read(frame: &Frame, service: Service) -> Result<Call, &'static str> {
    if frame.end_user.call_reason.trim().is_empty() || frame.end_user.user_dept.trim().is_empty() {
        return Err("902");
    }
    let person = read_condition(&frame.params.condition).ok_or("901")?;
    let find = |item: &str| service.items().iter().copied().find(|name| *name == item).ok_or("903");
    let items = frame.params.required_items.split(',').map(find).collect::<Result<Vec<_>, _>>()?;
    Ok(Call::Query { service, person, items })
}

/// The value of `GMSFHM='value'`, in which a quote is written twice. Exactly one condition.
fn read_condition(condition: &str) -> Option<String> {
    let quoted = condition.strip_prefix("GMSFHM='")?.strip_suffix('\'')?;
    let mut value = String::with_capacity(quoted.len());
    let mut characters = quoted.chars();
    while let Some(character) = characters.next() {
        if character == '\'' && characters.next() != Some('\'') {
            return None;
        }
        value.push(character);
    }
    (!value.is_empty()).then_some(value)
}

fn is_registered(world: &World, id: PersonId) -> bool {
    world.human(id).untold & untold::BIRTH_TO_POLICE == 0
}

/// What there is about somebody; nothing about people who are not registered.
fn rows_of(world: &World, service: Service, id: PersonId, items: &[&'static str]) -> Vec<Value> {
    match service {
        _ if !is_registered(world, id) => Vec::new(),
        Service::Person => vec![person_row(world, id, items)],
        Service::Households => household_rows(world, id, items),
    }
}

fn person_row(world: &World, id: PersonId, items: &[&'static str]) -> Value {
    let human = world.human(id);
    let last = world.rows_of(id).find(|row| is_listed(row));
    let died = human.died.filter(|_| human.untold & untold::DEATH_TO_POLICE == 0);
    let value = |item: &str| match item {
        "XM" => human.name.to_string(),
        "GMSFHM" => human.number.to_string(),
        "XB" => if human.number.is_male() { "1" } else { "2" }.to_owned(),
        "CSRQ" => human.born.compact(),
        "HH" => last.map(|row| house_number(row.house)).unwrap_or_default(),
        "SSXQ" => last.map(|row| division(world.address(row.house))).unwrap_or_default(),
        "ZXBS" => if died.is_some() { "1" } else { "0" }.to_owned(),
        "ZXYY" => if died.is_some() { "1" } else { "" }.to_owned(),
        _ => died.map(super::day::Day::compact).unwrap_or_default(),
    };
    items.iter().map(|item| ((*item).to_owned(), Value::String(value(item)))).collect()
}

/// Every row of every register in which the person is or was listed, by register and time.
fn household_rows(world: &World, id: PersonId, items: &[&'static str]) -> Vec<Value> {
    let mut houses = Vec::new();
    for row in world.rows_of(id).filter(|row| is_listed(row)) {
        if !houses.contains(&row.house) {
            houses.insert(0, row.house);
        }
    }
    let mut rows = Vec::new();
    for house in houses {
        let mut listed: Vec<&Row> = world.rows_in(house).filter(|row| is_listed(row)).collect();
        listed.reverse();
        rows.extend(listed.into_iter().map(|row| household_row(world, row, items)));
    }
    rows
}

fn household_row(world: &World, row: &Row, items: &[&'static str]) -> Value {
    let human = world.human(row.person);
    let value = |item: &str| match item {
        "HH" => house_number(row.house),
        "GMSFHM" => human.number.to_string(),
        "XM" => human.name.to_string(),
        "YHZGX" => format!("{:02}", row.relation),
        "RHRQ" => row.from.compact(),
        _ => row.to.filter(|_| !row.to_untold).map(super::day::Day::compact).unwrap_or_default(),
    };
    items.iter().map(|item| ((*item).to_owned(), Value::String(value(item)))).collect()
}

/// Whether the police know of this row.
fn is_listed(row: &Row) -> bool {
    !row.from_untold && (row.to_untold || !row.is_void())
}

fn text_of(rows: &[Value]) -> String {
    serde_json::to_string(rows).unwrap_or_default()
}

/// The same rows after a new release of the department's software.
fn renamed(rows: Vec<Value>) -> Vec<Value> {
    let rename = |(key, value): (&String, &Value)| (key.to_lowercase(), json!([value]));
    rows.into_iter().filter_map(|row| Some(row.as_object()?.iter().map(rename).collect())).collect()
}

fn frame(code: &str, result: &Value) -> Reply {
    let message = match code {
        "000" => "成功",
        "001" => "未查询到数据",
        "900" => "鉴权失败",
        "901" => "查询条件错误",
        "902" => "使用者信息或者调用事由缺失",
        "903" => "返回项错误",
        _ => "系统错误",
    };
    let data =
        if matches!(code, "900" | "901" | "902" | "903" | "999") { json!({}) } else { json!({ "Result": result }) };
    Reply::json(&json!({ "Status": "200", "Message": message, "PayLoad": { "Code": code, "Data": data } }))
}

const APP_KEY: &str = "heyan-demo";
const SECRET: &str = "demo-police-secret";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_is_one_comparison_and_no_more() {
        assert_eq!(read_condition("GMSFHM='21'").as_deref(), Some("21"));
        assert_eq!(read_condition("GMSFHM='2''1'").as_deref(), Some("2'1"));
        for bad in ["GMSFHM=''", "GMSFHM='1' OR '1'='1'", "XM='张'", "GMSFHM = '1'", "GMSFHM='1''", "GMSFHM='"] {
            assert_eq!(read_condition(bad), None, "{bad}");
        }
    }
}
