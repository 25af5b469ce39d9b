//! What the engine reads in a session description: which ICE generation it is, and which connection's.

/// The ICE user name fragments of a description (RFC 8839, section 5.4): one for each media section, all the same
/// where everything is bundled.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Ufrags(Vec<String>);

impl Ufrags {
    pub(super) fn of(sdp: &str) -> Self {
        let mut ufrags: Vec<String> = Vec::new();
        for line in sdp.lines() {
            if let Some(ufrag) = line.strip_prefix("a=ice-ufrag:").map(str::trim)
                && !ufrags.iter().any(|known| known == ufrag)
            {
                ufrags.push(ufrag.to_owned());
            }
        }
        Self(ufrags)
    }

    /// Whether a candidate that names `ufrag` belongs to this description. One that names none may.
    pub(super) fn fit(&self, ufrag: Option<&str>) -> bool {
        match ufrag {
            Some(ufrag) => self.0.iter().any(|known| known == ufrag),
            None => true,
        }
    }

    /// The generation's name, where there is one.
    pub(super) fn first(&self) -> Option<&str> {
        self.0.first().map(String::as_str)
    }
}

/// Which connection a description is of: the session id in its `o=` line stays the same for as long as an
/// RTCPeerConnection lives (RFC 8829, section 5.2.2). It is a number of up to 63 bits.
pub(super) fn connection_of(sdp: &str) -> Option<u64> {
    let id = sdp.lines().find_map(|line| line.strip_prefix("o="))?.split(' ').nth(1)?;
    let digits = id.bytes().map(|digit| u64::from(digit.wrapping_sub(b'0')));
    Some(digits.fold(0, |number, digit| number.wrapping_mul(10).wrapping_add(digit)))
}

#[cfg(test)]
mod tests {
    use super::{Ufrags, connection_of};

    #[test]
    fn the_session_id_is_the_second_word_of_the_origin() {
        let sdp = "v=0\r\no=- 4611731400430051336 2 IN IP4 127.0.0.1\r\ns=-\r\n";
        assert_eq!(connection_of(sdp), Some(4_611_731_400_430_051_336));
        assert_eq!(connection_of("v=0\r\ns=-\r\n"), None);
    }

    #[test]
    fn every_ufrag_counts_and_an_unnamed_candidate_may_belong_anywhere() {
        let ufrags =
            Ufrags::of("v=0\r\na=ice-ufrag:abcd\r\nm=audio\r\na=ice-ufrag:abcd\r\na=ice-ufrag:ef/+\r\n");
        assert!(ufrags.fit(Some("abcd")) && ufrags.fit(Some("ef/+")) && ufrags.fit(None));
        assert!(!ufrags.fit(Some("abc")) && !ufrags.fit(Some("")));
    }
}
