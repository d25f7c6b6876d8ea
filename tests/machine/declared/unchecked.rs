//! `unchecked`: what a check says that it does not look at is never green.

use super::world::World;

#[test]
fn what_is_not_looked_at_never_passes() {
    let world = World::new();
    world.home.write("there", "");
    let gap = "unchecked = ['its owner', 'its ${HOME} and $${HOME}']";
    let told = "unknown: its `unchecked` is not looked at: its owner; its ~ and ${HOME}";
    assert_eq!(world.look(&format!("{gap}\nfile = {{ path = 'there' }}")), told);
    assert_eq!(world.look(gap), told, "a check may be nothing else");
    // What fails, fails as it does elsewhere, and tells of the rest.
    let gone = format!("{gap}\nfile = {{ path = 'gone' }}\nhelp = 'make it'");
    assert_eq!(world.look(&gone), world.look("file = { path = 'gone' }"));
    assert!(world.look(&gone).starts_with("fail: "));
    assert!(world.evidence(&gone, "unchecked").starts_with("its owner; "));
    assert_eq!(world.evidence(&gone, "help"), "make it");
    // What cannot be seen, and what does not apply, says so itself.
    let unseen = world.look(&format!("{gap}\ncommand = {{ run = ['./gone'] }}"));
    assert!(unseen.starts_with("unknown: cannot run"), "{unseen}");
    let elsewhere = world.look(&format!("{gap}\nwhen = {{ env = ['NOT_SET'] }}"));
    assert_eq!(elsewhere, "skip: only where NOT_SET is set");
    assert_eq!(
        world.look("unchecked = []\nfile = { path = 'there' }"),
        "pass",
        "an empty list names nothing"
    );
}

#[test]
fn what_says_nothing_is_told() {
    let world = World::new();
    for (question, told) in [
        ("unchecked = []", "`it` is no check of Housecall's own, and asks nothing"),
        ("unchecked = ['a', ' ']", "this says nothing"),
        ("unchecked = 'a'", "expected a list"),
        ("unchecked = ['${NOT_SET}']", "the variable `NOT_SET` is not set"),
        ("unchecked = ['a']\n[check.log-size]\nunchecked = ['b']", "of which only `severity` can be said"),
        ("unchecked = ['a']\nfile = { pathh = 'x' }", "unknown key `pathh`"),
    ] {
        let mistakes = world.mistakes(question);
        assert!(mistakes.contains(told), "{question}: {mistakes}");
    }
}
