//! What a process logs.

use std::io::{ErrorKind, Read as _};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// All that was written until it is asked for: a line that was written before a reply is there once the reply is.
#[derive(Default)]
pub(crate) struct Log(Arc<Mutex<Written>>);

#[derive(Default)]
struct Written {
    bytes: Vec<u8>,
    /// Where the rest comes from, until the process ends.
    rest: Option<UnixStream>,
}

impl Log {
    /// Where a process is to write. What the one before it has written, which has ended, stays.
    pub(crate) fn of_process(&self) -> Stdio {
        let (rest, end) = UnixStream::pair().unwrap();
        rest.set_nonblocking(true).unwrap();
        let mut written = self.0.lock().unwrap();
        assert!(!written.read(), "the process before is still writing");
        written.rest = Some(rest);
        // A process whose lines nobody takes would wait.
        let log = Arc::downgrade(&self.0);
        thread::spawn(move || {
            while log.upgrade().is_some_and(|written| written.lock().unwrap().read()) {
                thread::sleep(Duration::from_millis(5));
            }
        });
        OwnedFd::from(end).into()
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut written = self.0.lock().unwrap();
        written.read();
        written.bytes.clone()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes()).into_owned()
    }
}

impl Written {
    /// Takes what is there; whether more may come.
    fn read(&mut self) -> bool {
        let Some(rest) = &mut self.rest else { return false };
        match rest.read_to_end(&mut self.bytes) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => true,
            ended => {
                ended.unwrap();
                self.rest = None;
                false
            }
        }
    }
}
