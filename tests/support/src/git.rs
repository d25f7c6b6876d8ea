//! git in a test's home, for making the world that Housecall looks at.

use std::ffi::OsStr;
use std::path::Path;

use crate::home::Home;

impl Home {
    /// Runs git in that directory; what it printed, trimmed.
    ///
    /// # Panics
    /// Where git fails.
    #[track_caller]
    pub fn git<S: AsRef<OsStr>>(&self, directory: &Path, arguments: impl IntoIterator<Item = S>) -> String {
        let mut command = self.command("git");
        command.args(arguments).current_dir(directory);
        let output = command.output().expect("git starts");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{command:?} fails: {stderr}");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// A bare repository to push to.
    pub fn bare(&self, relative: &str) -> std::path::PathBuf {
        let path = self.at(relative);
        std::fs::create_dir_all(&path).expect("the repository's folder");
        self.git(&path, ["init", "--quiet", "--bare", "--initial-branch=main"]);
        path
    }

    /// Commits everything in that work tree; the new SHA.
    #[track_caller]
    pub fn commit(&self, directory: &Path, message: &str) -> String {
        self.git(directory, ["add", "--all"]);
        self.git(directory, ["commit", "--quiet", "--allow-empty", "-m", message]);
        self.git(directory, ["rev-parse", "HEAD"])
    }
}
