//! The configuration as text: what it means, and how each mistake is told.

mod newcomers;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use housecall::config::{Config, Limits, Serving, Surroundings};
use insta::assert_snapshot;
use serde_json::Value;
use support::{Schema, shown};

fn surroundings() -> Surroundings {
    let environment = [
        ("HOME", "/home/ann"),
        ("LANG", "fr_FR.UTF-8"),
        ("SITES", "/srv/sites"),
        ("HTTPS_PROXY", "http://proxy:3128"),
        ("GIT_DIR", "/elsewhere"),
        ("CLAUDECODE", "1"),
        ("PATH", "/shims"),
    ];
    Surroundings {
        home: "/home/ann".into(),
        directory: "/home/ann/dev/site".into(),
        environment: environment.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        odd: [].into(),
        uid: 1000,
    }
}

fn load(text: &str) -> Result<Config, String> {
    let file = Path::new("/home/ann/dev/site/housecall.toml");
    Config::of_text(text, file, &surroundings(), Limits::default()).map_err(|error| error.render(false))
}

fn mistakes(text: &str) -> String {
    load(text).expect_err("this text is mistaken")
}

const MINIMAL: &str = r#"
[mirror]
repository = "~/dev/site"
install = ["npm", "ci"]

[serve]
run = ["node", "node_modules/.bin/astro", "dev"]
listen = "127.0.0.1:4321"
"#;

#[test]
fn what_is_not_written_has_its_default() {
    let config = load(MINIMAL).unwrap();
    let mirror = config.mirror.clone().unwrap();
    assert_eq!(config.name, "site");
    assert_eq!(config.state, Path::new("/home/ann/.local/state/housecall/site"));
    assert_eq!(mirror.worktree, Path::new("/home/ann/.local/state/housecall/site/worktree"));
    assert_eq!((&*mirror.upstream_name(), &*mirror.branch), ("origin/main", "localhost-sync"));
    assert_eq!(mirror.every, Duration::from_mins(1));
    let tools: Vec<_> = config.tools.iter().map(|tool| tool.name.as_str()).collect();
    assert_eq!(tools, ["node", "npm"]);
    let pages: Vec<_> = config.pages.iter().map(|page| (page.url.as_str(), page.status)).collect();
    assert_eq!(pages, [("http://127.0.0.1:4321/", 200)]);
    assert_eq!(config.server.unwrap().directory, mirror.worktree);
}

#[test]
fn programs_get_the_user_and_the_proxies_and_no_more() {
    let expected = [("HOME", "/home/ann"), ("HTTPS_PROXY", "http://proxy:3128"), ("LANG", "fr_FR.UTF-8")];
    let expected: BTreeMap<_, _> = expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    assert_eq!(load(MINIMAL).unwrap().environment, expected);
}

#[test]
fn everything_in_the_contract_is_understood() {
    let config = load(
        r#"
name = "archicratie"
[runtime]
node = ">=22 <23"
npm = ">=10 <11"
path = ["/opt/homebrew/opt/node@22/bin", "~/bin"]
[mirror]
repository = "${SITES}/edition/site"
upstream = "upstream/release/2.x"
worktree = "~/ops-local/archicratie/localhost-worktree"
branch = "mirror"
state = "~/ops-local/archicratie"
every = "5m"
install = ["npm", "ci"]
build = []
carry = [".env.local"]
[serve]
static = "public"
listen = "[::1]:4321"
env = { A = "b" }
ready = { path = "/up", within = "90s" }
[[page]]
path = "/archicrat-ia/prologue/"
status = 200
contains = ["taxe Zucman"]
matches = ["Zuc.an"]
sha = "content=\"([0-9a-f]+)\""
[jobs]
manager = "auto"
label = "me.archicratie"
labels = { serve = "me.archicratie.localhost-astro" }
[check.log-size]
severity = "info"
[check.page-sha]
severity = "off"
"#,
    );
    let config = config.unwrap_or_else(|error| panic!("{error}"));
    let mirror = config.mirror.clone().unwrap();
    assert_eq!(mirror.repository, Path::new("/srv/sites/edition/site"));
    assert_eq!((&*mirror.remote, &*mirror.upstream), ("upstream", "release/2.x"));
    let server = config.server.clone().unwrap();
    assert_eq!(server.run, Serving::Static("public".into()));
    assert_eq!(server.url("/up"), "http://[::1]:4321/up");
    assert_eq!(config.jobs_path()[1], Path::new("/home/ann/bin"));
}

#[test]
fn a_file_may_hold_pages_alone() {
    let config = load("[[page]]\nurl = \"http://127.0.0.1:8080/\"\n").unwrap();
    assert!(config.mirror.is_none());
    assert_eq!(config.pages[0].subject(), "http://127.0.0.1:8080/");
}

/// The examples of the documentation.
fn examples() -> Vec<&'static str> {
    let pages = [include_str!("../../docs/configuration.md"), include_str!("../../docs/checks.md")];
    let of_page = pages.map(|page| {
        let found: Vec<&str> =
            page.split("```toml\n").skip(1).filter_map(|it| it.split("```").next()).collect();
        assert!(found.len() > 1, "the examples are found");
        found
    });
    of_page.concat()
}

/// A file as an editor shows it to a schema: a date is a text.
fn as_json(text: &str) -> Value {
    fn plain(value: toml::Value) -> Value {
        match value {
            toml::Value::String(text) => text.into(),
            toml::Value::Integer(number) => number.into(),
            toml::Value::Float(number) => number.into(),
            toml::Value::Boolean(it) => it.into(),
            toml::Value::Datetime(date) => date.to_string().into(),
            toml::Value::Array(items) => items.into_iter().map(plain).collect(),
            toml::Value::Table(table) => table.into_iter().map(|(key, it)| (key, plain(it))).collect(),
        }
    }
    plain(toml::Value::Table(toml::from_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"))))
}

#[test]
fn the_examples_of_the_documentation_are_understood() {
    for example in examples() {
        load(example).unwrap_or_else(|error| panic!("{error}"));
    }
}

#[test]
fn the_published_schema_takes_the_examples_of_the_documentation() {
    let schema = Schema::published("config.json");
    for example in examples() {
        schema.accepts(&as_json(example)).unwrap_or_else(|why| panic!("{why}\n{example}"));
    }
}

#[test]
fn the_published_schema_refuses_what_is_no_configuration() {
    let schema = Schema::published("config.json");
    for wrong in [
        "[mirrors]\nrepository = \"~/site\"",
        "[mirror]\nrepositry = \"~/site\"",
        "[mirror]\nrepository = 1",
        "[[page]]\npath = \"/\"\nstatus = \"200\"",
        "[check.a]\nportt = { address = \":80\" }",
        "[check.a]\nlistener = { adress = \":80\" }",
        "[check.a]\nfile = { path = \"/x\", type = \"folder\" }",
        "[check.a]\ncommand = { run = [\"true\"], exit = \"0\" }",
        "[[accept]]\ncheck = \"a\"",
    ] {
        assert!(schema.accepts(&as_json(wrong)).is_err(), "{wrong}");
        assert!(load(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn every_key_is_documented() {
    let page = concat!(include_str!("../../docs/configuration.md"), include_str!("../../docs/checks.md"));
    let schema = schemars::schema_for!(housecall::config::raw::File).to_value();
    let sections = schema["$defs"].as_object().unwrap().values().chain([&schema]);
    for key in sections.filter_map(|it| it["properties"].as_object()).flat_map(|it| it.keys()) {
        assert!(
            page.contains(key.as_str()),
            "neither docs/configuration.md nor docs/checks.md names `{key}`"
        );
    }
}

#[test]
fn unknown_keys_and_wrong_types_are_told_all_at_once() {
    shown!(mistakes(
        r#"
[mirror]
repository = "~/dev/site"
worktre = "~/m"
every = 60

[[pagee]]
path = "/"

[serve]
run = "npm run dev"
listen = "127.0.0.1:4321"
"#
    ));
}

/// A mistake within a question says nothing of the check around it, nor of what was left out with it.
#[test]
fn a_mistake_within_a_check_is_told_once() {
    shown!(mistakes(
        r#"
[check.a]
http = { url = "http://127.0.0.1/", unsafe = true }
[check.b]
file = { path = 1 }
[check.c]
fil = { path = "x" }
[check.d]
http = { url = "http://127.0.0.1/", status = "x" }
[check.e]
interface = { name = "lo", mtu = "x" }
[check.f]
severity = "info"
[check.g]
file = { mode = "0644" }
"#
    ));
}

#[test]
fn of_very_many_mistakes_the_first_are_told() {
    use std::fmt::Write as _;
    let text = (0..1_000).fold(String::new(), |mut text, number| {
        let _ = writeln!(text, "key{number} = 1");
        text
    });
    assert_eq!(mistakes(&text).matches("unknown key").count(), 50);
}

#[test]
fn a_text_that_is_no_toml_is_told_at_its_place() {
    shown!(mistakes("[mirror]\nrepository = ~/dev/site\n"));
}

#[test]
fn values_that_make_no_sense_are_told_all_at_once() {
    shown!(mistakes(
        r#"
[runtime]
node = "the newest"
path = ["bin"]

[mirror]
repository = "~/dev/site"
upstream = "main"
worktree = "mirror/tree"
state = "${NOWHERE}/state"
every = "a minute"
carry = ["../secret"]

[serve]
run = ["node", "server.js"]
listen = "localhost:4321"
ready = { within = "1y" }

[[page]]
url = "ftp://x"
[[page]]
url = "http://127.0.0.1:1/"
matches = ["(unclosed"]
[[page]]
url = "http://127.0.0.1:1/"

[jobs]
manager = "cron"

[check.worktree-brnch]
severity = "fatal"
"#
    ));
}

#[test]
fn a_worktree_keeps_away_from_the_repository() {
    let with = |worktree: &str| {
        mistakes(&format!("[mirror]\nrepository = \"~/dev/site\"\nworktree = \"{worktree}\"\n"))
    };
    assert_snapshot!(with("~/dev/site"), @r#"
    error: the worktree is the repository itself, where people work
      ╭▸ ~/dev/site/housecall.toml:3:12
      │
    3 │ worktree = "~/dev/site"
      ╰╴           ━━━━━━━━━━━━ give the mirror a directory of its own, such as ~/.local/state/housecall/NAME/worktree
    "#);
    assert_snapshot!(with("~/dev/other/../site/.mirror"), @r#"
    error: the worktree lies inside the repository
      ╭▸ ~/dev/site/housecall.toml:3:12
      │
    3 │ worktree = "~/dev/other/../site/.mirror"
      ╰╴           ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━ give the mirror a directory of its own, such as ~/.local/state/housecall/NAME/worktree
    "#);
    assert_snapshot!(with("~/dev"), @r#"
    error: the worktree lies around the repository
      ╭▸ ~/dev/site/housecall.toml:3:12
      │
    3 │ worktree = "~/dev"
      ╰╴           ━━━━━━━ give the mirror a directory of its own, such as ~/.local/state/housecall/NAME/worktree
    "#);
    assert_snapshot!(with("/home"), @r#"
    error: the worktree lies around the repository
      ╭▸ ~/dev/site/housecall.toml:3:12
      │
    3 │ worktree = "/home"
      ╰╴           ━━━━━━━ give the mirror a directory of its own, such as ~/.local/state/housecall/NAME/worktree
    "#);
}

#[test]
fn what_is_missing_is_told() {
    assert_snapshot!(mistakes("[mirror]\nbranch = \"x\"\n"), @r#"
    error: [mirror] names no repository
      ╭▸ ~/dev/site/housecall.toml:1:1
      │
    1 │ [mirror]
      ╰╴━━━━━━━━ add `repository = "~/…"`, where you develop
    "#);
    assert_snapshot!(mistakes("[mirror]\nrepository = \"~/s\"\n[serve]\nlisten = \"127.0.0.1:1\"\n"), @r#"
    error: [serve] says neither what to run nor what to serve
      ╭▸ ~/dev/site/housecall.toml:3:1
      │
    3 │ [serve]
      ╰╴━━━━━━━ add `run = ["npm", "run", "dev"]` or `static = "public"`
    "#);
    assert_snapshot!(mistakes("[mirror]\nrepository = \"~/s\"\n[serve]\nstatic = \".\"\n"), @r#"
    error: [serve] names no address
      ╭▸ ~/dev/site/housecall.toml:3:1
      │
    3 │ [serve]
      ╰╴━━━━━━━ add `listen = "127.0.0.1:4321"`
    "#);
    assert_snapshot!(mistakes("[[page]]\npath = \"/\"\n"), @r#"
    error: a path alone says not which server answers it
      ╭▸ ~/dev/site/housecall.toml:2:8
      │
    2 │ path = "/"
      ╰╴       ━━━ add a [serve] section, or write `url = "http://…"`
    "#);
}
