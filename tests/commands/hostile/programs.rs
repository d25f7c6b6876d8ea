//! A configuration that came with a repository runs none of its programs, whichever verb is called; and `trust` shows
//! each of them before it may.

use super::world::{Clone, harmless};

/// Every way of the configuration to have a program run.
const EVERYTHING: &str = r#"
include = ["checks/*.toml"]
[check.look]
command = { run = ["touch", "MARKS/look"] }
[check.script]
command = { script = "true # harmless\ntouch MARKS/script" }
[check.mended]
command = { run = ["false"] }
fix = { run = ["touch", "MARKS/fix"], safety = "safe", env = { LD_PRELOAD = "./evil.so" } }
[check.risky]
command = { run = ["false"] }
fix = { script = "touch MARKS/risky-fix", safety = "risky", directory = "/" }
"#;

const INCLUDED: &str = r#"
[check.included]
command = { run = ["touch", "MARKS/included"] }
fix = { run = ["touch", "MARKS/included-fix"], safety = "safe" }
"#;

fn everything() -> Clone {
    let clone = Clone::new("");
    let home = &clone.mirror.home;
    let marks = home.at("marks").display().to_string();
    let file = clone.mirror.repository.join("housecall.toml");
    let text = std::fs::read_to_string(&file).expect("the configuration");
    let text = text
        .replacen(
            "install = []",
            &format!("install = [\"touch\", \"{marks}/install\"]\nbuild = [\"touch\", \"{marks}/build\"]"),
            1,
        )
        .replacen(
            "static = \"public\"",
            &format!(
                "run = [\"touch\", \"{marks}/serve\"]\nenv = {{ NODE_OPTIONS = \"--require ./evil.js\" }}"
            ),
            1,
        );
    let (include, rest) = EVERYTHING.trim_start().split_once('\n').expect("two lines");
    home.write("dev/site/housecall.toml", format!("{include}\n{text}{}", rest.replace("MARKS", &marks)));
    home.write("dev/site/checks/more.toml", INCLUDED.replace("MARKS", &marks));
    home.write("dev/site/package-lock.json", "{}");
    clone.commit();
    clone
}

const VERBS: [&[&str]; 24] = [
    &["--json"],
    &["-v"],
    &["--fix"],
    &["--fix", "--risky", "--yes"],
    &["--fix", "--dry-run"],
    &["sync"],
    &["sync", "--scheduled"],
    &["serve"],
    &["up"],
    &["up", "--detach"],
    &["down"],
    &["restart"],
    &["reload"],
    &["install"],
    &["install", "--adopt"],
    &["uninstall"],
    &["start"],
    &["rescued"],
    &["logs"],
    &["checks"],
    &["explain", "mended"],
    &["explain", "included"],
    &["bundle", "--output", "../../bundle.tar.gz"],
    &["check", "--wait", "1s"],
];

#[test]
fn nothing_runs_before_it_is_trusted_whichever_verb_is_called() {
    let clone = everything();
    for verb in VERBS {
        let ran = clone.run(verb);
        assert_eq!(clone.marks(), [""; 0], "{verb:?} ran a program of the repository\n{ran}");
        harmless(&ran);
        assert!(!clone.mirror.state().exists(), "{verb:?} wrote where the repository says");
        assert!(!clone.mirror.worktree().exists(), "{verb:?} made a worktree");
    }
    let report = clone.run(&["--json"]).report();
    for unit in ["look", "script", "mended", "risky", "included"] {
        assert_eq!(report.saw(unit), "unknown", "{}", report.troubles());
    }
}

#[test]
fn trust_shows_every_program_of_every_file_and_what_is_shown_is_what_runs() {
    let clone = everything();
    let told = clone.run(&["trust"]).exits(0);
    for shown in [
        "marks/install",
        "marks/build",
        "marks/serve",
        "NODE_OPTIONS=",
        "tools",
        "marks/look",
        "marks/fix",
        "LD_PRELOAD=",
        "marks/risky-fix",
        "marks/included",
        "marks/included-fix",
    ] {
        assert!(told.stdout.contains(shown), "{shown} is not shown\n{told}");
    }
    // What follows a comment is no part of it: each line of a script stands on its own.
    let script = told.stdout.lines().find(|line| line.contains("marks/script")).expect("the script is shown");
    assert!(!script.contains('#'), "it reads as a comment: {script}");
    let _ = clone.run(&["--json"]).report();
    assert!(clone.marks().contains(&"included".to_owned()), "this test can fail: {:?}", clone.marks());
}

/// By waiting nothing becomes trusted: this would never end.
#[test]
fn what_is_not_trusted_is_not_waited_for() {
    let clone = everything();
    let ran = clone.run(&["--wait", "100h", "--only", "look"]).exits(3);
    harmless(&ran);
}

#[test]
fn a_change_of_an_included_file_asks_again() {
    let clone = everything();
    let _ = clone.run(&["trust"]).exits(0);
    let file = clone.mirror.repository.join("checks/more.toml");
    let text = std::fs::read_to_string(&file).expect("the included file");
    std::fs::write(&file, text.replace("marks/included\"", "marks/other\"")).expect("it changes");
    let report = clone.run(&["--json"]).report();
    assert_eq!(report.saw("included"), "unknown", "{}", report.troubles());
    assert_eq!(report.saw("look"), "unknown", "one file that is not trusted takes all with it");
    // A new one beside it is part of the configuration too.
    std::fs::write(
        &file,
        std::fs::read_to_string(&file).expect("it").replace("marks/other\"", "marks/included\""),
    )
    .expect("it is as it was");
    clone.mirror.home.write("dev/site/checks/new.toml", "[check.new]\ncommand = { run = [\"true\"] }\n");
    clone.commit();
    assert_eq!(clone.run(&["--json"]).report().saw("look"), "unknown");
    let told = clone.run(&["trust"]).exits(0);
    assert!(told.stdout.contains("new"), "{told}");
}
