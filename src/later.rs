//! Code that comes later: what only some visitors need is kept out of what every visitor waits for.
//!
//! `ARCHITECTURE.md`, "Code that comes later", says how it is built and when to use it.

/// For [`later!`](crate::later), which is used in more than one crate.
#[cfg(feature = "split")]
#[doc(hidden)]
pub use {NotLoaded as SplitLoaderError, wasm_split_helpers::wasm_split};

/// A part of the program did not load. It can be tried again: nothing is remembered of a try that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("This part of the page did not load. Check your connection and try again, or reload the page.")]
pub struct NotLoaded;

/// How a part is loaded, under the names that the marks ask for. The page has a function for each part
/// (`xtask/src/parts.rs`). It remembers what it has loaded, and calls back when the part is there, or cannot be had; what
/// went wrong then stands in the console.
#[cfg(feature = "split")]
#[doc(hidden)]
#[allow(unsafe_code)] // the function is no Rust
pub mod rt {
    use std::ffi::c_void;
    use std::pin::Pin;

    use super::NotLoaded;
    use crate::queue::{Sender, queue};
    use futures_util::StreamExt;

    pub type LoadCallbackFn = unsafe extern "C" fn(*const c_void, bool);
    type Load = unsafe extern "C" fn(LoadCallbackFn, *const c_void);

    /// The function that loads a part.
    pub struct LazySplitLoader(Load);

    impl LazySplitLoader {
        /// # Safety
        /// The function must call back once, with what it was given.
        pub const unsafe fn new(load: Load) -> Self {
            Self(load)
        }
    }

    pub async fn ensure_loaded(loader: Pin<&LazySplitLoader>) -> Result<(), NotLoaded> {
        let (sender, mut outcomes) = queue();
        let told = Box::into_raw(Box::new(sender));
        // SAFETY: it calls back once, as `new` asks for, so that `called_back` owns the sender.
        unsafe { loader.0(called_back, told.cast_const().cast()) };
        outcomes.next().await.unwrap_or(Err(NotLoaded))
    }

    unsafe extern "C" fn called_back(told: *const c_void, loaded: bool) {
        // SAFETY: it comes from `ensure_loaded`, and this is the only time that it comes.
        let told = unsafe { Box::from_raw(told.cast::<Sender<Result<(), NotLoaded>>>().cast_mut()) };
        // Fails only where nobody waits any more.
        let _ = told.send(if loaded { Ok(()) } else { Err(NotLoaded) });
    }
}

/// Puts an async function, and whatever only it needs, into a part of the program that is loaded when the function is
/// first called.
///
/// ```
/// # async fn look_at_everything(_: String) -> Vec<String> { Vec::new() }
/// duologue::later! {
///     in check;
///     /// Finds out what is the matter.
///     pub async fn look(server: String) -> Vec<String> {
///         look_at_everything(server).await
///     }
/// }
/// # async fn caller() -> Result<(), duologue::NotLoaded> {
/// // Where it is called, there is one more thing that can go wrong.
/// let found: Vec<String> = look("wss://example.org/ws".to_owned()).await?;
/// # drop(found);
/// # Ok(())
/// # }
/// ```
///
/// Functions with the same word after `in` are in the same part. They have no `self`, and nothing generic. What they
/// take and give is shared with the rest of the program as usual: it is one program, with one memory.
///
/// Without the feature `split` the function is called as it stands, and never fails to load.
#[cfg(feature = "split")]
#[macro_export]
macro_rules! later {
    (
        in $part:ident;
        $(#[$meta:meta])*
        $vis:vis async fn $name:ident($($arg:ident: $kind:ty),* $(,)?) $(-> $output:ty)? $body:block
    ) => {
        $(#[$meta])*
        #[$crate::later::wasm_split(
            $part,
            fallible,
            wasm_split_path = $crate::later,
            return_wrapper(
                let future = _;
                { ::core::result::Result::Ok(future.await) }
                -> ::core::result::Result<$crate::later!(@output $($output)?), $crate::NotLoaded>
            )
        )]
        $vis fn $name(
            $($arg: $kind),*
        ) -> ::std::pin::Pin<::std::boxed::Box<dyn ::core::future::Future<Output = $crate::later!(@output $($output)?)>>> {
            ::std::boxed::Box::pin(async move $body)
        }
    };
    (@output) => { () };
    (@output $output:ty) => { $output };
}

/// As with the feature `split`, without it: one program in one file.
#[cfg(not(feature = "split"))]
#[macro_export]
macro_rules! later {
    (
        in $part:ident;
        $(#[$meta:meta])*
        $vis:vis async fn $name:ident($($arg:ident: $kind:ty),* $(,)?) $(-> $output:ty)? $body:block
    ) => {
        $(#[$meta])*
        $vis async fn $name($($arg: $kind),*) -> ::core::result::Result<$crate::later!(@output $($output)?), $crate::NotLoaded> {
            ::core::result::Result::Ok(async move $body.await)
        }
    };
    (@output) => { () };
    (@output $output:ty) => { $output };
}
