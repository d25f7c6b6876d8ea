//! `[service.NAME]`, and the pages of services: what they mean, and how each mistake is told.

use std::path::Path;
use std::time::Duration;

use housecall::config::service::KnownAs;
use housecall::config::{Config, Limits, Place, Surroundings};
use housecall::services::Scope;
use insta::assert_snapshot;

fn load(text: &str) -> Result<Config, String> {
    let surroundings = Surroundings {
        home: "/home/ann".into(),
        directory: "/home/ann/dev/site".into(),
        environment: [("HOME".to_owned(), "/home/ann".to_owned())].into(),
        odd: [].into(),
        uid: 1000,
    };
    let file = Path::new("/home/ann/dev/site/housecall.toml");
    Config::of_text(text, file, &surroundings, Limits::default()).map_err(|error| error.render(false))
}

fn mistakes(text: &str) -> String {
    load(text).expect_err("this text is mistaken")
}

#[test]
fn a_file_may_hold_a_service_alone() {
    let config = load("[service.conductor]\nlabel = \"so.makefile.conductor\"\n").expect("a configuration");
    let service = &config.services[0];
    assert_eq!(service.known_as, KnownAs::Label("so.makefile.conductor".to_owned()));
    assert_eq!((service.scope, &service.health), (Scope::Agent, &None));
    assert!(config.pages.is_empty() && config.mirror.is_none());
}

#[test]
fn a_health_brings_a_page_of_its_own_unless_the_file_asks_more_of_it() {
    let text = r#"
[service.api]
unit = "api"
scope = "daemon"
health = "http://127.0.0.1:4317/healthz?deep=1"
status = 204
tries = 3
every = "250ms"
timeout = "1s"

[service.conductor]
label = "so.makefile.conductor"
health = { plist-key = "EnvironmentVariables.API", default = "http://127.0.0.1:4318//", path = "/healthz" }

[[page]]
service = "conductor"
path = "/rolez"
contains = ["conductor"]

[[page]]
service = "conductor"
path = "/healthz"
contains = ["fine"]
"#;
    let config = load(text).unwrap_or_else(|error| panic!("{error}"));
    let [api, conductor] = &config.services[..] else { panic!("two services: {:?}", config.services) };
    assert_eq!((&api.known_as, api.scope), (&KnownAs::Unit("api.service".to_owned()), Scope::Daemon));
    let health = api.health.clone().expect("a health");
    assert_eq!((health.status, health.tries), (204, 3));
    assert_eq!((health.every, health.timeout), (Duration::from_millis(250), Duration::from_secs(1)));
    let place = Place::PlistKey {
        key: "EnvironmentVariables.API".to_owned(),
        default: Some("http://127.0.0.1:4318".to_owned()),
        path: "/healthz".to_owned(),
    };
    assert_eq!(conductor.health.as_ref().map(|it| &it.place), Some(&place));
    let pages: Vec<_> =
        config.pages.iter().map(|page| (page.subject(), page.status, page.contains.len())).collect();
    let expected =
        [("conductor/rolez", 200, 1), ("conductor/healthz", 200, 1), ("api/healthz?deep=1", 204, 0)];
    assert_eq!(pages, expected.map(|(name, status, texts)| (name.to_owned(), status, texts)));
}

#[test]
fn each_mistake_is_told_at_its_place() {
    assert_snapshot!(mistakes(r#"
[service.sync]
label = "a"

[service.both]
label = "a"
unit = "b"

[service.far]
label = "a b"
scope = "world"
health = "ftp://example.org/healthz"
tries = 0

[service.odd]
unit = "odd.service"
health = { plist-key = "a..b", path = "healthz" }

[[page]]
service = "odd"
url = "http://127.0.0.1/"
"#), @r#"
    error: `sync` is the name of a job of the mirror
      ╭▸ ~/dev/site/housecall.toml:2:10
      │
    2 │ [service.sync]
      ╰╴         ━━━━ choose another name

    error: a service has either a label or a unit
      ╭▸ ~/dev/site/housecall.toml:7:8
      │
    7 │ unit = "b"
      ╰╴       ━━━ keep one of them

    error: `a b` is no label
       ╭▸ ~/dev/site/housecall.toml:10:9
       │
    10 │ label = "a b"
       ╰╴        ━━━━━ write it as its manager lists it

    error: `world` is no scope
       ╭▸ ~/dev/site/housecall.toml:11:9
       │
    11 │ scope = "world"
       ╰╴        ━━━━━━━ one of agent, daemon

    error: `ftp://example.org/healthz` is no address
       ╭▸ ~/dev/site/housecall.toml:12:10
       │
    12 │ health = "ftp://example.org/healthz"
       ╰╴         ━━━━━━━━━━━━━━━━━━━━━━━━━━━ write http://ADDRESS:PORT/PATH

    error: 0 is no number of tries
       ╭▸ ~/dev/site/housecall.toml:13:9
       │
    13 │ tries = 0
       ╰╴        ━ from 1 to 1000

    error: `a..b` is no key of a property list
       ╭▸ ~/dev/site/housecall.toml:17:10
       │
    17 │ health = { plist-key = "a..b", path = "healthz" }
       ╰╴         ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━ such as "EnvironmentVariables.API"

    error: `healthz` is no path
       ╭▸ ~/dev/site/housecall.toml:17:10
       │
    17 │ health = { plist-key = "a..b", path = "healthz" }
       ╰╴         ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━ start it with /, without spaces
    "#);
}

#[test]
fn what_is_missing_is_told() {
    assert_snapshot!(mistakes("[service.a]\nhealth = \"http://127.0.0.1:1\"\n"), @r#"
    error: [service.a] names no job
      ╭▸ ~/dev/site/housecall.toml:1:10
      │
    1 │ [service.a]
      ╰╴         ━ add `label = "…"` (launchd) or `unit = "….service"` (systemd)
    "#);
    assert_snapshot!(mistakes("[service.a]\nlabel = \"a\"\nstatus = 204\n"), @r#"
    error: this says how to ask the service, and not where
      ╭▸ ~/dev/site/housecall.toml:1:1
      │
    1 │ [service.a]
      ╰╴━━━━━━━━━━━ add `health = "http://…"`
    "#);
    assert_snapshot!(mistakes("[service.a]\nunit = \"a\"\nhealth = { plist-key = \"A\" }\n"), @r#"
    error: only a job of launchd has a property list
      ╭▸ ~/dev/site/housecall.toml:3:10
      │
    3 │ health = { plist-key = "A" }
      ╰╴         ━━━━━━━━━━━━━━━━━━━ name the job by its `label`, or write the address
    "#);
    assert_snapshot!(mistakes("[service.a]\nlabel = \"a\"\n[[page]]\nservice = \"a\"\npath = \"/\"\n"), @r#"
    error: [service.a] does not say where it answers
      ╭▸ ~/dev/site/housecall.toml:4:11
      │
    4 │ service = "a"
      ╰╴          ━━━ add `health = "http://…"` to it
    "#);
    assert_snapshot!(mistakes("[service.a]\nlabel = \"a\"\n[[page]]\nservice = \"b\"\npath = \"/\"\n"), @r#"
    error: there is no service `b`
      ╭▸ ~/dev/site/housecall.toml:4:11
      │
    4 │ service = "b"
      ╰╴          ━━━ add a [service.b] section
    "#);
    assert_snapshot!(mistakes("[service.a]\nlabel = \"a\"\nhealth = { key = \"A\" }\n"), @r#"
    error: expected an address, or { plist-key = "…", default = "http://…", path = "/…" }
      ╭▸ ~/dev/site/housecall.toml:3:10
      │
    3 │ health = { key = "A" }
      ╰╴         ━━━━━━━━━━━━━
    "#);
}
