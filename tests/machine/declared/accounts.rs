//! `user` and `unix-group`: the accounts that each system has.

use super::world::World;

#[test]
fn an_account_is_as_asked() {
    let world = World::new();
    let all = housecall::probes::accounts::groups_of("nobody", std::time::Duration::from_secs(10))
        .expect("its groups");
    let all: Vec<String> = all.iter().map(u32::to_string).collect();
    for good in [
        "user = { name = 'root' }",
        "user = { name = 'root', uid = 0, gid = 0 }",
        "user = { name = 'root', groups = ['0'] }",
        &format!("user = {{ name = 'nobody', groups = {all:?}, only = true }}"),
        "user = { name = 'no-such-user', exists = false }",
        "unix-group = { name = 'no-such-group', exists = false }",
        "unix-group = { name = 'daemon' }",
    ] {
        assert_eq!(world.look(good), "pass", "{good}");
    }
    for (question, told) in [
        ("user = { name = 'no-such-user' }", "fail: there is no user no-such-user"),
        ("user = { name = 'root', exists = false }", "fail: there is a user root"),
        ("user = { name = 'root', uid = 7 }", "fail: the user root has another number; expected 7; actual 0"),
        (
            "user = { name = 'root', shell = '/bin/none' }",
            "fail: the user root has another shell; expected /bin/none; actual ",
        ),
        (
            "user = { name = 'root', home = '~' }",
            "fail: the user root has another home directory; expected ~; actual /",
        ),
        ("user = { name = 'root', groups = ['no-such'] }", "fail: there is no group no-such"),
        (
            "user = { name = 'nobody', groups = ['daemon'] }",
            "fail: the user nobody is not in the group daemon; expected daemon; actual no",
        ),
        ("unix-group = { name = 'no-such-group' }", "fail: there is no group no-such-group"),
        ("unix-group = { name = 'daemon', exists = false }", "fail: there is a group daemon"),
        (
            "unix-group = { name = 'daemon', gid = 7777 }",
            "fail: the group daemon has another number; expected 7777; actual 1",
        ),
    ] {
        let seen = world.look(question);
        assert!(seen.starts_with(told), "{question}: {seen}");
        assert!(world.nowhere(question).starts_with("unknown: the test gave no"), "{question}");
    }
    for (question, told) in [
        ("user = { name = 'x', exists = false, uid = 1 }", "nothing can be asked"),
        ("unix-group = { name = 'x', exists = false, gid = 1 }", "has no number"),
        ("user = { name = 'x', only = true }", "`only` has nothing to be only of"),
    ] {
        assert!(world.mistakes(question).contains(told), "{question}");
    }
}
