//! `tool`: programs of a real PATH.

use housecall::config::Trust;

use super::world::World;

fn world() -> World {
    let mut world = World::new();
    world.home.set("PATH", format!("{}:/usr/bin:/bin", world.home.at("bin").display()));
    world.home.program("bin/plain", "#!/bin/sh\necho plain 1.22\n");
    world.home.program("bin/odd", "#!/bin/sh\n[ \"$1\" = version ] && echo odd: v20.20.2 >&2\n");
    world.home.program("bin/mute", "#!/bin/sh\necho nothing to say\n");
    world.home.write("bin/data", "no program\n");
    world
}

#[test]
fn a_program_is_found_and_asked_for_its_version() {
    let world = world();
    for good in [
        "tool = { name = 'plain' }",
        "tool = { name = 'mute' }",
        "tool = { name = 'plain', version = '>=1.22 <2' }",
        "tool = { name = 'plain', path = '~/bin/plain' }",
        "tool = { name = 'odd', version = '^20', args = ['version'] }",
        "tool = { name = 'git', version = '>=2' }",
    ] {
        assert_eq!(world.look(good), "pass", "{good}");
    }
    for (question, told) in [
        ("tool = { name = 'absent' }", "fail: there is no program absent on the PATH"),
        ("tool = { name = 'data' }", "fail: there is no program data on the PATH"),
        (
            "tool = { name = 'plain', version = '>=2' }",
            "fail: plain has a version that is out of range; expected >=2.0.0; actual 1.22.0",
        ),
        (
            "tool = { name = 'odd', version = '>=21', args = ['version'] }",
            "fail: odd has a version that is out of range; expected >=21.0.0; actual 20.20.2",
        ),
        (
            "tool = { name = 'plain', path = '/usr/bin/plain' }",
            "fail: plain is found elsewhere; expected /usr/bin/plain; actual ~/bin/plain",
        ),
        (
            "tool = { name = 'mute', version = '>=0.0.1' }",
            "unknown: what mute says of its version is not readable: nothing to say",
        ),
        (
            "tool = { name = 'odd', version = '>=0.0.1' }",
            "unknown: cannot ask odd for its version: it failed without a word",
        ),
    ] {
        assert_eq!(world.look(question), told, "{question}");
    }
    assert!(world.mistakes("tool = { name = 'a/b' }").contains("is no program's name"));
    assert!(world.mistakes("tool = { name = 'x', args = ['v'] }").contains("which nobody does"));
}

#[test]
fn a_program_is_not_run_before_it_is_trusted() {
    let mut world = world();
    world.trust = Trust::Untrusted;
    world.home.program("bin/plain", "#!/bin/sh\ntouch \"$(dirname \"$0\")/../ran\"\necho 1.22\n");
    assert_eq!(world.look("tool = { name = 'plain' }"), "pass");
    for question in [
        "tool = { name = 'plain', version = '>=0.0.1' }",
        "tool = { name = 'plain', version = '>=0.0.1', args = ['v'] }",
    ] {
        let told = world.look(question);
        assert!(told.starts_with("unknown: not trusted: ~/bin/plain"), "{told}");
    }
    assert!(!world.home.at("ran").exists());
}

#[test]
fn a_node_that_does_not_run_is_not_believed_for_what_lies_beside_it() {
    let mut world = world();
    let header =
        "#define NODE_MAJOR_VERSION 22\n#define NODE_MINOR_VERSION 1\n#define NODE_PATCH_VERSION 0\n";
    world.home.write("include/node/node_version.h", header);
    world.home.program("bin/node", "#!/bin/sh\necho 'no such library' >&2; exit 127\n");
    let question = "tool = { name = 'node', version = '>=22' }";
    assert_eq!(world.look(question), "unknown: cannot ask node for its version: no such library");
    world.home.program("bin/node", "#!/bin/sh\necho v22.1.0\n");
    assert_eq!(world.look(question), "pass");
    world.home.write("package.json", "{\"name\": \"npm\", \"version\": \"10.0.0\"}");
    world.home.program("bin/npm", "#!/bin/sh\nexit 1\n");
    assert!(world.look("tool = { name = 'npm', version = '>=10' }").starts_with("unknown: cannot ask npm"));
    // Programs that anybody knows are not run for a stranger's configuration either.
    world.trust = Trust::Untrusted;
    for name in ["node", "npm", "git"] {
        let told = world.look(&format!("tool = {{ name = '{name}', version = '>=0.0.1' }}"));
        assert!(told.starts_with("unknown: not trusted: "), "{told}");
    }
}

/// A program with the header of one of this machine, and nothing behind it.
#[cfg(target_os = "linux")]
#[test]
fn a_node_that_is_broken_is_not_believed_however_large_it_is() {
    let world = world();
    let header =
        "#define NODE_MAJOR_VERSION 22\n#define NODE_MINOR_VERSION 1\n#define NODE_PATCH_VERSION 0\n";
    world.home.write("include/node/node_version.h", header);
    world.home.program("bin/node", "");
    let head = std::fs::read("/proc/self/exe").unwrap();
    let node = std::fs::OpenOptions::new().write(true).open(world.home.at("bin/node")).unwrap();
    std::io::Write::write_all(&mut &node, &head[..64]).unwrap();
    node.set_len(32 << 20).unwrap();
    drop(node);
    let told = world.look("tool = { name = 'node', version = '>=22' }");
    assert!(told.starts_with("unknown: "), "{told}");
}

#[test]
fn a_version_is_read_wherever_and_however_it_is_written() {
    let world = world();
    for (said, range, seen) in [
        ("echo 'Python 3.12.0rc1'", ">=3.12.0", "fail: it has a version that is out of range"),
        ("echo 'Python 3.12.0' >&2", ">=3.12.0", "pass"),
        ("echo jq-1.6", ">=1.6 <1.7", "pass"),
        ("echo 'gcc (Debian 12.2.0-14) 12.2.0'", ">=12.2", "pass"),
        ("echo 'OpenSSL 3.0.13 30 Jan 2024'", "3.0.13", "pass"),
        ("echo 'go version go1.23rc2 linux/amd64'", ">=1.23", "fail: it has a version that is out of range"),
    ] {
        world.home.program("bin/it", &format!("#!/bin/sh\n{said}\n"));
        for question in [
            format!("tool = {{ name = 'it', version = '{range}' }}"),
            format!("tool = {{ name = 'it', version = '{range}', args = ['-V'] }}"),
        ] {
            let told = world.look(&question);
            assert!(told.starts_with(seen), "{said}: {told}");
        }
    }
}
