//! The tools that the jobs find, and the one that serves.

use std::path::PathBuf;

use housecall::checks::runtime::{runtime_version, tools_present};
use housecall::config::{Config, Trust};
use housecall::cx::Probes;
use housecall::error::ProbeError;
use housecall::probes::git::{Checkout, Worktree};
use housecall::probes::processes::Process;
use housecall::probes::project::Project;
use housecall::probes::sockets::Listener;
use housecall::probes::tools::FoundTool;
use housecall::probes::{Keyed, Probe};
use insta::assert_snapshot;

use super::worlds::{SERVER_PID, SHA, ago, config, cx, cx_of, repository, tool, verdict, worktree};

fn found(name: &str, version: &str) -> (String, Result<Option<FoundTool>, ProbeError>) {
    let path = PathBuf::from("/opt/node22/bin").join(name);
    (name.to_owned(), Ok(Some(FoundTool { real: path.clone(), path, version: Ok(version.to_owned()) })))
}

/// One that is there and does not start.
fn dead(name: &str, real: &str, why: &str) -> (String, Result<Option<FoundTool>, ProbeError>) {
    let path = PathBuf::from("/opt/node22/bin").join(name);
    (name.to_owned(), Ok(Some(FoundTool { path, real: real.into(), version: Err(why.to_owned()) })))
}

fn absent(name: &str) -> (String, Result<Option<FoundTool>, ProbeError>) {
    (name.to_owned(), Ok(None))
}

/// Nobody serves, and the project asks for nothing.
fn quiet() -> Probes {
    let checkout = Checkout {
        top: worktree(),
        git_dir: repository().join(".git/worktrees/worktree"),
        common_dir: repository().join(".git"),
        branch: Some("localhost-sync".to_owned()),
        head: Some(SHA.to_owned()),
        moved: None,
        operation: None,
        locks: Vec::new(),
        kept: Some("kept by housecall".to_owned()),
    };
    Probes {
        tools: Keyed::given([found("node", "22.23.3"), found("npm", "10.9.9"), found("git", "2.47.3")]),
        worktree: Probe::given(Ok(Worktree::Present(checkout))),
        project: Probe::given(Ok(Project::default())),
        listening: Probe::given(Ok(Vec::new())),
        installers: Probe::given(Ok(vec!["fnm", "nvm"])),
        ..Probes::default()
    }
}

/// A node serves the mirror's address from that directory.
fn served(directory: PathBuf, program: &str) -> Probes {
    let process = Process {
        pid: SERVER_PID,
        parent: Some(1),
        uid: Some(501),
        executable: Some(PathBuf::from(program)),
        name: Some("node".to_owned()),
        argv: ["node", "node_modules/.bin/astro", "dev"].map(str::to_owned).to_vec(),
        directory: Some(directory),
        started: ago(3_600),
        identity: 7,
    };
    let address = "127.0.0.1:4321".parse().expect("an address");
    Probes {
        listening: Probe::given(Ok(vec![Listener { address, pids: vec![SERVER_PID], uid: Some(501) }])),
        processes: Keyed::given([(SERVER_PID, Ok(Some(process)))]),
        ..quiet()
    }
}

fn only_node(range: Option<&str>) -> Config {
    Config { tools: vec![tool("node", range)], ..config() }
}

#[test]
fn tools_that_are_there_are_a_pass() {
    assert_snapshot!(verdict(&tools_present::CHECK, &cx(quiet())), @"pass git 2.47.3");
}

#[test]
fn a_tool_that_is_missing_is_named_with_where_it_was_looked_for() {
    let tools = Keyed::given([absent("node"), absent("npm"), found("git", "2.47.3")]);
    let world = Probes { tools, ..quiet() };
    assert_snapshot!(verdict(&tools_present::CHECK, &cx(world)), @"
    fail the jobs do not find `node`, `npm`
      looked in: /opt/node22/bin, /opt/homebrew/bin, /usr/local/bin, /usr/bin, /bin, /usr/sbin, /sbin
      install: $ fnm install 22
    ");
    let world = Probes { tools: Keyed::given([absent("node"), found("git", "2.47.3")]), ..quiet() };
    let world = Probes { installers: Probe::given(Ok(vec!["brew"])), ..world };
    assert_snapshot!(verdict(&tools_present::CHECK, &cx_of(only_node(Some(">=22 <23")), world)), @"
    fail the jobs do not find `node`
      looked in: /opt/node22/bin, /opt/homebrew/bin, /usr/local/bin, /usr/bin, /bin, /usr/sbin, /sbin
      install: $ brew install node@22
    ");
}

#[test]
fn a_tool_that_does_not_answer_is_unknown() {
    let late = ProbeError::TimedOut { what: "node".to_owned(), after: std::time::Duration::from_secs(5) };
    let node = ("node".to_owned(), Err(late));
    let world = || Probes { tools: Keyed::given([node.clone(), found("git", "2.47.3")]), ..quiet() };
    let config = || only_node(Some(">=22 <23"));
    assert_snapshot!(verdict(&tools_present::CHECK, &cx_of(config(), world())), @"unknown node did not answer within 5 s");
    assert_snapshot!(verdict(&runtime_version::CHECK, &cx_of(config(), world())), @"
    [node]
    unknown node did not answer within 5 s
    ");
}

#[test]
fn a_node_that_does_not_start_fails_with_the_loaders_line_and_what_brings_it_back() {
    let cellar = "/opt/homebrew/Cellar/node@22/22.23.3/bin/node";
    let why = "dyld[4711]: Library not loaded: /opt/homebrew/opt/icu4c/lib/libicui18n.74.dylib";
    let world = Probes { tools: Keyed::given([dead("node", cellar, why)]), ..quiet() };
    assert_snapshot!(verdict(&runtime_version::CHECK, &cx_of(only_node(None), world)), @"
    [node]
    fail the jobs find `node`, and it does not start
      it says: dyld[4711]: Library not loaded: /opt/homebrew/opt/icu4c/lib/libicui18n.74.dylib
      path: /opt/node22/bin/node
      reinstall: $ brew reinstall node@22
    ");
    let why = "node: error while loading shared libraries: libnode.so.108: cannot open shared object file";
    let world = Probes { tools: Keyed::given([dead("node", "/usr/bin/node", why)]), ..quiet() };
    let text = verdict(&runtime_version::CHECK, &cx_of(only_node(Some(">=22 <23")), world));
    let lists = if cfg!(target_os = "macos") { "otool -L" } else { "ldd" };
    assert!(text.contains(&format!("what it needs: $ {lists} /usr/bin/node\n")), "{text}");
    let tools = Keyed::given([found("node", "22.23.3"), dead("git", "/usr/bin/git", "signal 9 ended it")]);
    let world = Probes { tools, ..quiet() };
    assert_snapshot!(verdict(&tools_present::CHECK, &cx_of(only_node(None), world)), @"
    fail the jobs find `git`, and it does not start
      it says: signal 9 ended it
      path: /opt/node22/bin/git
    ");
}

#[test]
fn an_untrusted_program_is_unknown() {
    let refused = ProbeError::NotTrusted { what: "~/dev/site/bin/node".to_owned() };
    let world = Probes { tools: Keyed::given([("node".to_owned(), Err(refused))]), ..quiet() };
    let config = Config { trust: Trust::Untrusted, ..only_node(None) };
    assert_snapshot!(verdict(&runtime_version::CHECK, &cx_of(config, world)), @"
    [node]
    unknown not trusted: ~/dev/site/bin/node is not run before `housecall trust`
    ");
}

#[test]
fn tools_within_their_ranges_are_a_pass() {
    assert_snapshot!(verdict(&runtime_version::CHECK, &cx(quiet())), @"
    [node]
    pass node 22.23.3
      asked for: >=22.0.0 <23.0.0
      path: /opt/node22/bin/node
    [npm]
    pass npm 10.9.9
      asked for: >=10.0.0 <11.0.0
      path: /opt/node22/bin/npm
    ");
}

#[test]
fn an_old_node_fails_with_the_installer_that_is_here() {
    let old = || Keyed::given([found("node", "20.19.0")]);
    for (installer, command) in [
        ("brew", "brew install node@22"),
        ("mise", "mise install node@22"),
        ("fnm", "fnm install 22"),
        ("nvm", "nvm install 22"),
        ("volta", "volta install node@22"),
        ("asdf", "asdf install nodejs latest:22"),
        ("n", "n 22"),
    ] {
        let world = Probes { tools: old(), installers: Probe::given(Ok(vec![installer])), ..quiet() };
        let text = verdict(&runtime_version::CHECK, &cx_of(only_node(Some(">=22 <23")), world));
        assert!(text.contains(&format!("install: $ {command}\n")), "{text}");
    }
    let world = Probes { tools: old(), ..quiet() };
    assert_snapshot!(verdict(&runtime_version::CHECK, &cx_of(only_node(Some(">=22 <23")), world)), @"
    [node]
    fail the jobs run node 20.19.0, and ~/.config/housecall/site.toml asks for >=22.0.0 <23.0.0
      expected: >=22.0.0 <23.0.0
      actual: 20.19.0
      path: /opt/node22/bin/node
      install: $ fnm install 22
    ");
    let world = Probes { tools: old(), installers: Probe::given(Ok(Vec::new())), ..quiet() };
    let text = verdict(&runtime_version::CHECK, &cx_of(only_node(Some(">=22 <23")), world));
    assert!(!text.contains("install:"), "{text}");
}

#[test]
fn the_project_is_asked_where_the_configuration_gives_no_range() {
    let asks = |words: &str, file: &str| {
        let ranges = [("node".to_owned(), (words.to_owned(), worktree().join(file)))];
        Probe::given(Ok(Project { ranges: ranges.into(), ..Project::default() }))
    };
    let world = Probes { project: asks(">=22", "package.json"), ..quiet() };
    assert_snapshot!(verdict(&runtime_version::CHECK, &cx_of(only_node(None), world)), @"
    [node]
    pass node 22.23.3
      asked for: >=22
      path: /opt/node22/bin/node
    ");
    let world = Probes { project: asks("20", ".nvmrc"), ..quiet() };
    assert_snapshot!(verdict(&runtime_version::CHECK, &cx_of(only_node(None), world)), @"
    [node]
    fail the jobs run node 22.23.3, and .nvmrc asks for 20
      expected: 20
      actual: 22.23.3
      path: /opt/node22/bin/node
      install: $ fnm install 20
    ");
    let world = Probes { project: asks("newest", ".nvmrc"), ..quiet() };
    assert_snapshot!(verdict(&runtime_version::CHECK, &cx_of(only_node(None), world)), @"
    [node]
    unknown `newest` in .nvmrc is not readable: Invalid semantic version or range
    ");
    // Nobody asks for anything: any version will do.
    assert_snapshot!(verdict(&runtime_version::CHECK, &cx_of(only_node(None), quiet())), @"
    [node]
    pass node 22.23.3
      path: /opt/node22/bin/node
    ");
}

#[test]
fn the_node_that_serves_now_is_judged_too() {
    let old = "/opt/node20/bin/node";
    let versions = || Keyed::given([(PathBuf::from(old), Ok("20.19.0".to_owned()))]);
    let config = || only_node(Some(">=22 <23"));
    let world = Probes { versions: versions(), ..served(worktree(), old) };
    assert_snapshot!(verdict(&runtime_version::CHECK, &cx_of(config(), world)), @"
    [node]
    fail node 20.19.0 serves, and ~/.config/housecall/site.toml asks for >=22.0.0 <23.0.0
      expected: >=22.0.0 <23.0.0
      actual: 20.19.0
      who: pid 31492
      path: /opt/node20/bin/node
      the jobs find: 22.23.3
      restart: $ housecall restart
    ");
    // An upgrade removed the file that runs: nobody can say which version it was.
    let world = served(worktree(), "/opt/node22/bin/node (deleted)");
    assert_snapshot!(verdict(&runtime_version::CHECK, &cx_of(config(), world)), @"
    [node]
    fail the node that serves was removed from the disk after it started
      expected: >=22.0.0 <23.0.0
      who: pid 31492
      path: /opt/node22/bin/node (deleted)
      the jobs find: 22.23.3
      restart: $ housecall restart
    ");
    // Somebody else's server is another check's business.
    let world = Probes { versions: versions(), ..served("/Volumes/old/site".into(), old) };
    assert_snapshot!(verdict(&runtime_version::CHECK, &cx_of(config(), world)), @"
    [node]
    pass node 22.23.3
      asked for: >=22.0.0 <23.0.0
      path: /opt/node22/bin/node
    ");
    let current = "/opt/node22/bin/node";
    let versions = Keyed::given([(PathBuf::from(current), Ok("22.23.3".to_owned()))]);
    let world = Probes { versions, ..served(worktree(), current) };
    assert!(verdict(&runtime_version::CHECK, &cx_of(config(), world)).contains("pass node 22.23.3"));
}

#[test]
fn who_listens_must_be_known_to_judge_the_node_that_serves() {
    let blind = ProbeError::failed("ask who listens", &"permission denied");
    let world = Probes { listening: Probe::given(Err(blind)), ..quiet() };
    assert_snapshot!(verdict(&runtime_version::CHECK, &cx_of(only_node(Some(">=22 <23")), world)), @"
    [node]
    unknown cannot ask who listens: permission denied
    ");
}
