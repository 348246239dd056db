//! The simulated departments over real sockets, spoken to in their dialects.

#![expect(clippy::unwrap_used, reason = "a test's helpers fail the test by panicking, too")]

mod client;
mod command;
mod departments;
mod driving;
mod failing;
mod strangers;

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use heyan::simulator::{Options, Person, Simulator};

/// A small population that answers quickly.
fn options() -> Options {
    Options {
        population: 400,
        seed: 11,
        today: jiff::civil::date(2026, 6, 30),
        listen: IpAddr::V4(Ipv4Addr::LOCALHOST),
        ports: None,
        gateway: None,
        faults: Vec::new(),
        court_delay: Duration::from_millis(40),
    }
}

async fn start() -> Simulator {
    Simulator::start(options()).await.unwrap()
}

/// Somebody of the cast.
fn member(simulator: &Simulator, case: &str, role: &str) -> Person {
    let case = simulator.cast().iter().find(|one| one.name == case).unwrap();
    case.people.get(role).unwrap().clone()
}

/// The address of a department.
fn address(simulator: &Simulator, source: &str) -> String {
    simulator.sources().get(source).unwrap().clone()
}
