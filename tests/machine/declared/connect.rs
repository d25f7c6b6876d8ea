//! `connect`: real servers, what they say, and what says nothing.

use std::io::Write;
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::thread;
use std::time::Duration;

use housecall::config::{Limits, Trust};
use support::servers::{Server, free_port};

use super::world::World;

fn asked(address: &str, more: &str) -> String {
    format!("connect = {{ address = '{address}'{more} }}")
}

/// A server that greets everybody, one byte at a time.
fn greeting(text: &'static str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("its address").port();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            for byte in text.bytes() {
                let _ = stream.write_all(&[byte]);
            }
        }
    });
    port
}

#[test]
fn what_can_be_reached_passes_and_what_cannot_fails() {
    let world = World::new();
    let (server, free) = (Server::mute(), free_port());
    let (port, free) = (format!("127.0.0.1:{}", server.port()), format!("127.0.0.1:{free}"));
    assert_eq!(world.look(&asked(&port, "")), "pass");
    assert_eq!(world.look(&asked(&format!("tcp://localhost:{}", server.port()), "")), "pass");
    let told = world.look(&asked(&free, ""));
    assert_eq!(told, format!("fail: nobody answers at {free}; actual connection refused"));
    assert_eq!(world.look(&asked(&free, ", reachable = false")), "pass");
    let told = world.look(&asked(&port, ", reachable = false"));
    assert_eq!(told, format!("fail: {port} can be reached; expected nobody answers"));
    let path = world.home.at("x.sock");
    let place = format!("unix:{}", path.display());
    assert!(world.look(&asked(&place, "")).starts_with("fail: nobody answers at ~/x.sock"));
    let _unix = UnixListener::bind(&path).expect("a socket");
    assert_eq!(world.look(&asked(&place, "")), "pass");
}

#[test]
fn what_it_says_first_is_read() {
    let world = World::new();
    let port = greeting("SSH-2.0-OpenSSH_9.2p1\r\n");
    let address = format!("127.0.0.1:{port}");
    assert_eq!(world.look(&asked(&address, ", banner = { matches = ['^SSH-2'] }")), "pass");
    assert_eq!(world.look(&asked(&address, ", banner = { contains = ['OpenSSH'] }")), "pass");
    let short =
        World { limits: Limits { timeout: Duration::from_millis(300), ..Limits::default() }, ..World::new() };
    let told = short.look(&asked(&address, ", banner = { contains = ['220'] }"));
    assert!(told.contains("lacks a text; expected 220; actual SSH-2.0"), "{told}");
    assert!(short.look(&asked(&address, ", banner = { absent = ['OpenSSH'] }")).contains("must not have"));
    let mute = Server::mute();
    let told = short.look(&asked(&format!("127.0.0.1:{}", mute.port()), ", banner = { contains = ['220'] }"));
    assert!(told.ends_with("lacks a text; expected 220; actual nothing"), "{told}");
}

#[test]
fn others_are_asked_only_with_trust_and_not_offline() {
    let offline = World { limits: Limits { offline: true, ..Limits::default() }, ..World::new() };
    let elsewhere = asked("192.0.2.1:80", "");
    assert_eq!(offline.look(&elsewhere), "skip: --offline leaves the network alone");
    let untrusted = World { trust: Trust::Untrusted, ..World::new() };
    assert!(
        untrusted
            .look(&elsewhere)
            .starts_with("unknown: cannot ask 192.0.2.1: the configuration is not trusted")
    );
    let server = Server::mute();
    let here = asked(&format!("127.0.0.1:{}", server.port()), "");
    assert_eq!(offline.look(&here), "pass");
    assert_eq!(untrusted.look(&here), "pass");
}

#[test]
fn what_makes_no_sense_is_told() {
    let world = World::new();
    for bad in ["example.org", "example.org:0", "example.org:http", ":80", "::1:80", "http://example.org:80"]
    {
        assert!(world.mistakes(&asked(bad, "")).contains("is no host and port"), "{bad}");
    }
    assert!(world.mistakes(&asked("h:1", ", reachable = false, banner = {}")).contains("says nothing"));
    assert_eq!(world.nowhere(&asked("127.0.0.1:80", "")), "unknown: the test gave no `connect`");
}
