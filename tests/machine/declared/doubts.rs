//! What was not seen is never green: outputs that were cut, names that are links, processes that hide, errors of our own.

use std::io::Write;
use std::net::TcpListener;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::symlink;
use std::process::{Command, Stdio};
use std::thread;

use support::processes::Kept;

use super::world::World;

fn is_unknown(told: &str, why: &str) {
    assert!(told.starts_with("unknown: ") && told.contains(why), "{told}");
}

#[test]
fn an_output_that_is_cut_is_no_proof_of_what_is_not_in_it() {
    let world = World::new();
    let long = "head -c 2000000 /dev/zero | tr '\\0' a; echo ERROR";
    let ask = |what: &str| world.look(&format!("command = {{ script = '''{long}''', {what} }}"));
    is_unknown(&ask("stdout = { absent = ['ERROR'] }"), "longer than is read");
    is_unknown(&ask("stdout = { contains = ['ERROR'] }"), "longer than is read");
    is_unknown(&ask("stdout = { matches = ['\\A[^E]*\\z'] }"), "longer than is read");
    is_unknown(&ask("stdout = { version = '*' }"), "longer than is read");
    assert!(ask("stdout = { absent = ['aaa'] }").starts_with("fail: its output has a text"));
    assert!(ask("stdout = { equals = 'b' }").starts_with("fail: its output is another"));
    for good in ["stdout = { contains = ['aaa'] }", "stderr = { absent = ['ERROR'] }", "exit = [0]"] {
        assert_eq!(ask(good), "pass", "{good}");
    }
    // Who holds the output may still say what is not awaited.
    let held = "command = { script = 'sleep 3 & echo begun', stdout = { absent = ['ERROR'] } }";
    is_unknown(&world.look(held), "longer than is read");
    assert_eq!(world.look(&held.replace("absent = ['ERROR']", "contains = ['begun']")), "pass");
}

/// A server of one page of that many bytes, and then a word.
fn long_page(length: usize) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("its address");
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut request = [0; 4096];
            let _ = std::io::Read::read(&mut stream, &mut request);
            let body = format!("\"{}\" ERROR", "a".repeat(length));
            let _ = write!(
                stream,
                "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            );
        }
    });
    format!("http://{address}/")
}

#[test]
fn a_page_that_is_cut_is_no_proof_either() {
    let world = World::new();
    let url = long_page(5 << 20);
    let ask = |what: &str| world.look(&format!("http = {{ url = '{url}', {what} }}"));
    is_unknown(&ask("page = { matches = ['\\A[^E]*\\z'] }"), "longer than is read");
    is_unknown(&ask("page = { absent = ['ERROR'] }"), "longer than is read");
    is_unknown(&ask("json = { a = 1 }"), "longer than is read");
    assert_eq!(ask("page = { contains = ['aaa'] }"), "pass");
    assert!(ask("page = { equals = 'x' }").starts_with("fail: the page is another"));
}

/// A python program that opens sockets, says its line, and waits for its input's end.
fn python(script: &str) -> (Kept, String) {
    let whole = format!("import socket,sys\n{script}\nsys.stdout.flush()\nsys.stdin.read()\n");
    let mut command = Command::new("/usr/bin/env");
    command.args(["python3", "-c", &whole]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut kept = Kept::start(&mut command);
    let mut line = String::new();
    let output = kept.0.stdout.as_mut().expect("its output");
    std::io::BufRead::read_line(&mut std::io::BufReader::new(output), &mut line).expect("its line");
    (kept, line.trim().to_owned())
}

#[test]
fn an_ipv4_listener_is_one_in_an_ipv6_socket_too() {
    let world = World::new();
    for host in ["::ffff:0.0.0.0", "::ffff:127.0.0.1"] {
        let (_kept, port) = python(&format!(
            "s=socket.socket(socket.AF_INET6)\ns.setsockopt(41,26,0)\ns.bind(('{host}',0))\ns.listen()\nprint(s.getsockname()[1])"
        ));
        let ask = |more: &str| world.look(&format!("listener = {{ address = '127.0.0.1:{port}'{more} }}"));
        assert_eq!(ask(""), "pass", "{host}");
        assert!(ask(", absent = true").starts_with("fail: somebody listens"), "{host}");
    }
}

#[test]
fn every_server_of_an_address_is_judged() {
    let world = World::new();
    let good = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = good.local_addr().expect("its address").port();
    let (_evil, _) = python(&format!(
        "s=socket.socket(socket.AF_INET6)\ns.setsockopt(41,26,1)\ns.bind(('::1',{port}))\ns.listen()\nprint()"
    ));
    let ask = |more: &str| world.look(&format!("listener = {{ address = ':{port}', {more} }}"));
    let told = ask("command = 'declared'");
    assert!(told.starts_with("fail: another program listens on") && told.contains("python3"), "{told}");
    assert!(ask("directory = '/nowhere'").starts_with("fail: "));
    // Both at one address: the kernel gives each connection to either.
    let (_first, port) = python(
        "s=socket.socket()\ns.setsockopt(1,15,1)\ns.bind(('127.0.0.1',0))\ns.listen()\nprint(s.getsockname()[1])",
    );
    let (_second, _) = python(&format!(
        "import time\ns=socket.socket()\ns.setsockopt(1,15,1)\ns.bind(('127.0.0.1',{port}))\ns.listen()\nprint()"
    ));
    let told = world.look(&format!("listener = {{ address = '127.0.0.1:{port}', command = 'import time' }}"));
    assert!(told.starts_with("fail: another program listens on"), "{told}");
    // A socket that was handed on is answered by whoever holds it. The child is killed as its parent ends.
    let (_both, port) = python(
        "import ctypes,subprocess\ns=socket.socket()\ns.bind(('127.0.0.1',0))\ns.listen()\ns.set_inheritable(True)\n\
         child=subprocess.Popen(['sleep','20'],close_fds=False,preexec_fn=lambda: ctypes.CDLL(None).prctl(1,9))\n\
         print(s.getsockname()[1])",
    );
    let told = world.look(&format!("listener = {{ address = '127.0.0.1:{port}', command = 'python3' }}"));
    assert!(told.starts_with("fail: another program listens on") && told.contains("sleep 20"), "{told}");
}

#[test]
fn a_link_is_the_place_that_it_leads_to() {
    let world = World::new();
    let real = world.home.at("real");
    std::fs::create_dir(&real).expect("a directory");
    symlink(&real, world.home.at("alias")).expect("a link");
    let _here = Kept::start(Command::new("sleep").arg("86331").current_dir(&real));
    world.home.write(
        "housecall.toml",
        "[check.it]\nprocess = { command = '^sleep 86331$', directory = 'alias', absent = true }\n",
    );
    assert_eq!(world.home.housecall(["--json"]).report().status("it"), "fail");
    symlink("/proc", world.home.at("mounted")).expect("a link");
    assert!(world.look("mount = { path = '~/mounted', exists = false }").starts_with("fail: something is"));
    assert_eq!(world.look("mount = { path = '~/mounted' }"), "pass");
    let _unix = std::os::unix::net::UnixListener::bind(real.join("x.sock")).expect("a socket");
    for place in ["alias/x.sock", "real/x.sock"] {
        let ask = |more: &str| {
            let place = world.home.at(place);
            world.look(&format!("listener = {{ address = 'unix:{}'{more} }}", place.display()))
        };
        assert_eq!(ask(""), "pass", "{place}");
        assert!(ask(", absent = true").starts_with("fail: somebody listens on"), "{place}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_socket_with_a_relative_name_may_be_any_of_that_name() {
    let world = World::new();
    let (_kept, _) = python(&format!(
        "import os\nos.chdir('{}')\ns=socket.socket(socket.AF_UNIX)\ns.bind('rel-86332.sock')\ns.listen()\nprint()",
        world.home.path().display()
    ));
    let place = world.home.at("rel-86332.sock");
    for more in ["", ", absent = true"] {
        let told = world.look(&format!("listener = {{ address = 'unix:{}'{more} }}", place.display()));
        is_unknown(&told, "a socket was bound by the relative name rel-86332.sock");
    }
}

/// As another user than root, of whose processes the kernel hides the executables.
#[cfg(target_os = "linux")]
fn look_as_nobody(world: &World, question: &str) -> String {
    use std::os::unix::fs::PermissionsExt;
    let file = world.home.write("housecall.toml", format!("[check.it]\n{question}\n"));
    let binary = world.home.at("housecall-of-nobody");
    let _ = std::fs::remove_file(&binary);
    std::fs::copy(support::housecall::binary(), &binary).expect("a copy");
    for place in world.home.path().ancestors().filter(|it| it.starts_with(std::env::temp_dir())) {
        let mode = place.metadata().expect("a directory").permissions().mode();
        if mode & 0o005 != 0o005 {
            std::fs::set_permissions(place, PermissionsExt::from_mode(mode | 0o055)).expect("open");
        }
    }
    let mut command = world.home.command("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(&binary).arg("--config").arg(file);
    let output = command.args(["--json"]).output().expect("setpriv");
    let report: serde_json::Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    let units = report["checks"].as_array().expect("checks");
    units.iter().find(|it| it["check"] == "it" || it["id"] == "it").expect("it")["status"].to_string()
}

#[test]
#[cfg(target_os = "linux")]
fn a_process_that_hides_its_executable_is_known_by_what_the_kernel_calls_it() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let world = World::new();
    let program = world.home.at("rvsleep86");
    std::fs::copy("/usr/bin/sleep", &program).expect("a copy");
    let longer = world.home.at("rvsleep86-of-a-long-name");
    std::fs::copy("/usr/bin/sleep", &longer).expect("a copy");
    let start = |program: &std::path::Path| {
        use std::os::unix::process::CommandExt;
        Kept::start(Command::new(program).arg0("worker: idle").arg("60"))
    };
    let (_one, _two) = (start(&program), start(&longer));
    let ask = |name: &str| look_as_nobody(&world, &format!("process = {{ name = '{name}', absent = true }}"));
    assert_eq!(ask("rvsleep86"), "\"fail\"");
    assert_eq!(ask("rvsleep86-of-a-long-name"), "\"unknown\"");
    // What was renamed may be any program: its own word is no proof that it is not this one.
    assert_eq!(ask("no-program-86"), "\"unknown\"");
}

#[test]
fn a_manager_that_failed_says_nothing_of_what_is_not_installed() {
    let mut world = World::new();
    world.home.set("PATH", format!("{}:/usr/bin:/bin", world.home.at("bin").display()));
    world.home.program(
        "bin/rpm",
        "#!/bin/sh\necho 'error: cannot open Packages database in /var/lib/rpm' >&2\n\
         echo 'package x is not installed'; exit 1\n",
    );
    world.home.program(
        "bin/npm",
        "#!/bin/sh\necho '{\"error\":{\"code\":\"EACCES\",\"summary\":\"permission denied\"}}'; exit 1\n",
    );
    world.home.program(
        "bin/pacman",
        "#!/bin/sh\necho 'error: could not open file /var/lib/pacman/local/x/desc' >&2\n\
         echo \"error: package 'x' was not found\" >&2; exit 1\n",
    );
    for (manager, why) in [("rpm", "cannot open"), ("npm", "permission denied"), ("pacman", "could not open")]
    {
        let question = format!("package = {{ name = 'x', manager = '{manager}', installed = false }}");
        is_unknown(&world.look(&question), why);
    }
}

#[test]
fn only_an_answer_says_that_nobody_can_be_reached() {
    let world = World::new();
    let long = format!("unix:{}/{}", world.home.path().display(), "x".repeat(200));
    let ask =
        |address: &str| world.look(&format!("connect = {{ address = '{address}', reachable = false }}"));
    is_unknown(&ask(&long), "cannot connect to");
    let place = world.home.at("data.sock");
    let _datagrams = std::os::unix::net::UnixDatagram::bind(&place).expect("a socket");
    is_unknown(&ask(&format!("unix:{}", place.display())), "cannot connect to");
    let gone = world.home.at("gone.sock");
    drop(std::os::unix::net::UnixListener::bind(&gone).expect("a socket"));
    assert_eq!(ask(&format!("unix:{}", gone.display())), "pass");
    assert_eq!(ask(&format!("unix:{}", world.home.at("none.sock").display())), "pass");
}

#[test]
fn a_server_that_takes_nobody_more_is_silent_and_the_deadline_holds() {
    let world = World::new();
    let place = world.home.at("full.sock");
    let (_kept, _) = python(&format!(
        "s=socket.socket(socket.AF_UNIX)\ns.bind('{place}')\ns.listen(0)\nkept=[]\nimport errno\n\
         while True:\n c=socket.socket(socket.AF_UNIX)\n c.setblocking(False)\n kept.append(c)\n \
         try: c.connect('{place}')\n except BlockingIOError: break\nprint()",
        place = place.display()
    ));
    let question = format!("connect = {{ address = 'unix:{}' }}\ntimeout = '300ms'", place.display());
    assert!(
        world.look(&question).starts_with("fail: ~/full.sock does not answer"),
        "{}",
        world.look(&question)
    );
}

#[test]
fn a_variable_that_is_no_text_is_set_and_handed_on() {
    let mut world = World::new();
    world.home.set("WEIRD", std::ffi::OsString::from_vec(b"a\xff".to_vec()));
    let status = |question: &str| {
        world.home.write("housecall.toml", format!("[check.it]\n{question}\n"));
        world.home.housecall(["--json"]).report().status("it").to_owned()
    };
    assert_eq!(status("env = { name = 'WEIRD', set = false }"), "fail");
    assert_eq!(status("env = { name = 'WEIRD' }"), "pass");
    assert_eq!(status("env = { name = 'WEIRD', value = { absent = ['b'] } }"), "unknown");
    assert_eq!(status("command = { script = 'test -n \"$WEIRD\"' }"), "pass");
    assert_eq!(status("when = { env = ['WEIRD'] }\nenv = { name = 'HOME', set = false }"), "fail");
}

#[test]
fn an_include_leaves_nothing_out_in_silence() {
    let world = World::new();
    let load = |include: &str| {
        world.home.write("housecall.toml", format!("include = ['{include}']\n"));
        world.home.housecall(["--json"])
    };
    let check = "[check.one]\nenv = { name = 'HOME' }\n";
    world.home.write("checks/one.toml", check);
    world.home.write("checks/.hidden.toml", check.replace("one", "hidden"));
    let report = load("checks/*.toml").exits(0).report();
    assert_eq!(report.status("one"), "pass");
    assert!(!report_names(&load("checks/*.toml").stdout, "hidden"), "`*` is no name that begins with a dot");
    assert_eq!(load("checks/.*.toml").exits(0).report().status("hidden"), "pass");
    symlink("nowhere", world.home.at("checks/two.toml")).expect("a link");
    let told = load("checks/*.toml").exits(2).stderr;
    assert!(told.contains("checks/two.toml") && told.contains("is no file"), "{told}");
    std::fs::remove_file(world.home.at("checks/two.toml")).expect("gone");
    std::fs::create_dir(world.home.at("checks/three.toml")).expect("a directory");
    let told = load("checks/*.toml").exits(2).stderr;
    assert!(told.contains("checks/three.toml") && told.contains("is no file"), "{told}");
}

fn report_names(report: &str, name: &str) -> bool {
    report.contains(&format!("\"{name}\""))
}

#[test]
fn a_variable_of_the_file_stands_for_its_value_wherever_something_is_said() {
    let world = World::new();
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    world.home.write(
        "housecall.toml",
        format!(
            "[variables]\nhost = '{host}'\ntime = '7s'\nage = '1000d'\nfirst = 'one'\nos = '{}'\n\
             [check.one]\nenv = {{ name = 'HOME', set = false }}\n\
             when = {{ host = ['${{host}}'], os = ['${{os}}'], env = ['${{name}}'] }}\ntimeout = '${{time}}'\n\
             [check.two]\nneeds = ['${{first}}']\nfile = {{ path = 'housecall.toml', max-age = '${{age}}' }}\n\
             fix = {{ run = ['true'], safety = 'safe', timeout = '${{time}}', within = '${{time}}' }}\n",
            std::env::consts::OS,
        )
        .replace("[variables]", "[variables]\nname = 'HOME'"),
    );
    let ran = world.home.housecall(["--json"]);
    assert_eq!(ran.stderr, "");
    let report = ran.report();
    assert_eq!(report.status("one"), "fail");
    assert_eq!(report.status("two"), "blocked");
    assert!(world.mistakes("when = { host = ['${unset-86}'] }\nenv = { name = 'A' }").contains("is not set"));
}
