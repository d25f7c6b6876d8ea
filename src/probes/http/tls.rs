//! Whom https trusts, and what a certificate says of itself.
#![expect(clippy::disallowed_methods, reason = "probes are where files are read")]

use std::error::Error;
use std::io;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_platform_verifier::Verifier;
use x509_cert::Certificate;
use x509_cert::der::Decode as _;

use super::Tls;
use crate::error::ProbeError;

/// A file of certificates is not larger than this, in bytes.
const MOST: u64 = 16 << 20;

fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: OnceLock<Arc<CryptoProvider>> = OnceLock::new();
    Arc::clone(PROVIDER.get_or_init(|| Arc::new(ring::default_provider())))
}

fn builder() -> Result<rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier>, ProbeError> {
    ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|error| ProbeError::failed("prepare TLS", &error))
}

/// For clients that speak no TLS: it costs nothing, and trusts nobody.
pub(super) fn trusting_nobody() -> Result<ClientConfig, ProbeError> {
    Ok(builder()?.with_root_certificates(RootCertStore::empty()).with_no_client_auth())
}

/// Why who answers would not be believed; the first doubt is kept.
pub(super) type Doubt = Arc<OnceLock<String>>;

/// The system's roots and those in a file of the user's are trusted, or everybody is and the doubt told.
///
/// # Errors
/// Neither can be read: then nobody can be trusted, and nothing can be said of who answers; or the certificate
/// that is to be shown cannot.
pub(super) fn speaking(tls: &Tls<'_>, doubt: &Doubt) -> Result<ClientConfig, ProbeError> {
    let own = tls.ca.map(certificates).transpose()?.unwrap_or_default();
    let judge: Arc<dyn ServerCertVerifier> = match (verifier(own), tls.is_insecure) {
        (Ok(judge), false) => judge,
        (Err(error), false) => return Err(error),
        (judge, true) => Arc::new(Overlooking { judge: judge.ok(), doubt: Arc::clone(doubt) }),
    };
    let builder = builder()?.dangerous().with_custom_certificate_verifier(judge);
    let Some((certificate, key)) = tls.identity else { return Ok(builder.with_no_client_auth()) };
    let chain = certificates(certificate)?;
    let named = key.display().to_string();
    let key = PrivateKeyDer::from_pem_slice(&pem(key)?).map_err(|error| match error {
        pem::Error::NoItemsFound => ProbeError::unreadable(&named, &"it holds no key without a passphrase"),
        // What the file says is not told: it is a secret.
        _ => ProbeError::unreadable(&named, &"it is no PEM file of a key"),
    })?;
    builder.with_client_auth_cert(chain, key).map_err(|error| {
        ProbeError::failed(format!("show {} with the key {named}", certificate.display()), &error)
    })
}

fn verifier(own: Vec<CertificateDer<'static>>) -> Result<Arc<dyn ServerCertVerifier>, ProbeError> {
    let unread = |error: &dyn std::fmt::Display| {
        ProbeError::failed("read the certificates that this machine trusts", error)
    };
    match Verifier::new_with_extra_roots(own.clone(), provider()) {
        Ok(verifier) => Ok(Arc::new(verifier)),
        // A machine without any roots of its own: those of the user's file are all there are.
        Err(_) if !own.is_empty() => {
            let mut store = RootCertStore::empty();
            store.add_parsable_certificates(own);
            let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(store), provider()).build();
            Ok(verifier.map_err(|error| unread(&error))?)
        }
        Err(error) => Err(unread(&error)),
    }
}

/// Believes anybody, and remembers why nobody should.
#[derive(Debug)]
struct Overlooking {
    judge: Option<Arc<dyn ServerCertVerifier>>,
    doubt: Doubt,
}

impl Overlooking {
    fn overlook<T>(&self, judged: impl FnOnce(&dyn ServerCertVerifier) -> Result<T, rustls::Error>) {
        let doubt = match self.judge.as_deref().map(judged) {
            None => "the certificates that this machine trusts cannot be read".to_owned(),
            Some(Ok(_)) => return,
            Some(Err(error)) => distrust(&error).unwrap_or_else(|| error.to_string()),
        };
        let _ = self.doubt.set(doubt);
    }
}

impl ServerCertVerifier for Overlooking {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        self.overlook(|judge| judge.verify_server_cert(certificate, between, name, ocsp, now));
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.overlook(|judge| judge.verify_tls12_signature(message, certificate, signed));
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.overlook(|judge| judge.verify_tls13_signature(message, certificate, signed));
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        provider().signature_verification_algorithms.supported_schemes()
    }
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, ProbeError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem(file)?).collect();
    let found = found.map_err(|error| ProbeError::unreadable(file.display().to_string(), &error))?;
    if found.is_empty() {
        return Err(ProbeError::unreadable(file.display().to_string(), &"it holds no certificate"));
    }
    Ok(found)
}

fn pem(file: &Path) -> Result<Vec<u8>, ProbeError> {
    let what = || format!("read {}", file.display());
    let metadata = std::fs::metadata(file).map_err(|error| ProbeError::failed(what(), &error))?;
    if !metadata.is_file() || metadata.len() > MOST {
        return Err(ProbeError::failed(what(), &"it is no file of certificates"));
    }
    crate::plain::read(file).map_err(|error| ProbeError::failed(what(), &error))
}

/// When a certificate ends.
pub(super) fn holds_until(certificate: &[u8]) -> Option<Timestamp> {
    let certificate = Certificate::from_der(certificate).ok()?;
    let end = certificate.tbs_certificate.validity.not_after.to_unix_duration();
    Timestamp::from_second(i64::try_from(end.as_secs()).ok()?).ok()
}

/// Why a certificate was not believed, where that is what an error is about.
pub(super) fn distrust(error: &(dyn Error + 'static)) -> Option<String> {
    // The source of an error of the system's is not the error that it wraps, but that one's source.
    if let Some(inner) = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        return distrust(inner);
    }
    let error = error.downcast_ref::<rustls::Error>()?;
    let rustls::Error::InvalidCertificate(why) = error else { return None };
    let day = |seconds: u64| i64::try_from(seconds).ok().and_then(|it| Timestamp::from_second(it).ok());
    Some(match why {
        CertificateError::Expired => "the certificate has expired".to_owned(),
        CertificateError::ExpiredContext { not_after, .. } => {
            let day = day(not_after.as_secs()).map(|it| it.strftime(" on %Y-%m-%d").to_string());
            format!("the certificate has expired{}", day.unwrap_or_default())
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "the certificate does not hold yet".to_owned()
        }
        CertificateError::UnknownIssuer => {
            "nobody whom this machine trusts signed the certificate".to_owned()
        }
        CertificateError::NotValidForName => "the certificate is for another name".to_owned(),
        CertificateError::NotValidForNameContext { presented, .. } => {
            format!("the certificate is for another name: {}", presented.join(", "))
        }
        CertificateError::BadSignature => "a signature was made with another key".to_owned(),
        CertificateError::Revoked => "the certificate was revoked".to_owned(),
        other => format!("the certificate is not valid: {other}"),
    })
}
