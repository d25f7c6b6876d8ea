//! Pages that attack: endless, compressed bombs, redirects in a circle, no UTF-8; bounded, said, survived.

use std::io::Write;
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use support::servers::Server;
use support::{Mirror, Report, Test};

pub(crate) const TESTS: &[Test] = &[
    Test { name: "a_body_without_an_end", needs: &[], run: endless },
    Test { name: "a_compressed_bomb", needs: &[], run: bomb },
    Test { name: "redirects_in_a_circle", needs: &[], run: circle },
    Test { name: "a_page_that_is_not_utf_8", needs: &[], run: not_utf_8 },
    Test { name: "a_page_that_drips", needs: &[], run: drips },
    Test { name: "headers_without_an_end", needs: &[], run: headers },
];

/// What an examination says of a page that answers so.
fn look(answer: fn(&str, &mut TcpStream)) -> Report {
    let mirror = Mirror::fixed();
    let _ = mirror.run(&["sync"]);
    let _server = Server::answering(&mirror.address().to_string(), answer);
    let ran = mirror.run(&["--json", "--timeout", "2s"]);
    assert!(ran.code == 1 || ran.code == 3, "{ran}");
    assert!(ran.took < support::processes::HANG, "{ran}");
    assert!(ran.peak < 64 * 1024, "{} KiB were held\n{ran}", ran.peak);
    ran.report()
}

/// What the page's own look saw, blocked or not: never that all is well.
#[track_caller]
fn never_well(report: &Report, unit: &str) {
    let check = report.check(unit);
    assert!(check["status"] != "pass" && check["seen"]["status"] != "pass", "{check:#}");
}

fn endless() {
    let report = look(|_, stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n");
        let text = vec![b'a'; 64 * 1024];
        while stream.write_all(&text).is_ok() {}
    });
    never_well(&report, "page-content:/");
}

fn bomb() {
    let report = look(|_, stream| {
        static BOMB: OnceLock<Vec<u8>> = OnceLock::new();
        let body = BOMB.get_or_init(|| {
            let mut command = Command::new("sh");
            command.args(["-c", "head -c 400000000 /dev/zero | gzip -1"]).stdout(Stdio::piped());
            command.output().expect("gzip runs").stdout
        });
        let _ = write!(
            stream,
            "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let _ = stream.write_all(body);
    });
    never_well(&report, "page-content:/");
}

fn circle() {
    let report = look(|_, stream| {
        let _ = stream.write_all(
            b"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        );
    });
    never_well(&report, "http-status:/");
}

fn not_utf_8() {
    let report = look(|_, stream| {
        let body = b"<p>The first text</p>\xff\xfe\x00\xc3\x28";
        let _ = write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
        let _ = stream.write_all(body);
    });
    let page = report.check("page-content:/");
    assert_ne!(page["status"], "unknown", "the text is found among bytes that are no text: {page:#}");
}

fn drips() {
    let report = look(|_, stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
        while stream.write_all(b"a").is_ok() {
            std::thread::sleep(Duration::from_millis(100));
        }
    });
    never_well(&report, "page-content:/");
}

fn headers() {
    let report = look(|_, stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n");
        while stream.write_all(b"X-More: and more and more and more\r\n").is_ok() {}
    });
    never_well(&report, "http-status:/");
}
