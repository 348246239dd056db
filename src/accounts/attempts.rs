use core::net::{IpAddr, Ipv6Addr};
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// Who has tried passwords, and how often, so that guessing becomes slow and nobody can lock somebody else out.
///
/// - A browser in which the user has signed in before is known by its device, and counts by itself: what others try elsewhere
///   does not touch it (OWASP, Slow Down Online Guessing Attacks with Device Cookies).
/// - Every other browser counts with its network, for each user: after [`FREE`] failures it has to wait, twice as long each time.
/// - A network that fails with many users has to wait as a whole; known devices in it go on.
/// - When one user is tried from many networks, each has one try before it waits. Whoever knows the password needs no more.
///
/// A user that nobody has is counted like every other. What was typed as a user's name is not kept, but a hash of it.
#[derive(Debug, Default)]
pub struct Attempts {
    counters: HashMap<Counted, Counter>,
    hasher: RandomState,
}

/// From where somebody signs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    /// The client's address.
    pub address: IpAddr,
    /// The device, if it is one in which this very user has signed in before.
    pub device: Option<[u8; 32]>,
}

/// What counts together. The first number stands for a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Counted {
    Device(u64, [u8; 32]),
    There(u64, Network),
    Network(Network),
    User(u64),
}

/// The networks that are told apart: 256 addresses of IPv4, a site's of IPv6.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Network(IpAddr);

#[derive(Debug, Clone, Copy)]
struct Counter {
    failures: u32,
    last: Timestamp,
}

/// So many failures cost nothing: people mistype.
const FREE: u32 = 5;
/// So many cost a network nothing, over all users.
const FREE_OF_NETWORK: u32 = 30;
/// From so many failures on, a user is under attack, whoever the others are.
const MANY: u32 = 100;

/// How long the first wait is, and the longest.
const FIRST: Duration = Duration::from_secs(15);
const LONGEST: Duration = Duration::from_mins(15);

/// After so long without a failure, nothing is held against anybody.
const FORGOTTEN: SignedDuration = SignedDuration::from_hours(1);

/// More than so many counters there are not.
const MOST: usize = 100_000;

impl Attempts {
    /// Counts a try, before it is known what comes of it: tries that come at once count all the same.
    ///
    /// # Errors
    /// How long it has to wait; then it does not count, and must not be looked at.
    pub fn begin(&mut self, user: &str, origin: Origin, now: Timestamp) -> Result<(), Duration> {
        let (user, network) = (self.hasher.hash_one(user), Network::of(origin.address));
        let counted = counted(user, origin);
        let under_attack = self.failures(Counted::User(user), now) >= MANY;
        let free = if under_attack && origin.device.is_none() { 1 } else { FREE };
        let mut wait = self.wait(counted, free, now);
        if origin.device.is_none() {
            wait = wait.max(self.wait(Counted::Network(network), FREE_OF_NETWORK, now));
        }
        if !wait.is_zero() {
            return Err(wait);
        }
        self.count(counted, now);
        if origin.device.is_none() {
            self.count(Counted::Network(network), now);
            self.count(Counted::User(user), now);
        }
        Ok(())
    }

    /// The try was right: what was held against this browser is forgotten, and the try was no failure of anybody's.
    pub fn succeeded(&mut self, user: &str, origin: Origin) {
        let user = self.hasher.hash_one(user);
        self.counters.remove(&counted(user, origin));
        if origin.device.is_none() {
            for counted in [Counted::Network(Network::of(origin.address)), Counted::User(user)] {
                if let Some(counter) = self.counters.get_mut(&counted) {
                    counter.failures = counter.failures.saturating_sub(1);
                }
            }
        }
    }

    fn failures(&self, counted: Counted, now: Timestamp) -> u32 {
        let counter = self.counters.get(&counted).filter(|counter| !counter.is_forgotten(now));
        counter.map_or(0, |counter| counter.failures)
    }

    fn wait(&self, counted: Counted, free: u32, now: Timestamp) -> Duration {
        let Some(counter) = self.counters.get(&counted).filter(|counter| !counter.is_forgotten(now)) else {
            return Duration::ZERO;
        };
        let Some(over) = counter.failures.checked_sub(free) else { return Duration::ZERO };
        let whole = FIRST.saturating_mul(1 << over.min(16)).min(LONGEST);
        // A clock that is set back makes nobody wait longer.
        let since = Duration::try_from(now.duration_since(counter.last)).unwrap_or(whole);
        whole.saturating_sub(since)
    }

    fn count(&mut self, counted: Counted, now: Timestamp) {
        if self.counters.len() >= MOST && !self.counters.contains_key(&counted) {
            self.make_room(now);
        }
        let counter = self.counters.entry(counted).or_insert(Counter { failures: 0, last: now });
        if counter.is_forgotten(now) {
            counter.failures = 0;
        }
        counter.failures = counter.failures.saturating_add(1);
        counter.last = now;
    }

    /// Forgets what is over, or else a quarter: those of whom the least is known.
    fn make_room(&mut self, now: Timestamp) {
        self.counters.retain(|_, counter| !counter.is_forgotten(now));
        if self.counters.len() < MOST {
            return;
        }
        let mut failures: Vec<u32> = self.counters.values().map(|counter| counter.failures).collect();
        let (_, quarter, _) = failures.select_nth_unstable(MOST / 4);
        let (few, mut left) = (*quarter, MOST / 4);
        self.counters.retain(|_, counter| {
            let goes = counter.failures <= few && left > 0;
            left -= usize::from(goes);
            !goes
        });
    }
}

fn counted(user: u64, origin: Origin) -> Counted {
    origin
        .device
        .map_or_else(|| Counted::There(user, Network::of(origin.address)), |device| Counted::Device(user, device))
}

impl Counter {
    fn is_forgotten(&self, now: Timestamp) -> bool {
        now.duration_since(self.last).abs() >= FORGOTTEN
    }
}

impl Network {
    fn of(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V4(address) => {
                let [a, b, c, _] = address.octets();
                IpAddr::from([a, b, c, 0])
            }
            IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 72 << 72)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn from(address: &str) -> Origin {
        Origin { address: address.parse().unwrap(), device: None }
    }

    fn known(address: &str) -> Origin {
        Origin { device: Some([1; 32]), ..from(address) }
    }

    fn seconds(wait: Result<(), Duration>) -> u64 {
        wait.err().unwrap_or_default().as_secs()
    }

    #[test]
    fn whoever_fails_waits_longer_each_time() {
        let mut attempts = Attempts::default();
        for _ in 0..5 {
            assert_eq!(attempts.begin("wang", from("10.1.1.7"), at(0)), Ok(()));
        }
        assert_eq!(seconds(attempts.begin("wang", from("10.1.1.7"), at(0))), 15);
        assert_eq!(seconds(attempts.begin("wang", from("10.1.1.9"), at(10))), 5, "the same network");
        let (mut now, mut waits) = (0, Vec::new());
        while waits.len() < 9 {
            match attempts.begin("wang", from("10.1.1.7"), at(now)) {
                Ok(()) => {}
                Err(wait) => {
                    waits.push(wait.as_secs());
                    now += i64::try_from(wait.as_secs()).unwrap();
                }
            }
        }
        assert_eq!(waits, [15, 30, 60, 120, 240, 480, 900, 900, 900]);
        assert_eq!(attempts.begin("wang", from("10.1.1.7"), at(now + 3600)), Ok(()), "an hour later all is forgotten");
    }

    #[test]
    fn nobody_is_locked_out_by_others() {
        let mut attempts = Attempts::default();
        while attempts.begin("wang", from("10.1.1.7"), at(0)).is_ok() {}
        assert_eq!(attempts.begin("wang", from("10.1.2.7"), at(0)), Ok(()), "from another network");
        assert_eq!(attempts.begin("wang", known("10.1.1.7"), at(0)), Ok(()), "with a known device, even from there");
        assert_eq!(attempts.begin("li", from("10.1.1.7"), at(0)), Ok(()), "somebody else there");
        while attempts.begin("wang", known("10.1.2.8"), at(0)).is_ok() {}
        assert_eq!(seconds(attempts.begin("wang", known("10.9.9.9"), at(0))), 15, "a stolen device guesses no faster");
    }

    #[test]
    fn a_network_that_tries_many_users_waits_as_a_whole() {
        let mut attempts = Attempts::default();
        let tries =
            (0..100).take_while(|user| attempts.begin(&user.to_string(), from("10.1.1.7"), at(0)).is_ok()).count();
        assert_eq!(tries, 30);
        assert_eq!(seconds(attempts.begin("wang", from("10.1.1.8"), at(0))), 15);
        assert_eq!(attempts.begin("wang", known("10.1.1.8"), at(0)), Ok(()));
        assert_eq!(attempts.begin("wang", from("10.1.2.8"), at(0)), Ok(()));
    }

    #[test]
    fn one_user_who_is_tried_from_everywhere_can_still_sign_in() {
        let mut attempts = Attempts::default();
        for network in 0..100 {
            assert_eq!(attempts.begin("wang", from(&format!("10.2.{network}.1")), at(0)), Ok(()));
        }
        let new = from("10.3.1.1");
        assert_eq!(attempts.begin("wang", new, at(1)), Ok(()), "who knows the password needs one try");
        attempts.succeeded("wang", new);
        assert_eq!(attempts.begin("wang", new, at(1)), Ok(()));
        assert_eq!(seconds(attempts.begin("wang", new, at(1))), 15, "who guesses has to wait after it");
        assert_eq!(attempts.begin("wang", known("10.3.1.1"), at(1)), Ok(()));
    }

    #[test]
    fn success_holds_nothing_against_anybody() {
        let mut attempts = Attempts::default();
        for _ in 0..500 {
            assert_eq!(attempts.begin("wang", from("10.1.1.7"), at(0)), Ok(()));
            attempts.succeeded("wang", from("10.1.1.7"));
        }
    }

    #[test]
    fn networks_are_told_apart_as_they_are_handed_out() {
        let network = |address: &str| Network::of(address.parse().unwrap());
        assert_eq!(network("10.1.1.7"), network("10.1.1.200"));
        assert_ne!(network("10.1.1.7"), network("10.1.2.7"));
        assert_eq!(network("::ffff:10.1.1.7"), network("10.1.1.7"));
        assert_eq!(network("2001:db8:1:100::1"), network("2001:db8:1:1ff:2::1"));
        assert_ne!(network("2001:db8:1:100::1"), network("2001:db8:1:200::1"));
    }

    #[test]
    fn memory_is_bounded_and_those_who_try_most_are_remembered() {
        let mut attempts = Attempts::default();
        while attempts.begin("wang", from("10.1.1.7"), at(0)).is_ok() {}
        for user in 0..150_000_u32 {
            let address = IpAddr::from((0x0b00_0000 + user * 256).to_be_bytes());
            let _ = attempts.begin(&user.to_string(), Origin { address, device: None }, at(0));
        }
        assert!(attempts.counters.len() <= MOST);
        assert!(attempts.begin("wang", from("10.1.1.7"), at(0)).is_err());
    }
}
