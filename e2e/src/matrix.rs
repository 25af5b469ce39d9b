//! Calls between two homes whose routers change from call to call.

use std::sync::atomic::{AtomicU32, Ordering};

use crate::{Browsers, Caller, Lab, Path, Router, Server, Window, WindowOptions};

/// Two people in the lab, each with a browser.
pub struct Matrix {
    pub ada: Window,
    pub bob: Window,
    _browsers: [Browsers; 2],
    server: Server,
    lab: Lab,
    calls: AtomicU32,
}

impl Matrix {
    /// Builds it; `None` where the lab cannot be built.
    pub async fn set() -> Option<Self> {
        let lab = Lab::start()?;
        let server = lab.serve(&[]);
        let browsers = [&lab.ada, &lab.bob].map(|home| home.chromium(&server.url));
        let ada = browsers[0].open_with(WindowOptions::before(Path::COLLECT)).await;
        let bob = browsers[1].open_with(WindowOptions::before(Path::COLLECT)).await;
        Some(Self { ada, bob, _browsers: browsers, server, lab, calls: AtomicU32::new(0) })
    }

    /// A new call through these routers, with Ada there first, until both see the other's picture move.
    pub async fn call(&self, ada: Router, bob: Router) {
        self.lab.ada.put_behind(ada);
        self.lab.bob.put_behind(bob);
        // Another for each: those who were in one lost their way to the server with the router, and keep their seats.
        let room = self.server.room(&format!("call {}", self.calls.fetch_add(1, Ordering::Relaxed)));
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
