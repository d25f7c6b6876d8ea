//! `interface`: the loopback interface, which every machine has.

use super::world::World;

const LOOPBACK: &str = if cfg!(target_os = "macos") { "lo0" } else { "lo" };

fn asked(more: &str) -> String {
    format!("interface = {{ name = '{LOOPBACK}'{more} }}")
}

#[test]
fn an_interface_is_as_asked() {
    let world = World::new();
    for good in ["", ", up = true", ", addresses = ['127.0.0.1']", ", addresses = ['127.0.0.1/8']"] {
        assert_eq!(world.look(&asked(good)), "pass", "{good}");
    }
    assert_eq!(world.look("interface = { name = 'no-such0', exists = false }"), "pass");
    let told = world.look("interface = { name = 'no-such0' }");
    assert!(told.starts_with("fail: there is no interface no-such0; expected no-such0; actual "), "{told}");
    assert!(told.contains(LOOPBACK), "{told}");
    for (more, message) in [
        (", exists = false", format!("fail: there is an interface {LOOPBACK}")),
        (", up = false", format!("fail: the interface {LOOPBACK} is up; expected down; actual up")),
        (
            ", addresses = ['192.0.2.1']",
            format!("fail: the interface {LOOPBACK} lacks the address 192.0.2.1; "),
        ),
        (
            ", addresses = ['127.0.0.1/24']",
            format!("fail: the interface {LOOPBACK} lacks the address 127.0.0.1/24"),
        ),
        (
            ", only = true",
            format!("fail: the interface {LOOPBACK} has the address 127.0.0.1/8 too; expected no"),
        ),
        (", mtu = 1", format!("fail: the interface {LOOPBACK} has another MTU; expected 1; actual ")),
    ] {
        let told = world.look(&asked(more));
        assert!(told.starts_with(&message), "{more}: {told}");
    }
    let told = world.look(&asked(", mtu = 1"));
    let mtu = told.rsplit(' ').next().expect("a number");
    assert_eq!(world.look(&asked(&format!(", mtu = {mtu}"))), "pass");
    assert_eq!(world.look(&asked(", mtu = { above = 1000, max = 1000000 }")), "pass");
    assert_eq!(
        world.look(&asked(", mtu = { below = 1000 }")),
        format!("fail: the interface {LOOPBACK} has another MTU; expected less than 1000; actual {mtu}")
    );
}

#[test]
fn what_makes_no_sense_is_told_and_nothing_is_made_up() {
    let world = World::new();
    for (question, told) in [
        ("name = '../x'", "is no interface"),
        ("name = 'x', addresses = ['y']", "is no address"),
        ("name = 'x', addresses = ['127.0.0.1/33']", "is no address"),
        ("name = 'x', exists = false, mtu = 1500", "nothing can be asked"),
        ("name = 'x', mtu = {}", "nothing is asked of the number"),
    ] {
        let mistakes = world.mistakes(&format!("interface = {{ {question} }}"));
        assert!(mistakes.contains(told), "{question}: {mistakes}");
    }
    assert_eq!(world.nowhere(&asked("")), "unknown: the test gave no `interfaces`");
}
