//! What a person, the remote and the past leave for a cycle to find: every state that it may start from.

use std::ffi::OsStr;
use std::fs::{self, File, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};

use crate::chance::Chance;
use crate::oracle::{self, How, Written};
use crate::world::{World, age};

/// A state that a cycle may start from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Behind,
    Rewritten,
    Detached,
    Edited,
    Hidden,
    NewFiles,
    OddNames,
    InTheWay,
    Committed,
    Merging,
    Rebasing,
    Picking,
    Deleted,
    NoLink,
    Orphaned,
    TornIndex,
    Locked,
    CarriedChanged,
    CarryChanged,
    Lockfile,
    Repository,
}

use State::{
    Behind, CarriedChanged, CarryChanged, Committed, Deleted, Detached, Edited, Hidden, InTheWay, Locked,
    Lockfile, Merging, NewFiles, NoLink, OddNames, Orphaned, Picking, Rebasing, Repository, Rewritten,
    TornIndex,
};

/// All of them.
pub(crate) const ALL: [State; 21] = [
    Behind,
    Rewritten,
    Detached,
    Edited,
    Hidden,
    NewFiles,
    OddNames,
    InTheWay,
    Committed,
    Merging,
    Rebasing,
    Picking,
    Deleted,
    NoLink,
    Orphaned,
    TornIndex,
    Locked,
    CarriedChanged,
    CarryChanged,
    Lockfile,
    Repository,
];

/// Those in which a cycle comes to a step of that name.
pub(crate) fn leading_to(step: &str) -> &'static [State] {
    match step {
        "add-worktree" => &[Deleted, Orphaned],
        "move-aside" => &[Orphaned],
        "relink" => &[NoLink],
        "remove-lock" => &[Locked],
        "set-aside" => &[
            Edited, Hidden, NewFiles, OddNames, InTheWay, Committed, Merging, Rebasing, Picking, Detached,
            TornIndex, Repository,
        ],
        "carry" => &[CarriedChanged, CarryChanged],
        "install" => &[Lockfile],
        _ => &[Behind, Rewritten, Edited, NewFiles, Committed],
    }
}

impl World {
    /// Brings that state about, and tells the oracle what was written.
    pub(crate) fn be(&mut self, state: State) {
        match state {
            Behind => self.push(),
            Rewritten => {
                let author = self.mirror.home.at("author");
                self.mirror.home.git(&author, ["commit", "--quiet", "--amend", "-m", "Rewritten"]);
                self.push();
            }
            Detached => {
                self.git(&["checkout", "--quiet", "--detach"]);
                self.commit_of_a_person();
                self.write("many/3.html", How::File);
            }
            Edited => {
                self.write("many/0.html", How::Staged);
                self.git(&["add", "many/0.html"]);
                for path in ["many/0.html", "many/1.html", "slow/1.slow", "package-lock.json"] {
                    self.write(path, How::File);
                }
                let _ = fs::remove_file(self.mirror.worktree().join("many/5.html"));
            }
            Hidden => {
                self.git(&["update-index", "--assume-unchanged", "many/2.html"]);
                self.write("many/2.html", How::File);
            }
            NewFiles => {
                self.write("new.txt", How::File);
                self.write("new/deep/er/file.slow", How::File);
                self.write("new/staged.txt", How::Staged);
                self.git(&["add", "new/staged.txt"]);
                self.write("new/staged.txt", How::File);
                let ignored = format!("notes{}.local", self.serial);
                self.write(&ignored, How::File);
            }
            OddNames => self.odd_names(),
            InTheWay => {
                let name = format!("way{}.local", self.serial);
                self.write(&name, How::File);
                self.mirror.home.write(format!("author/{name}"), "upstream's\n");
                self.mirror.home.git(&self.mirror.home.at("author"), ["add", "-f", &name]);
                self.push();
            }
            Committed => self.commit_of_a_person(),
            Merging => self.operation(&["merge", "side"]),
            Rebasing => self.operation(&["rebase", "side"]),
            Picking => self.operation(&["cherry-pick", "side"]),
            Deleted => {
                self.forget(&[How::File, How::Staged, How::Secret]);
                // An ignored file is kept where it is, and nowhere else.
                // An edit that git was told not to look at may be as well.
                let in_place = |it: &Written| it.path.starts_with(b"notes") || it.path == b"many/2.html";
                self.written.retain(|it| !in_place(it));
                self.commit_of_a_person();
                fs::remove_dir_all(self.mirror.worktree()).expect("the worktree is deleted");
            }
            NoLink => {
                self.write("many/4.html", How::File);
                fs::remove_file(self.mirror.worktree().join(".git")).expect("the link");
            }
            Orphaned => {
                self.forget(&[How::Content, How::Staged]);
                self.write("orphan.txt", How::File);
                self.commit_of_a_person();
                self.write("many/4.html", How::File);
                fs::remove_dir_all(self.administration()).expect("the administration");
            }
            TornIndex => {
                self.forget(&[How::Staged]);
                self.write("many/4.html", How::File);
                let index = File::options().write(true).open(self.administration().join("index"));
                let index = index.expect("the index");
                let length = self.chance.below(index.metadata().expect("its length").len());
                index.set_len(length).expect("the index is torn");
            }
            Locked => {
                self.write("many/4.html", How::File);
                let tracking = self.mirror.repository.join(".git/refs/remotes/origin/main.lock");
                for lock in [self.administration().join("index.lock"), tracking] {
                    fs::write(&lock, "").expect("a lock");
                    age(&lock);
                }
            }
            CarriedChanged => self.write(".env.local", How::Secret),
            CarryChanged => {
                let text = self.text();
                self.mirror.home.write("dev/site/.env.local", &text);
                let text = self.text();
                self.mirror.home.write("dev/site/private/keys.local", text.repeat(1 << 18));
            }
            Lockfile => {
                let text =
                    format!("{{\"lockfileVersion\": 3, \"packages\": {{}}, \"is\": {:?}}}\n", self.text());
                self.mirror.home.write("author/package-lock.json", text);
                self.push();
            }
            Repository => {
                let inner = format!("inner{}", self.serial);
                self.git(&["init", "--quiet", &inner]);
                self.write(&format!("{inner}/of-its-own.txt"), How::File);
            }
        }
    }

    /// Writes a file in the mirror as a person would.
    fn write(&mut self, path: &str, how: How) {
        let content = self.text().into_bytes();
        self.write_bytes(path.as_bytes(), content, how);
    }

    fn write_bytes(&mut self, path: &[u8], content: Vec<u8>, how: How) {
        let place = self.mirror.worktree().join(OsStr::from_bytes(path));
        self.give_up(path);
        fs::create_dir_all(place.parent().expect("a folder")).expect("the folder");
        fs::write(&place, &content).expect("the file");
        self.note(Written { path: path.to_vec(), content, how });
    }

    /// What the person left there in an earlier round, and no cycle had to move, they now write over themselves.
    fn give_up(&mut self, path: &[u8]) {
        let is_given_up = |it: &Written| it.path == path && oracle::is_only_in_place(self, it);
        if let Some(place) = self.written.iter().take(self.known).position(is_given_up) {
            self.written.remove(place);
            self.known -= 1;
        }
    }

    /// Has the oracle know of it. What was at its place a moment ago is the person's own doing.
    fn note(&mut self, it: Written) {
        let mut place = 0..;
        let known = self.known;
        let replaced = |old: &Written| old.path == it.path && matches!(old.how, How::File | How::Secret);
        self.written.retain(|old| place.next() < Some(known) || !replaced(old));
        self.written.push(it);
    }

    /// What a person, or the fault itself, destroys before there is a cycle.
    fn forget(&mut self, how: &[How]) {
        let mut place = 0..;
        let known = self.known;
        self.written.retain(|old| place.next() < Some(known) || !how.contains(&old.how));
    }

    fn odd_names(&mut self) {
        let names: [&[u8]; 8] = [
            b"caf\xe9.txt",
            b"with space and 'quotes\"",
            b"-dash",
            b"new\nline",
            b":(top)magic",
            b"star*[x]?",
            b".hidden",
            b"deep/\xff\xfe/odd",
        ];
        for name in names {
            let content = self.text().into_bytes();
            self.write_bytes(name, content, How::File);
        }
        self.write("program.sh", How::File);
        let program = self.mirror.worktree().join("program.sh");
        fs::set_permissions(program, Permissions::from_mode(0o755)).expect("its mode");
        let target = self.text().trim().to_owned();
        let link = self.mirror.worktree().join("a link");
        let _ = fs::remove_file(&link);
        symlink(&target, link).expect("a link");
        self.note(Written { path: b"a link".to_vec(), content: target.into_bytes(), how: How::File });
    }

    fn commit_of_a_person(&mut self) {
        self.write("own.html", How::Content);
        self.git(&["add", "own.html"]);
        self.git(&["commit", "--quiet", "-m", "A person's"]);
    }

    /// Two commits that conflict, and an operation that stops at them.
    fn operation(&mut self, arguments: &[&str]) {
        // What was staged, each of these commits stages over.
        self.forget(&[How::Staged]);
        self.git(&["checkout", "--quiet", "--detach"]);
        self.write("many/6.html", How::Content);
        self.git(&["commit", "--quiet", "--all", "-m", "One side"]);
        let side = self.git(&["rev-parse", "HEAD"]);
        self.git(&["checkout", "--quiet", "localhost-sync"]);
        self.write("many/6.html", How::Content);
        self.git(&["commit", "--quiet", "--all", "-m", "The other side"]);
        let arguments: Vec<&str> =
            arguments.iter().map(|it| if *it == "side" { side.as_str() } else { it }).collect();
        self.try_git(&arguments);
        // Half resolved.
        self.write("many/6.html", How::File);
    }
}

#[test]
fn what_a_person_writes_over_is_no_loss_and_what_is_taken_from_them_is() {
    let mut world = World::new(Chance::new(1));
    let told = |world: &World| oracle::losses(world, &world.canonical());
    assert!(world.sync().stdout.starts_with("updated"));
    for _ in 0..2 {
        // No cycle has to move what git ignores.
        world.known = world.written.len();
        world.write("notes.local", How::File);
        assert!(world.sync().stdout.starts_with("noop"));
        assert_eq!(told(&world), [""; 0]);
    }
    fs::write(world.mirror.worktree().join("notes.local"), "another's\n").expect("it is overwritten");
    assert_eq!(told(&world).len(), 1);
}
