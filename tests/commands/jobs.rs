//! The jobs as the real binary judges them, on a launchd whose jobs are real processes; and each symptom's one cause.
#![expect(clippy::disallowed_methods, reason = "a test sets the world up, and looks at it with its own eyes")]

use std::fs;
use std::time::Duration;

use support::launchd::{Launchd, ctl, domain};
use support::processes::eventually;
use support::{Mirror, Report};

const SOON: Duration = support::processes::HANG;
const SYNC: &str = "me.site.localhost-sync";
const SERVE: &str = "me.site.localhost-serve";

fn installed() -> Mirror {
    let mirror = Mirror::fixed().with_launchd();
    let _ = mirror.run(&["install"]).exits(0);
    // The page answers before the sync that brought it has written that it did.
    mirror.settle();
    mirror
}

/// Waits for the end of the sync that an installation begins with; while one is at work, its pid is told.
fn is_between_syncs(mirror: &Mirror) {
    let is_done = || {
        let ran = mirror.run(&[]);
        ran.code == 0 && ran.stdout.contains("sync every")
    };
    assert!(eventually(SOON, is_done), "{}", mirror.run(&[]));
}

/// A home with this configuration alone, and what the examination comes to.
fn examine(launchd: &Launchd, text: &str) -> Report {
    let file = launchd.home.write(".config/housecall/services.toml", text);
    launchd.home.housecall(["--config", &file.to_string_lossy(), "--json"]).report()
}

#[test]
fn an_installed_mirror_is_healthy_and_says_how_its_jobs_fare() {
    let mirror = installed();
    let report = mirror.examine().healthy();
    for check in ["job-lint", "job-paths", "job-drift", "job-loaded", "job-state"] {
        for job in ["sync", "serve"] {
            assert_eq!(report.status(&format!("{check}:{job}")), "pass", "{}", report.troubles());
        }
    }
    is_between_syncs(&mirror);
    assert!(mirror.run(&[]).exits(0).stdout.contains("serve running, pid"));
}

#[test]
fn a_mirror_without_jobs_is_asked_for_none() {
    let mirror = Mirror::fixed();
    let _ = mirror.mend().healthy();
    let report = mirror.examine().healthy();
    assert_eq!(report.status("job-state:serve"), "skip");
    let said = mirror.run(&[]).exits(0);
    assert!(said.stdout.contains("jobs (no job is installed"), "{said}");
}

#[test]
fn a_job_that_was_booted_out_is_the_one_cause_and_is_mended() {
    let mirror = installed();
    // A sync that is at work would fail for the silent server, and say so until the next one, in an hour.
    is_between_syncs(&mirror);
    let _ = ctl(&mirror.home, &["bootout", &format!("{}/{SERVE}", domain())]);
    assert!(eventually(SOON, || mirror.listener().is_none()));
    let report = mirror.examine();
    assert_eq!(report.causes(), ["job-loaded:serve"], "{}", report.troubles());
    assert_eq!(report.status("listener"), "blocked");
    let _ = mirror.mend().healthy();
}

/// The server is away, and the sync's scheduled run fails for that.
fn with_a_failed_sync() -> Mirror {
    let mirror = installed();
    is_between_syncs(&mirror);
    let _ = ctl(&mirror.home, &["bootout", &format!("{}/{SERVE}", domain())]);
    assert!(eventually(SOON, || mirror.listener().is_none()));
    let _ = ctl(&mirror.home, &["kickstart", &format!("{}/{SYNC}", domain())]);
    assert!(eventually(SOON * 2, || says(&mirror, "last exit code = 1") && says(&mirror, "not running")));
    mirror
}

/// Whether launchd says that of the sync's job.
fn says(mirror: &Mirror, words: &str) -> bool {
    ctl(&mirror.home, &["print", &format!("{}/{SYNC}", domain())]).1.contains(words)
}

/// How often the sync's job was started.
fn runs(mirror: &Mirror) -> u32 {
    let (_, text) = ctl(&mirror.home, &["print", &format!("{}/{SYNC}", domain())]);
    let runs = text.lines().find_map(|line| line.trim().strip_prefix("runs = "));
    runs.and_then(|it| it.parse().ok()).expect("launchd counts them")
}

#[test]
fn a_sync_that_failed_is_run_again_once_what_made_it_fail_is_mended() {
    let mirror = with_a_failed_sync();
    let before = runs(&mirror);
    let report = mirror.examine();
    assert_eq!(report.causes(), ["job-loaded:serve", "job-state:sync"], "{}", report.troubles());
    let shown = mirror.run(&["--fix", "--dry-run"]).exits(1).stdout;
    assert!(shown.contains("rerun") && shown.contains(&format!("kickstart {}/{SYNC}", domain())), "{shown}");
    assert_eq!(runs(&mirror), before, "it is only shown");

    let report = mirror.run(&["--fix", "--json"]).exits(0).report();
    let fixes: Vec<&str> = report.repairs().iter().filter_map(|it| it["fix"].as_str()).collect();
    assert_eq!(fixes, ["install", "rerun"], "{}", report.troubles());
    let rerun = &report.repairs()[1];
    assert_eq!((&rerun["result"], &rerun["safety"]), (&"verified".into(), &"safe".into()), "{rerun}");
    assert_eq!(rerun["steps"][0]["action"], "run-job", "{rerun}");
    assert_eq!(runs(&mirror), before + 1, "once");
    assert!(says(&mirror, "last exit code = 0"), "its own word is what is told");
    let journal = fs::read_to_string(mirror.state().join("journal.jsonl")).expect("the journal");
    assert!(journal.contains("run-job"), "{journal}");
}

#[test]
fn a_sync_that_fails_when_it_is_run_again_stays_red_and_is_not_run_for_ever() {
    let mirror = with_a_failed_sync();
    let before = runs(&mirror);
    fs::rename(&mirror.origin, mirror.origin.with_extension("away")).expect("the remote goes");
    let report = mirror.run(&["--fix", "--json"]).exits(1).report();
    assert_eq!(report.status("job-state:sync"), "fail", "{}", report.troubles());
    assert_eq!(report.status("listener"), "pass", "the server is back: {}", report.troubles());
    let rerun = report.repairs().last().expect("a repair");
    assert_eq!((&rerun["fix"], &rerun["result"]), (&"rerun".into(), &"still-failing".into()), "{rerun}");
    assert_eq!(runs(&mirror), before + 1, "once");
}

#[test]
fn an_edited_file_and_what_is_loaded_of_it_are_drift() {
    let mirror = installed();
    let file = mirror.home.at(format!("Library/LaunchAgents/{SERVE}.plist"));
    let text = fs::read_to_string(&file).expect("its file");
    fs::write(
        &file,
        text.replace("</dict>\n</plist>", "<key>Nice</key><integer>1</integer></dict>\n</plist>"),
    )
    .expect("its file");
    let report = mirror.examine().caused_by("job-drift:serve");
    assert!(
        report.told("job-drift:serve").contains("not what the configuration says"),
        "{}",
        report.troubles()
    );
    let _ = mirror.mend().healthy();
    assert_eq!(fs::read_to_string(&file).expect("its file"), text);
}

#[test]
fn a_service_alone_is_a_configuration_and_answers_where_its_property_list_says() {
    let launchd = Launchd::new();
    let agent = launchd.serving("so.makefile.conductor", "0", "");
    let address = format!("http://127.0.0.1:{}//", agent.port);
    let variables = format!(
        "<key>EnvironmentVariables</key><dict><key>API</key><string>{address}</string></dict>\n</dict>\n</plist>"
    );
    let text = fs::read_to_string(&agent.file).expect("its file");
    fs::write(&agent.file, text.replace("</dict>\n</plist>", &variables)).expect("its file");
    launchd.bootstrap(&agent);
    let configuration = "[service.conductor]\nlabel = \"so.makefile.conductor\"\n\
        health = { plist-key = \"EnvironmentVariables.API\", default = \"http://127.0.0.1:1\", path = \"/healthz\" }\n\
        [[page]]\nservice = \"conductor\"\npath = \"/rolez\"\ncontains = [\"ok\"]\n";
    let report = examine(&launchd, configuration).healthy();
    for unit in ["job-state:conductor", "http-status:conductor/healthz", "page-content:conductor/rolez"] {
        assert_eq!(report.status(unit), "pass", "{}", report.troubles());
    }
    let asked = launchd.text("so.makefile.conductor", "asked");
    assert!(asked.lines().any(|it| it == "/healthz") && asked.lines().any(|it| it == "/rolez"), "{asked}");

    launchd.home.write("so.makefile.conductor/status", "503");
    let report = examine(&launchd, configuration);
    assert!(report.causes().contains(&"http-status:conductor/healthz"), "{}", report.troubles());
}

#[test]
fn a_job_that_is_there_while_nothing_runs_is_told_as_that() {
    let launchd = Launchd::new();
    let keys =
        "<key>ProgramArguments</key><array><string>/bin/true</string></array>\n<key>RunAtLoad</key><true/>";
    let agent = launchd.agent("org.example.idle", keys);
    launchd.bootstrap(&agent);
    let ended = || launchd.print("org.example.idle").is_some_and(|it| it.contains("state = not running"));
    assert!(eventually(SOON, ended));
    let text = "[service.idle]\nlabel = \"org.example.idle\"\nhealth = \"http://127.0.0.1:9/\"\n";
    let report = examine(&launchd, text);
    assert_eq!(report.causes(), ["job-state:idle"], "{}", report.troubles());
    assert!(report.told("job-state:idle").contains("nothing runs"), "{}", report.troubles());
    assert_eq!(report.status("http-status:idle/"), "blocked");
}

#[test]
fn operation_not_permitted_is_the_path_s_fault() {
    let launchd = Launchd::new();
    let keys = "<key>ProgramArguments</key><array><string>/bin/sleep</string><string>600</string></array>\n\
                <key>StandardErrorPath</key><string>/Volumes/FunIA/logs/job.err.log</string>\n\
                <key>RunAtLoad</key><true/>";
    let agent = launchd.agent("org.example.guarded", keys);
    launchd.bootstrap(&agent);
    let ended = || launchd.print("org.example.guarded").is_some_and(|it| it.contains("last exit code = 78"));
    assert!(eventually(SOON, ended), "{:?}", launchd.print("org.example.guarded"));
    let report = examine(&launchd, "[service.guarded]\nlabel = \"org.example.guarded\"\n");
    assert_eq!(report.causes(), ["job-paths:guarded"], "{}", report.troubles());
    assert!(report.told("job-paths:guarded").contains("Operation not permitted"), "{}", report.troubles());
}

#[test]
fn a_command_that_is_not_found_is_a_crash_loop_in_words() {
    let launchd = Launchd::new();
    let keys = "<key>ProgramArguments</key><array><string>/bin/sh</string><string>-c</string>\
                <string>astro-that-is-nowhere dev</string></array>\n<key>KeepAlive</key><true/>";
    let agent = launchd.agent("org.example.loop", keys);
    launchd.bootstrap(&agent);
    let runs = || launchd.print("org.example.loop").is_some_and(|it| it.contains("last exit code = 127"));
    assert!(eventually(SOON, runs));
    let report = examine(&launchd, "[service.loop]\nlabel = \"org.example.loop\"\n");
    let told = report.told("job-state:loop");
    assert!(told.contains("127") && told.contains("command was not found"), "{told}");
}

#[test]
fn a_page_behind_main_is_the_parity_s_fault() {
    let mirror = installed();
    mirror.settle();
    let _ = mirror.publish("public/index.html", "The first text", "Another text");
    let _ = mirror.run(&["sync"]).exits(0);
    // Nothing but a person, or a script of before, takes the mirror back.
    mirror.home.git(&mirror.worktree(), ["reset", "--quiet", "--hard", "HEAD~1"]);
    let report = mirror.examine();
    assert_eq!(report.causes(), ["sha-parity"], "{}", report.troubles());
}

#[test]
fn the_right_commit_with_old_content_is_the_page_s_fault() {
    let mirror = installed();
    mirror.settle();
    mirror.configure("The first text", "A newer text");
    let report = mirror.examine();
    assert_eq!(report.status("sha-parity"), "pass");
    assert_eq!(report.causes(), ["page-content:/"], "{}", report.troubles());
}

#[test]
fn ebadengine_is_the_runtime_s_fault() {
    let mirror = installed();
    mirror.settle();
    let node = mirror.home.program("nodes/20/bin/node", "#!/bin/sh\necho v20.11.1\n");
    let path = node.parent().expect("its directory").display().to_string();
    let text = fs::read_to_string(&mirror.config).expect("the configuration");
    fs::write(&mirror.config, format!("{text}\n[runtime]\nnode = \">=22 <23\"\npath = [\"{path}\"]\n"))
        .expect("the configuration");
    let _ = mirror.run(&["install"]);
    let report = mirror.examine().caused_by("runtime-version:node");
    assert!(report.told("runtime-version:node").contains("20.11.1"), "{}", report.troubles());
}

#[test]
fn eperm_on_astro_is_told_from_the_job_s_own_log() {
    let mirror = installed();
    mirror.settle();
    let log = mirror.home.at(format!("Library/Logs/{SERVE}.err.log"));
    let before = fs::read_to_string(&log).unwrap_or_default();
    assert!(before.contains("--- housecall start "), "a start is marked: {before}");
    let line =
        "Error: EPERM: operation not permitted, open '/Volumes/FunIA/site/node_modules/astro/astro.mjs'\n";
    fs::write(&log, format!("{before}{line}")).expect("the log");
    let report = mirror.examine().caused_by("log-signatures");
    assert!(report.told("log-signatures").contains("macOS keeps the job"), "{}", report.troubles());
    // What was said before the last start is history.
    fs::write(&log, format!("{line}{before}")).expect("the log");
    assert_eq!(mirror.examine().healthy().status("log-signatures"), "pass");
}
