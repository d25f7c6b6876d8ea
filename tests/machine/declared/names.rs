//! `dns`: a server of names that answers over real sockets, one that is silent, and the system's own resolver.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::thread;
use std::time::Duration;

use housecall::config::{Limits, Trust};
use simple_dns::rdata::{A, AAAA, CAA, CNAME, MX, PTR, RData, SRV, TXT};
use simple_dns::{CLASS, Name, Packet, PacketFlag, QTYPE, RCODE, ResourceRecord};

use super::world::World;

fn name(text: &'static str) -> Name<'static> {
    Name::new(text).expect("a name")
}

fn records(asked: &str) -> Vec<RData<'static>> {
    let four = |last| RData::A(A { address: Ipv4Addr::new(192, 0, 2, last).into() });
    let six = RData::AAAA(AAAA { address: 0x2001_0db8 << 96 | 7 });
    match asked {
        "two.example" | "long.example" => vec![four(1), four(2), six],
        "alias.example" => vec![RData::CNAME(CNAME(name("two.example"))), four(1)],
        "mail.example" => vec![RData::MX(MX { preference: 10, exchange: name("MX.example") })],
        "_x._tcp.example" => {
            vec![RData::SRV(SRV { priority: 0, weight: 5, port: 443, target: name("www.example") })]
        }
        "text.example" => vec![RData::TXT(TXT::new().with_string("v=spf1 -all").expect("a text"))],
        "caa.example" => {
            let tag = "issue".try_into().expect("a tag");
            vec![RData::CAA(CAA { flag: 0, tag, value: b"ca.example".as_slice().into() })]
        }
        "1.2.0.192.in-addr.arpa" => vec![RData::PTR(PTR(name("two.example")))],
        _ => Vec::new(),
    }
}

fn reply(packet: &[u8], is_stream: bool) -> Vec<u8> {
    let query = Packet::parse(packet).expect("a question");
    let question = query.questions[0].clone();
    let asked = question.qname.to_string().to_ascii_lowercase();
    let mut reply = query.clone().into_reply();
    match asked.as_str() {
        "broken.example" => *reply.rcode_mut() = RCODE::ServerFailure,
        "secret.example" => *reply.rcode_mut() = RCODE::Refused,
        "long.example" if !is_stream => reply.set_flags(PacketFlag::TRUNCATION),
        "empty.example" => {}
        other => {
            if records(other).is_empty() {
                *reply.rcode_mut() = RCODE::NameError;
            }
        }
    }
    if !reply.has_flags(PacketFlag::TRUNCATION) {
        let of_kind =
            |it: &RData<'_>| QTYPE::TYPE(it.type_code()) == question.qtype || matches!(it, RData::CNAME(_));
        for data in records(&asked).into_iter().filter(of_kind) {
            reply.answers.push(ResourceRecord::new(question.qname.clone(), CLASS::IN, 60, data));
        }
    }
    reply.build_bytes_vec().expect("an answer")
}

/// A server of both transports; its port.
fn server() -> u16 {
    let udp = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let address = udp.local_addr().expect("its address");
    let tcp = TcpListener::bind(address).expect("the same port");
    thread::spawn(move || {
        let mut buffer = [0; 512];
        while let Ok((count, from)) = udp.recv_from(&mut buffer) {
            // Somebody else's answer comes first, and must not be believed.
            let mut stray = reply(&buffer[..count], false);
            stray[0] ^= 0xff;
            let _ = udp.send_to(&stray, from);
            let _ = udp.send_to(&reply(&buffer[..count], false), from);
        }
    });
    thread::spawn(move || {
        for mut stream in tcp.incoming().flatten() {
            let mut length = [0; 2];
            if stream.read_exact(&mut length).is_err() {
                continue;
            }
            let mut packet = vec![0; usize::from(u16::from_be_bytes(length))];
            stream.read_exact(&mut packet).expect("a question");
            let answer = reply(&packet, true);
            let length = u16::try_from(answer.len()).expect("a short answer").to_be_bytes();
            let _ = stream.write_all(&[&length, answer.as_slice()].concat());
        }
    });
    address.port()
}

fn asked(name: &str, port: u16, more: &str) -> String {
    format!("dns = {{ name = '{name}', server = '127.0.0.1:{port}'{more} }}")
}

#[test]
fn a_name_resolves_to_what_is_asked() {
    let (world, port) = (World::new(), server());
    for (name, more) in [
        ("two.example", ""),
        ("two.example.", ", answers = ['192.0.2.1']"),
        ("TWO.example", ", answers = ['192.0.2.2', '2001:db8:0::7', '192.0.2.1'], only = true"),
        ("two.example", ", record = 'A', answers = ['192.0.2.2', '192.0.2.1'], only = true"),
        ("two.example", ", record = 'AAAA', answers = ['2001:db8::7'], only = true"),
        ("alias.example", ", record = 'CNAME', answers = ['Two.example.']"),
        ("alias.example", ", record = 'A', answers = ['192.0.2.1'], only = true"),
        ("mail.example", ", record = 'MX', answers = ['10 mx.example.']"),
        ("_x._tcp.example", ", record = 'SRV', answers = ['0 5 443 www.example']"),
        ("text.example", ", record = 'TXT', answers = ['v=spf1 -all']"),
        ("caa.example", ", record = 'CAA', answers = ['0 issue \"ca.example\"']"),
        ("192.0.2.1", ", record = 'PTR', answers = ['two.example.']"),
        ("long.example", ", answers = ['192.0.2.2']"),
        ("gone.example", ", resolves = false"),
        ("empty.example", ", resolves = false"),
    ] {
        let question = asked(name, port, more);
        assert_eq!(world.look(&question), "pass", "{question}");
    }
}

#[test]
fn another_answer_and_no_such_name_fail() {
    let (world, port) = (World::new(), server());
    for (name, more, told) in [
        ("gone.example", "", "fail: gone.example does not resolve; actual there is no such name"),
        ("empty.example", "", "fail: empty.example does not resolve; actual the name has no A record"),
        (
            "two.example",
            ", record = 'A', answers = ['192.0.2.9']",
            "fail: two.example does not resolve to 192.0.2.9; expected 192.0.2.9; actual 192.0.2.1, 192.0.2.2",
        ),
        (
            "two.example",
            ", record = 'A', answers = ['192.0.2.1'], only = true",
            "fail: two.example resolves to 192.0.2.2 too; expected 192.0.2.1; actual 192.0.2.1, 192.0.2.2",
        ),
        (
            "two.example",
            ", record = 'AAAA', resolves = false",
            "fail: two.example resolves; expected nothing; actual 2001:db8::7",
        ),
        (
            "two.example",
            ", record = 'MX'",
            "fail: two.example does not resolve; actual the name has no MX record",
        ),
    ] {
        let question = asked(name, port, more);
        assert_eq!(world.look(&question), told, "{question}");
    }
}

#[test]
fn who_cannot_tell_says_nothing_of_the_name() {
    let limits = Limits { timeout: Duration::from_millis(300), ..Limits::default() };
    let (world, port) = (World { limits, ..World::new() }, server());
    let silent = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let silent_port = silent.local_addr().expect("its address").port();
    let free = support::servers::free_port();
    // "It must not resolve" holds neither where nobody says so.
    for more in ["", ", resolves = false"] {
        let told = world.look(&asked("two.example", silent_port, more));
        assert!(told.starts_with("unknown: ") && told.contains("did not answer"), "{told}");
        let told = world.look(&asked("two.example", free, more));
        assert!(told.ends_with(": nobody answers there"), "{told}");
        let told = world.look(&asked("broken.example", port, more));
        assert!(told.ends_with(": it says that it failed"), "{told}");
        let told = world.look(&asked("secret.example", port, more));
        assert!(told.ends_with(": it refuses to tell"), "{told}");
    }
    assert_eq!(world.nowhere(&asked("two.example", port, "")), "unknown: the test gave no `dns`");
}

#[test]
fn the_systems_resolver_is_asked_where_no_server_is_named() {
    let world = World::new();
    for good in [
        "dns = { name = 'localhost' }",
        "dns = { name = 'localhost', record = 'A', answers = ['127.0.0.1'], only = true }",
        "dns = { name = '127.0.0.1' }",
    ] {
        assert_eq!(world.look(good), "pass", "{good}");
    }
    let told = world.look("dns = { name = 'localhost', record = 'A', answers = ['192.0.2.1'] }");
    assert!(told.starts_with("fail: localhost does not resolve to 192.0.2.1; expected 192.0.2.1"), "{told}");
}

#[test]
fn others_are_asked_only_with_trust_and_not_offline() {
    let elsewhere = "dns = { name = 'example.org', server = '192.0.2.53' }";
    let offline = World { limits: Limits { offline: true, ..Limits::default() }, ..World::new() };
    assert_eq!(offline.look(elsewhere), "skip: --offline leaves the network alone");
    let untrusted = World { trust: Trust::Untrusted, ..World::new() };
    for question in [elsewhere, "dns = { name = 'secret-in-a-name.example.org' }"] {
        assert!(untrusted.look(question).contains("the configuration is not trusted"), "{question}");
    }
    assert_eq!(untrusted.look("dns = { name = 'localhost' }"), "pass");
}

#[test]
fn what_makes_no_sense_is_told() {
    let world = World::new();
    for (question, told) in [
        ("name = ''", "is no name"),
        ("name = 'http://example.org'", "is no name"),
        ("name = 'example.org:80'", "is no name"),
        ("name = 'x', server = 'dns.example'", "is no address of a server"),
        ("name = 'x', answers = ['y']", "`y` is no address"),
        ("name = 'x', record = 'MX'", "this machine's resolver tells addresses only"),
        ("name = 'x', resolves = false, answers = ['::1']", "what must not resolve has no answers"),
        ("name = 'x', only = true", "`only` has nothing to be only of"),
        ("name = 'x', record = 'ANY'", "unknown variant `ANY`"),
    ] {
        let mistakes = world.mistakes(&format!("dns = {{ {question} }}"));
        assert!(mistakes.contains(told), "{question}: {mistakes}");
    }
}
