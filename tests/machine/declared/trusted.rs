//! What trust allows is shown before it is given, and what does something waits for what it needs.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::world::World;

#[test]
fn trust_shows_all_that_it_allows() {
    let world = World::new();
    let file = world.home.write(
        "gate/housecall.toml",
        "[check.a]\nhttp = { url = 'https://example.org/hook', method = 'POST', body = 'x', headers = { a = 'b' } }\n\
         [check.b]\nhttp = { url = 'http://127.0.0.1:1/' }\n\
         [check.c]\nhttp = { url = 'http://127.0.0.1:1/', redirects = 2 }\n\
         [check.d]\nconnect = { address = 'example.org:22' }\n\
         [check.e]\nconnect = { address = '127.0.0.1:22' }\n\
         [check.f]\npackage = { name = 'left pad', manager = 'npm' }\n"
            .replace("left pad", "left-pad"),
    );
    let more = "[check.g]\ngit = { repository = '/srv/site', clean = true, parity = 'origin/main', remote = true }\n\
         [check.h]\ndns = { name = 'example.org' }\n\
         [check.i]\ncommand = { run = ['make', 'test'] }\n";
    let text = std::fs::read_to_string(&file).expect("the file") + more;
    world.home.write("gate/housecall.toml", text);
    let file = file.to_string_lossy().into_owned();
    let told = world.home.housecall(["--config", &*file, "trust"]).exits(0).stdout;
    let rows: Vec<&str> =
        told.lines().filter_map(|line| line.trim().strip_prefix("check")).map(str::trim).collect();
    assert_eq!(
        rows,
        [
            "a: POST https://example.org/hook with 1 header and a body",
            "c: GET http://127.0.0.1:1/, wherever it is redirected",
            "d: connects to example.org:22",
            "f: npm ls --global --json --depth=0 -- left-pad",
            "g: git ls-remote origin main and the filters that the repository names, in /srv/site",
            "h: looks example.org up",
            "i: make test",
        ]
    );
}

/// A server that counts its requests, by their method.
fn counting() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("its address");
    let posts = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&posts);
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut request = [0; 4096];
            let length = stream.read(&mut request).unwrap_or(0);
            if request[..length].starts_with(b"POST") {
                counted.fetch_add(1, Ordering::SeqCst);
            }
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        }
    });
    (format!("http://{address}/"), posts)
}

#[test]
fn what_does_something_waits_for_what_it_needs() {
    let mut world = World::new();
    let (url, posts) = counting();
    world.home.program("bin/npm", "#!/bin/sh\ntouch \"$HOME/ran\"\necho '{}'\n");
    world.home.set("PATH", format!("{}:/usr/bin:/bin", world.home.at("bin").display()));
    let text = format!(
        "[check.no]\nenv = {{ name = 'NO_SUCH_VARIABLE' }}\n\
         [check.post]\nneeds = ['no']\nhttp = {{ url = '{url}', method = 'POST' }}\n\
         [check.npm]\nneeds = ['no']\npackage = {{ name = 'x', manager = 'npm', installed = false }}\n"
    );
    world.home.write("housecall.toml", &text);
    let report = world.home.housecall(["--json"]).exits(1).report();
    assert_eq!((report.status("post"), report.status("npm")), ("blocked", "blocked"));
    assert_eq!((posts.load(Ordering::SeqCst), world.home.at("ran").exists()), (0, false));
    world.home.write("housecall.toml", text.replace("NO_SUCH_VARIABLE", "HOME"));
    let _ = world.home.housecall(["--json"]).exits(0);
    assert_eq!((posts.load(Ordering::SeqCst), world.home.at("ran").exists()), (1, true));
}
