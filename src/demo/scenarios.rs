//! The ways in which the throwaway mirror breaks, the most deceiving first.
#![expect(clippy::disallowed_methods, reason = "the demo breaks a world of its own")]

use std::fs;
use std::time::Duration;

use super::DemoError;
use super::world::{World, write};
use crate::fixes::Consent;
use crate::probes::clock;
use crate::probes::state::{LastSync, SyncStatus};

/// One way to break, and what must come of it.
#[derive(Debug)]
pub(super) struct Scenario {
    /// What happened, as a developer would tell it.
    pub(super) title: &'static str,
    /// The unit that must be named first, and that the mend must verify.
    pub(super) cause: &'static str,
    /// What the mend has to be allowed.
    pub(super) consent: Consent,
    /// Breaks it.
    pub(super) breaks: fn(&mut World) -> Result<(), DemoError>,
}

/// All of them, in the order in which they are played.
pub(super) const ALL: &[Scenario] = &[
    Scenario {
        title: "an old clone took the port; it answers 200, and the mirror's commit is right",
        cause: "listener-cwd",
        consent: Consent::Risky,
        breaks: |world| {
            world.housecall(&["down"])?;
            world.serve_from_old_clone()
        },
    },
    Scenario {
        title: "main has moved on, and the last sync failed",
        cause: "sha-parity",
        consent: Consent::Safe,
        breaks: |world| {
            let path = world.config.sync_file();
            let read =
                fs::read_to_string(&path).map_err(|error| DemoError::failed("read the last sync", &error))?;
            let last: LastSync = serde_json::from_str(&read)
                .map_err(|error| DemoError::failed("read the last sync", &error))?;
            let reason = "the remote could not be reached".to_owned();
            let failed = LastSync { status: SyncStatus::Failed, reason, ..last };
            let text = serde_json::to_string(&failed)
                .map_err(|error| DemoError::failed("write the last sync", &error))?;
            write(&path, &text)?;
            world.publish("Third edition", "the third edition")
        },
    },
    Scenario {
        title: "somebody edited a file in the mirror",
        cause: "worktree-clean",
        consent: Consent::Safe,
        breaks: |world| write(&world.in_worktree("public/index.html"), "<h1>a quick try</h1>\n"),
    },
    Scenario {
        title: "the mirror was switched to another branch",
        cause: "worktree-branch",
        consent: Consent::Safe,
        breaks: |world| {
            world.git(&world.in_worktree(""), &["switch", "--quiet", "--create", "a-new-idea"])?;
            Ok(())
        },
    },
    Scenario {
        title: "git was killed and left its lock behind",
        cause: "git-locks",
        consent: Consent::Safe,
        breaks: |world| {
            let lock = world.git(
                &world.in_worktree(""),
                &["rev-parse", "--path-format=absolute", "--git-path", "index.lock"],
            )?;
            let failed = |error: std::io::Error| DemoError::failed("leave a lock", &error);
            let file = fs::File::create(&lock).map_err(failed)?;
            let long_ago = std::time::SystemTime::from(clock::now()).checked_sub(Duration::from_hours(2));
            file.set_modified(long_ago.unwrap_or(std::time::UNIX_EPOCH)).map_err(failed)
        },
    },
    Scenario {
        title: "the mirror lost .env.local, which git does not track",
        cause: "carried-files",
        consent: Consent::Safe,
        breaks: |world| {
            let path = world.in_worktree(".env.local");
            fs::remove_file(path).map_err(|error| DemoError::failed("lose a file", &error))
        },
    },
    Scenario {
        title: "the server was killed, and the keeper with it",
        cause: "listener",
        consent: Consent::Safe,
        breaks: |world| {
            world.kill_all();
            Ok(())
        },
    },
];
