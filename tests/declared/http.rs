//! `http`: real servers that answer well, badly, late, with certificates that expire, or not at all.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use housecall::config::{Limits, Trust};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use support::servers::{Server, free_port};

use crate::world::World;

const JSON: &str = r#"{"status":"ok","items":[{"name":"a","n":1},{"name":"b","n":2}],"ready":true}"#;

/// A server that tells the request back, or what its path says.
fn server() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("its address").port();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            thread::spawn(move || answer(&mut stream, port));
        }
    });
    port
}

fn answer(stream: &mut (impl Read + Write), port: u16) {
    let mut request = Vec::new();
    let mut byte = [0];
    while !request.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|count| count == 1) {
        request.push(byte[0]);
    }
    let mut request = String::from_utf8_lossy(&request).into_owned();
    if let Some(length) = request.lines().find_map(|it| it.strip_prefix("content-length: ")?.parse().ok()) {
        let mut body = vec![0; length];
        let _ = stream.read_exact(&mut body);
        request.push_str(&String::from_utf8_lossy(&body));
    }
    let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
    let (head, body) = match path.as_str() {
        "/echo" => ("200 OK".to_owned(), request),
        "/json" => {
            ("200 OK\r\ncontent-type: application/json\r\nx-two: a\r\nx-two: b".to_owned(), JSON.to_owned())
        }
        "/away" => ("302 Found\r\nlocation: /there".to_owned(), String::new()),
        "/there" => (format!("301 Moved\r\nlocation: http://127.0.0.1:{port}/json"), String::new()),
        "/far" => ("302 Found\r\nlocation: http://192.0.2.1/".to_owned(), String::new()),
        _ => ("404 Not Found".to_owned(), "no such page".to_owned()),
    };
    let _ = write!(
        stream,
        "HTTP/1.1 {head}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    let _ = stream.flush();
}

fn asked(url: &str, more: &str) -> String {
    format!("http = {{ url = '{url}'{more} }}")
}

#[test]
fn status_header_page_and_json_are_judged() {
    let world = World::new();
    let port = server();
    let at = |path: &str| format!("http://127.0.0.1:{port}{path}");
    for good in [
        "",
        ", status = [200, 204]",
        ", page = { contains = ['items'], matches = ['\"n\":\\d'] }",
        ", header = { Content-Type = { equals = 'application/json' }, x-two = { equals = 'a, b' } }",
        ", json = { status = 'ok', 'items[0].name' = 'a', '$.items[1].n' = 2.0, ready = true, '$..n' = [] }",
        ", within = '1m'",
    ] {
        let good = good.replace(", '$..n' = []", "");
        assert_eq!(world.look(&asked(&at("/json"), &good)), "pass", "{good}");
    }
    for (path, bad, message) in [
        ("/no", "", "/no answers 404; expected 200; actual 404"),
        ("/json", ", status = 204", "/json answers 200; expected 204; actual 200"),
        ("/json", ", page = { contains = ['taxe'] }", "fail: the page lacks a text; expected taxe"),
        ("/json", ", header = { x-none = {} }", "fail: the answer has no header `x-none`"),
        (
            "/json",
            ", header = { x-two = { equals = 'a' } }",
            "fail: the header `x-two` is another; expected a; actual a, b",
        ),
        ("/json", ", json = { 'items[2].name' = 'c' }", "has no `$.items[2].name`; expected \"c\""),
        ("/json", ", json = { 'items[*].name' = 'a' }", "is another; expected \"a\"; actual \"b\""),
        ("/json", ", json = { status = 1 }", "is another; expected 1; actual \"ok\""),
        ("/echo", ", json = { status = 'ok' }", "fail: the answer is no JSON"),
        ("/json", ", within = '1ms'", "fail: the answer takes"),
    ] {
        let told = world.look(&asked(&at(path), bad));
        // An answer within a millisecond is a machine to envy, and no failure.
        assert!(
            (bad.contains("1ms") && told == "pass") || (told.starts_with("fail: ") && told.contains(message)),
            "{told}"
        );
    }
    let sent = ", method = 'POST', body = '{\"a\":1}', headers = { x-key = 'k' }, page = { contains = ['POST /echo', 'x-key: k', '{\"a\":1}'] }";
    assert_eq!(world.look(&asked(&at("/echo"), sent)), "pass");
}

#[test]
fn redirects_are_followed_as_far_as_is_said() {
    let world = World::new();
    let port = server();
    let url = format!("http://127.0.0.1:{port}/away");
    let told = world.look(&asked(&url, ""));
    assert!(told.contains("/away leads elsewhere, to /there; expected 200; actual 302"), "{told}");
    assert!(world.look(&asked(&url, ", redirects = 1")).contains("actual 301"));
    assert_eq!(world.look(&asked(&url, ", redirects = 2")), "pass");
    assert_eq!(world.look(&asked(&url, ", status = 302")), "pass");
    let far = asked(&format!("http://127.0.0.1:{port}/far"), ", redirects = 3");
    let short = Limits { timeout: Duration::from_secs(2), ..Limits::default() };
    let offline = World { limits: Limits { offline: true, ..short }, ..World::new() };
    assert!(offline.look(&far).contains("to http://192.0.2.1/"));
    let untrusted = World { trust: Trust::Untrusted, limits: short, ..World::new() };
    assert!(untrusted.look(&far).contains("to http://192.0.2.1/"));
}

#[test]
fn who_does_not_answer_fails_and_others_are_asked_with_trust_only() {
    let free = format!("http://127.0.0.1:{}/", free_port());
    assert!(World::new().look(&asked(&free, "")).ends_with("actual connection refused"));
    let mute = Server::mute();
    let url = format!("http://127.0.0.1:{}/", mute.port());
    let short =
        World { limits: Limits { timeout: Duration::from_millis(300), ..Limits::default() }, ..World::new() };
    assert!(short.look(&asked(&url, "")).ends_with("does not answer in time; actual silence for 300 ms"));
    let untrusted = World { trust: Trust::Untrusted, ..World::new() };
    assert!(untrusted.look(&asked("http://192.0.2.1/", "")).starts_with("unknown: cannot ask 192.0.2.1"));
    assert!(untrusted.look(&asked(&url, ", method = 'POST'")).contains("nothing is changed anywhere before"));
    let offline = World { limits: Limits { offline: true, ..Limits::default() }, ..World::new() };
    assert_eq!(offline.look(&asked("https://192.0.2.1/", "")), "skip: --offline leaves the network alone");
    assert_eq!(World::new().nowhere(&asked(&free, "")), "unknown: the test gave no `http`");
}

#[test]
fn what_makes_no_sense_is_told() {
    let world = World::new();
    for (question, message) in [
        (asked("ftp://x/", ""), "`ftp://x/` is no address"),
        (asked("http://x/", ", method = 'get it'"), "`get it` is no method"),
        (asked("http://x/", ", json = { 'a[' = 1 }"), "`a[` is no JSON path"),
        (asked("http://x/", ", tls-expiry = '14d'"), "`tls-expiry` is of https"),
        (asked("http://x/", ", insecure = true"), "insecure"),
        (asked("https://x/", ", tls-expiry = '2w'"), "`2w` is no duration"),
    ] {
        let told = world.mistakes(&question);
        assert!(told.contains(message), "{told}");
    }
}

/// A home with roots of its own, and servers whose certificates those signed.
struct Tls {
    world: World,
    issuer: Issuer<'static, KeyPair>,
}

impl Tls {
    fn new() -> Self {
        let mut params = CertificateParams::new([]).expect("parameters");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "a root of a test");
        let key = KeyPair::generate().expect("a key");
        let root = params.self_signed(&key).expect("a root");
        let world = World::new();
        std::fs::write(world.home.at("ca.pem"), root.pem()).expect("a file of roots");
        Self { world, issuer: Issuer::new(params, key) }
    }

    /// A server with a certificate for that name, until that year; its address.
    fn serve(&self, name: &str, until: i32) -> String {
        let mut params = CertificateParams::new([name.to_owned()]).expect("parameters");
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(until, 1, 1);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        let secret = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("TLS")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], secret)
            .expect("a certificate and its key");
        let config = Arc::new(config);
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("its address").port();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let config = Arc::clone(&config);
                thread::spawn(move || {
                    let connection = ServerConnection::new(config).expect("a connection");
                    answer(&mut StreamOwned::new(connection, stream), port);
                });
            }
        });
        format!("https://localhost:{port}/json")
    }

    fn look(&self, url: &str, more: &str) -> String {
        self.world.look(&asked(url, more))
    }
}

#[test]
fn https_is_believed_only_with_a_certificate_that_holds() {
    let tls = Tls::new();
    let good = tls.serve("localhost", 2090);
    assert_eq!(tls.look(&good, ", ca = 'ca.pem'"), "pass");
    assert_eq!(tls.look(&good, ", ca = 'ca.pem', tls-expiry = '14d'"), "pass");
    let told = tls.look(&good, "");
    assert!(
        told.ends_with("is not to be trusted; actual nobody whom this machine trusts signed the certificate"),
        "{told}"
    );
    let told = tls.look(&tls.serve("localhost", 2021), ", ca = 'ca.pem'");
    assert!(told.contains("is not to be trusted; actual the certificate has expired"), "{told}");
    let told = tls.look(&tls.serve("example.org", 2090), ", ca = 'ca.pem'");
    assert!(told.contains("is not to be trusted; actual the certificate is for another name"), "{told}");
    assert!(tls.look(&good, ", ca = 'none.pem'").starts_with("unknown: cannot read ~/none.pem"));
    std::fs::write(tls.world.home.at("empty.pem"), "nothing\n").expect("a file");
    assert!(tls.look(&good, ", ca = 'empty.pem'").starts_with("unknown: ~/empty.pem is not readable"));
}

#[test]
fn a_certificate_that_ends_soon_is_told_before_it_does() {
    let tls = Tls::new();
    let year = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).year();
    let url = tls.serve("localhost", i32::from(year) + 1);
    assert_eq!(tls.look(&url, ", ca = 'ca.pem'"), "pass");
    let told = tls.look(&url, ", ca = 'ca.pem', tls-expiry = '400d'");
    assert!(
        told.contains("fail: the certificate of https://localhost:") && told.contains("expected 400 days"),
        "{told}"
    );
}

#[test]
fn what_is_no_tls_is_no_answer() {
    let server = Server::answering("127.0.0.1:0", |_, stream| {
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n");
    });
    let told = World::new().look(&asked(&format!("https://127.0.0.1:{}/", server.port()), ""));
    assert!(told.starts_with("fail: ") && told.contains("gives no answer"), "{told}");
}
