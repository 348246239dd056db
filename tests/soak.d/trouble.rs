//! What goes on around the gateway: people marry no more and die, and departments fail.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::client::client;
use super::reply::send;
use super::story::Event;
use super::{Soak, pick};

/// How many couples are asked about most.
const BUSY: usize = 12;

const FAULTS: [&str; 15] = [
    "delay",
    "hang",
    "refuse",
    "cut",
    "status-500",
    "status-503",
    "garbage",
    "wrong-schema",
    "wrong-person",
    "unknown-code",
    "huge",
    "drip",
    "null",
    "empty-200",
    "bad-signature",
];
const OPERATIONS: [(&str, &[&str]); 4] = [
    ("police", &["*", "person", "households"]),
    ("civil-affairs", &["*", "marriages", "adoptions", "key"]),
    ("health", &["*", "birth", "births-of", "death"]),
    ("court", &["*", "index", "judgments", "judgments.fetch", "token"]),
];

/// What happens, and who may come to know of it.
const EVENTS: [(&str, &[&str]); 5] = [
    ("death", &["police", "health", "civil-affairs"]),
    ("divorce", &["civil-affairs"]),
    ("court-divorce", &["court", "civil-affairs"]),
    ("birth", &["health", "police"]),
    ("move", &["police"]),
];

/// Departments fail, and are well again.
pub(crate) async fn faults(soak: &Soak) {
    let address = format!("{}/control/faults", soak.demo.text("control"));
    while !soak.is_over() {
        sleep(Duration::from_millis(fastrand::u64(100..2000))).await;
        let (source, operations) = pick(&OPERATIONS);
        let fault = pick(&FAULTS);
        let millis = if *fault == "delay" { fastrand::u64(0..300) } else { 0 };
        let share = pick(&[1.0, 0.5, 0.3, 0.1]);
        let body =
            json!({"source": source, "operation": pick(operations), "fault": fault, "share": share, "millis": millis});
        assert_eq!(send(client().put(&address).body(body.to_string())).await.status, 200, "{body}");
        soak.count(&format!("fault {fault}"));
        sleep(Duration::from_millis(fastrand::u64(100..3000))).await;
        if fastrand::u8(..3) > 0 {
            clear(soak).await;
        }
    }
    clear(soak).await;
}

async fn clear(soak: &Soak) {
    assert_eq!(send(client().delete(format!("{}/control/faults", soak.demo.text("control")))).await.status, 204);
}

/// Life goes on.
pub(crate) async fn life(soak: &Soak) {
    while !soak.is_over() {
        sleep(Duration::from_millis(fastrand::u64(20..600))).await;
        let count = soak.couples.borrow().len();
        let couple = {
            let mut busy = soak.busy.borrow_mut();
            // Most of it happens to those to whom something has happened already.
            if busy.len() < BUSY || fastrand::u8(..3) == 0 {
                busy.push(fastrand::usize(..count));
                if busy.len() > BUSY {
                    busy.remove(0);
                }
            }
            *pick(&busy)
        };
        happen(soak, couple).await;
    }
}

async fn happen(soak: &Soak, couple: usize) {
    let (kind, departments) = *pick(&EVENTS);
    let known_to: Vec<&str> = departments.iter().copied().filter(|_| fastrand::u8(..3) > 0).collect();
    let notify = fastrand::u8(..4) > 0;
    let who = if kind == "death" { fastrand::usize(..2) } else { 0 };
    let place;
    let request = {
        let couple = &mut soak.couples.borrow_mut()[couple];
        let (wife, husband) = (&couple.wife["id_number"], &couple.husband["id_number"]);
        let persons = match kind {
            "death" => vec![if who == 0 { wife } else { husband }],
            "move" => vec![wife],
            _ => vec![wife, husband],
        };
        let today = heyan::clock::day_of(Timestamp::now()).to_string();
        let request =
            json!({"kind": kind, "persons": persons, "on": today, "known_to": known_to, "notify": notify}).to_string();
        place = couple.events.len();
        let (done, told, void, child) = (None, false, false, None);
        couple.events.push(Event {
            kind,
            who,
            known_to: known_to.clone(),
            sent: Timestamp::now(),
            done,
            told,
            void,
            child,
        });
        request
    };
    let reply = send(client().post(format!("{}/control/events", soak.demo.text("control"))).body(request)).await;
    let event = &mut soak.couples.borrow_mut()[couple].events[place];
    event.void = reply.status != 200;
    event.done = Some(Timestamp::now());
    let heard = |source: &&str| reply.body["notified"][*source] == 204;
    event.told = notify && known_to.iter().all(heard);
    if !event.void && notify && !event.told {
        soak.wrong(&format!("the gateway did not take an event: {}", reply.body["notified"]));
    }
    if kind == "birth" && !event.void && known_to.contains(&"health") {
        let child: &Value = &reply.body["persons"][0];
        event.child = Some(child.clone());
    }
    soak.count(&format!("{} {kind}", if event.void { "impossible event" } else { "event" }));
}
