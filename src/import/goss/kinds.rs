//! What each kind of resource becomes.

use super::super::Item;
use super::super::template;
use super::super::yaml::{Node, Value};
use super::matcher::{self, Of, Reason};
use super::resource::{Draft, Resource};

/// How long goss lets a command run that says nothing, in milliseconds.
const COMMAND: u64 = 10_000;

/// A kind of resource: what goss calls it, and what it becomes.
pub(super) type Turn = fn(&mut Resource<'_>) -> Vec<Draft>;

/// Every kind but `gossfile`, in goss's order.
pub(super) const KINDS: &[(&str, Turn)] = &[
    ("addr", addr),
    ("command", command),
    ("dns", dns),
    ("file", file),
    ("group", group),
    ("http", super::http::http),
    ("interface", interface),
    ("kernel-param", kernel_param),
    ("matching", matching),
    ("mount", mount),
    ("package", package),
    ("port", port),
    ("process", process),
    ("service", service),
    ("user", user),
];

fn addr(it: &mut Resource<'_>) -> Vec<Draft> {
    let address = it.name("address");
    it.without("local-address", "the address to connect from is not chosen");
    let Some(place) = address.strip_prefix("tcp://") else {
        it.drop_all();
        it.miss(it.line, "", "only tcp:// can be connected to; over udp every address is reachable");
        return Vec::new();
    };
    let mut draft = Draft::new("connect");
    draft.say("address", Item::text(place));
    draft.maybe("reachable", it.flag("reachable").filter(|it| !it).map(Item::Bool));
    draft.timeout = it.timeout();
    vec![draft]
}

fn command(it: &mut Resource<'_>) -> Vec<Draft> {
    let exec = it.name("exec");
    let mut draft = Draft::new("command");
    if template::is_open(&exec) {
        draft.say("run", Item::texts(["/bin/sh".to_owned(), "-c".to_owned(), exec]));
    } else {
        draft.say("script", Item::Plain(exec));
    }
    let exit = it.read("exit-status", matcher::any_or_within);
    draft.maybe("exit", exit.filter(|it| *it != Item::List(vec![Item::Number("0".to_owned())])));
    draft.maybe("stdout", it.said("stdout", Of::Output));
    draft.maybe("stderr", it.said("stderr", Of::Output));
    draft.timeout = it.timeout().or(Some(COMMAND));
    vec![draft]
}

fn dns(it: &mut Resource<'_>) -> Vec<Draft> {
    let name = it.name("resolve");
    let mut draft = Draft::new("dns");
    let (record, host) = match name.split_once(':') {
        Some((record, host)) if record.bytes().all(|it| it.is_ascii_uppercase()) => (Some(record), host),
        _ => (None, name.as_str()),
    };
    draft.say("name", Item::text(host.trim_end_matches('.')));
    let server = it.exactly("server").filter(|server| *server != Item::text(""));
    // Without a server goss asks the system's resolver, whatever the record is.
    draft.maybe("record", record.filter(|_| server.is_some()).map(Item::text));
    draft.maybe("server", server.clone());
    let resolves =
        [it.flag("resolvable"), it.flag("resolveable")].into_iter().flatten().next().unwrap_or(true);
    let timeout = it.timeout();
    draft.timeout = if server.is_some() { timeout.or(Some(500)) } else { timeout };
    if !resolves {
        draft.say("resolves", Item::Bool(false));
        it.drop_all();
        return vec![draft];
    }
    let answers = it.several("addrs");
    draft.maybe("only", answers.as_ref().filter(|(_, only)| *only).map(|_| Item::Bool(true)));
    draft.maybe("answers", answers.map(|(all, _)| Item::texts(all)));
    vec![draft]
}

fn file(it: &mut Resource<'_>) -> Vec<Draft> {
    let mut draft = Draft::new("file");
    let path = it.name("path");
    draft.say("path", Item::text(path.clone()));
    if it.flag("exists") == Some(false) {
        draft.say("exists", Item::Bool(false));
        it.drop_all();
        return vec![draft];
    }
    let kind = it.read("filetype", |node| match matcher::exactly(node)?.as_str() {
        kind @ ("file" | "directory" | "symlink" | "socket") => Ok(kind.to_owned()),
        "pipe" => Ok("fifo".to_owned()),
        other => Err(format!("`{other}` is no sort of file here")),
    });
    // To goss a link is a link, whatever it leads to; only what is read is read through it.
    let itself = ("follow".to_owned(), Item::Bool(false));
    let is_typed = kind.is_some();
    if let Some(kind) = kind {
        let is_other = kind != "symlink";
        draft.say("type", Item::Text(kind));
        draft.table.extend(is_other.then(|| itself.clone()));
    }
    draft.maybe("mode", it.read("mode", mode));
    let mut numbers = Vec::new();
    for (ours, by_name, by_number) in [("owner", "owner", "uid"), ("group", "group", "gid")] {
        let (name, number) = (it.any(by_name), it.read(by_number, matcher::count));
        match (name, number) {
            (Some(name), Some(number)) => {
                draft.say(ours, name);
                numbers.push((ours, number));
            }
            (None, Some(number)) => draft.say(ours, Item::text(number.to_string())),
            (name, None) => draft.maybe(ours, name),
        }
    }
    if let Some((least, most)) = it.read("size", matcher::bounds) {
        let bound = |key: &str, it: Option<u64>| it.map(|it| (key.to_owned(), Item::text(it.to_string())));
        draft.say(
            "size",
            Item::Table([bound("min", least), bound("max", most)].into_iter().flatten().collect()),
        );
    }
    let contents = it.said("contents", Of::Output);
    let contains = it.said("contains", Of::Output);
    draft.maybe("target", it.exactly("linked-to"));
    let mut read = Draft::new("file");
    read.maybe("content", contents.or(contains));
    for digest in ["sha256", "sha512", "md5"] {
        read.maybe(digest, it.exactly(digest));
    }
    let asks_only_to_read = draft.table.len() == 1 && numbers.is_empty() && !read.table.is_empty();
    let mut more = Vec::new();
    if is_typed || asks_only_to_read {
        draft.table.append(&mut read.table);
    } else {
        draft.table.push(itself.clone());
    }
    if !read.table.is_empty() {
        read.table.insert(0, ("path".to_owned(), Item::text(path.clone())));
        more.push(read);
    }
    // One who is named and numbered is asked twice.
    if !numbers.is_empty() {
        let mut numbered = Draft::new("file");
        numbered.table.extend([("path".to_owned(), Item::text(path)), itself]);
        for (ours, number) in numbers {
            numbered.say(ours, Item::text(number.to_string()));
        }
        more.push(numbered);
    }
    [vec![draft], more].concat()
}

/// Octal digits; a number would not say which.
fn mode(node: &Node) -> Result<Item, Reason> {
    let is_number = |node: &Node| matches!(node.value, Value::Number(_));
    let has_number = match matcher::matcher(node) {
        Ok((_, Node { value: Value::List(list), .. })) => list.iter().any(is_number),
        Ok((_, inner)) => is_number(inner),
        Err(_) => is_number(node),
    };
    if has_number {
        return Err("a mode is written in quotes: \"0644\"".to_owned());
    }
    matcher::any(node)
}

fn group(it: &mut Resource<'_>) -> Vec<Draft> {
    let mut draft = Draft::new("unix-group");
    draft.say("name", Item::text(it.name("groupname")));
    if it.flag("exists") == Some(false) {
        draft.say("exists", Item::Bool(false));
        it.drop_all();
    } else {
        draft.maybe("gid", it.read("gid", matcher::id));
    }
    vec![draft]
}

fn interface(it: &mut Resource<'_>) -> Vec<Draft> {
    let mut draft = Draft::new("interface");
    draft.say("name", Item::text(it.name("name")));
    if it.flag("exists") == Some(false) {
        draft.say("exists", Item::Bool(false));
        it.drop_all();
        return vec![draft];
    }
    let addresses = it.several("addrs");
    draft.maybe("only", addresses.as_ref().filter(|(_, only)| *only).map(|_| Item::Bool(true)));
    draft.maybe("addresses", addresses.map(|(all, _)| Item::texts(all)));
    draft.maybe("mtu", it.read("mtu", matcher::within));
    vec![draft]
}

fn kernel_param(it: &mut Resource<'_>) -> Vec<Draft> {
    let mut draft = Draft::new("kernel-param");
    draft.say("key", Item::text(it.name("name")));
    let Some(value) = it.said("value", Of::Value) else {
        it.asks_nothing();
        return Vec::new();
    };
    draft.say("value", value);
    vec![draft]
}

fn matching(it: &mut Resource<'_>) -> Vec<Draft> {
    it.drop_all();
    it.miss(it.line, "", "it compares what the gossfile itself says: ask a variable with `env`, or the file it comes from with `json`");
    Vec::new()
}

fn mount(it: &mut Resource<'_>) -> Vec<Draft> {
    let mut draft = Draft::new("mount");
    let path = it.name("mountpoint");
    draft.say("path", Item::text(path.clone()));
    draft.timeout = it.timeout();
    if it.flag("exists") == Some(false) {
        draft.say("exists", Item::Bool(false));
        it.drop_all();
        return vec![draft];
    }
    draft.maybe("options", it.some("opts"));
    draft.maybe("source", it.exactly("source"));
    draft.maybe("filesystem", it.exactly("filesystem"));
    draft.maybe("superblock", it.some("vfs-opts"));
    let Some(usage) = it.read("usage", matcher::within) else { return vec![draft] };
    let mut disk = Draft::new("disk");
    disk.say("path", Item::text(path));
    disk.timeout = draft.timeout;
    disk.say("used", usage);
    vec![draft, disk]
}

fn package(it: &mut Resource<'_>) -> Vec<Draft> {
    let mut draft = Draft::new("package");
    draft.say("name", Item::text(it.name("name")));
    if it.flag("installed") == Some(false) {
        draft.say("installed", Item::Bool(false));
        it.drop_all();
        return vec![draft];
    }
    let versions = it.read("versions", |node| match matcher::matcher(node) {
        Ok(("semver-constraint", inner)) => Ok(Some(("version", Item::text(matcher::range(inner)?)))),
        _ => match matcher::several(node)? {
            (_, true) => Err("that no other version is installed is not asked".to_owned()),
            (all, false) => Ok(match all.as_slice() {
                [] => None,
                [one] => Some(("exact", Item::text(one))),
                all => Some(("exact", Item::texts(all.iter().cloned()))),
            }),
        },
    });
    if let Some((key, version)) = versions.flatten() {
        draft.say(key, version);
    }
    vec![draft]
}

fn port(it: &mut Resource<'_>) -> Vec<Draft> {
    let name = it.name("port");
    let (protocol, number) = name.split_once(':').unwrap_or(("tcp", &name));
    let scheme = match protocol {
        "tcp" => "tcp4",
        "udp" => "udp4",
        other @ ("tcp6" | "udp6") => other,
        other => {
            it.drop_all();
            it.miss(it.line, "", format!("`{other}` is no kind of socket here"));
            return Vec::new();
        }
    };
    let of = |address: &str| {
        let mut draft = Draft::new("listener");
        draft.say("address", Item::text(format!("{scheme}://{address}:{number}")));
        draft
    };
    if it.flag("listening") == Some(false) {
        it.drop_all();
        let mut draft = of("");
        draft.say("absent", Item::Bool(true));
        return vec![draft];
    }
    let addresses = it.read("ip", |node| match matcher::several(node)? {
        (_, true) => Err("that nobody listens elsewhere is not asked".to_owned()),
        (all, false) => Ok(all),
    });
    match addresses.filter(|all| !all.is_empty()) {
        None => vec![of("")],
        Some(all) => {
            let bracketed = |ip: &String| if ip.contains(':') { format!("[{ip}]") } else { ip.clone() };
            all.iter().map(|ip| of(&bracketed(ip))).collect()
        }
    }
}

fn process(it: &mut Resource<'_>) -> Vec<Draft> {
    let mut draft = Draft::new("process");
    draft.say("name", Item::text(it.name("comm")));
    draft.maybe("absent", it.flag("running").filter(|it| !it).map(|_| Item::Bool(true)));
    vec![draft]
}

fn service(it: &mut Resource<'_>) -> Vec<Draft> {
    let mut draft = Draft::new("service");
    draft.say("name", Item::text(it.name("name")));
    draft.say("scope", Item::text("daemon"));
    let (running, enabled) = (it.flag("running"), it.flag("enabled"));
    it.without("runlevels", "systemd and launchd have none");
    if running.is_none() && enabled.is_none() {
        it.asks_nothing();
        return Vec::new();
    }
    draft.maybe("active", running.map(Item::Bool));
    draft.maybe("enabled", enabled.map(Item::Bool));
    vec![draft]
}

fn user(it: &mut Resource<'_>) -> Vec<Draft> {
    let mut draft = Draft::new("user");
    draft.say("name", Item::text(it.name("username")));
    if it.flag("exists") == Some(false) {
        draft.say("exists", Item::Bool(false));
        it.drop_all();
        return vec![draft];
    }
    draft.maybe("uid", it.read("uid", matcher::id));
    draft.maybe("gid", it.read("gid", matcher::id));
    let groups = it.several("groups");
    draft.maybe("only", groups.as_ref().filter(|(_, only)| *only).map(|_| Item::Bool(true)));
    draft.maybe("groups", groups.map(|(all, _)| Item::texts(all)));
    draft.maybe("home", it.any("home"));
    draft.maybe("shell", it.any("shell"));
    vec![draft]
}
