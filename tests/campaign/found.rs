//! Where the texts are that a person saved in the submodules: in files, under refs, or only among the objects.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use crate::person::{Late, Saved, texts};
use crate::world::{World, walk};

impl World {
    /// What a person saved in the submodules and has no more; what only an object holds that no ref of a rescue reaches
    /// is lost too, since git throws it away one day.
    pub(crate) fn lost_in_parts(&self) -> Vec<String> {
        let Some(parts) = &self.parts else { return Vec::new() };
        let kept: BTreeSet<String> =
            self.in_files().union(&self.in_objects(Reached::ByRefs)).cloned().collect();
        let tokens = parts.tokens.lock().expect("nobody writes any more");
        let lost: Vec<_> = tokens.all.iter().filter(|it| !kept.contains(&it.text)).collect();
        if lost.is_empty() {
            return Vec::new();
        }
        let weak = self.in_objects(Reached::OrNot);
        let told = lost.into_iter().map(|it| {
            let is_weak = weak.contains(&it.text);
            let place = if is_weak { "only an object that no ref reaches" } else { "nowhere" };
            format!("LOSS: {:?} {} saved {} is {place}", it.saved, it.text, it.what)
        });
        told.collect()
    }

    /// What a person destroyed themselves before the cycle is no loss; what is in a repository still has to be kept.
    pub(crate) fn forget_in_parts(&mut self, is_worktree_gone: bool) {
        let Some(parts) = &mut self.parts else { return };
        parts.late.retain(Late::has_a_name);
        let Some(parts) = &self.parts else { return };
        let (files, reached) = (self.in_files(), self.in_objects(Reached::ByRefs));
        let all = self.in_objects(Reached::OrNot);
        let mut tokens = parts.tokens.lock().expect("nobody writes now");
        tokens.all.retain(|it| {
            let is_kept = files.contains(&it.text) || reached.contains(&it.text);
            let counts = it.saved == Saved::Committed || it.saved == Saved::Staged && !is_worktree_gone;
            is_kept || counts && all.contains(&it.text)
        });
    }

    /// In the mirror, and beside it where things are set aside.
    fn in_files(&self) -> BTreeSet<String> {
        let mut places = vec![self.mirror.state().join("rescued"), self.mirror.worktree()];
        let beside = fs::read_dir(self.mirror.home.at("ops")).into_iter().flatten().filter_map(Result::ok);
        places.extend(beside.map(|it| it.path()).filter(|it| it.display().to_string().contains(".aside-")));
        let files = places.iter().flat_map(|place| walk(place));
        files.flat_map(|it| texts(&fs::read(it).unwrap_or_default())).collect()
    }

    fn in_objects(&self, which: Reached) -> BTreeSet<String> {
        let top = self.mirror.repository.join(".git");
        // The owner's own checkouts of the submodules are none of the mirror's.
        let is_owners = |it: &Path| it.starts_with(top.join("modules"));
        let heads = walk(&top).into_iter().filter(|it| it.ends_with("HEAD") && !is_owners(it));
        let all: BTreeSet<PathBuf> = heads.filter_map(|it| it.parent().map(Path::to_owned)).collect();
        let all = all.into_iter().filter(|it| it.join("objects").is_dir());
        all.flat_map(|it| self.in_objects_of(&it, which, it == top)).collect()
    }

    fn in_objects_of(&self, repository: &Path, which: Reached, is_owners: bool) -> BTreeSet<String> {
        let home = &self.mirror.home;
        let git = || {
            let mut git = home.command("git");
            git.arg(format!("--git-dir={}", repository.display())).arg("--work-tree=.");
            git.current_dir(home.path());
            git
        };
        let mut show = git();
        match which {
            Reached::OrNot => {
                show.args(["cat-file", "--batch-all-objects", "--unordered", "--batch"]);
            }
            Reached::ByRefs => {
                let mut list = git();
                list.args(["rev-list", "--objects", "--no-object-names", "--glob=refs/housecall/rescued"]);
                if !is_owners {
                    // A branch in a submodule is the person's, and no sync moves it.
                    list.arg("--branches");
                }
                let listed = list.output().expect("git starts");
                let ids = home.write("objects", listed.stdout);
                show.args(["cat-file", "--batch"]).stdin(File::open(ids).expect("the objects"));
            }
        }
        texts(&show.output().expect("git starts").stdout)
    }
}

/// Which objects.
#[derive(Debug, Clone, Copy)]
enum Reached {
    /// Those that a ref of a rescue reaches, or a person's branch of a submodule.
    ByRefs,
    /// All.
    OrNot,
}

#[test]
fn a_text_that_is_taken_from_a_person_is_a_loss_and_one_that_they_write_over_is_none() {
    let mut world = World::with_parts(crate::chance::Chance::new(1));
    assert!(world.sync().stdout.starts_with("updated"));
    for _ in 0..8 {
        world.work_in_parts();
        let work = world.start_work().expect("submodules");
        std::thread::sleep(std::time::Duration::from_millis(100));
        work.end();
        let _ = world.write_late();
        world.forget_in_parts(false);
    }
    let count = |world: &World| world.parts.as_ref().expect("parts").tokens.lock().expect("it").all.len();
    assert!(count(&world) > 10);
    let not_yet_set_aside = world.lost_in_parts();
    let is_in_place = |it: &String| it.contains(" File ") || it.contains("File tok");
    assert!(!not_yet_set_aside.iter().any(is_in_place), "{not_yet_set_aside:#?}");
    let lib = world.mirror.worktree().join("lib");
    fs::remove_dir_all(lib).expect("taken from them");
    assert!(world.lost_in_parts().iter().any(|it| it.contains("File tok") && it.ends_with("nowhere")));
}
