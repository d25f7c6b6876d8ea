//! launchd for a test: the simulator in `tests/tools` as the only launchctl on a home's PATH, and jobs for it.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use crate::home::Home;
use crate::parts;
use crate::processes::{self, Process};
use crate::servers::{answers, free_port};

/// What a job serves with: it drains for as long as `drain` says when it is told to end, answers `status`, and where
/// there is a file `sick` it takes that away and never listens; where that says `for ever`, it leaves it.
const SERVER: &str = r#"
import http.server, os, signal, sys, time
port, drain, here = int(sys.argv[1]), float(sys.argv[2]), os.path.dirname(os.path.abspath(__file__))
at = lambda name: os.path.join(here, name)
def end(*_):
    time.sleep(drain)
    os._exit(0)
signal.signal(signal.SIGTERM, end)
print("begins", flush=True)
print("complains", file=sys.stderr, flush=True)
if os.path.exists(at("sick")):
    if open(at("sick")).read() != "for ever":
        os.unlink(at("sick"))
    time.sleep(600)
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        with open(at("asked"), "a") as file:
            file.write(self.path + "\n")
        status = int(open(at("status")).read()) if os.path.exists(at("status")) else 200
        self.send_response(status)
        if status in (301, 302):
            self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "3")
        self.end_headers()
        self.wfile.write(b"ok\n")
    def log_message(self, *_):
        pass
http.server.ThreadingHTTPServer(("127.0.0.1", port), Answer).serve_forever()
"#;

/// The simulator in one home; its jobs end with that.
#[derive(Debug)]
pub struct Launchd {
    /// The home.
    pub home: Home,
}

/// A job of the test's own, with its file where launchd looks for it.
#[derive(Debug, Clone)]
pub struct Agent {
    /// Its label.
    pub label: String,
    /// Its property list.
    pub file: PathBuf,
    /// Where it serves.
    pub port: u16,
}

/// Puts the simulator on a home's PATH as the only launchctl, with these settings.
///
/// # Panics
/// Where its folder cannot be made.
pub fn stand_in(home: &mut Home, settings: &[(&str, &str)]) {
    let simulator = parts::root().join("tests/tools/launchctl");
    let mut text = format!(
        "#!/bin/sh\nexport LAUNCHCTL_SIM='{}' LAUNCHCTL_SIM_OWNER={} LAUNCHCTL_SIM_THROTTLE=1\n",
        home.at("launchd").display(),
        std::process::id()
    );
    for (name, value) in settings {
        let _ = writeln!(text, "export {name}='{value}'");
    }
    // The shell's python may be a shim that needs the user's own home; this one is asked for by its path.
    let _ =
        writeln!(text, "PATH=/usr/bin:/bin\nexport PATH\nexec python3 -SE '{}' \"$@\"", simulator.display());
    home.program("bin/launchctl", &text);
    fs::create_dir_all(home.at("launchd")).expect("the simulator's folder");
    let path = format!("{}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", home.at("bin").display());
    home.set("PATH", path);
}

/// Says something to a home's launchctl; its code and what it said.
///
/// # Panics
/// Where there is none.
#[must_use]
pub fn ctl(home: &Home, arguments: &[&str]) -> (i32, String) {
    let output = Command::new(home.at("bin/launchctl"))
        .env_clear()
        .envs(home.environment().iter().map(|(name, value)| (name, value)))
        .args(arguments)
        .output()
        .expect("launchctl starts");
    (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The domain of the user's agents.
///
/// # Panics
/// Where there is no `id`.
#[must_use]
pub fn domain() -> String {
    let output = Command::new("id").arg("-u").output().expect("id starts");
    format!("gui/{}", String::from_utf8_lossy(&output.stdout).trim())
}

/// The machine goes down: launchd ends, and all its jobs with it.
pub fn shut_down(home: &Home) {
    let _ = ctl(home, &["__shutdown"]);
    let gone = || !home.processes().iter().any(|it| it.command.contains("housecall"));
    assert!(processes::eventually(Duration::from_secs(10), gone), "{:?}", home.processes());
}

/// The user logs in: launchd loads every agent there is, in that order or in the reverse one; those it does not take
/// are none.
///
/// # Panics
/// Where the folder of agents cannot be read.
pub fn log_in(home: &Home, reversed: bool) {
    let entries = fs::read_dir(home.at("Library/LaunchAgents")).expect("the agents");
    let mut files: Vec<PathBuf> = entries.flatten().map(|it| it.path()).collect();
    files.retain(|it| it.extension().is_some_and(|it| it == "plist"));
    files.sort();
    if reversed {
        files.reverse();
    }
    for file in files {
        let _ = ctl(home, &["bootstrap", &domain(), &file.to_string_lossy()]);
    }
}

impl Launchd {
    /// One whose throttle is a second, with these settings of the simulator: `("LAUNCHCTL_SIM_TRANSIENT_5", "2")`.
    #[must_use]
    pub fn with(settings: &[(&str, &str)]) -> Self {
        let mut home = Home::new();
        stand_in(&mut home, settings);
        Self { home }
    }

    /// One without settings.
    #[must_use]
    pub fn new() -> Self {
        Self::with(&[])
    }

    /// Says something to launchctl; its code and what it said.
    #[must_use]
    pub fn ctl(&self, arguments: &[&str]) -> (i32, String) {
        ctl(&self.home, arguments)
    }

    /// The domain of the user's agents.
    #[must_use]
    pub fn domain(&self) -> String {
        domain()
    }

    /// The service-target of a label.
    #[must_use]
    pub fn target(&self, label: &str) -> String {
        format!("{}/{label}", self.domain())
    }

    /// Writes the property list of an agent that serves, with more keys; it drains for that many seconds.
    #[must_use]
    pub fn serving(&self, label: &str, drain: &str, more: &str) -> Agent {
        let port = free_port();
        let server = self.home.write(format!("{label}/server.py"), SERVER);
        let arguments = ["/usr/bin/python3", &server.to_string_lossy(), &port.to_string(), drain];
        let arguments: String = arguments.map(|it| format!("<string>{it}</string>")).concat();
        let logs = self.home.at("Library/Logs");
        let keys = format!(
            "<key>ProgramArguments</key><array>{arguments}</array>\n\
             <key>RunAtLoad</key><true/>\n\
             <key>KeepAlive</key><dict><key>SuccessfulExit</key><false/></dict>\n\
             <key>StandardOutPath</key><string>{0}/{label}.out.log</string>\n\
             <key>StandardErrorPath</key><string>{0}/{label}.err.log</string>\n{more}",
            logs.display()
        );
        fs::create_dir_all(logs).expect("the logs' folder");
        Agent { port, ..self.agent(label, &keys) }
    }

    /// Writes the property list of an agent, with these keys beside its label.
    #[must_use]
    pub fn agent(&self, label: &str, keys: &str) -> Agent {
        let text = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<plist version=\"1.0\">\n<dict>\n\
             <key>Label</key><string>{label}</string>\n{keys}\n</dict>\n</plist>\n"
        );
        let file = self.home.write(format!("Library/LaunchAgents/{label}.plist"), text);
        Agent { label: label.to_owned(), file, port: 0 }
    }

    /// Bootstraps an agent as a person would, and waits until it serves if it does.
    pub fn bootstrap(&self, agent: &Agent) {
        let (code, _) = self.ctl(&["bootstrap", &self.domain(), &agent.file.to_string_lossy()]);
        assert_eq!(code, 0, "{} is bootstrapped", agent.label);
        let address = ([127, 0, 0, 1], agent.port);
        let serves = || agent.port == 0 || answers(address);
        assert!(processes::eventually(Duration::from_secs(10), serves), "{} serves", agent.label);
    }

    /// What `print` says of a label; `None`: it is not loaded.
    #[must_use]
    pub fn print(&self, label: &str) -> Option<String> {
        let (code, text) = self.ctl(&["print", &self.target(label)]);
        (code == 0).then_some(text)
    }

    /// Its process, by other eyes than the product's.
    #[must_use]
    pub fn pid(&self, label: &str) -> Option<u32> {
        let text = self.print(label)?;
        text.lines().find_map(|line| line.strip_prefix("\tpid = "))?.parse().ok()
    }

    /// The processes of an agent that serves.
    #[must_use]
    pub fn servers(&self, label: &str) -> Vec<Process> {
        let mark = format!("{label}/server.py");
        self.home.processes().into_iter().filter(|it| it.command.contains(&mark)).collect()
    }

    /// A file beside its server.
    #[must_use]
    pub fn text(&self, label: &str, name: &str) -> String {
        fs::read_to_string(self.home.at(format!("{label}/{name}"))).unwrap_or_default()
    }

    /// Whether anybody ever used a verb that exits 0 whatever happened.
    #[must_use]
    pub fn was_legacy_used(&self) -> bool {
        self.home.at("launchd/legacy").exists()
    }
}

impl Default for Launchd {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Launchd {
    fn drop(&mut self) {
        // The jobs it knows end with it; what is left ends with the home.
        let _ = self.ctl(&["__shutdown"]);
    }
}
