//! What stays the same over restarts: the issuer's signing key and the seeded API key, in a file that its
//! owner alone may read.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use keygate_api_key::ApiKey;
use keygate_issuer::{SigningFailed, SigningKey};
use serde::{Deserialize, Serialize};

use crate::ready_file;

/// The file's name below `--data`.
const FILE: &str = "keygate-identity.json";

/// Why nothing can be kept.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeptError {
    /// The file cannot be read or written.
    #[error("the keys that stay the same cannot be kept in {}: {error}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// The file is something else.
    #[error("{} holds no keys of keygate's: remove it, or name another with --identity", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
    },
    /// There is no signing key.
    #[error(transparent)]
    Signing(#[from] SigningFailed),
}

/// Where the keys are kept, and those that were.
#[derive(Debug)]
pub(crate) struct Kept {
    path: Option<PathBuf>,
    keys: Keys,
}

#[derive(Default, Clone, PartialEq, Serialize, Deserialize)]
struct Keys {
    /// PKCS #8, in base64.
    signing_key: Option<String>,
    signing_key_id: Option<String>,
    api_key: Option<String>,
}

/// Secrets are not for the log.
impl std::fmt::Debug for Keys {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Keys")
    }
}

impl Kept {
    /// What is kept in the file that is named, or else below `--data`; without either nothing is.
    pub(crate) fn open(file: Option<&Path>, data: Option<&Path>) -> Result<Self, KeptError> {
        let below = data.map(|folder| folder.join(FILE));
        let path = file.map(Path::to_owned).or(below);
        let Some(path) = path else {
            let keys = Keys::default();
            return Ok(Self { path, keys });
        };
        let keys = match fs::read(&path) {
            Ok(text) => serde_json::from_slice(&text)
                .map_err(|_| KeptError::Malformed { path: path.clone() })?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Keys::default(),
            Err(error) => return Err(KeptError::File { path, error }),
        };
        let path = Some(path);
        Ok(Self { path, keys })
    }

    /// The signing key that was kept, or a new one, for which [`SigningKey::generate`] takes its time.
    pub(crate) fn signing_key(&self) -> Result<SigningKey, KeptError> {
        let (Some(key), Some(id)) = (&self.keys.signing_key, &self.keys.signing_key_id) else {
            return Ok(SigningKey::generate()?);
        };
        let path = || self.path.clone().unwrap_or_default();
        SigningKey::read(key, id).ok_or_else(|| KeptError::Malformed { path: path() })
    }

    /// The API key that was kept.
    pub(crate) fn api_key(&self) -> Option<ApiKey> {
        self.keys.api_key.as_ref()?.parse().ok()
    }

    /// Keeps these, for the next start.
    pub(crate) fn keep(
        &mut self,
        signing_key: Option<&SigningKey>,
        api_key: Option<&ApiKey>,
    ) -> Result<(), KeptError> {
        let former = self.keys.clone();
        if let Some(key) = signing_key {
            self.keys.signing_key = Some(key.written()?);
            self.keys.signing_key_id = Some(key.id().to_owned());
        }
        if let Some(key) = api_key {
            self.keys.api_key = Some(key.expose().to_owned());
        }
        let Some(path) = self.path.as_ref().filter(|_| self.keys != former) else {
            return Ok(());
        };
        let text = serde_json::to_string(&self.keys).unwrap_or_default();
        ready_file::write(path, &format!("{text}\n")).map_err(|error| KeptError::File {
            path: path.clone(),
            error,
        })
    }
}
