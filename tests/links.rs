//! Addresses in messages, which come from strangers.

#![cfg(target_arch = "wasm32")]

#[path = "../src/app/talk/links.rs"]
mod links;

use links::Part::{Link, Text};
use links::parts;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

#[wasm_bindgen_test]
fn addresses_are_found_and_end_where_the_sentence_goes_on() {
    for (text, wanted) in [
        ("no address", vec![Text("no address")]),
        ("", vec![]),
        ("https://example.org", vec![Link("https://example.org")]),
        ("see http://a.b/c?d=e#f, then", vec![Text("see "), Link("http://a.b/c?d=e#f"), Text(", then")]),
        ("(https://example.org/a_(b)).", vec![Text("("), Link("https://example.org/a_(b)"), Text(").")]),
        ("a\nhttps://x.y\nb", vec![Text("a\n"), Link("https://x.y"), Text("\nb")]),
        ("http://a.b https://c.d", vec![Link("http://a.b"), Text(" "), Link("https://c.d")]),
    ] {
        assert_eq!(parts(text), wanted, "{text:?}");
    }
}

#[wasm_bindgen_test]
fn nothing_but_http_and_https_is_a_link() {
    for text in [
        "javascript:alert(1)",
        "data:text/html,<script>",
        "https:",
        "http://",
        "https:// example.org",
        "xhttps://example.org",
        "file:///etc/passwd",
        "HTTPS://EXAMPLE.ORG",
        "httphttp",
    ] {
        assert_eq!(parts(text), vec![Text(text)], "{text:?}");
    }
}

#[wasm_bindgen_test]
fn markup_ends_an_address() {
    let text = "https://a.b/\"><script>alert(1)</script>";
    assert_eq!(parts(text), vec![Link("https://a.b/"), Text("\"><script>alert(1)</script>")]);
}
