//! Whom a declared check may talk to: what leaves this machine needs trust, and is left alone by `--offline`.

use crate::config::Trust;
use crate::cx::Cx;
use crate::error::ProbeError;
use crate::probes::http::is_here;
use crate::verdict::Verdict;

/// Whether what is asked may leave this machine: `None`: it may; else the verdict instead.
///
/// # Errors
/// The configuration is not trusted: what it asks of others could carry this machine's secrets to them.
pub fn may_ask(cx: &Cx, host: &str) -> Result<Option<Verdict>, ProbeError> {
    if is_here(host) {
        return Ok(None);
    }
    if cx.config().trust == Trust::Untrusted {
        return Err(ProbeError::failed(
            format!("ask {host}"),
            &"the configuration is not trusted: nobody else is asked before `housecall trust`",
        ));
    }
    let offline = cx.config().limits.offline;
    Ok(offline.then(|| Verdict::not_applicable("--offline leaves the network alone")))
}

#[cfg(test)]
mod tests {
    use crate::probes::http::is_here;

    #[test]
    fn this_machine_is_known_by_its_addresses_and_names() {
        for (host, here) in [
            ("127.0.0.1", true),
            ("127.9.9.9", true),
            ("::1", true),
            ("[::1]", true),
            ("::ffff:127.0.0.1", true),
            ("localhost", true),
            ("LOCALHOST.", true),
            ("app.localhost", true),
            ("127.0.0.1.example.org", false),
            ("localhost.example.org", false),
            ("192.0.2.1", false),
        ] {
            assert_eq!(is_here(host), here, "{host}");
        }
    }
}
