//! Stands before a department and writes down what it is asked.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// A listening tap.
pub(crate) struct Tap {
    pub(crate) address: String,
    connections: Arc<Mutex<Vec<Connection>>>,
}

/// What came over one connection.
type Connection = Arc<Mutex<Vec<u8>>>;

/// Requests' heads and bodies.
#[derive(Default)]
pub(crate) struct Asked {
    pub(crate) heads: Vec<u8>,
    pub(crate) bodies: Vec<u8>,
}

impl Tap {
    /// One before the department at this address.
    pub(crate) fn before(department: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let department = department.trim_start_matches("http://").to_owned();
        let connections: Arc<Mutex<Vec<Connection>>> = Arc::default();
        let sink = Arc::clone(&connections);
        thread::spawn(move || {
            for caller in listener.incoming() {
                let connection = Connection::default();
                sink.lock().unwrap().push(Arc::clone(&connection));
                // A department that is not there is as good as one that hangs up.
                if let (Ok(caller), Ok(callee)) = (caller, TcpStream::connect(&department)) {
                    join(&caller, &callee, connection);
                }
            }
        });
        Self { address, connections }
    }

    pub(crate) fn asked(&self) -> Asked {
        let mut asked = Asked::default();
        for connection in self.connections.lock().unwrap().iter() {
            split(&connection.lock().unwrap(), &mut asked);
        }
        asked
    }
}

fn join(caller: &TcpStream, callee: &TcpStream, connection: Connection) {
    let (question, asked) = (caller.try_clone().unwrap(), callee.try_clone().unwrap());
    thread::spawn(move || copy(question, asked, Some(&connection)));
    let (answer, answered) = (callee.try_clone().unwrap(), caller.try_clone().unwrap());
    thread::spawn(move || copy(answer, answered, None));
}

fn copy(mut from: TcpStream, mut to: TcpStream, sink: Option<&Connection>) {
    let mut buffer = [0; 16 * 1024];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        if let Some(sink) = sink {
            sink.lock().unwrap().extend_from_slice(&buffer[..count]);
        }
        if to.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    // The other direction ends with this one.
    let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
}

/// The requests of a connection, one after another. One that is cut short counts as a head as far as it has one.
fn split(mut bytes: &[u8], asked: &mut Asked) {
    while let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
        let (head, rest) = bytes.split_at(end + 4);
        let lines = std::str::from_utf8(head).unwrap().lines().filter_map(|line| line.split_once(": "));
        let length = lines.filter(|(name, _)| name.eq_ignore_ascii_case("content-length"));
        let length = length.map(|(_, value)| value.parse::<usize>().unwrap()).sum::<usize>().min(rest.len());
        asked.heads.extend_from_slice(head);
        asked.bytes_of(&rest[..length]);
        bytes = &rest[length..];
    }
    asked.heads.extend_from_slice(bytes);
}

impl Asked {
    fn bytes_of(&mut self, body: &[u8]) {
        self.bodies.extend_from_slice(body);
        self.bodies.push(b'\n');
    }
}

/// An agency's own server, which takes what it is told.
pub(crate) struct Ear {
    pub(crate) address: String,
    heard: Connection,
}

impl Ear {
    pub(crate) fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}/outcomes", listener.local_addr().unwrap());
        let heard = Connection::default();
        let sink = Arc::clone(&heard);
        thread::spawn(move || {
            for mut caller in listener.incoming().flatten() {
                let mut request = Vec::new();
                let mut buffer = [0; 4096];
                while !is_whole(&request) {
                    match caller.read(&mut buffer) {
                        Ok(count @ 1..) => request.extend_from_slice(&buffer[..count]),
                        _ => break,
                    }
                }
                sink.lock().unwrap().extend_from_slice(&request);
                // Whoever was killed meanwhile does not read it.
                let _ = caller.write_all(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n");
            }
        });
        Self { address, heard }
    }

    pub(crate) fn heard(&self) -> Vec<u8> {
        self.heard.lock().unwrap().clone()
    }
}

fn is_whole(request: &[u8]) -> bool {
    let Some(end) = request.windows(4).position(|window| window == b"\r\n\r\n") else { return false };
    let (head, body) = (String::from_utf8_lossy(&request[..end]), &request[end + 4..]);
    let length = head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ").map(str::to_owned));
    length.is_none_or(|length| length.parse() == Ok(body.len()))
}
