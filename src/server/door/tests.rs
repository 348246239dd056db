use std::sync::RwLock;

use axum::Router;
use axum::routing::{get, post};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::super::generation::{Generation, Kept};
use super::super::{Installation, front, open_ledger, open_store};
use super::*;
use crate::clock::{Clock as _, ManualClock};
use crate::config::Folder;
use crate::desk::Desk;

/// What the handlers that break say; nobody else may.
const SECRET: &str = "11010519491231002X";

/// A door on a socket, behind which two handlers break.
async fn door(most: usize) -> (std::net::SocketAddr, Arc<House>) {
    crate::sources::install_crypto();
    let nowhere = |name: &str| Some(if name.ends_with("_ADDRESS") { "http://127.0.0.1:9" } else { "none" }.to_owned());
    let installation = Installation::load(&Folder::embedded(), &nowhere).unwrap();
    let clock = Arc::new(ManualClock::new("2026-11-23T08:00:00Z".parse().unwrap()));
    let store = Arc::new(open_store(&installation.settings, clock.clone()).unwrap());
    let ledger = Arc::new(open_ledger(&installation, &store, false, clock.now()).unwrap());
    let front = Arc::new(front(&installation.settings, Desk::in_memory().unwrap(), false).unwrap());
    let kept = Kept { durable: store, ledger, front };
    let (settings, exports) = (&installation.settings, &installation.exports);
    let house = Arc::new(House::new(settings, clock, kept, exports, CancellationToken::new(), 1, None));
    let generation = Generation::new(&house, installation, None).unwrap();
    let mut faces = generation.faces(&house, generation.api(&house, TaskTracker::new()).unwrap());
    let breaks = async || -> &'static str { panic!("{SECRET}") };
    faces.router = Router::new().route("/v1/breaks", post(breaks)).route("/breaks", get(breaks)).merge(faces.router);
    let (running, faces) = (house.doors.open(), Arc::new(RwLock::new(faces)));
    let door = Door { house: Arc::clone(&house), faces, running, most, is_closed: false };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let http = http1::Builder::new();
        loop {
            let (stream, client) = listener.accept().await.unwrap();
            let (door, http) = (door.clone(), http.clone());
            tokio::spawn(async move {
                // As long as it is there, nothing is stopping.
                let connections = GracefulShutdown::new();
                door.open(&http, stream, client.ip(), connections.watcher()).await;
            });
        }
    });
    (address, house)
}

/// The reply to a request, as it comes.
async fn ask(address: std::net::SocketAddr, head: &str, body: &str) -> String {
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let request = format!("{head}\r\nhost: a\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).await.unwrap();
    reply
}

fn says(reply: &str, parts: &[&str]) {
    for part in parts {
        assert!(reply.contains(part), "{part} is not in {reply}");
    }
    assert!(!reply.contains(SECRET), "{reply}");
}

#[tokio::test]
async fn a_mistake_of_the_program_ends_one_request_and_is_told() {
    let (address, house) = door(8).await;
    let reply = ask(address, "POST /v1/breaks HTTP/1.1", "{}").await;
    says(&reply, &["HTTP/1.1 500", "application/problem+json", "\"internal-error\"", "系统出错", "trace-id: "]);
    let reply = ask(address, "POST /v1/breaks HTTP/1.1\r\naccept-language: en", "{}").await;
    says(&reply, &["HTTP/1.1 500", "Internal error", "\"retryable\":false"]);
    let page = "GET /breaks?draft=7 HTTP/1.1\r\naccept: text/html,*/*;q=0.1\r\naccept-language: zh-CN";
    let reply = ask(address, page, "").await;
    says(&reply, &["HTTP/1.1 500", "text/html", "content-security-policy", "系统出错了", "href=\"/breaks?draft=7\""]);
    // The process goes on, nothing is left running, and everything was counted.
    says(&ask(address, "GET /livez HTTP/1.1", "").await, &["HTTP/1.1 200"]);
    assert_eq!(house.doors.running(), 0);
    let counted = house.telemetry.page().prometheus();
    says(&counted, &["heyan_problems_total{code=\"internal-error\"} 3"]);
}

#[tokio::test]
async fn whoever_comes_when_it_is_full_is_told_in_their_way() {
    let (address, house) = door(0).await;
    says(&ask(address, "GET /v1/me HTTP/1.1", "").await, &["HTTP/1.1 503", "\"overloaded\"", "retry-after: 1"]);
    let browser = "accept: text/html,application/xhtml+xml\r\naccept-language: zh-CN,zh;q=0.9";
    let reply = ask(address, &format!("GET /matters/alive HTTP/1.1\r\n{browser}"), "").await;
    says(
        &reply,
        &["HTTP/1.1 503", "retry-after: 1", "content-language: zh-CN", "现在人多，请稍等", "href=\"/matters/alive\""],
    );
    // What was filled in is not lost: the browser sends it again.
    let reply = ask(address, &format!("POST /checks/x/1 HTTP/1.1\r\n{browser}"), "name=a").await;
    says(&reply, &["HTTP/1.1 503", "text/html", "“刷新”", "不会丢"]);
    assert!(!reply.contains("href=\"/checks"));
    let english = "GET / HTTP/1.1\r\naccept: text/html\r\naccept-language: en";
    says(&ask(address, english, "").await, &["HTTP/1.1 503", "content-language: en", "Try again"]);
    // A browser that calls what programs call is answered like a program.
    says(&ask(address, "GET /v1/matters HTTP/1.1\r\naccept: text/html", "").await, &["application/problem+json"]);
    let foreign = "GET //elsewhere.example/ HTTP/1.1\r\naccept: text/html";
    assert!(!ask(address, foreign, "").await.contains("href=\"//"), "nobody is led elsewhere");
    says(&ask(address, "GET /livez HTTP/1.1", "").await, &["HTTP/1.1 200"]);
    assert_eq!(house.doors.turned_away.load(Ordering::Relaxed), 6);
}
