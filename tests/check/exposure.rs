//! What a source's file lets others see.

use std::process::Command;

use heyan::config::Folder;
use heyan::server::Installation;
use heyan::sources::Description;

use super::{Overlay, line_of};

/// A department that is asked by GET with the number in its path, as some are.
fn source(address: &str, path: &str, more: &str) -> String {
    format!(
        "id = \"vehicles\"\nname = \"车辆\"\naddress = \"{address}\"\n{more}\nauthentication = {{ kind = \"none\" }}\n\
         envelope = {{}}\n[operations.holdings]\nmethod = \"GET\"\n{path}\n\
         schema = \"vehicles/holdings.json\"\ncache = {{ found = \"1m\", no_record = \"1m\" }}\nabout.at = [\"/id\"]\n\
         fact = {{ name = \"vehicles\", fields.holds.value = true }}\n"
    )
}

fn overlay(source: &str) -> Overlay {
    let overlay = Overlay::new();
    overlay.write("config/sources/vehicles.toml", source);
    let schema = r#"{"properties": {"id": {"type": "string"}}}"#;
    overlay.write("schemas/sources/vehicles/holdings.json", schema);
    overlay
}

/// What is said of a source that loads: the lines and their words.
fn warnings(source: &str) -> Vec<(usize, String)> {
    let overlay = overlay(source);
    let folder = Folder::embedded().overlay(&overlay.0).unwrap();
    let loaded = Installation::load(&folder, &|name| (!name.ends_with("ADDRESS")).then(|| "s".to_owned()));
    let installation = loaded.unwrap_or_else(|errors| panic!("{errors:#?}"));
    let warnings = installation.descriptions.iter().flat_map(Description::warnings);
    warnings.map(|warning| (warning.line.unwrap(), warning.message.clone())).collect()
}

#[test]
fn what_others_can_see_is_told_and_loads() {
    let (here, there) = ("http://127.0.0.1:1", "http://10.0.0.1");
    let by_path = "path = \"/persons/{id_number}\"";
    let by_query = "path = \"/persons\"\nquery = { born = \"{birth_date}\", call = \"{request_id}\" }";
    for (address, path, more, told) in [
        (here, by_path, "", &[("path =", "{id_number}"), ("", "allow = [\"personal-url\"]")][..]),
        (here, by_query, "", &[("query =", "{birth_date}")]),
        (there, "path = \"/persons\"", "", &[("address =", "in the clear"), ("", "allow = [\"plain-http\"]")]),
        (there, by_path, "allow = [\"plain-http\"]", &[("path =", "{id_number}")]),
        (there, by_path, "allow = [\"personal-url\"]", &[("address =", "Write https://")]),
        (there, by_path, "allow = [\"plain-http\", \"personal-url\"]", &[]),
        ("https://10.0.0.1", "path = \"/{request_id}/{sex}\"", "", &[]),
    ] {
        let text = source(address, path, more);
        let found = warnings(&text);
        assert_eq!(found.is_empty(), told.is_empty(), "{text}: {found:#?}");
        for (line, words) in told {
            let is_there = |(at, message): &(usize, String)| {
                message.contains(words) && (line.is_empty() || *at == line_of(&text, line))
            };
            assert!(found.iter().any(is_there), "{line} {words}: {found:#?}");
        }
    }
    let both = warnings(&source(there, by_path, ""));
    assert_eq!(both.len(), 2, "{both:#?}");
}

#[test]
fn the_shipped_departments_let_nobody_see_anything() {
    // They are loaded beside it.
    assert!(warnings(&source("https://10.0.0.1", "path = \"/persons\"", "")).is_empty());
}

#[test]
fn heyan_check_shows_it_and_is_content() {
    let overlay = overlay(&source("http://10.0.0.1", "path = \"/persons/{name}\"", ""));
    let output =
        Command::new(env!("CARGO_BIN_EXE_heyan")).arg("check").arg("--overlay").arg(&overlay.0).output().unwrap();
    let (said, log) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert_eq!(output.status.code(), Some(0), "{said} {log}");
    assert!(said.contains("no errors, 2 warnings"), "{said}");
    assert!(log.contains("vehicles.toml:3: ") && log.contains("plain-http"), "{log}");
    assert!(log.contains("{name} stands in the address") && log.contains("personal-url"), "{log}");
}
