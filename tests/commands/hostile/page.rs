//! Pages that mean harm: endless, swollen, torn, misleading; each ends in time, and none is taken for well.

use std::fmt::Write as _;
use std::io::Write as _;
use std::net::TcpStream;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use support::Home;
use support::servers::Server;

use super::world::{WICKED, harmless};

const HTML: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n";

fn answer(line: &str, stream: &mut TcpStream) {
    let path = line.split(' ').nth(1).unwrap_or_default();
    let body = "<title>It works</title>";
    // Whoever goes away while it is served ends it; nothing else does.
    let _ = match path {
        "/endless-body" => endless(stream, &format!("{HTML}\r\n{body}"), &[b'x'; 8 << 10]),
        "/endless-chunks" => {
            let head = format!("{HTML}Transfer-Encoding: chunked\r\n\r\n");
            endless(stream, &head, b"1\r\nx\r\n")
        }
        "/endless-headers" => endless(stream, HTML, b"X-More: and more and more and more\r\n"),
        "/endless-header" => endless(stream, &format!("{HTML}X-More: "), &[b'x'; 8 << 10]),
        "/endless-status" => endless(stream, "HTTP/1.1 200 ", &[b'O'; 8 << 10]),
        "/bomb" => bomb(stream),
        "/cookie" => write!(stream, "{HTML}Set-Cookie: a={}\r\n\r\n{body}", "x".repeat(4 << 20)),
        "/loop" => write!(stream, "HTTP/1.1 302 Found\r\nLocation: /loop\r\nConnection: close\r\n\r\n{body}"),
        "/file" => {
            write!(stream, "HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\nConnection: close\r\n\r\n")
        }
        "/other" => write!(stream, "HTTP/1.1 302 Found\r\nLocation: http://{WICKED}.example/\r\n\r\n"),
        "/slow" => slowly(stream),
        "/short" => write!(stream, "{HTML}Content-Length: 900\r\n\r\n{body}"),
        "/two-lengths" => write!(stream, "{HTML}Content-Length: 5\r\nContent-Length: 7\r\n\r\n{body}"),
        "/minus" => write!(stream, "{HTML}Content-Length: -5\r\n\r\n{body}"),
        "/torn-chunk" => write!(stream, "{HTML}Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n{body}"),
        "/torn-gzip" => write!(stream, "{HTML}Content-Encoding: gzip\r\n\r\n{body}"),
        "/ancient" => write!(stream, "{body} says {WICKED}\r\n"),
        "/nothing" => Ok(()),
        "/noise" => stream.write_all(&[0xff, 0, 27, 91, 50, 74, 13, 10, 13, 10]),
        "/steering" => {
            write!(
                stream,
                "HTTP/1.1 500 {WICKED}\r\nX-Sha: {WICKED}\r\nContent-Type: {WICKED}\r\n\r\n<h1>{WICKED}\0</h1>"
            )
        }
        _ => {
            write!(stream, "{HTML}X-Sha: {WICKED}\r\n\r\n<title>It works{WICKED}\0</title><h1>{WICKED}</h1>")
        }
    };
}

fn endless(stream: &mut TcpStream, head: &str, more: &[u8]) -> std::io::Result<()> {
    stream.write_all(head.as_bytes())?;
    loop {
        stream.write_all(more)?;
    }
}

fn slowly(stream: &mut TcpStream) -> std::io::Result<()> {
    for byte in HTML.bytes().cycle() {
        stream.write_all(&[byte])?;
        std::thread::sleep(Duration::from_millis(100));
    }
    Ok(())
}

/// A hundred megabytes in a hundred kilobytes.
fn bomb(stream: &mut TcpStream) -> std::io::Result<()> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    for _ in 0..12_800 {
        packed.write_all(&[b'x'; 8 << 10])?;
    }
    let packed = packed.finish()?;
    write!(stream, "{HTML}Content-Encoding: gzip\r\nContent-Length: {}\r\n\r\n", packed.len())?;
    stream.write_all(&packed)
}

const PAGES: [&str; 19] = [
    "/endless-body",
    "/endless-chunks",
    "/endless-headers",
    "/endless-header",
    "/endless-status",
    "/bomb",
    "/cookie",
    "/loop",
    "/file",
    "/other",
    "/slow",
    "/short",
    "/two-lengths",
    "/minus",
    "/torn-chunk",
    "/torn-gzip",
    "/ancient",
    "/nothing",
    "/noise",
];

const FORMATS: [&str; 8] = ["human", "json", "ndjson", "junit", "tap", "prometheus", "github", "markdown"];

fn gate(server: &Server, pages: &[&str]) -> Home {
    let home = Home::new();
    let mut text = String::new();
    for path in pages {
        let _ = write!(
            text,
            "[[page]]\nurl = \"http://127.0.0.1:{}{path}\"\ncontains = [\"It works\"]\nabsent = [\"never\"]\nsha = 'from ([0-9a-f]+)'\n",
            server.port()
        );
    }
    home.write("gate/housecall.toml", text);
    home
}

#[test]
fn no_page_keeps_a_look_waiting_fills_the_memory_or_is_taken_for_well() {
    let server = Server::answering("127.0.0.1:0", answer);
    let home = gate(&server, &PAGES);
    let ran = home.housecall_in(&home.at("gate"), ["--json", "--timeout", "2s"]);
    harmless(&ran);
    assert!(ran.peak < 400 << 10, "{} KiB", ran.peak);
    let report = ran.report();
    for path in PAGES {
        let url = format!("http://127.0.0.1:{}{path}", server.port());
        assert_ne!(report.status(&format!("page-content:{url}")), "pass", "{path}: {}", report.troubles());
    }
    let status =
        |path: &str| report.saw(&format!("http-status:http://127.0.0.1:{}{path}", server.port())).to_owned();
    for path in
        ["/loop", "/file", "/other", "/slow", "/ancient", "/nothing", "/noise", "/minus", "/two-lengths"]
    {
        assert_eq!(status(path), "fail", "{path}: {}", report.troubles());
    }
}

#[test]
fn what_a_page_says_steers_no_terminal_in_any_format() {
    let server = Server::answering("127.0.0.1:0", answer);
    let home = gate(&server, &["/steering", "/other", "/ancient", "/well"]);
    for format in FORMATS {
        for more in [&[][..], &["-v"], &["--color", "never"]] {
            let arguments = [&["--format", format, "--timeout", "2s"], more].concat();
            harmless(&home.housecall_in(&home.at("gate"), arguments));
        }
    }
    harmless(&home.housecall(["who".to_owned(), server.port().to_string()]));
    harmless(&home.housecall(["who".to_owned(), server.port().to_string(), "--json".to_owned()]));
}
