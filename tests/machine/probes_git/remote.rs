//! What the remote says, over every transport, and what is made of its silence.

use std::time::{Duration, Instant};

use housecall::error::ProbeError;
use housecall::probes::git::Remote;
use support::parts::{Part, lacks};
use support::servers::{Server, free_port};

use super::world::World;

fn at(remote: Result<Remote, ProbeError>) -> String {
    match remote {
        Ok(Remote::At { sha, .. }) => sha,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_reached_over_ssh_is_known_by_its_address() {
    for ssh in ["ssh://git@host/site.git", "git+ssh://host/site", "git@host:team/site.git", "host:site"] {
        assert!(housecall::git::is_ssh(ssh), "{ssh}");
    }
    for other in ["https://host/site.git", "http://host:8080/site", "git://host/site", "file:///srv/site"] {
        assert!(!housecall::git::is_ssh(other), "{other}");
    }
    assert!(!housecall::git::is_ssh("/srv/a:b/site.git"));
    assert!(!housecall::git::is_ssh("../site.git"));
}

#[test]
fn a_remote_of_files_says_its_commit() {
    let world = World::new();
    assert_eq!(at(world.remote()), world.sha);
}

#[test]
fn only_the_very_ref_counts() {
    let world = World::new();
    let remote = world.home.at("remote.git");
    world.home.git(&remote, ["update-ref", "refs/aaa/refs/heads/main", &world.sha]);
    world.home.git(&remote, ["symbolic-ref", "HEAD", "refs/heads/none"]);
    world.home.git(&remote, ["update-ref", "-d", "refs/heads/main"]);
    assert_eq!(world.remote(), Ok(Remote::NoSuchRef));
    world.home.git(&remote, ["update-ref", "-d", "refs/aaa/refs/heads/main"]);
    assert_eq!(world.remote(), Ok(Remote::NoSuchRef));
}

#[test]
fn a_remote_that_is_not_configured_refuses() {
    let mut world = World::new();
    world.mirror.remote = "upstream".to_owned();
    let why = "the repository has no remote named `upstream`".to_owned();
    assert_eq!(world.remote(), Ok(Remote::Refused(why)));
}

#[test]
fn nobody_listening_and_no_such_host_are_out_of_reach() {
    let world = World::new();
    let port = free_port();
    let urls = [
        format!("git://127.0.0.1:{port}/site"),
        format!("http://127.0.0.1:{port}/site"),
        format!("ssh://127.0.0.1:{port}/site"),
        "http://no-such-host.invalid/site".to_owned(),
        "ssh://no-such-host.invalid/site".to_owned(),
    ];
    for url in urls {
        world.set_remote(&url);
        let found = world.remote();
        assert!(matches!(found, Ok(Remote::Unreachable(_))), "{url}: {found:?}");
    }
}

#[test]
fn the_words_for_a_refused_connection_are_whole() {
    let world = World::new();
    let port = free_port();
    world.set_remote(&format!("ssh://127.0.0.1:{port}/site"));
    let why = format!("ssh: connect to host 127.0.0.1 port {port}: Connection refused");
    assert_eq!(world.remote(), Ok(Remote::Unreachable(why)));
}

#[test]
fn a_remote_that_never_answers_costs_one_deadline_and_is_named() {
    let mut world = World::new();
    world.config.limits.timeout = Duration::from_secs(1);
    let server = Server::mute();
    for scheme in ["git", "http", "ssh"] {
        world.set_remote(&format!("{scheme}://127.0.0.1:{}/site", server.port()));
        let start = Instant::now();
        let found = world.remote();
        let took = start.elapsed();
        assert!(took < support::processes::HANG, "{scheme} took {took:?}");
        let Err(ProbeError::TimedOut { what, after }) = &found else {
            // ssh gives up by itself at its ConnectTimeout, which is the same moment.
            assert!(scheme == "ssh" && matches!(found, Ok(Remote::Unreachable(_))), "{scheme}: {found:?}");
            continue;
        };
        assert!(what.contains("127.0.0.1"), "{what}");
        assert_eq!(*after, Duration::from_secs(1));
    }
    let port = server.port().to_string();
    drop(server);
    let left = world.home.processes().into_iter().map(|it| format!("{it:?}"));
    assert_eq!(left.filter(|it| it.contains(&port)).collect::<Vec<_>>(), Vec::<String>::new());
}

#[test]
fn a_real_server_over_http_answers_and_refuses() {
    if lacks(Part::Lighttpd) {
        return;
    }
    let world = World::new();
    let server = support::remotes::Remote::http(world.home.path());
    world.set_remote(&server.http_url("remote.git"));
    assert_eq!(at(world.remote()), world.sha);
    world.set_remote(&server.http_url("none.git"));
    let found = world.remote();
    assert!(matches!(&found, Ok(Remote::Refused(why)) if why.contains("not found")), "{found:?}");
}

#[test]
fn a_server_that_asks_for_a_password_refuses() {
    let server = Server::answering("127.0.0.1:0", |_, stream| {
        let answer = "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\
                      Connection: close\r\n\r\n";
        let _ = std::io::Write::write_all(stream, answer.as_bytes());
    });
    let world = World::new();
    for (user, query) in [("", ""), ("ada:secret@", ""), ("", "?token=secret")] {
        world.set_remote(&format!("http://{user}127.0.0.1:{}/site{query}", server.port()));
        let found = world.remote();
        let Ok(Remote::Refused(why)) = &found else { panic!("{found:?}") };
        assert!(!why.contains("secret"), "{why}");
    }
}

#[test]
fn a_server_in_trouble_is_out_of_reach() {
    let server = Server::answering("127.0.0.1:0", |_, stream| {
        let answer = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        let _ = std::io::Write::write_all(stream, answer.as_bytes());
    });
    let world = World::new();
    world.set_remote(&format!("http://127.0.0.1:{}/site", server.port()));
    let found = world.remote();
    assert!(matches!(found, Ok(Remote::Unreachable(_))), "{found:?}");
}

#[test]
fn ssh_is_the_command_that_the_repository_configures_and_asks_nothing() {
    if lacks(Part::Sshd) {
        return;
    }
    let world = World::new();
    let server = support::remotes::Remote::ssh();
    let remote = world.home.at("remote.git");
    world.set_remote(&server.ssh_url(&remote));
    let ssh = server.ssh_command();
    world.home.git(&world.mirror.repository, ["config", "core.sshCommand", &ssh]);
    assert_eq!(at(world.remote()), world.sha);
    world.set_remote(&server.ssh_url(&world.home.at("none.git")));
    let found = world.remote();
    assert!(matches!(&found, Ok(Remote::Refused(why)) if why.contains("none.git")), "{found:?}");
    // A host key that nobody accepted: a prompt in a shell, a refusal here.
    let empty = world.home.write("known_hosts", "");
    let stranger = format!("{ssh} -o UserKnownHostsFile={} -o BatchMode=no", empty.display());
    world.home.git(&world.mirror.repository, ["config", "core.sshCommand", &stranger]);
    let found = world.remote();
    assert_eq!(found, Ok(Remote::Refused("Host key verification failed".to_owned())));
}
