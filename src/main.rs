//! The app: the library's first user, and it knows no more of it than any other.

mod app;

/// A quarter of the size of the allocator that Rust brings along, and quicker.
#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();

fn main() {
    console_error_panic_hook::set_once();
    app::run();
}
