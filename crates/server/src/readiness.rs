//! Whether new clients should be sent here: what a load balancer asks `/readyz`.
//!
//! It is a list of named checks, so that whatever the server comes to depend on has a place. `/healthz` asks none of
//! them: a process that waits for something else is not helped by being started again.

use std::fmt;

/// Says why not, in words for whoever runs the server.
type Check = Box<dyn Fn() -> Result<(), String> + Send + Sync>;

/// The checks.
#[derive(Default)]
pub(crate) struct Readiness {
    checks: Vec<(&'static str, Check)>,
}

impl Readiness {
    /// Adds a check. It is asked for every request, so it should look at what is known and not go and see.
    pub(crate) fn with(
        mut self,
        name: &'static str,
        check: impl Fn() -> Result<(), String> + Send + Sync + 'static,
    ) -> Self {
        self.checks.push((name, Box::new(check)));
        self
    }

    /// Asks all of them.
    ///
    /// # Errors
    /// A line for each that says no.
    pub(crate) fn verdict(&self) -> Result<(), String> {
        let failed = self.checks.iter().filter_map(|(name, check)| Some((name, check().err()?)));
        let lines: String = failed.map(|(name, why)| format!("{name}: {why}\n")).collect();
        if lines.is_empty() { Ok(()) } else { Err(lines) }
    }
}

impl fmt::Debug for Readiness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.checks.iter().map(|(name, _)| name)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_no_is_enough_and_every_no_is_told() {
        let readiness = Readiness::default().with("one", || Ok(())).with("two", || Ok(()));
        assert_eq!(readiness.verdict(), Ok(()));
        let readiness = readiness
            .with("three", || Err("it is away".to_owned()))
            .with("four", || Err("so is this".to_owned()));
        assert_eq!(readiness.verdict(), Err("three: it is away\nfour: so is this\n".to_owned()));
    }
}
