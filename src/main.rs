//! The app: the library's first user, and it knows no more of it than any other.

mod app;

fn main() {
    console_error_panic_hook::set_once();
    app::run();
}
