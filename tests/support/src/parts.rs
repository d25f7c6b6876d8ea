//! What a machine may lack: found here, installed by `dev/parts`.

use std::fmt;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A real part that a test stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// lighttpd, in front of git's own HTTP backend.
    Lighttpd,
    /// OpenSSH's server.
    Sshd,
    /// `/dev/fuse`, and the right to mount.
    Fuse,
    /// This major version of node, with npm 10.
    Node(u32),
    /// The dependencies of the astro site.
    Astro,
    /// pnpm, yarn 1 and 4, bun, and husky.
    Managers,
    /// The locale `fr_FR.UTF-8`.
    French,
    /// git-lfs.
    Lfs,
    /// Any program of this name.
    Program(&'static str),
    /// libfaketime, under which a program reads another time of day.
    Faketime,
    /// systemd's user manager, and the right to make namespaces and control groups for it.
    Systemd,
    /// A git that knows reftable.
    Reftable,
    /// goss, of which `dev/parts` cannot install one.
    Goss,
}

/// What no package brings to every machine: lacking, it is skipped also where parts are required. `dev/parts` and
/// CONTRIBUTING.md have the same list.
pub const MAY_BE_LACKING: &[Part] = &[
    Part::Reftable, // Debian 12 has git 2.39
    Part::Goss,     // no registry of packages has it
];

impl Part {
    /// Whether this machine has it.
    #[must_use]
    pub fn present(&self) -> bool {
        match self {
            Self::Lighttpd => Path::new("/usr/sbin/lighttpd").exists(),
            Self::Sshd => Path::new("/usr/sbin/sshd").exists() && is_root(),
            Self::Fuse => Path::new("/dev/fuse").exists() && is_root(),
            Self::Node(major) => folder().join(format!("node-{major}/bin/node")).exists(),
            Self::Astro => folder().join("astro-site/node_modules/astro").exists(),
            Self::Managers => folder().join("managers/husky.tgz").exists(),
            Self::French => prints(&["locale", "-a"], "fr_FR.utf8"),
            Self::Lfs => prints(&["git", "lfs", "version"], "git-lfs"),
            Self::Program(name) => prints(&["sh", "-c", "command -v \"$0\"", name], name),
            Self::Faketime => faketime().is_some(),
            Self::Systemd => Path::new("/usr/lib/systemd/systemd").exists() && is_root() && has_namespaces(),
            Self::Reftable => git_version().is_some_and(|it| it >= (2, 45)),
            Self::Goss => goss().is_some(),
        }
    }

    /// Whether it is a failure where this part is lacking, as most are in CI.
    #[must_use]
    pub fn required(&self) -> bool {
        !MAY_BE_LACKING.contains(self)
            && std::env::var_os("HOUSECALL_PARTS").is_some_and(|it| it == "required")
    }
}

/// For tests in libtest's own harness: true where the test must be left, having said why.
///
/// # Panics
/// Where parts are required and this one is lacking.
#[must_use]
pub fn lacks(part: Part) -> bool {
    let lacking = !part.present();
    assert!(!(lacking && part.required()), "needs {part}: run dev/parts");
    if lacking {
        eprintln!("skipped: needs {part}");
        note(part);
    }
    lacking
}

/// libtest counts such a test as passed: `dev/test` names it at the end.
fn note(part: Part) {
    let file = folder().join("skipped");
    let test = std::env::var("NEXTEST_TEST_NAME").unwrap_or_else(|_| "a test".to_owned());
    let _ = std::fs::create_dir_all(folder());
    if let Ok(mut file) = std::fs::File::options().create(true).append(true).open(file) {
        let _ = file.write_all(format!("{test} needs {part}\n").as_bytes());
    }
}

/// Where libfaketime is, for programs of several threads.
#[must_use]
pub fn faketime() -> Option<PathBuf> {
    let libraries = std::fs::read_dir("/usr/lib").ok()?.filter_map(Result::ok);
    libraries.map(|it| it.path().join("faketime/libfaketimeMT.so.1")).find(|it| it.exists())
}

/// Where goss is.
#[must_use]
pub fn goss() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|it| it.join("goss")).find(|it| it.is_file())
}

/// The folder that `dev/parts` fills.
#[must_use]
pub fn folder() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    target.join("tmp/parts")
}

/// The directory to put first on PATH for that major version of node.
#[must_use]
pub fn node(major: u32) -> PathBuf {
    folder().join(format!("node-{major}/bin"))
}

/// The library that is nowhere: see [`without_library`].
pub const LOST: &str = "libx.so.6";

/// Copies a program, which needs a library that is nowhere from then on: as one whose library an upgrade took away.
///
/// # Panics
/// Where it cannot be copied.
pub fn without_library(program: &Path, copy: &Path) {
    std::fs::copy(program, copy).expect("the program is copied");
    let mut sed = Command::new("sed");
    sed.env("LC_ALL", "C").args(["-i", &format!("s/libc\\.so\\.6/{LOST}/g")]).arg(copy);
    assert!(sed.status().is_ok_and(|it| it.success()), "its library is named anew");
}

/// The project's own folder.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the project's folder")
}

fn is_root() -> bool {
    prints(&["id", "-u"], "0\n")
}

/// The major and the minor version of git.
fn git_version() -> Option<(u32, u32)> {
    let output = Command::new("git").arg("--version").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let mut numbers = text.split_whitespace().nth(2)?.split('.').map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

fn has_namespaces() -> bool {
    let has_groups = std::fs::read_to_string("/proc/filesystems").is_ok_and(|it| it.contains("cgroup2"));
    let mut unshare = Command::new("unshare");
    has_groups && unshare.args(["--mount", "--pid", "--fork", "true"]).status().is_ok_and(|it| it.success())
}

fn prints(command: &[&str], wanted: &str) -> bool {
    Command::new(command[0])
        .args(&command[1..])
        .output()
        .is_ok_and(|it| String::from_utf8_lossy(&it.stdout).contains(wanted))
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lighttpd => f.write_str("lighttpd"),
            Self::Sshd => f.write_str("sshd and root"),
            Self::Fuse => f.write_str("fuse and root"),
            Self::Node(major) => write!(f, "node {major}"),
            Self::Astro => f.write_str("astro"),
            Self::Managers => f.write_str("package managers"),
            Self::French => f.write_str("the locale fr_FR.UTF-8"),
            Self::Lfs => f.write_str("git-lfs"),
            Self::Program(name) => f.write_str(name),
            Self::Faketime => f.write_str("libfaketime"),
            Self::Systemd => f.write_str("systemd, root and namespaces"),
            Self::Reftable => f.write_str("git 2.45 or newer, for reftable"),
            Self::Goss => f.write_str("goss"),
        }
    }
}
