//! Builds the page into `dist/`, and the server.

use std::fs;
use std::path::{Path, PathBuf};

use crate::run::{Outcome, cargo, output, root, run, step};
use crate::{parts, slim, tools};

const TARGET: &str = "wasm32-unknown-unknown";
/// The program of the page, as named in Cargo.toml.
pub const APP: &str = "duologue-app";
/// How it is compiled, as named in Cargo.toml.
const PROFILE: &str = "page";

/// The page and the server.
pub fn all() -> Outcome {
    ensure_target()?;
    // The server builds beside the client, whose last and longest step keeps one core busy only.
    std::thread::scope(|scope| {
        let server = scope.spawn(|| {
            let mut command = cargo();
            command.args(["build", "--quiet", "--profile", "server", "--package", "duologue-server"]);
            if !tools::has_make() {
                println!("there is no make: the server keeps more of the memory that it needs no longer");
                command.args(["--no-default-features", "--features", "redis"]);
            }
            run(&mut command)
        });
        let client = client();
        step("waiting for the server, which builds beside it", || {
            server.join().unwrap_or_else(|_| Err("the build of the server stopped".to_owned()))
        })?;
        client
    })
}

/// Where the server's binary is.
pub fn server_binary() -> PathBuf {
    target_dir().join("server").join(format!("duologue-server{}", std::env::consts::EXE_SUFFIX))
}

/// Where cargo builds.
pub fn target_dir() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// The page, into `dist/`.
pub fn client() -> Outcome {
    ensure_target()?;
    step("compiling the client to WebAssembly (the first time takes a minute or two)", || {
        let mut command = cargo();
        command.args(["rustc", "--quiet", "--profile", PROFILE, "--target", TARGET, "--package", "duologue"]);
        command.args(["--bin", APP, "--no-default-features", "--features", "app,split"]);
        command.args(["--config", &without_paths()?]);
        // What refers to what, without which the program cannot be taken apart. And half of the usual stack, which is
        // plenty: what lies behind it has addresses that take three bytes in the program and not four.
        run(command.args(["--", "-Clink-args=--emit-relocs -zstack-size=524288"]))
    })?;
    let dist = root().join("dist");
    step("laying out dist/", || {
        remove(&dist)?;
        fs::create_dir_all(&dist).map_err(|error| format!("cannot make {}: {error}", dist.display()))?;
        let built = target_dir().join(TARGET).join(PROFILE);
        let rest = parts::split(&built.join(format!("{APP}.wasm")), &built.join("parts"), &dist)?;
        bind(&rest.program, &dist)?;
        rest.finish(&dist)?;
        slim::rename(&dist)?;
        lay_out(&root(), &dist)?;
        slim::minify(&dist)
    })?;
    step("compressing it (brotli and gzip)", || compress_all(&dist))
}

/// Takes the paths of this computer out of the program, which names the source of everything that could panic: nobody who
/// loads the page should have to load them, or should know where it was built.
fn without_paths() -> Outcome<String> {
    let flags =
        paths()?.into_iter().map(|path| format!("{:?}", format!("--remap-path-prefix={}=", path.display())));
    Ok(format!("target.{TARGET}.rustflags=[{}]", flags.collect::<Vec<_>>().join(", ")))
}

/// Where this computer keeps sources. A folder comes before those in it: the last that fits is taken out.
pub fn paths() -> Outcome<Vec<PathBuf>> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(std::env::home_dir()?.join(".cargo")));
    let mut paths = vec![root(), sysroot()?.join("lib/rustlib/src/rust")];
    if let Some(home) = home {
        let registries = fs::read_dir(home.join("registry/src")).into_iter().flatten();
        paths.push(home);
        paths.extend(registries.filter_map(|entry| Some(entry.ok()?.path())));
    }
    Ok(paths)
}

fn sysroot() -> Outcome<PathBuf> {
    let sysroot = output(std::process::Command::new("rustc").args(["--print", "sysroot"]))?;
    Ok(PathBuf::from(sysroot.trim()))
}

/// Adds the wasm target to the toolchain, if it is not there.
pub fn ensure_target() -> Outcome {
    if sysroot()?.join("lib/rustlib").join(TARGET).is_dir() {
        return Ok(());
    }
    step("adding the WebAssembly target to the Rust toolchain", || {
        run(std::process::Command::new("rustup").args(["target", "add", TARGET])).map_err(|error| {
            format!(
                "{error}\nIf your Rust does not come from rustup, install its standard library for {TARGET}."
            )
        })
    })
}

/// What the wasm-bindgen tool does.
fn bind(wasm: &Path, dist: &Path) -> Outcome {
    let mut bindgen = wasm_bindgen_cli_support::Bindgen::new();
    bindgen.input_path(wasm).typescript(false).remove_name_section(true).remove_producers_section(true);
    // The parts that come later are found in the program by the table of its functions.
    bindgen.keep_lld_exports(true);
    bindgen.web(true).and_then(|bindgen| bindgen.generate(dist)).map_err(|error| format!("{error:#}"))
}

/// Does with `index.html` what Trunk does: copies what it names, and takes the notes to Trunk out. Takes the comments out,
/// and the blanks that say what is inside of what, too: nothing in the page shows them.
fn lay_out(root: &Path, dist: &Path) -> Outcome {
    let page = without_comments(&read(&root.join("index.html"))?);
    let mut kept = Vec::new();
    for line in page.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if !line.contains("data-trunk") {
            kept.push(line);
        } else if let Some(file) = copied_file(line) {
            let name = Path::new(file).file_name().unwrap_or_default();
            fs::copy(root.join(file), dist.join(name))
                .map_err(|error| format!("cannot copy {file}: {error}"))?;
        }
    }
    write(&dist.join("index.html"), (kept.join("\n") + "\n").as_bytes())
}

fn without_comments(page: &str) -> String {
    let mut parts = page.split("<!--");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |page, part| page + part.split_once("-->").map_or("", |(_, after)| after))
}

/// The file of a `<link data-trunk rel="copy-file" href="…">`.
fn copied_file(line: &str) -> Option<&str> {
    let (_, after) = line.contains("rel=\"copy-file\"").then(|| line.split_once("href=\""))??;
    after.split_once('"').map(|(file, _)| file)
}

fn compress_all(dist: &Path) -> Outcome {
    for path in files(dist)? {
        let plain = fs::read(&path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
        let name = path.display().to_string();
        write(Path::new(&format!("{name}.gz")), &gzip(&plain)?)?;
        write(Path::new(&format!("{name}.br")), &brotli(&plain)?)?;
    }
    Ok(())
}

pub fn gzip(plain: &[u8]) -> Outcome<Vec<u8>> {
    let mut compressed = Vec::new();
    let (options, format) = (zopfli::Options::default(), zopfli::Format::Gzip);
    zopfli::compress(options, format, plain, &mut compressed).map_err(|error| error.to_string())?;
    Ok(compressed)
}

pub fn brotli(plain: &[u8]) -> Outcome<Vec<u8>> {
    let mut compressed = Vec::new();
    let options = brotli::enc::BrotliEncoderParams { quality: 11, lgwin: 22, ..Default::default() };
    brotli::BrotliCompress(&mut &plain[..], &mut compressed, &options).map_err(|error| error.to_string())?;
    Ok(compressed)
}

/// The files of `dist/`, less the compressed ones, by name.
pub fn files(dist: &Path) -> Outcome<Vec<PathBuf>> {
    let entries = fs::read_dir(dist).map_err(|error| format!("cannot read {}: {error}", dist.display()))?;
    let mut files: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.retain(|path| path.is_file() && !path.extension().is_some_and(|end| end == "gz" || end == "br"));
    files.sort();
    Ok(files)
}

pub fn read(path: &Path) -> Outcome<String> {
    fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))
}

pub fn write(path: &Path, content: &[u8]) -> Outcome {
    fs::write(path, content).map_err(|error| format!("cannot write {}: {error}", path.display()))
}

fn remove(folder: &Path) -> Outcome {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(format!("cannot remove {}: {error}", folder.display()))
        }
        _ => Ok(()),
    }
}
