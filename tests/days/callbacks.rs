use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::town::{Departments, Gateway, SECRET, agency, is_divorced, until};

/// An agency's own server: what it was told, and how it answers.
struct Agency {
    address: String,
    told: Arc<Mutex<Vec<Told>>>,
    /// The head lines of its next replies; then all is well.
    replies: Arc<Mutex<VecDeque<String>>>,
}

#[derive(Debug, Clone)]
struct Told {
    head: String,
    body: String,
}

impl Told {
    fn header(&self, name: &str) -> &str {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(known, _)| known.eq_ignore_ascii_case(name)).map_or("", |(_, value)| value)
    }

    /// As the recipient checks it, by the specification of Standard Webhooks.
    fn is_signed(&self) -> bool {
        let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
        for part in [self.header("webhook-id"), ".", self.header("webhook-timestamp"), ".", &self.body] {
            mac.update(part.as_bytes());
        }
        let signature = self.header("webhook-signature").strip_prefix("v1,").unwrap_or_default();
        let age = jiff::Timestamp::now().as_second() - self.header("webhook-timestamp").parse::<i64>().unwrap();
        (0..60).contains(&age) && mac.verify_slice(&STANDARD.decode(signature).unwrap()).is_ok()
    }
}

impl Agency {
    async fn start(replies: &[&str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}/outcomes", listener.local_addr().unwrap());
        let replies = Arc::new(Mutex::new(replies.iter().map(|reply| (*reply).to_owned()).collect::<VecDeque<_>>()));
        let told = Arc::new(Mutex::new(Vec::new()));
        let (sink, script) = (Arc::clone(&told), Arc::clone(&replies));
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let one = read(&mut stream).await;
                sink.lock().unwrap().push(one);
                let head = script.lock().unwrap().pop_front().unwrap_or_else(|| "204 No Content".to_owned());
                let reply = format!("HTTP/1.1 {head}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
                // Whoever was killed meanwhile does not read it.
                let _ = stream.write_all(reply.as_bytes()).await;
            }
        });
        Self { address, told, replies }
    }

    fn told(&self) -> Vec<Told> {
        self.told.lock().unwrap().clone()
    }

    /// The agency in the gateway's configuration.
    fn configured(&self) -> String {
        let callback = format!("callback = {{ address = \"{}\", secret = {{ env = \"FUND_SECRET\" }} }}", self.address);
        agency("fund", true, &callback)
    }
}

async fn read(stream: &mut TcpStream) -> Told {
    let mut bytes = Vec::new();
    loop {
        let count = stream.read_buf(&mut bytes).await.unwrap();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let told = Told { head: head.to_owned(), body: body.to_owned() };
            if count == 0 || told.header("content-length").parse() == Ok(body.len()) {
                return told;
            }
        }
        assert!(count > 0, "half a request");
    }
}

async fn start(fund: &Agency) -> (Departments, Gateway, Value) {
    let departments = Departments::start(&["--population", "2000"]);
    let gateway = Gateway::started(&departments, &[fund.configured()], &[]).await;
    let person = departments.divorced_in_court().await.swap_remove(0);
    (departments, gateway, person)
}

async fn ask(gateway: &Gateway, person: &Value) -> String {
    let reply = gateway.ask("fund", &is_divorced(person), &[("prefer", "respond-async")]).await;
    assert_eq!(reply.status, 202, "{reply:?}");
    reply.id().to_owned()
}

#[tokio::test]
async fn an_agency_is_told_once_under_one_id_however_often_that_is_tried() {
    let elsewhere = Agency::start(&[]).await;
    let redirect = format!("307 Temporary Redirect\r\nlocation: {}", elsewhere.address);
    let fund = Agency::start(&["500 Internal Server Error", &redirect]).await;
    let (_departments, gateway, person) = start(&fund).await;
    let id = ask(&gateway, &person).await;
    until("it is told", async || (fund.told().len() >= 3).then_some(())).await;
    // Longer than it would take to tell it again.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let told = fund.told();
    assert_eq!(told.len(), 3, "{told:?}");
    for one in &told {
        assert!(one.head.starts_with("POST /outcomes HTTP/1.1") && one.is_signed(), "{one:?}");
        assert_eq!(one.header("webhook-id"), id);
        let body: Value = serde_json::from_str(&one.body).unwrap();
        assert_eq!((&body["id"], &body["outcome"]), (&json!(id), &json!("confirmed")));
        for personal in [&person["name"], &person["id_number"]] {
            assert!(!one.body.contains(personal.as_str().unwrap()));
        }
    }
    assert!(elsewhere.told().is_empty(), "{:?}", elsewhere.told());
    let mut request = is_divorced(&person);
    request["callback"] = json!("http://127.0.0.1:9/");
    let reply = gateway.ask("fund", &request, &[]).await;
    assert_eq!((reply.status, &reply.body["errors"][0]["pointer"]), (422, &json!("/callback")));
}

#[tokio::test]
async fn an_agency_is_told_by_the_next_process_what_the_last_one_could_not_tell() {
    let fund = Agency::start(&["503 Service Unavailable"; 50]).await;
    let (_departments, mut gateway, person) = start(&fund).await;
    let id = ask(&gateway, &person).await;
    gateway.outcome("fund", &id).await;
    gateway.kill();
    fund.replies.lock().unwrap().clear();
    let before = fund.told().len();
    gateway.start().await;
    until("it is told", async || (fund.told().len() > before).then_some(())).await;
    let told = fund.told().pop().unwrap();
    assert!(told.is_signed() && told.header("webhook-id") == id, "{told:?}");
}
