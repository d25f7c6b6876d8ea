//! A gate of one's own checks, with the real binary: needs, fixes, tags, included files, accepted findings, trust.
#![expect(clippy::disallowed_methods, reason = "a test makes a world and looks at it")]

use std::fs;
use std::path::PathBuf;

use insta::assert_snapshot;
use serde_json::json;
use support::{Home, Report};

/// A home with that configuration, which lies where only its owner writes.
struct Gate {
    home: Home,
    file: PathBuf,
}

impl Gate {
    fn new(text: &str) -> Self {
        let home = Home::new();
        home.write("gate/housecall.toml", text);
        let file = home.at("gate/housecall.toml");
        Self { home, file }
    }

    fn arguments<'a>(&'a self, more: &[&'a str]) -> Vec<&'a str> {
        let config = self.file.to_str().expect("a path of text");
        ["--config", config].into_iter().chain(more.iter().copied()).collect()
    }

    #[track_caller]
    fn report(&self, more: &[&str], code: i32) -> Report {
        let ran = self.home.housecall(self.arguments(&[&["--json"], more].concat())).exits(code);
        Report::new(serde_json::from_str(&ran.stdout).expect("a report"))
    }

    /// What it complains of, without saying anything on stdout.
    #[track_caller]
    fn complaint(&self, more: &[&str]) -> String {
        let ran = self.home.housecall(self.arguments(more)).exits(2);
        assert_eq!(ran.stdout, "");
        ran.stderr.replace(&*self.home.path().to_string_lossy(), "~")
    }

    fn has(&self, file: &str) -> bool {
        self.home.at("gate").join(file).exists()
    }
}

#[test]
fn a_file_of_own_checks_is_a_gate() {
    let gate = Gate::new(
        r#"
        [check.well]
        help = "never told"
        command = { run = ["true"] }
        [check.ill]
        help = "ask #ops"
        severity = "warning"
        command = { run = ["sh", "-c", "echo not today >&2; exit 7"] }
        [check.elsewhere]
        when = { host = ["nowhere-*"] }
        command = { run = ["touch", "elsewhere"] }
        "#,
    );
    let report = gate.report(&[], 0);
    assert_eq!(report.0["checks"].as_array().expect("checks").len(), 3, "and nothing of a mirror");
    assert_eq!(report.status("well"), "pass");
    assert_eq!(report.status("elsewhere"), "skip");
    assert!(!gate.has("elsewhere"));
    let ill = report.check("ill");
    assert_eq!(ill["message"], "it ended with exit status 7");
    assert_eq!(ill["evidence"][3]["value"], "not today");
    assert_eq!(ill["evidence"][4], json!({"label": "help", "kind": "text", "value": "ask #ops"}));
    assert!(!report.0.to_string().contains("never told"));
    gate.report(&["--fail-on", "warning"], 1);
}

#[test]
fn a_command_is_not_run_before_what_it_needs_holds() {
    let gate = Gate::new(
        r#"
        [check.root]
        command = { run = ["test", "-e", "root"] }
        [check.middle]
        needs = ["root"]
        command = { run = ["touch", "middle"] }
        [check.leaf]
        needs = ["middle"]
        tags = ["leaves"]
        command = { run = ["touch", "leaf"] }
        "#,
    );
    let report = gate.report(&["--only", "leaves"], 1);
    assert_eq!(report.causes(), ["root"]);
    for unit in ["middle", "leaf"] {
        assert_eq!(report.status(unit), "blocked");
        assert_eq!(report.check(unit)["blocked_by"], "root");
        assert_eq!(report.check(unit)["seen"], serde_json::Value::Null);
        assert!(!gate.has(unit), "{unit} was run");
    }
    gate.home.write("gate/root", "");
    let report = gate.report(&[], 0);
    assert_eq!(report.0["counts"]["pass"], 3);
    assert!(gate.has("leaf"));
}

#[test]
fn commands_are_under_way_at_once() {
    // Each ends only when all five have begun.
    let one = |number: usize| {
        format!(
            "[check.c{number}]\ntimeout = \"60s\"\ncommand = {{ script = 'touch begun.{number}; \
             while [ $(ls begun.* | wc -l) -lt 5 ]; do sleep 0.01; done' }}\n"
        )
    };
    let gate = Gate::new(&(1..=5).map(one).collect::<String>());
    assert_eq!(gate.report(&[], 0).0["counts"]["pass"], 5);
}

#[test]
fn a_command_that_hangs_is_ended_with_all_it_began() {
    let gate = Gate::new(
        "[check.stuck]\ntimeout = \"300ms\"\ncommand = { script = 'sleep 4321 & echo $! > child; wait' }\n",
    );
    let report = gate.report(&[], 3);
    assert_eq!(report.status("stuck"), "unknown");
    let child = fs::read_to_string(gate.home.at("gate/child")).expect("its child's id");
    let child = child.trim().parse().expect("an id");
    assert!(support::processes::read(child).is_none(), "{child} lives on");
}

#[test]
fn a_safe_fix_is_applied_and_verified_and_a_risky_one_only_shown() {
    let gate = Gate::new(
        r#"
        [check.safe]
        command = { run = ["test", "-e", "safe"] }
        fix = { run = ["touch", "safe"], safety = "safe" }
        [check.risky]
        command = { run = ["test", "-e", "risky"] }
        fix = { title = "take a risk", script = 'touch "risky"', safety = "risky" }
        [check.idle]
        command = { run = ["false"] }
        fix = { run = ["true"], safety = "safe" }
        [check.broken]
        command = { run = ["false"] }
        fix = { run = ["sh", "-c", "echo no way >&2; exit 9"], safety = "safe" }
        [check.slow-to-come]
        command = { run = ["test", "-e", "slow"] }
        fix = { script = '(sleep 0.4; touch slow) > /dev/null 2>&1 &', safety = "safe", within = "30s" }
        "#,
    );
    let planned = gate.report(&["--fix", "--dry-run"], 1);
    assert_eq!(planned.0["repairs"].as_array().expect("repairs").len(), 5);
    assert!(!gate.has("safe"));
    let told = gate.home.housecall(gate.arguments(&["--fix", "--dry-run"])).exits(1).stdout;
    assert!(told.contains("safe         touch safe") && told.contains("slow-to-come /bin/sh -c"), "{told}");
    let report = gate.report(&["--fix"], 1);
    let results: Vec<String> = report.0["repairs"]
        .as_array()
        .expect("repairs")
        .iter()
        .map(|it| format!("{} {} {}", it["fix"], it["result"], it["reason"]).replace('"', ""))
        .collect();
    assert_snapshot!(results.join("\n"), @r"
    safe verified null
    risky proposed null
    idle still-failing null
    broken failed cannot mend broken: exit status 9: no way
    slow-to-come verified null
    ");
    assert!(gate.has("safe") && gate.has("slow") && !gate.has("risky"));
    assert_eq!(report.status("safe"), "pass");
    gate.report(&["--fix", "--risky", "--yes", "--only", "risky"], 0);
    assert!(gate.has("risky"));
}

#[test]
fn an_own_check_rests_on_ours_and_is_listed_under_our_groups() {
    let gate = Gate::new(
        r#"
        [[page]]
        url = "http://127.0.0.1:9/"
        [check.render]
        group = "page"
        needs = ["http-status"]
        command = { run = ["touch", "rendered"] }
        "#,
    );
    let report = gate.report(&["--only", "render"], 1);
    assert_eq!(report.check("render")["blocked_by"], "http-status:http://127.0.0.1:9/");
    assert_eq!(report.check("render")["group"], "page");
    assert!(!gate.has("rendered"));
}

#[test]
fn an_accepted_finding_counts_for_nothing_until_its_day_is_over() {
    let gate = |until: &str| {
        Gate::new(&format!(
            "[check.ill]\ncommand = {{ run = [\"false\"] }}\n\
             [check.above]\nneeds = [\"ill\"]\ncommand = {{ run = [\"true\"] }}\n\
             [[accept]]\ncheck = \"ill\"\nreason = \"a new one is ordered\"\nuntil = {until}\n"
        ))
    };
    let report = gate("2999-12-31").report(&[], 0);
    assert_eq!(report.status("ill"), "fail");
    assert_eq!(report.check("ill")["accepted"]["reason"], "a new one is ordered");
    assert_eq!(report.status("above"), "pass", "what rests on it is judged by itself");
    assert_eq!((report.causes().len(), &report.0["counts"]["accepted"]), (0, &1.into()));
    let over = gate("2001-01-01").report(&[], 1);
    assert_eq!(over.causes(), ["ill"]);
    let told = over.check("ill")["evidence"].to_string();
    assert!(told.contains("until 2001-01-01, which is over: a new one is ordered"), "{told}");
}

#[test]
fn what_could_not_be_seen_cannot_be_accepted() {
    let gate = Gate::new(
        "[check.unseen]\ncommand = { run = [\"./nothing-here\"] }\n\
         [[accept]]\ncheck = \"unseen\"\nreason = \"it is flaky\"\nuntil = 2999-12-31\n",
    );
    assert_eq!(gate.report(&[], 3).status("unseen"), "unknown");
}

#[test]
fn included_files_bring_checks_and_mistakes_are_told_where_they_stand() {
    let gate = Gate::new(
        "include = [\"checks/*.toml\"]\n[variables]\nprogram = \"true\"\n\
         [check.first]\ncommand = { run = [\"true\"] }\n",
    );
    gate.home.write(
        "gate/checks/second.toml",
        "[variables]\nprogram = \"false\"\n[check.second]\nneeds = [\"first\"]\ncommand = { run = [\"${program}\"] }\n",
    );
    let report = gate.report(&[], 0);
    assert_eq!(report.0["counts"]["pass"], 2, "the first file's value of a variable counts");
    gate.home.write("gate/checks/third.toml", "[check.first]\ncommand = { run = [\"true\"] }\n");
    assert_snapshot!(gate.complaint(&[]), @"
    error: `first` is said in two files
      ╭▸ ~/gate/checks/third.toml:1:8
      │
    1 │ [check.first]
      ╰╴       ━━━━━ keep one of them
    ");
    gate.home.write("gate/checks/third.toml", "[mirror]\nrepository = \"/x\"\n");
    assert!(gate.complaint(&[]).contains("an included file says nothing of `mirror`"));
    fs::remove_dir_all(gate.home.at("gate/checks")).expect("removed");
    assert!(gate.complaint(&[]).contains("cannot read ~/gate/checks"));
}

#[test]
fn names_that_mislead_are_mistakes() {
    let gate = Gate::new(
        r#"
        [check.page]
        command = { run = ["true"] }
        [check.api]
        needs = ["dtabase", "apis"]
        tags = ["listener"]
        command = { run = ["true"] }
        [check.database]
        needs = ["api"]
        command = { run = ["true"] }
        env = { name = "HOME" }
        [check.log-size]
        command = { run = ["true"] }
        [[accept]]
        check = "databas"
        reason = " "
        until = 2026-12-31
        "#,
    );
    assert_snapshot!(gate.complaint(&[]), @r#"
    error: `page` is a group of Housecall's own
      ╭▸ ~/gate/housecall.toml:2:16
      │
    2 │         [check.page]
      ╰╴               ━━━━ take another name

    error: `listener` is a check of Housecall's own
      ╭▸ ~/gate/housecall.toml:6:17
      │
    6 │         tags = ["listener"]
      ╰╴                ━━━━━━━━━━ take another name

    error: a check asks one question
      ╭▸ ~/gate/housecall.toml:8:9
      │
    8 │         [check.database]
      ╰╴        ━━━━━━━━━━━━━━━━ make a check of each

    error: `log-size` is a check of Housecall's own, of which only `severity` can be said
       ╭▸ ~/gate/housecall.toml:12:16
       │
    12 │         [check.log-size]
       ╰╴               ━━━━━━━━ give a check of yours another name

    error: an accepted finding has no reason
       ╭▸ ~/gate/housecall.toml:16:18
       │
    16 │         reason = " "
       ╰╴                 ━━━ say why it is lived with
    "#);
    let gate = Gate::new(
        "[check.a]\nneeds = [\"b\"]\ncommand = { run = [\"true\"] }\n\
         [check.b]\nneeds = [\"c\"]\ncommand = { run = [\"true\"] }\n\
         [check.c]\nneeds = [\"a\"]\ncommand = { run = [\"true\"] }\n\
         [check.d]\nneeds = [\"dd\"]\ncommand = { run = [\"true\"] }\n\
         [[accept]]\ncheck = \"e\"\nreason = \"x\"\nuntil = 2026-12-31\n",
    );
    assert_snapshot!(gate.complaint(&[]), @r#"
    error: a check needs itself: a → b → c → a
      ╭▸ ~/gate/housecall.toml:7:8
      │
    7 │ [check.c]
      ╰╴       ━ take one of these needs away

    error: no check, group or tag is named `dd`
       ╭▸ ~/gate/housecall.toml:11:10
       │
    11 │ needs = ["dd"]
       ╰╴         ━━━━ did you mean `d`?

    error: no check is named `e`
       ╭▸ ~/gate/housecall.toml:14:9
       │
    14 │ check = "e"
       ╰╴        ━━━ did you mean `a`?
    "#);
}

#[test]
fn a_check_asks_something_and_is_called_like_nothing_else() {
    let complaint = Gate::new("[check.empty]\nseverity = \"info\"\n").complaint(&[]);
    assert!(complaint.contains("`empty` is no check of Housecall's own, and asks nothing"), "{complaint}");
    assert!(complaint.contains("say what it asks: one of command, connect, disk"), "{complaint}");
    let command = "command = { run = [\"true\"] }\n";
    for (more, kind) in [("group = \"api\"", "group"), ("tags = [\"api\"]", "tag")] {
        let complaint =
            Gate::new(&format!("[check.api]\n{command}[check.other]\n{more}\n{command}")).complaint(&[]);
        assert!(complaint.contains(&format!("`api` is the name of a check and of a {kind}")), "{complaint}");
    }
}

#[test]
fn a_changed_configuration_shows_the_difference_before_it_is_trusted() {
    let gate = Gate::new("[check.api]\ncommand = { run = [\"true\"] }\n");
    let folder = gate.home.at("gate");
    gate.home.git(&folder, ["init", "--quiet"]);
    gate.home.commit(&folder, "a gate");
    let _ = gate.home.housecall(gate.arguments(&["trust"])).exits(0);
    gate.home.write("gate/housecall.toml", "[check.api]\ncommand = { run = [\"false\"] }\n");
    gate.report(&[], 3);
    let told = gate.home.housecall(gate.arguments(&["trust"])).exits(0).stdout;
    for line in
        ["check     api: false", "-command = { run = [\"true\"] }", "+command = { run = [\"false\"] }"]
    {
        assert!(told.contains(line), "{line}: {told}");
    }
    gate.report(&[], 1);
}

#[test]
fn a_name_can_be_selected_and_a_wrong_one_is_an_error() {
    let gate = Gate::new(
        "[check.api]\ntags = [\"ci\"]\ngroup = \"backend\"\ncommand = { run = [\"true\"] }\n\
         [check.web]\ncommand = { run = [\"false\"] }\n",
    );
    for name in ["api", "ci", "backend"] {
        assert_eq!(gate.report(&["--only", name], 0).0["counts"]["pass"], 1, "{name}");
    }
    gate.report(&["--skip", "checks"], 0);
    assert!(gate.complaint(&["--only", "bakend"]).contains("did you mean `backend`?"));
    assert!(gate.complaint(&["--skip", "api,web"]).contains("nothing is selected"));
}

#[test]
fn a_configuration_that_came_with_a_repository_runs_nothing_before_it_is_trusted() {
    let gate = Gate::new(
        "[check.api]\ncommand = { run = [\"touch\", \"ran\"] }\n\
         fix = { run = [\"touch\", \"fixed\"], safety = \"safe\" }\n\
         [check.home]\nenv = { name = \"HOME\" }\n",
    );
    let folder = gate.home.at("gate");
    gate.home.git(&folder, ["init", "--quiet"]);
    gate.home.commit(&folder, "a gate");
    let report = gate.report(&["--fix"], 3);
    assert_eq!((report.status("api"), report.status("home")), ("unknown", "pass"));
    assert!(!gate.has("ran") && !gate.has("fixed"));
    let _ = gate.home.housecall(gate.arguments(&["trust"])).exits(0);
    gate.report(&[], 0);
    assert!(gate.has("ran"));
    gate.home.write("gate/more.toml", "[check.more]\ncommand = { run = [\"touch\", \"more\"] }\n");
    gate.home.commit(&folder, "more");
    let text = fs::read_to_string(&gate.file).expect("the gate");
    gate.home.write("gate/housecall.toml", format!("include = [\"more.toml\"]\n{text}"));
    assert_eq!(gate.report(&[], 3).status("more"), "unknown");
    assert!(!gate.has("more"));
}
