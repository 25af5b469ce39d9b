//! Reading the folder.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use axum::body::Bytes;
use axum::http::HeaderValue;
use sha2::{Digest, Sha256};

use super::encoding::Encoding;
use super::{Asset, Assets, Variant, mime};
use crate::ids::hex;

/// More than any built page holds. A folder with more is the wrong one, and would only fill memory.
const LARGEST: u64 = 256 * 1024 * 1024;

/// Why a page cannot be served. The message is one sentence and says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AssetsError {
    /// There is no such folder.
    #[error("there is no folder {0}: build the page first, or name the folder it was built into with --app")]
    NoFolder(PathBuf),
    /// There is a folder, but no page in it.
    #[error(
        "there is no index.html in {0}: build the page first, or name the folder it was built into with --app"
    )]
    NoIndex(PathBuf),
    /// It is too much to be a page.
    #[error(
        "{0} holds more than {limit} MiB, which is more than a page does: name the folder the page was built into with --app",
        limit = LARGEST / 1024 / 1024
    )]
    TooLarge(PathBuf),
    /// Something in it cannot be read.
    #[error("cannot read {0}: {1}; make it readable for the user that runs the server")]
    Read(PathBuf, #[source] io::Error),
}

impl Assets {
    /// Reads a folder and the folders in it. Names that begin with a dot stay private.
    ///
    /// # Errors
    /// The folder is not one with a page, or cannot be read.
    pub(crate) fn load(folder: &Path) -> Result<Self, AssetsError> {
        if !folder.is_dir() {
            return Err(AssetsError::NoFolder(folder.to_owned()));
        }
        if !folder.join("index.html").is_file() {
            return Err(AssetsError::NoIndex(folder.to_owned()));
        }
        let mut found = Found { files: HashMap::new(), left: LARGEST };
        found.read(folder, "").map_err(|error| match error {
            Failed::TooLarge => AssetsError::TooLarge(folder.to_owned()),
            Failed::Read(path, error) => AssetsError::Read(path, error),
        })?;
        Ok(found.into_assets())
    }
}

enum Failed {
    TooLarge,
    Read(PathBuf, io::Error),
}

struct Found {
    files: HashMap<String, Bytes>,
    left: u64,
}

impl Found {
    /// Reads what is in `folder`, whose own address is `prefix`.
    fn read(&mut self, folder: &Path, prefix: &str) -> Result<(), Failed> {
        let unreadable = |error| Failed::Read(folder.to_owned(), error);
        for entry in fs::read_dir(folder).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let path = entry.path();
            let name = entry.file_name();
            let Some(name) = name.to_str() else {
                tracing::warn!("left out a file whose name is not UTF-8");
                continue;
            };
            if name.starts_with('.') {
                continue;
            }
            let address = format!("{prefix}/{name}");
            // Links to folders are not followed: they may go in circles.
            if entry.file_type().map_err(unreadable)?.is_dir() {
                self.read(&path, &address)?;
                continue;
            }
            let unreadable = |error| Failed::Read(path.clone(), error);
            let metadata = fs::metadata(&path).map_err(unreadable)?;
            if !metadata.is_file() {
                continue;
            }
            self.left = self.left.checked_sub(metadata.len()).ok_or(Failed::TooLarge)?;
            self.files.insert(address, Bytes::from(fs::read(&path).map_err(unreadable)?));
        }
        Ok(())
    }

    /// Puts each compressed file with the file it was made from.
    fn into_assets(self) -> Assets {
        let mut files = HashMap::new();
        let addresses: Vec<String> = self.files.keys().cloned().collect();
        for address in addresses {
            if self.is_compressed(&address) {
                continue;
            }
            let compressed = Encoding::ALL
                .into_iter()
                .filter_map(|encoding| {
                    let bytes = self.files.get(&format!("{address}{}", encoding.suffix()))?;
                    Some((encoding, Variant::new(bytes.clone())))
                })
                .collect();
            if let Some(bytes) = self.files.get(&address) {
                let mime = HeaderValue::from_static(mime::of(&address));
                let plain = Variant::new(bytes.clone());
                files.insert(address, Asset { mime, plain, compressed });
            }
        }
        Assets { files }
    }

    /// Whether this is another file, compressed.
    fn is_compressed(&self, address: &str) -> bool {
        Encoding::ALL.into_iter().any(|encoding| {
            address.strip_suffix(encoding.suffix()).is_some_and(|plain| self.files.contains_key(plain))
        })
    }
}

impl Variant {
    fn new(bytes: Bytes) -> Self {
        let etag = format!("\"{}\"", hex(&Sha256::digest(&bytes)));
        // Hexadecimal digits in quotes are a valid header; without a tag the file would only not be kept.
        let etag = HeaderValue::from_str(&etag).unwrap_or(HeaderValue::from_static("\"\""));
        Self { bytes, etag }
    }
}
