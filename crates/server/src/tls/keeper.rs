//! Sees to it that the certificate in use is the one that should be.
//!
//! Whoever renews certificates replaces files, links to files, or folders, in any order. So the contents are compared,
//! every few seconds, and new ones are taken when they have stood still from one look to the next.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

use super::identity::{Files, Identity};
use super::{Tls, TlsConfig, TlsError, self_signed};

/// How long before a certificate ends the log says so. Whoever renews them by a timer does it earlier.
const WARNED: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Keeps the certificate.
#[derive(Debug)]
pub(crate) struct Keeper {
    source: Source,
    in_use: watch::Sender<Arc<Identity>>,
    /// What the log last said of its end.
    ends: Ends,
}

#[derive(Debug)]
enum Source {
    Files {
        cert: PathBuf,
        key: PathBuf,
        /// What was last taken, or refused: it is judged once.
        judged: Option<Files>,
        /// What was there at the last look.
        seen: Option<Files>,
        /// Whether the log has said that they cannot be read.
        unreadable: bool,
    },
    SelfSigned {
        folder: PathBuf,
        /// Whether the log has said that another cannot be made.
        failed: bool,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ends {
    Later,
    Soon,
    Already,
}

impl Keeper {
    /// Loads or makes the certificate.
    ///
    /// # Errors
    /// There is none that can be used.
    pub(crate) fn new(config: &TlsConfig) -> Result<(Self, Tls), TlsError> {
        let (source, identity) = match config.clone() {
            TlsConfig::Files { cert, key } => {
                let files = Files::read(&cert, &key)?;
                let identity = Identity::new(&files, &cert, &key)?;
                let judged = Some(files);
                (Source::Files { cert, key, judged, seen: None, unreadable: false }, identity)
            }
            TlsConfig::SelfSigned { folder } => {
                let (identity, _) = self_signed::load_or_make(&folder, SystemTime::now())?;
                (Source::SelfSigned { folder, failed: false }, identity)
            }
        };
        let (in_use, receiver) = watch::channel(Arc::new(identity));
        let mut keeper = Self { source, in_use, ends: Ends::Later };
        keeper.warn(SystemTime::now());
        Ok((keeper, Tls { in_use: receiver }))
    }

    /// Looks again and again, for as long as this is polled.
    pub(crate) async fn run(mut self, every: Duration) {
        let mut looks = interval(every.max(Duration::from_millis(1)));
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            looks.tick().await;
            // Files may be slow, and a new key takes a moment.
            let look = tokio::task::spawn_blocking(move || {
                self.look(SystemTime::now());
                self
            });
            match look.await {
                Ok(keeper) => self = keeper,
                Err(error) => {
                    tracing::error!(%error, "certificates are no longer watched: restart the server after a renewal");
                    return;
                }
            }
        }
    }

    fn look(&mut self, now: SystemTime) {
        let found = match &mut self.source {
            Source::Files { cert, key, judged, seen, unreadable } => {
                let files = match Files::read(cert, key) {
                    Ok(files) => files,
                    // They may be about to be replaced.
                    Err(_) if seen.take().is_some() => return,
                    Err(error) => {
                        if !std::mem::replace(unreadable, true) {
                            tracing::warn!(%error, "the certificate that was in use before stays in use");
                        }
                        return;
                    }
                };
                *unreadable = false;
                let has_settled = seen.as_ref() == Some(&files);
                if !has_settled || judged.as_ref() == Some(&files) {
                    *seen = Some(files);
                    return self.warn(now);
                }
                let identity = Identity::new(&files, cert, key);
                *judged = Some(files);
                identity
            }
            Source::SelfSigned { folder, failed } => {
                if self_signed::will_do(&self.in_use.borrow(), now) {
                    return;
                }
                match self_signed::load_or_make(folder, now) {
                    Ok((identity, _)) => {
                        *failed = false;
                        Ok(identity)
                    }
                    Err(_) if *failed => return,
                    Err(error) => {
                        *failed = true;
                        Err(error)
                    }
                }
            }
        };
        match found {
            Ok(identity) => {
                tracing::info!(fingerprint = identity.fingerprint(), "a new certificate is in use");
                self.in_use.send_replace(Arc::new(identity));
                self.ends = Ends::Later;
            }
            Err(error) => tracing::warn!(%error, "the certificate that was in use before stays in use"),
        }
        self.warn(now);
    }

    /// Says once that the certificate ends soon, and once that it has ended.
    fn warn(&mut self, now: SystemTime) {
        let identity = self.in_use.borrow().clone();
        let ends = match (identity.has_ended_at(now), identity.has_ended_at(now + WARNED)) {
            (true, _) => Ends::Already,
            (false, true) => Ends::Soon,
            (false, false) => Ends::Later,
        };
        if ends == std::mem::replace(&mut self.ends, ends) {
            return;
        }
        match ends {
            Ends::Later => {}
            Ends::Soon => {
                tracing::warn!(
                    "the certificate ends within a week: renew it, the new one is taken without a restart"
                );
            }
            Ends::Already => {
                tracing::error!(
                    "the certificate has ended, and browsers refuse it: renew it, the new one is taken without a restart"
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use rcgen::{CertifiedKey, generate_simple_self_signed};
    use tempfile::TempDir;

    use super::*;

    struct Place(TempDir);

    impl Place {
        fn new() -> Self {
            let place = Self(tempfile::tempdir().unwrap());
            place.renew();
            place
        }

        fn path(&self, name: &str) -> PathBuf {
            self.0.path().join(name)
        }

        fn renew(&self) {
            let CertifiedKey { cert, signing_key } =
                generate_simple_self_signed(["call.example".to_owned()]).unwrap();
            fs::write(self.path("cert.pem"), cert.pem()).unwrap();
            fs::write(self.path("key.pem"), signing_key.serialize_pem()).unwrap();
        }

        fn keeper(&self) -> (Keeper, Tls) {
            let config = TlsConfig::Files { cert: self.path("cert.pem"), key: self.path("key.pem") };
            Keeper::new(&config).unwrap()
        }
    }

    fn look_twice(keeper: &mut Keeper) {
        keeper.look(SystemTime::now());
        keeper.look(SystemTime::now());
    }

    #[test]
    fn a_renewed_pair_is_taken_once_it_stands_still() {
        let place = Place::new();
        let (mut keeper, tls) = place.keeper();
        let first = tls.fingerprint();
        look_twice(&mut keeper);
        assert_eq!(tls.fingerprint(), first);
        place.renew();
        keeper.look(SystemTime::now());
        assert_eq!(tls.fingerprint(), first, "the key may yet be on its way");
        keeper.look(SystemTime::now());
        assert_ne!(tls.fingerprint(), first);
    }

    #[test]
    fn what_cannot_be_used_changes_nothing_and_what_follows_is_taken() {
        let place = Place::new();
        let (mut keeper, tls) = place.keeper();
        let first = tls.fingerprint();
        let old_key = fs::read(place.path("key.pem")).unwrap();
        place.renew();
        let new_key = fs::read(place.path("key.pem")).unwrap();
        for bad in [&old_key[..], b"no key", b""] {
            fs::write(place.path("key.pem"), bad).unwrap();
            look_twice(&mut keeper);
            assert_eq!(tls.fingerprint(), first);
        }
        fs::remove_file(place.path("key.pem")).unwrap();
        look_twice(&mut keeper);
        look_twice(&mut keeper);
        assert_eq!(tls.fingerprint(), first);
        fs::write(place.path("key.pem"), new_key).unwrap();
        look_twice(&mut keeper);
        assert_ne!(tls.fingerprint(), first);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_that_leads_elsewhere_is_a_renewal() {
        let (old, new) = (Place::new(), Place::new());
        let live = old.path("live");
        std::os::unix::fs::symlink(old.0.path(), &live).unwrap();
        let config = TlsConfig::Files { cert: live.join("cert.pem"), key: live.join("key.pem") };
        let (mut keeper, tls) = Keeper::new(&config).unwrap();
        fs::remove_file(&live).unwrap();
        std::os::unix::fs::symlink(new.0.path(), &live).unwrap();
        look_twice(&mut keeper);
        assert_eq!(tls.fingerprint(), new.keeper().1.fingerprint());
    }

    #[test]
    fn one_of_its_own_making_is_renewed_before_it_ends() {
        let folder = tempfile::tempdir().unwrap();
        let config = TlsConfig::SelfSigned { folder: folder.path().to_owned() };
        let (mut keeper, tls) = Keeper::new(&config).unwrap();
        let first = tls.fingerprint();
        keeper.look(SystemTime::now());
        assert_eq!(tls.fingerprint(), first);
        keeper.look(SystemTime::now() + Duration::from_secs(390 * 24 * 60 * 60));
        assert_ne!(tls.fingerprint(), first);
    }

    #[test]
    fn that_a_certificate_ends_is_said_in_time() {
        let place = Place::new();
        let (mut keeper, _tls) = place.keeper();
        // rcgen's own last until the year 4096 begins.
        let end = SystemTime::UNIX_EPOCH + Duration::from_secs(67_090_118_400);
        let day = Duration::from_secs(24 * 60 * 60);
        for (time, ends) in [
            (SystemTime::now(), Ends::Later),
            (end - 8 * day, Ends::Later),
            (end - 6 * day, Ends::Soon),
            (end + day, Ends::Already),
        ] {
            keeper.warn(time);
            assert_eq!(keeper.ends, ends);
        }
    }
}
