//! The tools that tests need: found, or installed.
//!
//! A tool of the right version on the PATH is used. Otherwise cargo installs one into a folder of its own inside cargo's
//! home, so that nobody's own installation is replaced and the next clone finds it there.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::pins;
use crate::run::{Outcome, cargo, output, run, step};

struct Tool {
    crate_name: &'static str,
    /// The program asked for its version.
    program: &'static str,
    version: String,
    /// Whether any version will do.
    any: bool,
}

/// Everything the tests start that is not cargo's own.
pub struct Tools {
    /// Folders to put before the PATH.
    folders: Vec<PathBuf>,
}

impl Tools {
    /// Finds or installs what the browser tests need.
    pub fn for_browsers() -> Outcome<Self> {
        let tools = [
            Tool {
                crate_name: "wasm-bindgen-cli",
                program: "wasm-bindgen",
                version: pins::wasm_bindgen()?,
                any: false,
            },
            Tool { crate_name: "wasm-pack", program: "wasm-pack", version: "0.15.1".to_owned(), any: true },
            Tool { crate_name: "trunk", program: "trunk", version: "0.21.14".to_owned(), any: true },
        ];
        ensure(&CHROMIUM)?;
        Self::install(&tools)
    }

    /// Finds or installs what the end-to-end tests need: another kind of browser as well.
    pub fn for_end_to_end() -> Outcome<Self> {
        let mut tools = Self::for_browsers()?;
        ensure(&FIREFOX)?;
        ensure_or_advise(&[LAB, REDIS]);
        let driver = Tool {
            crate_name: "geckodriver",
            program: "geckodriver",
            version: "0.37.1".to_owned(),
            any: true,
        };
        tools.folders.extend(Self::install(&[driver])?.folders);
        Ok(tools)
    }

    fn install(tools: &[Tool]) -> Outcome<Self> {
        let mut folders = Vec::new();
        for tool in tools {
            folders.extend(tool.ensure()?);
        }
        Ok(Self { folders })
    }

    /// A command that finds these tools.
    pub fn command(&self, program: &str) -> Outcome<Command> {
        let path = self.path()?;
        // The program itself is looked up in the new PATH as well.
        let found =
            std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file());
        let mut command = Command::new(found.unwrap_or_else(|| program.into()));
        command.env("PATH", path);
        Ok(command)
    }

    fn path(&self) -> Outcome<OsString> {
        let old = std::env::var_os("PATH").unwrap_or_default();
        std::env::join_paths(self.folders.iter().cloned().chain(std::env::split_paths(&old)))
            .map_err(|error| error.to_string())
    }
}

impl Tool {
    /// Gives the folder it was installed into, if it was not on the PATH.
    fn ensure(&self) -> Outcome<Option<PathBuf>> {
        if self.is_right(Path::new(self.program)) {
            return Ok(None);
        }
        let root = cargo_home()?.join("duologue-tools").join(format!("{}-{}", self.crate_name, self.version));
        let folder = root.join("bin");
        if !self.is_right(&folder.join(self.program)) {
            step(&format!("installing {} {} (minutes, once)", self.crate_name, self.version), || {
                let mut command = cargo();
                command.args(["install", "--quiet", "--locked", "--version", &self.version, "--root"]);
                run(command.arg(&root).arg(self.crate_name))
            })?;
        }
        Ok(Some(folder))
    }

    fn is_right(&self, program: &Path) -> bool {
        let version = output(Command::new(program).arg("--version"));
        version.is_ok_and(|it| self.any || it.split_whitespace().any(|word| word == self.version))
    }
}

fn cargo_home() -> Outcome<PathBuf> {
    if let Some(home) = std::env::var_os("CARGO_HOME") {
        return Ok(home.into());
    }
    let home = std::env::home_dir().ok_or("there is no home folder, and CARGO_HOME is not set")?;
    Ok(home.join(".cargo"))
}

/// Programs that come with the system.
struct Programs {
    /// What a person calls them.
    name: &'static str,
    /// What must start: of each group, one. With it, the flag that makes it say its version and end.
    needed: &'static [(&'static [&'static str], &'static str)],
    debian: &'static [&'static str],
    /// For systems where they are not installed by this.
    advice: &'static str,
}

const CHROMIUM: Programs = Programs {
    name: "Chromium and its driver",
    needed: &[
        (&["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"], "--version"),
        (&["chromedriver"], "--version"),
    ],
    debian: &["chromium", "chromium-driver"],
    advice: "the browser tests need Chromium (or Chrome) and chromedriver of the same version on the PATH.\n\
             Debian, Ubuntu: sudo apt-get install chromium chromium-driver\n\
             Fedora: sudo dnf install chromium chromedriver\n\
             Arch: sudo pacman -S chromium\n\
             macOS: brew install --cask google-chrome chromedriver\n\
             Windows: winget install Google.Chrome, and chromedriver from the Chrome for Testing page",
};

const FIREFOX: Programs = Programs {
    name: "Firefox",
    needed: &[(&["firefox", "firefox-esr"], "--version")],
    debian: &["firefox-esr"],
    advice: "the end-to-end tests need Firefox on the PATH.\n\
             Debian: sudo apt-get install firefox-esr\n\
             Ubuntu: sudo snap install firefox\n\
             Fedora: sudo dnf install firefox\n\
             Arch: sudo pacman -S firefox\n\
             macOS: brew install --cask firefox, and its Contents/MacOS on the PATH\n\
             Windows: winget install Mozilla.Firefox, and its folder on the PATH",
};

const LAB: Programs = Programs {
    name: "network namespaces, nftables and coturn",
    needed: &[(&["ip"], "-V"), (&["nft"], "-v"), (&["turnserver"], "--version")],
    debian: &["iproute2", "nftables", "coturn"],
    advice: "calls through routers are tested on Linux, by root, with ip, nft and turnserver on the PATH.\n\
             Debian, Ubuntu: sudo apt-get install iproute2 nftables coturn\n\
             Fedora: sudo dnf install iproute nftables coturn",
};

const PROXIES: Programs = Programs {
    name: "nginx and Caddy",
    needed: &[(&["nginx"], "-v"), (&["caddy"], "version")],
    debian: &["nginx-light", "caddy"],
    advice: "the server is tested behind the proxies of deploy/, with nginx and caddy on the PATH.\n\
             Debian, Ubuntu: sudo apt-get install nginx-light caddy\n\
             Fedora: sudo dnf install nginx caddy\n\
             macOS: brew install nginx caddy",
};

const MAKE: Programs = Programs {
    name: "make",
    needed: &[(&["make"], "--version")],
    debian: &["make"],
    advice: "the server's allocator (jemalloc) is built by make, which is not on the PATH.\n\
             Debian, Ubuntu: sudo apt-get install make\n\
             Fedora: sudo dnf install make\n\
             macOS: xcode-select --install",
};

/// Finds or installs make, which the server is built with. Windows has no use for it.
pub fn ensure_make() -> Outcome {
    if cfg!(unix) { ensure(&MAKE) } else { Ok(()) }
}

/// Whether the server can be built with an allocator of its own.
pub fn has_make() -> bool {
    !cfg!(unix) || MAKE.are_there()
}

const REDIS: Programs = Programs {
    name: "Redis",
    needed: &[(&["redis-server"], "--version")],
    debian: &["redis-server"],
    advice: "several nodes are tested with redis-server on the PATH.\n\
             Debian, Ubuntu: sudo apt-get install redis-server\n\
             Fedora: sudo dnf install redis\n\
             macOS: brew install redis",
};

/// Finds or installs what the server is tested behind and with: proxies and Redis.
pub fn ensure_neighbours() {
    ensure_or_advise(&[PROXIES, REDIS]);
}

/// Those who cannot have them run the rest; the tests themselves say that they did not run.
fn ensure_or_advise(all: &[Programs]) {
    for programs in all {
        if let Err(advice) = ensure(programs) {
            println!("{advice}");
        }
    }
}

impl Programs {
    fn are_there(&self) -> bool {
        let starts = |program: &str, version: &str| output(Command::new(program).arg(version)).is_ok();
        self.needed.iter().all(|(names, version)| names.iter().any(|name| starts(name, version)))
    }
}

/// Finds the programs, or installs them where that is a matter of Debian packages.
fn ensure(programs: &Programs) -> Outcome {
    if programs.are_there() {
        return Ok(());
    }
    if !is_debian_root() {
        return Err(programs.advice.to_owned());
    }
    step(&format!("installing {} (Debian packages)", programs.name), || {
        let mut update = Command::new("apt-get");
        run(update.args(["-qq", "update"]))?;
        let mut install = Command::new("apt-get");
        install.env("DEBIAN_FRONTEND", "noninteractive");
        run(install.args(["-qq", "-y", "--no-install-recommends", "install"]).args(programs.debian))
    })?;
    if programs.are_there() {
        Ok(())
    } else {
        Err(format!("{}: installed, and still does not start", programs.name))
    }
}

fn is_debian_root() -> bool {
    let root = output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0");
    root && Path::new("/etc/debian_version").exists()
}
