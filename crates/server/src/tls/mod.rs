//! HTTPS: certificates from files, or one of the server's own making, and their renewal while it runs.
//!
//! Browsers give a page the camera and the microphone only over HTTPS (or on localhost), so whoever has no proxy that
//! speaks it lets the server do so. `identity` is a certificate with its key, `self_signed` makes one for a local
//! network, and `keeper` sees to it that the one in use is the one that should be.

mod identity;
mod keeper;
mod self_signed;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

pub(crate) use identity::Identity;
pub(crate) use keeper::Keeper;
pub(crate) use self_signed::{addresses, names};

/// Where the certificate comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TlsConfig {
    /// From files in PEM form (RFC 7468), such as certbot and acme.sh keep. When they are renewed, the new ones are
    /// taken within seconds; new ones that cannot be used are logged, and the old ones stay in use.
    Files {
        /// The certificate, and after it those that lead to one that browsers know.
        cert: PathBuf,
        /// Its private key: PKCS #8, SEC 1 or PKCS #1.
        key: PathBuf,
    },
    /// The server makes one itself, for the names and addresses of the machine, and keeps it in this folder. Browsers
    /// warn of it. A new one is made before it ends, and when the machine gets another address.
    SelfSigned {
        /// Made if it is not there; the key in it is for this user alone.
        folder: PathBuf,
    },
}

/// Why HTTPS cannot be spoken. The message is one sentence and says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file cannot be read.
    #[error("cannot read {0}: {1}; name a file that the user who runs the server may read")]
    Read(PathBuf, #[source] io::Error),
    /// The file with the certificate holds none.
    #[error(
        "there is no certificate in {0}: it must be in PEM form, with lines that begin with -----BEGIN CERTIFICATE----- \
         (certbot calls that file fullchain.pem)"
    )]
    NoCertificate(PathBuf),
    /// The file with the key holds none.
    #[error(
        "there is no private key in {0}: it must be in PEM form, with a line like -----BEGIN PRIVATE KEY----- and \
         without a password (certbot calls that file privkey.pem)"
    )]
    NoKey(PathBuf),
    /// The key is that of another certificate.
    #[error(
        "the key in {key} is not that of the certificate in {cert}: name two files that were made together"
    )]
    NotAPair {
        /// The file with the certificate.
        cert: PathBuf,
        /// The file with the key.
        key: PathBuf,
    },
    /// They are of a kind that cannot be used.
    #[error(
        "the certificate in {cert} cannot be used: {source}; get one with an ECDSA (P-256, P-384), Ed25519 or RSA key"
    )]
    Unusable {
        /// The file with the certificate.
        cert: PathBuf,
        /// What the library says.
        #[source]
        source: rustls::Error,
    },
    /// The certificate could not be made.
    #[error("cannot make a certificate: {0}; give one with --tls-cert and --tls-key")]
    Make(#[source] rcgen::Error),
    /// The certificate could not be kept.
    #[error(
        "cannot keep the certificate in {0}: {1}; name a folder that this user may write to with --tls-self-signed"
    )]
    Keep(PathBuf, #[source] io::Error),
}

/// The certificate that is in use, whichever that is at the moment. Clones are the same.
#[derive(Debug, Clone)]
pub(crate) struct Tls {
    in_use: watch::Receiver<Arc<Identity>>,
}

impl Tls {
    /// What new connections are to be met with.
    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(self.in_use.borrow().config().clone())
    }

    /// Whether the certificate is for this name.
    pub(crate) fn covers(&self, name: &str) -> bool {
        self.in_use.borrow().covers(name)
    }

    /// The SHA-256 fingerprint of the certificate, as browsers show it.
    pub(crate) fn fingerprint(&self) -> String {
        self.in_use.borrow().fingerprint()
    }
}
