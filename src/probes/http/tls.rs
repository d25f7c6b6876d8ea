//! Whom https trusts, and what a certificate says of itself.
#![expect(clippy::disallowed_methods, reason = "probes are where files are read")]

use std::error::Error;
use std::io;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{CertificateError, ClientConfig, RootCertStore};
use rustls_platform_verifier::Verifier;
use x509_cert::Certificate;
use x509_cert::der::Decode as _;

use crate::error::ProbeError;

/// A file of roots is not larger than this, in bytes.
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

/// The system's roots, and those in a file of the user's.
///
/// # Errors
/// Neither can be read: then nobody can be trusted, and nothing can be said of who answers.
pub(super) fn trusting(ca: Option<&Path>) -> Result<ClientConfig, ProbeError> {
    let own = ca.map(roots).transpose()?.unwrap_or_default();
    let verifier = match Verifier::new_with_extra_roots(own.clone(), provider()) {
        Ok(verifier) => builder()?.dangerous().with_custom_certificate_verifier(Arc::new(verifier)),
        // A machine without any roots of its own: those of the user's file are all there are.
        Err(_) if !own.is_empty() => {
            let mut store = RootCertStore::empty();
            store.add_parsable_certificates(own);
            builder()?.with_root_certificates(store)
        }
        Err(error) => {
            return Err(ProbeError::failed("read the certificates that this machine trusts", &error));
        }
    };
    Ok(verifier.with_no_client_auth())
}

fn roots(file: &Path) -> Result<Vec<CertificateDer<'static>>, ProbeError> {
    let what = || format!("read {}", file.display());
    let metadata = std::fs::metadata(file).map_err(|error| ProbeError::failed(what(), &error))?;
    if !metadata.is_file() || metadata.len() > MOST {
        return Err(ProbeError::failed(what(), &"it is no file of certificates"));
    }
    let text = crate::plain::read(file).map_err(|error| ProbeError::failed(what(), &error))?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    let found = found.map_err(|error| ProbeError::unreadable(file.display().to_string(), &error))?;
    if found.is_empty() {
        return Err(ProbeError::unreadable(file.display().to_string(), &"it holds no certificate"));
    }
    Ok(found)
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
        CertificateError::Revoked => "the certificate was revoked".to_owned(),
        other => format!("the certificate is not valid: {other}"),
    })
}
