//! Which volume a path is on, from the mount table alone: what may hang is not touched.
//!
//! A `stat` on a volume that hangs never comes back, so the table is asked first: `/proc/self/mountinfo` on Linux,
//! `getfsstat` with `MNT_NOWAIT` on macOS; neither waits for any volume. Links are followed one component at a time, and
//! only those that lie on a local volume: a link in the home directory that leads to a hanging volume is
//! recognised, one on such a volume is not read.
#![expect(clippy::disallowed_methods, reason = "probes are where the machine is read")]

use std::collections::VecDeque;
use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};

use crate::error::ProbeError;

/// A mounted volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// Where it is mounted.
    pub point: PathBuf,
    /// What kind of filesystem it is, in the system's word: "ext4", "apfs", "fuse.sshfs".
    pub filesystem: String,
    /// What is mounted: a device, or `host:path`.
    pub source: String,
    /// How it is mounted: "ro" or "rw" first, then those of the mount, then those of the filesystem.
    pub options: Vec<String>,
    /// Those of the filesystem alone, wherever else it is mounted; `None` where the system does not tell them apart.
    pub superblock: Option<Vec<String>>,
    /// Whether it is to be feared.
    pub kind: Kind,
}

/// Whether a volume can hang.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A disk of this machine, or memory; also whatever is mounted at the root, since nothing runs without it.
    Local,
    /// Another machine answers for it.
    Network,
    /// A program answers for it.
    Fuse,
    /// A disk that can be unplugged or asleep.
    External,
}

/// The mount table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mounts(Vec<Mount>);

/// How many links a path may lead through, as in the kernel.
const LINKS: usize = 40;

impl Mounts {
    /// The table as it is now.
    ///
    /// # Errors
    /// Where the kernel cannot be asked.
    pub fn read() -> Result<Self, ProbeError> {
        system::read().map(Self)
    }

    /// The table that this text of `/proc/self/mountinfo` tells of; lines that make no sense are left out.
    #[must_use]
    pub fn parse(mountinfo: &[u8]) -> Self {
        Self(mountinfo.split(|byte| *byte == b'\n').filter_map(parse_line).collect())
    }

    /// Whether none of the volumes is to be feared.
    #[must_use]
    pub fn are_local(&self) -> bool {
        self.0.iter().all(|mount| mount.kind == Kind::Local)
    }

    /// What is mounted at just this place; of several the last one, which is the one that is seen.
    #[must_use]
    pub fn at(&self, point: &Path) -> Option<&Mount> {
        self.0.iter().rfind(|mount| mount.point == point)
    }

    /// Where volumes that cannot hang are mounted beneath a directory, as the table names it.
    pub fn local_beneath<'a>(&'a self, top: &'a Path) -> impl Iterator<Item = &'a Path> {
        let is_local = |mount: &&Mount| mount.kind == Kind::Local;
        let points = self.0.iter().filter(is_local).map(|mount| mount.point.as_path());
        points.filter(move |point| *point != top && point.starts_with(top))
    }

    /// The volume that a path is on once its links are followed; nothing on a volume that can hang is touched.
    ///
    /// The path is absolute; it need not exist. A link on a volume that can hang counts as being there.
    #[must_use]
    pub fn holding(&self, path: &Path) -> Mount {
        self.followed(path).1
    }

    /// The path with the links followed of as much of it as cannot hang; it need not exist.
    #[must_use]
    pub fn resolved(&self, path: &Path) -> PathBuf {
        self.followed(path).0
    }

    fn followed(&self, path: &Path) -> (PathBuf, Mount) {
        let mut rest: VecDeque<OsString> = components(path);
        let mut place = PathBuf::from("/");
        let mut links = 0;
        while let Some(name) = rest.pop_front() {
            if name == ".." {
                place.pop();
                continue;
            }
            place.push(name);
            let mount = self.covering(&place);
            if mount.is_some_and(|it| it.kind != Kind::Local) {
                break;
            }
            let Ok(target) = std::fs::read_link(&place) else { continue };
            links += 1;
            if links > LINKS {
                break;
            }
            place.pop();
            if target.is_absolute() {
                place = PathBuf::from("/");
            }
            let mut leading = components(&target);
            leading.append(&mut rest);
            rest = leading;
        }
        let mount = self.covering(&place).cloned().unwrap_or_else(|| Mount {
            point: PathBuf::from("/"),
            filesystem: "unknown".to_owned(),
            source: String::new(),
            options: Vec::new(),
            superblock: None,
            kind: Kind::Local,
        });
        place.extend(rest);
        (place, mount)
    }

    /// The volume with the longest mount point that begins this path; of several at one point, the last mounted.
    fn covering(&self, path: &Path) -> Option<&Mount> {
        // It is asked for each part of each path: most mount points differ from it in their bytes already.
        let text = path.as_os_str().as_encoded_bytes();
        let begins = |mount: &&Mount| {
            text.starts_with(mount.point.as_os_str().as_encoded_bytes()) && path.starts_with(&mount.point)
        };
        self.0.iter().filter(begins).max_by_key(|mount| mount.point.as_os_str().len())
    }
}

fn components(path: &Path) -> VecDeque<OsString> {
    path.components()
        .filter(|it| matches!(it, Component::Normal(_) | Component::ParentDir))
        .map(|it| it.as_os_str().to_owned())
        .collect()
}

fn kind(point: &Path, filesystem: &str) -> Kind {
    const NETWORK: [&str; 17] = [
        "nfs",
        "nfs4",
        "cifs",
        "smb3",
        "smbfs",
        "afpfs",
        "webdav",
        "davfs",
        "9p",
        "virtiofs",
        "afs",
        "ceph",
        "coda",
        "glusterfs",
        "lustre",
        "ncpfs",
        "autofs",
    ];
    const EXTERNAL: [&str; 3] = ["/Volumes", "/media", "/run/media"];
    if point == Path::new("/") {
        Kind::Local
    } else if NETWORK.contains(&filesystem) {
        Kind::Network
    } else if filesystem.contains("fuse") && filesystem != "fusectl" {
        Kind::Fuse
    } else if EXTERNAL.iter().any(|place| point.starts_with(place)) {
        Kind::External
    } else {
        Kind::Local
    }
}

/// A line is `ID PARENT MAJOR:MINOR ROOT POINT OPTIONS [OPTIONAL…] - FILESYSTEM SOURCE OPTIONS`.
fn parse_line(line: &[u8]) -> Option<Mount> {
    let mut words = line.split(|byte| *byte == b' ');
    let point = PathBuf::from(unescape(words.nth(4)?));
    let text = |word: &[u8]| unescape(word).to_string_lossy().into_owned();
    let own = text(words.next()?);
    let mut words = words.skip_while(|word| *word != b"-").skip(1);
    let filesystem = String::from_utf8_lossy(words.next()?).into_owned();
    let source = words.next().map(text).unwrap_or_default();
    let more = words.next().map(text).unwrap_or_default();
    // What either of the two calls read-only cannot be written to.
    let is_read_only = own.split(',').chain(more.split(',')).any(|it| it == "ro");
    let mut options = vec![if is_read_only { "ro" } else { "rw" }.to_owned()];
    for option in own.split(',').chain(more.split(',')) {
        if !matches!(option, "ro" | "rw" | "") && !options.iter().any(|it| it == option) {
            options.push(option.to_owned());
        }
    }
    let superblock = more.split(',').filter(|it| !it.is_empty()).map(str::to_owned).collect();
    let superblock = Some(superblock);
    Some(Mount { kind: kind(&point, &filesystem), point, filesystem, source, options, superblock })
}

/// Undoes the kernel's octal escapes: `\040` is a space.
fn unescape(word: &[u8]) -> OsString {
    use std::os::unix::ffi::OsStringExt;

    if !word.contains(&b'\\') {
        return OsString::from_vec(word.to_owned());
    }
    let mut bytes = Vec::with_capacity(word.len());
    let mut rest = word;
    while let [first, tail @ ..] = rest {
        if let [b'\\', a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', after @ ..] = rest {
            bytes.push((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'));
            rest = after;
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    OsString::from_vec(bytes)
}

#[cfg(not(target_os = "macos"))]
mod system {
    use super::{Mount, Mounts};
    use crate::error::ProbeError;

    pub(super) fn read() -> Result<Vec<Mount>, ProbeError> {
        let text = std::fs::read("/proc/self/mountinfo")
            .map_err(|error| ProbeError::failed("read the mount table", &error))?;
        Ok(Mounts::parse(&text).0)
    }
}

#[cfg(target_os = "macos")]
mod system {
    use std::ffi::{CStr, OsStr, c_char, c_int};
    use std::os::unix::ffi::OsStrExt;
    use std::path::PathBuf;

    use super::{Kind, Mount, kind};
    use crate::error::ProbeError;

    pub(super) fn read() -> Result<Vec<Mount>, ProbeError> {
        Ok(ask()?.iter().map(mount).collect())
    }

    #[expect(unsafe_code, reason = "getfsstat is the one call that asks no volume, and nothing wraps it")]
    fn ask() -> Result<Vec<libc::statfs>, ProbeError> {
        let failed = || ProbeError::failed("read the mount table", &std::io::Error::last_os_error());
        // SAFETY: no buffer is given, so only the number of volumes is answered.
        let count = unsafe { libc::getfsstat(std::ptr::null_mut(), 0, libc::MNT_NOWAIT) };
        let room = usize::try_from(count).map_err(|_| failed())? + 16;
        let mut table: Vec<libc::statfs> = Vec::with_capacity(room);
        let bytes = c_int::try_from(room * size_of::<libc::statfs>()).map_err(|_| failed())?;
        // SAFETY: the buffer has room for that many bytes, and the kernel says how many entries it filled.
        let count = unsafe { libc::getfsstat(table.as_mut_ptr(), bytes, libc::MNT_NOWAIT) };
        let filled = usize::try_from(count).map_err(|_| failed())?.min(room);
        // SAFETY: the kernel filled that many entries.
        unsafe { table.set_len(filled) };
        Ok(table)
    }

    fn mount(entry: &libc::statfs) -> Mount {
        let point = PathBuf::from(OsStr::from_bytes(&text(&entry.f_mntonname)));
        let filesystem = String::from_utf8_lossy(&text(&entry.f_fstypename)).into_owned();
        let local = i64::from(entry.f_flags) & i64::from(libc::MNT_LOCAL) != 0;
        let kind = match kind(&point, &filesystem) {
            Kind::Local | Kind::External if !local => Kind::Network,
            kind => kind,
        };
        let source = String::from_utf8_lossy(&text(&entry.f_mntfromname)).into_owned();
        let has = |flag: c_int| i64::from(entry.f_flags) & i64::from(flag) != 0;
        let mut options = vec![if has(libc::MNT_RDONLY) { "ro" } else { "rw" }];
        let named = [
            (libc::MNT_NOSUID, "nosuid"),
            (libc::MNT_NODEV, "nodev"),
            (libc::MNT_NOEXEC, "noexec"),
            (libc::MNT_LOCAL, "local"),
        ];
        options.extend(named.into_iter().filter(|(flag, _)| has(*flag)).map(|(_, name)| name));
        let options = options.into_iter().map(str::to_owned).collect();
        Mount { point, filesystem, source, options, superblock: None, kind }
    }

    fn text(field: &[c_char]) -> Vec<u8> {
        let bytes: Vec<u8> = field.iter().map(|byte| byte.to_ne_bytes()[0]).collect();
        CStr::from_bytes_until_nul(&bytes).map_or_else(|_| bytes.clone(), |text| text.to_bytes().to_vec())
    }
}
