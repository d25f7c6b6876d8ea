//! Who answers on the port: an old clone, another family, another port, a stranger, a sleeper.

use std::time::Duration;

use support::processes::{self, HANG};
use support::servers::{self, free_port, python};
use support::{Mirror, Test};

pub(crate) const TESTS: &[Test] = &[
    Test { name: "an_old_clone_that_answers_200_is_the_cause", needs: &[], run: stale_clone },
    Test { name: "a_stranger_on_the_port_is_named_and_never_killed", needs: &[], run: stranger },
    Test { name: "the_developers_own_server_is_named_as_that", needs: &[], run: developers_own },
    Test { name: "a_server_on_another_port_is_no_finding", needs: &[], run: another_port },
    Test { name: "a_server_only_on_ipv6_is_named_so", needs: &[], run: only_ipv6 },
    Test { name: "a_server_that_moved_to_another_port_is_named_so", needs: &[], run: moved },
    Test { name: "a_server_that_starts_on_another_port_is_told_at_once", needs: &[], run: starts_elsewhere },
    Test { name: "a_crash_loop_is_told_once_with_its_last_words", needs: &[], run: crash_loop },
    Test { name: "a_stopped_process_that_accepts_is_not_healthy", needs: &[], run: asleep },
    Test { name: "who_names_the_listener_without_a_configuration", needs: &[], run: who },
    Test { name: "a_killed_server_comes_back", needs: &[], run: comes_back },
];

fn stale_clone() {
    let mirror = Mirror::fixed();
    let _ = mirror.run(&["sync"]);
    let clone = mirror.stale_clone("dev/old-clone");
    let directory = clone.join("public");
    let mut server = python(&mirror.home, &directory, "127.0.0.1", mirror.port);
    assert!(mirror.page("/").contains("The first text"), "it answers 200, with the right text");

    let report = mirror.run(&["--json"]).exits(1).report();
    let report = report.with("sha-parity", "pass").with("listener-cwd", "fail").caused_by("listener-cwd");
    let report = report.with("http-status:/", "blocked").with("page-content:/", "blocked");
    let told = report.told("listener-cwd");
    for fact in [&server.pid().to_string(), "http.server", "~/dev/old-clone/public"] {
        assert!(told.contains(fact), "{fact} is named in {told}");
    }
    let human = mirror.run(&[]).exits(1);
    assert!(human.stdout.contains("FAIL  listener-cwd"), "{human}");
    let human = mirror.run(&["--fix"]).exits(1);
    assert!(human.stdout.contains("--risky"), "what it would take is said: {human}");

    let report = mirror.run(&["--fix", "--json"]).exits(1).report();
    assert!(server.alive(), "nothing is killed without consent");
    let _ = report.with("listener-cwd", "fail");
    let _ = mirror.run(&["--fix", "--risky", "--json"]).exits(1);
    assert!(server.alive(), "without a terminal and without --yes nothing risky happens");
    let _ = mirror.run(&["--fix", "--risky", "--yes", "--json"]).exits(0).report().healthy();
    assert!(!server.alive(), "with consent it is stopped");
}

fn stranger() {
    let mirror = Mirror::fixed();
    let _ = mirror.run(&["sync"]);
    mirror.home.write("other/index.html", "<p>The first text</p>");
    let mut server = python(&mirror.home, &mirror.home.at("other"), "127.0.0.1", mirror.port);
    let report = mirror.run(&["--fix", "--risky", "--yes", "--json"]).exits(1).report();
    assert!(server.alive(), "it is no server of this project");
    assert!(report.told("listener-cwd").contains(&server.pid().to_string()), "{}", report.troubles());
}

fn developers_own() {
    let mirror = Mirror::fixed();
    let _ = mirror.run(&["sync"]);
    let mut server = python(&mirror.home, &mirror.repository.join("public"), "127.0.0.1", mirror.port);
    let report = mirror.run(&["--fix", "--json"]).exits(1).report().with("listener-cwd", "fail");
    let told = report.told("listener-cwd");
    assert!(told.contains("repository"), "it is named as the canonical repository's: {told}");
    assert!(server.alive());
}

fn another_port() {
    let mirror = Mirror::fixed();
    let _ = mirror.mend().healthy();
    let _server = python(&mirror.home, &mirror.repository.join("public"), "127.0.0.1", free_port());
    let report = mirror.run(&["--json"]).exits(0).report().healthy();
    assert_eq!(report.0["counts"]["warn"], 0, "{}", report.troubles());
}

fn only_ipv6() {
    let mirror = Mirror::fixed();
    let _ = mirror.run(&["sync"]);
    let _server = python(&mirror.home, &mirror.worktree(), "::1", mirror.port);
    let report = mirror.run(&["--json"]).exits(1).report().with("listener", "fail").caused_by("listener");
    assert!(report.told("listener").contains("::1"), "{}", report.troubles());
}

fn moved() {
    let mirror = Mirror::fixed();
    let wanted = mirror.port.to_string();
    let run =
        format!("run = [\"python3\", \"-m\", \"http.server\", \"--bind\", \"127.0.0.1\", \"{wanted}\"]");
    mirror.configure("static = \"public\"", &run);
    let _ = mirror.run(&["sync"]);
    let port = free_port();
    let _server = python(&mirror.home, &mirror.worktree(), "127.0.0.1", port);
    let report = mirror.run(&["--json"]).exits(1).report().with("listener", "fail").caused_by("listener");
    assert!(report.told("listener").contains(&port.to_string()), "{}", report.troubles());
}

fn starts_elsewhere() {
    let mirror = Mirror::fixed();
    let other = free_port();
    let run = format!("run = [\"python3\", \"-m\", \"http.server\", \"-b\", \"127.0.0.1\", \"{other}\"]");
    mirror.configure("static = \"public\"", &run);
    mirror.configure("within = \"30s\"", "within = \"12s\"");
    let up = mirror.start(&["up", "--detach"]);
    let told = || mirror.examine().told("listener").contains(&format!("listens on 127.0.0.1:{other}"));
    assert!(processes::eventually(Duration::from_secs(20), told), "{}", mirror.examine().troubles());
    let fails = || mirror.examine().status("listener") == "fail";
    assert!(processes::eventually(Duration::from_secs(20), fails), "{}", mirror.examine().troubles());
    let _ = mirror.run(&["down"]).exits(0);
    let _ = up.wait(Duration::from_secs(10));
}

fn crash_loop() {
    let mirror = Mirror::fixed();
    let says = "echo Error: no module named pages >&2; echo '   at \u{1b}[31mload (pages.js:1)'; echo; echo v20; echo '}'; exit 7";
    mirror.home.program("bin/server", &format!("#!/bin/sh\n{says}\n"));
    mirror.configure("[mirror]", "[runtime]\npath = [\"~/bin\"]\n\n[mirror]");
    mirror.configure("static = \"public\"", "run = [\"server\"]");
    let _ = mirror.run(&["up", "--detach"]).exits(1);
    let _ = mirror.run(&["sync"]);
    let report = mirror.examine();
    let told = report.told("listener");
    assert!(told.contains("no module named pages") && told.contains("v20"), "{told}");
    assert_eq!(report.causes(), ["listener"], "{}", report.troubles());
    let _ = mirror.run(&["down"]).exits(0);
    // The same, kept by launchd: the sync complains that nothing answers, and that is no ill of its own.
    let mirror = mirror.with_launchd();
    mirror.configure("within = \"30s\"", "within = \"2s\"");
    let _ = mirror.run(&["install"]);
    let is_told = || {
        let report = mirror.examine();
        let fails = |unit: &str, words: &str| report.told(unit).contains(words);
        fails("job-state:serve", "keeps failing") && fails("job-state:sync", "not served")
    };
    assert!(processes::eventually(Duration::from_secs(40), is_told), "{}", mirror.examine().troubles());
    let report = mirror.examine();
    assert_eq!(report.causes(), ["job-state:serve"], "{}", report.troubles());
    let told = report.told("job-state:serve");
    assert!(told.contains("no module named pages"), "{told}");
    let _ = mirror.run(&["uninstall"]).exits(0);
}

fn asleep() {
    let mirror = Mirror::fixed();
    let _ = mirror.mend().healthy();
    let server = mirror.listener().expect("a server");
    processes::signal(server, "STOP");
    let ran = mirror.run(&["--json", "--timeout", "1s"]);
    let open = servers::answers(mirror.address());
    processes::signal(server, "CONT");
    assert!(open, "the port was open all the same");
    assert!(ran.code == 1 || ran.code == 3, "{ran}");
    assert!(ran.took < HANG, "it ends by its deadline: {ran}");
    let report = ran.report();
    assert!(["fail", "unknown"].contains(&report.status("http-status:/")), "{}", report.troubles());
    let _ = mirror.run(&["--json"]).exits(0).report().healthy();
}

fn who() {
    let mirror = Mirror::fixed();
    let server = python(&mirror.home, &mirror.repository, "127.0.0.1", mirror.port);
    let ran = mirror.home.housecall(["who", &mirror.port.to_string()]).exits(0);
    for fact in [&server.pid().to_string(), "http.server", "127.0.0.1"] {
        assert!(ran.stdout.contains(fact), "{fact} is named: {ran}");
    }
    let sha = mirror.home.git(&mirror.repository, ["rev-parse", "--short=7", "HEAD"]);
    assert!(ran.stdout.contains(&sha), "the SHA of its worktree is named: {ran}");
}

fn comes_back() {
    let mirror = Mirror::fixed();
    let _ = mirror.mend().healthy();
    let server = mirror.listener().expect("a server");
    processes::signal(server, "KILL");
    assert!(processes::eventually(support::processes::HANG, || processes::read(server).is_none()));
    let alone = || mirror.page("/").contains("The first text");
    // The keeper restarts its server; where the keeper itself was the server, the next mend starts it.
    if !processes::eventually(Duration::from_secs(10), alone) {
        let _ = mirror.mend();
    }
    let _ = mirror.run(&["--json"]).exits(0).report().healthy();
}
