//! A certificate of the server's own making, for a local network.
//!
//! Nobody vouches for it, so browsers warn; after that it is as good as any other. Browsers ask of it that it names what
//! it is for (subject alternative names; the common name has not counted since RFC 2818 was replaced by RFC 9525), that
//! it is for servers (extended key usage), and Safari that it lasts for no more than 398 days.

use std::fs;
use std::io;
use std::io::Write;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose,
};
use rustls::pki_types::DnsName;

use super::TlsError;
use super::identity::{Files, Identity};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// How long a certificate lasts, from yesterday: not every phone's clock is right.
const LASTS: Duration = DAY.saturating_mul(397);
/// How long before its end another is made.
const RENEWED: Duration = DAY.saturating_mul(30);

/// The names of the files say whose they are, so that a folder with other certificates in it is safe.
const CERTIFICATE: &str = "duologue-self-signed.cert.pem";
const KEY: &str = "duologue-self-signed.key.pem";

/// The certificate in a folder, or a new one, and whether it is new.
///
/// # Errors
/// It cannot be made or kept.
pub(super) fn load_or_make(folder: &Path, now: SystemTime) -> Result<(Identity, bool), TlsError> {
    if let Some(kept) = load(folder)
        && will_do(&kept, now)
    {
        return Ok((kept, false));
    }
    let keep = |error: io::Error| TlsError::Keep(folder.to_owned(), error);
    let (certificate, key) = make(&subjects(), now).map_err(TlsError::Make)?;
    create(folder).map_err(keep)?;
    let (cert_path, key_path) = paths(folder);
    replace(&key_path, &key).map_err(keep)?;
    replace(&cert_path, &certificate).map_err(keep)?;
    Ok((Identity::new(&Files::read(&cert_path, &key_path)?, &cert_path, &key_path)?, true))
}

/// Whether a certificate still names this machine, and does for a while.
pub(super) fn will_do(identity: &Identity, now: SystemTime) -> bool {
    !identity.has_ended_at(now + RENEWED) && must_be_covered().iter().all(|name| identity.covers(name))
}

/// The names by which others in the network may know this machine, the one for mDNS (RFC 6762) first.
pub(crate) fn names() -> Vec<String> {
    let whole = gethostname::gethostname().to_string_lossy().trim_end_matches('.').to_ascii_lowercase();
    let first = whole.split('.').next().unwrap_or_default().to_owned();
    let mut names = vec![format!("{first}.local"), whole, first];
    names.retain(|name| name != "localhost" && DnsName::try_from(name.as_str()).is_ok());
    let mut seen = Vec::new();
    names.retain(|name| {
        !seen.contains(name) && {
            seen.push(name.clone());
            true
        }
    });
    names
}

/// The addresses by which others reach this machine, IPv4 first. A link-local IPv6 address is none: it needs a zone,
/// which URLs do not have (RFC 9844).
pub(crate) fn addresses() -> Vec<IpAddr> {
    let mut addresses: Vec<IpAddr> = match if_addrs::get_if_addrs() {
        Ok(interfaces) => interfaces.iter().map(if_addrs::Interface::ip).collect(),
        Err(error) => {
            tracing::warn!(%error, "cannot find out which addresses this machine has");
            Vec::new()
        }
    };
    addresses.retain(|ip| !ip.is_loopback() && !matches!(ip, IpAddr::V6(ip) if ip.is_unicast_link_local()));
    addresses.sort();
    addresses.dedup();
    addresses
}

/// All that a certificate of this machine is for.
fn subjects() -> Vec<String> {
    let fixed = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
    fixed.into_iter().chain(names()).chain(addresses().iter().map(IpAddr::to_string)).collect()
}

/// What a certificate must be for, or another is made. Not the IPv6 addresses where there are others: most change every
/// day (RFC 8981), and with every new certificate all browsers warn again.
fn must_be_covered() -> Vec<String> {
    let addresses = addresses();
    let has_v4 = addresses.iter().any(IpAddr::is_ipv4);
    let counted = addresses.iter().filter(|ip| ip.is_ipv4() || !has_v4).map(IpAddr::to_string);
    names().into_iter().chain(counted).collect()
}

fn make(subjects: &[String], now: SystemTime) -> Result<(String, String), rcgen::Error> {
    let mut params = CertificateParams::new(subjects)?;
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, "Duologue on this network");
    params.distinguished_name = name;
    params.not_before = (now - DAY).into();
    params.not_after = (now - DAY + LASTS).into();
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let key = KeyPair::generate()?;
    Ok((params.self_signed(&key)?.pem(), key.serialize_pem()))
}

/// What is kept, if it can be used at all. If not, another is made in its place.
fn load(folder: &Path) -> Option<Identity> {
    let (cert, key) = paths(folder);
    let files = Files::read(&cert, &key).ok()?;
    Identity::new(&files, &cert, &key).ok()
}

fn paths(folder: &Path) -> (PathBuf, PathBuf) {
    (folder.join(CERTIFICATE), folder.join(KEY))
}

fn create(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Writes a file that only this user may read, in one step: whoever reads it meanwhile sees the old one or the new one.
fn replace(path: &Path, content: &str) -> io::Result<()> {
    let beside = path.with_extension("new");
    // One that was left behind may have other rights.
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&beside)?;
    file.write_all(content.as_bytes())?;
    file.sync_all()?;
    fs::rename(&beside, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_names_the_machine_and_is_kept_for_its_user_alone() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("made");
        let now = SystemTime::now();
        let (made, new) = load_or_make(&folder, now).unwrap();
        assert!(new);
        for name in ["localhost", "127.0.0.1", "::1"] {
            assert!(made.covers(name), "{name}");
        }
        assert!(must_be_covered().iter().all(|name| made.covers(name)));
        assert!(!made.covers("example.org") && !made.covers("203.0.113.77"));
        let (kept, new) = load_or_make(&folder, now).unwrap();
        assert_eq!((kept.fingerprint(), new), (made.fingerprint(), false));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(folder.join(KEY)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn it_lasts_no_longer_than_browsers_take_and_is_renewed_before_it_ends() {
        let folder = tempfile::tempdir().unwrap();
        let now = SystemTime::now();
        let (made, _) = load_or_make(folder.path(), now).unwrap();
        assert!(!made.has_ended_at(now + 395 * DAY));
        assert!(made.has_ended_at(now - DAY + 398 * DAY));
        assert!(!load_or_make(folder.path(), now + 360 * DAY).unwrap().1);
        let (renewed, new) = load_or_make(folder.path(), now + 370 * DAY).unwrap();
        assert!(new && renewed.fingerprint() != made.fingerprint());
    }

    #[test]
    fn another_machine_or_a_broken_file_means_another_certificate() {
        let folder = tempfile::tempdir().unwrap();
        let now = SystemTime::now();
        let (certificate, key) = make(&["other.example".to_owned()], now).unwrap();
        let (cert_path, key_path) = paths(folder.path());
        replace(&cert_path, &certificate).unwrap();
        replace(&key_path, &key).unwrap();
        assert!(load(folder.path()).is_some());
        assert!(load_or_make(folder.path(), now).unwrap().1);
        fs::write(&key_path, "no key").unwrap();
        assert!(load_or_make(folder.path(), now).unwrap().1);
        assert!(!load_or_make(folder.path(), now).unwrap().1);
    }
}
