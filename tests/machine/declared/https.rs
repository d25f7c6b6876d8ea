//! `http` over TLS: certificates that expire, that nobody signed, that servers demand, and what is overlooked.

use std::net::TcpListener;
use std::sync::Arc;
use std::thread;

use housecall::config::Trust;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::version::{TLS12, TLS13};
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned, SupportedProtocolVersion};

use super::http::{answer, asked};
use super::world::World;

/// A home with roots of its own, and servers whose certificates those signed.
struct Tls {
    world: World,
    issuer: Issuer<'static, KeyPair>,
    root: CertificateDer<'static>,
}

impl Tls {
    fn new() -> Self {
        let mut params = CertificateParams::new([]).expect("parameters");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "a root of a test");
        let key = KeyPair::generate().expect("a key");
        let root = params.self_signed(&key).expect("a root");
        let world = World::new();
        std::fs::write(world.home.at("ca.pem"), root.pem()).expect("a file of roots");
        Self { world, issuer: Issuer::new(params, key), root: root.der().clone() }
    }

    /// A certificate for that name, until that year, and its key.
    fn signed(&self, name: &str, until: i32) -> (rcgen::Certificate, KeyPair) {
        let mut params = CertificateParams::new([name.to_owned()]).expect("parameters");
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(until, 1, 1);
        let key = KeyPair::generate().expect("a key");
        (params.signed_by(&key, &self.issuer).expect("a certificate"), key)
    }

    /// A server with a certificate for that name, until that year; its address.
    fn serve(&self, name: &str, until: i32) -> String {
        self.serve_to(name, until, None)
    }

    /// One that answers only who shows a certificate that these roots signed, where there are some.
    fn serve_to(&self, name: &str, until: i32, roots: Option<RootCertStore>) -> String {
        let (certificate, key) = self.signed(name, until);
        let secret = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .expect("TLS");
        let builder = match roots {
            None => builder.with_no_client_auth(),
            Some(roots) => builder.with_client_cert_verifier(
                WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
                    .build()
                    .expect("a demand"),
            ),
        };
        let chain = vec![certificate.der().clone()];
        serve(builder.with_single_cert(chain, secret).expect("a certificate and its key"))
    }

    /// One that shows a good certificate, and has another key.
    fn serve_impostor(&self, version: &'static SupportedProtocolVersion) -> String {
        let (certificate, _) = self.signed("localhost", 2090);
        let other = KeyPair::generate().expect("a key").serialize_der();
        let other = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(other));
        let key = any_supported_type(&other).expect("a key that signs");
        let shown = CertifiedKey::new(vec![certificate.der().clone()], key);
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(provider).with_protocol_versions(&[version]);
        let builder = builder.expect("TLS").with_no_client_auth();
        serve(builder.with_cert_resolver(Arc::new(SingleCertAndKey::from(shown))))
    }

    fn look(&self, url: &str, more: &str) -> String {
        self.world.look(&asked(url, more))
    }
}

/// A server that speaks TLS so; its address.
fn serve(config: ServerConfig) -> String {
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("its address").port();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let config = Arc::clone(&config);
            thread::spawn(move || {
                let connection = ServerConnection::new(config).expect("a connection");
                answer(&mut StreamOwned::new(connection, stream), port);
            });
        }
    });
    format!("https://localhost:{port}/json")
}

#[test]
fn https_is_believed_only_with_a_certificate_that_holds() {
    let tls = Tls::new();
    let good = tls.serve("localhost", 2090);
    assert_eq!(tls.look(&good, ", ca = 'ca.pem'"), "pass");
    assert_eq!(tls.look(&good, ", ca = 'ca.pem', tls-expiry = '14d'"), "pass");
    let told = tls.look(&good, "");
    assert!(
        told.ends_with("is not to be trusted; actual nobody whom this machine trusts signed the certificate"),
        "{told}"
    );
    let told = tls.look(&tls.serve("localhost", 2021), ", ca = 'ca.pem'");
    assert!(told.contains("is not to be trusted; actual the certificate has expired"), "{told}");
    let told = tls.look(&tls.serve("example.org", 2090), ", ca = 'ca.pem'");
    assert!(told.contains("is not to be trusted; actual the certificate is for another name"), "{told}");
    assert!(tls.look(&good, ", ca = 'none.pem'").starts_with("unknown: cannot read ~/none.pem"));
    std::fs::write(tls.world.home.at("empty.pem"), "nothing\n").expect("a file");
    assert!(tls.look(&good, ", ca = 'empty.pem'").starts_with("unknown: ~/empty.pem is not readable"));
}

#[test]
fn a_certificate_that_ends_soon_is_told_before_it_does() {
    let tls = Tls::new();
    let year = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).year();
    let url = tls.serve("localhost", i32::from(year) + 1);
    assert_eq!(tls.look(&url, ", ca = 'ca.pem'"), "pass");
    let told = tls.look(&url, ", ca = 'ca.pem', tls-expiry = '400d'");
    assert!(
        told.contains("fail: the certificate of https://localhost:") && told.contains("expected 400 days"),
        "{told}"
    );
}

#[test]
fn what_is_overlooked_is_told_and_an_end_is_still_judged() {
    let tls = Tls::new();
    let good = tls.serve("localhost", 2090);
    let overlooked = |url: &str, more: &str| {
        let question = asked(url, &format!(", insecure = true{more}"));
        (tls.world.look(&question), tls.world.evidence(&question, "overlooked"))
    };
    let (told, doubt) = overlooked(&good, "");
    assert_eq!(told, "pass");
    assert_eq!(doubt, "nobody whom this machine trusts signed the certificate");
    assert_eq!(overlooked(&good, ", ca = 'ca.pem'").1, "nothing: who answers is who was asked for");
    let other = tls.serve("example.org", 2090);
    assert!(overlooked(&other, ", ca = 'ca.pem'").1.starts_with("the certificate is for another name"));
    let ended = tls.serve("localhost", 2021);
    let (told, doubt) = overlooked(&ended, ", ca = 'ca.pem'");
    assert!(told == "pass" && doubt.starts_with("the certificate has expired"), "{told}: {doubt}");
    let (told, _) = overlooked(&ended, ", tls-expiry = '1d'");
    assert!(told.contains("has expired; expected 24 h; actual it holds no more"), "{told}");
    assert_eq!(overlooked(&good, ", tls-expiry = '14d'").0, "pass");
    assert!(overlooked(&good, ", status = 204").0.contains("answers 200; expected 204"));
}

#[test]
fn who_shows_the_certificate_of_another_is_told() {
    let tls = Tls::new();
    for version in [&TLS12, &TLS13] {
        let url = tls.serve_impostor(version);
        let why = "a signature was made with another key";
        let told = tls.look(&url, ", ca = 'ca.pem'");
        assert!(told.ends_with(&format!("is not to be trusted; actual {why}")), "{told}");
        let question = asked(&url, ", ca = 'ca.pem', insecure = true");
        assert_eq!(tls.world.look(&question), "pass");
        assert_eq!(tls.world.evidence(&question, "overlooked"), why);
    }
}

#[test]
fn a_server_that_demands_a_certificate_is_shown_one() {
    let tls = Tls::new();
    let mut roots = RootCertStore::empty();
    roots.add(tls.root.clone()).expect("a root");
    let url = tls.serve_to("localhost", 2090, Some(roots));
    let (certificate, key) = tls.signed("a client", 2090);
    let home = &tls.world.home;
    home.write("client.pem", certificate.pem());
    home.write("client.key", key.serialize_pem());
    home.write("both.pem", format!("{}{}", certificate.pem(), key.serialize_pem()));
    home.write("other.key", KeyPair::generate().expect("a key").serialize_pem());
    let shown = |files: &str| tls.look(&url, &format!(", ca = 'ca.pem'{files}"));
    assert_eq!(shown(", client-certificate = 'client.pem', client-key = 'client.key'"), "pass");
    assert_eq!(shown(", client-certificate = 'both.pem'"), "pass");
    let told = shown("");
    assert!(told.contains("gives no answer; actual received fatal alert: "), "{told}");
    let told = shown(", client-certificate = 'client.pem', client-key = 'other.key'");
    assert!(told.starts_with("unknown: cannot show ~/client.pem with the key ~/other.key"), "{told}");
    let told = shown(", client-certificate = 'client.pem'");
    assert!(told.starts_with("unknown: ~/client.pem is not readable: it holds no key"), "{told}");
    let told = shown(", client-certificate = 'client.pem', client-key = 'none.key'");
    assert!(told.starts_with("unknown: cannot read ~/none.key"), "{told}");
    let stranger = Tls::new();
    let (certificate, key) = stranger.signed("a stranger", 2090);
    home.write("stranger.pem", format!("{}{}", certificate.pem(), key.serialize_pem()));
    let told = shown(", client-certificate = 'stranger.pem'");
    assert!(told.contains("gives no answer; actual received fatal alert: "), "{told}");
    let untrusted = World { trust: Trust::Untrusted, ..World::new() };
    let told = untrusted.look(&asked(&url, ", client-certificate = 'both.pem'"));
    assert!(told.contains("no key is used before `housecall trust`"), "{told}");
}
