use std::path::PathBuf;

use clap::Args;

use super::{Failure, check, say};
use crate::server::Installation;

#[derive(Args)]
pub(super) struct Arguments {
    /// What is demanded, in whatever words: 单身证明, "银行要证明我妈是我妈", hyzk
    text: String,
    /// The gateway's file. Without it: the embedded defaults
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let folder = check::folder(arguments.config.as_deref(), &[])?;
    let installation =
        Installation::load(&folder, &|name| std::env::var(name).ok().or_else(|| super::demo::secret(name)))
            .map_err(Failure::Configuration)?;
    let answer = crate::api::triage_answer(&installation.catalog, &installation.triage, &arguments.text, false);
    if arguments.json {
        say(&answer.to_string());
    } else {
        print(&answer);
    }
    // No: there is nothing that the text could mean.
    let found =
        answer["matters"].as_array().is_some_and(|matters| !matters.is_empty()) || !answer["retained"].is_null();
    if found { Ok(()) } else { Err(Failure::No) }
}

fn print(answer: &serde_json::Value) {
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    say(match answer["decision"].as_str() {
        Some("prohibited") => "村（居）民委员会不出具",
        Some("retained") => "保留事项：村（居）民委员会依办事指南出具",
        _ => "清单中没有此项：请索要证明的单位说明依据",
    });
    for matter in answer["matters"].as_array().into_iter().flatten() {
        say(&format!("  {:>4}  {}（{}）", matter["score"], text(&matter["name"]), text(&matter["id"])));
    }
    for step in [&answer["guidance"]["steps"], &answer["retained"]["steps"]]
        .into_iter()
        .filter_map(|steps| steps.as_array())
        .flatten()
    {
        say(&format!("  · {}", text(step)));
    }
}
