//! Health (卫健): SOAP 1.1, and in it Base64 of XML documents in GB18030.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use encoding_rs::GB18030;
use hyper::StatusCode;

use super::department::{Department, Twist};
use super::wire::{Reply, Request};
use super::world::{PersonId, World, untold};
use super::xml;

/// The birth and death certificates.
#[derive(Debug)]
pub(super) struct Health;

/// A request as far as it could be read.
#[derive(Debug)]
pub(super) enum Call {
    Lost,
    /// Not SOAP.
    Fault,
    Refused(Service, &'static str),
    Query(Service, String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Service {
    Birth,
    BirthsOf,
    Death,
}

impl Department for Health {
    type Call = Call;

    fn id(&self) -> &'static str {
        "health"
    }

    fn receive(&self, request: &Request) -> (Option<&'static str>, Call) {
        if !request.posts_to("/ws/population") {
            return (None, Call::Lost);
        }
        let action = request.header("soapaction").trim_matches('"');
        let Some((service, document)) = open_envelope(&request.body, action) else {
            return (Some(Service::of(action, "").operation()), Call::Fault);
        };
        let field = |name: &str| document.iter().find(|(path, _)| path == name).map_or("", |(_, text)| text.as_str());
        let missing =
            ["request/org", "request/reason", "request/sfzh"].iter().any(|name| field(name).trim().is_empty());
        let call = if request.header("x-auth-token") != TOKEN {
            Call::Refused(service, "401")
        } else if missing || (action == "getBirthInfo" && !matches!(field("request/kind"), "child" | "parent")) {
            Call::Refused(service, "400")
        } else {
            Call::Query(service, field("request/sfzh").to_owned())
        };
        (Some(service.operation()), call)
    }

    fn answer(&self, call: Call, world: &World, twist: Option<Twist>) -> Reply {
        match call {
            Call::Lost => Reply::not_found(),
            Call::Fault => fault(),
            Call::Refused(service, code) => envelope(service, &document(code, Some(""))),
            Call::Query(service, _) if twist == Some(Twist::BadSignature) => {
                envelope(service, &document("401", Some("")))
            }
            Call::Query(service, person) => envelope(service, &query(world, service, &person, twist)),
        }
    }
}

impl Service {
    fn of(action: &str, kind: &str) -> Self {
        match (action, kind) {
            ("getSwyxzmInfo", _) => Self::Death,
            (_, "parent") => Self::BirthsOf,
            _ => Self::Birth,
        }
    }

    fn operation(self) -> &'static str {
        match self {
            Self::Birth => "birth",
            Self::BirthsOf => "births-of",
            Self::Death => "death",
        }
    }

    fn action(self) -> &'static str {
        match self {
            Self::Birth | Self::BirthsOf => "getBirthInfo",
            Self::Death => "getSwyxzmInfo",
        }
    }
}

/// The request document out of its envelope, if the action is the one that the header names.
fn open_envelope(body: &[u8], action: &str) -> Option<(Service, Vec<(String, String)>)> {
    let envelope = xml::read(std::str::from_utf8(body).ok()?)?;
    if !matches!(action, "getBirthInfo" | "getSwyxzmInfo") {
        return None;
    }
    let place = format!("Envelope/Body/{action}/arg0");
    let (_, packed) = envelope.iter().find(|(path, _)| *path == place)?;
    let bytes = STANDARD.decode(packed.trim()).ok()?;
    let text = GB18030.decode_without_bom_handling_and_without_replacement(&bytes)?;
    let document = xml::read(&text)?;
    let kind = document.iter().find(|(path, _)| path == "request/kind").map_or("", |(_, text)| text.as_str());
    Some((Service::of(action, kind), document))
}

fn query(world: &World, service: Service, person: &str, twist: Option<Twist>) -> String {
    let rows_of = |id: PersonId| match service {
        Service::Birth => birth_row(world, id).into_iter().collect(),
        Service::BirthsOf => births_of(world, id),
        Service::Death => death_row(world, id).into_iter().collect::<Vec<_>>(),
    };
    let asked = world.find(person);
    let rows = match twist {
        Some(Twist::WrongPerson) => world.records_of_another(asked, rows_of).map(|(_, rows)| rows),
        _ => asked.map(rows_of),
    };
    let rows = rows.unwrap_or_default();
    match twist {
        Some(Twist::UnknownCode) => document("206", Some(&rows.concat())),
        Some(Twist::WrongSchema) => document("200", Some("<row><data>1</data><data>2</data></row>")),
        Some(Twist::Null) => document("200", None),
        _ if rows.is_empty() => document("404", Some("")),
        _ => document("200", Some(&rows.concat())),
    }
}

/// The medical certificate of birth; there is none for births before 1996.
fn birth_row(world: &World, id: PersonId) -> Option<String> {
    let child = world.human(id);
    let mother = child.mother?;
    if child.born.year() < FIRST_YEAR || child.untold & untold::BIRTH_TO_HEALTH != 0 {
        return None;
    }
    let field = |tag: &str, text: &str| format!("<{tag}>{}</{tag}>", xml::escape(text));
    let person =
        |id: Option<PersonId>| id.map(|id| (world.human(id).name.to_string(), world.id_number(id))).unwrap_or_default();
    let ((mother_name, mother_number), (father_name, father_number)) = (person(Some(mother)), person(child.father));
    Some(format!(
        "<row>{}{}{}{}{}{}{}{}{}</row>",
        field("csyxzmbh", &certificate_number(world, id)),
        field("xm", &child.name.to_string()),
        field("sfzh", &child.number.to_string()),
        field("xb", if child.number.is_male() { "1" } else { "2" }),
        field("csrq", &child.born.compact()),
        field("mqxm", &mother_name),
        field("mqsfzh", &mother_number),
        field("fqxm", &father_name),
        field("fqsfzh", &father_number),
    ))
}

fn births_of(world: &World, parent: PersonId) -> Vec<String> {
    let mut children: Vec<PersonId> = world.children(parent).collect();
    children.sort_by_key(|child| world.human(*child).born);
    children.into_iter().filter_map(|child| birth_row(world, child)).collect()
}

fn death_row(world: &World, id: PersonId) -> Option<String> {
    let human = world.human(id);
    let died = human.died.filter(|_| human.untold & untold::DEATH_TO_HEALTH == 0)?;
    let serial = (id.index() as u64 * 7_654_321 + 31_337) % 100_000_000;
    Some(format!(
        "<row><swzbh>21{:04}{serial:08}</swzbh><xm>{}</xm><sfzh>{}</sfzh><swrq>{}</swrq></row>",
        died.year(),
        xml::escape(&human.name.to_string()),
        human.number,
        died.compact(),
    ))
}

/// The number of a birth certificate: the letter of its edition and nine digits.
pub(super) fn certificate_number(world: &World, id: PersonId) -> String {
    let edition = world.human(id).born.year().saturating_sub(FIRST_YEAR) / 2;
    let letter = char::from_digit(10 + edition.min(25), 36).unwrap_or('z').to_ascii_uppercase();
    let serial = (id.index() as u64 * 3_141_593 + 271_829) % 10_000_000;
    format!("{letter}21{serial:07}")
}

fn document(code: &str, rows: Option<&str>) -> String {
    let message = match code {
        "200" => "<msg/>",
        "404" => "<msg>未查询到数据</msg>",
        "401" => "<msg>令牌无效</msg>",
        "400" => "<msg>参数错误</msg>",
        _ => "<msg>系统提示</msg>",
    };
    let rows = match rows {
        Some("") => "<rows/>".to_owned(),
        Some(rows) => format!("<rows>{rows}</rows>"),
        None => "<rows xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:nil=\"true\"/>".to_owned(),
    };
    format!("<?xml version=\"1.0\" encoding=\"GB18030\"?><response><code>{code}</code>{message}{rows}</response>")
}

fn envelope(service: Service, document: &str) -> Reply {
    let (bytes, _, _) = GB18030.encode(document);
    let (packed, action) = (STANDARD.encode(bytes), service.action());
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><soapenv:Envelope xmlns:soapenv=\"{SOAP}\" xmlns:ws=\"{NAMESPACE}\">\
         <soapenv:Body><ws:{action}Response><return>{packed}</return></ws:{action}Response></soapenv:Body>\
         </soapenv:Envelope>"
    );
    Reply::new(StatusCode::OK, XML, body)
}

fn fault() -> Reply {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><soapenv:Envelope xmlns:soapenv=\"{SOAP}\"><soapenv:Body>\
         <soapenv:Fault><faultcode>soapenv:Client</faultcode><faultstring>malformed request</faultstring>\
         </soapenv:Fault></soapenv:Body></soapenv:Envelope>"
    );
    Reply::new(StatusCode::INTERNAL_SERVER_ERROR, XML, body)
}

const TOKEN: &str = "demo-health-token";
const FIRST_YEAR: u32 = 1996;
const XML: &str = "text/xml; charset=utf-8";
const SOAP: &str = "http://schemas.xmlsoap.org/soap/envelope/";
const NAMESPACE: &str = "http://ws.wsjk.gov.cn/";
