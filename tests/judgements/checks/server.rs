//! Who answers on the port.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use housecall::checks::server::{
    listener, listener_cwd, listener_fresh, listener_process, server_duplicates,
};
use housecall::config::Serving;
use housecall::cx::Probes;
use housecall::error::ProbeError;
use housecall::probes::Probe;
use housecall::probes::built::{Brought, Moved};
use housecall::probes::keeper::{Kept, Running};
use housecall::probes::kin::Kin;

use super::worlds::{SERVER_PID, SHA, ago, at, config, cx_of, repository, verdict, worktree};

use super::serving::{ASTRO, World, keeper, listens, process, started, tells};

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
fn the_other_ports_of_a_server_that_starts_are_told_before_its_time_is_over() {
    let starting = |seconds: i64| World {
        listeners: vec![listens("127.0.0.1:9229", SERVER_PID), listens("0.0.0.0:4322", SERVER_PID)],
        keeper: keeper(started(seconds)),
        ..World::usual()
    };
    tells(
        &starting(20).says(&listener::CHECK),
        "pending the server is starting; it listens on 127.0.0.1:9229 and 0.0.0.0:4322 so far, not on 127.0.0.1:4321",
        &[],
    );
    tells(
        &starting(61).says(&listener::CHECK),
        "fail the mirror's server listens on 127.0.0.1:9229 instead of 127.0.0.1:4321",
        &["expected: 127.0.0.1:4321", "actual: 127.0.0.1:9229", "who: pid 31492"],
    );
    let mut stranger = starting(20);
    for listener in &mut stranger.listeners {
        listener.pids = vec![std::process::id()];
    }
    tells(&stranger.says(&listener::CHECK), "pending the server is starting, until", &[]);
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
fn a_server_that_does_not_watch_is_stale_once_the_worktree_has_moved() {
    let unwatched = |sha: &str, seconds: i64| {
        let mut world = World::usual();
        let mut server = (**world.config.server.as_ref().expect("one")).clone();
        server.watches = Some(false);
        world.config.server = Some(Arc::new(server));
        let files = Brought { sha: sha.to_owned(), carried: String::new() };
        world.moved = Some(Moved::after(None, files, None, ago(seconds)));
        world
    };
    let says = |world: World| world.says(&listener_fresh::CHECK);
    tells(
        &says(unwatched(SHA, 1_800)),
        "fail the server started before the worktree last moved, and does not watch its files",
        &["started: ", "moved: ", "who: pid 31492"],
    );
    tells(&says(unwatched(SHA, 7_200)), "pass", &[]);
    tells(&says(unwatched("another", 7_200)), "unknown", &["somebody else has moved the worktree"]);
    tells(&says(World { moved: None, ..unwatched(SHA, 0) }), "unknown", &["is not known"]);
    // A moment before is before: only a sync that has seen to it since knows better.
    tells(&says(unwatched(SHA, 3_599)), "fail", &["moved: "]);
    let mut cut_off = unwatched(SHA, 7_200);
    cut_off.moved.as_mut().expect("it is").is_under_way = true;
    tells(&says(cut_off), "unknown", &["is not known"]);
    let back = World { head_moved: Some(ago(1_800)), ..unwatched(SHA, 7_200) };
    tells(&says(back), "unknown", &["somebody else has moved the worktree"]);
    let mut built = unwatched(SHA, 1_800);
    let mut mirror = (**built.config.mirror.as_ref().expect("one")).clone();
    mirror.build = vec!["make".to_owned()];
    built.config.mirror = Some(Arc::new(mirror));
    tells(&says(built), "pass", &[]);
}

#[test]
fn that_nobody_knows_whether_a_server_watches_is_told() {
    let moved = |line: &str, seconds: Option<i64>| {
        let mut world = World { head_moved: seconds.map(ago), ..World::usual().running(line) };
        let mut server = (**world.config.server.as_ref().expect("one")).clone();
        server.run = Serving::Program(line.split(' ').map(str::to_owned).collect());
        world.config.server = Some(Arc::new(server));
        world.says(&listener_fresh::CHECK)
    };
    let run = |line: &str| moved(line, Some(7_200));
    tells(
        &moved("/opt/node22/bin/node server.js", Some(1_800)),
        "unknown",
        &["the worktree has moved since it started", "write `watches = false`"],
    );
    tells(&moved("npm run dev", Some(1_800)), "pass", &[]);
    tells(
        &run("/opt/node22/bin/node server.js"),
        "pass",
        &["watches: `/opt/node22/bin/node server.js` is not known to"],
    );
    tells(
        &run("/opt/node22/bin/node --watch server.js"),
        "pass",
        &["watches: `/opt/node22/bin/node --watch server.js` is not known to"],
    );
    assert!(!run("npm run dev").contains("watches"), "its script is astro's");
    tells(&run("npm run preview"), "pass", &["watches: `astro preview` is not known to"]);
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
