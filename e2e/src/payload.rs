//! Files that are sent in tests: random bytes on the disk, and how to know them again.

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

/// How long a browser may take to write down what it has.
const PATIENCE: Duration = Duration::from_secs(30);

/// A file to send.
pub struct Payload {
    pub name: String,
    pub path: PathBuf,
    pub size: u64,
    hash: [u8; 32],
}

impl Payload {
    /// Makes a file of so many random bytes in the folder.
    pub fn random(folder: &Path, name: &str, size: u64) -> Self {
        let path = folder.join(name);
        let mut random = File::open("/dev/urandom").expect("/dev/urandom").take(size);
        let mut file = File::create(&path).unwrap();
        let (mut hasher, mut block) = (Sha256::new(), vec![0; 1 << 20]);
        while let Ok(length @ 1..) = random.read(&mut block) {
            hasher.update(&block[..length]);
            file.write_all(&block[..length]).unwrap();
        }
        Self { name: name.to_owned(), path, size, hash: hasher.finalize().into() }
    }

    /// Its SHA-256.
    pub fn hash(&self) -> [u8; 32] {
        self.hash
    }

    /// Waits until there is a file of this name and size in the folder, and nothing of it is outstanding.
    pub async fn arrives_in(&self, folder: &Path) {
        let end = Instant::now() + PATIENCE;
        let path = folder.join(&self.name);
        loop {
            // While it is written, another file has what is there: only it is left in the end.
            let names: Vec<_> =
                std::fs::read_dir(folder).unwrap().flatten().map(|it| it.file_name()).collect();
            let size = std::fs::metadata(&path).map_or(0, |it| it.len());
            if size == self.size && names.len() == 1 {
                break;
            }
            assert!(Instant::now() < end, "{:?} is not there, but {names:?}", self.name);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert!(self.is_in(&path), "{path:?} is not what was sent");
    }

    /// Whether the file at this path has the same SHA-256.
    pub fn is_in(&self, path: &Path) -> bool {
        let mut file = File::open(path).unwrap();
        let (mut hasher, mut block) = (Sha256::new(), vec![0; 1 << 20]);
        while let Ok(length @ 1..) = file.read(&mut block) {
            hasher.update(&block[..length]);
        }
        <[u8; 32]>::from(hasher.finalize()) == self.hash
    }
}
