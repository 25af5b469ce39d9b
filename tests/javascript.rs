//! The package as JavaScript uses it: the class `Room` of the module that wasm-bindgen makes of this very test, in
//! `javascript.js`. What is promised is told there, one function a promise.

#![cfg(target_arch = "wasm32")]

use duologue as _;
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

/// Runs the functions of these names.
macro_rules! promises {
    ($($name:ident)*) => {
        mod page {
            use super::*;

            #[wasm_bindgen(module = "/tests/javascript.js")]
            extern "C" {
                $(#[wasm_bindgen(catch)] pub async fn $name() -> Result<(), JsValue>;)*
            }
        }
        $(#[wasm_bindgen_test] async fn $name() -> Result<(), JsValue> { page::$name().await })*
    };
}

promises! {
    two_rooms_call_each_other_and_everything_is_told
    events_that_come_before_join_returns_reach_handlers_added_right_after_it
    a_handler_that_is_taken_off_hears_nothing_more
    a_handler_that_throws_is_reported_and_does_not_keep_the_others_from_hearing
    leaving_ends_everything_and_may_be_said_twice
    a_stream_of_the_application_is_sent_and_remains_its_own
    without_media_there_is_no_local_stream_and_setting_it_does_nothing
    what_goes_wrong_has_a_code_and_words
    a_join_that_fails_releases_the_devices
    options_that_make_no_sense_are_named
    a_check_says_whom_one_can_call
    a_check_does_not_wait_for_a_server_that_is_not_there
    another_try_may_be_asked_for_at_any_time
    messages_arrive_as_text_or_bytes_and_say_from_whom
    what_cannot_be_sent_rejects_with_the_reason
    a_file_is_offered_accepted_and_arrives_whole
    a_file_may_be_declined_or_cancelled_and_both_are_told_why
}
