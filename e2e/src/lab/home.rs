//! A host behind a router, and what can go wrong with its network.

use std::cell::Cell;
use std::net::Ipv4Addr;
use std::process::Command;

use super::router::{Kind, Router};
use super::{Namespace, find_program};
use crate::browser::Browsers;
use crate::process::feed;

pub struct Home {
    host: Namespace,
    router: Namespace,
    /// The router's public address.
    wan: Ipv4Addr,
    /// The first address of the home's own network, which is of 64.
    network: Ipv4Addr,
    /// The host's place in it.
    place: u8,
    /// How many routers there were.
    routers: Cell<u32>,
    /// Starts a program on the host.
    scripts: tempfile::TempDir,
}

impl Home {
    pub(super) fn new(name: &str, number: u8, public: &Namespace) -> Self {
        let (host, router) = (Namespace::new(name), Namespace::new(&format!("{name}-router")));
        router.connect("wan", public, name);
        public.ip(&format!("link set {name} master bridge"));
        router.connect("lan", &host, "eth0");
        let wan = Ipv4Addr::new(203, 0, 113, 11 + number);
        let this = Self {
            host,
            router,
            wan,
            network: Ipv4Addr::new(198, 51, 100, number * 64),
            place: 2,
            routers: Cell::new(0),
            scripts: tempfile::tempdir().unwrap(),
        };
        this.router.sysctl("net.ipv4.ip_forward", 1);
        this.router.ip(&format!("address add {wan}/24 dev wan"));
        this.router.ip(&format!("address add {}/26 dev lan", this.address(1)));
        this.host.ip(&format!("address add {}/26 dev eth0", this.address(this.place)));
        this.host.ip(&format!("route add default via {}", this.address(1)));
        this.is_known_to(public);
        this.put_behind(Kind::None);
        this
    }

    /// Others find the way here. A router that translates lets nobody take it.
    pub(super) fn is_known_to(&self, other: &Namespace) {
        other.ip(&format!("route add {}/26 via {}", self.network, self.wan));
    }

    pub(super) fn introduce(&self, other: &Self) {
        self.is_known_to(&other.router);
        other.is_known_to(&self.router);
    }

    fn address(&self, place: u8) -> Ipv4Addr {
        let [a, b, c, d] = self.network.octets();
        Ipv4Addr::new(a, b, c, d + place)
    }

    /// Puts another router in place of the one there was. Connections through that one break.
    pub fn put_behind(&self, router: impl Into<Router>) {
        self.routers.set(self.routers.get() + 1);
        let rules = router.into().rules(self.routers.get(), self.wan, &format!("{}/26", self.network));
        self.router.nft(&format!("table ip router {{}}\ndelete table ip router\n{rules}"));
    }

    /// Nothing comes in or goes out any more, and nobody is told.
    pub fn cut(&self) {
        self.drop_what("");
    }

    /// The same, for TCP only: the way to the server is gone, while the call's packets go on.
    pub fn cut_tcp(&self) {
        self.drop_what("meta l4proto tcp");
    }

    /// The end of [`cut`](Self::cut) and [`cut_tcp`](Self::cut_tcp).
    pub fn restore(&self) {
        self.router.nft("table ip faults {}\ndelete table ip faults");
    }

    fn drop_what(&self, what: &str) {
        self.restore();
        self.router.nft(&format!(
            "table ip faults {{
               chain forward {{
                 type filter hook forward priority filter - 10;
                 {what} drop
               }}
             }}"
        ));
    }

    /// Gives the host a new address instead of the one it has, as when someone leaves the house with a phone.
    pub fn change_address(&mut self) {
        let old = self.address(self.place);
        self.place = if self.place == 62 { 2 } else { self.place + 1 };
        self.host.ip(&format!("address delete {old}/26 dev eth0"));
        self.host.ip(&format!("address add {}/26 dev eth0", self.address(self.place)));
        self.host.ip(&format!("route replace default via {}", self.address(1)));
    }

    /// Chromiums on the host, for a page that comes from `origin`: it is treated as one that came by https.
    pub fn chromium(&self, origin: &str) -> Browsers {
        let chromium =
            find_program(&["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]);
        let script = self.scripts.path().join("chromium");
        let text = format!(
            "#!/bin/sh\nexec {} {chromium} \"$@\"\n",
            self.host.prefix().join(" "),
            chromium = chromium.display()
        );
        // Not written by this process: another that it starts meanwhile could hold the file open, and a file that is
        // open for writing cannot be run.
        let mut install = Command::new("install");
        feed(install.args(["-m", "755", "/dev/stdin"]).arg(&script), &text).unwrap();
        let origin = origin.trim_end_matches('/');
        // The driver is outside: a pipe reaches across, a port would not.
        Browsers::chromium().run_by(
            script,
            vec![
                "--remote-debugging-pipe".to_owned(),
                format!("--unsafely-treat-insecure-origin-as-secure={origin}"),
            ],
        )
    }
}
