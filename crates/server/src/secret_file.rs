//! Secrets and keys that a flag, the environment or a file may hold.

use std::fs;
use std::path::{Path, PathBuf};

use duologue_server::Secret;

/// The secret from where it is: given as it is by the flag `--NAME`, or in a file that `--NAME-file` names.
///
/// # Errors
/// Says in a sentence what to do: there are two, or the file has none.
pub(crate) fn secret(
    what: &str,
    name: &str,
    given: Option<Secret>,
    file: Option<PathBuf>,
) -> Result<Option<Secret>, String> {
    let Some(file) = file else { return Ok(given) };
    if given.is_some() {
        let variable = name.to_uppercase().replace('-', "_");
        return Err(format!(
            "there are two secrets for {what}: give --{name}-file or --{name}, and not both \
             (DUOLOGUE_{variable} counts as well)"
        ));
    }
    // Editors end a file with a line break.
    match text(&format!("the secret for {what}"), &file)?.trim() {
        "" => Err(format!("{} is empty: write the secret for {what} into it", file.display())),
        secret => Ok(Some(Secret::from(secret.to_owned()))),
    }
}

/// What is in a file.
///
/// # Errors
/// Says in a sentence what to do.
pub(crate) fn text(what: &str, file: &Path) -> Result<String, String> {
    let place = file.display();
    fs::read_to_string(file).map_err(|error| {
        format!("cannot read {what} from {place}: {error}; name a file that this user may read")
    })
}
