//! What happens when too many come, when they are slow, and when it closes.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::town::{Departments, Gateway, Reply, agency, is_named, send, until};

const WORKERS: (&str, &str) = ("workers = 0 ", "workers = 1 ");

async fn get(gateway: &Gateway, path: &str) -> u16 {
    send(gateway.request(Method::GET, path, "fund")).await.status
}

/// A question that takes the police some seconds; it has reached them when this returns.
async fn slow(
    departments: &Departments,
    gateway: &Gateway,
    person: &Value,
    wait: &str,
) -> tokio::task::JoinHandle<Reply> {
    let before = departments.calls("police", "person").await;
    departments.fault("police", "*", "delay", 5000).await;
    let asking = tokio::spawn(send(gateway.post("fund", &is_named(person), &[("prefer", wait)])));
    let has_come = async || (departments.calls("police", "person").await > before).then_some(());
    until("the police are asked", has_come).await;
    asking
}

#[tokio::test]
async fn an_agency_has_limits_of_its_own() {
    let departments = Departments::start(&["--population", "1000"]);
    let agencies = [
        agency("fund", true, "limits = { at_once = 1 }"),
        agency("bank", true, "limits = { per_second = 2 }"),
        agency("school", true, ""),
    ];
    let mut gateway = Gateway::new(&departments, &agencies, &[]);
    gateway.be_patient_with_police();
    gateway.start().await;
    let me = async |token: &str| send(gateway.request(Method::GET, "/v1/me", token)).await;
    let is_limited = |reply: &Reply, limit: &str| {
        assert_eq!((reply.status, &reply.body["code"]), (429, &json!("rate-limited")), "{reply:?}");
        assert_eq!((reply.header("retry-after"), reply.header("ratelimit-limit")), ("1", limit));
        assert_eq!((reply.header("ratelimit-remaining"), reply.header("ratelimit-reset")), ("0", "1"));
    };
    let replies = join_all((0..8).map(|_| me("bank"))).await;
    // Two seconds at most have passed through.
    let refused = replies.iter().filter(|reply| reply.status == 429).inspect(|reply| is_limited(reply, "2"));
    assert!(refused.count() >= 2);
    let person = departments.living().await.swap_remove(0);
    let asking = slow(&departments, &gateway, &person, "wait=20").await;
    is_limited(&me("fund").await, "1");
    assert_eq!(me("school").await.status, 200);
    departments.heal().await;
    assert_eq!(asking.await.unwrap().status, 200);
    assert_eq!(me("fund").await.status, 200);
}

#[tokio::test]
async fn what_is_too_much_is_turned_away_at_once() {
    let departments = Departments::start(&["--population", "1000"]);
    let changes = [WORKERS, ("at_once = 512", "at_once = 1")];
    let mut gateway = Gateway::new(&departments, &[agency("fund", true, "")], &changes);
    gateway.be_patient_with_police();
    gateway.start().await;
    let person = departments.living().await.swap_remove(0);
    let asking = slow(&departments, &gateway, &person, "wait=20").await;
    let reply = send(gateway.request(Method::GET, "/v1/me", "fund")).await;
    assert_eq!((reply.status, &reply.body["code"], reply.header("retry-after")), (503, &json!("overloaded"), "1"));
    assert_eq!((get(&gateway, "/livez").await, get(&gateway, "/readyz").await), (200, 200));
    departments.heal().await;
    assert_eq!(asking.await.unwrap().body["outcome"], "confirmed");
    assert_eq!(get(&gateway, "/v1/me").await, 200);
}

#[tokio::test]
async fn idle_and_slow_connections_leave_room_and_end() {
    let departments = Departments::start(&["--population", "200"]);
    let changes = [WORKERS, ("request_timeout = \"10s\"", "request_timeout = \"3s\"")];
    let gateway = Gateway::started(&departments, &[agency("fund", true, "")], &changes).await;
    let mut idle = Vec::new();
    for _ in 0..2000 {
        idle.push(TcpStream::connect(&gateway.address).await.unwrap());
    }
    let mut slow = TcpStream::connect(&gateway.address).await.unwrap();
    slow.write_all(b"GET /v1/matters HTTP/1.1\r\nhost: a\r\nx-slow: ").await.unwrap();
    assert_eq!(get(&gateway, "/v1/me").await, 200);
    let mut used = TcpStream::connect(&gateway.address).await.unwrap();
    used.write_all(b"GET /livez HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    for mut stream in [slow, used, idle.swap_remove(0), idle.swap_remove(1998)] {
        let mut rest = Vec::new();
        let ended = tokio::time::timeout(Duration::from_secs(30), stream.read_to_end(&mut rest)).await;
        assert!(ended.is_ok(), "a connection that says nothing stays open");
    }
    assert_eq!(get(&gateway, "/v1/me").await, 200);
}

#[tokio::test]
async fn a_running_request_ends_after_the_signal_to_stop() {
    let departments = Departments::start(&["--population", "1000"]);
    let mut gateway = Gateway::new(&departments, &[agency("fund", true, "")], &[]);
    gateway.be_patient_with_police();
    gateway.start().await;
    let person = departments.living().await.swap_remove(0);
    let asking = slow(&departments, &gateway, &person, "wait=3").await;
    gateway.signal("TERM");
    // A connection may break that comes at that very moment.
    let is_stopping = async || {
        let reply = gateway.request(Method::GET, "/readyz", "").send().await;
        reply.is_ok_and(|reply| reply.status() == 503).then_some(())
    };
    until("it says that it is stopping", is_stopping).await;
    // Each of its threads stops at a moment of its own.
    let turned_away = async || {
        let reply = gateway.request(Method::GET, "/v1/me", "fund").send().await.ok()?;
        (reply.status() == 503).then_some(reply)
    };
    let reply = until("others are turned away", turned_away).await;
    assert_eq!(
        (&reply.headers()["retry-after"], &reply.headers()["connection"]),
        (&"1".parse().unwrap(), &"close".parse().unwrap())
    );
    // Somebody with a browser is told so in words.
    let page = async || {
        let request = gateway.request(Method::GET, "/", "").header("accept", "text/html");
        let reply = request.header("accept-language", "zh-CN").send().await.ok()?;
        (reply.status() == 503).then_some(reply)
    };
    let page = until("a browser is turned away", page).await.text().await.unwrap();
    assert!(page.starts_with("<!doctype html>") && page.contains("请过几秒再试一次"), "{page}");
    let began = Instant::now();
    let reply = asking.await.unwrap();
    assert_eq!((reply.status, &reply.body["outcome"]), (202, &json!("pending")), "{reply:?}");
    assert!(gateway.ended().await.success());
    // Well within the grace of ten seconds, were it not for a busy machine.
    println!("it had ended {:?} after the signal", began.elapsed());
    departments.heal().await;
    gateway.start().await;
    assert_eq!(gateway.outcome("fund", reply.id()).await["outcome"], "confirmed");
}

#[tokio::test]
async fn too_much_load_is_survived() {
    let departments = Departments::start(&["--population", "1000"]);
    let changes = [WORKERS, ("at_once = 512", "at_once = 32")];
    let limits = "limits = { per_second = 1000000, at_once = 100000 }";
    let gateway = Gateway::started(&departments, &[agency("fund", true, limits)], &changes).await;
    let people = departments.living().await;
    departments.fault("police", "*", "delay", 50).await;
    for connections in [8, 32, 96] {
        let began = Instant::now();
        let counts = join_all((0..connections).map(|number| press(&gateway, &people[number % people.len()]))).await;
        let (served, refused) = counts.iter().fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        println!("{connections} connections: {served} served, {refused} turned away in {:?}", began.elapsed());
        assert!(served > 0);
    }
    assert_eq!(get(&gateway, "/livez").await, 200);
}

/// Asks without a pause over one connection, always anew. How many answers and refusals come in a second.
async fn press(gateway: &Gateway, person: &Value) -> (usize, usize) {
    let mut body = is_named(person);
    body["max_age"] = json!("0s");
    let (body, began) = (body.to_string(), Instant::now());
    let mut stream = TcpStream::connect(&gateway.address).await.unwrap();
    let (mut served, mut refused) = (0, 0);
    while began.elapsed() < Duration::from_secs(1) {
        let head = "POST /v1/verifications HTTP/1.1\r\nhost: a\r\nauthorization: Bearer fund\r\nprefer: wait=20\r\n";
        let request = format!("{head}content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        stream.write_all(request.as_bytes()).await.unwrap();
        match status(&mut stream).await.as_str() {
            "200" => served += 1,
            "503" => refused += 1,
            other => panic!("{other}"),
        }
    }
    (served, refused)
}

/// The status of the next reply, which is read to its end.
async fn status(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    loop {
        assert!(stream.read_buf(&mut bytes).await.unwrap() > 0, "no reply");
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.split("content-length: ").nth(1).unwrap().lines().next().unwrap();
            if length.parse() == Ok(body.len()) {
                return head.split(' ').nth(1).unwrap().to_owned();
            }
        }
    }
}
