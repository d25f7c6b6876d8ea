//! `listener`: real sockets of every kind, and who holds them.

use std::net::{TcpListener, UdpSocket};
use std::os::unix::net::UnixListener;
use std::process::{Command, Stdio};

use support::servers::free_port;

use super::world::World;

fn asked(address: &str, more: &str) -> String {
    format!("listener = {{ address = '{address}'{more} }}")
}

#[test]
fn an_address_is_found_in_its_own_family() {
    let world = World::new();
    let four = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("its address");
    let (port, free) = (four.port(), free_port());
    let told = world.look(&asked(&format!("127.0.0.1:{port}"), ""));
    assert_eq!(
        told,
        format!("fail: nothing listens on 127.0.0.1:{port}; expected 127.0.0.1:{port}; actual nobody")
    );
    let listener = TcpListener::bind(four).expect("the port");
    for address in [
        format!("127.0.0.1:{port}"),
        format!(":{port}"),
        format!("*:{port}"),
        format!("tcp://127.0.0.1:{port}"),
    ] {
        assert_eq!(world.look(&asked(&address, "")), "pass", "{address}");
    }
    for address in [format!("127.0.0.1:{free}"), format!(":{free}"), format!("udp://127.0.0.1:{port}")] {
        assert!(world.look(&asked(&address, "")).starts_with("fail: nothing listens on"), "{address}");
    }
    let told = world.look(&asked(&format!("[::1]:{port}"), ""));
    assert!(
        told.contains(&format!("the server listens only on 127.0.0.1:{port}, not on [::1]:{port}")),
        "{told}"
    );
    drop(listener);
    assert_eq!(world.look(&asked(&format!("127.0.0.1:{port}"), ", absent = true")), "pass");
}

#[test]
fn a_listener_on_every_address_covers_one_and_an_ipv6_one_alone_does_not() {
    let world = World::new();
    let any = TcpListener::bind("0.0.0.0:0").expect("a port");
    let port = any.local_addr().expect("its address").port();
    assert_eq!(world.look(&asked(&format!("127.0.0.1:{port}"), "")), "pass");
    assert_eq!(world.look(&asked(&format!("0.0.0.0:{port}"), "")), "pass");
    let six = TcpListener::bind("[::1]:0").expect("a port");
    let port = six.local_addr().expect("its address").port();
    let told = world.look(&asked(&format!("127.0.0.1:{port}"), ""));
    assert!(told.contains(&format!("fail: the server listens only on [::1]:{port}, not on")), "{told}");
    // Rust's own listener on `[::]` takes both families; one that says otherwise must not count for IPv4.
    let script = "import socket,sys\ns=socket.socket(socket.AF_INET6)\ns.setsockopt(41,26,1)\ns.bind(('::',0))\ns.listen()\nprint(s.getsockname()[1],flush=True)\nsys.stdin.read()";
    let mut only = Command::new("/usr/bin/env")
        .args(["python3", "-c", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python");
    let mut line = String::new();
    std::io::BufRead::read_line(
        &mut std::io::BufReader::new(only.stdout.as_mut().expect("its output")),
        &mut line,
    )
    .expect("its port");
    let port = line.trim();
    assert_eq!(world.look(&asked(&format!("[::1]:{port}"), "")), "pass");
    #[cfg(target_os = "linux")]
    assert!(world.look(&asked(&format!("127.0.0.1:{port}"), "")).contains("listens only on [::]"));
    drop(only.stdin.take());
    only.wait().expect("its end");
}

#[test]
fn datagrams_and_paths_count_as_well() {
    let world = World::new();
    let udp = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let port = udp.local_addr().expect("its address").port();
    assert_eq!(world.look(&asked(&format!("udp://127.0.0.1:{port}"), "")), "pass");
    let path = world.home.at("x.sock");
    let place = format!("unix:{}", path.display());
    assert!(world.look(&asked(&place, "")).starts_with("fail: nothing listens on ~/x.sock"));
    let unix = UnixListener::bind(&path).expect("a socket");
    assert_eq!(world.look(&asked(&place, "")), "pass");
    assert!(world.look(&asked(&place, ", absent = true")).starts_with("fail: somebody listens on ~/x.sock"));
    drop(unix);
    assert!(world.look(&asked(&place, "")).starts_with("fail: nothing listens"), "a file that nobody serves");
}

#[test]
fn who_listens_is_judged_too() {
    let world = World::new();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("its address").to_string();
    let here = std::env::current_dir().expect("a directory");
    let uid = rustix::process::getuid().as_raw();
    for good in [
        format!(", owner = '{uid}'"),
        format!(", owner = '{}'", housecall::probes::accounts::user_name(uid)),
        ", command = 'declared'".to_owned(),
        format!(", directory = '{}'", here.display()),
        format!(", directory = '{}'", here.parent().expect("a parent").display()),
    ] {
        assert_eq!(world.look(&asked(&address, &good)), "pass", "{good}");
    }
    for (bad, message) in [
        (", owner = 'nobody-of-that-name'", "belongs to another user; expected nobody-of-that-name"),
        (", command = '^postgres'", "fail: another program listens on"),
        (", directory = '/nowhere'", "runs from another directory; expected /nowhere; actual"),
    ] {
        let told = world.look(&asked(&address, bad));
        assert!(told.starts_with("fail: ") && told.contains(message), "{told}");
    }
    let told = world.look(&asked(&address, ", absent = true"));
    assert_eq!(told, format!("fail: somebody listens on {address}; expected nobody"));
}

#[test]
fn what_makes_no_sense_is_told_and_nothing_is_made_up() {
    let world = World::new();
    for (address, message) in [
        ("localhost:80", "may mean ::1 as well as 127.0.0.1"),
        ("8080", "`8080` is no address and port"),
        ("127.0.0.1:0", "is no address and port"),
        ("sctp://127.0.0.1:80", "`sctp` is no kind of socket"),
    ] {
        let told = world.mistakes(&asked(address, ""));
        assert!(told.contains(message), "{told}");
    }
    assert!(world.mistakes(&asked(":80", ", absent = true, owner = 'root'")).contains("nobody has no owner"));
    assert_eq!(world.nowhere(&asked(":80", "")), "unknown: the test gave no `sockets`");
}
