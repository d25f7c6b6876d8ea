//! What a request carries: known as secret once it is read, and quoted in no mistake.

use super::http::asked;
use super::world::World;

const URL: &str = "http://127.0.0.1:9/";

#[test]
fn what_a_request_carries_is_known_as_secret() {
    let world = World::new();
    for (more, echo) in [
        (", user = 'ann', password = 'Tr0ub4dor'", "Tr0ub4dor"),
        (", user = 'ann', password = 'Tr0ub4dor'", "YW5uOlRyMHViNGRvcg=="),
        // Nobody could hide the word, and the login is one all the same.
        (", user = 'ann', password = 'abc'", "YW5uOmFiYw=="),
        (", user = 'ann', password = 'changeme'", "ann:changeme"),
        (", headers = { Authorization = 'Basic YW5uOmNoYW5nZW1l' }", "ann:changeme"),
        (", proxy = 'http://Zq7wPx3kLm9v@127.0.0.1:1'", "Zq7wPx3kLm9v"),
        (", proxy = 'http://Zq7wPx3kLm9v@127.0.0.1:1'", "WnE3d1B4M2tMbTl2Og=="),
        (", headers = { Authorization = 'Bearer open-sesame' }", "open-sesame"),
        (", headers = { X-Team = 'blue-herons' }", "blue-herons"),
        (", headers = { Cookie = 'a=b; sid=correct-horse' }", "correct-horse"),
        (", proxy = 'http://me:p%40ssw0rd@127.0.0.1:1'", "p@ssw0rd"),
        (", proxy = 'http://me:p%40ssw0rd@127.0.0.1:1'", "bWU6cEBzc3cwcmQ="),
        (", proxy = 'me:opensesame@127.0.0.1:1'", "opensesame"),
    ] {
        let config = world.config(&asked(URL, more));
        let shown = config.redactor.text(&format!("it says {echo} to you"));
        assert!(shown.starts_with("it says [redacted:") && shown.ends_with("] to you"), "{more}: {shown}");
    }
    let config = world.config(&asked(URL, ", headers = { Accept = 'application/json' }"));
    assert_eq!(config.redactor.text("it is application/json"), "it is application/json");
}

#[test]
fn no_mistake_shows_a_secret() {
    let world = World::new();
    for (more, message) in [
        (", proxy = '${BAD}'", "the proxy has no address"),
        (", proxy = 'ftp://bob:s3cr3t@127.0.0.1:3128'", "the proxy has no address"),
        (", proxy = 'bob:s3cr3t@:3128'", "the proxy has no address"),
        (", user = 'ann', password = 's3cr3t${'", "opens a `${` that nothing closes"),
        (", method = 'get', user = 'ann', password = 's3cr3t'", "`get` is no method"),
        (", method = 'get', headers = { A = 's3cr3t' }", "`get` is no method"),
    ] {
        let told = world.mistakes(&format!("{}\n[variables]\nBAD = 'ftp://bob:s3cr3t@h'", asked(URL, more)));
        assert!(told.contains(message) && !told.contains("s3cr3t"), "{more}: {told}");
    }
    let told = world.mistakes("http = { url = 'bob:s3cr3t@h' }");
    assert!(told.contains("that is no address"), "{told}");
    let told = world.mistakes("http = { url = '${BAD}' }\n[variables]\nBAD = 'bob:s3cr3t@h'");
    assert!(told.contains("that is no address") && !told.contains("s3cr3t@h' }"), "{told}");
}
