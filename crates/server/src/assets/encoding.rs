//! Which encoding a client gets (RFC 9110, section 12.5.3).

use axum::http::HeaderValue;

/// A way to compress a file beforehand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    /// Brotli (RFC 7932).
    Brotli,
    /// Gzip (RFC 1952).
    Gzip,
}

impl Encoding {
    /// All of them, the smaller first.
    pub(super) const ALL: [Self; 2] = [Self::Brotli, Self::Gzip];

    /// Its name in HTTP.
    pub(super) fn token(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Gzip => "gzip",
        }
    }

    /// What the name of a file compressed so ends with.
    pub(super) fn suffix(self) -> &'static str {
        match self {
            Self::Brotli => ".br",
            Self::Gzip => ".gz",
        }
    }
}

/// What a client accepts: names and weights in thousandths.
#[derive(Debug, Default)]
pub(super) struct Accepted(Vec<(String, u16)>);

/// Reads the `Accept-Encoding` headers. What cannot be read accepts nothing.
pub(super) fn accepted<'a>(headers: impl Iterator<Item = &'a HeaderValue>) -> Accepted {
    let parts = headers.filter_map(|header| header.to_str().ok()).flat_map(|header| header.split(','));
    Accepted(parts.filter_map(part).collect())
}

fn part(text: &str) -> Option<(String, u16)> {
    let mut pieces = text.split(';').map(str::trim);
    let name = pieces.next().filter(|name| !name.is_empty())?.to_ascii_lowercase();
    let weight = match pieces.next() {
        None => 1000,
        Some(weight) => {
            let (key, value) = weight.split_once('=')?;
            let value: f32 = value.trim().parse().ok()?;
            if !key.trim().eq_ignore_ascii_case("q") || !(0.0..=1.0).contains(&value) {
                return None;
            }
            // In range, as was just checked.
            (value * 1000.0) as u16
        }
    };
    Some((name, weight))
}

impl Accepted {
    /// The best of what there is; `None` for the plain file, which every client can read.
    pub(super) fn best(&self, there: impl Iterator<Item = Encoding>) -> Option<Encoding> {
        let plain = self.weight("identity").unwrap_or(0);
        let mut best: Option<(Encoding, u16)> = None;
        for encoding in there {
            let weight = self.weight(encoding.token()).or_else(|| self.weight("*")).unwrap_or(0);
            if weight > 0 && weight >= plain && best.is_none_or(|(_, other)| weight > other) {
                best = Some((encoding, weight));
            }
        }
        best.map(|(encoding, _)| encoding)
    }

    fn weight(&self, name: &str) -> Option<u16> {
        self.0.iter().find(|(accepted, _)| accepted == name).map(|(_, weight)| *weight)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clients_wishes_come_first_and_the_smaller_file_second() {
        for (header, expected) in [
            ("", None),
            ("identity", None),
            ("gzip", Some(Encoding::Gzip)),
            ("gzip, deflate, br, zstd", Some(Encoding::Brotli)),
            ("BR", Some(Encoding::Brotli)),
            ("br;q=0.5, gzip;q=0.8", Some(Encoding::Gzip)),
            ("br;q=0, gzip", Some(Encoding::Gzip)),
            ("br; q=0, gzip ; q=0", None),
            ("*", Some(Encoding::Brotli)),
            ("*;q=0", None),
            ("br;q=0, *", Some(Encoding::Gzip)),
            ("identity, br;q=0.1", None),
            ("identity;q=0.5, gzip", Some(Encoding::Gzip)),
            ("br;q=2, gzip;q=x, ;;, =", None),
        ] {
            let header = HeaderValue::from_static(header);
            assert_eq!(
                accepted([&header].into_iter()).best(Encoding::ALL.into_iter()),
                expected,
                "{header:?}"
            );
        }
    }
}
