//! The oracle: it knows every byte that a person wrote, and says of each that is nowhere to be found.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use support::processes::eventually;

use crate::world::{World, walk};

/// What a person wrote in the mirror.
#[derive(Debug, Clone)]
pub(crate) struct Written {
    /// Where, beneath the worktree.
    pub(crate) path: Vec<u8>,
    /// What.
    pub(crate) content: Vec<u8>,
    /// How it must be kept.
    pub(crate) how: How,
}

/// How something of a person's must be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    /// By its name, in what was set aside, or where it was.
    File,
    /// Its content is enough: it is in a commit.
    Content,
    /// The same, and only an index knows it.
    Staged,
    /// In no commit: it is a secret.
    Secret,
}

/// The person's repository before a round.
pub(crate) type Canonical = BTreeMap<PathBuf, (u32, Vec<u8>)>;

/// What a person had, and has no more.
pub(crate) fn losses(world: &World, before: &Canonical) -> Vec<String> {
    let mut found = changes(world, before);
    let kept = Kept::of(world);
    for it in world.written.iter().filter(|it| !kept.has(it)) {
        let (path, content) = (String::from_utf8_lossy(&it.path), String::from_utf8_lossy(&it.content));
        found.push(format!("LOSS: {:?} {path:?} {content:?} is nowhere", it.how));
    }
    found.extend(world.lost_in_parts());
    found
}

/// Whether that is where the person wrote it, and nowhere else: who writes there again gives it up.
pub(crate) fn is_only_in_place(world: &World, it: &Written) -> bool {
    let is_in_place = || read(&world.mirror.worktree().join(OsStr::from_bytes(&it.path))) == it.content;
    matches!(it.how, How::File | How::Secret) && is_in_place() && !Kept::of(world).is_set_aside(it)
}

/// What is different in the person's repository.
pub(crate) fn changes(world: &World, before: &Canonical) -> Vec<String> {
    let mut found = Vec::new();
    let after = world.canonical();
    for path in before.keys().chain(after.keys()).collect::<BTreeSet<_>>() {
        if before.get(path) != after.get(path) {
            found.push(format!("LOSS: the repository's {} is not what it was", path.display()));
        }
    }
    found
}

/// All that is kept, wherever that is.
struct Kept {
    objects: BTreeSet<String>,
    named: BTreeSet<(String, Vec<u8>)>,
    elsewhere: Vec<(PathBuf, Vec<u8>)>,
    worktree: PathBuf,
}

impl Kept {
    fn of(world: &World) -> Self {
        let git = |arguments: &[&str]| {
            let mut command = world.mirror.home.command("git");
            command.args(arguments).current_dir(&world.mirror.repository);
            let output = command.output().expect("git starts");
            assert!(output.status.success(), "{arguments:?} {}", String::from_utf8_lossy(&output.stderr));
            output.stdout
        };
        let text = |arguments: &[&str]| String::from_utf8_lossy(&git(arguments)).into_owned();
        let refs = text(&["for-each-ref", "--format=%(refname)", "refs/housecall/rescued"]);
        let objects = text(&["rev-list", "--objects", "--glob=refs/housecall/rescued"]);
        let reached = || objects.lines().map(|line| line.split_once(' ').unwrap_or((line, "")));
        // What is in a commit beneath a rescue has its name there.
        let mut named: BTreeSet<(String, Vec<u8>)> =
            reached().map(|(object, path)| (object.to_owned(), path.as_bytes().to_vec())).collect();
        let objects = reached().map(|(object, _)| object.to_owned()).collect();
        for name in refs.lines() {
            for entry in git(&["ls-tree", "-r", "-z", "--full-tree", name]).split(|it| *it == 0) {
                let mut parts = entry.splitn(2, |it| *it == b'\t');
                let (Some(facts), Some(path)) = (parts.next(), parts.next()) else { continue };
                let facts = String::from_utf8_lossy(facts).into_owned();
                named.insert((facts.rsplit(' ').next().unwrap_or_default().to_owned(), path.to_vec()));
            }
        }
        let mut elsewhere = Vec::new();
        let mut places = vec![world.mirror.state().join("rescued")];
        let beside = fs::read_dir(world.mirror.home.at("ops")).into_iter().flatten().filter_map(Result::ok);
        places.extend(beside.map(|it| it.path()).filter(|it| it.display().to_string().contains(".aside-")));
        for file in places.iter().flat_map(|place| walk(place)) {
            let content = read(&file);
            elsewhere.push((file, content));
        }
        Self { objects, named, elsewhere, worktree: world.mirror.worktree() }
    }

    fn has(&self, it: &Written) -> bool {
        match it.how {
            How::File => self.is_set_aside(it) || self.is_in_place(it),
            How::Content | How::Staged => self.objects.contains(&object(it)),
            How::Secret => {
                !self.objects.contains(&object(it)) && (self.is_set_aside(it) || self.is_in_place(it))
            }
        }
    }

    fn is_set_aside(&self, it: &Written) -> bool {
        let path = Path::new(OsStr::from_bytes(&it.path));
        let beside =
            || self.elsewhere.iter().any(|(file, content)| file.ends_with(path) && *content == it.content);
        self.named.contains(&(object(it), it.path.clone())) || beside()
    }

    fn is_in_place(&self, it: &Written) -> bool {
        read(&self.worktree.join(OsStr::from_bytes(&it.path))) == it.content
    }
}

/// The name by which git has it, if it has.
fn object(it: &Written) -> String {
    git2::Oid::hash_object(git2::ObjectType::Blob, &it.content).expect("an object id").to_string()
}

/// The content of a file, or where a link leads.
fn read(path: &Path) -> Vec<u8> {
    match fs::read_link(path) {
        Ok(target) => target.into_os_string().as_bytes().to_vec(),
        Err(_) => fs::read(path).unwrap_or_default(),
    }
}

/// Where the mirror is not what it should be after a cycle that says that all is well.
pub(crate) fn not_aligned(world: &World) -> Vec<String> {
    let worktree = world.mirror.worktree();
    let mut found = Vec::new();
    let mut expect = |what: &str, is: String, should: String| {
        if is != should {
            found.push(format!("{what} is {is:?} and should be {should:?}"));
        }
    };
    let upstream = world.upstream();
    expect("HEAD", world.git(&["rev-parse", "HEAD"]), upstream.clone());
    expect("the branch", world.git(&["symbolic-ref", "--short", "HEAD"]), "localhost-sync".to_owned());
    expect("the status", world.git(&["status", "--porcelain"]), String::new());
    let text = |path: PathBuf| fs::read_to_string(path).unwrap_or_default();
    let lockfile = text(worktree.join("package-lock.json"));
    expect("what is installed", text(worktree.join("node_modules/b/lock")), lockfile);
    expect("what is built", text(worktree.join("dist/from")).trim().to_owned(), upstream.clone());
    for carried in [".env.local", "private/keys.local"] {
        expect(carried, text(worktree.join(carried)), text(world.mirror.repository.join(carried)));
    }
    let lines = text(world.mirror.state().join("last-sync.env"));
    expect("the state", lines.contains(&format!("LAST_SYNC_SHA=\"{upstream}\"")).to_string(), "true".into());
    let administration = world.administration();
    for operation in
        ["MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD", "rebase-merge", "rebase-apply", "sequencer"]
    {
        expect(operation, administration.join(operation).exists().to_string(), "false".into());
    }
    expect("its lock against pruning", administration.join("locked").exists().to_string(), "true".into());
    found.extend(world.parts_not_aligned());
    found
}

/// What a cycle must not leave: processes, locks, temporary files, half trees.
pub(crate) fn left_behind(world: &World) -> Vec<String> {
    let home = &world.mirror.home;
    let mut found = Vec::new();
    if !eventually(Duration::from_secs(10), || home.processes().is_empty()) {
        found.push(format!("left running: {:?}", home.processes()));
    }
    let mut files = walk(&world.mirror.repository.join(".git"));
    files.extend(walk(&home.at("ops")));
    for path in files {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let temporary = ["tmp_", ".tmp", ".housecall-"].iter().any(|it| name.starts_with(it));
        let of_index =
            path.components().any(|it| it.as_os_str().to_string_lossy().starts_with(".housecall-index-"));
        let is_a = |kind: &str| path.extension().is_some_and(|it| it == kind);
        // What is kept whole of a submodule has a patch of its edits, even of none.
        let is_inside = path.components().any(|it| it.as_os_str() == "submodule");
        let is_empty = || fs::metadata(&path).is_ok_and(|it| it.len() == 0);
        let empty_patch = is_a("patch") && !is_inside && is_empty();
        // A person's git that was killed leaves its own lock, in a repository that is kept as it is.
        let is_persons = path.components().any(|it| it.as_os_str().to_string_lossy().starts_with("inner"));
        if temporary || of_index || empty_patch || is_a("lock") && !is_persons {
            found.push(format!("left behind: {}", path.strip_prefix(home.path()).unwrap_or(&path).display()));
        }
    }
    found
}
