//! What a configuration that came with a repository may include: plain files of its own tree.

use std::fs;
use std::os::unix::fs::symlink;

use super::world::{Clone, fifo, harmless};

fn including(written: &str) -> Clone {
    let clone = Clone::new("");
    let file = clone.mirror.repository.join("housecall.toml");
    let text = fs::read_to_string(&file).expect("the configuration");
    fs::write(&file, format!("include = [\"{written}\"]\n{text}")).expect("it includes");
    clone
}

#[test]
fn nothing_outside_of_its_tree_is_read_whichever_way_leads_there() {
    let secret = "this is = my diary\n";
    for written in
        ["../../diary.toml", "../../*.toml", "~/diary.toml", "link.toml", "away/diary.toml", "away/*.toml"]
    {
        let clone = including(written);
        clone.mirror.home.write("diary.toml", secret);
        symlink("../../diary.toml", clone.mirror.repository.join("link.toml")).expect("a link");
        symlink("../..", clone.mirror.repository.join("away")).expect("a link");
        clone.commit();
        let ran = clone.run(&["checks"]).exits(2);
        harmless(&ran);
        assert!(!ran.stderr.contains("diary\n") && !ran.stderr.contains("my diary"), "{written}: {ran}");
        assert!(ran.stderr.contains("its own tree"), "{written}: {ran}");
    }
}

#[test]
fn what_never_ends_is_no_file() {
    for (name, written) in [("pipe.toml", "pipe.toml"), ("zero.toml", "zero.toml"), ("pipe.toml", "*.toml")] {
        let clone = including(written);
        clone.commit();
        let path = clone.mirror.repository.join(name);
        if name == "zero.toml" {
            symlink("/dev/zero", &path).expect("a link");
        } else {
            fifo(&path);
        }
        let ran = clone.run(&["checks"]);
        assert!(
            ["there is no file", "leads out"].iter().any(|it| ran.stderr.contains(it)) || written == "*.toml",
            "{ran}"
        );
    }
    let clone = Clone::new("");
    for file in ["/dev/zero", "/dev/stdin", "pipe"] {
        if file == "pipe" {
            fifo(&clone.mirror.repository.join(file));
        }
        let ran = clone.run(&["--config", file, "checks"]).exits(2);
        assert!(ran.stderr.contains("cannot read"), "{file}: {ran}");
    }
}

#[test]
fn a_pipe_beside_the_configuration_holds_nobody_up() {
    let home = support::Home::new();
    home.write("clone/housecall.toml", "[check.a]\ncommand = { run = [\"true\"] }\n");
    fifo(&home.at("clone/.git"));
    let _ = home.housecall_in(&home.at("clone"), ["checks"]);
    let _ = home.housecall_in(&home.at("clone"), ["init"]);
}
