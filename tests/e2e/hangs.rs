//! What hangs costs one deadline, is told as what it is, and leaves nothing behind.

use std::time::Duration;

use support::mounts::{HungMount, Volume};
use support::processes::HANG;
use support::servers::Server;
use support::{Mirror, Part, Ran, Report, Test, parts};

pub(crate) const TESTS: &[Test] = &[
    Test { name: "a_remote_that_never_answers", needs: &[], run: remote },
    Test { name: "a_page_that_never_answers", needs: &[], run: page },
    Test { name: "a_node_that_never_returns", needs: &[], run: node },
    Test { name: "a_node_whose_library_is_gone", needs: &[Part::Node(22)], run: lost_library },
    Test { name: "a_grandchild_that_holds_the_pipe", needs: &[], run: grandchild },
    Test { name: "a_volume_that_hangs", needs: &[Part::Fuse], run: volume },
    Test { name: "a_volume_that_falls_silent_in_a_cycle", needs: &[Part::Fuse], run: silent_volume },
    Test { name: "a_volume_that_falls_silent_in_an_install", needs: &[Part::Fuse], run: silent_install },
    Test {
        name: "a_configuration_whose_volume_falls_silent",
        needs: &[Part::Fuse],
        run: silent_configuration,
    },
    Test { name: "a_worktree_that_hangs_hides_nothing_else", needs: &[Part::Fuse], run: silent_worktree },
    Test { name: "a_volume_whose_daemon_died", needs: &[Part::Fuse], run: dead_volume },
    Test { name: "all_of_them_at_once", needs: &[Part::Fuse], run: all },
];

/// One examination with a deadline of one second, which waits for nothing that hangs.
fn look(mirror: &Mirror) -> (Ran, Report) {
    let before = mirror.home.processes().len();
    let ran = mirror.run(&["--json", "--timeout", "1s"]);
    assert!(ran.took < HANG, "it ends by its deadlines\n{ran}");
    let left = || mirror.home.processes().len() <= before;
    let clean = support::processes::eventually(HANG, left);
    assert!(clean, "nothing is left running: {:?}", mirror.home.processes());
    assert!(ran.code == 1 || ran.code == 3, "what cannot be seen is not green\n{ran}");
    let report = ran.report();
    (ran, report)
}

fn remote() {
    let mirror = Mirror::fixed();
    let _ = mirror.mend().healthy();
    let server = Server::mute();
    let url = format!("http://127.0.0.1:{}/git/site.git", server.port());
    mirror.home.git(&mirror.repository, ["remote", "set-url", "origin", &url]);
    let (ran, report) = look(&mirror);
    assert_eq!(ran.code, 3, "{ran}");
    let _ = report.with("remote-reachable", "unknown").with("listener", "pass");
    let ended = mirror.run(&["sync", "--timeout", "1s"]).exits(0);
    let state = std::fs::read_to_string(mirror.state().join("last-sync.env")).expect("the sync's state");
    assert!(state.contains("LAST_SYNC_STATUS=\"stale\""), "{state}\n{ended}");
    let offline = mirror.run(&["--json", "--offline"]).exits(0).report();
    let _ = offline.with("remote-reachable", "skip");
}

fn page() {
    let mirror = Mirror::fixed();
    let _ = mirror.run(&["sync"]);
    let _server = Server::mute_at(&mirror.address().to_string());
    let (_, report) = look(&mirror);
    assert!(!["pass", "skip"].contains(&report.status("http-status:/")), "{}", report.troubles());
    assert_eq!(report.verdict(), "unhealthy", "{}", report.troubles());
}

fn with_node(script: &str) -> Mirror {
    let mirror = Mirror::fixed();
    mirror.home.program("bin/node", script);
    let runtime =
        format!("[runtime]\nnode = \">=22\"\npath = [\"{}\"]\n\n[mirror]", mirror.home.at("bin").display());
    mirror.configure("[mirror]", &runtime);
    mirror
}

fn node() {
    let mirror = with_node("#!/bin/sh\nexec sleep 600\n");
    let (_, report) = look(&mirror);
    assert_eq!(report.saw("runtime-version:node"), "unknown", "{}", report.troubles());
}

/// An upgrade took a library away that node was built for: it still serves, and starts no more.
fn lost_library() {
    let mirror = with_node("");
    let serve = "require('http').createServer((_, it) => it.end('<p>The first text.</p>'))";
    let run = format!("run = [\"node\", \"-e\", \"{serve}.listen({}, '127.0.0.1')\"]", mirror.port);
    mirror.configure("static = \"public\"", &run);
    let (real, node) = (parts::node(22).join("node"), mirror.home.at("bin/node"));
    std::fs::copy(&real, &node).expect("a node");
    let _ = mirror.mend().healthy();
    let header = ["MAJOR", "MINOR", "PATCH"].map(|part| format!("#define NODE_{part}_VERSION 22\n")).concat();
    mirror.home.write("include/node/node_version.h", header);
    std::fs::remove_file(&node).expect("the node is replaced");
    parts::without_library(&real, &node);

    let (_, report) = look(&mirror);
    let report = report.with("runtime-version:node", "fail").caused_by("runtime-version:node");
    let told = report.told("runtime-version:node");
    assert!(told.contains(parts::LOST) && told.contains("ldd"), "{told}");
    let _ = mirror.run(&["down"]);
    let (_, report) = look(&mirror);
    let _ = report.with("listener", "blocked").caused_by("runtime-version:node");
}

fn grandchild() {
    let mirror = with_node("#!/bin/sh\nsleep 600 &\necho v22.1.0\n");
    let (_, report) = look(&mirror);
    // It said its version and ended; who held the pipe after that is ended too.
    assert!(["pass", "unknown"].contains(&report.saw("runtime-version:node")), "{}", report.troubles());
}

fn on_volume(mirror: &Mirror) -> HungMount {
    mirror.configure(
        &mirror.repository.to_string_lossy(),
        &mirror.home.at("volume/dev/site").to_string_lossy(),
    );
    HungMount::over(&mirror.home.at("volume"))
}

fn volume() {
    let mirror = Mirror::fixed();
    let volume = on_volume(&mirror);
    let (_, report) = look(&mirror);
    let _ = report.with("canonical-repo", "unknown").with("worktree-place", "pass");
    let fix = mirror.run(&["--fix", "--json", "--timeout", "1s"]);
    assert!(fix.code == 1 || fix.code == 3, "{fix}");
    assert!(fix.took < HANG, "{fix}");
    drop(volume);
}

/// The volume of the keeper's own configuration hangs: it goes on, tells why it starts nothing, and ends when it is told to.
fn silent_configuration() {
    let mut mirror = Mirror::fixed();
    let volume = Volume::plugged_in();
    mirror.configure("every = \"1h\"", "every = \"1s\"");
    let _ =
        std::fs::copy(&mirror.config, volume.at("site.toml")).expect("the configuration is on the volume");
    mirror.config = volume.at("site.toml");
    let _ = mirror.run(&["trust"]).exits(0);
    let _ = mirror.run(&["up", "--detach"]).exits(0);
    let kept = || std::fs::read_to_string(mirror.state().join("keeper.json")).unwrap_or_default();
    let soon = |is: &dyn Fn() -> bool| support::processes::eventually(Duration::from_mins(1), is);
    let value: serde_json::Value = serde_json::from_str(&kept()).expect("the keeper's state");
    let keeper = value["pid"].as_u64().and_then(|it| u32::try_from(it).ok()).expect("its pid");
    let lives = || mirror.home.processes().iter().any(|it| it.pid == keeper);
    let hung = volume.hangs();
    assert!(soon(&|| kept().contains("\"unfollowed\"")), "before a sync it looks: {}", kept());
    let server = mirror.listener().expect("its server goes on");
    assert!(
        mirror.home.command("kill").args(["-9", &server.to_string()]).status().is_ok_and(|it| it.success())
    );
    let told = || kept().contains("backing-off") && kept().contains("does not answer");
    assert!(soon(&told), "none is started that would hang: {}", kept());
    assert!(mirror.home.command("kill").arg(keeper.to_string()).status().is_ok_and(|it| it.success()));
    assert!(soon(&|| !lives()), "it ends: {:?}", mirror.home.processes());
    drop(hung);
}

/// The repository is on that volume, with a lockfile, and an installer that tells of itself and waits until it may go on.
fn with_installer(mirror: &mut Mirror, volume: &Volume) {
    let site = volume.at("site");
    let moved = mirror.home.command("mv").arg(&mirror.repository).arg(&site).status();
    assert!(moved.is_ok_and(|it| it.success()), "the repository is on the volume");
    mirror.configure(&mirror.repository.to_string_lossy(), &site.to_string_lossy());
    mirror.repository = site;
    let install = "git config core.hooksPath elsewhere; mkdir -p node_modules; touch ~/begun; \
                   while [ ! -e ~/go ]; do sleep 0.02; done";
    mirror.configure("install = []", &format!("install = [\"sh\", \"-c\", \"{install}\"]"));
    let author = mirror.home.at("author");
    mirror.home.git(mirror.home.path(), ["clone", "--quiet", &mirror.origin.to_string_lossy(), "author"]);
    mirror.home.write("author/package-lock.json", "{}\n");
    mirror.home.write("author/.gitignore", "node_modules\n");
    mirror.home.commit(&author, "a lockfile");
    mirror.home.git(&author, ["push", "--quiet"]);
}

/// The volume hangs while the installer is at work, which changed the repository: that is to be put back.
fn falls_silent(mirror: &Mirror, volume: &Volume, command: &str) -> (Ran, HungMount) {
    for file in ["go", "begun"] {
        let _ = std::fs::remove_file(mirror.home.at(file));
    }
    let running = mirror.start(&[command, "--timeout", "1s"]);
    let begun = || mirror.home.at("begun").exists();
    assert!(
        support::processes::eventually(Duration::from_secs(20), begun),
        "the installer runs: {}{}",
        running.text("stdout"),
        running.text("stderr")
    );
    let hung = volume.hangs();
    mirror.home.write("go", "");
    let ended = running.wait(Duration::from_secs(40));
    let told = format!("the volume at {} does not answer", volume.path().display());
    assert!([&ended.stdout, &ended.stderr].iter().any(|it| it.contains(&told)), "{ended}");
    (ended, hung)
}

fn silent_volume() {
    let mut mirror = Mirror::fixed();
    let volume = Volume::plugged_in();
    with_installer(&mut mirror, &volume);
    mirror.home.write("go", "");
    let _ = mirror.run(&["sync"]).exits(0);
    let _ = mirror.mend().healthy();
    for command in ["sync", "--fix"] {
        std::fs::remove_dir_all(mirror.worktree().join("node_modules")).expect("what is installed goes");
        let (ended, hung) = falls_silent(&mirror, &volume, command);
        assert_eq!(ended.code, if command == "sync" { 0 } else { 3 }, "{ended}");
        let state = || std::fs::read_to_string(mirror.state().join("last-sync.env")).expect("the state");
        assert!(command != "sync" || state().contains("LAST_SYNC_STATUS=\"stale\""), "{}", state());
        // The lock is free, and the next one sees the same.
        let next = mirror.run(&["sync", "--timeout", "1s"]).exits(0);
        assert!(next.stdout.starts_with("stale: "), "{next}");
        drop(hung);
        let _ = mirror.run(&["sync"]).exits(0);
        assert!(state().contains("LAST_SYNC_STATUS=\"updated\""), "{}", state());
        let config =
            std::fs::read_to_string(mirror.repository.join(".git/config")).expect("its configuration");
        assert!(!config.contains("hooksPath"), "what the installer changed is put back: {config}");
        let _ = mirror.run(&["--json"]).exits(0).report().healthy();
    }
}

/// Nothing more is begun beside the hands that were left behind.
fn silent_install() {
    let mut mirror = Mirror::fixed().with_launchd();
    let volume = Volume::plugged_in();
    with_installer(&mut mirror, &volume);
    let (ended, hung) = falls_silent(&mirror, &volume, "install");
    assert_eq!(ended.code, 3, "{ended}");
    assert!(!mirror.state().join("install.json").exists(), "no job is written: {ended}");
    let next = mirror.run(&["sync", "--timeout", "1s"]).exits(0);
    assert!(next.stdout.starts_with("stale: "), "the lock is free: {next}");
    drop(hung);
}

/// What was set aside is in the repository: it is listed and given back, and what cannot be read is named.
fn silent_worktree() {
    let mirror = Mirror::fixed();
    let _ = mirror.run(&["sync"]).exits(0);
    std::fs::write(mirror.worktree().join("mine.txt"), "mine\n").expect("an edit");
    let _ = mirror.run(&["sync"]).exits(0);
    let _ = mirror.run(&["rescued", "--timeout", "1s"]).exits(0);
    let _hung = HungMount::over(&mirror.worktree());
    let listed = mirror.run(&["rescued", "--json", "--timeout", "1s"]).exits(3);
    let rescued: serde_json::Value = serde_json::from_str(&listed.stdout).expect("a listing");
    let name = rescued["rescued"][0]["name"].as_str().unwrap_or_else(|| panic!("one: {listed}"));
    assert!(listed.stderr.contains("what stays in the worktree itself is not listed"), "{listed}");
    let to = mirror.home.at("back");
    let _ =
        mirror.run(&["rescued", "restore", name, "--to", &to.to_string_lossy(), "--timeout", "1s"]).exits(0);
    assert_eq!(std::fs::read_to_string(to.join("files/mine.txt")).expect("it is back"), "mine\n");
}

fn dead_volume() {
    let mirror = Mirror::fixed();
    let mut volume = on_volume(&mirror);
    volume.disconnect();
    let (_, report) = look(&mirror);
    assert!(
        !report.told("canonical-repo").contains("did not answer"),
        "the look ends at once, without a deadline: {}",
        report.troubles()
    );
    assert!(["unknown", "fail"].contains(&report.status("canonical-repo")), "{}", report.troubles());
}

fn all() {
    let mirror = with_node("#!/bin/sh\nexec sleep 600\n");
    let _volume = on_volume(&mirror);
    let _server = Server::mute_at(&mirror.address().to_string());
    let (_, report) = look(&mirror);
    let report = report.with("canonical-repo", "unknown");
    assert_eq!(report.saw("runtime-version:node"), "unknown", "{}", report.troubles());
}
