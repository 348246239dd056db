use clap::Subcommand;

use super::{Failure, say};
use crate::access::Token;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Make a bearer token: give the token to the agency, and put its hash into the configuration
    New,
}

pub(super) fn run(command: &Command) -> Result<(), Failure> {
    match command {
        Command::New => {
            let token = Token::generate()?;
            say(&format!("token  {}", token.reveal()));
            say(&format!("hash   {}", token.hash()));
            Ok(())
        }
    }
}
