//! Names and kinds of files that trip up those who think of names as text.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::Path;

use super::oracle::Oracle;
use crate::world::World;

/// Names that are legal, and that people do have.
fn strange() -> Vec<Vec<u8>> {
    let mut names: Vec<Vec<u8>> = [
        &b"caf\xe9.txt"[..],
        b"line\nbreak.txt",
        b"tab\there.txt",
        b" space before",
        b"quote\"and\\backslash",
        b"-rf",
        b"--help",
        b":(exclude)x",
        b"[brackets]*?.txt",
        b"#comment",
        b"!bang",
        b"~",
        b"$HOME",
        b"\x1b[31mred",
        "nfc-\u{e9}".as_bytes(),
        "nfd-e\u{301}".as_bytes(),
        "nfc-e\u{301}".as_bytes(),
        b"Case.txt",
        b"case.txt",
        b"CON",
        b"deep/..double/x",
    ]
    .into_iter()
    .map(<[u8]>::to_vec)
    .collect();
    names.push(vec![b'n'; 255]);
    names.push([vec![b'd'; 200], b"/".to_vec(), vec![b'd'; 200], b"/".to_vec(), vec![b'f'; 200]].concat());
    names
}

fn write(top: &Path, name: &[u8], content: &str) {
    let path = top.join(OsStr::from_bytes(name));
    fs::create_dir_all(path.parent().expect("a folder")).expect("the folder");
    fs::write(path, content).expect("the file");
}

#[test]
fn names_that_are_no_text_come_change_and_go() {
    let world = World::synced();
    let oracle = Oracle::of(&world);
    let author = world.home.at("author");
    for round in ["one\n", "two\n"] {
        for name in strange() {
            write(&author, &name, round);
        }
        world.push("index.html", round.to_uppercase().as_str());
        oracle.heals(&world);
        for name in strange() {
            let there = fs::read_to_string(world.worktree().join(OsStr::from_bytes(&name)));
            assert_eq!(there.expect("it is there"), round);
        }
    }
    for name in strange() {
        fs::remove_file(author.join(OsStr::from_bytes(&name))).expect("removed");
    }
    world.push("index.html", "without\n");
    oracle.heals(&world);
    assert!(world.rescued().is_empty(), "{:?}", world.rescued());
}

#[test]
fn a_persons_files_of_such_names_are_kept_byte_for_byte() {
    let world = World::synced();
    let oracle = Oracle::of(&world);
    for name in strange() {
        write(&world.worktree(), &name, "a person's\n");
    }
    world.push("index.html", "two\n");
    oracle.heals(&world);
    let kept = world.rescued().remove(0);
    let place = world.home.at("again");
    world.home.git(
        &world.repository(),
        [
            OsStr::new("worktree"),
            "add".as_ref(),
            "--quiet".as_ref(),
            "--detach".as_ref(),
            place.as_os_str(),
            kept.as_ref(),
        ],
    );
    for name in strange() {
        let there = fs::read_to_string(place.join(OsStr::from_bytes(&name)));
        assert_eq!(there.expect("it is kept"), "a person's\n");
    }
}

/// What one name may be, one after the other.
fn becomes(top: &Path, kind: &str) {
    let path = top.join("thing");
    match fs::symlink_metadata(&path) {
        Ok(it) if it.is_dir() => fs::remove_dir_all(&path).expect("removed"),
        Ok(_) => fs::remove_file(&path).expect("removed"),
        Err(_) => {}
    }
    match kind {
        "file" => fs::write(path, "a file\n").expect("a file"),
        "directory" => {
            fs::create_dir(&path).expect("a directory");
            fs::write(path.join("inner.txt"), "inner\n").expect("a file");
        }
        "link" => symlink("deep", path).expect("a link"),
        "dangling" => symlink("nowhere/at/all", path).expect("a link"),
        _ => symlink("/etc/hostname", path).expect("a link"),
    }
}

#[test]
fn a_file_that_becomes_a_directory_and_a_link_and_back() {
    let world = World::synced();
    let oracle = Oracle::of(&world);
    let author = world.home.at("author");
    for (round, kind) in
        ["file", "directory", "file", "link", "directory", "dangling", "directory", "outside", "file"]
            .into_iter()
            .enumerate()
    {
        becomes(&author, kind);
        world.push("index.html", &format!("{round}\n"));
        oracle.heals(&world);
    }
    assert!(world.rescued().is_empty(), "{:?}", world.rescued());
    assert!(fs::exists("/etc/passwd").expect("looked at"));
}

#[test]
fn a_person_who_swaps_a_directory_for_a_link_has_nothing_behind_it_touched() {
    let world = World::synced();
    let oracle = Oracle::of(&world);
    let outside = world.home.at("outside");
    fs::create_dir(&outside).expect("a folder");
    fs::write(outside.join("page.html"), "a person's own\n").expect("a file");
    fs::write(outside.join("more.txt"), "more\n").expect("a file");
    fs::remove_dir_all(world.worktree().join("deep")).expect("removed");
    symlink(&outside, world.worktree().join("deep")).expect("swapped");
    world.push("deep/page.html", "another\n");
    oracle.heals(&world);
    assert_eq!(fs::read_to_string(outside.join("page.html")).expect("it"), "a person's own\n");
    assert_eq!(fs::read_to_string(outside.join("more.txt")).expect("it"), "more\n");
    assert_eq!(fs::read_to_string(world.worktree().join("deep/page.html")).expect("it"), "another\n");
}

#[test]
fn files_that_are_none_sockets_and_pipes_are_in_nobodys_way() {
    let world = World::synced();
    let oracle = Oracle::of(&world);
    let pipe = world.worktree().join("pipe");
    let made = world.home.command("mkfifo").arg(&pipe).status();
    assert!(made.is_ok_and(|it| it.success()));
    let _socket = std::os::unix::net::UnixListener::bind(world.worktree().join("socket")).expect("a socket");
    world.push("index.html", "two\n");
    oracle.heals(&world);
}
