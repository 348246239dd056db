use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

use crate::house::user;
use crate::scene::{PASSWORD, Scene};

fn account(scene: &Scene, arguments: &[&str], input: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_heyan"));
    command.arg("account").args(arguments).arg("--data-dir").arg(scene.data());
    let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // It may have ended without reading.
    let _ = process.stdin.take().unwrap().write_all(input.as_bytes());
    process.wait_with_output().unwrap()
}

fn said(output: &Output) -> String {
    [&output.stdout[..], &output.stderr[..]].map(|bytes| String::from_utf8_lossy(bytes).into_owned()).concat()
}

#[tokio::test]
async fn accounts_are_made_and_changed_beside_a_running_gateway() {
    let scene = Scene::new().await;
    let arguments = ["new", "Zhao", "--role", "operator", "--name", "赵工", "--json"];
    let made = account(&scene, &arguments, "a line of my own\n");
    assert!(made.status.success(), "{}", said(&made));
    let shown: Value = serde_json::from_slice(&made.stdout).unwrap();
    assert_eq!((&shown["user"], &shown["role"], &shown["name"]), (&json!("zhao"), &json!("operator"), &json!("赵工")));
    assert_eq!(scene.browser().sign_in("zhao", "a line of my own").await.status, 303);

    assert!(account(&scene, &["password", "zhao"], "another line of mine\n").status.success());
    assert_eq!(scene.browser().sign_in("zhao", "a line of my own").await.status, 422);
    let mut browser = scene.browser();
    assert_eq!(browser.sign_in("zhao", "another line of mine").await.status, 303);
    assert!(account(&scene, &["disable", "zhao"], "").status.success());
    assert_eq!(browser.who().await, None, "out at once");
    let listed = account(&scene, &["list"], "");
    let text = said(&listed);
    assert!(text.contains("zhao") && text.contains("赵工") && text.contains("disabled"), "{text}");
    assert!(account(&scene, &["enable", "zhao"], "").status.success());
    let listed: Value = serde_json::from_slice(&account(&scene, &["list", "--json"], "").stdout).unwrap();
    let users: Vec<&Value> = listed["accounts"].as_array().unwrap().iter().map(|known| &known["user"]).collect();
    assert_eq!(users, [&json!("li"), &json!("wang"), &json!("zhao")]);
    assert!(!listed.to_string().contains("hash") && !listed.to_string().contains("salt"));
}

#[tokio::test]
async fn what_cannot_be_is_said_and_changes_nothing() {
    let scene = Scene::new().await;
    for (arguments, input, told) in [
        (&["new", "wang", "--role", "operator"][..], PASSWORD, "already"),
        (&["new", "zhao", "--role", "operator"], "short", "12 characters"),
        (&["new", "zhao", "--role", "operator"], "", "no password"),
        (&["new", "zhao", "--role", "operator", "--agency", "x"], PASSWORD, "--agency"),
        (&["new", "zhao", "--role", "committee"], PASSWORD, "--agency"),
        (&["new", "zhao", "--role", "mayor"], PASSWORD, "committee, operator or supervisor"),
        (&["new", "赵", "--role", "operator"], PASSWORD, "user name"),
        (&["disable", "nobody"], "", "no account of nobody"),
        (&["password", "nobody"], PASSWORD, "no account of nobody"),
    ] {
        let refused = account(&scene, arguments, input);
        assert_eq!(refused.status.code(), Some(2), "{arguments:?}: {}", said(&refused));
        assert!(said(&refused).contains(told), "{arguments:?}: {}", said(&refused));
    }
    assert_eq!(scene.desk().accounts().await.unwrap().len(), 2);
    assert!(scene.desk().account(&user("wang")).await.unwrap().unwrap().disabled.is_none());
}

/// Runs a program on a terminal of its own up to its question, and tells whether the terminal shows what is typed: while it is asked,
/// and after Ctrl-C.
const TERMINAL: &str = r#"
import fcntl, os, pty, subprocess, sys, termios
master, slave = pty.openpty()
shows = lambda: bool(termios.tcgetattr(slave)[3] & termios.ECHO)
child = subprocess.Popen(sys.argv[1:], stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
                         preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
said = b""
while b"Password: " not in said:
    said += os.read(master, 1000)
asked = shows()
os.write(master, b"half a word\x03")
print(asked, child.wait(60), shows())
while b"nothing was changed" not in said:
    said += os.read(master, 1000)
assert b"half a word" not in said, said
"#;

#[tokio::test]
async fn whoever_stops_at_the_password_gets_the_terminal_back() {
    let scene = Scene::new().await;
    let mut command = Command::new("python3");
    command.args(["-c", TERMINAL, env!("CARGO_BIN_EXE_heyan"), "account", "new", "zhao", "--role", "operator"]);
    let output = command.arg("--data-dir").arg(scene.data()).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "False 3 True\n", "{}", said(&output));
    assert_eq!(scene.desk().accounts().await.unwrap().len(), 2);
}
