//! Four departments over real HTTP from one synthetic population, to run the gateway against.
//!
//! They are written from the departments' dialects as another party would, and share no code with the gateway
//! but the words of [`crate::domain`]. A department shows of the truth what it was told.

mod application;
mod calls;
mod cast;
mod civil_affairs;
mod control;
mod court;
mod day;
mod department;
mod desk;
mod dice;
mod events;
mod faults;
mod form;
mod health;
mod households;
mod kinship;
mod lives;
mod name_tables;
mod names;
mod naming;
mod notices;
mod number;
mod places;
mod police;
mod settling;
mod truth;
mod wire;
mod world;
mod xml;

use std::collections::BTreeMap;
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use jiff::civil::Date;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use civil_affairs::CivilAffairs;
use control::Control;
use court::Court;
use day::Day;
use desk::{Desk, Shared};
use dice::Dice;
use health::Health;
use notices::Notices;
use police::Police;
use world::World;

pub use faults::Setting as FaultSetting;
pub use notices::{EVENT_TOKENS, GatewayAddress};

/// What to simulate.
#[derive(Debug, Clone)]
pub struct Options {
    /// How many people, living and dead; never fewer than the planted ones.
    pub population: usize,
    /// The same seed and day give the same people.
    pub seed: u64,
    /// The last day that people's lives have reached.
    pub today: Date,
    /// The address to listen on.
    pub listen: IpAddr,
    /// The first of five consecutive ports: police, civil affairs, health, court, control. Any free ones if
    /// there is none.
    pub ports: Option<u16>,
    /// The gateway, which departments tell of events, with the tokens of [`EVENT_TOKENS`].
    pub gateway: Option<GatewayAddress>,
    /// What goes wrong from the start.
    pub faults: Vec<FaultSetting>,
    /// From an application at the court to its feedback.
    pub court_delay: Duration,
}

/// A planted case: people of whom it is known what is true.
#[derive(Debug, Clone)]
pub struct Case {
    /// What it is a case of.
    pub name: &'static str,
    /// The people, by role.
    pub people: BTreeMap<&'static str, Person>,
    /// What else is to be known, like a certificate's number.
    pub parameters: BTreeMap<&'static str, String>,
}

/// A person of the population. Nobody real: it may be printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The ID number, 18 characters.
    pub id_number: String,
    /// The name.
    pub name: String,
    /// The day of birth.
    pub born: Date,
}

/// The running departments and their control endpoint.
#[derive(Debug)]
pub struct Simulator {
    addresses: BTreeMap<String, String>,
    control: String,
    cast: Vec<Case>,
    shared: Arc<Shared>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Simulator {
    /// Makes the population and listens. Everything runs on the runtime that this is called on.
    ///
    /// # Errors
    /// The system's, if a port cannot be listened on; or that there is no such fault.
    pub async fn start(options: Options) -> io::Result<Self> {
        let (population, seed, today) = (options.population, options.seed, Day::of(options.today));
        let (world, cast) =
            tokio::task::spawn_blocking(move || populate(population, seed, today)).await.map_err(io::Error::other)?;
        let notices = Notices::new(options.gateway);
        let (calls, faults) = (calls::Calls::default(), faults::Faults::default());
        for setting in options.faults {
            faults.set(setting).map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        }
        let shared = Arc::new(Shared { world: RwLock::new(world), calls, faults, notices });
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let mut dice = Dice::new(civil_affairs::seed_of_this_start());
        let mut house = House {
            listen: options.listen,
            port: options.ports,
            stop: stop.clone(),
            tasks: tasks.clone(),
            addresses: Vec::new(),
        };
        house.open(Desk { department: Police, shared: Arc::clone(&shared) }).await?;
        let department = CivilAffairs::new(Dice::new(dice.next()));
        house.open(Desk { department, shared: Arc::clone(&shared) }).await?;
        house.open(Desk { department: Health, shared: Arc::clone(&shared) }).await?;
        let department = Court::new(options.court_delay, seed, Dice::new(dice.next()));
        house.open(Desk { department, shared: Arc::clone(&shared) }).await?;
        house.open(Control(Arc::clone(&shared))).await?;
        let control = house.addresses.pop().unwrap_or_default();
        let addresses = calls::sources().map(str::to_owned).zip(house.addresses).collect();
        Ok(Self { addresses, control, cast, shared, stop, tasks })
    }

    /// The departments' addresses, by source id.
    #[must_use]
    pub fn sources(&self) -> BTreeMap<String, String> {
        self.addresses.clone()
    }

    /// The control endpoint's address.
    #[must_use]
    pub fn control(&self) -> String {
        self.control.clone()
    }

    /// The planted cases.
    #[must_use]
    pub fn cast(&self) -> &[Case] {
        &self.cast
    }

    /// A way to reach the departments from elsewhere than where they run.
    #[must_use]
    pub fn handle(&self) -> Handle {
        Handle(Arc::clone(&self.shared))
    }

    /// Closes all connections and stops listening.
    pub async fn stop(self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

/// Reaches the running departments from any thread.
#[derive(Debug, Clone)]
pub struct Handle(Arc<Shared>);

impl Handle {
    /// Tells the departments where the gateway is.
    pub fn set_gateway(&self, gateway: GatewayAddress) {
        self.0.notices.set_gateway(gateway);
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// The address that the departments share.
struct House {
    listen: IpAddr,
    port: Option<u16>,
    stop: CancellationToken,
    tasks: TaskTracker,
    addresses: Vec<String>,
}

impl House {
    /// Listens on the next port.
    async fn open(&mut self, desk: impl wire::Answering) -> io::Result<()> {
        let port = self.port.unwrap_or(0);
        let unavailable = |error: io::Error| io::Error::new(error.kind(), Unavailable { port, error });
        let listener = TcpListener::bind((self.listen, port)).await.map_err(unavailable)?;
        self.port = self.port.map(|port| port.wrapping_add(1));
        self.addresses.push(format!("http://{}", listener.local_addr()?));
        let (stop, tasks) = (self.stop.clone(), self.tasks.clone());
        self.tasks.spawn(wire::listen(listener, Arc::new(desk), stop, tasks));
        Ok(())
    }
}

/// A port that cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("port {port} cannot be listened on")]
struct Unavailable {
    port: u16,
    #[source]
    error: io::Error,
}

/// The planted people, and as many others as there are to be.
fn populate(size: usize, seed: u64, today: Day) -> (World, Vec<Case>) {
    let mut world = World::new(today, size);
    let mut dice = Dice::new(seed);
    let cast = cast::plant(&mut world, &mut dice);
    let (first_person, first_marriage) = (world.humans.len(), world.marriages.len());
    lives::populate(&mut world, size, &mut dice);
    settling::settle(&mut world, first_person, first_marriage, &mut dice);
    (world, cast)
}

#[cfg(test)]
mod population_tests;
