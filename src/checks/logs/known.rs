//! Texts that tell what is wrong to whoever has met them before.

/// A text in a log, and what it means.
#[derive(Debug)]
pub(super) struct Signature {
    /// Any of these parts of a line; each is all of it that must be there.
    pub(super) texts: &'static [&'static [&'static str]],
    /// What it means: one clause, present tense.
    pub(super) cause: &'static str,
    /// What is done about it.
    pub(super) remedy: &'static str,
}

/// The first that matches is believed, so the telling ones come first.
pub(super) static KNOWN: &[Signature] = &[
    Signature {
        texts: &[
            &["Operation not permitted", "/Volumes/"],
            &["EPERM", "/Volumes/"],
            &["EPERM", "uv_cwd"],
            &["EPERM", "astro.mjs"],
        ],
        cause: "macOS keeps the job from an external volume or a protected directory",
        remedy: "keep the worktree and all that the jobs run below the home directory, or grant full disk access",
    },
    Signature {
        texts: &[&["Another astro dev server is already running"]],
        cause: "another dev server runs in the same directory",
        remedy: "see it with `housecall who`, and stop the one that is not the mirror's",
    },
    Signature {
        texts: &[
            &["EADDRINUSE"],
            &["address already in use"],
            &["Address already in use"],
            &["is in use, trying another"],
        ],
        cause: "another program holds the port",
        remedy: "see it with `housecall who`, and stop it or choose another port",
    },
    Signature {
        texts: &[
            &["Node.js v", "is not supported"],
            &["EBADENGINE"],
            &["Unsupported engine"],
            &["engine \"node\" is incompatible"],
        ],
        cause: "the version of node is not the one that the project asks for",
        remedy: "see `housecall explain runtime-version`",
    },
    Signature {
        texts: &[
            &["Permission denied (publickey)"],
            &["Host key verification failed"],
            &["could not read Username"],
        ],
        cause: "the remote does not let the job in",
        remedy: "see `housecall explain remote-reachable`",
    },
    Signature {
        texts: &[
            &["EACCES"],
            &["EPERM"],
            &["Permission denied"],
            &["permission denied"],
            &["Permission non accordée"],
        ],
        cause: "a file may not be read, written or run",
        remedy: "see whose the file is with `ls -l`; it should be the user's own",
    },
    Signature {
        texts: &[&["ENOSPC", "watch"], &["System limit for number of file watchers reached"]],
        cause: "the system watches no more files for this user",
        remedy: "raise fs.inotify.max_user_watches",
    },
    Signature {
        texts: &[&["ENOSPC"], &["No space left on device"], &["Aucun espace disponible"]],
        cause: "the disk is full",
        remedy: "make room, then run `housecall sync`",
    },
    Signature {
        texts: &[&["EMFILE"], &["too many open files"], &["Too many open files"]],
        cause: "the server may open no more files",
        remedy: "raise the limit of open files of the job",
    },
    Signature {
        texts: &[&["MODULE_NOT_FOUND"], &["Cannot find module"], &["Cannot find package"]],
        cause: "a dependency is not installed",
        remedy: "run `housecall sync`; it installs when the lockfile changed",
    },
    Signature {
        texts: &[
            &["command not found"],
            &["commande introuvable"],
            &["env: node: No such file"],
            &["env: «node»"],
            &["env: 'node'"],
            &["env: ‘node’"],
        ],
        cause: "the job does not find a program on its PATH",
        remedy: "put its directory first with `path` in [runtime]",
    },
    Signature {
        texts: &[&["npm ci", "can only install packages when"], &["ERR_PNPM_OUTDATED_LOCKFILE"]],
        cause: "the lockfile does not agree with package.json",
        remedy: "update the lockfile in the repository and push it",
    },
    Signature {
        texts: &[&["JavaScript heap out of memory"]],
        cause: "the server ran out of memory",
        remedy: "give it more with NODE_OPTIONS=--max-old-space-size in `env` of [serve]",
    },
    Signature {
        texts: &[
            &["Could not resolve host"],
            &["ENOTFOUND"],
            &["EAI_AGAIN"],
            &["Impossible de résoudre l'hôte"],
        ],
        cause: "the name of a host is not known on this network",
        remedy: "look at the network, then run `housecall sync`",
    },
];

impl Signature {
    /// Whether this line tells of it.
    pub(super) fn is_in(&self, line: &str) -> bool {
        self.texts.iter().any(|parts| parts.iter().all(|part| line.contains(part)))
    }
}
