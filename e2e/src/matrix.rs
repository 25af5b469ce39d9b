//! Calls between two homes whose routers change from call to call.

use crate::{Browsers, Caller, Lab, Path, Router, Server, Window, WindowOptions};

/// Two people in the lab, each with a browser.
pub struct Matrix {
    pub ada: Window,
    pub bob: Window,
    _browsers: [Browsers; 2],
    server: Server,
    lab: Lab,
}

impl Matrix {
    /// Builds it; `None` where the lab cannot be built.
    pub async fn set() -> Option<Self> {
        let lab = Lab::start()?;
        let server = lab.serve(&[]);
        let browsers = [&lab.ada, &lab.bob].map(|home| home.chromium(&server.url));
        let ada = browsers[0].open_with(WindowOptions::before(Path::COLLECT)).await;
        let bob = browsers[1].open_with(WindowOptions::before(Path::COLLECT)).await;
        Some(Self { ada, bob, _browsers: browsers, server, lab })
    }

    /// A new call through these routers, with Ada there first, until both see the other's picture move.
    pub async fn call(&self, ada: Router, bob: Router) {
        self.lab.ada.put_behind(ada);
        self.lab.bob.put_behind(bob);
        let room = self.server.room(&format!("{:?}-{:?}", ada.kind, bob.kind));
        let callers = [(&self.ada, "Ada"), (&self.bob, "Bob")];
        for (window, name) in callers {
            // Away from the page that was there, which would take the address for a place within it.
            window.go("about:blank").await;
            window.go(&room).await;
            window.screen("lobby").await;
            Caller::at(window).enter(name).await;
        }
        for (window, _) in callers {
            Caller::at(window).sees_moving_picture().await;
        }
    }

    pub async fn close(self) {
        self.ada.close().await;
        self.bob.close().await;
    }
}
