use std::net::IpAddr;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;

use super::signals::Signals;
use super::{Failure, say};
use crate::clock::{Clock as _, SystemClock};
use crate::simulator::{FaultSetting, GatewayAddress, Options, Simulator};

#[derive(Args)]
pub(super) struct Arguments {
    /// Listen on this address
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    listen: IpAddr,
    /// The first of five ports: police, civil affairs, health, court, control. 0: any free ones
    #[arg(long, value_name = "PORT", default_value_t = 9101)]
    port: u16,
    /// How many people
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(100..=2_000_000))]
    population: u32,
    /// The same seed makes the same people
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Milliseconds from an application to the court until its feedback is there
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 300)]
    court_delay: u64,
    /// Let this go wrong from the start, as over the control endpoint; OPERATION may be *. Can be repeated
    #[arg(long = "fault", value_name = "SOURCE.OPERATION=FAULT[,share=0.3][,millis=50]")]
    faults: Vec<FaultSetting>,
    /// The gateway that departments tell of events
    #[arg(long, value_name = "URL")]
    gateway: Option<GatewayAddress>,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let options = Options {
        population: arguments.population as usize,
        seed: arguments.seed,
        today: SystemClock.today(),
        listen: arguments.listen,
        ports: Some(arguments.port).filter(|port| *port > 0),
        court_delay: Duration::from_millis(arguments.court_delay),
        gateway: arguments.gateway.clone(),
        faults: arguments.faults.clone(),
    };
    let mut signals = Signals::catch()?;
    let simulator = signals.run(Simulator::start(options)).context("the departments cannot be started")?;
    for (source, address) in simulator.sources() {
        say(&format!("{source:<14} {address}"));
    }
    say(&format!("{:<14} {}", "control", simulator.control()));
    signals.wait();
    signals.run(simulator.stop());
    Ok(())
}
