//! A mirror's life: nothing there, mended, followed, stopped, started, in every language and over every transport.

use support::processes::{self, Held};
use support::{Mirror, Part, Test};

pub(crate) const TESTS: &[Test] = &[
    Test { name: "from_nothing_to_the_page_over_http", needs: &[Part::Lighttpd], run: over_http },
    Test { name: "from_nothing_to_the_page_over_ssh", needs: &[Part::Sshd], run: over_ssh },
    Test { name: "from_nothing_to_the_page_in_french", needs: &[Part::French], run: in_french },
    Test { name: "looking_changes_nothing_and_leaves_nothing_running", needs: &[], run: looking_is_free },
    Test { name: "a_stopped_mirror_says_so_first_and_stays_stopped", needs: &[], run: stopped },
    Test { name: "the_keeper_holds_no_more_after_many_looks", needs: &[], run: no_leaks },
    Test { name: "up_in_the_foreground_serves_until_it_is_ended", needs: &[], run: up_foreground },
    Test { name: "a_repository_with_sha_256_is_followed", needs: &[], run: sha_256 },
    Test { name: "large_files_are_files_not_pointers", needs: &[Part::Lfs], run: large_files },
    Test { name: "without_a_configuration_it_says_what_to_type", needs: &[], run: no_configuration },
];

fn over_http() {
    whole(&Mirror::fixed().over_http());
}

fn over_ssh() {
    whole(&Mirror::fixed().over_ssh());
}

fn in_french() {
    let mut mirror = Mirror::fixed();
    mirror.home.set("LANG", "fr_FR.UTF-8");
    mirror.home.set("LC_ALL", "fr_FR.UTF-8");
    whole(&mirror);
}

/// The seed of it all: a merge on main, a sync, and the page shows it.
fn whole(mirror: &Mirror) {
    let before = mirror.run(&["--json"]).exits(1).report();
    assert_eq!(before.verdict(), "unhealthy");
    let before = before.with("canonical-repo", "pass").with("remote-reachable", "pass");
    let before = before.caused_by("worktree-exists").with("page-content:/", "blocked");
    assert_ne!(before.status("sha-parity"), "pass", "{}", before.troubles());
    let mended = mirror.run(&["--fix", "--json"]).exits(0).report().healthy();
    assert!(mended.0["repairs"].as_array().is_some_and(|it| !it.is_empty()), "{:#}", mended.0["repairs"]);
    assert!(mirror.page("/").contains("The first text"));
    mirror.settle();

    let sha = mirror.publish("public/index.html", "The first text", "The first text and a second one");
    let behind = mirror.examine();
    assert!(["pending", "fail"].contains(&behind.status("sha-parity")), "{}", behind.troubles());
    let _ = mirror.run(&["sync"]).exits(0);
    assert_eq!(mirror.home.git(&mirror.worktree(), ["rev-parse", "HEAD"]), sha);
    assert!(mirror.page("/").contains("and a second one"), "the page shows what was merged");
    let state = std::fs::read_to_string(mirror.state().join("last-sync.env")).expect("the sync's state");
    assert!(state.contains(&format!("LAST_SYNC_SHA=\"{sha}\"")), "{state}");
    assert!(state.contains("LAST_SYNC_STATUS=\"updated\""), "{state}");
    let _ = mirror.run(&["sync"]).exits(0);
    let state = std::fs::read_to_string(mirror.state().join("last-sync.env")).expect("the sync's state");
    assert!(state.contains("LAST_SYNC_STATUS=\"noop\""), "{state}");
    let _ = mirror.run(&["--json"]).exits(0).report().healthy();
}

fn looking_is_free() {
    let mirror = Mirror::fixed();
    let list = || {
        let mut command = mirror.home.command("find");
        command.arg(mirror.home.path()).args(["-printf", "%p %m %s %T@\\n"]);
        let output = command.output().expect("find runs").stdout;
        let mut lines: Vec<String> = String::from_utf8_lossy(&output).lines().map(str::to_owned).collect();
        lines.retain(|it| !it.contains("/.cache"));
        lines.sort();
        lines
    };
    let before = list();
    let _ = mirror.run(&["--json"]).exits(1);
    let _ = mirror.run(&["--fix", "--dry-run"]).exits(1);
    assert_eq!(list(), before, "nothing but a cache is written");
    assert_eq!(mirror.home.processes(), []);
    assert_eq!(mirror.listener(), None);
}

fn stopped() {
    let mirror = Mirror::fixed();
    let _ = mirror.mend().healthy();
    let _ = mirror.run(&["stop"]).exits(0);
    assert_eq!(mirror.listener(), None, "nothing serves any more");
    let report = mirror.run(&["--json"]).exits(1).report();
    assert_eq!(report.verdict(), "stopped");
    let human = mirror.run(&[]).exits(1);
    let first = human.stdout.lines().find(|it| !it.trim().is_empty()).unwrap_or_default();
    assert!(human.stdout.lines().take(4).any(|it| it.contains("stopped")), "{first}\n{human}");
    assert_eq!(mirror.mend().verdict(), "stopped");
    assert_eq!(mirror.listener(), None, "no repair undoes a stop");
    let _ = mirror.run(&["start"]).exits(0);
    let _ = mirror.run(&["--json", "--wait", "30s"]).exits(0).report().healthy();
    let _ = mirror.run(&["down"]).exits(0);
    assert_eq!(mirror.home.processes(), [], "nothing is left of it");
}

fn no_leaks() {
    let mirror = Mirror::fixed();
    let _ = mirror.mend().healthy();
    let keepers: Vec<u32> = mirror.home.processes().iter().map(|it| it.pid).collect();
    assert!(!keepers.is_empty(), "somebody serves");
    let all = || keepers.iter().map(|pid| processes::held(*pid)).collect::<Vec<_>>();
    let _ = (mirror.examine(), mirror.run(&["sync"]));
    let before = all();
    for _ in 0..10 {
        let _ = mirror.run(&["--json"]).exits(0);
        let _ = mirror.run(&["sync"]).exits(0);
    }
    // It may have had something open for a moment when it was counted first.
    let is_no_more = |now: &Held, then: &Held| {
        now.threads <= then.threads && now.descriptors <= then.descriptors && now.children <= then.children
    };
    let settled = || all().iter().zip(&before).all(|(now, then)| is_no_more(now, then));
    assert!(processes::eventually(std::time::Duration::from_secs(5), settled), "{before:?} {:?}", all());
    let now: Vec<u32> = mirror.home.processes().iter().map(|it| it.pid).collect();
    assert_eq!(now, keepers, "no process more, none less");
}

fn up_foreground() {
    let mirror = Mirror::fixed();
    let running = mirror.start(&["up"]);
    let served = || mirror.page("/").contains("The first text");
    let up = processes::eventually(std::time::Duration::from_secs(30), served);
    assert!(up, "it aligns and serves: {}", running.text("stderr"));
    // The page is served before the sync that brought it has written that it did.
    let _ = mirror.run(&["--json", "--wait", "30s"]).exits(0).report().healthy();
    processes::signal(running.pid(), "TERM");
    let _ = running.wait(std::time::Duration::from_mins(1));
    assert_eq!(mirror.home.processes(), [], "nothing is left of it");
    assert_eq!(mirror.listener(), None);
}

fn no_configuration() {
    let home = support::Home::new();
    let ran = home.housecall::<&str>([]).exits(2);
    assert_eq!(ran.stdout, "");
    assert!(ran.stderr.contains("housecall init") && ran.stderr.contains("housecall demo"), "{ran}");
}

/// libgit2 cannot open such a repository: what it would have read comes from git itself.
fn sha_256() {
    whole(&Mirror::fixed_with("sha256"));
}

fn large_files() {
    let mirror = Mirror::fixed();
    let repository = &mirror.repository;
    let url = format!("file://{}", mirror.origin.display());
    mirror.home.git(repository, ["remote", "set-url", "origin", &url]);
    mirror.home.git(repository, ["lfs", "install", "--local"]);
    mirror.home.git(repository, ["lfs", "track", "*.bin"]);
    mirror.home.write("dev/site/public/picture.bin", "the picture itself");
    mirror.home.commit(repository, "A picture");
    mirror.home.git(repository, ["push", "--quiet"]);
    let _ = mirror.run(&["--fix", "--json"]).exits(0).report().healthy();
    let picture =
        || std::fs::read_to_string(mirror.worktree().join("public/picture.bin")).expect("the picture");
    assert_eq!(picture(), "the picture itself");
    mirror.home.write("dev/site/public/picture.bin", "a better picture");
    mirror.home.commit(repository, "A better picture");
    mirror.home.git(repository, ["push", "--quiet"]);
    let _ = mirror.run(&["sync"]).exits(0);
    assert_eq!(picture(), "a better picture");
    let _ = mirror.run(&["--json"]).exits(0).report().healthy();
}
