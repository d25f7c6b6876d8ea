//! Who answers on the port.

use std::path::{Path, PathBuf};
use std::time::Duration;

use housecall::check::Check;
use housecall::checks::server::{
    listener, listener_cwd, listener_fresh, listener_process, server_duplicates,
};
use housecall::config::{Config, Serving};
use housecall::cx::Probes;
use housecall::error::ProbeError;
use housecall::probes::deps::{Installed, Stamp};
use housecall::probes::git::{Checkout, Worktree};
use housecall::probes::keeper::{Keeper, Kept, Running};
use housecall::probes::kin::Kin;
use housecall::probes::processes::Process;
use housecall::probes::sockets::Listener;
use housecall::probes::{Keyed, Probe};

use crate::worlds::{SERVER_PID, SHA, ago, at, config, cx_of, repository, verdict, worktree};

/// The world of these checks: who listens, and everything that may be asked about them.
struct World {
    config: Config,
    listeners: Vec<Listener>,
    processes: Vec<Process>,
    keeper: Keeper,
    installed: i64,
    kins: Vec<(PathBuf, Kin)>,
}

impl World {
    /// Astro serves from the worktree, and nobody keeps it.
    fn usual() -> Self {
        let config = config();
        Self {
            config,
            listeners: vec![listens("127.0.0.1:4321", SERVER_PID)],
            processes: vec![
                process(SERVER_PID, ASTRO, &worktree()),
                process(std::process::id(), "test", Path::new("/")),
            ],
            keeper: Keeper::Absent,
            installed: 7_200,
            kins: Vec::new(),
        }
    }

    fn from(mut self, directory: &Path) -> Self {
        self.processes[0].directory = Some(directory.to_owned());
        self
    }

    fn running(mut self, command: &str) -> Self {
        self.processes[0] =
            process(SERVER_PID, command, self.processes[0].directory.clone().expect("one").as_path());
        self
    }

    fn says(self, check: &'static Check) -> String {
        let checkout = Checkout {
            top: worktree(),
            git_dir: repository().join(".git/worktrees/site"),
            common_dir: repository().join(".git"),
            branch: Some("localhost-sync".to_owned()),
            head: Some(SHA.to_owned()),
            operation: None,
            locks: Vec::new(),
            kept: Some("kept by housecall".to_owned()),
        };
        let stamp = Stamp {
            schema: 1,
            lockfile: String::new(),
            runtime: "22".to_owned(),
            at: ago(self.installed),
            command: Vec::new(),
        };
        let probes = Probes {
            listening: Probe::given(Ok(self.listeners)),
            processes: Keyed::given(
                self.processes.into_iter().map(|it| (it.pid, Ok(Some(it)))).chain([(1, Ok(None))]),
            ),
            keeper: Probe::given(Ok(self.keeper)),
            worktree: Probe::given(Ok(Worktree::Present(checkout))),
            installed: Probe::given(Ok(Installed { tree: true, stamp: Some(stamp) })),
            kins: Keyed::given(self.kins.into_iter().map(|(path, kin)| (path, Ok(kin)))),
            versions: Keyed::given([
                (PathBuf::from("/opt/node22/bin/node"), Ok("22.23.3".to_owned())),
                (PathBuf::from("/opt/node20/bin/node"), Ok("20.1.0".to_owned())),
            ]),
            ..Probes::default()
        };
        verdict(check, &cx_of(self.config, probes))
    }
}

const ASTRO: &str =
    "/opt/node22/bin/node /home/ada/ops/site/worktree/node_modules/.bin/astro dev --port 4321";

fn listens(address: &str, pid: u32) -> Listener {
    Listener { address: address.parse().expect("an address"), pids: vec![pid], uid: Some(501) }
}

fn process(pid: u32, command: &str, directory: &Path) -> Process {
    let argv: Vec<String> = command.split_whitespace().map(str::to_owned).collect();
    Process {
        pid,
        parent: Some(1),
        uid: Some(501),
        executable: argv.first().map(PathBuf::from),
        name: None,
        argv,
        directory: Some(directory.to_owned()),
        started: ago(3_600),
        identity: u64::from(pid),
    }
}

fn keeper(server: Kept) -> Keeper {
    Keeper::Running(Running {
        schema: 1,
        pid: 77,
        identity: 77,
        since: ago(4_000),
        server,
        keeps: None,
        unfollowed: None,
    })
}

fn started(seconds: i64) -> Kept {
    Kept::Started { pid: SERVER_PID, identity: u64::from(SERVER_PID), at: ago(seconds), answered: None }
}

#[track_caller]
fn tells(said: &str, start: &str, facts: &[&str]) {
    assert!(said.starts_with(start), "{said}");
    for fact in facts {
        assert!(said.contains(fact), "{fact} in {said}");
    }
}

#[test]
fn the_usual_world_passes() {
    for check in [
        &listener::CHECK,
        &listener_process::CHECK,
        &listener_cwd::CHECK,
        &listener_fresh::CHECK,
        &server_duplicates::CHECK,
    ] {
        tells(&World::usual().says(check), "pass", &[]);
    }
    tells(&World::usual().says(&listener_process::CHECK), "pass astro on 127.0.0.1:4321", &[]);
}

#[test]
fn wildcards_serve_the_address_and_the_exact_one_wins() {
    for address in ["0.0.0.0:4321", "[::]:4321", "[::ffff:127.0.0.1]:4321"] {
        let listeners = vec![listens(address, SERVER_PID)];
        tells(&World { listeners, ..World::usual() }.says(&listener::CHECK), "pass", &[]);
    }
    let listeners = vec![listens("0.0.0.0:4321", 9_349), listens("127.0.0.1:4321", SERVER_PID)];
    tells(&World { listeners, ..World::usual() }.says(&listener_cwd::CHECK), "pass", &[]);
}

#[test]
fn nobody_listens() {
    let nobody = || World { listeners: Vec::new(), ..World::usual() };
    tells(
        &nobody().says(&listener::CHECK),
        "fail nothing listens on 127.0.0.1:4321\n",
        &["keeper: none runs"],
    );
    let starting = World { keeper: keeper(started(20)), ..nobody() };
    tells(&starting.says(&listener::CHECK), "pending the server is starting", &["20:30:23"]);
    let late = World { keeper: keeper(started(61)), ..nobody() };
    tells(&late.says(&listener::CHECK), "fail nothing listens", &["pid 31492 was started to serve"]);
    let ending = Kept::BackingOff { failures: 4, next: ago(-8), last: "exit 1".to_owned() };
    let ending = World { keeper: keeper(ending), ..nobody() };
    tells(
        &ending.says(&listener::CHECK),
        "fail nothing listens on 127.0.0.1:4321: its server keeps ending, last with exit 1",
        &["4 times in a row", "20:29:51"],
    );
}

#[test]
fn another_address_is_named() {
    let other = World { listeners: vec![listens("[::1]:4321", SERVER_PID)], ..World::usual() };
    tells(
        &other.says(&listener::CHECK),
        "fail the server listens only on [::1]:4321, not on 127.0.0.1:4321",
        &["who: pid 31492"],
    );
    let moved = World { listeners: vec![listens("127.0.0.1:4322", SERVER_PID)], ..World::usual() };
    tells(
        &moved.says(&listener::CHECK),
        "fail the mirror's server listens on 127.0.0.1:4322 instead of 127.0.0.1:4321",
        &["actual: 127.0.0.1:4322"],
    );
    let elsewhere = World { listeners: vec![listens("127.0.0.1:4322", SERVER_PID)], ..World::usual() };
    tells(&elsewhere.from(&repository()).says(&listener::CHECK), "fail nothing listens", &[]);
}

#[test]
fn a_port_that_cannot_be_asked_about_is_unknown() {
    let probes = Probes {
        listening: Probe::given(Err(ProbeError::failed("ask who listens", &"no"))),
        ..Probes::default()
    };
    tells(&verdict(&listener::CHECK, &cx_of(config(), probes)), "unknown", &[]);
    let mut hidden = World::usual();
    hidden.listeners[0].pids.clear();
    hidden.listeners[0].uid = Some(0);
    tells(&hidden.says(&listener_process::CHECK), "unknown cannot tell who listens", &["user 0"]);
    let mut nowhere = World::usual();
    nowhere.processes[0].directory = None;
    tells(&nowhere.says(&listener_cwd::CHECK), "unknown cannot tell where pid 31492 runs", &[]);
}

#[test]
fn a_stranger_holds_the_port() {
    let nginx = || World::usual().running("/usr/sbin/nginx -g daemon").from(Path::new("/"));
    let stranger = World { kins: vec![(PathBuf::from("/"), Kin::Stranger)], ..nginx() };
    tells(
        &stranger.says(&listener_process::CHECK),
        "fail 127.0.0.1:4321 is held by a program that is no server of this project",
        &["expected: node node_modules/.bin/astro dev", "who: pid 31492, /usr/sbin/nginx"],
    );
    let mut others = World::usual();
    others.processes[0].uid = Some(0);
    tells(
        &others.says(&listener_process::CHECK),
        "fail 127.0.0.1:4321 is held by another user's process",
        &[],
    );
}

#[test]
fn wrapped_and_kept_servers_are_known() {
    let mut wrapped = World::usual().running("/opt/node22/bin/node server/entry.mjs");
    wrapped.processes[0].parent = Some(40);
    wrapped.processes.push(process(40, "sh -c astro", &worktree()));
    wrapped.processes[2].argv = ["node", "node_modules/astro/astro.js", "dev"].map(str::to_owned).to_vec();
    tells(&wrapped.says(&listener_process::CHECK), "pass astro", &[]);
    let kept = World { keeper: keeper(started(3_600)), ..World::usual().running("next-server") };
    tells(&kept.says(&listener_process::CHECK), "pass on 127.0.0.1:4321", &[]);
    let mut fixed = World::usual().running("/usr/local/bin/housecall serve --config x");
    let server = std::sync::Arc::make_mut(fixed.config.server.as_mut().expect("a server"));
    server.run = Serving::Static(PathBuf::from("public"));
    tells(&fixed.says(&listener_process::CHECK), "pass housecall serve", &[]);
}

#[test]
fn a_server_from_elsewhere_is_named_as_what_it_is() {
    let from = |directory: PathBuf, kin: Kin| {
        let world = World { kins: vec![(directory.clone(), kin)], ..World::usual().from(&directory) };
        world.says(&listener_cwd::CHECK)
    };
    let clone = at("dev/old");
    tells(
        &from(clone.clone(), Kin::Clone(clone)),
        "fail the server on 127.0.0.1:4321 runs from another clone of the repository",
        &[
            "expected: /home/ada/ops/site/worktree",
            "actual: /home/ada/dev/old",
            "who: pid 31492, ",
            "since: ",
        ],
    );
    tells(
        &from(repository(), Kin::Canonical),
        "fail a developer's own server, in the canonical repository",
        &[],
    );
    tells(
        &from(at("x"), Kin::Worktree(at("x"))),
        "fail the server on 127.0.0.1:4321 runs from another worktree",
        &[],
    );
    tells(
        &from(at("x"), Kin::Stranger),
        "fail the server on 127.0.0.1:4321 runs from another directory",
        &[],
    );
    let removed = PathBuf::from(format!("{} (deleted)", worktree().display()));
    tells(
        &World::usual().from(&removed).says(&listener_cwd::CHECK),
        "fail the server on",
        &["that was removed"],
    );
    tells(&World::usual().from(&worktree().join("site")).says(&listener_cwd::CHECK), "pass", &[]);
}

#[test]
fn a_server_older_than_its_dependencies_is_stale() {
    let stale = World { installed: 1_800, ..World::usual() };
    tells(
        &stale.says(&listener_fresh::CHECK),
        "fail the server started before its dependencies were last installed",
        &["started: ", "installed: "],
    );
    let old = World::usual().running("/opt/node20/bin/node node_modules/.bin/astro dev");
    tells(
        &old.says(&listener_fresh::CHECK),
        "fail the server runs node 20.1.0, its dependencies were installed for node 22",
        &["actual: 20.1.0"],
    );
}

#[test]
fn only_what_doubles_the_mirrors_server_is_a_duplicate() {
    let with = |address: &str, directory: PathBuf| {
        let mut world = World::usual();
        world.listeners.push(listens(address, 500));
        world.processes.push(process(500, ASTRO, &directory));
        world
    };
    tells(
        &with("127.0.0.1:4322", worktree()).says(&server_duplicates::CHECK),
        "fail another server runs from the worktree, on 127.0.0.1:4322",
        &["who: pid 500", "the mirror's own: pid 31492"],
    );
    tells(
        &with("[::1]:4321", repository()).says(&server_duplicates::CHECK),
        "fail [::1]:4321 belongs to another server than 127.0.0.1:4321",
        &[],
    );
    tells(&with("127.0.0.1:4322", repository()).says(&server_duplicates::CHECK), "pass", &[]);
    let mut worker = with("127.0.0.1:24678", worktree());
    worker.processes[2].parent = Some(SERVER_PID);
    tells(&worker.says(&server_duplicates::CHECK), "pass", &[]);
    let mut helper = with("127.0.0.1:42777", worktree());
    helper.processes[2] = process(500, "/usr/share/code/code-helper --port 42777", &worktree());
    tells(&helper.says(&server_duplicates::CHECK), "pass", &[]);
    let foreign = with("127.0.0.1:4322", worktree()).from(&repository());
    tells(&foreign.says(&server_duplicates::CHECK), "pass", &[]);
}

#[test]
fn a_server_that_answered_once_is_no_longer_starting() {
    let mut kept = started(20);
    if let Kept::Started { answered, .. } = &mut kept {
        *answered = Some(ago(10));
    }
    let running = Running {
        schema: 1,
        pid: 77,
        identity: 77,
        since: ago(30),
        server: kept,
        keeps: None,
        unfollowed: None,
    };
    assert_eq!(running.starting_until(Duration::from_mins(1), ago(0)), None);
}
