//! The flags that say by which tokens rooms are opened.

use std::path::PathBuf;

use clap::Args;
use duologue_server::{Secret, TokenConfig};

use crate::secret_file::{secret, text};

/// By what rooms are opened.
#[derive(Debug, Args)]
#[command(next_help_heading = "Rooms by invitation")]
pub(crate) struct TokenFlags {
    /// Opens rooms only to those who bring a token that is signed with this secret (JWT, HS256): at least 32 bytes, from
    /// `openssl rand -base64 48`. `duologue-server invite` makes such tokens. Whoever uses this machine can see it here:
    /// better is --token-secret-file, or the environment
    #[arg(long, env = "DUOLOGUE_TOKEN_SECRET", value_name = "SECRET", hide_env_values = true, global = true)]
    token_secret: Option<Secret>,

    /// The file that holds this secret and nothing else
    #[arg(long, env = "DUOLOGUE_TOKEN_SECRET_FILE", value_name = "FILE", global = true)]
    token_secret_file: Option<PathBuf>,

    /// Opens rooms only to those who bring a token that is signed with the private key to this public one (JWT, EdDSA): a PEM
    /// file, from `openssl pkey -in private.pem -pubout`. So another program can invite, and this one cannot. With a secret
    /// as well, either will do
    #[arg(long, env = "DUOLOGUE_TOKEN_PUBLIC_KEY", value_name = "FILE")]
    token_public_key: Option<PathBuf>,
}

impl TokenFlags {
    /// What opens rooms. Fails with a sentence that says what to do.
    pub(crate) fn config(self) -> Result<TokenConfig, String> {
        let public_key = self.token_public_key.as_ref();
        Ok(TokenConfig {
            public_key: public_key.map(|file| text("the public key for tokens", file)).transpose()?,
            secret: self.secret()?,
        })
    }

    /// The secret, which invitations are signed with.
    pub(crate) fn secret(self) -> Result<Option<Secret>, String> {
        secret("tokens", "token-secret", self.token_secret, self.token_secret_file)
    }
}
