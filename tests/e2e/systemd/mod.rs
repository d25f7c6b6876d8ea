//! systemd's jobs, with a real user manager: what is rendered, what is observed, what is done.

#![expect(clippy::disallowed_methods, reason = "tests make the world that the product only looks at")]

mod declared;
mod lives;
mod reload;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use housecall::config::{Config, Limits, Surroundings};
use housecall::error::StepError;
use housecall::probes::machine::Machine;
use housecall::services::systemd::{self, MANAGER};
use housecall::services::{Definition, Job, Keep, Observed, Rendered, Scope, State, Verb};
use support::processes::{eventually, read, signal};
use support::systemd::{UserManager, property, systemctl};
use support::{Home, Part, Test, shown};

const SYSTEMD: &[Part] = &[Part::Systemd];
const ASTRO: &[Part] = &[Part::Systemd, Part::Lighttpd, Part::Node(22), Part::Astro];
const SOON: Duration = support::processes::HANG;

pub(crate) const TESTS: &[Test] = &[
    Test { name: "a_job_is_rendered_as_a_person_would_write_it", needs: &[], run: rendered },
    Test { name: "commands_are_what_a_person_would_type", needs: &[], run: typed },
    Test { name: "any_path_and_word_arrives_as_it_was", needs: SYSTEMD, run: odd_words },
    Test { name: "installed_jobs_align_serve_come_back_and_go", needs: SYSTEMD, run: lives::whole_life },
    Test { name: "a_crash_loop_ends_at_the_limit_and_is_forgiven", needs: SYSTEMD, run: crash_loop },
    Test { name: "a_changed_file_is_drift_until_it_is_reloaded", needs: SYSTEMD, run: drift },
    Test { name: "what_the_user_stopped_stays_stopped", needs: SYSTEMD, run: stopped },
    Test { name: "an_unload_waits_until_it_is_really_gone", needs: SYSTEMD, run: draining },
    Test { name: "an_end_is_told_in_words", needs: SYSTEMD, run: ends },
    Test {
        name: "install_has_systemd_keep_the_mirror_and_uninstall_leaves_nothing",
        needs: SYSTEMD,
        run: lives::installed,
    },
    Test { name: "a_failed_sync_is_run_again_by_a_mend", needs: SYSTEMD, run: lives::rerun },
    Test { name: "install_has_systemd_keep_a_real_astro_site", needs: ASTRO, run: lives::installed_astro },
    Test { name: "a_reload_is_believed_when_the_unit_answers", needs: SYSTEMD, run: reload::declared },
    Test { name: "a_failed_reload_shows_the_journal", needs: SYSTEMD, run: reload::in_journal },
    Test { name: "the_mirrors_own_units_are_reloaded_too", needs: SYSTEMD, run: reload::of_mirror },
    Test { name: "a_declared_check_asks_about_a_unit", needs: SYSTEMD, run: declared::asked },
    Test { name: "a_manager_out_of_reach_is_unknown_never_stopped", needs: &[], run: out_of_reach },
];

/// A configuration in that home, and its jobs.
struct World {
    home: Home,
    config: Config,
    machine: Machine,
    _manager: UserManager,
}

impl World {
    fn new() -> Self {
        let home = Home::new();
        let (config, manager) = (config(&home, "name = \"site\"\n"), UserManager::start(&home));
        Self { home, config, machine: Machine::default(), _manager: manager }
    }

    /// Writes what is rendered and has it loaded.
    fn install(&self, definition: &Definition) -> Result<Option<String>, StepError> {
        write(&(MANAGER.render)(&self.config, definition));
        self.act(&definition.job, Verb::Load)
    }

    fn act(&self, job: &Job, verb: Verb) -> Result<Option<String>, StepError> {
        (MANAGER.act)(&self.machine, &self.config, job, verb)
    }

    fn observe(&self, job: &Job) -> Observed {
        (MANAGER.observe)(&self.machine, &self.config, job).expect("systemd answers")
    }

    #[track_caller]
    fn becomes(&self, job: &Job, state: &State) -> Observed {
        let is_so = || self.observe(job).state == *state;
        assert!(eventually(SOON, is_so), "not {state:?}: {:#?}", self.observe(job));
        self.observe(job)
    }

    /// A server that is this line of shell.
    fn server(&self, script: &str) -> Definition {
        define(&self.config, "serve", Keep::Alive, &["/bin/sh", "-c", script])
    }
}

fn config(home: &Home, text: &str) -> Config {
    let environment: BTreeMap<String, String> = home
        .environment()
        .iter()
        .map(|(name, value)| (name.clone(), value.to_string_lossy().into_owned()))
        .collect();
    let directory = home.path().to_owned();
    let surroundings =
        Surroundings { home: directory.clone(), directory, environment, odd: [].into(), uid: 0 };
    let file = home.at(".config/housecall/site.toml");
    Config::of_text(text, &file, &surroundings, Limits::default()).expect("the configuration makes sense")
}

fn job(role: &str) -> Job {
    Job {
        name: role.to_owned(),
        label: format!("housecall-site-{role}.service"),
        scope: Scope::Agent,
        file: None,
    }
}

fn write(rendered: &[Rendered]) {
    for file in rendered {
        fs::create_dir_all(file.path.parent().expect("a folder")).expect("the units' folder");
        fs::write(&file.path, &file.content).expect("a unit");
    }
}

fn define(config: &Config, role: &str, keep: Keep, argv: &[&str]) -> Definition {
    let environment = [
        ("HOME", config.home.display().to_string()),
        ("LANG", "C.UTF-8".to_owned()),
        ("PATH", "/usr/local/bin:/usr/bin:/bin".to_owned()),
    ];
    fs::create_dir_all(config.state.join("logs")).expect("the logs' folder");
    Definition {
        job: job(role),
        description: format!("{role}s the mirror site"),
        argv: argv.iter().map(|&it| it.to_owned()).collect(),
        environment: environment.map(|(name, value)| (name.to_owned(), value)).into(),
        directory: config.home.clone(),
        stdout: config.log_file(role),
        stderr: config.log_file(role),
        keep,
    }
}

fn text(path: impl AsRef<Path>) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

fn rendered() {
    let home = Home::new();
    let config = config(&home, "name = \"site\"\n");
    let show = |definition: &Definition| {
        let files = (MANAGER.render)(&config, definition);
        let one = |it: &Rendered| format!("== {}\n{}", config.tilde(&it.path), it.content);
        files.iter().map(one).collect::<String>().replace(&home.path().display().to_string(), "/home/ann")
    };
    let argv = ["/home/ann/bin/housecall", "--config", "/home/ann/site.toml", "sync"];
    shown!("sync", show(&define(&config, "sync", Keep::Every(Duration::from_mins(1)), &argv)));
    shown!("serve", show(&define(&config, "serve", Keep::Alive, &argv)));
}

fn typed() {
    let home = Home::new();
    let config = config(&home, "name = \"site\"\n");
    let begin = [Verb::Load, Verb::Start, Verb::Reload, Verb::Restart, Verb::Run];
    let end = [Verb::Unload, Verb::Disable, Verb::Enable];
    let mut told = String::new();
    for role in ["sync", "serve"] {
        for verb in begin.into_iter().chain(end) {
            let commands = (MANAGER.commands)(&config, &job(role), verb);
            told.extend([format!("{role} {verb:?}: {}\n", commands.join(" && "))]);
        }
    }
    shown!("commands", told);
}

/// Quotes, backslashes, specifiers, variables and what is not ASCII, in every place where they may stand.
fn odd_words() {
    let world = World::new();
    let odd = world.home.at("a b %h é $HOME 'q' \"d\" \\n");
    fs::create_dir_all(&odd).expect("an odd folder");
    let script = "#!/bin/sh\npwd\nprintf '[%s]\\n' \"$0\" \"$@\" \"$V\" \"$EMPTY\"\n[ \"$1\" = once ] || exec sleep 60\n";
    for name in ["say %i é", "say 'it'"] {
        arrives(&world, &odd, &world.home.program(world.home.at("c d %h é $HOME").join(name), script));
    }
}

fn arrives(world: &World, odd: &Path, program: &Path) {
    let words = [
        "100%",
        "%%n",
        "$HOME",
        "${HOME}",
        "a  b",
        "",
        ";",
        "back\\slash",
        "qu\"o'te",
        "tab\there",
        "new\nline",
        "é→",
    ];
    let program_text = program.to_string_lossy().into_owned();
    for (role, keep, first) in
        [("serve", Keep::Alive, "kept"), ("sync", Keep::Every(Duration::from_hours(1)), "once")]
    {
        let argv: Vec<&str> = [&*program_text, first].into_iter().chain(words).collect();
        let mut definition = define(&world.config, role, keep, &argv);
        odd.clone_into(&mut definition.directory);
        definition.stdout = odd.join(format!("{role} %t.log"));
        definition.stderr = odd.join(format!("{role} %t.log"));
        "an odd 100% \"job\"\nExecStart=/bin/false".clone_into(&mut definition.description);
        definition.environment.insert("V".into(), "a b%h \"é\" \\ $HOME 'x'".into());
        definition.environment.insert("EMPTY".into(), String::new());
        let files = (MANAGER.render)(&world.config, &definition);
        write(&files);
        let mut verify = world.home.command("systemd-analyze");
        let verified = verify.args(["--user", "verify"]).args(files.iter().map(|it| &it.path)).output();
        let verified = verified.expect("systemd-analyze runs");
        assert_eq!(String::from_utf8_lossy(&verified.stderr), "", "{}", files[0].content);
        assert!(verified.status.success());
        world.act(&definition.job, Verb::Load).expect("it is loaded");
        let mut expected = format!("{}\n[{}]\n[{first}]\n", odd.display(), program.display());
        expected.extend(words.map(|it| format!("[{it}]\n")));
        expected.push_str("[a b%h \"é\" \\ $HOME 'x']\n[]\n");
        let is_said = || text(&definition.stdout).ends_with(&expected);
        assert!(eventually(SOON, is_said), "{:?}\n{expected:?}", text(&definition.stdout));
        let observed = world.observe(&definition.job);
        assert_eq!(observed.stdout.as_ref(), Some(&definition.stdout));
        let loaded = observed.loaded.expect("it is loaded");
        let is_told = !program_text.contains('\'');
        assert_eq!(loaded.program.as_deref(), is_told.then_some(program));
        assert_eq!(loaded.environment.as_ref(), Some(&definition.environment));
        world.act(&definition.job, Verb::Unload).expect("it is unloaded");
    }
}

fn crash_loop() {
    let world = World::new();
    let broken = world.home.at("broken");
    fs::write(&broken, "").expect("a fault");
    let definition = world.server("while [ -e broken ]; do sleep 0.05; exit 7; done; exec sleep 60");
    // The limits are a person's own, in a drop-in; ours are none.
    let folder = ".config/systemd/user/housecall-site-serve.service.d";
    world.home.write(
        format!("{folder}/limit.conf"),
        "[Unit]\nStartLimitIntervalSec=60\nStartLimitBurst=3\n[Service]\nRestartSec=200ms\n",
    );
    world.install(&definition).expect("it is loaded, though it fails");
    let job = &definition.job;
    let failing = world.becomes(job, &State::BackingOff);
    assert_eq!(failing.last_exit.map(|it| it.told), Some("exit 7".to_owned()));
    let gave_up = "it failed 4 times in a row, and systemd has given it up until `reset-failed`";
    let observed = world.becomes(job, &State::Refused(gave_up.to_owned()));
    assert_eq!((observed.runs, observed.pid), (Some(4), None));
    assert_eq!(property(&world.home, &job.label, "ActiveState"), "failed");

    fs::remove_file(&broken).expect("it is mended");
    world.act(job, Verb::Restart).expect("the limit is forgiven");
    assert_eq!(world.observe(job).state, State::Running);

    fs::write(&broken, "").expect("a fault");
    signal(world.observe(job).pid.expect("a process"), "KILL");
    world.becomes(job, &State::Refused(gave_up.to_owned()));
    fs::remove_file(&broken).expect("it is mended");
    world.act(job, Verb::Load).expect("the limit is forgiven");
    assert_eq!(world.observe(job).state, State::Running);
}

fn drift() {
    let world = World::new();
    let definition = world.server("exec sleep 60");
    let job = &definition.job;
    world.install(&definition).expect("it is loaded");
    let before = world.observe(job);
    assert_eq!((&before.state, before.is_outdated), (&State::Running, Some(false)));
    assert!(before.since.is_some() && !before.disabled, "{before:#?}");

    let changed = Definition { argv: ["/bin/sleep", "61"].map(str::to_owned).into(), ..definition.clone() };
    write(&(MANAGER.render)(&world.config, &changed));
    let drifted = world.observe(job);
    assert_eq!((drifted.is_outdated, drifted.pid), (Some(true), before.pid));
    let program = |it: &Observed| it.loaded.clone().and_then(|it| it.program);
    assert_eq!(program(&drifted), Some("/bin/sh".into()), "the old one is loaded still");

    world.act(job, Verb::Reload).expect("it is read again");
    let after = world.observe(job);
    assert_eq!((&after.state, after.is_outdated), (&State::Running, Some(false)));
    assert_eq!(program(&after), Some("/bin/sleep".into()));
    assert_ne!(after.pid, before.pid, "what runs is what was read");

    let path = (MANAGER.render)(&world.config, &changed).remove(0).path;
    fs::write(&path, "[Service]\nExecStart=nowhere/at all\n").expect("a mistaken unit");
    let error = world.act(job, Verb::Reload).expect_err("it cannot be read");
    assert!(error.to_string().contains("systemd cannot read it: "), "{error}");
    assert_eq!(world.observe(job).pid, after.pid, "what ran runs on");
}

fn stopped() {
    let world = World::new();
    let definition = world.server("exec sleep 60");
    let job = &definition.job;
    world.install(&definition).expect("it is loaded");
    let _ = systemctl(&world.home, ["disable", "--now", &job.label]);
    let observed = world.observe(job);
    assert_eq!((&observed.state, observed.disabled), (&State::Absent, true));
    for verb in [Verb::Restart, Verb::Start, Verb::Reload] {
        let error = world.act(job, verb).expect_err("a stop is not undone");
        assert_eq!(
            error,
            StepError::Refused(format!(
                "{0} is stopped and disabled: `systemctl --user enable --now {0}` ends that",
                job.label
            ))
        );
    }
    assert_eq!(world.observe(job).state, State::Absent);
    world.act(job, Verb::Enable).expect("it is enabled");
    world.act(job, Verb::Start).expect("it is started");
    assert_eq!(world.observe(job).state, State::Running);
    world.act(job, Verb::Disable).expect("it is stopped for good");
    let observed = world.observe(job);
    assert_eq!((&observed.state, observed.disabled), (&State::Absent, true));

    fs::remove_file(observed.file.expect("its file")).expect("it is removed");
    let _ = systemctl(&world.home, ["mask", &job.label]);
    let masked = world.observe(job);
    let why = format!("{} is masked: somebody forbade it to start", job.label);
    assert_eq!((&masked.state, masked.disabled), (&State::Refused(why), true));
    let error = world.act(job, Verb::Load).expect_err("a mask is not taken off");
    assert!(error.to_string().contains("systemctl --user unmask"), "{error}");
}

fn draining() {
    let world = World::new();
    let definition = world.server("trap 'sleep 1.5; exit 0' TERM; touch ready; while :; do sleep 0.05; done");
    let job = &definition.job;
    world.install(&definition).expect("it is loaded");
    assert!(eventually(SOON, || world.home.at("ready").exists()));
    let pid = world.observe(job).pid.expect("a process");
    let start = Instant::now();
    std::thread::scope(|scope| {
        let unloading = scope.spawn(|| world.act(job, Verb::Unload));
        world.becomes(job, &State::Draining);
        assert!(read(pid).is_some(), "it drains");
        unloading.join().expect("no panic").expect("it is unloaded");
    });
    assert!(start.elapsed() >= Duration::from_millis(1400), "{:?}", start.elapsed());
    assert_eq!((world.observe(job).state, read(pid)), (State::Absent, None));
}

fn ends() {
    let world = World::new();
    let told = |definition: &Definition| {
        world.install(definition).expect("it is loaded, and tried again");
        let is_told = || world.observe(&definition.job).last_exit.is_some();
        assert!(eventually(SOON, is_told), "{:#?}", world.observe(&definition.job));
        let observed = world.observe(&definition.job);
        let _ = world.act(&definition.job, Verb::Unload).expect("it is unloaded");
        observed.last_exit.expect("an end").told
    };
    let server = world.server("exit 127");
    assert_eq!(told(&server), "exit 127: a program was not found");
    let missing = Definition { argv: vec!["/nowhere/housecall".to_owned()], ..server.clone() };
    let words = "exit 203: its program could not be executed: it is missing, or not a program";
    assert_eq!(told(&missing), words);
    let homeless = Definition { directory: "/nowhere".into(), ..server.clone() };
    assert_eq!(told(&homeless), "exit 200: its working directory could not be entered");
    let mute = Definition { stdout: "/nowhere/serve.log".into(), ..server.clone() };
    assert_eq!(told(&mute), "exit 209: its log for output could not be opened");
    assert_eq!(told(&world.server("kill -9 $$")), "ended by signal 9");
}

fn out_of_reach() {
    let home = Home::new();
    let config = config(&home, "name = \"site\"\n");
    let error = (MANAGER.observe)(&Machine::default(), &config, &job("serve")).expect_err("nobody is there");
    if Part::Systemd.present() {
        let words = error.to_string();
        assert!(words.starts_with("cannot ask systemd: Failed to connect to bus: "), "{words}");
        assert!(words.contains("loginctl enable-linger"), "{words}");
    }
    assert!(systemd::answers(&config).is_err());
}
