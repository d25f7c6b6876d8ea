//! The jobs in every world: what their files say, what is loaded of them, and how they fare.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use housecall::check::Check;
use housecall::checks::jobs::{job_drift, job_lint, job_loaded, job_paths, job_state};
use housecall::config::service::KnownAs;
use housecall::config::{Config, Health, Place, Service};
use housecall::cx::{Cx, Probes};
use housecall::lint::{self, Facts, Kind, Seen};
use housecall::probes::built::Built;
use housecall::probes::installation::Basis;
use housecall::probes::jobs::{Content, DefinitionFile, Keeping, Managed, Named, Wanted};
use housecall::probes::logs::Log;
use housecall::probes::state::{LastSync, State as Written};
use housecall::probes::{Keyed, Probe};
use housecall::services::{self, LastExit, Loaded, Observed, Scope, State, launchd};
use insta::assert_snapshot;

use super::worlds::{ago, at, config, cx_of, home, verdict};

/// The usual mirror, whose one job that is judged here is the server, kept by launchd.
pub(crate) struct World {
    pub(crate) config: Config,
    pub(crate) managed: Managed,
    pub(crate) observed: Observed,
    pub(crate) file: Option<Vec<u8>>,
    facts: Facts,
    named: Vec<(PathBuf, Named)>,
    pub(crate) is_stopped: bool,
    pub(crate) last_sync: Option<LastSync>,
    /// The last line of the log that has its complaints.
    pub(crate) complaint: Option<&'static str>,
}

fn seen(kind: Kind) -> Named {
    Named::Here { seen: Seen { kind, is_writable: true, is_executable: true }, is_quarantined: false }
}

pub(crate) fn exit(code: i32, told: &str) -> LastExit {
    LastExit { code: Some(code), signal: None, told: told.to_owned() }
}

impl World {
    /// All is well.
    pub(crate) fn new() -> Self {
        let config = Config { mirror: None, services: Vec::new(), ..config() };
        let basis = Basis {
            program: at(".local/bin/housecall"),
            variables: [("LANG".to_owned(), "fr_FR.UTF-8".to_owned())].into(),
        };
        let definition = services::definitions(&config, &launchd::MANAGER, &basis).remove(0);
        let files = (launchd::MANAGER.render)(&config, &definition);
        let loaded = Loaded {
            program: Some(at(".local/bin/housecall")),
            arguments: Some(definition.argv.clone()),
            environment: Some(definition.environment.clone()),
            interval: None,
        };
        let observed = Observed {
            state: State::Running,
            pid: Some(31_492),
            runs: Some(1),
            last_exit: None,
            loaded: Some(loaded),
            file: Some(files[0].path.clone()),
            disabled: false,
            is_outdated: None,
            since: Some(ago(3600)),
            stdout: Some(definition.stdout.clone()),
            stderr: Some(definition.stderr.clone()),
            raw: String::new(),
        };
        let named = vec![
            (at(".local/bin/housecall"), seen(Kind::File)),
            (home(), seen(Kind::Directory)),
            (at("Library/Logs"), seen(Kind::Directory)),
            (definition.stdout.clone(), seen(Kind::File)),
            (definition.stderr.clone(), seen(Kind::Missing)),
        ];
        let facts = Facts { home: home(), user: 501, owner: 501, mode: 0o644, ..Facts::default() };
        let file = Some(files[0].content.clone().into_bytes());
        let job = definition.job.clone();
        let managed = Managed { manager: "launchd", job, wanted: Some(Wanted { definition, files }) };
        Self {
            config,
            managed,
            observed,
            file,
            facts,
            named,
            is_stopped: false,
            last_sync: None,
            complaint: None,
        }
    }

    /// A service of somebody else's with this property list.
    fn of_service(text: &str) -> Self {
        let mut world = Self::new();
        let health = Health {
            place: Place::Address("http://127.0.0.1:4317/healthz".to_owned()),
            status: 200,
            tries: 30,
            every: Duration::from_secs(1),
            timeout: Duration::from_secs(5),
        };
        let service = Service {
            name: "conductor".to_owned(),
            known_as: KnownAs::Label("so.makefile.conductor".to_owned()),
            scope: Scope::Agent,
            health: Some(health),
        };
        world.managed = housecall::probes::jobs::of_service(&service);
        world.config = Config { server: None, services: vec![Arc::new(service)], ..world.config };
        world.file = Some(text.as_bytes().to_vec());
        world.observed.file = Some(at("Library/LaunchAgents/so.makefile.conductor.plist"));
        world.observed.loaded = Some(Loaded::default());
        world
    }

    pub(crate) fn with(change: impl FnOnce(&mut Self)) -> Self {
        let mut world = Self::new();
        change(&mut world);
        world
    }

    pub(crate) fn says(self, check: &'static Check) -> String {
        verdict(check, &self.cx())
    }

    pub(crate) fn cx(self) -> Cx {
        let name = self.managed.job.name.clone();
        let path =
            self.observed.file.clone().unwrap_or_else(|| launchd::file_of(&self.config, &self.managed.job));
        let place = lint::Place::Installed(Box::new(self.facts));
        let content = self.file.map(|bytes| Content::Plist(bytes, place));
        let stopped = self.is_stopped.then(|| ago(60));
        let written = Written {
            last_sync: self.last_sync,
            last_sync_age: None,
            built: Built::default(),
            stopped,
            holder: None,
            bad: Vec::new(),
        };
        let log =
            |(path, line): (PathBuf, &str)| (path.clone(), Ok(Log { path, bytes: 9, tail: line.into() }));
        let probes = Probes {
            job_logs: Keyed::given(self.observed.stderr.clone().zip(self.complaint).map(log)),
            jobs: Keyed::given([(name.clone(), Ok(Keeping::Managed(Box::new(self.managed))))]),
            observed: Keyed::given([(name.clone(), Ok(self.observed))]),
            job_files: Keyed::given([(name, Ok(vec![DefinitionFile { path, content }]))]),
            named: Keyed::given(self.named.into_iter().map(|(path, named)| (path, Ok(named)))),
            state: Probe::given(Ok(written)),
            ..Probes::default()
        };
        cx_of(self.config, probes)
    }
}

#[test]
fn a_job_that_is_as_it_should_be_passes_every_check() {
    let all = [&job_lint::CHECK, &job_paths::CHECK, &job_drift::CHECK, &job_loaded::CHECK, &job_state::CHECK];
    assert_snapshot!(all.map(|check| World::new().says(check)).join("\n"), @"
    [serve]
    pass -

    [serve]
    pass -

    [serve]
    pass -

    [serve]
    pass -
      label: me.site.localhost-serve

    [serve]
    pass serve running, pid 31492
      who: pid 31492
      since: 2026-03-16T19:29:43Z
      runs: 1
    ");
}

#[test]
fn what_nobody_has_installed_is_not_asked_about() {
    let keeping = || Keyed::given([("serve".to_owned(), Ok(Keeping::Unmanaged("nothing is installed")))]);
    let config = Config { mirror: None, ..config() };
    let probes = Probes { jobs: keeping(), ..Probes::default() };
    assert_snapshot!(verdict(&job_state::CHECK, &cx_of(config, probes)), @"
    [serve]
    skip nothing is installed
    ");
}

#[test]
fn a_file_that_launchd_refuses_is_told_with_its_line() {
    let edit = |from: &'static str, to: &'static str| {
        move |it: &mut World| {
            let text = String::from_utf8(it.file.take().expect("a file")).expect("text");
            assert!(text.contains(from), "{text}");
            it.file = Some(text.replace(from, to).into_bytes());
        }
    };
    assert_snapshot!(World::with(edit("</plist>", "")).says(&job_lint::CHECK), @"
    [serve]
    fail Encountered unexpected EOF
      where: ~/Library/LaunchAgents/me.site.localhost-serve.plist:45
    ");
    assert_snapshot!(World::with(edit("StandardErrorPath", "StandardErrPath")).says(&job_lint::CHECK), @"
    [serve]
    pass -
      warning: `StandardErrPath` is no key of a job, and launchd ignores it
      where: ~/Library/LaunchAgents/me.site.localhost-serve.plist:41
      suggestion: StandardErrorPath
    ");
    assert_snapshot!(World::with(|it| it.facts.mode = 0o666).says(&job_lint::CHECK), @"
    [serve]
    fail others may write to this file (mode 666): launchd refuses it
      where: ~/Library/LaunchAgents/me.site.localhost-serve.plist
      suggestion: chmod 644
    ");
}

#[test]
fn what_the_job_names_must_be_there() {
    let at_program = |named| World::with(move |it| it.named[0].1 = named).says(&job_paths::CHECK);
    assert_snapshot!(at_program(seen(Kind::Missing)), @"
    [serve]
    fail the program of `serve` is not there
      path: /home/ada/.local/bin/housecall
    ");
    let plain = Seen { kind: Kind::File, is_writable: false, is_executable: false };
    assert_snapshot!(at_program(Named::Here { seen: plain, is_quarantined: false }), @"
    [serve]
    fail the program of `serve` is not executable
      path: /home/ada/.local/bin/housecall
      remedy: $ chmod +x /home/ada/.local/bin/housecall
    ");
    let runnable = Seen { is_executable: true, ..plain };
    assert_snapshot!(at_program(Named::Here { seen: runnable, is_quarantined: true }), @"
    [serve]
    fail macOS holds the program of `serve` back as downloaded
      path: /home/ada/.local/bin/housecall
      remedy: $ xattr -d com.apple.quarantine /home/ada/.local/bin/housecall
    ");
    assert_snapshot!(World::with(|it| it.named[2].1 = seen(Kind::Missing)).says(&job_paths::CHECK), @"
    [serve]
    fail launchd opens the log before it starts the program, and the log's directory is not there
      path: /home/ada/Library/Logs
      remedy: $ mkdir -p /home/ada/Library/Logs
    ");
    let closed = Seen { kind: Kind::File, is_writable: false, is_executable: false };
    assert_snapshot!(
        World::with(|it| it.named[3].1 = Named::Here { seen: closed, is_quarantined: false }).says(&job_paths::CHECK),
        @"
    [serve]
    fail launchd opens the log before it starts the program, and its user may not write there
      path: /home/ada/Library/Logs/me.site.localhost-serve.out.log
    "
    );
}

/// A job whose log macOS does not let launchd open.
const ON_A_VOLUME: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<plist version="1.0"><dict>
<key>Label</key><string>so.makefile.conductor</string>
<key>ProgramArguments</key><array><string>/bin/sh</string><string>/Volumes/FunIA/dev/run.sh</string></array>
<key>StandardErrorPath</key><string>/Volumes/FunIA/logs/conductor.err.log</string>
</dict></plist>
"#;

#[test]
fn operation_not_permitted_is_the_cause_only_where_the_job_does_not_work() {
    let world = || {
        let mut world = World::of_service(ON_A_VOLUME);
        world.named = vec![
            (PathBuf::from("/bin/sh"), seen(Kind::File)),
            (PathBuf::from("/Volumes/FunIA/logs"), Named::Away),
            (PathBuf::from("/Volumes/FunIA/logs/conductor.err.log"), Named::Away),
        ];
        world
    };
    let mut dead = world();
    dead.observed =
        Observed { pid: None, state: State::BackingOff, last_exit: Some(exit(78, "78")), ..dead.observed };
    assert_snapshot!(dead.says(&job_paths::CHECK), @"
    [conductor]
    fail the job needs a path on another volume, which may not be there yet and which macOS keeps jobs from: Operation not permitted
      path: /Volumes/FunIA/logs/conductor.err.log
      path: /Volumes/FunIA/dev/run.sh
    ");
    assert_snapshot!(world().says(&job_paths::CHECK), @"
    [conductor]
    pass -
    ");
}

#[test]
fn a_program_that_the_next_build_takes_away_is_named() {
    let world = World::with(|it| {
        let text = String::from_utf8(it.file.take().expect("a file")).expect("text");
        it.file = Some(
            text.replace("/home/ada/.local/bin/housecall", "/home/ada/dev/target/release/housecall")
                .into_bytes(),
        );
        it.named.push((at("dev/target/release/housecall"), seen(Kind::File)));
    });
    assert_snapshot!(world.says(&job_paths::CHECK), @"
    [serve]
    fail the program of `serve` lies where the next build, upgrade or reboot takes it away
      path: /home/ada/dev/target/release/housecall
    ");
}

#[test]
fn an_edited_file_and_an_older_definition_are_told_apart() {
    let edited = World::with(|it| {
        let text = String::from_utf8(it.file.take().expect("a file")).expect("text");
        it.file = Some(text.replace("fr_FR.UTF-8", "C").into_bytes());
    });
    assert_snapshot!(edited.says(&job_drift::CHECK), @"
    [serve]
    fail the file of `serve` is not what the configuration says
      file: /home/ada/Library/LaunchAgents/me.site.localhost-serve.plist
      line: 20
      expected: <string>fr_FR.UTF-8</string>
      actual: <string>C</string>
    ");
    let older = World::with(|it| {
        let loaded = it.observed.loaded.as_mut().expect("a definition");
        loaded.arguments = Some(vec!["/home/ada/bin/astro".to_owned(), "dev".to_owned()]);
        loaded.environment.as_mut().expect("variables").insert("TOKEN".to_owned(), "secret".to_owned());
    });
    let told = older.says(&job_drift::CHECK);
    assert!(!told.contains("secret"), "{told}");
    assert_snapshot!(told, @"
    [serve]
    fail launchd has an older definition of `serve` loaded than its file holds
      differs: arguments
      expected: /home/ada/.local/bin/housecall --config /home/ada/.config/housecall/site.toml serve
      actual: /home/ada/bin/astro dev
      differs: variable TOKEN
      expected: not set
      actual: another value
    ");
    let changed = World::with(|it| it.observed.is_outdated = Some(true));
    assert_snapshot!(changed.says(&job_drift::CHECK), @"
    [serve]
    fail launchd has an older definition of `serve` loaded than its file holds
      changed since: /home/ada/Library/LaunchAgents/me.site.localhost-serve.plist
    ");
    let foreign = World::with(|it| it.file = Some(ON_A_VOLUME.as_bytes().to_vec()));
    assert_snapshot!(foreign.says(&job_drift::CHECK), @"
    [serve]
    fail the file of `serve` was replaced by one that is not Housecall's
      file: /home/ada/Library/LaunchAgents/me.site.localhost-serve.plist
    ");
    assert_snapshot!(World::with(|it| it.file = None).says(&job_drift::CHECK), @"
    [serve]
    fail the file of `serve` is gone, and what was loaded lives on
      expected: /home/ada/Library/LaunchAgents/me.site.localhost-serve.plist
    ");
}
