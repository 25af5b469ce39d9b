//! The real server, run by the test itself: for what can be asked of it as a library and not of the program.

use std::fs::File;
use std::path::Path;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use duologue_server::{Config, Rooms};
use tokio::sync::oneshot;

use crate::process::root;

/// A server on a thread of its own, ended when dropped.
pub struct Hosted {
    /// Where the page is.
    pub url: String,
    /// What whoever embeds the server has in hand.
    pub rooms: Rooms,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Hosted {
    /// Serves `dist/` with two people to a room, on any port of this machine.
    pub fn start() -> Self {
        Self::launch(None, Config::new(2))
    }

    /// Serves it in the network namespace of this file, as the configuration says but for the page and the port.
    pub(crate) fn inside(namespace: &Path, config: Config) -> Self {
        Self::launch(Some(File::open(namespace).expect("a network namespace")), config)
    }

    fn launch(namespace: Option<File>, mut config: Config) -> Self {
        config.app = Some(root().join("dist"));
        config.listen.set_port(0);
        let (tell, told) = mpsc::channel();
        let (stop, stopped) = oneshot::channel::<()>();
        // A socket is of the namespace that its thread was in when it was made.
        let thread = std::thread::spawn(move || {
            if let Some(namespace) = namespace {
                enter(&namespace);
            }
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let server = duologue_server::Server::bind(config).await.expect("a server");
                let _ = tell.send((server.url(), server.rooms()));
                let stopped = async {
                    let _ = stopped.await;
                };
                server.serve(stopped).await;
            });
        });
        let (url, rooms) = told.recv_timeout(Duration::from_secs(10)).expect("the server is live");
        Self { url, rooms, stop: Some(stop), thread: Some(thread) }
    }

    /// The address with the room in it.
    pub fn room(&self, room: &str) -> String {
        format!("{}#{room}", self.url)
    }

    /// The signaling address.
    pub fn socket(&self) -> String {
        format!("{}ws", self.url.replace("http:", "ws:"))
    }
}

impl Drop for Hosted {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[cfg(target_os = "linux")]
fn enter(namespace: &File) {
    use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
    use std::os::fd::AsFd;

    move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network)).expect("root may enter");
}

#[cfg(not(target_os = "linux"))]
fn enter(_: &File) {
    panic!("network namespaces are Linux's");
}
