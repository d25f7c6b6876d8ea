//! The jobs as the real binary judges them, kept by a real systemd.

#![expect(clippy::disallowed_methods, reason = "a test sets the world up, and looks at it with its own eyes")]

use std::fs;
use std::time::Duration;

use support::processes::eventually;
use support::systemd::{UserManager, systemctl};
use support::{Mirror, Part, Test};

const SYSTEMD: &[Part] = &[Part::Systemd];

pub(crate) const TESTS: &[Test] =
    &[Test { name: "installed_jobs_pass_and_what_is_done_to_them_is_found", needs: SYSTEMD, run: judged }];

fn judged() {
    let mut mirror = Mirror::fixed();
    let _ = mirror.home.install_binary();
    mirror.configure("manager = \"embedded\"", "manager = \"systemd\"");
    let _manager = UserManager::start(&mirror.home);
    let _ = mirror.run(&["install"]).exits(0);
    mirror.settle();
    let report = mirror.examine().healthy();
    for check in ["job-lint", "job-paths", "job-drift", "job-loaded", "job-state"] {
        for job in ["sync", "serve"] {
            assert_eq!(report.status(&format!("{check}:{job}")), "pass", "{}", report.troubles());
        }
    }

    let unit = mirror.home.at(".config/systemd/user/housecall-site-serve.service");
    let text = fs::read_to_string(&unit).expect("the unit");
    fs::write(&unit, text.replace("RestartSec=2s", "RestartSec=9s")).expect("the unit");
    let report = mirror.examine();
    assert_eq!(report.causes(), ["job-drift:serve"], "{}", report.troubles());
    fs::write(&unit, text).expect("the unit");
    let _ = systemctl(&mirror.home, ["daemon-reload"]);
    let _ = mirror.examine().healthy();

    let _ = systemctl(&mirror.home, ["stop", "housecall-site-serve.service"]);
    assert!(eventually(Duration::from_secs(10), || mirror.listener().is_none()));
    let report = mirror.examine();
    assert_eq!(report.causes(), ["job-state:serve"], "{}", report.troubles());
    // A sync that ran in between has failed for the silent server, and says so until the next one.
    let report = mirror.mend();
    assert_eq!(report.status("job-state:serve"), "pass", "{}", report.troubles());
    let _ = systemctl(&mirror.home, ["start", "housecall-site-sync.service"]);
    assert!(eventually(Duration::from_secs(30), || mirror.examine().0["verdict"] == "healthy"));
}
