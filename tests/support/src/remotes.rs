//! Real git servers: over HTTP and over ssh, each for one test, each ended by its pid.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::folder::Folder;
use crate::processes::{Kept, eventually};
use crate::servers::{answers, free_port};

/// A git server.
#[derive(Debug)]
pub struct Remote {
    folder: Folder,
    server: Kept,
    port: u16,
}

impl Remote {
    /// git's own HTTP backend under lighttpd, for the bare repositories beneath `root`.
    ///
    /// # Panics
    /// Where it does not come up.
    #[must_use]
    pub fn http(root: &Path) -> Self {
        let folder = Folder::new();
        let at = folder.path().display();
        let backend = exec_path().join("git-http-backend");
        let port = free_port();
        let configuration = format!(
            r#"server.modules = ("mod_alias", "mod_cgi", "mod_setenv")
server.document-root = "{at}"
server.bind = "127.0.0.1"
server.port = {port}
server.errorlog = "{at}/errors"
alias.url = ("/git/" => "{backend}/")
$HTTP["url"] =~ "^/git/" {{
  cgi.assign = ("" => "")
  setenv.set-environment = ("GIT_PROJECT_ROOT" => "{root}", "GIT_HTTP_EXPORT_ALL" => "", "PATH" => "/usr/bin:/bin")
}}
"#,
            backend = backend.display(),
            root = root.display(),
        );
        let file = folder.path().join("lighttpd.conf");
        fs::write(&file, configuration).expect("lighttpd's configuration");
        let mut command = Command::new("/usr/sbin/lighttpd");
        command.arg("-D").arg("-f").arg(&file);
        Self::up(folder, &mut command, port)
    }

    /// A throwaway sshd with keys of its own.
    ///
    /// # Panics
    /// Where it does not come up.
    #[must_use]
    pub fn ssh() -> Self {
        let folder = Folder::new();
        let at = folder.path().display();
        let port = free_port();
        for name in ["host", "id"] {
            let file = folder.path().join(name);
            let made =
                Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(file).status();
            assert!(made.is_ok_and(|it| it.success()), "ssh-keygen makes a key");
        }
        let read = |name: &str| fs::read_to_string(folder.path().join(name)).expect("a public key");
        let write = |name: &str, content: String| fs::write(folder.path().join(name), content).expect(name);
        write("authorized_keys", read("id.pub"));
        write("known_hosts", format!("[127.0.0.1]:{port} {}", read("host.pub")));
        write(
            "sshd_config",
            format!(
                "Port {port}\nListenAddress 127.0.0.1\nHostKey {at}/host\nAuthorizedKeysFile {at}/authorized_keys\n\
                 PidFile {at}/pid\nPasswordAuthentication no\nKbdInteractiveAuthentication no\nUsePAM no\n\
                 StrictModes no\nPermitRootLogin prohibit-password\n"
            ),
        );
        write(
            "ssh_config",
            format!(
                "Host mirror-host\n  HostName 127.0.0.1\n  Port {port}\nHost *\n  User root\n  IdentityFile {at}/id\n  \
                 IdentitiesOnly yes\n  UserKnownHostsFile {at}/known_hosts\n  BatchMode yes\n"
            ),
        );
        let _ = fs::create_dir_all("/run/sshd");
        let mut command = Command::new("/usr/sbin/sshd");
        command.args(["-D", "-e", "-f"]).arg(folder.path().join("sshd_config"));
        Self::up(folder, &mut command, port)
    }

    /// git's own server, for the repositories beneath `root`.
    ///
    /// # Panics
    /// Where it does not come up.
    #[must_use]
    pub fn daemon(root: &Path) -> Self {
        let folder = Folder::new();
        let port = free_port();
        let mut command = Command::new(exec_path().join("git-daemon"));
        command.args(["--reuseaddr", "--export-all", "--listen=127.0.0.1"]);
        command.args([format!("--port={port}"), format!("--base-path={}", root.display())]);
        Self::up(folder, &mut command, port)
    }

    fn up(folder: Folder, command: &mut Command, port: u16) -> Self {
        let log = fs::File::create(folder.path().join("log")).expect("a log");
        let mut server = Kept::start(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log));
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let up = eventually(Duration::from_secs(10), || answers(address));
        assert!(
            up && server.alive(),
            "{}",
            fs::read_to_string(folder.path().join("log")).unwrap_or_default()
        );
        Self { folder, server, port }
    }

    /// The address of a repository named so beneath the HTTP server's root.
    #[must_use]
    pub fn http_url(&self, name: &str) -> String {
        format!("http://127.0.0.1:{}/git/{name}", self.port)
    }

    /// The address of a repository at that path, for ssh.
    #[must_use]
    pub fn ssh_url(&self, path: &Path) -> String {
        format!("mirror-host:{}", path.display())
    }

    /// What `core.sshCommand` must be for it.
    #[must_use]
    pub fn ssh_command(&self) -> String {
        format!("ssh -F {}/ssh_config", self.folder.path().display())
    }

    /// What `core.sshCommand` must be for it behind a [`crate::proxy::Proxy`]: same host key, another port.
    #[must_use]
    pub fn ssh_command_through(&self, port: u16) -> String {
        let known = format!("[127.0.0.1]:{}", self.port);
        format!("{} -p {port} -o HostKeyAlias={known}", self.ssh_command())
    }

    /// Its port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The server's process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.server.pid()
    }
}

fn exec_path() -> std::path::PathBuf {
    let output = Command::new("git").arg("--exec-path").output().expect("git starts");
    String::from_utf8_lossy(&output.stdout).trim().into()
}
