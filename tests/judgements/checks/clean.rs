//! Whether anybody edited or added anything in the mirror.

use housecall::checks::worktree::worktree_clean;
use housecall::cx::Probes;
use housecall::error::ProbeError;
use housecall::probes::Probe;
use housecall::probes::git::Changes;
use insta::assert_snapshot;

use super::worlds::{cx, verdict};

fn clean(changes: Result<Changes, ProbeError>) -> String {
    verdict(&worktree_clean::CHECK, &cx(Probes { changes: Probe::given(changes), ..Probes::default() }))
}

fn files(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

#[test]
fn worktree_clean_clean() {
    assert_snapshot!(clean(Ok(Changes::default())), @"pass clean");
}

#[test]
fn worktree_clean_but_for_what_housecall_put_there() {
    let untracked = files(&[".env.local", "node_modules/astro/package.json"]);
    assert_snapshot!(clean(Ok(Changes { untracked, ..Changes::default() })), @"pass clean");
}

#[test]
fn worktree_clean_edited() {
    assert_snapshot!(clean(Ok(Changes { tracked: files(&["src/page.md"]), ..Changes::default() })), @"
    fail the worktree has 1 edited file
      edited: src/page.md
    ");
    let tracked = files(&["a.md", "b.md", "c.md", "d.md"]);
    let untracked = files(&["e.md", "f.md", "g.md", ".env.local"]);
    assert_snapshot!(clean(Ok(Changes { tracked, untracked, ..Changes::default() })), @"
    fail the worktree has 4 edited files and 3 new files
      edited: a.md
      edited: b.md
      edited: c.md
      edited: d.md
      new: e.md
      and: 2 more
    ");
}

#[test]
fn worktree_clean_hidden_and_as_checked_out() {
    let hidden = files(&["src/page.md"]);
    assert_snapshot!(clean(Ok(Changes { hidden, ..Changes::default() })), @"
    fail the worktree has 1 hidden edit
      hidden: src/page.md
    ");
    let as_checked_out = files(&["a.txt"]);
    assert_snapshot!(clean(Ok(Changes { as_checked_out, ..Changes::default() })), @"pass clean: `a.txt`, which git calls modified, is as committed");
    let as_checked_out = files(&["a.txt", "b.txt", "c.txt"]);
    assert_snapshot!(clean(Ok(Changes { as_checked_out, ..Changes::default() })), @"pass clean: `a.txt` and 2 more, which git calls modified, are as committed");
}

#[test]
fn worktree_clean_with_a_corrupt_index() {
    let corrupt = Some("index file smaller than expected".to_owned());
    assert_snapshot!(clean(Ok(Changes { corrupt, ..Changes::default() })), @"
    fail the worktree's index is corrupt
      actual: index file smaller than expected
    ");
}

#[test]
fn worktree_clean_unknown() {
    assert_snapshot!(clean(Err(ProbeError::NotTrusted { what: "git".to_owned() })), @"unknown not trusted: git is not run before `housecall trust`");
}
