//! `install` and `uninstall` with the real binary, a real server, and a launchd whose jobs are real processes.
#![expect(clippy::disallowed_methods, reason = "a test sets the world up, and looks at it with its own eyes")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Duration;

use support::launchd::{ctl, domain, log_in, shut_down};
use support::processes::eventually;
use support::{Folder, Mirror};

const SOON: Duration = support::processes::HANG;
const SYNC: &str = "me.site.localhost-sync";
const SERVE: &str = "me.site.localhost-serve";

fn installed() -> Mirror {
    let mirror = Mirror::fixed().with_launchd();
    let ran = mirror.run(&["install"]).exits(0);
    assert!(ran.stdout.contains("answers after"), "{ran}");
    mirror
}

fn plist(mirror: &Mirror, label: &str) -> PathBuf {
    mirror.home.at(format!("Library/LaunchAgents/{label}.plist"))
}

/// What launchd says of a label; `None`: it is not loaded.
fn print(mirror: &Mirror, label: &str) -> Option<String> {
    let (code, text) = ctl(&mirror.home, &["print", &format!("{}/{label}", domain())]);
    (code == 0).then_some(text)
}

fn pid(mirror: &Mirror, label: &str) -> Option<u32> {
    print(mirror, label)?.lines().find_map(|line| line.strip_prefix("\tpid = "))?.parse().ok()
}

fn runs(mirror: &Mirror, label: &str) -> Option<u32> {
    print(mirror, label)?.lines().find_map(|line| line.strip_prefix("\truns = "))?.parse().ok()
}

fn serves(mirror: &Mirror) -> bool {
    mirror.page("/").contains("The first text")
}

/// An agent as somebody wrote it by hand, loaded.
fn by_hand(mirror: &Mirror, label: &str, arguments: &[&str]) -> (PathBuf, String) {
    let arguments = format!("<string>{}</string>", arguments.join("</string><string>"));
    let text = format!(
        "<?xml version=\"1.0\"?>\n<plist version=\"1.0\"><!-- mine -->\n<dict>\n<key>Label</key><string>{label}</string>\n\
         <key>ProgramArguments</key><array>{arguments}</array>\n<key>RunAtLoad</key><true/>\n</dict>\n</plist>\n"
    );
    let file = mirror.home.write(format!("Library/LaunchAgents/{label}.plist"), &text);
    assert_eq!(ctl(&mirror.home, &["bootstrap", &domain(), &file.to_string_lossy()]).0, 0);
    (file, text)
}

#[test]
fn install_has_launchd_keep_the_mirror_and_uninstall_leaves_nothing() {
    let mirror = installed();
    assert!(serves(&mirror), "it answers once `install` is back");
    for label in [SYNC, SERVE] {
        let mode = fs::metadata(plist(&mirror, label)).expect("its file").permissions().mode() & 0o777;
        assert_eq!(mode, 0o644);
        assert!(print(&mirror, label).is_some(), "{label} is loaded");
    }
    let text = fs::read_to_string(plist(&mirror, SERVE)).expect("its file");
    let program = mirror.home.at(".local/bin/housecall");
    assert!(text.contains(&*program.to_string_lossy()), "{text}");
    assert!(text.contains("LANG") && text.contains("Written by Housecall"), "{text}");
    let listener = mirror.listener().expect("a server");
    assert_eq!(pid(&mirror, SERVE), Some(listener), "the job is the server: nothing is between them");

    let shown = mirror.run(&["uninstall", "--dry-run"]).exits(0).stdout;
    assert!(shown.starts_with("it would\n") && shown.contains("launchctl bootout"), "{shown}");
    assert!(shown.contains(&format!("rm ~/Library/LaunchAgents/{SYNC}.plist")), "{shown}");
    assert!(plist(&mirror, SYNC).exists() && print(&mirror, SERVE).is_some(), "nothing is changed");
    assert_eq!(mirror.listener(), Some(listener), "and the server goes on");

    let ran = mirror.run(&["uninstall"]).exits(0);
    assert!(ran.stdout.contains("up --detach"), "it says how to go on: {ran}");
    assert!(!plist(&mirror, SYNC).exists() && !plist(&mirror, SERVE).exists());
    assert!(print(&mirror, SYNC).is_none() && print(&mirror, SERVE).is_none());
    assert!(mirror.listener().is_none(), "the server went with its job");
    assert!(mirror.run(&["uninstall"]).exits(0).stdout.contains("nothing is installed"));
    assert!(!mirror.home.at("launchd/legacy").exists(), "no verb was used that exits 0 whatever happens");
}

#[test]
fn a_second_install_touches_nothing() {
    let mirror = installed();
    let of = |label: &str| {
        let written = fs::metadata(plist(&mirror, label)).and_then(|it| it.modified()).expect("its file");
        (written, pid(&mirror, label), runs(&mirror, label))
    };
    assert!(eventually(SOON, || pid(&mirror, SYNC).is_none()), "the first sync ends");
    let before = (of(SYNC), of(SERVE));
    let ran = mirror.run(&["install"]).exits(0);
    assert!(ran.stdout.contains("unchanged"), "{ran}");
    assert_eq!(before, (of(SYNC), of(SERVE)));
}

#[test]
fn jobs_whose_record_is_gone_are_neither_lost_nor_loaded_twice() {
    let mirror = installed();
    fs::remove_file(mirror.state().join("install.json")).expect("the record goes");
    let refused = mirror.run(&["uninstall"]).exits(2);
    assert!(
        refused.stderr.contains(SYNC) && refused.stderr.contains("install` writes it again"),
        "{refused}"
    );
    let server = mirror.listener();
    let _ = mirror.run(&["install"]).exits(0);
    assert_eq!(mirror.listener(), server, "the server was not touched");
    let _ = mirror.run(&["uninstall"]).exits(0);
    assert!(print(&mirror, SERVE).is_none() && !plist(&mirror, SYNC).exists());
}

#[test]
fn a_dry_run_shows_and_changes_nothing() {
    let mirror = Mirror::fixed().with_launchd();
    let ran = mirror.run(&["install", "--dry-run"]).exits(0);
    assert!(ran.stdout.contains("launchctl bootstrap") && ran.stdout.contains(SERVE), "{ran}");
    assert!(!plist(&mirror, SERVE).exists() && !mirror.state().join("install.json").exists());
}

#[test]
fn a_job_by_hand_is_refused_by_name_and_adopted_and_comes_back_as_it_was() {
    let mirror = Mirror::fixed().with_launchd();
    let (same_label, text) = by_hand(&mirror, SERVE, &["/bin/sleep", "600"]);
    let worktree = mirror.worktree().display().to_string();
    let (in_worktree, script) =
        by_hand(&mirror, "com.example.astro", &["/bin/sh", "-c", &format!("cd {worktree}; sleep 600")]);
    let (other, _) = by_hand(&mirror, "com.example.other", &["/bin/sleep", "600"]);
    let bystander = pid(&mirror, "com.example.other");

    let refused = mirror.run(&["install"]).exits(2);
    for named in [&same_label, &in_worktree] {
        let name = named.file_name().expect("a name").to_string_lossy().into_owned();
        assert!(refused.stderr.contains(&name), "{name}: {refused}");
    }
    assert!(refused.stdout.contains("-<key>") && refused.stderr.contains("--adopt"), "{refused}");
    assert!(!refused.stderr.contains("com.example.other"), "{refused}");
    assert_eq!(fs::read_to_string(&same_label).expect("its file"), text, "nothing was done");

    let _ = mirror.run(&["install", "--adopt"]).exits(0);
    assert!(serves(&mirror));
    let kept = same_label.with_file_name(format!("{SERVE}.plist.before-housecall"));
    assert_eq!(fs::read_to_string(kept).expect("the kept file"), text);
    assert!(print(&mirror, "com.example.astro").is_none(), "it was booted out");
    assert!(mirror.run(&["install"]).exits(0).stdout.contains("unchanged"));

    let _ = mirror.run(&["uninstall"]).exits(0);
    assert_eq!(fs::read_to_string(&same_label).expect("its file"), text);
    assert_eq!(fs::read_to_string(&in_worktree).expect("its file"), script);
    for label in [SERVE, "com.example.astro"] {
        assert!(print(&mirror, label).is_some_and(|it| it.contains("sleep")), "{label} runs again");
    }
    let kept: Vec<_> =
        fs::read_dir(mirror.home.at("Library/LaunchAgents")).expect("agents").flatten().collect();
    assert_eq!(kept.len(), 3, "nothing is left beside them: {kept:?}");
    assert!(other.exists() && pid(&mirror, "com.example.other") == bystander, "nobody else's is touched");
}

#[test]
fn what_was_changed_by_hand_or_by_the_configuration_is_mended() {
    let mirror = installed();
    let path = plist(&mirror, SERVE);
    let text = fs::read_to_string(&path).expect("its file");
    fs::write(&path, text.replace("<true/>", "<false/>")).expect("its file");
    let server = mirror.listener();
    let ran = mirror.run(&["install"]).exits(0);
    assert!(ran.stdout.contains("+\t<true/>") && ran.stdout.contains("reloaded"), "{ran}");
    assert_eq!(fs::read_to_string(&path).expect("its file"), text);
    assert!(serves(&mirror) && mirror.listener() != server);

    // A definition that launchd has cached is not the file.
    mirror.configure("every = \"1h\"", "every = \"2h\"");
    let _ = mirror.run(&["install"]).exits(0);
    assert!(print(&mirror, SYNC).is_some_and(|it| it.contains("run interval = 7200 seconds")));
    // Another label: the old job goes.
    mirror.configure("manager = \"launchd\"", "manager = \"launchd\"\nlabel = \"org.site\"");
    let _ = mirror.run(&["install"]).exits(0);
    assert!(print(&mirror, SERVE).is_none() && !path.exists());
    assert!(print(&mirror, "org.site.localhost-serve").is_some() && serves(&mirror));
}

#[test]
fn a_job_that_was_booted_out_is_loaded_again_by_a_mend_and_by_install() {
    let mirror = installed();
    let boot_out = |label: &str| {
        let _ = ctl(&mirror.home, &["bootout", &format!("{}/{label}", domain())]);
        assert!(eventually(SOON, || print(&mirror, label).is_none()));
    };
    boot_out(SERVE);
    assert!(mirror.listener().is_none());
    let _ = mirror.run(&["--fix"]).exits(0);
    assert!(print(&mirror, SERVE).is_some() && serves(&mirror), "by a mend");
    assert!(!mirror.state().join("keeper.json").exists(), "and not by a keeper beside it");
    boot_out(SYNC);
    let _ = mirror.run(&["install"]).exits(0);
    assert!(print(&mirror, SYNC).is_some(), "by install");
}

#[test]
fn a_mend_never_installs_what_install_did_not() {
    let mirror = Mirror::fixed().with_launchd();
    let _ = mirror.run(&["--fix"]);
    assert!(eventually(SOON, || serves(&mirror)), "the keeper serves");
    assert!(!mirror.home.at("Library/LaunchAgents").exists());
    // install takes the keeper down, and its place.
    let ran = mirror.run(&["install"]).exits(0);
    assert!(ran.stdout.contains("the keeper of site is down"), "{ran}");
    assert!(!mirror.state().join("keeper.json").exists() && serves(&mirror));
    assert_eq!(pid(&mirror, SERVE), mirror.listener());
    for verb in ["up", "down"] {
        assert!(mirror.run(&[verb]).exits(2).stderr.contains("launchd keeps this mirror"));
    }
}

#[test]
fn a_stop_outlives_mends_and_reboots_and_a_start_ends_it() {
    let mirror = installed();
    let _ = mirror.run(&["stop"]).exits(0);
    let is_down = || mirror.listener().is_none() && print(&mirror, SERVE).is_none();
    assert!(is_down(), "the server and its job are gone");
    let _ = mirror.run(&["--fix"]);
    assert!(is_down(), "no mend undoes it");
    let refused = mirror.run(&["install"]).exits(2);
    assert!(refused.stderr.contains("stopped") && is_down(), "{refused}");
    shut_down(&mirror.home);
    log_in(&mirror.home, false);
    std::thread::sleep(Duration::from_secs(2));
    assert!(is_down(), "nor does a reboot");
    let _ = mirror.run(&["start"]).exits(0);
    assert!(serves(&mirror) && print(&mirror, SYNC).is_some());
}

#[test]
fn restart_is_another_process_of_the_same_job() {
    let mirror = installed();
    let before = mirror.listener();
    let _ = mirror.run(&["restart"]).exits(0);
    assert!(serves(&mirror) && mirror.listener() != before);
    assert_eq!(pid(&mirror, SERVE), mirror.listener());
}

#[test]
fn a_reboot_needs_no_command_in_whatever_order_things_arrive() {
    let mirror = installed();
    let (origin, away) = (mirror.origin.clone(), mirror.origin.with_extension("away"));
    let (repository, unmounted) = (mirror.repository.clone(), mirror.repository.with_extension("away"));
    for reversed in [false, true] {
        shut_down(&mirror.home);
        // What a server that was cut off left behind names a process that is another's now.
        mirror.home.write(
            "ops/worktree/.astro/dev.json",
            "{\"pid\":1,\"port\":4321,\"url\":\"http://127.0.0.1:4321\"}",
        );
        // Neither the network nor the repository's volume is there at login.
        fs::rename(&origin, &away).expect("the remote goes");
        fs::rename(&repository, &unmounted).expect("the repository goes");
        log_in(&mirror.home, reversed);
        std::thread::sleep(Duration::from_secs(2));
        let (first, second) = if reversed { (&origin, &repository) } else { (&repository, &origin) };
        for place in [first, second] {
            fs::rename(place.with_extension("away"), place).expect("it arrives");
            std::thread::sleep(Duration::from_millis(500));
        }
        assert!(eventually(SOON, || serves(&mirror)), "reversed: {reversed}");
        assert!(pid(&mirror, SERVE).is_some() && print(&mirror, SYNC).is_some());
    }
}

#[test]
fn a_mirror_without_its_worktree_comes_up_by_itself() {
    let mirror = installed();
    mirror.configure("every = \"1h\"", "every = \"1s\"");
    let _ = mirror.run(&["install"]).exits(0);
    shut_down(&mirror.home);
    fs::remove_dir_all(mirror.worktree()).expect("the worktree goes");
    log_in(&mirror.home, true);
    assert!(eventually(Duration::from_secs(40), || serves(&mirror)), "sync makes it, and serve comes back");
}

#[test]
fn what_would_not_last_is_refused_with_the_remedy() {
    let mut mirror = Mirror::fixed().with_launchd();
    let built = mirror.home.at("src/housecall/target/debug");
    fs::create_dir_all(&built).expect("a build folder");
    let program = built.join("housecall");
    fs::copy(mirror.home.at(".local/bin/housecall"), &program).expect("the binary is copied");
    let output = mirror.home.command(&program).args(["install", "--config"]).arg(&mirror.config).output();
    let said = String::from_utf8_lossy(&output.expect("it starts").stderr).into_owned();
    assert!(said.contains("build folder") && said.contains("cargo install --path ."), "{said}");

    let outside = Folder::new();
    let elsewhere = outside.path().canonicalize().expect("the folder").join("site.toml");
    fs::copy(&mirror.config, &elsewhere).expect("the configuration is copied");
    mirror.config = elsewhere;
    assert!(mirror.run(&["install"]).exits(2).stderr.contains("outside the home directory"));
    assert!(!mirror.home.at("Library/LaunchAgents").exists());
}

#[test]
fn a_load_that_fails_brings_back_what_it_replaced() {
    let mirror = Mirror::fixed().with_launchd();
    let (file, text) = by_hand(&mirror, SERVE, &["/bin/sleep", "600"]);
    // Somebody disabled the sync job's label: a durable stop, which is not ours to end.
    let _ = ctl(&mirror.home, &["disable", &format!("{}/{SYNC}", domain())]);
    let refused = mirror.run(&["install", "--adopt"]).exits(2);
    assert!(refused.stderr.contains("launchctl enable"), "it says what to do: {refused}");
    assert_eq!(fs::read_to_string(&file).expect("its file"), text);
    assert!(print(&mirror, SERVE).is_some_and(|it| it.contains("sleep")), "it runs again");
    assert!(!plist(&mirror, SYNC).exists() && !mirror.state().join("install.json").exists());
}
