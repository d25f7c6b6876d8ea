//! What can never fail is no check: it is refused where it is written, with what to write instead.

use super::world::World;

#[test]
fn what_can_never_fail_is_refused_at_its_place() {
    let world = World::new();
    let script = |what: &str| format!("command = {{ run = ['true'], {what} }}");
    let file = |what: &str| format!("file = {{ path = '/x', {what} }}");
    let text = |what: &str| file(&format!("content = {{ {what} }}"));
    let process = |what: &str| format!("process = {{ {what} }}");
    for (question, message) in [
        (text(""), "nothing is asked of the text"),
        (text("contains = [], absent = []"), "nothing is asked of the text"),
        (text("contains = ['ok', '']"), "an empty text is in every text"),
        (text("absent = ['']"), "an empty text is in every text"),
        (text("contains = ['${EMPTY}']"), "an empty text is in every text"),
        (text("matches = ['']"), "`` is found in every text"),
        (text("matches = ['ok', '(?s).*']"), "`(?s).*` is found in every text"),
        (text("no-match = ['x*']"), "`x*` is found in every text"),
        (text("contains = ['ok'], number = {}"), "nothing is asked of the number"),
        (script("stdout = {}"), "nothing is asked of the text"),
        (script("stderr = {}"), "nothing is asked of the text"),
        (script("exit = []"), "no exit code is right"),
        ("connect = { address = 'localhost:1', banner = {} }".into(), "nothing is asked of the text"),
        ("disk = { path = '/' }".into(), "nothing is asked of the volume"),
        ("disk = { path = '/', free = '0' }".into(), "every volume has that much"),
        ("disk = { path = '/', free = '0%' }".into(), "every volume has that much"),
        ("disk = { path = '/', free = '5%', inodes = '0' }".into(), "every volume has that much"),
        ("disk = { path = '/', used = { max = 100 } }".into(), "every volume is used to such a part"),
        ("disk = { path = '/', used = { min = 0 } }".into(), "every volume is used to such a part"),
        ("disk = { path = '/', used = { max = 90, min = nan } }".into(), "a bound is no number"),
        ("interface = { name = 'lo', mtu = { min = 0 } }".into(), "every interface has such an MTU"),
        ("interface = { name = 'lo', mtu = { above = -1 } }".into(), "every interface has such an MTU"),
        ("package = { name = 'bash', exact = [] }".into(), "no version is named"),
        (text("number = { max = inf }"), "a bound is no number"),
        (text("number = { above = -inf }"), "a bound is no number"),
        (text("json = { a = inf }"), "JSON has no such number"),
        (text("json = { a = [1, { b = -nan }] }"), "JSON has no such number"),
        (text("json = { a = 2026-01-01 }"), "JSON has no dates"),
        (text("json = { a = { b = [2026-01-01T00:00:00Z] } }"), "JSON has no dates"),
        ("dns = { name = 'localhost', only = true }".into(), "`only` has nothing to be only of"),
        ("env = { name = 'HOME', value = {} }".into(), "nothing is asked of the text"),
        (file("mode = []"), "the list is empty"),
        (file("owner = ['root', '']"), "a name is empty"),
        (file("mode = ['0644', '9']"), "`9` is no mode"),
        ("user = { name = 'root', uid = [] }".into(), "no number is right"),
        ("user = { name = 'root', gid = { min = 0 } }".into(), "every number is right"),
        ("user = { name = 'root', shell = [] }".into(), "the list is empty"),
        ("unix-group = { name = 'root', gid = {} }".into(), "nothing is asked of the number"),
        (file("size = {}"), "every file is of that size"),
        (file("size = { min = '0' }"), "every file is of that size"),
        (file("size = { min = '2', max = '1' }"), "`min` is more than `max`"),
        ("git = { repository = '/x', untracked = false }".into(), "`untracked` is about `clean`"),
        ("http = { url = 'http://localhost:1', page = {} }".into(), "nothing is asked of the text"),
        ("http = { url = 'http://localhost:1', status = [] }".into(), "no status is right"),
        (
            "http = { url = 'http://localhost:1', header = { etag = { contains = [''] } } }".into(),
            "an empty text is in every text",
        ),
        ("kernel-param = { key = 'kernel.ostype', value = {} }".into(), "nothing is asked of the text"),
        ("listener = { address = ':80', command = '.*' }".into(), "`.*` is found in every text"),
        ("listener = { address = ':80', directory = '/' }".into(), "everything runs beneath /"),
        ("package = { name = 'bash', version = '*' }".into(), "every release is in the range `*`"),
        (process("name = 'x', count = { min = 0 }"), "there are always that many"),
        (process("name = '', absent = true"), "no process has such a name"),
        (process("name = '/usr/sbin/nginx', absent = true"), "no process has such a name"),
        (process("command = '', absent = true"), "`` is found in every text"),
        ("tool = { name = 'sh', version = '*' }".into(), "every release is in the range `*`"),
    ] {
        let told = world.mistakes(&format!("{question}\n[variables]\nEMPTY = ''"));
        assert!(told.contains(message), "{question}: {told}");
        // The place is underlined, below the line of the check.
        assert!(told.contains("housecall.toml:2:"), "{question}: {told}");
    }
    let page = |what: &str| {
        let text = format!("command = {{ run = ['true'] }}\n[[page]]\nurl = 'http://localhost:1/'\n{what}");
        world.mistakes(&text)
    };
    assert!(page("contains = ['']").contains("an empty text is in every text"));
    assert!(page("absent = ['']").contains("an empty text is in every text"));
    assert!(page("matches = ['^']").contains("`^` is found in every text"));
}

#[test]
fn what_can_fail_is_taken() {
    let world = World::new();
    for question in [
        "file = { path = '/x', content = { equals = '' } }",
        "file = { path = '/x', content = { lines = [''] } }",
        "file = { path = '/x', content = { no-line = ['.*'] } }",
        "file = { path = '/x', content = { matches = ['^$'] } }",
        "file = { path = '/x', size = { max = '0' } }",
        "command = { run = ['true'], stdout = { version = '*' } }",
        "http = { url = 'http://localhost:1', header = { etag = {} } }",
        "process = { name = 'x', count = { min = 0, max = 3 } }",
        "process = { command = '.*', owner = 'nobody', absent = true }",
        "disk = { path = '/', free = '1' }",
        "disk = { path = '/', used = { max = 99 } }",
        "interface = { name = 'lo', mtu = { min = 1 } }",
    ] {
        world.config(question);
    }
}
