//! What was set aside is found, shown and given back, whole, and nothing else is touched for it.
#![expect(clippy::disallowed_methods, reason = "these tests read and write files of their own")]

use std::fs;
use std::path::Path;

use support::{Home, Mirror};

/// A mirror that was synced once.
fn synced() -> Mirror {
    let mirror = Mirror::fixed();
    let _ = mirror.run(&["sync"]).exits(0);
    mirror
}

/// The names in the list.
fn names(mirror: &Mirror) -> Vec<String> {
    let listing: serde_json::Value =
        serde_json::from_str(&mirror.run(&["rescued", "--json"]).exits(0).stdout).expect("a document");
    let of = |it: &serde_json::Value| it["name"].as_str().expect("a name").to_owned();
    listing["rescued"].as_array().expect("a list").iter().map(of).collect()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// What a person sees of their repository: status, branches, stash, configuration.
fn canonical(home: &Home, repository: &Path) -> [String; 4] {
    [
        home.git(repository, ["status", "--porcelain=v2", "--branch"]),
        home.git(repository, ["for-each-ref", "refs/heads/main", "refs/stash", "refs/tags"]),
        home.git(repository, ["stash", "list"]),
        read(&repository.join(".git/config")),
    ]
}

/// Runs the command behind a label of what `restore` says.
fn follow(mirror: &Mirror, said: &str, label: &str) -> String {
    let command = said.lines().find_map(|line| line.trim().strip_prefix(label)).expect("the command");
    let ran = mirror.home.command("sh").args(["-c", command]).output().expect("a shell");
    assert!(ran.status.success(), "{command}: {}", String::from_utf8_lossy(&ran.stderr));
    String::from_utf8_lossy(&ran.stdout).into_owned()
}

#[test]
fn edits_commits_and_what_was_staged_come_back_in_a_new_directory() {
    let mirror = synced();
    let (home, worktree) = (&mirror.home, mirror.worktree());
    fs::write(worktree.join("mine.txt"), "a commit\n").expect("the file");
    let commit = home.commit(&worktree, "my commit");
    fs::write(worktree.join("public/index.html"), "staged\n").expect("the edit");
    home.git(&worktree, ["add", "public/index.html"]);
    fs::write(worktree.join("public/index.html"), "edited\n").expect("the edit");
    fs::write(worktree.join("nøtes \u{1b}.txt"), "new\n").expect("the new file");
    let _ = mirror.run(&["sync"]).exits(0);
    let before = canonical(home, &mirror.repository);

    let all = names(&mirror);
    let [name] = all.as_slice() else { panic!("one: {all:?}") };
    let shown = mirror.run(&["rescued", "show", &name[..12]]).exits(0).stdout;
    assert!(shown.contains("M public/index.html") && shown.contains("my commit"), "{shown}");
    assert!(!shown.contains('\u{1b}'), "{shown}");
    let back = home.at("back");
    let arguments = ["rescued", "restore", &name[..12], "--to", &back.to_string_lossy()];
    let said = mirror.run(&arguments).exits(0).stdout;
    assert_eq!(read(&back.join("files/public/index.html")), "edited\n");
    assert_eq!(read(&back.join("files/nøtes \u{1b}.txt")), "new\n");
    assert_eq!(read(&back.join("staged/public/index.html")), "staged\n");
    assert!(read(&back.join("commits/0001-my-commit.patch")).contains("a commit"));
    assert!(mirror.run(&arguments).exits(1).stderr.contains("there already"));
    assert_eq!(canonical(home, &mirror.repository), before, "nothing is done to the repository");

    follow(&mirror, &said, "edits");
    assert_eq!(read(&mirror.repository.join("public/index.html")), "edited\n");
    home.git(&mirror.repository, ["reset", "--quiet", "--hard"]);
    follow(&mirror, &said, "commits");
    assert_eq!(read(&mirror.repository.join("mine.txt")), "a commit\n");
    follow(&mirror, &said, "branch");
    let branch = format!("rescued-{name}");
    home.git(&mirror.repository, ["merge-base", "--is-ancestor", &commit, &branch]);
}

#[test]
fn what_was_moved_or_replaced_comes_back_too() {
    let mirror = synced();
    let inner = mirror.worktree().join("inner");
    fs::create_dir(&inner).expect("a folder");
    mirror.home.git(&inner, ["init", "--quiet"]);
    fs::write(inner.join("thesis.txt"), "years\n").expect("the file");
    let _ = mirror.run(&["sync"]).exits(0);
    let all = names(&mirror);
    let [name] = all.as_slice() else { panic!("one: {all:?}") };
    let back = mirror.home.at("back");
    let said = mirror.run(&["rescued", "restore", name, "--to", &back.to_string_lossy()]).exits(0).stdout;
    assert!(said.contains("back has inner"), "{said}");
    assert_eq!(read(&back.join("kept/inner/thesis.txt")), "years\n");
    assert!(back.join("kept/inner/.git/HEAD").exists());
}

#[test]
fn a_name_that_is_not_there_is_told_with_the_nearest_and_drop_asks_first() {
    let mirror = synced();
    fs::write(mirror.worktree().join("notes.txt"), "new\n").expect("the new file");
    let _ = mirror.run(&["sync"]).exits(0);
    let name = names(&mirror).remove(0);
    let typo = format!("{}x", &name[..name.len() - 1]);
    let told = mirror.run(&["rescued", "show", &typo]).exits(2).stderr;
    assert!(told.contains(&format!("did you mean `{name}`?")), "{told}");
    assert!(mirror.run(&["rescued", "drop", &name]).exits(1).stderr.contains("--yes"));
    assert_eq!(names(&mirror), [name.as_str()]);
    let _ = mirror.run(&["rescued", "drop", &name, "--yes"]).exits(0);
    assert!(names(&mirror).is_empty());
    assert_eq!(mirror.run(&["rescued"]).exits(0).stdout, "nothing was set aside\n");
    let left = fs::read_dir(mirror.state().join("rescued")).expect("the folder").count();
    assert_eq!(left, 0, "the patch is gone as well");
}

#[test]
fn a_rebase_under_way_can_be_gone_on_with_elsewhere() {
    let mirror = synced();
    let (home, worktree) = (&mirror.home, mirror.worktree());
    let start = home.git(&worktree, ["rev-parse", "HEAD"]);
    fs::write(worktree.join("public/index.html"), "theirs\n").expect("the edit");
    let theirs = home.commit(&worktree, "theirs");
    home.git(&worktree, ["reset", "--quiet", "--hard", &start]);
    for (file, text) in [("public/index.html", "ours\n"), ("second.txt", "second\n")] {
        fs::write(worktree.join(file), text).expect("the edit");
        home.commit(&worktree, file);
    }
    fs::write(worktree.join("second.txt"), "put away\n").expect("an edit before the rebase");
    let mut git = home.command("git");
    let rebase = git.args(["rebase", "--autostash", &theirs]).current_dir(&worktree).output();
    assert!(!rebase.expect("git starts").status.success(), "the rebase meets a conflict");
    let halfway = read(&worktree.join("public/index.html"));
    assert!(halfway.contains("<<<<<<<"), "{halfway}");
    let before = canonical(home, &mirror.repository);

    let _ = mirror.run(&["sync"]).exits(0);
    assert_eq!(canonical(home, &mirror.repository), before, "the stash of everybody is as it was");
    let all = names(&mirror);
    let [name] = all.as_slice() else { panic!("one: {all:?}") };
    let back = home.at("back");
    let said = mirror.run(&["rescued", "restore", name, "--to", &back.to_string_lossy()]).exits(0).stdout;
    assert!(said.contains("a rebase under way"), "{said}");
    let status = follow(&mirror, &said, "go on");
    assert!(status.contains("rebase in progress") && status.contains("both modified"), "{status}");
    let again = back.join("worktree");
    assert_eq!(read(&again.join("public/index.html")), halfway);
    fs::write(again.join("public/index.html"), "both\n").expect("the conflict is resolved");
    home.git(&again, ["add", "public/index.html"]);
    home.git(&again, ["-c", "core.editor=true", "rebase", "--continue"]);
    assert_eq!(read(&again.join("second.txt")), "put away\n", "what was put away is there again");
    assert_eq!(home.git(&again, ["show", "HEAD:second.txt"]), "second");
    assert_eq!(home.git(&again, ["rev-parse", "HEAD~2"]), theirs);
    assert_eq!(home.git(&worktree, ["rev-parse", "HEAD"]), start, "the mirror stays where it is");
}

#[test]
fn a_conflict_keeps_all_its_sides_and_a_second_sync_keeps_nothing_twice() {
    let mirror = synced();
    let (home, worktree) = (&mirror.home, mirror.worktree());
    let start = home.git(&worktree, ["rev-parse", "HEAD"]);
    fs::write(worktree.join("public/index.html"), "theirs\n").expect("the edit");
    let theirs = home.commit(&worktree, "theirs");
    home.git(&worktree, ["reset", "--quiet", "--hard", &start]);
    fs::write(worktree.join("public/index.html"), "ours\n").expect("the edit");
    home.commit(&worktree, "ours");
    let mut git = home.command("git");
    let merge = git.args(["merge", &theirs]).current_dir(&worktree).output();
    assert!(!merge.expect("git starts").status.success(), "the merge meets a conflict");
    fs::write(worktree.join("public/index.html"), "half\n").expect("half a resolution");
    let _ = mirror.run(&["sync"]).exits(0);
    let _ = mirror.run(&["sync"]).exits(0);
    let all = names(&mirror);
    let [name] = all.as_slice() else { panic!("one: {all:?}") };
    let back = home.at("back");
    let said = mirror.run(&["rescued", "restore", name, "--to", &back.to_string_lossy()]).exits(0).stdout;
    assert!(said.contains("a merge under way") && said.contains("2 commits"), "{said}");
    assert_eq!(read(&back.join("files/public/index.html")), "half\n");
    assert_eq!(read(&back.join("staged/public/index.html~ours")), "ours\n");
    assert_eq!(read(&back.join("staged/public/index.html~theirs")), "theirs\n");
    assert!(read(&back.join("operation/MERGE_MSG")).contains("Merge commit"));
    let status = follow(&mirror, &said, "go on");
    assert!(status.contains("unmerged paths") || status.contains("All conflicts fixed"), "{status}");
}
