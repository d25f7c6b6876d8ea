//! The keeper goes by its configuration as it is now, not as it was when it began.
#![expect(clippy::disallowed_methods, reason = "a test sets the world up, and looks at it with its own eyes")]

use std::fs;
use std::time::{Duration, SystemTime};

use support::Mirror;
use support::processes::eventually;
use support::servers::free_port;

const SOON: Duration = support::processes::HANG;

fn up() -> Mirror {
    let mirror = Mirror::fixed();
    let _ = mirror.run(&["up", "--detach"]).exits(0);
    mirror.settle();
    mirror
}

/// What the keeper wrote down of itself.
fn kept(mirror: &Mirror) -> serde_json::Value {
    let text = fs::read_to_string(mirror.state().join("keeper.json")).unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_default()
}

fn said(mirror: &Mirror) -> String {
    fs::read_to_string(mirror.state().join("logs/keeper.log")).unwrap_or_default()
}

#[test]
fn another_period_is_named_and_mended_without_touching_the_server() {
    let mirror = up();
    let (keeper, server) = (kept(&mirror)["pid"].clone(), mirror.listener());
    mirror.configure("every = \"1h\"", "every = \"1s\"");
    let report = mirror.examine().caused_by("job-drift:sync");
    let told = report.told("job-drift:sync");
    assert!(told.contains("syncs every 60 min, and the configuration says every 1 s"), "{told}");
    let shown = mirror.run(&["--fix", "--dry-run"]).exits(1).stdout;
    assert!(shown.contains("housecall up --detach"), "{shown}");
    assert_eq!(kept(&mirror)["keeps"]["every_ms"], 3_600_000, "it is only shown");
    let _ = mirror.run(&["--fix", "--wait", "30s"]).exits(0);
    assert_eq!((kept(&mirror)["pid"].clone(), mirror.listener()), (keeper, server), "the same processes");
    let _ = mirror.publish("public/index.html", "The first text", "The first text, and more");
    assert!(eventually(SOON, || mirror.page("/").contains("and more")), "each second: {}", said(&mirror));
    let _ = mirror.run(&["down"]).exits(0);
}

/// What would not start again goes on serving: only who says so has it ended.
#[test]
fn a_server_that_runs_is_not_ended_for_a_node_that_does_not_start() {
    let mirror = up();
    let server = mirror.listener();
    breaks_node(&mirror);
    let ran = mirror.run(&["--fix", "--json"]).exits(1);
    let report = ran.report();
    assert_eq!(report.causes(), ["runtime-version:node", "job-drift:serve"], "{}", report.troubles());
    assert!(mirror.page("/").contains("The first text"), "{ran}");
    assert_eq!(mirror.listener(), server, "the same process");
    let shown = mirror.run(&["--fix", "--dry-run"]).exits(1).stdout;
    assert!(shown.contains("risky"), "{shown}");
    let ran = mirror.run(&["--fix", "--risky", "--yes", "--json"]);
    assert_eq!(ran.report().causes(), ["runtime-version:node"], "{ran}");
    assert_ne!(mirror.listener(), server, "who says so has it ended: {ran}");
    let _ = mirror.run(&["down"]).exits(0);
}

/// A configuration whose node does not start.
fn breaks_node(mirror: &Mirror) {
    let _ = mirror.home.program("broken/node", "#!/bin/sh\nexit 1\n");
    let place = mirror.home.at("broken");
    let runtime = format!("[runtime]\nnode = \">=20\"\npath = [\"{}\"]\n\n[mirror]", place.display());
    mirror.configure("[mirror]", &runtime);
}

#[test]
fn by_itself_a_keeper_does_not_end_a_server_for_a_node_that_does_not_start() {
    let mirror = Mirror::fixed();
    mirror.configure("every = \"1h\"", "every = \"1s\"");
    let _ = mirror.run(&["up", "--detach"]).exits(0);
    mirror.settle();
    let server = mirror.listener();
    breaks_node(&mirror);
    let why = || kept(&mirror)["unfollowed"]["why"].as_str().unwrap_or_default().to_owned();
    assert!(eventually(SOON, || why().contains("`node`, and it does not start")), "{}", said(&mirror));
    assert!(mirror.page("/").contains("The first text"));
    let report = mirror.examine();
    let told = report.told("job-drift:serve");
    assert!(told.contains("not followed") && told.contains("would not start again"), "{told}");
    let asked = mirror.run(&["up", "--detach"]);
    assert!(format!("{}{}", asked.stdout, asked.stderr).contains("would not start again"), "{asked}");
    assert_eq!(mirror.listener(), server, "the same process: {}", said(&mirror));
    let _ = mirror.home.program("broken/node", "#!/bin/sh\necho v22.1.0\n");
    assert!(eventually(SOON, || kept(&mirror)["unfollowed"].is_null()), "{}", said(&mirror));
    assert!(eventually(SOON, || mirror.listener().is_some_and(|it| Some(it) != server)), "{}", said(&mirror));
    let _ = mirror.run(&["down"]).exits(0);
}

#[test]
fn another_address_is_named_and_served_and_the_old_one_is_free() {
    let mut mirror = up();
    let (keeper, old) = (kept(&mirror)["pid"].clone(), mirror.port);
    mirror.port = free_port();
    mirror.configure(&format!("127.0.0.1:{old}"), &format!("127.0.0.1:{}", mirror.port));
    let report = mirror.examine();
    assert!(report.causes().contains(&"job-drift:serve"), "{}", report.troubles());
    let told = report.told("job-drift:serve");
    assert!(told.contains(&old.to_string()) && told.contains(&mirror.port.to_string()), "{told}");
    let _ = mirror.mend().healthy();
    assert!(mirror.page("/").contains("The first text"));
    assert_eq!(support::processes::listening(old), None, "nobody is left there");
    assert_eq!(kept(&mirror)["pid"], keeper, "the same keeper");
    let _ = mirror.run(&["down"]).exits(0);
}

#[test]
fn before_each_sync_it_looks_by_itself_and_what_makes_no_sense_is_told_and_left() {
    let mirror = Mirror::fixed();
    mirror.configure("every = \"1h\"", "every = \"1s\"");
    let _ = mirror.run(&["up", "--detach"]).exits(0);
    let (keeper, server) = (kept(&mirror)["pid"].clone(), mirror.listener());
    mirror.configure("every = \"1s\"", "evary = \"2s\"");
    let words = "the configuration is not followed";
    assert!(eventually(SOON, || said(&mirror).contains(words)), "{}", said(&mirror));
    mirror.configure("evary = \"2s\"", "every = \"2s\"");
    assert!(eventually(SOON, || kept(&mirror)["keeps"]["every_ms"] == 2_000), "{}", said(&mirror));
    assert_eq!(said(&mirror).matches(words).count(), 1, "once: {}", said(&mirror));
    assert_eq!((kept(&mirror)["pid"].clone(), mirror.listener()), (keeper, server), "the same processes");
    let _ = mirror.run(&["--wait", "30s"]).exits(0);
    let _ = mirror.run(&["down"]).exits(0);
}

#[test]
fn one_that_was_put_in_place_with_an_older_time_is_followed_as_well() {
    let mirror = up();
    let (keeper, server) = (kept(&mirror)["pid"].clone(), mirror.listener());
    mirror.configure("ready = {", "env = { MODE = \"two\" }\nready = {");
    // As `mv`, `cp -p` and `rsync -a` leave it.
    let file = fs::File::options().write(true).open(&mirror.config).expect("the configuration");
    file.set_modified(SystemTime::now() - Duration::from_hours(1)).expect("its time");
    let _ = mirror.examine().caused_by("job-drift:serve");
    let _ = mirror.mend().healthy();
    assert_ne!(mirror.listener(), server, "the server was started anew: {}", said(&mirror));
    assert_eq!(kept(&mirror)["pid"], keeper, "the same keeper");
    let _ = mirror.run(&["down"]).exits(0);
}

#[test]
fn variables_are_the_keepers_own_and_one_that_it_lacks_is_told_at_once() {
    let mut mirror = Mirror::fixed();
    for tools in ["one", "two"] {
        let _ = mirror.home.write(format!("{tools}/bin/nothing"), "");
    }
    mirror.configure("[mirror]", "[runtime]\npath = [\"${TOOLS}/bin\"]\n\n[mirror]");
    mirror.home.set("TOOLS", mirror.home.at("one"));
    let _ = mirror.run(&["up", "--detach"]).exits(0);
    mirror.settle();
    mirror.home.set("TOOLS", mirror.home.at("two"));
    let _ = mirror.run(&["--wait", "30s", "--json"]).report().healthy();
    mirror.home.set("MORE", mirror.home.at("two"));
    mirror.configure("${TOOLS}", "${MORE}");
    let fixed = mirror.run(&["--fix"]).exits(1).stdout;
    assert!(fixed.contains("the variable `MORE` is not set"), "{fixed}");
    let _ = mirror.run(&["down"]).exits(0);
}
