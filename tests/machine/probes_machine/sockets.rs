//! Real listeners, in both families, and who holds them.
#![cfg(target_os = "linux")]

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Stdio};

use housecall::probes::sockets::{Listener, listening};

fn found(address: SocketAddr) -> Option<Listener> {
    listening().expect("the kernel answers").into_iter().find(|it| it.address == address)
}

#[test]
fn a_listener_is_found_in_either_family_with_its_process() {
    let four = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let six = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).unwrap();
    let any = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).unwrap();
    for listener in [&four, &six, &any] {
        let listener = found(listener.local_addr().unwrap()).expect("the listener");
        assert_eq!(listener.pids, [std::process::id()]);
        assert_eq!(listener.uid, Some(rustix::process::getuid().as_raw()));
    }
    let address = four.local_addr().unwrap();
    let client = TcpStream::connect(address).unwrap();
    assert!(found(client.local_addr().unwrap()).is_none(), "a client does not listen");
    drop((four, client));
    assert!(found(address).is_none(), "a closed one does not listen");
}

#[test]
fn those_that_share_a_listener_are_named_parents_first() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let mut child = Command::new("sleep")
        .arg("1000")
        .stdin(Stdio::from(std::os::fd::OwnedFd::from(listener.try_clone().unwrap())))
        .spawn()
        .unwrap();
    let pids = found(listener.local_addr().unwrap()).expect("the listener").pids;
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(pids, [std::process::id(), child.id()]);
}
