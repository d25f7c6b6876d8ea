//! The mount table, links across it, and a volume that really hangs.
#![cfg(target_os = "linux")]

use std::fs::{self, File, OpenOptions};
use std::os::fd::AsRawFd;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use housecall::error::ProbeError;
use housecall::probes::machine::{Machine, Where};
use housecall::probes::mounts::{Kind, Mounts};
use housecall::probes::program::Program;
use support::Folder;
use support::processes::HANG;

use super::alone::{alone_under, assert_held, held, skip};

const TABLE: &str = "\
21 1 0:19 / / rw,relatime - fuse.fuse-overlayfs overlay rw
22 21 8:1 / /home rw - ext4 /dev/sda1 rw
23 22 0:40 / /home/ada/My\\040Disk\\134x rw shared:7 master:2 - fuse.sshfs h:/srv rw
24 21 0:41 / /srv/nfs rw - nfs4 server:/export rw
25 21 8:17 / /media/ada/stick rw - vfat /dev/sdb1 rw
26 21 0:42 / /srv/nfs/local rw - tmpfs tmpfs rw
nonsense
27 21 0:43 / /sys/fs/fuse/connections rw - fusectl fusectl rw
28 21 8:1 / /mnt rw - ext4 /dev/sda1 rw
29 21 0:44 / /mnt rw - cifs //server/share rw
";

#[test]
fn a_path_is_on_the_volume_with_the_longest_prefix() {
    let mounts = Mounts::parse(TABLE.as_bytes());
    let of = |path: &str| {
        let mount = mounts.holding(Path::new(path));
        (mount.point.to_str().unwrap().to_owned(), mount.kind)
    };
    assert_eq!(of("/nowhere"), ("/".into(), Kind::Local), "what the system itself runs on is not feared");
    assert_eq!(of("/home/ada/site"), ("/home".into(), Kind::Local));
    assert_eq!(of("/home/ada/My Disk\\x/site"), ("/home/ada/My Disk\\x".into(), Kind::Fuse));
    assert_eq!(of("/srv/nfs"), ("/srv/nfs".into(), Kind::Network));
    assert_eq!(of("/srv/nfsother"), ("/".into(), Kind::Local), "a prefix ends at a component");
    assert_eq!(of("/srv/../srv/./nfs/x"), ("/srv/nfs".into(), Kind::Network));
    assert_eq!(of("/media/ada/stick/site"), ("/media/ada/stick".into(), Kind::External));
    assert_eq!(of("/sys/fs/fuse/connections/40"), ("/sys/fs/fuse/connections".into(), Kind::Local));
    assert_eq!(of("/mnt/x"), ("/mnt".into(), Kind::Network), "the last one mounted at a point is seen");
}

#[test]
fn options_of_a_filesystem_are_told_from_those_of_a_mount() {
    let mounts =
        Mounts::parse(b"30 21 8:1 / /data ro,noatime shared:7 - ext4 /dev/sda1 rw,errors=remount-ro\n");
    let data = mounts.at(Path::new("/data")).expect("the mount");
    assert_eq!(data.options, ["ro", "noatime", "errors=remount-ro"]);
    assert_eq!(data.superblock.as_deref(), Some(&["rw".to_owned(), "errors=remount-ro".to_owned()][..]));
}

#[test]
fn links_are_followed_up_to_a_volume_that_can_hang() {
    let place = Folder::new();
    let home = place.path().canonicalize().unwrap();
    symlink("/srv/nfs/dev", home.join("dev")).unwrap();
    symlink("dev/site", home.join("site")).unwrap();
    symlink("loop", home.join("loop")).unwrap();
    fs::create_dir(home.join("plain")).unwrap();
    symlink("../site", home.join("plain/up")).unwrap();
    let mounts = Mounts::parse(TABLE.as_bytes());
    for path in ["site", "site/src", "plain/up/x", "plain/../dev"] {
        assert_eq!(mounts.holding(&home.join(path)).point, Path::new("/srv/nfs"), "{path}");
    }
    for path in ["plain", "loop", "absent/x"] {
        assert_eq!(mounts.holding(&home.join(path)).kind, Kind::Local, "{path}");
    }
}

#[test]
fn the_real_table_is_read() {
    let mounts = Mounts::read().unwrap();
    assert_eq!(mounts.holding(Path::new("/proc/self/stat")).filesystem, "proc");
}

/// A FUSE volume that nobody answers for, in a mount namespace of this process; it is gone with it.
fn hanging_mount(point: &Path) -> Result<File, String> {
    let device = OpenOptions::new().read(true).write(true).open("/dev/fuse");
    let device = device.map_err(|error| format!("/dev/fuse: {error}"))?;
    rustix::io::fcntl_setfd(&device, rustix::io::FdFlags::empty()).expect("a descriptor of ours");
    let options = format!("fd={},rootmode=40000,user_id=0,group_id=0", device.as_raw_fd());
    let output = Command::new("mount")
        .args(["-i", "-t", "fuse.nobody", "-o", &options, "nobody"])
        .arg(point)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("mount: {error}"))?;
    rustix::io::fcntl_setfd(&device, rustix::io::FdFlags::CLOEXEC).expect("a descriptor of ours");
    if output.status.success() {
        return Ok(device);
    }
    Err(String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn a_volume_that_hangs_costs_one_deadline() {
    let private = ["unshare", "--mount", "--propagation", "private"];
    let may = Command::new(private[0]).args(&private[1..]).arg("true").status();
    if !may.is_ok_and(|status| status.success()) {
        return skip("needs a mount namespace of its own");
    }
    alone_under(&private, "probes_machine::mounts::a_volume_that_hangs_costs_one_deadline", || {
        let place = Folder::new();
        let (point, link) = (place.path().join("disk"), place.path().join("link"));
        fs::create_dir(&point).unwrap();
        symlink(point.join("site"), &link).unwrap();
        let device = match hanging_mount(&point) {
            Ok(device) => device,
            Err(why) => return skip(&format!("needs a FUSE mount: {why}")),
        };

        let machine = Machine::default();
        assert_eq!(machine.guard(place.path()), Ok(Where::Here));
        let before = held();
        let Ok(Where::InChild(mount)) = machine.guard(&link) else { panic!("the volume is not feared") };
        assert_eq!((mount.kind, mount.point.as_path()), (Kind::Fuse, point.as_path()));

        let look = Program {
            argv: ["ls".into(), "-l".into(), point.join("site").into()].into(),
            directory: Some(point.clone()),
            environment: [("PATH".into(), "/usr/bin:/bin".into())].into(),
            deadline: Duration::from_millis(300),
            limit: 1 << 10,
        };
        let start = Instant::now();
        let answers: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| machine.in_child(&mount, &look))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap().unwrap_err()).collect()
        });
        assert!(start.elapsed() < HANG, "{:?}", start.elapsed());
        let late = answers.iter().filter(|it| matches!(it, ProbeError::TimedOut { .. })).count();
        let stuck = ProbeError::Stuck { mount: point.clone() };
        assert_eq!((late, answers.iter().filter(|it| **it == stuck).count()), (1, 3), "{answers:?}");
        assert_eq!(machine.guard(&link), Err(stuck));
        assert_eq!(machine.stuck(), [point.as_path()]);
        assert_held(before);

        // With its daemon gone it says no at once, and a new machine asks again.
        drop(device);
        let output = Machine::default().in_child(&mount, &look).unwrap();
        assert!(!output.succeeded());
        assert!(Command::new("umount").arg("-l").arg(&point).status().unwrap().success());
    });
}
