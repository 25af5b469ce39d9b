//! A certificate and its key.

use std::fmt::{self, Write};
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, Error, RootCertStore, ServerConfig};
use sha2::{Digest, Sha256};

use super::TlsError;

/// The two files, as they are on the disk. What is secret is never printed.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Files {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

impl fmt::Debug for Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Files(…)")
    }
}

impl Files {
    /// Reads them.
    ///
    /// # Errors
    /// One of them cannot be read.
    pub(super) fn read(cert: &Path, key: &Path) -> Result<Self, TlsError> {
        let read = |path: &Path| fs::read(path).map_err(|error| TlsError::Read(path.to_owned(), error));
        Ok(Self { certificate: read(cert)?, key: read(key)? })
    }
}

/// A certificate, its key, and what a server needs to show that it is the one.
#[derive(Debug)]
pub(crate) struct Identity {
    config: Arc<ServerConfig>,
    /// The certificate itself, without those that lead to it.
    leaf: CertificateDer<'static>,
}

impl Identity {
    /// Makes one of the content of two files. The paths are for the words of the errors.
    ///
    /// # Errors
    /// They hold no certificate, no key, or none that can be used.
    pub(super) fn new(files: &Files, cert: &Path, key: &Path) -> Result<Self, TlsError> {
        let no_certificate = || TlsError::NoCertificate(cert.to_owned());
        let chain = CertificateDer::pem_slice_iter(&files.certificate)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_| no_certificate())?;
        let leaf = chain.first().cloned().ok_or_else(no_certificate)?;
        let private =
            PrivateKeyDer::from_pem_slice(&files.key).map_err(|_| TlsError::NoKey(key.to_owned()))?;
        let unusable = |source: Error| match source {
            Error::InconsistentKeys(_) => TlsError::NotAPair { cert: cert.to_owned(), key: key.to_owned() },
            source => TlsError::Unusable { cert: cert.to_owned(), source },
        };
        let mut config = ServerConfig::builder_with_provider(Arc::new(provider()))
            .with_safe_default_protocol_versions()
            .map_err(unusable)?
            .with_no_client_auth()
            .with_single_cert(chain, private)
            .map_err(unusable)?;
        // All that is spoken here, so that no client tries HTTP/2 (RFC 7301).
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { config: Arc::new(config), leaf })
    }

    /// For whoever accepts connections.
    pub(super) fn config(&self) -> &Arc<ServerConfig> {
        &self.config
    }

    /// The SHA-256 of the certificate as browsers show it: pairs of digits with colons between them.
    pub(crate) fn fingerprint(&self) -> String {
        let mut text = String::with_capacity(95);
        for byte in Sha256::digest(&self.leaf) {
            // Writing to a string does not fail.
            let _ = write!(text, "{}{byte:02X}", if text.is_empty() { "" } else { ":" });
        }
        text
    }

    /// Whether the certificate is for this name or address (RFC 9525, section 6).
    pub(super) fn covers(&self, name: &str) -> bool {
        let (Ok(leaf), Ok(name)) = (ParsedCertificate::try_from(&self.leaf), ServerName::try_from(name))
        else {
            return false;
        };
        verify_server_name(&leaf, &name).is_ok()
    }

    /// Whether the certificate is no longer valid at this time.
    pub(super) fn has_ended_at(&self, time: SystemTime) -> bool {
        let Ok(leaf) = ParsedCertificate::try_from(&self.leaf) else { return true };
        let time = UnixTime::since_unix_epoch(time.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO));
        // The times come before the question who signed it, which nobody asks here.
        let verdict = verify_server_cert_signed_by_trust_anchor(
            &leaf,
            &RootCertStore::empty(),
            &[],
            time,
            provider().signature_verification_algorithms.all,
        );
        matches!(
            verdict,
            Err(Error::InvalidCertificate(
                CertificateError::Expired | CertificateError::ExpiredContext { .. }
            ))
        )
    }
}

/// The cryptography: ring, named here so that nothing else in the process can choose another.
fn provider() -> CryptoProvider {
    ring::default_provider()
}
