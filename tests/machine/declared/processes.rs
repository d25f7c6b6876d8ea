//! `process`: real ones, counted.

use std::process::Command;

use support::processes::Kept;

use super::world::World;

/// What the real binary says of it: the processes that a test starts are no children of that.
fn look(world: &World, question: &str) -> String {
    world.home.write("housecall.toml", format!("[check.it]\n{question}\n"));
    let ran = world.home.housecall(["--json"]);
    let report = ran.report();
    let it = report.check("it");
    let value = |label: &str| {
        let evidence = it["evidence"].as_array().and_then(|it| it.iter().find(|it| it["label"] == label));
        evidence.and_then(|it| it["value"].as_str()).map(str::to_owned).unwrap_or_default()
    };
    match report.status("it") {
        "pass" => "pass".to_owned(),
        status => {
            let message = it["message"].as_str().unwrap_or_default();
            format!("{status}: {message}; expected {}; actual {}", value("expected"), value("actual"))
        }
    }
}

/// A process that no other test starts, known by its argument.
fn sleeper(world: &World, seconds: &str) -> Kept {
    Kept::start(Command::new("sleep").arg(seconds).current_dir(world.home.path()))
}

#[test]
fn processes_are_counted_by_name_and_command() {
    let world = World::new();
    let none = "process = { command = '^sleep 86321$' }";
    assert_eq!(look(&world, none), "fail: no `^sleep 86321$` process runs; expected at least 1; actual 0");
    // macOS hides what others' processes were started with.
    let uid = rustix::process::geteuid().as_raw();
    let absent = format!("process = {{ command = '^sleep 86321$', owner = '{uid}', absent = true }}");
    assert_eq!(look(&world, &absent), "pass");
    let (_one, _two) = (sleeper(&world, "86321"), sleeper(&world, "86321"));
    for good in [
        "name = 'sleep'",
        &format!("owner = '{uid}', count = {{ min = 2, max = 2 }}"),
        "directory = '~'",
        &format!("owner = '{uid}', directory = '.'"),
    ] {
        let question = format!("process = {{ command = '^sleep 86321$', {good} }}");
        assert_eq!(look(&world, &question), "pass", "{question}");
    }
    for (more, told) in [
        ("absent = true", "fail: 2 `^sleep 86321$` processes run; expected 0; actual 2"),
        ("count = { max = 1 }", "fail: 2 `^sleep 86321$` processes run; expected 1; actual 2"),
        ("count = { min = 3 }", "fail: 2 `^sleep 86321$` processes run; expected at least 3; actual 2"),
        ("name = 'snooze'", "fail: no `snooze` process runs; expected at least 1; actual 0"),
        ("directory = '/'", "fail: no `^sleep 86321$` process runs; expected at least 1; actual 0"),
        ("owner = '86321'", "fail: no `^sleep 86321$` process runs; expected at least 1; actual 0"),
        ("owner = 'no-such-user'", "fail: there is no user no-such-user; expected ; actual "),
    ] {
        let question = format!("process = {{ command = '^sleep 86321$', {more} }}");
        assert_eq!(look(&world, &question), told, "{question}");
    }
    assert_eq!(world.nowhere(none), "unknown: the test gave no `processes`");
}

#[test]
fn housecall_and_its_children_are_not_counted() {
    let world = World::new();
    let own = std::env::current_exe().unwrap();
    let name = own.file_name().unwrap().to_string_lossy();
    // Each test of this binary is a process of that name, so the argument tells this one.
    let _child = Kept::start(Command::new("sleep").arg("86322"));
    let uid = rustix::process::geteuid().as_raw();
    let absent = format!("process = {{ command = '^sleep 86322$', owner = '{uid}', absent = true }}");
    assert_eq!(world.look(&absent), "pass");
    let this = "housecall_and_its_children_are_not_counted";
    let question = format!("process = {{ name = '{name}', command = '{this}', absent = true }}");
    assert_eq!(world.look(&question), "pass");
}

#[test]
fn what_makes_no_sense_is_told() {
    let world = World::new();
    for (question, told) in [
        ("process = { owner = 'root' }", "no process is named"),
        ("process = { name = 'x', absent = true, count = { min = 1 } }", "there is no count"),
        ("process = { name = 'x', count = { min = 2, max = 1 } }", "`min` is more than `max`"),
        ("process = { name = 'x', count = { max = 0 } }", "`min` is 1 where it is not written"),
        ("process = { command = '(' }", "is no regular expression"),
    ] {
        assert!(world.mistakes(question).contains(told), "{question}");
    }
}
