//! What a client sees that keeps a connection open.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use super::demo::Demo;

/// A connection that is kept.
struct Connection(TcpStream);

impl Connection {
    fn open() -> Self {
        let stream = TcpStream::connect(Demo::shared().text("gateway").trim_start_matches("http://")).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        Self(stream)
    }

    fn send(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).unwrap();
    }

    /// The head of a reply, whose body is read, too; empty where the connection has closed.
    fn reply(&mut self) -> String {
        let mut bytes = Vec::new();
        let mut one = [0];
        while !bytes.ends_with(b"\r\n\r\n") {
            if self.0.read(&mut one).unwrap_or(0) == 0 {
                return String::new();
            }
            bytes.push(one[0]);
        }
        let head = String::from_utf8(bytes).unwrap().to_lowercase();
        let length = head.split("content-length: ").nth(1).unwrap().lines().next().unwrap().parse().unwrap();
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).unwrap();
        head
    }
}

/// Requests that are refused before their body is read, each with its status.
fn refused() -> [(String, u16); 4] {
    let bearer = format!("authorization: Bearer {}\r\n", Demo::shared().text("token"));
    [
        ("POST /v1/verifications HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n".to_owned(), 401),
        ("POST /v1/nothing HTTP/1.1\r\nhost: a\r\n".to_owned(), 404),
        ("POST /v1/matters HTTP/1.1\r\nhost: a\r\n".to_owned(), 405),
        (format!("POST /v1/verifications HTTP/1.1\r\nhost: a\r\n{bearer}content-type: text/plain\r\n"), 415),
    ]
}

#[test]
fn a_connection_goes_on_after_a_small_body_that_nobody_has_read() {
    let _demo = Demo::shared();
    for (head, status) in refused() {
        let mut connection = Connection::open();
        connection.send(&format!("{head}content-length: 20000\r\n\r\n"));
        // The body comes later than the head.
        std::thread::sleep(Duration::from_millis(50));
        connection.send(&" ".repeat(20_000));
        let reply = connection.reply();
        assert!(reply.starts_with(&format!("http/1.1 {status}")) && !reply.contains("connection: close"), "{reply}");
        connection.send("GET /livez HTTP/1.1\r\nhost: a\r\n\r\n");
        assert!(connection.reply().starts_with("http/1.1 200"), "{status}");
    }
}

#[test]
fn a_connection_that_cannot_go_on_says_so() {
    let _demo = Demo::shared();
    for (head, status) in refused() {
        for rest in ["content-length: 10000000\r\n\r\n", "content-length: 5\r\nexpect: 100-continue\r\n\r\n"] {
            let mut connection = Connection::open();
            connection.send(&format!("{head}{rest}"));
            let reply = connection.reply();
            assert!(reply.starts_with(&format!("http/1.1 {status}")), "{reply}");
            assert!(reply.contains("connection: close"), "{reply}");
            assert_eq!(connection.reply(), "");
        }
    }
}
