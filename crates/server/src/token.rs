//! Tokens that open rooms: JSON Web Tokens (RFC 7519), checked when somebody joins, and made for those who are invited.
//!
//! A token says which room it opens, until when, and what its bearer may do there. The server needs no list of rooms or of
//! people: whoever holds the key decides, and that may be another program.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use duologue_protocol::{Join, Name, Rights, RoomId, limits};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};

use crate::turn::Secret;

/// The audience of our tokens (RFC 7519, section 4.1.3).
const AUDIENCE: &str = "duologue";
/// How far the clocks of whoever makes a token and of whoever checks it may be apart, in seconds.
const LEEWAY: u64 = 30;
/// The fewest bytes of a secret: as many as the hash of HS256 has (RFC 7518, section 3.2).
const SECRET_BYTES: usize = 32;

/// By what tokens are checked. With neither, no token is asked for. With both, either will do.
#[derive(Debug, Clone, Default)]
pub struct TokenConfig {
    /// The secret of tokens that are signed with HS256 (RFC 7518, section 3.2): at least 32 bytes.
    pub secret: Option<Secret>,
    /// The public key of tokens that are signed with EdDSA (RFC 8037), Ed25519, as PEM (`BEGIN PUBLIC KEY`).
    pub public_key: Option<String>,
}

/// What is wrong with a key for tokens, or with an invitation. The message says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// The secret can be guessed.
    #[error(
        "the secret for tokens has {0} bytes, and must have at least 32: make one with `openssl rand -base64 48`"
    )]
    ShortSecret(usize),
    /// It is no public key.
    #[error(
        "the public key for tokens is no Ed25519 key in PEM: write the output of \
         `openssl pkey -in private.pem -pubout` into its file, where private.pem comes from `openssl genpkey -algorithm ed25519`"
    )]
    PublicKey,
    /// It is no private key.
    #[error(
        "the private key for invitations is no Ed25519 key in PEM: make one with `openssl genpkey -algorithm ed25519`"
    )]
    PrivateKey,
    /// The token would be longer than a `join` may carry.
    #[error("the token would be longer than {max} bytes: choose a shorter name", max = limits::ROOM_TOKEN)]
    TooLong,
}

/// Why a token opens nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rejected {
    /// There is none, or it is not for this room, or not from whom it should be.
    Invalid,
    /// Its time is over, or has not begun.
    Expired,
}

/// What somebody gets who joins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Grant {
    /// The name that the others see.
    pub(crate) name: Option<Name>,
    /// What they may do.
    pub(crate) rights: Rights,
}

/// What a token says.
#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    room: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rights: Option<Vec<String>>,
    exp: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nbf: Option<u64>,
}

/// The keys of a configuration that was checked. Without any, everybody may join and speak.
#[derive(Default)]
pub(crate) struct Tokens {
    keys: Vec<(DecodingKey, Validation)>,
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the keys.
        f.debug_struct("Tokens").field("keys", &self.keys.len()).finish()
    }
}

impl Tokens {
    /// Takes the keys of a configuration.
    ///
    /// # Errors
    /// Says what is wrong with them.
    pub(crate) fn new(config: &TokenConfig) -> Result<Self, TokenError> {
        let mut keys = Vec::new();
        if let Some(secret) = &config.secret {
            keys.push((DecodingKey::from_secret(checked(secret)?), validation(Algorithm::HS256)));
        }
        if let Some(pem) = &config.public_key {
            let key = DecodingKey::from_ed_pem(pem.trim().as_bytes()).map_err(|_| TokenError::PublicKey)?;
            keys.push((key, validation(Algorithm::EdDSA)));
        }
        Ok(Self { keys })
    }

    /// Whether somebody may join, and what they may do. The answer for a room that is not there is the same as for one
    /// that is.
    pub(crate) fn open(&self, join: &Join) -> Result<Grant, Rejected> {
        if self.keys.is_empty() {
            return Ok(Grant { name: join.name.clone(), rights: Rights::USUAL });
        }
        let token = join.token.as_deref().ok_or(Rejected::Invalid)?;
        let mut rejected = Rejected::Invalid;
        for (key, validation) in &self.keys {
            match jsonwebtoken::decode::<Claims>(token, key, validation) {
                Ok(data) => return granted(data.claims, join),
                // Told only of a signature that is right: the library looks at that first.
                Err(error)
                    if matches!(error.kind(), ErrorKind::ExpiredSignature | ErrorKind::ImmatureSignature) =>
                {
                    rejected = Rejected::Expired;
                }
                Err(_) => {}
            }
        }
        Err(rejected)
    }
}

fn granted(claims: Claims, join: &Join) -> Result<Grant, Rejected> {
    let room = RoomId::new(claims.room).map_err(|_| Rejected::Invalid)?;
    if room != join.room {
        return Err(Rejected::Invalid);
    }
    let name = match claims.name {
        Some(name) => Some(Name::new(name).map_err(|_| Rejected::Invalid)?),
        None => join.name.clone(),
    };
    let rights = claims.rights.map_or(Rights::USUAL, |words| Rights::of(words.iter().map(String::as_str)));
    Ok(Grant { name, rights })
}

fn checked(secret: &Secret) -> Result<&[u8], TokenError> {
    let bytes = secret.bytes();
    if bytes.len() < SECRET_BYTES { Err(TokenError::ShortSecret(bytes.len())) } else { Ok(bytes) }
}

fn validation(algorithm: Algorithm) -> Validation {
    // One algorithm to a key, whatever the token says of itself (RFC 8725, section 3.1).
    let mut validation = Validation::new(algorithm);
    validation.leeway = LEEWAY;
    validation.validate_nbf = true;
    validation.set_audience(&[AUDIENCE]);
    validation
}

/// What signs invitations.
#[derive(Clone)]
pub struct InvitationKey {
    algorithm: Algorithm,
    key: EncodingKey,
}

impl fmt::Debug for InvitationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InvitationKey").field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

impl InvitationKey {
    /// The secret that the server has as well ([`TokenConfig::secret`]).
    ///
    /// # Errors
    /// It is too short.
    pub fn of_secret(secret: &Secret) -> Result<Self, TokenError> {
        Ok(Self { algorithm: Algorithm::HS256, key: EncodingKey::from_secret(checked(secret)?) })
    }

    /// The private key of [`TokenConfig::public_key`], as PEM (`BEGIN PRIVATE KEY`).
    ///
    /// # Errors
    /// It is no Ed25519 key.
    pub fn of_private_key(pem: &str) -> Result<Self, TokenError> {
        let key = EncodingKey::from_ed_pem(pem.trim().as_bytes()).map_err(|_| TokenError::PrivateKey)?;
        Ok(Self { algorithm: Algorithm::EdDSA, key })
    }
}

/// Who may do what in a room, and until when.
#[derive(Debug, Clone)]
pub struct Invitation {
    /// The room that it opens.
    pub room: RoomId,
    /// The name that the others see; `None` to let its bearer choose one.
    pub name: Option<Name>,
    /// What its bearer may do.
    pub rights: Rights,
    /// Until when it lets somebody in, in whole seconds. Whoever is inside then may stay.
    pub expires: SystemTime,
}

impl Invitation {
    /// The token: what the bearer's `join` says.
    ///
    /// # Errors
    /// It would be too long, or the key cannot sign.
    pub fn token(&self, key: &InvitationKey) -> Result<String, TokenError> {
        let expires = self.expires.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        let claims = Claims {
            room: self.room.to_string(),
            name: self.name.as_ref().map(ToString::to_string),
            rights: Some(self.rights.words().into_iter().map(str::to_owned).collect()),
            exp: expires.as_secs(),
            nbf: None,
        };
        let token = jsonwebtoken::encode(&Header::new(key.algorithm), &claims, &key.key)
            .map_err(|_| TokenError::PrivateKey)?;
        if token.len() > limits::ROOM_TOKEN { Err(TokenError::TooLong) } else { Ok(token) }
    }
}
