//! One request a connection, and the four dialects as a caller writes them.

use std::io;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sm3::{Digest, Sm3};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A response: its status and its body, whatever the framing.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

impl Response {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// Sends a request and reads the response to its announced end.
pub(crate) async fn send(method: &str, url: &str, headers: &[(&str, &str)], body: &str) -> io::Result<Response> {
    let rest = url.strip_prefix("http://").unwrap();
    let (authority, path) = rest.split_once('/').unwrap();
    let mut stream = TcpStream::connect(authority).await?;
    let mut request = format!("{method} /{path} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n");
    for (name, value) in headers {
        request.extend([name, ": ", value, "\r\n"]);
    }
    let length = body.len().to_string();
    request.extend(["Content-Length: ", &length, "\r\n\r\n", body]);
    stream.write_all(request.as_bytes()).await?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await?;
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").ok_or(io::ErrorKind::UnexpectedEof)?;
    let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
    let body = bytes[end + 4..].to_vec();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let body = if head.contains("transfer-encoding: chunked") { unchunked(&body)? } else { body };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).map(|text| text.parse().unwrap());
    if length.is_some_and(|length: usize| body.len() < length) {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(Response { status, body })
}

fn unchunked(mut rest: &[u8]) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let end = rest.windows(2).position(|window| window == b"\r\n").ok_or(io::ErrorKind::UnexpectedEof)?;
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..end]).unwrap(), 16).unwrap();
        if size == 0 {
            return Ok(body);
        }
        body.extend_from_slice(rest.get(end + 2..end + 2 + size).ok_or(io::ErrorKind::UnexpectedEof)?);
        rest = &rest[end + 4 + size..];
    }
}

pub(crate) fn millis() -> String {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis().to_string()
}

/// A police query as it should be; `service` is `S-RK-001` or `S-HJ-002`.
pub(crate) fn police_body(service: &str, id_number: &str) -> Value {
    let items =
        if service == "S-RK-001" { "XM,GMSFHM,XB,CSRQ,HH,SSXQ,ZXBS,ZXYY,ZXRQ" } else { "HH,GMSFHM,XM,YHZGX,RHRQ,CHRQ" };
    json!({
        "SenderId": "HEYAN-DEMO",
        "ServiceId": service,
        "EndUser": { "UserName": "李梅", "UserDept": "测试部门", "CallReason": "公积金提取" },
        "Params": { "Condition": format!("GMSFHM='{id_number}'"), "RequiredItems": items },
    })
}

pub(crate) async fn police(address: &str, body: &Value, secret: &str) -> io::Result<Response> {
    let time = millis();
    let digest = Sm3::digest(format!("heyan-demo{secret}{time}").as_bytes());
    let halves = digest.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    let sign: String = halves.filter_map(|half| char::from_digit(u32::from(half), 16)).collect();
    let headers = [("X-App-Key", "heyan-demo"), ("X-Timestamp", time.as_str()), ("X-Sign", sign.as_str())];
    send("POST", &format!("{address}/ga/query"), &headers, &body.to_string()).await
}

/// The code and the rows of a police reply.
pub(crate) fn police_rows(reply: &Value) -> (String, Value) {
    let code = reply["PayLoad"]["Code"].as_str().unwrap().to_owned();
    let rows = reply["PayLoad"]["Data"]["Result"].as_str().map(|text| serde_json::from_str(text).unwrap());
    (code, rows.unwrap_or(Value::Null))
}

/// Asks the police as one should.
pub(crate) async fn ask_police(address: &str, service: &str, id_number: &str) -> (String, Value) {
    let reply = police(address, &police_body(service, id_number), "demo-police-secret").await.unwrap();
    assert_eq!(reply.status, 200);
    police_rows(&reply.json())
}

fn hmac(key: &str, text: &str) -> String {
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(key.as_bytes()).unwrap();
    mac.update(text.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

fn form(fields: &[(&str, &str)]) -> String {
    let encode =
        |text: &str| percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string();
    fields.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect::<Vec<_>>().join("&")
}

/// A working key of the exchange platform.
pub(crate) async fn civil_key(address: &str, first_key: &str) -> Value {
    let (sid, time) = ("MZ-MARRIAGE", millis());
    let sign = hmac(first_key, &format!("{sid}heyan-demo{time}"));
    let body = form(&[("rid", "heyan-demo"), ("sid", sid), ("rtime", &time), ("sign", &sign)]);
    send("POST", &format!("{address}/auth/key"), &[], &body).await.unwrap().json()
}

/// Asks civil affairs; `method` is `marriage` or `adoption`.
pub(crate) async fn ask_civil_affairs(address: &str, key: &str, method: &str, id_number: &str, reason: &str) -> Value {
    let (sid, time) = (format!("MZ-{}", method.to_uppercase()), millis());
    let sign = hmac(key, &format!("{sid}heyan-demo{time}"));
    let content =
        json!({ "id_number": id_number, "reason": reason, "operator": "李梅", "org": "测试部门" }).to_string();
    let method = format!("mz.{method}.query");
    let body = form(&[("app_id", "heyan"), ("method", &method), ("biz_content", &content)]);
    let headers = [
        ("gjgxjhpt_rid", "heyan-demo"),
        ("gjgxjhpt_sid", sid.as_str()),
        ("gjgxjhpt_rtime", time.as_str()),
        ("gjgxjhpt_sign", sign.as_str()),
    ];
    send("POST", &format!("{address}/gateway/mz"), &headers, &body).await.unwrap().json()
}

/// Asks health; `kind` is `child`, `parent` or empty for deaths. The decoded reply document.
pub(crate) async fn ask_health(address: &str, token: &str, kind: &str, id_number: &str) -> io::Result<String> {
    let action = if kind.is_empty() { "getSwyxzmInfo" } else { "getBirthInfo" };
    let kind = if kind.is_empty() { String::new() } else { format!("<kind>{kind}</kind>") };
    let document = format!(
        "<?xml version=\"1.0\" encoding=\"GB18030\"?><request><org>测试部门</org><user>李梅</user>\
         <reason>公积金提取</reason>{kind}<sfzh>{id_number}</sfzh></request>"
    );
    let packed = STANDARD.encode(encoding_rs::GB18030.encode(&document).0);
    let envelope = format!(
        "<soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" xmlns:ws=\"http://ws.wsjk.gov.cn/\">\
         <soapenv:Body><ws:{action}><ws:arg0>{packed}</ws:arg0></ws:{action}></soapenv:Body></soapenv:Envelope>"
    );
    let headers = [("Content-Type", "text/xml; charset=utf-8"), ("X-Auth-Token", token), ("SOAPAction", action)];
    let reply = send("POST", &format!("{address}/ws/population"), &headers, &envelope).await?.text();
    let start = reply.find("<return>").ok_or(io::ErrorKind::InvalidData)? + "<return>".len();
    let end = reply.find("</return>").ok_or(io::ErrorKind::InvalidData)?;
    let bytes = STANDARD.decode(&reply[start..end]).unwrap();
    Ok(encoding_rs::GB18030.decode_without_bom_handling_and_without_replacement(&bytes).unwrap().into_owned())
}

/// A court's access token.
pub(crate) async fn court_token(address: &str) -> String {
    let basic = format!("Basic {}", STANDARD.encode("heyan-demo:demo-court-secret"));
    let headers = [("Authorization", basic.as_str()), ("Content-Type", "application/x-www-form-urlencoded")];
    let body = "grant_type=client_credentials";
    let reply = send("POST", &format!("{address}/oauth/token"), &headers, body).await.unwrap().json();
    assert_eq!(reply["expires_in"], 600);
    reply["access_token"].as_str().unwrap().to_owned()
}

pub(crate) async fn ask_court(address: &str, token: &str, path: &str, body: &Value) -> Response {
    let bearer = format!("Bearer {token}");
    send("POST", &format!("{address}/court/{path}"), &[("Authorization", &bearer)], &body.to_string()).await.unwrap()
}

/// Uses the control endpoint.
pub(crate) async fn control(method: &str, address: &str, path: &str, body: &Value) -> Response {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    send(method, &format!("{address}/control/{path}"), &[("Content-Type", "application/json")], &body).await.unwrap()
}

/// The truth about everybody.
pub(crate) async fn truth(address: &str) -> Vec<Value> {
    let text = control("GET", address, "population", &Value::Null).await.text();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The truth about one person.
pub(crate) async fn truth_of(address: &str, id_number: &str) -> Value {
    truth(address).await.into_iter().find(|line| line["id_number"] == id_number).unwrap()
}
