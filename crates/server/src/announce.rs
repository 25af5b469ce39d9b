//! What the command prints once it is live: a line for programs, and for people how to get there.

use std::io::{IsTerminal, Result, Write};

use duologue_server::Server;
use fast_qr::QRBuilder;

/// What browsers show before they let one in, and how to answer it.
const WARNING: &str = "\
Each browser will warn once that the connection is not private: this machine vouches for itself, and nobody else does.
Where the warning shows the certificate, compare its SHA-256 fingerprint with the one below; if it is the same, you are
talking to this machine and nobody listens. Then go on:
  Chrome, Edge   Advanced, then \"Proceed to … (unsafe)\"
  Safari         Show Details, then \"visit this website\"
  Firefox        Advanced, then \"Accept the Risk and Continue\"
";

/// Prints where the server is live.
///
/// # Errors
/// Nobody reads it.
pub(crate) fn announce(server: &Server) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "duologue-server is live at {}", server.url())?;
    if let Some(fingerprint) = server.fingerprint() {
        let with_codes = out.is_terminal();
        for_the_network(&mut out, &server.urls(), &fingerprint, with_codes)?;
    }
    out.flush()
}

/// How other devices in the network get there, for people at a terminal with a code for each address to point a phone
/// at, and else in plain lines.
fn for_the_network(out: &mut impl Write, urls: &[String], fingerprint: &str, with_codes: bool) -> Result<()> {
    if with_codes && !urls.is_empty() {
        writeln!(
            out,
            "\nFrom other devices in this network, open one of these, or point the camera at its code:"
        )?;
    }
    for url in urls {
        writeln!(out, "{}{url}", if with_codes { "\n  " } else { "" })?;
        if with_codes && let Ok(code) = QRBuilder::new(url.as_str()).build() {
            writeln!(out, "{}", code.to_str())?;
        }
    }
    if with_codes {
        write!(out, "\n{WARNING}\n")?;
    }
    writeln!(out, "SHA-256 fingerprint: {fingerprint}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(with_codes: bool) -> String {
        let urls = ["https://192.0.2.7:8443/".to_owned(), "https://box.local:8443/".to_owned()];
        let mut out = Vec::new();
        for_the_network(&mut out, &urls, "AA:BB", with_codes).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn at_a_terminal_there_is_a_code_for_each_address_and_what_the_phone_will_say() {
        let text = printed(true);
        // The corner of a code, in half blocks.
        assert_eq!(text.matches("https://").count(), 2);
        assert!(
            text.lines().filter(|line| line.contains("█▀▀▀▀▀█") || line.contains(" ▄▄▄▄▄ ")).count() >= 2,
            "{text}"
        );
        for word in ["not private", "Proceed to", "visit this website", "Accept the Risk", "AA:BB"] {
            assert!(text.contains(word), "{word}");
        }
    }

    #[test]
    fn elsewhere_there_are_plain_lines() {
        assert_eq!(
            printed(false),
            "https://192.0.2.7:8443/\nhttps://box.local:8443/\nSHA-256 fingerprint: AA:BB\n"
        );
    }
}
