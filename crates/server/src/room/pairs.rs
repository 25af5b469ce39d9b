//! The tokens by which two members know each other: what a member remembers, and what a newcomer's tokens mean.
//!
//! A token is a secret of two clients and the server. Whoever names one in `join` is one of the two, and the other is
//! the member that has it as well. If two members have it, it is theirs.

use std::collections::{HashMap, VecDeque};

use duologue_protocol::{PairToken, limits};

/// The tokens of one member, the newest last: those it named, and those of its pairs since, also of pairs that are no
/// more. At most as many as a `join` may name.
#[derive(Debug, Default)]
pub(super) struct Pairs(VecDeque<PairToken>);

impl Pairs {
    /// Those that a `join` named.
    pub(super) fn named(tokens: Vec<PairToken>) -> Self {
        let mut pairs = Self::default();
        tokens.into_iter().for_each(|token| pairs.remember(token));
        pairs
    }

    /// Forgets all tokens that these are: whoever has them is not the same to this member any more.
    pub(super) fn forget(&mut self, others: &Self) {
        self.0.retain(|known| !others.0.contains(known));
    }

    /// The newest token that these have as well.
    pub(super) fn shared(&self, others: &Self) -> Option<&PairToken> {
        self.0.iter().rev().find(|known| others.0.contains(known))
    }

    /// Whether it is one of them.
    pub(super) fn has(&self, token: &PairToken) -> bool {
        self.0.contains(token)
    }

    /// All of them, the newest last.
    pub(super) fn iter(&self) -> impl Iterator<Item = &PairToken> {
        self.0.iter()
    }

    /// Remembers a token as the newest.
    pub(super) fn remember(&mut self, token: PairToken) {
        self.0.retain(|known| *known != token);
        self.0.push_back(token);
        if self.0.len() > limits::PAIRS {
            self.0.pop_front();
        }
    }
}

/// Which members have the tokens that a newcomer names.
#[derive(Debug)]
pub(super) struct Holders<'a> {
    /// In the order in which they were named: the token, and the places of the members that have it.
    of: Vec<(&'a PairToken, Vec<usize>)>,
}

impl<'a> Holders<'a> {
    /// Looks for the tokens among the members.
    pub(super) fn find<'m>(named: &'a [PairToken], members: impl Iterator<Item = &'m Pairs>) -> Self {
        let mut of: Vec<_> = named.iter().map(|token| (token, Vec::new())).collect();
        // A token that is named twice counts where it was named last.
        let place: HashMap<&PairToken, usize> =
            named.iter().enumerate().map(|(at, token)| (token, at)).collect();
        if !place.is_empty() {
            for (member, pairs) in members.enumerate() {
                for token in &pairs.0 {
                    if let Some((_, holders)) = place.get(token).and_then(|at| of.get_mut(*at)) {
                        holders.push(member);
                    }
                }
            }
        }
        Self { of }
    }

    /// The token that the newcomer shares with this member and with no other: of several, the one named last.
    pub(super) fn shared_with(&self, member: usize) -> Option<&'a PairToken> {
        let mut latest_first = self.of.iter().rev();
        latest_first.find(|(_, holders)| *holders == [member]).map(|(token, _)| *token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(names: &str) -> Vec<PairToken> {
        names.split_whitespace().map(|name| PairToken::new(name).unwrap()).collect()
    }

    fn members(names: &[&str]) -> Vec<Pairs> {
        names.iter().map(|names| Pairs::named(tokens(names))).collect()
    }

    #[test]
    fn a_member_remembers_the_newest_sixty_four() {
        let mut pairs = Pairs::named(tokens("first second"));
        for n in 0..62 {
            pairs.remember(PairToken::new(format!("t{n}")).unwrap());
        }
        assert_eq!(pairs.0.len(), 64);
        // One that is heard again is not forgotten in place of a newer one.
        pairs.remember(PairToken::new("first").unwrap());
        assert_eq!(pairs.0.len(), 64);
        pairs.remember(PairToken::new("t62").unwrap());
        assert_eq!(pairs.0.len(), 64);
        assert_eq!(pairs.0.front().unwrap().as_str(), "t0");
        assert!(pairs.0.iter().any(|token| token.as_str() == "first"));
    }

    #[test]
    fn of_several_shared_tokens_the_one_named_last_counts() {
        let members = members(&["a b", "c", "d"]);
        let named = tokens("x b a c b");
        let holders = Holders::find(&named, members.iter());
        assert_eq!(holders.shared_with(0).unwrap().as_str(), "b");
        assert_eq!(holders.shared_with(1).unwrap().as_str(), "c");
        assert_eq!(holders.shared_with(2), None);
    }

    #[test]
    fn a_token_that_two_members_have_is_theirs() {
        let members = members(&["ab", "ab"]);
        let named = tokens("ab");
        let holders = Holders::find(&named, members.iter());
        assert_eq!(holders.shared_with(0), None);
        assert_eq!(holders.shared_with(1), None);
    }
}
