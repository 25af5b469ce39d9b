//! `duologue-server invite`: a link that opens a room.

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use clap::{Args, ValueEnum};
use duologue_protocol::{Name, Rights, RoomId};
use duologue_server::{Invitation, InvitationKey};
use fast_qr::QRBuilder;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::flags::Flags;
use crate::secret_file::text;

/// What a page leaves as it is in the part of an address behind the `#` (ECMA-262, `encodeURIComponent`).
const KEPT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'!')
    .remove(b'~')
    .remove(b'*')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')');

/// Makes a link that opens a room of a server that asks for tokens, and prints it.
///
/// Whoever has the link may come in until its time is over, so send it as you would a key. It needs the secret that the
/// server has (--token-secret-file), or the private key to the server's public one.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Invite {
    /// The room that it opens
    #[arg(value_parser = |text: &str| RoomId::new(text))]
    room: RoomId,

    /// The address of the page, such as https://call.example.org/
    #[arg(long, value_name = "URL", default_value = "http://localhost:8080/", value_parser = page)]
    url: String,

    /// The name that the others see. Left out, the guest chooses one
    #[arg(long, value_parser = |text: &str| Name::new(text))]
    name: Option<Name>,

    /// What the guest may do: join (without it, they knock and are let in), speak (be seen and heard, and send messages and
    /// files), admin (lock the room, let in who knocks, and take others out)
    #[arg(long, value_name = "RIGHT,…", value_delimiter = ',', default_value = "join,speak")]
    may: Vec<Right>,

    /// For how long it lets somebody in: 90m, 24h or 7d. Whoever is inside then may stay
    #[arg(long, value_name = "TIME", default_value = "24h", value_parser = time)]
    valid: Duration,

    /// The private key to the public one of the server (--token-public-key), as a PEM file
    #[arg(long, value_name = "FILE", conflicts_with_all = ["token_secret", "token_secret_file"])]
    token_private_key: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  openssl rand -base64 48 > token.secret
  duologue-server --app dist --token-secret-file token.secret
  duologue-server invite board --token-secret-file token.secret
  duologue-server invite board --may join,speak,admin --valid 7d --name Ada --url https://call.example.org/ \\
      --token-secret-file token.secret";

/// A right, as a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Right {
    Join,
    Speak,
    Admin,
}

impl Invite {
    /// Prints the link; for people at a terminal with a code to point a phone at. `flags` are those of the server.
    ///
    /// # Errors
    /// Says in a sentence what to do.
    pub(crate) fn run(self, flags: Flags) -> Result<(), String> {
        let key = match &self.token_private_key {
            Some(file) => InvitationKey::of_private_key(&text("the private key for tokens", file)?),
            None => InvitationKey::of_secret(&flags.tokens.secret()?.ok_or(
                "there is nothing to sign the invitation with: name the file with the server's secret with \
                 --token-secret-file, or the private key with --token-private-key",
            )?),
        }
        .map_err(|error| error.to_string())?;
        let link = self.link(&key)?;
        let mut out = io::stdout().lock();
        // Whoever started this may have closed its output; that is no reason to fail.
        let _ = writeln!(out, "{link}");
        if out.is_terminal()
            && let Ok(code) = QRBuilder::new(link).build()
        {
            let _ = writeln!(out, "\n{}", code.to_str());
        }
        Ok(())
    }

    fn link(self, key: &InvitationKey) -> Result<String, String> {
        let may = |right| self.may.contains(&right);
        let invitation = Invitation {
            room: self.room,
            name: self.name,
            rights: Rights { join: may(Right::Join), speak: may(Right::Speak), admin: may(Right::Admin) },
            expires: SystemTime::now() + self.valid,
        };
        let token = invitation.token(key).map_err(|error| error.to_string())?;
        let room = utf8_percent_encode(invitation.room.as_str(), KEPT);
        Ok(format!("{}#{room}?invitation={token}", self.url))
    }
}

/// The address of a page, without what is behind a `#`.
fn page(text: &str) -> Result<String, String> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let host = rest.unwrap_or_default();
    if host.is_empty() || text.contains(|letter: char| letter == '#' || letter.is_whitespace()) {
        return Err("write the address of the page, such as https://call.example.org/".to_owned());
    }
    Ok(if host.contains('/') { text.to_owned() } else { format!("{text}/") })
}

/// A time as a number and `m`, `h` or `d`: at least a minute, at most 366 days.
fn time(text: &str) -> Result<Duration, String> {
    let minutes = [('m', 1), ('h', 60), ('d', 24 * 60)]
        .into_iter()
        .find_map(|(unit, minutes)| text.strip_suffix(unit)?.parse::<u64>().ok()?.checked_mul(minutes));
    minutes
        .filter(|minutes| (1..=366 * 24 * 60).contains(minutes))
        .map(|minutes| Duration::from_secs(minutes * 60))
        .ok_or_else(|| "write a number and m, h or d, such as 90m, 24h or 7d: at most 366d".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_minutes_hours_or_days() {
        assert_eq!(time("90m"), Ok(Duration::from_secs(5_400)));
        assert_eq!(time("24h"), Ok(Duration::from_secs(86_400)));
        assert_eq!(time("366d"), Ok(Duration::from_secs(31_622_400)));
        for wrong in ["", "h", "24", "-1h", "0m", "1.5h", "367d", "18446744073709551615d", "1w", "1 h"] {
            assert!(time(wrong).unwrap_err().contains("24h"), "{wrong}");
        }
    }

    #[test]
    fn the_address_is_that_of_a_page() {
        assert_eq!(page("https://call.example.org").as_deref(), Ok("https://call.example.org/"));
        assert_eq!(page("http://localhost:8080/").as_deref(), Ok("http://localhost:8080/"));
        assert_eq!(page("https://example.org/call/?x=1").as_deref(), Ok("https://example.org/call/?x=1"));
        for wrong in
            ["", "call.example.org", "https://", "ftp://example.org", "https://a b/", "https://a/#room"]
        {
            assert!(page(wrong).is_err(), "{wrong}");
        }
    }
}
