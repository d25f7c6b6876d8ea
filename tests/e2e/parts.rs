//! The parts themselves: a fixture that does not do what it says would make every other test a lie.

use std::process::Command;
use std::time::{Duration, Instant};

use support::mounts::HungMount;
use support::processes::{self, Kept};
use support::servers::{self, Server};
use support::{Home, Mirror, Part, Test};

pub(crate) const TESTS: &[Test] = &[
    Test { name: "a_home_is_nobodys_and_ends_with_what_it_started", needs: &[], run: home_ends },
    Test { name: "git_answers_over_http", needs: &[Part::Lighttpd], run: http_remote },
    Test { name: "git_answers_over_ssh", needs: &[Part::Sshd], run: ssh_remote },
    Test { name: "a_hung_mount_hangs_until_it_is_left", needs: &[Part::Fuse], run: hung_mount },
    Test { name: "a_mute_server_accepts_and_says_nothing", needs: &[], run: mute_server },
    Test { name: "each_node_is_the_one_it_is_called", needs: NODES, run: nodes },
    Test { name: "french_is_spoken_here", needs: &[Part::French], run: french },
];

const NODES: &[Part] = &[Part::Node(20), Part::Node(22), Part::Node(23)];

fn home_ends() {
    let home = Home::new();
    assert_ne!(Some(home.path().as_os_str()), std::env::var_os("HOME").as_deref());
    let sleeper = Kept::start(home.command("sleep").arg("300"));
    let pid = sleeper.pid();
    assert!(processes::eventually(support::processes::HANG, || home
        .processes()
        .iter()
        .any(|it| it.pid == pid)));
    let path = home.path().to_owned();
    drop(home);
    assert!(!path.exists(), "the home is removed");
    assert!(processes::read(pid).is_none(), "what it started has ended");
}

fn http_remote() {
    let mirror = Mirror::fixed().over_http();
    let url = mirror.home.git(&mirror.repository, ["remote", "get-url", "origin"]);
    assert!(url.starts_with("http://127.0.0.1:"), "{url}");
    let heads = mirror.home.git(&mirror.repository, ["ls-remote", "origin", "refs/heads/main"]);
    assert!(heads.ends_with("refs/heads/main"), "{heads}");
}

fn ssh_remote() {
    let mirror = Mirror::fixed().over_ssh();
    let heads = mirror.home.git(&mirror.repository, ["ls-remote", "origin", "refs/heads/main"]);
    assert!(heads.ends_with("refs/heads/main"), "{heads}");
}

fn hung_mount() {
    let home = Home::new();
    let mount = HungMount::over(&home.at("volume"));
    let mut look = Kept::start(home.command("stat").arg(home.at("volume/file")));
    std::thread::sleep(Duration::from_millis(500));
    assert!(look.alive(), "a look at it waits");
    drop(mount);
    assert!(processes::eventually(support::processes::HANG, || processes::read(look.pid()).is_none()));
}

fn mute_server() {
    let server = Server::mute();
    let since = Instant::now();
    let url = format!("http://127.0.0.1:{}/", server.port());
    let status = Command::new("curl").args(["-s", "-m", "1", &url]).status().expect("it runs");
    assert_eq!(status.code(), Some(28), "curl gives up on it");
    assert!(since.elapsed() >= Duration::from_secs(1));
    assert!(servers::answers(([127, 0, 0, 1], server.port())));
}

fn nodes() {
    for major in [20, 22, 23] {
        let bin = support::parts::node(major);
        let output = Command::new(bin.join("node")).arg("-v").output().expect("it runs");
        let version = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(version.starts_with(&format!("v{major}.")), "{version}");
        let mut npm = Command::new(bin.join("npm"));
        npm.arg("-v").env("PATH", format!("{}:/usr/bin:/bin", bin.display()));
        let version = String::from_utf8_lossy(&npm.output().expect("it runs").stdout).into_owned();
        assert!(version.starts_with("10."), "{version}");
    }
}

fn french() {
    let mut home = Home::new();
    home.set("LANG", "fr_FR.UTF-8");
    let output = home.command("date").args(["-d", "2026-03-16", "+%A"]).output().expect("it runs");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "lundi\n");
}
