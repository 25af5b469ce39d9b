//! A site that has nothing to do with Duologue: it serves a folder, with no headers of its own.

use std::net::SocketAddr;
use std::path::Path;

use axum::Router;
use tower_http::services::ServeDir;

pub struct Site {
    pub url: String,
    task: tokio::task::JoinHandle<()>,
}

impl Site {
    pub async fn serve(folder: &Path) -> Self {
        let listener = tokio::net::TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let router = Router::new().fallback_service(ServeDir::new(folder));
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, task }
    }

    /// Ends it. Something else may be served at its address then, which this gives.
    pub async fn end(mut self) -> String {
        self.task.abort();
        let _ = (&mut self.task).await;
        std::mem::take(&mut self.url)
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.task.abort();
    }
}
