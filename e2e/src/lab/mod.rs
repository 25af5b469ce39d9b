//! An internet of its own on this machine, for calls through routers of any kind:
//!
//! ```text
//!   Ada's browser                                                          Bob's browser
//!   198.51.100.2 ── .1 router 203.0.113.11 ──┬── 203.0.113.12 router .65 ── 198.51.100.66
//!                                            │
//!                          203.0.113.1 and .2: the page, signaling, STUN, TURN
//! ```
//!
//! Each box is a network namespace. Nothing of the machine's own network is touched, and dropping the [`Lab`] removes
//! all of it. It takes Linux, root, and the programs `ip`, `nft` and `turnserver` (coturn).

mod coturn;
mod home;
mod namespace;
mod router;

use std::io::Write;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::time::Duration;

use coturn::Coturn;
use duologue_server::Config;
pub use home::Home;
pub use namespace::Namespace;
pub use router::{Kind, Router};

use crate::hosted::Hosted;
use crate::process::{Server, output};

/// Where the page and the services are. There are two addresses, so that a browser can see whether its router maps it
/// to the same port for both.
pub const PUBLIC: [Ipv4Addr; 2] = [Ipv4Addr::new(203, 0, 113, 1), Ipv4Addr::new(203, 0, 113, 2)];

/// Two homes, and the public network between them.
pub struct Lab {
    pub ada: Home,
    pub bob: Home,
    coturn: Coturn,
    public: Namespace,
}

impl Lab {
    /// Builds it. Where that cannot be done, a line says why, and there is none; on CI that is a failure.
    pub fn start() -> Option<Self> {
        match Self::requirements() {
            Ok(()) => Some(Self::build()),
            Err(reason) if std::env::var_os("CI").is_some() => panic!("the network lab cannot run: {reason}"),
            Err(reason) => {
                // Not by `eprintln`, which the test harness keeps to itself while all is well.
                let _ = writeln!(std::io::stderr(), "\nNOT RUN: calls through routers; {reason}");
                None
            }
        }
    }

    fn requirements() -> Result<(), String> {
        if !cfg!(target_os = "linux") {
            return Err("network namespaces are Linux's".to_owned());
        }
        if output("id", &["-u"])?.trim() != "0" {
            return Err("only root can make network namespaces".to_owned());
        }
        for (program, version, package) in
            [("ip", "-V", "iproute2"), ("nft", "-v", "nftables"), ("turnserver", "--version", "coturn")]
        {
            output(program, &[version]).map_err(|_| format!("there is no {program} (package {package})"))?;
        }
        namespace::remove_leftovers();
        // Being root in a container may not be enough.
        Namespace::try_new("probe").map(drop)
    }

    fn build() -> Self {
        let public = Namespace::new("public");
        public.ip("link add bridge type bridge");
        for address in PUBLIC {
            public.ip(&format!("address add {address}/24 dev bridge"));
        }
        public.ip("link set bridge up");
        let [ada, bob] = [("ada", 0), ("bob", 1)].map(|(name, number)| Home::new(name, number, &public));
        ada.introduce(&bob);
        Self { coturn: Coturn::start(&public, &PUBLIC), ada, bob, public }
    }

    /// The server, in the public network, with flags that tell clients of the lab's STUN and TURN.
    pub fn serve(&self, flags: &[&str]) -> Server {
        let own = self.coturn.flags();
        let all: Vec<&str> = own.iter().map(String::as_str).chain(flags.iter().copied()).collect();
        Server::inside(&self.public, &format!("{}:0", PUBLIC[0]), &all)
    }

    /// The same, run by the test, with credentials for TURN that last so long: the program would not take a short time.
    pub fn host(&self, turn_ttl: Duration) -> Hosted {
        let mut config = Config::new(2);
        config.listen = (PUBLIC[0], 0).into();
        config.ice = self.coturn.config(turn_ttl);
        Hosted::inside(&self.public.file(), config)
    }

    /// The same as [`serve`](Self::serve), with STUN and no TURN.
    pub fn serve_without_relay(&self) -> Server {
        self.serve_with_stun(&PUBLIC.map(|address| format!("stun:{address}:3478")))
    }

    /// The same, with these STUN servers.
    pub fn serve_with_stun(&self, urls: &[String]) -> Server {
        let flags: Vec<&str> = urls.iter().flat_map(|url| ["--stun-url", url]).collect();
        Server::inside(&self.public, &format!("{}:0", PUBLIC[0]), &flags)
    }
}

/// The first of these programs that is on the PATH.
fn find_program(names: &[&str]) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut files = names.iter().flat_map(|name| std::env::split_paths(&path).map(move |it| it.join(name)));
    files.find(|file| file.is_file()).unwrap_or_else(|| panic!("none of {names:?} is on the PATH"))
}
