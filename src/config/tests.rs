use super::*;

const PENSION: &str = "[[purposes]]\nid = \"pension\"\nname = \"养老金\"\n";

/// The embedded schemas, and these files.
fn load(files: &[(&str, &str)]) -> Result<Settings, Vec<String>> {
    let mut folder = Folder::embedded().with("config/heyan.toml", "");
    for (path, text) in files {
        folder = folder.with(path, text);
    }
    let (settings, wrong) = Settings::load(&folder);
    if wrong.is_empty() { Ok(settings.unwrap()) } else { Err(wrong.iter().map(ToString::to_string).collect()) }
}

fn agency(id: &str, token: &str, claims: &str, purposes: &str) -> String {
    let hash = TokenHash::of(token);
    format!(
        "[[agencies]]\nid = \"{id}\"\nname = \"甲\"\ntokens = [\"{hash}\"]\n\
         [[agencies.grants]]\nclaims = [{claims}]\npurposes = [{purposes}]\n"
    )
}

#[test]
fn the_embedded_file_says_the_defaults() {
    let shipped = Settings::load(&Folder::embedded()).0.unwrap();
    let bare = load(&[]).unwrap();
    assert_eq!(shipped.listen, bare.listen);
    assert_eq!(shipped.workers, bare.workers);
    assert_eq!(shipped.request_timeout, bare.request_timeout);
    assert_eq!(shipped.answer_within, Duration::from_secs(3));
    assert_eq!(shipped.answer_within, bare.answer_within);
    assert_eq!(shipped.shutdown_grace, bare.shutdown_grace);
    assert_eq!(shipped.fact_bytes, bare.fact_bytes);
    assert_eq!(shipped.verifications, bare.verifications);
    assert_eq!(shipped.verifications_for, bare.verifications_for);
    assert_eq!(shipped.idempotent_replies, bare.idempotent_replies);
    assert_eq!((shipped.pages, bare.pages), (Pages::default(), Pages::default()));
    assert_eq!((shipped.watch, bare.watch), (Policy::default(), Policy::default()));
    assert!(shipped.agencies.is_empty(), "nobody may ask before somebody is let in");
    assert!(shipped.purposes.len() >= 19);
}

#[test]
fn agencies_may_stand_in_files_of_their_own() {
    let settings = load(&[
        ("config/heyan.toml", PENSION),
        ("config/agencies/a.toml", &agency("a", "1", "\"alive/*\"", "\"pension\"")),
        ("config/agencies/b.toml", &agency("b", "2", "\"*\"", "\"*\"")),
    ])
    .unwrap();
    let Member { agency: a, tokens, .. } = &settings.agencies[0];
    assert_eq!(a.id.to_string(), "a");
    assert_eq!(tokens, &[TokenHash::of("1").into()]);
    assert_eq!(a.grants[0].purposes, Purposes::These(vec!["pension".parse().unwrap()]));
    assert_eq!(settings.agencies[1].agency.grants[0].purposes, Purposes::Every);
}

#[test]
fn everything_wrong_is_told_at_once_with_its_line() {
    let text = [
        "not_connected = [\"vehicles\"]\n[server]\nlisten = \"localhost:80\"\nanswer_within = \"2h\"\n",
        "request_timeout = \"0s\"\n[memory]\nverifications_for = \"9999999h\"\n",
        PENSION,
        PENSION,
        &agency("a", "1", "\"alive/alive\"", "\"pensoin\""),
        &agency("a", "2", "\"alive/-\"", "\"*\""),
        &agency("b", "1", "\"*\"", "\"*\""),
    ]
    .concat();
    let mut told = load(&[("config/heyan.toml", &text)]).unwrap_err();
    told.sort_by_key(|line| line.split(':').nth(1).unwrap().parse::<usize>().unwrap());
    let expected = [
        "h.toml:3: not an address and port",
        "h.toml:4: not a length of time of 1h at most",
        "h.toml:5: not a length of time of 1h at most",
        "h.toml:7: not a length of time of 720h at most",
        "h.toml:12: the purpose \"pension\" is there already",
        "h.toml:20: unknown purpose \"pensoin\"; did you mean \"pension\"?",
        "h.toml:22: the agency \"a\" is there already",
        "h.toml:26: say \"matter/claim\", \"matter/*\" or \"*\"",
        "h.toml:31: the agency \"a\" has the same token",
    ];
    assert_eq!(told.len(), expected.len(), "{told:#?}");
    for (told, expected) in told.iter().zip(expected) {
        assert!(told.replace("config/heyan.toml", "h.toml").starts_with(expected), "{told} is not {expected}");
    }
}

#[test]
fn a_ledger_has_an_origin_that_notes_can_hold() {
    let origin = |text: &str| load(&[("config/heyan.toml", text)]).map(|settings| settings.origin.to_string());
    assert_eq!(origin(""), Ok("heyan/ledger".to_owned()));
    assert_eq!(origin("[ledger]\norigin = \"a.gov.cn/账本\"\n"), Ok("a.gov.cn/账本".to_owned()));
    for wrong in ["", "a b", "a+b", "a\\u3000b", "a\\u0007"] {
        let told = origin(&format!("[ledger]\norigin = \"{wrong}\"\n")).unwrap_err();
        assert!(told.len() == 1 && told[0].starts_with("config/heyan.toml:2: "), "{told:#?}");
    }
}

#[test]
fn what_must_survive_is_in_a_folder_or_in_memory() {
    let told = load(&[("config/heyan.toml", "[durable]\nfolder = \"/x\"\nin_memory = true\n")]).unwrap_err();
    assert!(told.len() == 1 && told[0].starts_with("config/heyan.toml:3: there is a folder too"), "{told:#?}");
    let settings = load(&[("config/heyan.toml", "[durable]\nin_memory = true\n")]).unwrap();
    assert!(settings.in_memory && settings.data_dir.is_none());
}

#[test]
fn a_broken_file_is_told_alone() {
    let told = load(&[
        ("config/heyan.toml", &format!("[server]\nlisten = 5\n{PENSION}")),
        ("config/agencies/a.toml", &agency("a", "1", "\"*\"", "\"pension\"")),
    ])
    .unwrap_err();
    assert_eq!(told.len(), 1, "{told:#?}");
    assert!(told[0].starts_with("config/heyan.toml:2: \"listen\" has the wrong type"), "{told:#?}");
}

#[test]
fn an_agencys_file_holds_agencies_and_purposes_alone() {
    let told = load(&[("config/agencies/a.toml", "[server]\nworkers = 2\n")]).unwrap_err();
    assert!(
        told[0].starts_with("config/agencies/a.toml:1: unknown key \"server\"; valid: agencies, purposes"),
        "{told:#?}"
    );
}

#[test]
fn keys_and_tokens_that_are_none_are_refused() {
    let told = load(&[("config/heyan.toml", "[server]\nworker = 2\n")]).unwrap_err();
    assert!(told[0].contains("did you mean \"workers\"?"), "{told:#?}");
    let plain = agency("a", "1", "\"*\"", "\"*\"").replace("sha256:", "sha512:");
    let told = load(&[("config/heyan.toml", &plain)]).unwrap_err();
    assert!(told[0].starts_with("config/heyan.toml:4: "), "{told:#?}");
    assert!(told[0].contains("64 lower-case hexadecimal digits"), "{told:#?}");
}

#[test]
fn a_grant_says_its_days_and_demands_and_limits() {
    let terms = "valid_from = \"2026-01-01\"\nvalid_until = \"2026-12-31\"\ndemands = [\"case\", \"legal-basis\"]\nper_minute = 6\nper_day = 100\n";
    let settings = load(&[("config/heyan.toml", &(agency("a", "1", "\"*\"", "\"*\"") + terms))]).unwrap();
    let (valid_from, valid_until) = (Some(jiff::civil::date(2026, 1, 1)), Some(jiff::civil::date(2026, 12, 31)));
    let demands = Particulars { officer: false, case: true, legal_basis: true };
    let expected = Terms { valid_from, valid_until, demands, per_minute: Some(6), per_day: Some(100) };
    assert_eq!(settings.agencies[0].agency.grants[0].terms, expected);
    for (line, message) in [
        ("valid_from = \"2026-02-30\"", "not a day; write it such as"),
        ("valid_until = \"2026-01-01\"\nvalid_from = \"2026-01-02\"", "the grant ends before it begins, on 2026-01-02"),
        ("demands = [\"offcer\"]", "did you mean \"officer\"?"),
        ("per_day = 0", "per_day"),
        ("per_hour = 1", "unknown key \"per_hour\""),
    ] {
        let told = load(&[("config/heyan.toml", &(agency("a", "1", "\"*\"", "\"*\"") + line))]).unwrap_err();
        assert!(
            told.len() == 1 && told[0].starts_with("config/heyan.toml:8: ") && told[0].contains(message),
            "{told:#?}"
        );
    }
}

#[test]
fn the_watch_is_set_bound_by_bound() {
    let text = "[watch]\nnames = { slow = 1, stop = 2 }\ndelay = \"100ms\"\n[watch.officer]\nsubjects_1h = { slow = 5, stop = 6 }\n";
    let watch = load(&[("config/heyan.toml", text)]).unwrap().watch;
    let default = Policy::default();
    assert_eq!((watch.names.slow, watch.names.stop, watch.delay), (1, 2, Duration::from_millis(100)));
    assert_eq!((watch.officer.subjects[1].slow, watch.officer.subjects[1].stop), (5, 6));
    assert_eq!((watch.officer.subjects[0], watch.agency), (default.officer.subjects[0], default.agency));
    let text = "[watch]\nnames = { slow = 3, stop = 2 }\ndelay = \"2m\"\n[watch.agency]\nmismatch = { slow = 9, stop = 8, of = 1 }\n";
    let mut told = load(&[("config/heyan.toml", text)]).unwrap_err();
    told.sort();
    let expected = [
        "config/heyan.toml:2: \"stop\" is less than \"slow\"",
        "config/heyan.toml:3: not a length of time of 1m at most",
        "config/heyan.toml:5: \"stop\" is less than \"slow\"",
    ];
    assert_eq!(told.len(), 3, "{told:#?}");
    assert!(told.iter().zip(expected).all(|(told, expected)| told.starts_with(expected)), "{told:#?}");
}
