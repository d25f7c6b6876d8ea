//! `file`: each thing that can be asked of a path.

use std::fs::{self, File};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::time::{Duration, SystemTime};

use support::Part;
use support::mounts::HungMount;

use super::world::World;

fn world() -> World {
    let world = World::new();
    world.home.write("app/config.ini", "port = 5432\nversion 1.4\n");
    world
}

#[test]
fn something_is_there_or_nothing_is() {
    let world = world();
    assert_eq!(world.look("file = { path = 'app/config.ini' }"), "pass");
    assert_eq!(world.look("file = { path = '~/app' }"), "pass");
    assert_eq!(world.look("file = { path = 'app/other' }"), "fail: ~/app/other is not there");
    assert_eq!(world.look("file = { path = 'app/other', exists = false }"), "pass");
    assert_eq!(world.look("file = { path = 'app/config.ini/x', exists = false }"), "pass");
    assert_eq!(
        world.look("file = { path = 'app', exists = false }"),
        "fail: ~/app is there; actual directory"
    );
    symlink("nowhere", world.home.at("dangling")).unwrap();
    let told = world.look("file = { path = 'dangling', exists = false }");
    assert_eq!(told, "fail: ~/dangling is there; actual symlink");
    assert_eq!(world.look("file = { path = 'dangling', exists = false, follow = true }"), "pass");
    assert_eq!(world.nowhere("file = { path = 'app' }"), "unknown: the test gave no `file`");
}

#[test]
fn what_cannot_be_looked_at_is_not_absent() {
    let world = world();
    symlink("loop", world.home.at("loop")).unwrap();
    let told = world.look("file = { path = 'loop/x', exists = false }");
    assert!(told.starts_with("unknown: cannot look at ~/loop/x: Too many levels"), "{told}");
    let long = File::create(world.home.at("long")).unwrap();
    long.set_len((16 << 20) + 1).unwrap();
    let told = world.look("file = { path = 'long', content = { absent = ['x'] } }");
    assert_eq!(told, "unknown: cannot read ~/long: it is longer than 16 MiB");
    assert_eq!(world.look("file = { path = 'long', size = { min = '16 MiB' } }"), "pass");
}

#[test]
fn each_sort_of_thing_is_told_from_the_others() {
    let world = world();
    let _socket = UnixListener::bind(world.home.at("socket")).unwrap();
    let status = std::process::Command::new("mkfifo").arg(world.home.at("fifo")).status().unwrap();
    assert!(status.success());
    symlink("app/config.ini", world.home.at("link")).unwrap();
    symlink("nowhere", world.home.at("dangling")).unwrap();
    let sorts = [("app", "directory"), ("socket", "socket"), ("fifo", "fifo"), ("link", "symlink")];
    for (path, sort) in sorts.into_iter().chain([("app/config.ini", "file"), ("link", "file")]) {
        assert_eq!(world.look(&format!("file = {{ path = '{path}', type = '{sort}' }}")), "pass", "{path}");
    }
    assert_eq!(
        world.look("file = { path = 'app', type = 'file' }"),
        "fail: ~/app is no file; expected file; actual directory"
    );
    let told = world.look("file = { path = 'fifo', content = { contains = ['x'] } }");
    assert_eq!(told, "fail: ~/fifo has no content; expected file; actual fifo");
    assert_eq!(world.look("file = { path = 'dangling' }"), "fail: ~/dangling is not there");
    assert_eq!(world.look("file = { path = 'dangling', target = 'nowhere' }"), "pass");
    assert_eq!(
        world.look("file = { path = 'link', type = 'file', follow = false }"),
        "fail: ~/link is no file; expected file; actual symlink"
    );
    assert_eq!(world.look("file = { path = 'app/config.ini', type = 'file', follow = false }"), "pass");
    let told = world.mistakes("file = { path = 'link', target = 'app', follow = true }");
    assert!(told.contains("a link that is followed is none"), "{told}");
    assert_eq!(
        world.look("file = { path = 'link', target = 'app' }"),
        "fail: ~/link leads elsewhere; expected app; actual app/config.ini"
    );
}

#[test]
fn a_mode_an_owner_and_a_group_are_exact() {
    let world = world();
    fs::set_permissions(world.home.at("app/config.ini"), fs::Permissions::from_mode(0o640)).unwrap();
    assert_eq!(world.look("file = { path = 'app/config.ini', mode = '0640' }"), "pass");
    assert_eq!(
        world.look("file = { path = 'app/config.ini', mode = '644' }"),
        "fail: ~/app/config.ini has another mode; expected 0644; actual 0640"
    );
    let uid = rustix::process::geteuid().as_raw();
    let gid = rustix::process::getegid().as_raw();
    let own = format!("file = {{ path = 'app/config.ini', owner = '{uid}', group = '{gid}' }}");
    assert_eq!(world.look(&own), "pass");
    assert_eq!(world.look("file = { path = '/etc/passwd', owner = 'root' }"), "pass");
    assert_eq!(
        world.look("file = { path = '/etc/passwd', owner = 'nobody' }"),
        "fail: /etc/passwd has another owner; expected nobody; actual root"
    );
    let told = world.look("file = { path = '/etc/passwd', group = 'no-such-group' }");
    assert!(told.starts_with("fail: /etc/passwd has another group; expected no-such-group"), "{told}");
}

#[test]
fn a_content_a_size_and_an_age_are_judged() {
    let world = world();
    for good in [
        "content = { contains = ['5432'], absent = ['3306'], matches = ['(?m)^port'], version = '^1.4' }",
        "sha256 = 'A71F4A9B61E1C59D04B4B8AD8F5B9EA5A7A6E0F1C4A2F8D7D1F1E7C0B5A49C11'",
        "size = { min = '24', max = '1 KiB' }",
        "max-age = '1h'",
    ] {
        let good = good.replace(
            "A71F4A9B61E1C59D04B4B8AD8F5B9EA5A7A6E0F1C4A2F8D7D1F1E7C0B5A49C11",
            &housecall::probes::files::digest(b"port = 5432\nversion 1.4\n").to_uppercase(),
        );
        assert_eq!(world.look(&format!("file = {{ path = 'app/config.ini', {good} }}")), "pass", "{good}");
    }
    let zeros = "0".repeat(64);
    let told = world.look(&format!("file = {{ path = 'app/config.ini', sha256 = '{zeros}' }}"));
    assert!(told.starts_with("fail: ~/app/config.ini holds something else; expected 0000"), "{told}");
    assert_eq!(
        world.look("file = { path = 'app/config.ini', content = { contains = ['3306'] } }"),
        "fail: ~/app/config.ini lacks a text; expected 3306; actual port = 5432\nversion 1.4"
    );
    assert_eq!(
        world.look("file = { path = 'app/config.ini', size = { min = '1 KiB' } }"),
        "fail: ~/app/config.ini is too small; expected 1024 bytes; actual 24 bytes"
    );
    assert_eq!(
        world.look("file = { path = 'app/config.ini', size = { max = '8' } }"),
        "fail: ~/app/config.ini is too large; expected 8 bytes; actual 24 bytes"
    );
    let file = File::options().write(true).open(world.home.at("app/config.ini")).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_hours(2)).unwrap();
    let told = world.look("file = { path = 'app/config.ini', max-age = '1h' }");
    assert!(told.starts_with("fail: ~/app/config.ini was modified too long ago; expected"), "{told}");
    file.set_modified(SystemTime::now() + Duration::from_hours(3)).unwrap();
    let told = world.look("file = { path = 'app/config.ini', max-age = '1h' }");
    assert!(told.starts_with("unknown: cannot tell the age of ~/app/config.ini: it was modified"), "{told}");
    assert!(told.ends_with("in the future"), "{told}");
}

#[test]
fn what_makes_no_sense_is_told_at_its_place() {
    let world = world();
    for (question, told) in [
        (
            "file = { path = 'x', exists = false, mode = '0644' }",
            "of what must not be there nothing can be asked",
        ),
        (
            "file = { path = 'x', type = 'directory', content = { equals = '' } }",
            "only a plain file has a content",
        ),
        ("file = { path = 'x', target = 'y', sha256 = '00' }", "`00` is no SHA-256"),
        ("file = { path = 'x', target = 'y', content = { equals = '' } }", "a link has no content"),
        ("file = { path = 'x', type = 'file', target = 'y' }", "only a link has a target"),
        ("file = { path = 'x', mode = '0999' }", "`0999` is no mode"),
        ("file = { path = 'x', size = { min = 'much' } }", "`much` is no size"),
        ("file = { path = 'x', max-age = '1 day' }", "`1 day` is no duration"),
        ("file = { path = 'x', type = 'door' }", "unknown variant `door`"),
    ] {
        let mistakes = world.mistakes(question);
        assert!(mistakes.contains(told), "{question}: {mistakes}");
    }
}

#[test]
fn a_volume_that_hangs_is_not_waited_for() {
    if support::parts::lacks(Part::Fuse) {
        return;
    }
    let mut world = world();
    let _mount = HungMount::over(&world.home.at("share"));
    world.limits.timeout = Duration::from_secs(1);
    let start = std::time::Instant::now();
    let told = world.look("file = { path = 'share/x', exists = false }");
    assert_eq!(told, "unknown: the volume at ~/share did not answer within 1 s");
    let told = world.look("disk = { path = 'share', free = '1%' }");
    assert_eq!(told, "unknown: the volume at ~/share did not answer within 1 s");
    assert!(start.elapsed() < support::processes::HANG, "each look ends by its deadline");
}

#[test]
fn a_digest_takes_no_longer_than_its_deadline() {
    let world = World::new();
    let huge = std::fs::File::create(world.home.at("huge")).unwrap();
    huge.set_len(1 << 40).unwrap();
    for (key, digits) in [("sha256", 64), ("sha512", 128)] {
        let question =
            format!("file = {{ path = 'huge', {key} = '{}' }}\ntimeout = '50ms'", "0".repeat(digits));
        assert_eq!(world.look(&question), "unknown: cannot read ~/huge: it takes longer than 50 ms");
    }
}

#[test]
fn a_file_may_be_held_against_any_of_its_digests() {
    let world = World::new();
    world.home.write("hello", "hello");
    let md5 = "5d41402abc4b2a76b9719d911017c592";
    let ask = |more: &str| world.look(&format!("file = {{ path = 'hello', {more} }}"));
    assert_eq!(ask(&format!("md5 = '{md5}'")), "pass");
    let told = ask(&format!("md5 = '{}'", md5.replace('5', "6")));
    assert!(told.starts_with("fail: ~/hello holds something else") && told.ends_with(md5), "{told}");
    assert_eq!(ask("content = { length = 5 }"), "pass");
    let told = ask("content = { length = 4 }");
    assert_eq!(told, "fail: ~/hello is 5 bytes long; expected 4 bytes; actual hello");
    std::fs::write(world.home.at("hello"), b"h\xffllo").expect("no text");
    let told = ask("content = { length = 7 }");
    assert!(told.starts_with("unknown: ") && told.contains("its length is not known"), "{told}");
    assert!(world.mistakes("file = { path = 'hello', md5 = '5d' }").contains("`5d` is no MD5 digest"));
}
