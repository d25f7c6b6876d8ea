//! Gossfiles and what `housecall import goss` makes of them, in the same worlds: where goss says red, Housecall says it too
//! or does not know; where goss says green, it is green, or names what was not turned. Without goss, its recorded verdicts
//! (the names in the fixtures) stand for it.
#![expect(clippy::disallowed_methods, reason = "a test makes a world and looks at it")]

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::path::Path;
use std::process::Command;
use std::thread;

use serde_json::Value;
use support::processes::Kept;
use support::servers::free_port;
use support::{Home, Part, Test, parts};

pub(crate) const RECORDED: &[Test] = &[
    Test { name: "a_home_and_its_servers", needs: &[], run: || recorded("loopback.yaml") },
    Test { name: "packages", needs: &[Part::Program("dpkg-query")], run: || recorded("debian.yaml") },
];

pub(crate) const REAL: &[Test] = &[
    Test { name: "matchers", needs: &[Part::Goss], run: || real("matchers.yaml") },
    Test { name: "kinds", needs: &[Part::Goss], run: || real("kinds.yaml") },
    Test { name: "a_home_and_its_servers", needs: &[Part::Goss], run: || real("loopback.yaml") },
    Test { name: "packages", needs: &[Part::Goss, Part::Program("dpkg-query")], run: || real("debian.yaml") },
    Test { name: "worlds_in_which_less_holds", needs: &[Part::Goss], run: other_worlds },
];

/// Kind and key of a resource: "file pass-plain".
type Name = String;

/// What Housecall makes of a resource, which may be several checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seen {
    Green,
    Red,
    Unknown,
    /// Unknown, and by its name not all turned.
    Named,
}

fn recorded(fixture: &str) {
    let world = World::new();
    let wrong: Vec<String> = world
        .housecall(fixture)
        .into_iter()
        .filter(|(name, seen)| {
            !is_fair(name, says_pass(name), *seen) || (*seen == Seen::Named) != is_part(name)
        })
        .map(|(name, seen)| format!("{name}: {seen:?}"))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

fn real(fixture: &str) {
    let world = World::new();
    let goss = world.goss(fixture);
    let wrong: Vec<&Name> =
        goss.iter().filter(|(name, green)| says_pass(name) != **green).map(|it| it.0).collect();
    assert!(wrong.is_empty(), "goss says otherwise than recorded: {wrong:#?}");
    world.agree(fixture, &goss);
}

fn other_worlds() {
    for change in [World::silent, World::emptied, World::swapped] {
        let mut world = World::new();
        change(&mut world);
        for fixture in ["loopback.yaml", "kinds.yaml"] {
            let goss = world.goss(fixture);
            assert!(goss.values().any(|green| *green) && goss.values().any(|green| !green), "{goss:#?}");
            world.agree(fixture, &goss);
        }
    }
}

/// What the name in the fixture says that goss says.
fn says_pass(name: &str) -> bool {
    let key = name.split_once(' ').expect("a kind and a key").1;
    key.starts_with("pass-") || key.starts_with("part-")
}

/// What is judged in another way, as docs/moving.md says: what only one of both can answer.
fn differs(name: &str) -> bool {
    name.contains("-differs-")
}

fn is_part(name: &str) -> bool {
    name.contains(" part-") || name.contains("-unseen-")
}

fn is_fair(name: &str, green: bool, seen: Seen) -> bool {
    match seen {
        Seen::Named => true,
        Seen::Green | Seen::Unknown if differs(name) => true,
        Seen::Green => green,
        Seen::Red | Seen::Unknown => !green,
    }
}

/// A home with files, servers and a process that the fixtures ask for.
struct World {
    home: Home,
    server: Option<TcpListener>,
    six: Option<TcpListener>,
    udp: Option<UdpSocket>,
    sleeper: Option<Kept>,
    places: Vec<(&'static str, String)>,
}

impl World {
    fn new() -> Self {
        let home = Home::new();
        home.write("data", "alpha\nbeta\n");
        let files = "chmod 640 data; ln -s data link; ln -s nowhere dangling; mkfifo pipe";
        let status = home.command("sh").args(["-ec", files]).current_dir(home.path()).status();
        assert!(status.is_ok_and(|it| it.success()), "the files are made");
        let server = TcpListener::bind("127.0.0.1:0").expect("a port");
        let six = TcpListener::bind("[::1]:0").expect("a port");
        let udp = UdpSocket::bind("127.0.0.1:0").expect("a port");
        let at =
            |address: std::io::Result<std::net::SocketAddr>| address.expect("its address").port().to_string();
        let mut places = vec![
            ("@HOME@", home.path().display().to_string()),
            ("@PORT@", at(server.local_addr())),
            ("@SIX@", at(six.local_addr())),
            ("@UDP@", at(udp.local_addr())),
            ("@FREE@", free_port().to_string()),
        ];
        for (name, program) in [("@MD5@", "md5sum"), ("@SHA256@", "sha256sum"), ("@SHA512@", "sha512sum")] {
            places.push((name, printed(home.command(program).arg(home.at("data")))));
        }
        if Part::Program("dpkg-query").present() {
            let mut version = home.command("dpkg-query");
            places.push(("@VERSION@", printed(version.args(["-W", "-f", "${Version}", "base-files"]))));
        }
        let listener = server.try_clone().expect("the server");
        thread::spawn(move || listener.incoming().filter_map(Result::ok).for_each(answer));
        // Other tests have sleepers too.
        let sleeper = home.at(format!("bin/sleeper-{}", places[1].1));
        fs::copy("/bin/sleep", &sleeper).expect("a program");
        let sleeper = Kept::start(home.command(sleeper).arg("300"));
        Self { home, server: Some(server), six: Some(six), udp: Some(udp), sleeper: Some(sleeper), places }
    }

    /// Nobody serves, and nothing runs.
    fn silent(&mut self) {
        self.sleeper = None;
        (self.six, self.udp) = (None, None);
        let server = self.server.take().expect("the server");
        rustix::net::shutdown(&server, rustix::net::Shutdown::Both).expect("it ends");
    }

    /// No file is there.
    fn emptied(&mut self) {
        for file in ["data", "link", "dangling", "pipe"] {
            fs::remove_file(self.home.at(file)).expect("removed");
        }
    }

    /// Every file is something else.
    fn swapped(&mut self) {
        self.emptied();
        self.home.write("none", "gamma\n");
        self.home.write("link", "gamma\n");
        fs::create_dir(self.home.at("data")).expect("a folder");
        self.home.link("pipe", Path::new("none"));
        self.home.link("dangling", Path::new("none"));
    }

    /// Writes the gossfile for this world.
    fn gossfile(&self, fixture: &str) {
        let path = parts::root().join("tests/fixtures/goss").join(fixture);
        let mut text = fs::read_to_string(path).expect("the fixture");
        for (name, value) in &self.places {
            text = text.replace(name, value);
        }
        self.home.write("goss.yaml", text);
    }

    /// Whether each resource is green for goss.
    fn goss(&self, fixture: &str) -> BTreeMap<Name, bool> {
        self.gossfile(fixture);
        let goss = parts::goss().expect("goss");
        let mut command = self.home.command(goss);
        command.args(["-g", "goss.yaml", "validate", "--format", "json"]).current_dir(self.home.path());
        let output = command.output().expect("goss runs");
        let said: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
            panic!("{error}: {}", String::from_utf8_lossy(&output.stderr));
        });
        let mut found = BTreeMap::new();
        for result in said["results"].as_array().expect("results") {
            let text = |key: &str| result[key].as_str().expect("a text").to_owned();
            let kind = text("resource-type").to_ascii_lowercase().replace("kernelparam", "kernel-param");
            let key = text("resource-id");
            let key = key.split_once(": ").map_or(key.as_str(), |(key, _)| key);
            *found.entry(format!("{kind} {key}")).or_insert(true) &= result["successful"] == true;
        }
        found
    }

    /// What Housecall says of each resource, with the configuration that it makes of them.
    fn housecall(&self, fixture: &str) -> BTreeMap<Name, Seen> {
        self.gossfile(fixture);
        let _ = fs::remove_file(self.home.at("housecall.toml"));
        let ran = self.home.housecall(["import", "goss", "goss.yaml", "--write", "housecall.toml"]);
        assert!(matches!(ran.code, 0 | 1), "{ran}");
        let text = fs::read_to_string(self.home.at("housecall.toml")).expect("what was written");
        let report = self.home.housecall(["--json"]).report();
        let mut found = BTreeMap::new();
        let mut resource = "";
        for line in text.lines() {
            match line.strip_prefix("# ") {
                Some(of) if !of.starts_with("meta: ") => resource = of,
                _ => {}
            }
            let Some(check) = line.strip_prefix("[check.").and_then(|it| it.strip_suffix(']')) else {
                continue;
            };
            let message = report.check(check)["message"].to_string();
            let seen = match report.status(check) {
                "pass" => Seen::Green,
                "fail" => Seen::Red,
                "unknown" if message.contains("`unchecked`") => Seen::Named,
                "unknown" => Seen::Unknown,
                other => panic!("{check} is {other}"),
            };
            let whole = found.entry(resource.to_owned()).or_insert(seen);
            let rank = |it: Seen| {
                [Seen::Green, Seen::Named, Seen::Unknown, Seen::Red].iter().position(|at| *at == it)
            };
            if rank(seen) > rank(*whole) {
                *whole = seen;
            }
        }
        found
    }

    #[track_caller]
    fn agree(&self, fixture: &str, goss: &BTreeMap<Name, bool>) {
        let ours = self.housecall(fixture);
        let names = |all: Vec<&Name>| all.into_iter().cloned().collect::<Vec<_>>();
        assert_eq!(names(ours.keys().collect()), names(goss.keys().collect()), "each resource is judged");
        let wrong: Vec<String> = goss
            .iter()
            .filter(|(name, green)| !is_fair(name, **green, ours[*name]))
            .map(|(name, green)| {
                format!("{name}: goss {}, Housecall {:?}", if *green { "green" } else { "red" }, ours[name])
            })
            .collect();
        assert!(wrong.is_empty(), "{fixture}: {wrong:#?}");
    }
}

/// The first word that a program prints.
fn printed(command: &mut Command) -> String {
    let output = command.output().expect("it runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.split_whitespace().next().expect("a word").to_owned()
}

fn answer(mut stream: TcpStream) {
    thread::spawn(move || {
        let mut request = [0; 4096];
        let length = stream.read(&mut request).unwrap_or(0);
        let request = String::from_utf8_lossy(&request[..length]).into_owned();
        let path = request.split(' ').nth(1).unwrap_or_default();
        let (status, header, body) = match path {
            "/" => ("200 OK", "X-Kind: test", "Hello\nworld\n"),
            "/moved" => ("302 Found", "Location: /", ""),
            "/echo" => ("200 OK", "X-Kind: echo", request.as_str()),
            "/json" => ("200 OK", "Content-Type: application/json", r#"{"up": true, "n": 3}"#),
            _ => ("404 Not Found", "X-Kind: none", "none\n"),
        };
        let length = body.len();
        let head =
            format!("HTTP/1.1 {status}\r\n{header}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
        let _ = stream.write_all(format!("{head}{body}").as_bytes());
    });
}
