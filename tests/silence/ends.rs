//! How the program ends badly, and what is left of it then.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, ExitStatus, Stdio};

use super::people::{People, text};
use super::town::{Departments, Gateway, agency, is_named};

/// The name that a child of this test panics with.
const NAME: &str = "HEYAN_TEST_NAME";

#[test]
fn a_panic_tells_its_place_and_not_its_words() {
    let name = "欧阳建国";
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "ends::a_child_panics", "--nocapture"])
        .env(NAME, name)
        .env("RUST_BACKTRACE", "full")
        .output()
        .unwrap();
    let said = String::from_utf8([child.stdout, child.stderr].concat()).unwrap();
    assert!(!child.status.success(), "{said}");
    assert!(said.contains("panicked at") && said.contains("ends.rs:"), "{said}");
    assert!(said.contains("a_child_panics"), "with the way there: {said}");
    for character in name.chars() {
        assert!(!said.contains(character), "{said}");
    }
}

/// Does nothing unless the test above has started it.
#[test]
fn a_child_panics() {
    let Ok(name) = std::env::var(NAME) else { return };
    heyan::cli::tell_panics_by_place();
    // The standard library's words for that repeat the whole text.
    println!("{}", &name[..1]);
}

#[tokio::test]
async fn a_gateway_that_crashes_leaves_no_core_file() {
    let departments = Departments::start(&["--population", "300"]);
    let mut gateway = Gateway::started(&departments, &[agency("fund", true, "")], &[]).await;
    let people = People::new(departments.population().await);
    let living: Vec<_> = people.all.iter().filter(|person| person["died"].is_null()).take(40).collect();
    for person in &living {
        assert_eq!(gateway.ask("fund", &is_named(person), &[]).await.status, 200);
    }
    let process = gateway.process.as_ref().unwrap().id();
    let limits = fs::read_to_string(format!("/proc/{process}/limits")).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().skip(4).take(2).collect::<Vec<_>>(), ["0", "0"], "{core}");
    // What is remembered is in memory as it is: that is why nobody but root may read it.
    let is_root = fs::metadata("/proc/self").unwrap().uid() == 0;
    match memory(process) {
        Some(memory) => {
            assert!(is_root, "another program of the same user can read the memory");
            let named = people.scanner.find_among_sealed(&memory);
            let named = living.iter().filter(|person| {
                let name = format!("name {}", people.index(text(person, "id_number")));
                named.iter().any(|(label, _)| *label == name)
            });
            let named = named.count();
            println!("{named} of {} names are in {} bytes of memory", living.len(), memory.len());
            assert!(named > 0, "SECURITY.md says that memory holds names");
        }
        None => println!("the memory cannot be read"),
    }
    // Where the test may raise the limit again, there is none all the same.
    let raised = Command::new("prlimit").args(["--pid", &process.to_string(), "--core=unlimited:unlimited"]).output();
    println!("the limit could be raised: {}", raised.unwrap().status.success());
    gateway.signal("ABRT");
    let ended = gateway.ended().await;
    assert!(ended.signal() == Some(6) && !ended.core_dumped(), "{ended:?}");
    println!("another program leaves one here: {:?}", another_crashes().map(|ended| ended.core_dumped()));
}

/// All memory of a process that can be written; `None`: it cannot be read.
fn memory(process: u32) -> Option<Vec<u8>> {
    use std::os::unix::fs::FileExt as _;

    let file = fs::File::open(format!("/proc/{process}/mem")).ok()?;
    let maps = fs::read_to_string(format!("/proc/{process}/maps")).ok()?;
    let mut all = Vec::new();
    for line in maps.lines().filter(|line| line.contains(" rw")) {
        let (from, to) = line.split(' ').next().unwrap().split_once('-').unwrap();
        let (from, to) = (u64::from_str_radix(from, 16).unwrap(), u64::from_str_radix(to, 16).unwrap());
        let mut page = [0; 4096];
        // Pages that nobody has touched are zeros.
        for at in (from..to).step_by(4096) {
            if file.read_exact_at(&mut page, at).is_ok() && page != [0; 4096] {
                all.extend_from_slice(&page);
            }
        }
    }
    Some(all)
}

/// A program that forbids nothing crashes with the same limit; `None`: this machine does not let the limit be raised.
fn another_crashes() -> Option<ExitStatus> {
    let folder = std::env::temp_dir().join(format!("heyan-core-{}", uuid::Uuid::now_v7()));
    fs::create_dir_all(&folder).unwrap();
    let mut child = Command::new("sh");
    child.args(["-c", "ulimit -c unlimited && kill -s ABRT $$"]).current_dir(&folder).stderr(Stdio::null());
    let ended = child.status().unwrap();
    fs::remove_dir_all(&folder).unwrap();
    (ended.signal() == Some(6)).then_some(ended)
}
