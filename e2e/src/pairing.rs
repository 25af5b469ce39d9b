//! Two kinds of browser, and who is there first.

use crate::browser::{Browsers, Engine};

/// The browsers of two people. It matters who of them comes to whom: the one who was there makes the offer.
pub struct Pair {
    pub first: Browsers,
    pub second: Browsers,
}

impl Pair {
    pub fn new(first: Engine, second: Engine) -> Self {
        Self { first: Browsers::of(first), second: Browsers::of(second) }
    }
}

/// Makes a test of each of these functions for each way in which the kinds of browser can meet.
#[macro_export]
macro_rules! for_each_pairing {
    ($($test:ident),+ $(,)?) => {
        $($crate::for_each_pairing! { @one $test
            chromium_then_chromium: Chromium, Chromium;
            chromium_then_firefox: Chromium, Firefox;
            firefox_then_chromium: Firefox, Chromium;
        })+
    };
    (@one $test:ident $($name:ident: $first:ident, $second:ident;)+) => {
        mod $test {
            $(#[tokio::test]
            async fn $name() {
                super::$test($crate::Pair::new($crate::Engine::$first, $crate::Engine::$second)).await;
            })+
        }
    };
}
