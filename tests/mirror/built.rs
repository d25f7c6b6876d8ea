//! What is built is of the commit that is aligned, and what is served is what was built, whenever a cycle was killed.
#![expect(clippy::disallowed_methods, reason = "tests make the world that the product looks at")]

use std::fs;
use std::time::Duration;

use support::Mirror;
use support::processes::{eventually, signal};

/// A server of what was built when it started, as most are that serve a build.
const SERVER: &str = "#!/bin/sh\nmkdir -p loaded; cp dist/index.html loaded/\n[ -n \"$GREETING\" ] && echo $GREETING >> loaded/index.html\nexec python3 -m http.server -b 127.0.0.1 -d loaded \"$1\"\n";
/// A build that waits while somebody wants it to.
const BUILDER: &str = "#!/bin/sh\nmkdir -p dist; rm -f dist/index.html; echo run >> ~/builds\n\
    while [ -e ~/wait ]; do touch ~/waiting; sleep 0.05; done\n\
    [ -e ~/broken ] && { echo 'error: no page' >&2; exit 1; }\n\
    { cat public/index.html; git rev-parse HEAD; } > dist/index.html\n";

/// A mirror that is built, and whose server notices nothing by itself.
fn built() -> Mirror {
    let mirror = Mirror::fixed();
    mirror.home.program("bin/server", SERVER);
    mirror.home.program("bin/builder", BUILDER);
    mirror.home.write("dev/site/.gitignore", "dist/\nloaded/\n");
    let _ = mirror.home.commit(&mirror.repository, "A site that is built");
    mirror.home.git(&mirror.repository, ["push", "--quiet"]);
    mirror.configure("install = []", "install = []\nbuild = [\"builder\"]");
    mirror.configure("[mirror]", "[runtime]\npath = [\"~/bin\"]\n\n[mirror]");
    mirror.configure("static = \"public\"", &format!("run = [\"server\", \"{}\"]", mirror.port));
    mirror
}

fn builds(mirror: &Mirror) -> usize {
    fs::read_to_string(mirror.home.at("builds")).unwrap_or_default().lines().count()
}

fn sync(mirror: &Mirror, code: i32) -> String {
    let ran = mirror.run(&["sync"]).exits(code);
    format!("{}{}", ran.stdout, ran.stderr)
}

/// Whoever ends a mend, or a look, ends what it began.
#[test]
fn who_is_interrupted_leaves_no_program_behind() {
    let mirror = built();
    let _ = mirror.home.write("wait", "");
    for (arguments, how) in [(["--fix", "--yes"], "INT"), (["sync", "--quiet"], "TERM")] {
        let running = mirror.start(&arguments);
        assert!(eventually(Duration::from_secs(30), || mirror.home.at("waiting").exists()), "it builds");
        signal(running.pid(), how);
        let _ = running.wait(Duration::from_secs(10));
        assert!(
            eventually(support::processes::HANG, || mirror.home.processes().is_empty()),
            "{:?}",
            mirror.home.processes()
        );
        fs::remove_file(mirror.home.at("waiting")).expect("the builder's sign");
    }
    fs::remove_file(mirror.home.at("wait")).expect("nobody waits any more");
    let _ = mirror.mend().healthy();
}

#[test]
fn a_commit_that_was_aligned_and_not_built_is_built_by_the_next_cycle_and_not_taken_for_served() {
    let mirror = built();
    assert!(sync(&mirror, 0).contains("updated"));
    assert!(sync(&mirror, 0).contains("noop"));
    mirror.publish("public/index.html", "first", "second");
    mirror.home.write("wait", "");
    let cycle = mirror.start(&["sync"]);
    assert!(eventually(Duration::from_secs(30), || mirror.home.at("waiting").exists()));
    signal(cycle.pid(), "KILL");
    let _ = cycle.wait(Duration::from_secs(30));
    for process in mirror.home.processes() {
        signal(process.pid, "KILL");
    }
    fs::remove_file(mirror.home.at("wait")).expect("the build goes on");
    let examined = mirror.examine();
    assert_eq!(examined.status("build-fresh"), "fail", "{}", examined.troubles());
    let said = sync(&mirror, 0);
    assert!(said.contains("updated") && said.contains("build"), "{said}");
    let page = fs::read_to_string(mirror.worktree().join("dist/index.html")).expect("the build");
    assert!(page.contains("second"), "{page}");
    assert_eq!(builds(&mirror), 3);
    assert!(sync(&mirror, 0).contains("noop"));
    assert_eq!(builds(&mirror), 3);
    assert_eq!(mirror.examine().status("build-fresh"), "pass");
}

#[test]
fn while_a_build_fails_no_cycle_says_that_nothing_was_needed() {
    let mirror = built();
    assert!(sync(&mirror, 0).contains("updated"));
    mirror.home.write("broken", "");
    mirror.publish("public/index.html", "first", "second");
    for _ in 0..2 {
        let said = sync(&mirror, 1);
        assert!(said.contains("failed") && said.contains("no page"), "{said}");
    }
    fs::remove_file(mirror.home.at("broken")).expect("it is mended");
    assert!(sync(&mirror, 0).contains("updated"));
}

#[test]
fn a_build_that_fails_publishes_nothing_and_is_tried_again_until_it_succeeds() {
    let mirror = built();
    let _ = mirror.run(&["up", "--detach"]).exits(0);
    mirror.settle();
    assert!(eventually(Duration::from_secs(30), || sync(&mirror, 0).contains("noop: ")));
    let server = mirror.listener();
    mirror.home.write("broken", "");
    let sha = mirror.publish("public/index.html", "first", "second");
    for times in 2..4 {
        let said = sync(&mirror, 1);
        assert!(said.contains("failed") && said.contains("no page"), "{said}");
        assert_eq!((builds(&mirror), mirror.listener()), (times, server));
        assert!(mirror.page("/").contains("The first text"), "{}", mirror.page("/"));
    }
    fs::remove_file(mirror.home.at("broken")).expect("it is mended");
    assert!(sync(&mirror, 0).contains("updated"));
    let page = mirror.page("/");
    assert!(page.contains("The second text") && page.contains(&sha), "{page}");
    assert!(mirror.listener().is_some_and(|now| Some(now) != server), "it loads what was built");
    assert_eq!(builds(&mirror), 4);
    let _ = mirror.run(&["down"]).exits(0);
}

#[test]
fn a_build_that_fails_is_left_alone_by_the_job_for_a_while_and_never_by_a_person() {
    let mirror = built();
    let scheduled = |code: i32| {
        let ran = mirror.run(&["sync", "--scheduled"]).exits(code);
        format!("{}{}", ran.stdout, ran.stderr)
    };
    assert!(scheduled(0).contains("updated"));
    mirror.home.write("broken", "");
    mirror.publish("public/index.html", "first", "second");
    for _ in 0..3 {
        let said = scheduled(1);
        assert!(said.contains("failed") && said.contains("no page"), "{said}");
    }
    assert_eq!(builds(&mirror), 2, "three cycles failed, and one of them built");
    let report = mirror.examine();
    assert_eq!(report.status("build-fresh"), "fail", "{}", report.troubles());
    assert!(sync(&mirror, 1).contains("no page"));
    assert_eq!(builds(&mirror), 3, "whoever asks has it tried");
    let stamps = mirror.state().join("built.json");
    let mut json: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(&stamps).expect("the stamps")).expect("JSON");
    assert_eq!(json["failed"]["times"], 2);
    json["failed"]["at"] = "2020-01-01T00:00:00Z".into();
    fs::write(&stamps, json.to_string()).expect("a while goes by");
    assert!(scheduled(1).contains("no page"));
    assert_eq!(builds(&mirror), 4);
    mirror.publish("public/index.html", "second", "third");
    assert!(scheduled(1).contains("no page"));
    assert_eq!(builds(&mirror), 5, "another commit may be a better one");
    fs::remove_file(mirror.home.at("broken")).expect("it is mended");
    mirror.publish("public/index.html", "third", "fourth");
    assert!(scheduled(0).contains("updated"));
    assert!(scheduled(0).contains("noop"));
    assert_eq!((builds(&mirror), mirror.examine().status("build-fresh")), (6, "pass"));
}

#[test]
fn what_a_build_may_have_lacked_has_the_job_try_it_at_once() {
    let mirror = built();
    mirror.configure("[mirror]", "[mirror]\ncarry = [\".env\"]");
    let _ = mirror
        .home
        .program("bin/builder", "#!/bin/sh\necho run >> ~/builds; grep KEY .env && mkdir -p dist\n");
    mirror.home.write("dev/site/.env", "OTHER=1\n");
    let scheduled = |code: i32, times: usize| {
        let ran = mirror.run(&["sync", "--scheduled"]).exits(code);
        assert_eq!(builds(&mirror), times, "{}{}", ran.stdout, ran.stderr);
    };
    scheduled(1, 1);
    scheduled(1, 1);
    mirror.configure("[runtime]\npath = [\"~/bin\"]", "[runtime]\npath = [\"~/bin\", \"~/other\"]");
    scheduled(1, 2);
    scheduled(1, 2);
    mirror.home.write("dev/site/.env", "KEY=1\n");
    scheduled(0, 3);
    assert_eq!(mirror.examine().status("build-fresh"), "pass");
}

/// The build itself, or a formatter beside it, writes into the mirror each time: that is put right in each cycle.
#[test]
fn files_that_are_edited_in_each_cycle_do_not_have_a_failing_build_tried_in_each() {
    let mirror = built();
    mirror.configure("[mirror]", "[mirror]\ncarry = [\".env\"]");
    mirror.home.write("dev/site/.env", "KEY=1\n");
    let builder =
        "#!/bin/sh\necho run >> ~/builds; date +%N >> public/index.html; date +%N >> .env\n[ ! -e ~/broken ]";
    let _ = mirror.home.program("bin/builder", builder);
    mirror.home.write("broken", "");
    let cycles = |count: usize| {
        for _ in 0..count {
            fs::write(mirror.worktree().join("public/index.html"), "edited").unwrap_or_default();
            let _ = mirror.run(&["sync", "--scheduled"]).exits(1);
        }
        builds(&mirror)
    };
    assert_eq!(cycles(5), 2, "once, and once more since the files were put right");
    mirror.publish("public/index.html", "first", "second");
    assert_eq!(cycles(4), 4, "another commit");
    mirror.home.write("dev/site/.env", "KEY=2\n");
    assert_eq!(cycles(4), 6, "another key");
    mirror.configure("path = [\"~/bin\"]", "path = [\"~/bin\", \"~/other\"]");
    assert_eq!(cycles(4), 8, "another runtime");
}

#[test]
fn what_was_built_is_served_though_the_cycle_was_killed_before_the_restart() {
    let mirror = built();
    let _ = mirror.run(&["up", "--detach"]).exits(0);
    mirror.settle();
    assert!(eventually(Duration::from_secs(30), || sync(&mirror, 0).contains("noop: ")));
    let server = mirror.listener();
    assert!(mirror.page("/").contains("The first text"));
    let sha = mirror.publish("public/index.html", "first", "second");
    let cycle = mirror.start(&["sync"]);
    let stamp = mirror.state().join("built.json");
    while !fs::read_to_string(&stamp).unwrap_or_default().contains(&sha) {
        std::thread::yield_now();
    }
    signal(cycle.pid(), "KILL");
    let _ = cycle.wait(Duration::from_secs(30));
    assert!(eventually(Duration::from_secs(30), || sync(&mirror, 0).contains("noop: ")));
    let page = mirror.page("/");
    assert!(page.contains("The second text") && page.contains(&sha), "{page}");
    assert_ne!(mirror.listener(), server);
    assert_eq!(builds(&mirror), 2);
    let _ = mirror.run(&["down"]).exits(0);
}

#[test]
fn a_server_of_other_settings_than_the_configurations_is_restarted_once() {
    let mirror = built();
    let _ = mirror.run(&["up", "--detach"]).exits(0);
    mirror.settle();
    assert!(eventually(Duration::from_secs(30), || sync(&mirror, 0).contains("noop: ")));
    mirror.configure("ready =", "env = { GREETING = \"welcome\" }\nready =");
    let said = sync(&mirror, 0);
    assert!(said.contains("updated") && said.contains("its configuration has changed"), "{said}");
    assert!(mirror.page("/").contains("welcome"), "{}", mirror.page("/"));
    let server = mirror.listener();
    mirror.configure("every = \"1h\"", "every = \"2h\"");
    assert!(sync(&mirror, 0).contains("noop"));
    assert_eq!(mirror.listener(), server);
    let _ = mirror.run(&["down"]).exits(0);
}

#[test]
fn a_mend_builds_and_restarts_too() {
    let mirror = built();
    let report = mirror.mend();
    assert_eq!(report.status("build-fresh"), "pass", "{}", report.troubles());
    assert!(mirror.page("/").contains("The first text"));
    let server = mirror.listener();
    // A state directory that was lost, say.
    fs::remove_file(mirror.state().join("built.json")).expect("the stamp");
    let report = mirror.mend();
    assert_eq!(report.status("build-fresh"), "pass", "{}", report.troubles());
    assert_eq!((builds(&mirror), report.status("listener-fresh")), (2, "pass"), "{}", report.troubles());
    assert!(mirror.listener().is_some_and(|now| Some(now) != server), "it loads what was built");
    let _ = mirror.run(&["down"]).exits(0);
}

/// A mirror whose server goes on with what it read when it started, and says so.
fn unwatched() -> Mirror {
    let mirror = built();
    mirror.configure("build = [\"builder\"]\n", "");
    mirror.home.program("bin/server", &SERVER.replace("dist/", "public/"));
    mirror.configure("listen =", "watches = false\nlisten =");
    let _ = mirror.run(&["up", "--detach"]).exits(0);
    mirror.settle();
    assert!(eventually(Duration::from_secs(30), || sync(&mirror, 0).contains("noop: ")));
    mirror
}

#[test]
fn a_server_that_does_not_watch_its_files_is_restarted_wherever_the_worktree_moves() {
    let mirror = unwatched();
    let server = mirror.listener();
    mirror.publish("public/index.html", "first", "second");
    let said = sync(&mirror, 0);
    assert!(said.contains("updated"), "{said}");
    assert!(mirror.page("/").contains("The second text"), "{}", mirror.page("/"));
    let second = mirror.listener();
    assert_ne!(second, server);
    // What somebody edited there may have been read too.
    mirror.home.write("ops/worktree/public/index.html", "<p>An edit.</p>");
    let _ = mirror.run(&["restart"]).exits(0);
    assert!(mirror.page("/").contains("An edit"));
    assert!(sync(&mirror, 0).contains("updated"));
    assert!(mirror.page("/").contains("The second text"), "{}", mirror.page("/"));
    // As `git pull` in the worktree does.
    let third = mirror.publish("public/index.html", "second", "third");
    mirror.home.git(&mirror.worktree(), ["fetch", "--quiet", "origin"]);
    mirror.home.git(&mirror.worktree(), ["reset", "--quiet", "--hard", &third]);
    let report = mirror.examine();
    assert_eq!(report.status("listener-fresh"), "unknown", "{}", report.troubles());
    let said = sync(&mirror, 0);
    assert!(said.contains("does not watch its files"), "{said}");
    assert!(mirror.page("/").contains("The third text"), "{}", mirror.page("/"));
    let last = mirror.listener();
    assert!(sync(&mirror, 0).contains("noop"));
    assert_eq!(mirror.listener(), last, "once");
    let _ = mirror.run(&["down"]).exits(0);
}

#[test]
fn a_server_that_does_not_watch_its_files_is_restarted_though_the_cycle_was_killed_before() {
    let mirror = unwatched();
    mirror.publish("public/index.html", "first", "second");
    let cycle = mirror.start(&["sync"]);
    let page = mirror.worktree().join("public/index.html");
    while !fs::read_to_string(&page).unwrap_or_default().contains("second") {
        std::thread::yield_now();
    }
    signal(cycle.pid(), "KILL");
    let _ = cycle.wait(Duration::from_secs(30));
    if !mirror.page("/").contains("The second text") {
        assert_ne!(mirror.examine().status("listener-fresh"), "pass", "it serves the old text");
    }
    assert!(eventually(Duration::from_secs(30), || sync(&mirror, 0).contains("noop: ")));
    assert!(mirror.page("/").contains("The second text"), "{}", mirror.page("/"));
    let _ = mirror.run(&["down"]).exits(0);
}

#[test]
fn a_mend_restarts_a_server_that_does_not_watch_its_files() {
    let mirror = unwatched();
    mirror.home.write("ops/worktree/public/index.html", "<p>An edit.</p>");
    let _ = mirror.run(&["restart"]).exits(0);
    assert!(mirror.page("/").contains("An edit"));
    let report = mirror.mend().healthy();
    assert!(mirror.page("/").contains("The first text"), "{}", mirror.page("/"));
    assert_eq!(report.status("listener-fresh"), "pass", "{}", report.troubles());
    let _ = mirror.run(&["down"]).exits(0);
}

#[test]
fn a_server_that_writes_into_its_files_is_not_restarted_for_ever() {
    let mirror = unwatched();
    let writes = SERVER.replace("dist/", "public/").replace("exec ", "echo late >> public/index.html\nexec ");
    mirror.home.program("bin/server", &writes);
    let _ = mirror.run(&["restart"]).exits(0);
    let cleaned = || sync(&mirror, 0).contains("aligned");
    assert!(cleaned(), "the server wrote, and is restarted");
    let server = mirror.listener();
    assert!(cleaned(), "it wrote again");
    assert_eq!(mirror.listener(), server, "it was restarted for that before");
    assert!(!cleaned(), "nobody has it write");
    // Whoever restarts it themselves may do so for what they edited.
    mirror.home.program("bin/server", &SERVER.replace("dist/", "public/"));
    mirror.home.write("ops/worktree/public/index.html", "<p>An edit.</p>");
    let _ = mirror.run(&["restart"]).exits(0);
    assert!(mirror.page("/").contains("An edit"));
    assert!(sync(&mirror, 0).contains("updated"));
    assert!(mirror.page("/").contains("The first text"), "{}", mirror.page("/"));
    let _ = mirror.run(&["down"]).exits(0);
}
