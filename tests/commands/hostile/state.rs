//! A state directory that others prepared: nothing is written through a link, or where anybody may write.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use support::{Mirror, Ran};

use super::world::{fifo, harmless};

/// What somebody else has, and must keep.
const PRECIOUS: &str = "precious";

fn prepared() -> Mirror {
    let mirror = Mirror::fixed();
    // A server whose log is a link does not start.
    mirror.configure("within = \"30s\"", "within = \"2s\"");
    mirror.home.write("victim/file", PRECIOUS);
    mirror
}

/// Whatever is called, what the links lead to stays as it is; and an examination does not call it well.
#[track_caller]
fn untouched(mirror: &Mirror, what: &str) {
    for verb in
        [&["--json"][..], &["--fix"], &["sync"], &["up", "--detach"], &["stop"], &["start"], &["down"]]
    {
        let ran = mirror.run(verb);
        harmless(&ran);
        let victims = super::world::names(&mirror.home.at("victim"));
        assert_eq!(victims, ["file"], "{what}: {verb:?} wrote through the link\n{ran}");
        let text = fs::read_to_string(mirror.home.at("victim/file")).expect("the victim");
        assert_eq!(text, PRECIOUS, "{what}: {verb:?} wrote through the link\n{ran}");
        let mode = fs::metadata(mirror.home.at("victim/file")).expect("the victim").permissions().mode();
        assert_eq!(mode & 0o777, 0o644, "{what}: {verb:?} changed its mode");
    }
}

#[test]
fn nothing_is_written_through_a_link_in_the_state_directory() {
    for name in [
        "journal.jsonl",
        "lock",
        "sync.json",
        "last-sync.env",
        "events.log",
        "keeper.json",
        "keeper.lock",
        "install.json",
        "stopped",
        "logs/sync.log",
        "logs/serve.log",
    ] {
        let is_read = ["lock", "sync.json"].contains(&name);
        for target in ["victim/new", "victim/file"].into_iter().take(1 + usize::from(is_read)) {
            let mirror = prepared();
            let link = mirror.state().join(name);
            fs::create_dir_all(link.parent().expect("a folder")).expect("the folder");
            symlink(mirror.home.at(target), link).expect("a link");
            untouched(&mirror, name);
        }
    }
}

#[test]
fn a_directory_of_the_state_that_is_a_link_is_refused() {
    for name in ["", "logs", "rescued"] {
        let mirror = prepared();
        // Something to set aside, so that it would have to be kept there.
        let place = mirror.state().join(name);
        let place = Path::new(place.to_str().expect("text").trim_end_matches('/')).to_owned();
        fs::create_dir_all(place.parent().expect("a folder")).expect("the folder");
        symlink(mirror.home.at("victim"), &place).expect("a link");
        untouched(&mirror, name);
    }
}

#[track_caller]
fn refused(ran: &Ran, why: &str) {
    assert_ne!(ran.code, 0, "{ran}");
    let told = format!("{}{}", ran.stdout, ran.stderr);
    assert!(told.contains(why), "it does not say: {why}\n{ran}");
}

#[test]
fn where_anybody_may_write_nothing_is_written() {
    for open in ["ops/state", "ops"] {
        let mirror = Mirror::fixed();
        fs::create_dir_all(mirror.state()).expect("the state directory");
        fs::set_permissions(mirror.home.at(open), Permissions::from_mode(0o777)).expect("its mode");
        for verb in [&["--fix"][..], &["sync"], &["up", "--detach"], &["stop"]] {
            refused(&mirror.run(verb), "everybody may write");
            assert_eq!(super::world::names(&mirror.state()), [""; 0], "{open}: {verb:?} wrote");
            assert!(!mirror.worktree().exists(), "{open}: {verb:?} made a worktree");
        }
        let report = mirror.examine();
        assert_eq!(report.saw("state-file"), "fail", "{}", report.troubles());
        // Sticky, as /tmp is, nobody can put another in its place.
        fs::set_permissions(mirror.home.at(open), Permissions::from_mode(0o755)).expect("its mode");
        fs::set_permissions(mirror.home.at("ops"), Permissions::from_mode(0o1777)).expect("its mode");
        assert_eq!(mirror.examine().saw("state-file"), "pass");
    }
}

#[test]
fn a_state_directory_of_another_user_is_refused() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let mirror = Mirror::fixed();
    fs::create_dir_all(mirror.state()).expect("the state directory");
    std::os::unix::fs::chown(mirror.state(), Some(65_534), None).expect("it is nobody's");
    for verb in [&["--fix"][..], &["sync"], &["up", "--detach"], &["stop"]] {
        refused(&mirror.run(verb), "belongs to user 65534");
        assert_eq!(super::world::names(&mirror.state()), [""; 0], "{verb:?} wrote");
    }
    assert_eq!(mirror.examine().saw("state-file"), "fail");
}

#[test]
fn a_pipe_or_an_endless_file_in_the_state_directory_holds_nobody_up() {
    for name in
        ["sync.json", "keeper.json", "keeper.lock", "lock", "install.json", "last-sync.env", "journal.jsonl"]
    {
        for endless in [true, false] {
            let mirror = Mirror::fixed();
            fs::create_dir_all(mirror.state()).expect("the state directory");
            let path = mirror.state().join(name);
            if endless {
                symlink("/dev/zero", &path).expect("a link");
            } else {
                fifo(&path);
            }
            for verb in [&["--json"][..], &["--fix"], &["down"], &["uninstall"]] {
                let ran = mirror.run(verb);
                assert!(ran.peak < 400 << 10, "{name}: {verb:?} took {} KiB", ran.peak);
                assert!(ran.took.as_secs() < 60, "{name}: {verb:?} took {:?}", ran.took);
                harmless(&ran);
            }
        }
    }
}
