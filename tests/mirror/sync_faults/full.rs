//! A keeper whose disk is full: it is told, and it takes no server down.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use support::Mirror;
use support::parts::{Part, lacks};
use support::processes::{eventually, signal};

const SOON: Duration = support::processes::HANG;

/// What the keeper says of itself.
fn said(mirror: &Mirror) -> serde_json::Value {
    let text = fs::read_to_string(mirror.state().join("keeper.json")).unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_default()
}

/// A small disk of its own; it goes with this.
struct Disk(PathBuf);

impl Disk {
    fn at(path: PathBuf) -> Self {
        fs::create_dir_all(&path).expect("a folder");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=1m,mode=700", "tmpfs"]).arg(&path);
        assert!(mount.status().is_ok_and(|it| it.success()), "it is mounted");
        Self(path)
    }

    fn fill(&self) {
        let mut file = fs::File::create(self.0.join("filler")).expect("a file");
        while file.write_all(&[0; 512]).is_ok() {}
    }

    fn free(&self) {
        fs::remove_file(self.0.join("filler")).expect("the file");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").args(["-l"]).arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_is_told_by_up_and_takes_no_server_down() {
    if lacks(Part::Fuse) {
        return;
    }
    let mirror = Mirror::fixed();
    let disk = Disk::at(mirror.state());
    disk.fill();
    let refused = mirror.run(&["up", "--detach"]).exits(1);
    assert!(refused.stderr.contains("no space is left at ~/ops/state"), "{refused}");
    assert!(mirror.listener().is_none());
    disk.free();
    let _ = mirror.run(&["up", "--detach"]).exits(0);
    mirror.settle();
    let keeper = said(&mirror)["pid"].clone();
    disk.fill();
    let server = mirror.listener().expect("a server");
    signal(server, "KILL");
    let is_another = || mirror.listener().is_some_and(|now| now != server);
    assert!(eventually(SOON, is_another), "it serves again, though nothing can be written");
    disk.free();
    let listener = mirror.listener().expect("a server");
    assert!(eventually(SOON, || said(&mirror)["server"]["started"]["pid"] == listener), "{}", said(&mirror));
    assert_eq!(said(&mirror)["pid"], keeper);
    let _ = mirror.run(&["down"]).exits(0);
}
