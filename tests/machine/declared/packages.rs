//! `package`: the databases and managers that this machine has; others are told as not being here.

use std::path::Path;

use housecall::config::Trust;

use super::world::World;

#[test]
fn a_package_of_the_system_is_found() {
    if !Path::new("/var/lib/dpkg/status").exists() {
        return;
    }
    let world = World::new();
    for good in [
        "package = { name = 'dpkg' }",
        "package = { name = 'dpkg', manager = 'dpkg', version = '>=1.10' }",
        "package = { name = 'no-such-package', installed = false }",
    ] {
        assert_eq!(world.look(good), "pass", "{good}");
    }
    assert_eq!(
        world.look("package = { name = 'no-such-package' }"),
        "fail: no-such-package is not installed"
    );
    let told = world.look("package = { name = 'dpkg', installed = false }");
    assert!(told.starts_with("fail: dpkg is installed; actual 1."), "{told}");
    let told = world.look("package = { name = 'dpkg', version = '>=99' }");
    assert!(
        told.starts_with(
            "fail: dpkg is installed in a version that is out of range; expected >=99.0.0; actual 1."
        ),
        "{told}"
    );
}

#[test]
fn a_manager_is_asked_in_its_own_words() {
    let mut world = World::new();
    world.home.set("PATH", format!("{}:/usr/bin:/bin", world.home.at("bin").display()));
    world.home.program(
        "bin/rpm",
        "#!/bin/sh\nfor it; do name=$it; done\n[ \"$name\" = bash ] && echo 5.2.26 && exit\n\
         [ \"$name\" = kernel ] && printf '6.1.9\\n6.5.3\\n' && exit\n\
         echo \"package $name is not installed\"; exit 1\n",
    );
    world.home.program(
        "bin/pacman",
        "#!/bin/sh\nfor it; do name=$it; done\n[ \"$name\" = bash ] && echo bash 5.2.026-2 && exit\n\
         echo \"error: package '$name' was not found\" >&2; exit 1\n",
    );
    world.home.program(
        "bin/npm",
        "#!/bin/sh\nfor it; do name=$it; done\n[ \"$name\" = bash ] && \
         echo '{\"dependencies\":{\"bash\":{\"version\":\"5.2.26\"}}}' && exit\necho '{}'; exit 1\n",
    );
    world.home.program(
        "bin/python3",
        "#!/bin/sh\nfor it; do name=$it; done\n[ \"$name\" = bash ] && printf 'Name: bash\\nVersion: 5.2.26\\n' && exit\n\
         echo \"WARNING: Package(s) not found: $name\" >&2; exit 1\n",
    );
    for manager in ["rpm", "pacman", "npm", "pip"] {
        let ask = |more: &str| world.look(&format!("package = {{ manager = '{manager}', {more} }}"));
        assert_eq!(ask("name = 'bash', version = '^5.2'"), "pass", "{manager}");
        assert_eq!(ask("name = 'zsh'"), "fail: zsh is not installed", "{manager}");
        assert_eq!(ask("name = 'zsh', installed = false"), "pass", "{manager}");
        let told = ask("name = 'bash', version = '^6'");
        assert!(told.starts_with("fail: bash is installed in a version that is out of range"), "{told}");
    }
    let kernel =
        |more: &str| world.look(&format!("package = {{ manager = 'rpm', name = 'kernel', {more} }}"));
    for good in ["exact = '6.1.9'", "exact = ['6.5.3', '6.1.9']", "version = '^6'"] {
        assert_eq!(kernel(good), "pass", "{good}");
    }
    let told = kernel("exact = ['6.5.3', '6.2.0']");
    assert_eq!(told, "fail: kernel is installed in another version; expected 6.2.0; actual 6.5.3, 6.1.9");
    let told = kernel("version = '>=6.5'");
    assert!(told.ends_with("out of range; expected >=6.5.0; actual 6.1.9"), "{told}");
    for program in ["rpm", "pacman", "npm", "python3"] {
        world.home.program(format!("bin/{program}"), "#!/bin/sh\necho the database is locked >&2; exit 1\n");
    }
    for manager in ["rpm", "pacman", "npm", "pip"] {
        let told =
            world.look(&format!("package = {{ name = 'x', manager = '{manager}', installed = false }}"));
        assert!(told.ends_with("for x: the database is locked"), "{told}");
    }
    world.trust = Trust::Untrusted;
    let told = world.look("package = { name = 'x', manager = 'npm', installed = false }");
    assert_eq!(told, "unknown: not trusted: npm is not run before `housecall trust`");
}

#[test]
fn a_manager_that_is_not_here_says_nothing_of_packages() {
    let world = World::new();
    let is_here =
        |program: &&str| ["/usr/local/bin", "/usr/bin"].iter().any(|it| Path::new(it).join(program).exists());
    for manager in ["rpm", "pacman"].iter().filter(|it| !is_here(it)) {
        let told =
            world.look(&format!("package = {{ name = 'x', manager = '{manager}', installed = false }}"));
        assert!(told.starts_with(&format!("unknown: cannot run {manager}")), "{told}");
    }
    if cfg!(target_os = "linux") && !Path::new("/lib/apk/db/installed").exists() {
        let told = world.look("package = { name = 'x', manager = 'apk', installed = false }");
        assert!(told.starts_with("unknown: cannot read /lib/apk/db/installed"), "{told}");
    }
    let question = "package = { name = 'x', installed = false }";
    assert_eq!(world.nowhere(question), "unknown: the test gave no `packages`");
    assert!(world.mistakes("package = { name = '-x' }").contains("is no package"));
    assert!(
        world
            .mistakes("package = { name = 'x', installed = false, version = '1' }")
            .contains("has no version")
    );
}
