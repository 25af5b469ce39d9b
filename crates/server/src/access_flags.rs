//! The flags that say which pages may connect, and by which names the server may be asked.

use clap::Args;
use duologue_server::{Config, Host, Origin};

/// Who may come in.
#[derive(Debug, Args)]
#[command(next_help_heading = "Who may come in")]
pub(crate) struct AccessFlags {
    /// The origin of a page that may connect, such as https://app.example.org or capacitor://localhost. The page of this
    /// server may always; without this flag, pages from localhost may too. May be given several times, and may hold several
    /// with commas between them
    #[arg(long, env = "DUOLOGUE_ALLOW_ORIGIN", value_name = "ORIGIN", value_delimiter = ',')]
    allow_origin: Vec<Origin>,

    /// A name by which the server is asked, such as call.example.org: needed behind a proxy. Its addresses, localhost, the
    /// name of this machine and what its certificate is for are known. May be given several times, and may hold several with
    /// commas between them; with a port, only that port
    #[arg(long, env = "DUOLOGUE_ALLOW_HOST", value_name = "HOST[:PORT]", value_delimiter = ',')]
    allow_host: Vec<Host>,
}

impl AccessFlags {
    /// Puts what was asked for into the configuration.
    pub(crate) fn apply(self, config: &mut Config) {
        config.allowed_origins = self.allow_origin;
        config.allowed_hosts = self.allow_host;
    }
}
