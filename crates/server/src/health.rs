//! Asks a server whether it lives, from beside it: for containers that hold no other program.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use duologue_server::Config;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, Error, SignatureScheme, StreamOwned};

/// How long each step may take.
const PATIENCE: Duration = Duration::from_secs(3);

const QUESTION: &[u8] = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

/// Asks the server of this configuration.
///
/// # Errors
/// It does not answer, or not with `ok`.
pub(crate) fn check(config: &Config) -> Result<(), String> {
    let address = here(config.listen);
    let answer = ask(address, config.tls.is_some()).map_err(|error| {
        format!("no server answers at {address}: {error}; start it, or give this the settings that it was started with")
    })?;
    if answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("\r\n\r\nok") {
        return Ok(());
    }
    let first = answer.lines().next().unwrap_or_default();
    Err(format!("what answers at {address} is no healthy server: {first:?}; look at its log"))
}

/// Where a server that listens there is found from this machine.
fn here(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

fn ask(address: SocketAddr, encrypted: bool) -> io::Result<String> {
    let socket = TcpStream::connect_timeout(&address, PATIENCE)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    socket.set_write_timeout(Some(PATIENCE))?;
    if !encrypted {
        return talk(socket);
    }
    let provider = Arc::new(ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anyone))
        .with_no_client_auth();
    let name = ServerName::IpAddress(address.ip().into());
    let connection = ClientConnection::new(Arc::new(config), name).map_err(io::Error::other)?;
    talk(StreamOwned::new(connection, socket))
}

fn talk(mut stream: impl Read + Write) -> io::Result<String> {
    stream.write_all(QUESTION)?;
    stream.flush()?;
    // What answers may be anything, and say anything at length.
    let mut answer = Vec::new();
    match stream.take(4096).read_to_end(&mut answer) {
        // A connection that just ends (RFC 8446, section 6.1, asks for more) has said all it has to say.
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {}
        ended => _ = ended?,
    }
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// Takes any certificate: it is for a name that this machine need not know itself by, and nothing secret is said.
#[derive(Debug)]
struct Anyone;

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        ring::default_provider().signature_verification_algorithms.supported_schemes()
    }
}
