//! What changes between the look and the act: what was trusted is what runs, and nothing else.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use housecall::config::{Surroundings, Trust};
use housecall::trust;
use support::Home;

use super::world::{Clone, fifo};

#[test]
fn a_configuration_that_changes_under_way_runs_as_it_was_trusted() {
    let home = Home::new();
    home.write(
        "gate/housecall.toml",
        "include = [\"more.toml\"]\n[check.a]\ncommand = { script = \"sed -i s/good/evil/ housecall.toml more.toml; test -e good-a\" }\n\
         fix = { run = [\"touch\", \"good-a\"], safety = \"safe\" }\n",
    );
    home.write(
        "gate/more.toml",
        "[check.b]\nneeds = [\"a\"]\ncommand = { run = [\"test\", \"-e\", \"good-b\"] }\nfix = { run = [\"touch\", \"good-b\"], safety = \"safe\" }\n",
    );
    let ran = home.housecall_in(&home.at("gate"), ["--fix"]).exits(0);
    let made = super::world::names(&home.at("gate"));
    assert_eq!(made, ["good-a", "good-b", "housecall.toml", "more.toml"], "{ran}");
}

fn surroundings(home: &Path) -> Surroundings {
    Surroundings {
        home: home.to_owned(),
        directory: home.to_owned(),
        environment: [("HOME".to_owned(), home.display().to_string())].into(),
        odd: [].into(),
        uid: rustix::process::geteuid().as_raw(),
    }
}

#[test]
fn the_text_that_was_read_is_judged_and_not_the_file_that_is_there_now() {
    let home = Home::new();
    let own = home.write("own.toml", "name = \"a\"\n");
    let judge = |text: &str| trust::judge(&[(own.clone(), text.to_owned())], &surroundings(home.path()));
    assert_eq!(judge("name = \"a\"\n"), Trust::Trusted);
    assert_eq!(judge("name = \"evil\"\n"), Trust::Untrusted, "another's text is not the user's own");
}

#[test]
fn a_file_that_another_can_put_there_is_not_the_users_own() {
    let home = Home::new();
    let own = home.write("open/further/own.toml", "name = \"a\"\n");
    let judge = || trust::judge(&[(own.clone(), "name = \"a\"\n".to_owned())], &surroundings(home.path()));
    assert_eq!(judge(), Trust::Trusted);
    fs::set_permissions(home.at("open"), Permissions::from_mode(0o777)).expect("its mode");
    assert_eq!(judge(), Trust::Untrusted, "the directory can be put aside for another");
    fs::set_permissions(home.at("open"), Permissions::from_mode(0o1777)).expect("its mode");
    assert_eq!(judge(), Trust::Trusted, "a sticky one cannot");
}

/// Git's own idea of a name's case is not the volume's.
#[test]
fn what_is_tracked_in_another_case_is_tracked() {
    let home = Home::new();
    let file = home.write("clone/housecall.toml", "name = \"a\"\n");
    home.write("clone/Housecall.TOML", "name = \"a\"\n");
    home.git(&home.at("clone"), ["init", "--quiet"]);
    let judge = || trust::judge(&[(file.clone(), "name = \"a\"\n".to_owned())], &surroundings(home.path()));
    assert_eq!(judge(), Trust::Trusted);
    home.git(&home.at("clone"), ["add", "Housecall.TOML"]);
    assert_eq!(judge(), Trust::Untrusted, "in the index");
    home.git(&home.at("clone"), ["commit", "--quiet", "-m", "one"]);
    home.git(&home.at("clone"), ["rm", "--quiet", "--cached", "Housecall.TOML"]);
    assert_eq!(judge(), Trust::Untrusted, "in the last commit");
}

/// What somebody does to the file at that path.
type Swap = fn(&Path);

/// What is trusted is remembered where only the user writes; anything else there is no trust, and is told.
#[test]
fn a_trust_file_that_others_could_have_written_trusts_nothing() {
    let file = ".local/state/housecall/trust.json";
    let swaps: [(&str, Swap); 8] = [
        ("it is a link", |path| {
            fs::rename(path, path.with_extension("real")).expect("it moves");
            symlink(path.with_extension("real"), path).expect("a link");
        }),
        ("others may write", |path| {
            fs::set_permissions(path, Permissions::from_mode(0o666)).expect("its mode");
        }),
        ("everybody may write", |path| {
            fs::set_permissions(path.parent().expect("a directory"), Permissions::from_mode(0o777))
                .expect("its mode");
        }),
        ("no plain file", |path| {
            fs::remove_file(path).expect("it goes");
            fifo(path);
        }),
        ("trust.json", |path| {
            let text = fs::read_to_string(path).expect("it");
            fs::write(path, &text[..text.len() / 2]).expect("torn");
        }),
        ("newer", |path| {
            let text = fs::read_to_string(path).expect("it");
            fs::write(path, text.replace("\"schema\": 2", "\"schema\": 3")).expect("newer");
        }),
        ("it is a link", |path| {
            fs::remove_file(path).expect("it goes");
            symlink("/dev/zero", path).expect("a link");
        }),
        ("belongs to user", |path| {
            if rustix::process::geteuid().is_root() {
                std::os::unix::fs::chown(path, Some(65_534), None).expect("it is nobody's");
            } else {
                fs::set_permissions(path, Permissions::from_mode(0o666)).expect("its mode");
            }
        }),
    ];
    for (why, swap) in swaps {
        let clone = Clone::new("[check.look]\ncommand = { run = [\"touch\", \"MARKS/look\"] }\n");
        clone.commit();
        let _ = clone.run(&["trust"]).exits(0);
        swap(&clone.mirror.home.at(file));
        let report = clone.run(&["--json"]).report();
        assert_eq!(report.saw("look"), "unknown", "{why}: {}", report.troubles());
        assert_eq!(clone.marks(), [""; 0], "{why}");
        let told = clone.run(&["trust"]);
        assert_ne!(told.code, 0, "{why}: {told}");
        assert!(told.stderr.contains(why) || why == "belongs to user", "{why}: {told}");
    }
}
