//! What an address answers, asked of real sockets that behave as badly as real servers do.
#![expect(clippy::disallowed_methods, reason = "a test sets the world up, and looks at it with its own eyes")]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use housecall::probes::http::{Answer, BODY_LIMIT, Response, get};
use support::processes::HANG;

const TIMEOUT: Duration = Duration::from_millis(600);

/// A server that handles each connection so, and its address.
fn server(address: &str, handle: impl Fn(TcpStream) + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind((address, 0)).expect("a free port");
    let address = listener.local_addr().expect("its address");
    let handle = std::sync::Arc::new(handle);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let handle = std::sync::Arc::clone(&handle);
            thread::spawn(move || handle(stream));
        }
    });
    format!("http://{address}/")
}

/// A server that reads the request and answers with these bytes.
fn says(bytes: impl Into<Vec<u8>>) -> String {
    let bytes = bytes.into();
    server("127.0.0.1", move |mut stream| {
        read_request(&mut stream);
        let _ = stream.write_all(&bytes);
    })
}

fn read_request(stream: &mut TcpStream) {
    let mut seen = Vec::new();
    let mut byte = [0];
    while !seen.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|count| count == 1) {
        seen.push(byte[0]);
    }
}

fn response(url: &str, timeout: Duration) -> Response {
    match get(url, timeout).expect("an answer") {
        Answer::Response(response) => response,
        other => panic!("no response but {other:?}"),
    }
}

fn within_deadline(work: impl FnOnce() -> Answer) -> Answer {
    let start = Instant::now();
    let answer = work();
    assert!(start.elapsed() < HANG, "took {:?}", start.elapsed());
    answer
}

#[test]
fn a_page_is_read_on_either_family() {
    for address in ["127.0.0.1", "::1"] {
        let url = server(address, |mut stream| {
            read_request(&mut stream);
            let _ = stream.write_all(
                b"HTTP/1.1 200 OK\r\nX-Housecall-Sha: a1bfbf4\r\nContent-Length: 6\r\n\r\nd\xc3\xa9j\xc3\xa0",
            );
        });
        let it = response(&url, TIMEOUT * 5);
        assert_eq!((it.status, it.body.as_str(), it.truncated, it.lossy), (200, "déjà", false, false));
        assert!(it.headers.contains(&("x-housecall-sha".to_owned(), "a1bfbf4".to_owned())), "{it:?}");
    }
}

#[test]
fn nobody_listening_is_an_answer() {
    let free = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("its address");
    assert_eq!(get(&format!("http://{free}/"), TIMEOUT).expect("an answer"), Answer::Refused);
}

#[test]
fn a_server_that_never_answers_costs_one_deadline() {
    let url = server("127.0.0.1", |stream| {
        thread::sleep(HANG * 10);
        drop(stream);
    });
    let answer = within_deadline(|| get(&url, TIMEOUT).expect("an answer"));
    assert_eq!(answer, Answer::Silent { after: TIMEOUT });
}

#[test]
fn a_body_that_dribbles_costs_one_deadline() {
    let url = server("127.0.0.1", |mut stream| {
        read_request(&mut stream);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
        while stream.write_all(b"x").is_ok() {
            thread::sleep(Duration::from_millis(50));
        }
    });
    let answer = within_deadline(|| get(&url, TIMEOUT).expect("an answer"));
    assert_eq!(answer, Answer::Broken("it answered 200, and its body did not end within 600 ms".to_owned()));
}

#[test]
fn headers_that_dribble_cost_one_deadline() {
    let url = server("127.0.0.1", |mut stream| {
        read_request(&mut stream);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nX-Slow: ");
        while stream.write_all(b"x").is_ok() {
            thread::sleep(Duration::from_millis(50));
        }
    });
    let answer = within_deadline(|| get(&url, TIMEOUT).expect("an answer"));
    assert_eq!(answer, Answer::Silent { after: TIMEOUT });
}

#[test]
fn an_endless_body_is_cut() {
    let url = server("127.0.0.1", |mut stream| {
        read_request(&mut stream);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5000000000\r\n\r\n");
        let chunk = "é".repeat(1 << 16);
        let _ = stream.write_all(b"x");
        while stream.write_all(chunk.as_bytes()).is_ok() {}
    });
    let it = response(&url, Duration::from_secs(20));
    assert!(it.truncated && !it.lossy, "truncated {}, lossy {}", it.truncated, it.lossy);
    assert_eq!(it.body.len(), BODY_LIMIT - 1, "cut before the character that does not fit");
}

#[test]
fn a_compressed_bomb_is_cut() {
    // One gigabyte of zeros, as `gzip` writes it in a megabyte: made here, a part at a time.
    let bomb = std::process::Command::new("sh")
        .args(["-c", "head -c 200000000 /dev/zero | gzip -9"])
        .output()
        .expect("gzip runs")
        .stdout;
    assert!(bomb.len() < 400_000, "it is a bomb");
    let mut bytes = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nConnection: close\r\n\r\n".to_vec();
    bytes.extend(bomb);
    let it = response(&says(bytes), Duration::from_secs(20));
    assert!(it.truncated);
    assert_eq!(it.body.len(), BODY_LIMIT);
}

#[test]
fn a_redirect_loop_is_not_followed() {
    let it = response(&says("HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n"), TIMEOUT * 5);
    assert_eq!((it.status, it.location.as_deref()), (302, Some("/")));
}

#[test]
fn a_page_that_is_not_utf_8_is_read_all_the_same() {
    let it = response(&says(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\ntax\xe9s".as_slice()), TIMEOUT * 5);
    assert_eq!((it.body.as_str(), it.lossy), ("tax\u{fffd}s", true));
}

#[test]
fn a_reset_and_garbage_are_said() {
    for bytes in [b"".as_slice(), b"SSH-2.0-OpenSSH_9.2\r\n\r\n\r\n".as_slice()] {
        let answer = within_deadline(|| get(&says(bytes), TIMEOUT).expect("an answer"));
        assert!(matches!(&answer, Answer::Broken(why) if !why.is_empty()), "{answer:?}");
    }
}

#[test]
fn many_threads_share_one_client_in_parallel() {
    // The server answers once all 16 requests are there: requests made one after another would time out.
    let all = Barrier::new(16);
    let url = server("127.0.0.1", move |mut stream| {
        read_request(&mut stream);
        all.wait();
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    });
    thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| response(&url, HANG));
        }
    });
}
