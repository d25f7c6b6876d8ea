//! What may not be shown is not shown: values, shapes, homes; and what only looks like it stays as it is.
#![expect(clippy::disallowed_methods, reason = "a test makes a world and looks at it")]

use std::collections::BTreeMap;
use std::path::PathBuf;

use housecall::config::Surroundings;
use housecall::redact::Redactor;
use support::home::Home;

fn redactor(environment: &[(&str, &str)]) -> Redactor {
    let variables = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Redactor::of(&Surroundings {
        home: PathBuf::from("/home/ann"),
        directory: PathBuf::from("/home/ann/site"),
        environment: variables.collect::<BTreeMap<_, _>>(),
        odd: [].into(),
        uid: 1000,
    })
}

/// A token that no scanner of the project's own sources takes for a real one.
fn token(prefix: &str) -> String {
    format!("{prefix}{}", "4f9Kq2Zr8Tn1Vb6Xc3Wd7Ly5Hs0Jg")
}

#[test]
fn each_shape_of_a_secret_is_known() {
    let nothing = redactor(&[]);
    let prefixes = [
        "ghp_",
        "gho_",
        "ghs_",
        "github_pat_",
        "glpat-",
        "sk-",
        "sk-ant-api03-",
        "sk-proj-",
        "sk_live_",
        "AIza",
        "npm_",
        "xoxb-1234567890-",
        "xapp-1-",
        "hf_",
        "dckr_pat_",
        "pypi-AgE",
    ];
    let mut secrets: Vec<String> = prefixes.iter().map(|prefix| token(prefix)).collect();
    secrets.push(format!("AKIA{}", "Q3EGJ7P2MNZ5RT8W"));
    secrets
        .push(format!("eyJhbGciOiJIUzI1NiJ9.{}.{}", "eyJzdWIiOiIxMjM0NTY3ODkwIn0", "dozjgNryP4J3jVmNHl0w5N"));
    for secret in secrets {
        for text in [secret.clone(), format!("see \"{secret}\", then"), format!("https://x.org/a#{secret}")] {
            let shown = nothing.text(&text);
            assert!(!shown.contains(&secret) && shown.contains("[redacted:"), "{text} is shown as {shown}");
        }
    }
}

#[test]
fn what_stands_where_a_secret_stands_is_one() {
    let nothing = redactor(&[]);
    for text in [
        "https://ann:{}@example.org/site.git",
        "postgres://ann:{}@db/site",
        "https://ann@example.com:{}@example.org/site.git",
        "fatal: Authentication failed for 'https://{}@example.org/'",
        "http://127.0.0.1:4321/?a=1&access_token={}&b=2",
        "/callback?key={}",
        "API_TOKEN={} node server.js",
        "env: DB_PASSWORD={}",
        "node server.js --token {} --port 4321",
        "node server.js --api-key={}",
        "[\"node\", \"--password\", \"{}\"]",
        "<key>STRIPE_KEY</key>\n  <string>{}</string>",
        "<string>--token</string><string>{}</string>",
        "Environment=\"SESSION_SECRET={}\"",
        "{\"clientSecret\": \"{}\", \"port\": 1}",
        "password: {}",
        "passwd: {}",
        "see /srv/passwd: {}",
        "/etc/passwd: password: {}",
        "/etc/passwd={}",
        "/etc/token={}",
        "\tGITHUB_TOKEN => {}",
        "Authorization: Basic {}",
        "authorization: Bearer {}",
        "Set-Cookie: sid={}; Path=/",
        "curl -u ann:{} http://127.0.0.1/",
        "machine x.org login ann password {}",
    ] {
        let secret = "Zq7wPx3kLm9v";
        let shown = nothing.text(&text.replace("{}", secret));
        assert!(!shown.contains(secret) && shown.contains("[redacted:"), "{text} is shown as {shown}");
        assert_eq!(nothing.text(&shown), shown, "twice is the same as once");
    }
    let key = format!(
        "-----BEGIN {} KEY-----\nMIIEpAIBAAKCAQEA\nabcdef\n-----END {} KEY-----",
        "RSA PRIVATE", "RSA PRIVATE"
    );
    assert_eq!(nothing.text(&format!("a\n{key}\nb")), "a\n[redacted:private-key]\nb");
}

#[test]
fn what_is_no_secret_stays_as_it_is() {
    let nothing = redactor(&[
        ("API_TOKEN", "true"),
        ("AUTH_TYPE", "password"),
        ("SSH_AUTH_SOCK", "/tmp/ssh-x/agent.1"),
        ("A_TOKEN", "12345"),
        ("KEYBOARD", "german-layout"),
        ("TOKEN_FILE", "/home/ann/.token"),
        ("PWD", "/srv/site"),
        ("AUTHOR", "Ann Droid"),
    ]);
    for text in [
        "SyntaxError: Unexpected token: foo",
        "the worktree is on `feature`, not on `localhost-sync`",
        "a1bfbf4c0ffee1234567890abcdef1234567890a",
        "node node_modules/.bin/astro dev --host 127.0.0.1 --port 4321",
        "ssh://git@example.org/site.git",
        "http://127.0.0.1:4321/archicrat-ia/prologue/?page=2",
        "basic authentication is asked for",
        "sk-loading-indicator-of-the-page",
        "Keyboard: german-layout, /tmp/ssh-x/agent.1 true 12345 password",
        "-----BEGIN CERTIFICATE-----",
        "http-status:/login",
        "# file /etc/passwd: contains root:x",
        "error: /etc/passwd: permission denied",
        "{\"/etc/passwd\": \"unreadable\"}",
        "worktree-branch",
        "housecall.report/1",
        "/home/anna/site /mnt/home/ann/site /home/ann.old/x",
    ] {
        assert_eq!(nothing.text(text), text);
    }
}

#[test]
fn a_secret_of_the_environment_is_found_however_it_is_written() {
    let secret = "p@ss/w\"ord&9";
    let known =
        redactor(&[("SITE_PASSWORD", secret), ("DATABASE_URL", "postgres://ann:Zx81Spectrum@db/site")]);
    for text in [
        secret.to_owned(),
        format!("-p{secret}"),
        serde_json::Value::from(secret).to_string(),
        "p%40ss%2Fw%22ord%269".to_owned(),
        "p%40ss%2fw%22ord%269".to_owned(),
        "p@ss/w&quot;ord&amp;9".to_owned(),
        "p@ss\\/w\\u0022ord&9".to_owned(),
        "p@\u{1b}[31mss/w\"o\u{1b}[0mrd&9".to_owned(),
        "p@ss\u{200b}/w\"ord&9".to_owned(),
        "p@\\u{1b}[31mss/w\"ord&9".to_owned(),
    ] {
        assert_eq!(
            known.text(&text).replace("-p", "").replace('"', ""),
            "[redacted:SITE_PASSWORD]",
            "{text}"
        );
    }
    assert_eq!(known.text("psql: Zx81Spectrum is wrong"), "psql: [redacted:DATABASE_URL] is wrong");
    let shape = format!("gh\u{1b}[1mp_{}", &token("")[..20]);
    assert_eq!(known.text(&shape), "[redacted:github-token]");
}

#[test]
fn a_secret_within_another_leaves_nothing_behind() {
    let known = redactor(&[("A_TOKEN", "abcdef1"), ("B_TOKEN", "def1ghijkl"), ("C_TOKEN", "abcdef1gh")]);
    assert_eq!(known.text("<abcdef1ghijkl>"), "<[redacted:C_TOKEN]>");
}

#[test]
fn the_home_directory_is_written_short() {
    let known = redactor(&[]);
    assert_eq!(
        known.text("cannot read /home/ann/site, or file:///home/ann."),
        "cannot read ~/site, or file://~."
    );
    assert_eq!(known.text("%2Fhome%2Fann%2Fsite /home/ann"), "%2Fhome%2Fann%2Fsite ~");
    assert_eq!(known.command("git -C '/home/ann/my site' status"), "git -C ~/'my site' status");
}

#[test]
fn what_a_job_gives_its_program_is_learned() {
    let known = redactor(&[]);
    known.learn_definition(
        b"<?xml version=\"1.0\"?><plist version=\"1.0\"><dict><key>EnvironmentVariables</key><dict>\
          <key>CONDUCTOR_SECRET</key><string>quick-brown</string></dict></dict></plist>",
    );
    known.learn_definition(b"[Service]\nEnvironment=A=1 \"SMTP_PASSWORD=lazy-dog\"\n");
    assert_eq!(
        known.text("quick-brown or lazy-dog"),
        "[redacted:CONDUCTOR_SECRET] or [redacted:SMTP_PASSWORD]"
    );
}

#[test]
fn any_text_is_taken() {
    let known = redactor(&[("A_TOKEN", "ünïcødé-wert")]);
    let pieces = [
        "%",
        "\\",
        "&",
        "\\u{",
        "\\ud8",
        "%e",
        "é",
        "\u{1b}[",
        "token=",
        "://",
        "@",
        "&#x;",
        "ünïcødé-wert",
        "\u{1b}]",
    ];
    for first in pieces {
        for second in pieces {
            for third in pieces {
                let text = format!("{first}{second}{third}{second}");
                let shown = known.text(&text);
                assert!(!shown.contains("ünïcødé-wert"), "{text:?} is shown as {shown:?}");
                assert!(!known.text(&shown).contains("ünïcødé-wert"), "{text:?}");
            }
        }
    }
}

/// A mirror that names the secret wherever a configuration can, in an environment that holds it.
fn planted() -> (Home, [&'static str; 3]) {
    let mut home = Home::new();
    let secrets = ["hunter2hunter2", "correct-horse-battery", "Zq7wPx3kLm9v"];
    home.set("GITHUB_TOKEN", secrets[0]);
    let repository = home.at("dev/hunter2hunter2");
    std::fs::create_dir_all(&repository).expect("a folder");
    home.write(
        "dev/housecall.toml",
        format!(
            "[mirror]\nrepository = \"{}\"\nworktree = \"~/ops/worktree\"\nstate = \"~/ops\"\n\
             [serve]\nrun = [\"node\", \"--token\", \"Zq7wPx3kLm9v\", \"correct-horse-battery\"]\nlisten = \"127.0.0.1:9\"\n\
             env = {{ API_SECRET = \"correct-horse-battery\" }}\n\
             [[page]]\npath = \"/?token=Zq7wPx3kLm9v\"\ncontains = [\"hunter2hunter2\"]\n",
            repository.display()
        ),
    );
    home.write(
        "ops/logs/serve.log",
        "the token is hunter2hunter2\nGET /?token=Zq7wPx3kLm9v\ncorrect-horse-battery\n",
    );
    (home, secrets)
}

#[test]
fn no_output_of_the_program_holds_a_secret_or_the_home() {
    let (home, secrets) = planted();
    let directory = home.at("dev");
    for arguments in [
        &["--json"][..],
        &["-v"],
        &["--color", "always", "-v"],
        &["--fix", "--dry-run"],
        &["--fix", "--dry-run", "--json"],
        &["logs"],
        &["checks"],
        &["checks", "--json"],
        &["explain", "canonical-repo"],
        &["sync"],
        &["install", "--dry-run"],
        &["--only", "hunter2hunter2"],
        &["who", "9", "--json"],
        &["lint", "hunter2hunter2.plist"],
    ] {
        let ran = home.housecall_in(&directory, arguments);
        assert!(!ran.stdout.is_empty() || !ran.stderr.is_empty());
        let all = format!("{}{}", ran.stdout, ran.stderr);
        for secret in secrets.iter().copied().chain([&*home.path().to_string_lossy()]) {
            assert!(!all.contains(secret), "{arguments:?} shows {secret}\n{all}");
        }
    }
    let events = std::fs::read_to_string(home.at("ops/events.log")).expect("events.log");
    assert!(!events.contains(secrets[0]), "{events}");
}

#[test]
fn a_mistake_in_the_configuration_is_shown_without_the_secret_beside_it() {
    let home = Home::new();
    home.write("housecall.toml", "[serve]\nenv = { API_SECRET = \"Zq7wPx3kLm9v\", B = 1 }\n");
    for colour in ["always", "never"] {
        let ran = home.housecall(["--color", colour]).exits(2);
        assert!(ran.stderr.contains("API_SECRET") && !ran.stderr.contains("Zq7wPx3kLm9v"), "{ran}");
    }
}

#[test]
fn a_page_shows_no_password_whatever_it_is() {
    let home = Home::new();
    let ask = |more: &str| format!("http = {{ url = \"http://127.0.0.1:9/\", {more} }}\n");
    let passwords = ["changeme", "password", "admin", "abc", "my pass word", "Tr0ub4dor"];
    let checks = passwords
        .iter()
        .enumerate()
        .map(|(at, it)| format!("[check.c{at}]\n{}", ask(&format!("user = \"alice\", password = \"{it}\""))));
    let reference = ask("headers = { X-Team = \"${HOME}\" }, proxy = \"bob:abc@127.0.0.1:1\"");
    home.write("housecall.toml", checks.collect::<String>() + "[check.last]\n" + &reference);
    for at in 0..passwords.len() {
        let page = home.housecall(["explain", &format!("c{at}")]).exits(0).stdout;
        let marked = "user = \"alice\", password = \"[redacted:password]\" }";
        assert!(page.contains(marked), "{page}");
    }
    let page = home.housecall(["explain", "last"]).exits(0).stdout;
    assert!(page.contains("X-Team = \"${HOME}\"") && page.contains("proxy = \"[redacted:"), "{page}");
}

/// Ten thousand secrets cost one pass over a text, and marks that nobody closed cost none.
#[test]
fn however_many_secrets_and_marks_there_are_a_text_is_read_in_one_pass() {
    let redactor = redactor(&[]);
    let secret = |at: usize| format!("planted-{at:05}-secret");
    for at in 0..10_000 {
        redactor.learn(&format!("A{at}_TOKEN"), &secret(at));
    }
    let text: String = (0..10_000).map(|at| secret(at) + " fine\n").collect();
    let shown = redactor.text(&text);
    assert!(!shown.contains("planted"), "{}", &shown[..200]);
    assert_eq!(shown.matches(" fine").count(), 10_000);
    let open = "[redacted:".repeat(200_000);
    assert_eq!(redactor.text(&open), open);
}
