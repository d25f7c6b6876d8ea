//! What the worktree's own files ask for, what is installed, what is carried.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use housecall::probes::{deps, files, project};

use super::world::World;

fn asked(files: &[(&str, &str)]) -> Vec<String> {
    let world = World::without_worktree(&[]);
    for (name, content) in files {
        world.home.write(format!("ops/worktree/{name}"), content);
    }
    let project = project::read(&world.mirror).expect("a project");
    let file = |path: &std::path::Path| path.file_name().expect("a name").to_string_lossy().into_owned();
    let ranges = project.ranges.iter().map(|(tool, (range, path))| format!("{tool} {range} {}", file(path)));
    ranges.chain(project.lockfile.iter().map(|it| format!("{} {}", it.manager, file(&it.path)))).collect()
}

#[test]
fn ranges_come_from_whoever_asks_first() {
    let package =
        r#"{"engines": {"node": ">=22 <23", "vscode": "^1"}, "packageManager": "pnpm@9.1.0+sha512.abc"}"#;
    let files =
        [("package.json", package), (".nvmrc", "20"), ("pnpm-lock.yaml", ""), ("package-lock.json", "{}")];
    // npm is what the mirror installs with.
    assert_eq!(
        asked(&files),
        ["node >=22 <23 package.json", "pnpm ^9.1.0 package.json", "npm package-lock.json"]
    );
    let engines = r#"{"devEngines": {"runtime": {"name": "node", "version": "22"},
        "packageManager": [{"name": "npm", "version": ">=10"}]}, "volta": {"node": "20.1.0"}}"#;
    assert_eq!(asked(&[("package.json", engines)]), ["node 22 package.json", "npm >=10 package.json"]);
}

#[test]
fn every_kind_of_version_file_is_understood() {
    assert_eq!(asked(&[(".nvmrc", "v22.3.0 # ours\n")]), ["node 22.3.0 .nvmrc"]);
    assert_eq!(asked(&[(".nvmrc", "lts/jod")]), ["node 22 .nvmrc"]);
    assert_eq!(asked(&[(".nvmrc", "lts/*")]), Vec::<String>::new());
    assert_eq!(asked(&[(".node-version", "22\n")]), ["node 22 .node-version"]);
    let tools = "# ours\nnodejs 22.3.0\npnpm 9\nruby 3\n";
    assert_eq!(asked(&[(".tool-versions", tools)]), ["node 22.3.0 .tool-versions", "pnpm 9 .tool-versions"]);
    let mise = "[tools]\nnode = \"22\"\npnpm = [\"9\", \"8\"]\nbun = { version = \"1.1\" }\n";
    assert_eq!(asked(&[("mise.toml", mise)]), ["bun 1.1 mise.toml", "node 22 mise.toml", "pnpm 9 mise.toml"]);
}

#[test]
fn a_torn_package_json_is_unknown_and_none_is_fine() {
    assert_eq!(asked(&[]), Vec::<String>::new());
    let world = World::without_worktree(&[]);
    world.home.write("ops/worktree/package.json", "{");
    assert!(project::read(&world.mirror).unwrap_err().to_string().contains("package.json is not readable"));
}

#[test]
fn the_stamp_of_an_install_is_read_and_a_torn_one_is_none() {
    let world = World::without_worktree(&[]);
    assert_eq!(deps::read(&world.mirror).unwrap(), deps::Installed { tree: false, stamp: None });
    let at = jiff::Timestamp::from_second(1).unwrap();
    let stamp = deps::Stamp {
        schema: 1,
        lockfile: "abc".to_owned(),
        runtime: "22".to_owned(),
        at,
        command: Vec::new(),
    };
    let file = "ops/worktree/node_modules/.housecall.json";
    world.home.write(file, serde_json::to_string(&stamp).unwrap());
    assert_eq!(deps::read(&world.mirror).unwrap(), deps::Installed { tree: true, stamp: Some(stamp) });
    world.home.write(file, "{\"schema\": 1, \"lock");
    assert_eq!(deps::read(&world.mirror).unwrap(), deps::Installed { tree: true, stamp: None });
}

#[test]
fn carried_files_are_compared_by_content_and_mode() {
    let mut world = World::new();
    world.mirror.carry = vec![".env.local".into(), "none".into()];
    world.home.write("dev/site/.env.local", "KEY=1\n");
    let copy = world.home.write("ops/worktree/.env.local", "KEY=1\n");
    fs::set_permissions(copy, fs::Permissions::from_mode(0o600)).unwrap();
    let found = files::carried(&world.machine, &world.config, &world.mirror).unwrap();
    let (source, copy) = (found[0].source.as_ref().unwrap(), found[0].copy.as_ref().unwrap());
    assert_eq!(source.digest, copy.digest);
    assert_eq!(copy.digest, Some(files::digest(b"KEY=1\n")));
    assert_eq!(copy.mode, 0o600);
    assert_eq!((&found[1].source, &found[1].copy), (&None, &None));
    world.home.write("dev/site/none/file", "a directory where a file should be");
    assert!(files::carried(&world.machine, &world.config, &world.mirror).is_err());
}
