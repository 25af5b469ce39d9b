//! Code that comes later: what only some visitors need is kept out of what every visitor waits for.
//!
//! `ARCHITECTURE.md`, "Code that comes later", says how it is built and when to use it.

/// For [`later!`](crate::later), which is used in more than one crate.
#[cfg(feature = "split")]
#[doc(hidden)]
pub use wasm_split_helpers;

/// A part of the program did not load. It can be tried again: nothing is remembered of a try that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("This part of the page did not load. Check your connection and try again, or reload the page.")]
pub struct NotLoaded;

#[cfg(feature = "split")]
impl From<wasm_split_helpers::SplitLoaderError> for NotLoaded {
    fn from(_: wasm_split_helpers::SplitLoaderError) -> Self {
        // What went wrong stands in the console.
        Self
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
        #[$crate::later::wasm_split_helpers::wasm_split(
            $part,
            fallible,
            wasm_split_path = $crate::later::wasm_split_helpers,
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
