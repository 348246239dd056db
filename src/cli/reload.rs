use std::path::PathBuf;

use clap::Args;

use super::{Failure, running, say};

#[derive(Args)]
pub(super) struct Arguments {
    /// The folder where the running gateway keeps what must survive a restart
    #[arg(long, value_name = "DIR")]
    data_dir: PathBuf,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    match running::tell_to_reload(&arguments.data_dir)? {
        Ok(rules) => {
            say(&format!("the new configuration has taken over; rules {rules}"));
            Ok(())
        }
        Err(wrong) => Err(Failure::Refused(wrong)),
    }
}
