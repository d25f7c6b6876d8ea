//! A bad line to the remote, over HTTP, ssh and git's own protocol: stale while it is bad, aligned when it is good.

use std::time::Duration;

use housecall::probes::state::SyncStatus::{Failed, Stale};
use support::parts::{Part, lacks};
use support::proxy::{Line, Proxy};
use support::remotes::Remote;
use support::servers::Server;

use super::oracle::{Oracle, give, hasty, push_much, set_url};
use crate::world::World;

/// Where the pack is under way: what is said before it is shorter than that, over any transport.
const MIDDLE: usize = 64 * 1024;

/// While the line is bad the mirror is stale and serves on; once it is good again the next cycle aligns.
fn survives(world: &mut World, proxy: &Proxy) {
    let oracle = Oracle::of(world);
    for (seed, line) in [Line::Cut(MIDDLE), Line::Reset(MIDDLE), Line::Stall(MIDDLE)].into_iter().enumerate()
    {
        push_much(world, seed as u64);
        proxy.becomes(line);
        give(world, Duration::from_secs(1));
        let last = world.sync();
        assert_eq!(last.status, Stale, "{line:?}: {}", last.reason);
        oracle.holds(world);
        proxy.becomes(Line::Good);
        give(world, Duration::from_secs(10));
        oracle.heals(world);
    }
}

fn over_http() -> (World, Remote, Proxy) {
    let world = hasty();
    let remote = Remote::http(world.home.path());
    let proxy = Proxy::before(remote.port());
    set_url(&world, &format!("http://127.0.0.1:{}/git/remote.git", proxy.port()));
    (world, remote, proxy)
}

fn over_ssh() -> (World, Remote, Proxy) {
    let world = hasty();
    let remote = Remote::ssh();
    let proxy = Proxy::before(remote.port());
    set_url(&world, &remote.ssh_url(&world.home.at("remote.git")));
    let ssh = remote.ssh_command_through(proxy.port());
    world.home.git(&world.repository(), ["config", "core.sshCommand", &ssh]);
    (world, remote, proxy)
}

#[test]
fn http_that_is_cut_reset_or_stalls_in_the_middle_of_the_pack() {
    if lacks(Part::Lighttpd) {
        return;
    }
    let (mut world, _remote, proxy) = over_http();
    survives(&mut world, &proxy);
}

#[test]
fn ssh_that_is_cut_reset_or_stalls_in_the_middle_of_the_pack() {
    if lacks(Part::Sshd) {
        return;
    }
    let (mut world, _remote, proxy) = over_ssh();
    survives(&mut world, &proxy);
}

#[test]
fn gits_own_protocol_that_is_cut_reset_or_stalls_in_the_middle_of_the_pack() {
    let mut world = hasty();
    let daemon = Remote::daemon(world.home.path());
    let proxy = Proxy::before(daemon.port());
    set_url(&world, &format!("git://127.0.0.1:{}/remote.git", proxy.port()));
    survives(&mut world, &proxy);
}

#[test]
fn a_slow_or_late_remote_is_waited_for() {
    if lacks(Part::Lighttpd) {
        return;
    }
    let (world, _remote, proxy) = over_http();
    let oracle = Oracle::of(&world);
    let lines = [Line::Slow(4096, Duration::from_millis(15)), Line::Late(Duration::from_millis(2500))];
    for (round, line) in lines.into_iter().enumerate() {
        push_much(&world, round as u64);
        proxy.becomes(line);
        oracle.heals(&world);
    }
}

#[test]
fn garbage_is_told_as_such_and_nothing_of_it_is_believed() {
    if lacks(Part::Lighttpd) {
        return;
    }
    let (world, _remote, proxy) = over_http();
    let oracle = Oracle::of(&world);
    for at in [0, MIDDLE] {
        push_much(&world, at as u64);
        proxy.becomes(Line::Garbage(at));
        let last = world.sync();
        assert!(matches!(last.status, Failed | Stale), "{at}: {:?} {}", last.status, last.reason);
        let told = [
            "HTTP/0.9",
            "bad line length",
            "protocol error",
            "inflate",
            "corrupt",
            "disconnect",
            "early EOF",
        ];
        assert!(told.iter().any(|it| last.reason.contains(it)), "{at}: {}", last.reason);
        oracle.holds(&world);
        proxy.becomes(Line::Good);
        oracle.heals(&world);
    }
}

#[test]
fn a_login_page_in_the_place_of_the_remote_is_no_remote() {
    let world = hasty();
    let oracle = Oracle::of(&world);
    let portal = Server::answering("127.0.0.1:0", |_, stream| {
        let page = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n\
                    <!doctype html>\n<html>\n<title>Welcome</title>\n<p>Log in to go on\n</html>\n";
        let _ = std::io::Write::write_all(stream, page.as_bytes());
    });
    let url = world.home.git(&world.repository(), ["remote", "get-url", "origin"]);
    set_url(&world, &format!("http://127.0.0.1:{}/site.git", portal.port()));
    let last = world.sync();
    assert_eq!(last.status, Failed);
    assert!(last.reason.contains("is this a git repository"), "{}", last.reason);
    set_url(&world, &url);
    assert_ne!(world.sync().status, Failed);
    oracle.holds(&world);
}

#[test]
fn a_server_that_accepts_and_never_answers_costs_one_silence_over_every_transport() {
    let world = hasty();
    let mute = Server::mute();
    for scheme in ["git", "http", "ssh"] {
        set_url(&world, &format!("{scheme}://127.0.0.1:{}/site.git", mute.port()));
        let oracle = Oracle::of(&world);
        oracle.ends(&world, Stale, "");
    }
}

#[test]
fn gits_own_protocol_to_a_daemon_that_was_stopped_ends_and_goes_on_with_it() {
    let world = hasty();
    let daemon = Remote::daemon(world.home.path());
    let port = daemon.port();
    set_url(&world, &format!("git://127.0.0.1:{port}/remote.git"));
    let oracle = Oracle::of(&world);
    push_much(&world, 7);
    support::processes::signal(daemon.pid(), "STOP");
    oracle.ends(&world, Stale, "did not answer");
    support::processes::signal(daemon.pid(), "CONT");
    oracle.heals(&world);
    drop(daemon);
    oracle.ends(&world, Stale, "Connection refused");
}

#[test]
fn an_unknown_host_key_and_a_key_that_is_refused_are_told_and_never_asked_about() {
    if lacks(Part::Sshd) {
        return;
    }
    let (world, remote, proxy) = over_ssh();
    let through = remote.ssh_command_through(proxy.port());
    let set = |command: &str| world.home.git(&world.repository(), ["config", "core.sshCommand", command]);
    let none = world.home.write("known_hosts", "");
    set(&format!("{through} -o BatchMode=no -o UserKnownHostsFile={}", none.display()));
    Oracle::of(&world).ends(&world, Failed, "Host key verification failed");
    let stranger = world.home.at("stranger");
    let key = stranger.display().to_string();
    let made = world.home.command("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f", &key]).status();
    assert!(made.is_ok_and(|it| it.success()));
    set(&through.replacen("ssh -F", &format!("ssh -i {key} -o BatchMode=no -o IdentityFile={key} -F"), 1));
    let own = world.home.git(&world.repository(), ["config", "core.sshCommand"]);
    let file = own.split_whitespace().skip_while(|it| *it != "-F").nth(1).expect("its configuration");
    let text = std::fs::read_to_string(file).expect("its configuration");
    let without: String =
        text.lines().filter(|it| !it.contains("IdentityFile")).collect::<Vec<_>>().join("\n");
    let other = world.home.write("ssh_config", without);
    set(&own.replace(file, &other.display().to_string()));
    Oracle::of(&world).ends(&world, Failed, "Permission denied");
    set(&through);
    Oracle::of(&world).goes_on(&world);
}

#[test]
fn an_ssh_program_that_stalls_is_ended_with_all_that_it_started() {
    let world = hasty();
    set_url(&world, "host:site.git");
    let stalls = world.home.program("bin/stalls", "#!/bin/sh\nsleep 300 &\necho waiting >&2\nwait\n");
    world.home.git(&world.repository(), ["config", "core.sshCommand", &stalls.display().to_string()]);
    Oracle::of(&world).ends(&world, Stale, "did not answer");
}
