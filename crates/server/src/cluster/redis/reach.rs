//! How Redis is reached, and why it is not.

use std::path::Path;
use std::{error, fs};

use redis::{Client, ConnectionAddr, ErrorKind, IntoConnectionInfo, RedisError, TlsCertificates};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::cluster::settings::ClusterError;

/// How Redis is reached at this address, over TLS with a certificate that one of these has signed, or whom the system trusts.
/// Nothing is connected yet.
///
/// # Errors
/// What was given cannot be used, and why.
pub(in crate::cluster) fn client(address: &str, authority: Option<&Path>) -> Result<Client, ClusterError> {
    let info = address.into_connection_info().map_err(|_| ClusterError::Address)?;
    match (info.addr(), authority) {
        (ConnectionAddr::TcpTls { insecure: true, .. }, _) => Err(ClusterError::Insecure),
        (ConnectionAddr::TcpTls { .. }, Some(file)) => {
            let pem = fs::read(file).map_err(|error| ClusterError::Read(file.to_owned(), error))?;
            if CertificateDer::pem_slice_iter(&pem).next().is_none_or(|first| first.is_err()) {
                return Err(ClusterError::NoCertificate(file.to_owned()));
            }
            Client::build_with_tls(info, TlsCertificates { client_tls: None, root_cert: Some(pem) })
                .map_err(|_| ClusterError::NoCertificate(file.to_owned()))
        }
        (_, Some(_)) => Err(ClusterError::NotEncrypted),
        (_, None) => Client::open(info).map_err(|_| ClusterError::Address),
    }
}

/// Why Redis could not be asked the last time; nothing when it could.
#[derive(Default)]
pub(super) struct Trouble(Option<String>);

impl Trouble {
    /// Says in the log what could not be done and why, unless it has said so before.
    pub(super) fn tell(&mut self, error: &RedisError, what: &'static str) {
        let why = words(error);
        if self.0.as_ref() != Some(&why) {
            tracing::warn!(why, "{what}");
            self.0 = Some(why);
        }
    }

    /// It has answered.
    pub(super) fn is_over(&mut self) {
        self.0 = None;
    }
}

/// What has gone wrong. Not in the words of the error itself, which may hold what Redis was reached by; the system and TLS, which
/// may be its cause, do not know that.
fn words(error: &RedisError) -> String {
    if let Some(code) = error.code() {
        return format!("it answers {code}");
    }
    if error.kind() == ErrorKind::AuthenticationFailed {
        return "it does not let this server in: see the user, the password, and how many clients it takes"
            .to_owned();
    }
    match (error.kind(), error::Error::source(error)) {
        (ErrorKind::Io, Some(cause)) => cause.to_string(),
        (kind, _) => format!("{kind:?}"),
    }
}
