//! Pages of a list: `limit` and an opaque `cursor`.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::request::ProxyRequest;
use keygate_problem::{BAD_REQUEST, INTERNAL_ERROR, Problem};

/// How many entries a page has when the request does not say.
pub const DEFAULT_LIMIT: i32 = 25;
/// How many entries a page has at most.
pub const MAX_LIMIT: i32 = 100;

/// One page of a list, as the API answers it.
#[derive(Debug, Clone, Serialize)]
pub struct Page<T> {
    /// The page's entries.
    #[serde(rename = "items")]
    pub entries: Vec<T>,
    /// Where the next page starts; `null` on the last one.
    pub next_cursor: Option<Cursor>,
}

impl<T> Page<T> {
    /// A page, and the position where the next one starts; none on the last.
    ///
    /// # Errors
    /// When the position cannot be serialised, which is a fault of the function.
    pub fn new<P: Serialize>(entries: Vec<T>, next: Option<&P>) -> Result<Self, Problem> {
        Ok(Self {
            entries,
            next_cursor: next.map(Cursor::new).transpose()?,
        })
    }
}

/// The place where a page starts. Opaque to clients: base64url of JSON. It holds no authority: a
/// list is read within the caller's own partition whatever the cursor says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Cursor(String);

impl Cursor {
    /// A cursor for a position in a list.
    ///
    /// # Errors
    /// When the position cannot be serialised, which is a fault of the function.
    pub fn new<T: Serialize>(position: &T) -> Result<Self, Problem> {
        match serde_json::to_vec(position) {
            Ok(json) => Ok(Self(URL_SAFE_NO_PAD.encode(json))),
            Err(error) => {
                tracing::error!(%error, "a cursor could not be serialised");
                let detail = "The next page's cursor could not be made.";
                Err(Problem::new(&INTERNAL_ERROR, detail))
            }
        }
    }
}

impl ProxyRequest {
    /// The `limit` query parameter, 1 to [`MAX_LIMIT`], or [`DEFAULT_LIMIT`].
    ///
    /// # Errors
    /// When it is anything else.
    pub fn limit(&self) -> Result<i32, Problem> {
        let Some(text) = self.query("limit") else {
            return Ok(DEFAULT_LIMIT);
        };
        match text.parse() {
            Ok(limit) if (1..=MAX_LIMIT).contains(&limit) => Ok(limit),
            _ => Err(Problem::new(
                &BAD_REQUEST,
                format!("The query parameter limit is a whole number from 1 to {MAX_LIMIT}."),
            )),
        }
    }

    /// The position in the `cursor` query parameter, if there is one.
    ///
    /// # Errors
    /// When it is no cursor of this list.
    pub fn cursor<T: DeserializeOwned>(&self) -> Result<Option<T>, Problem> {
        let Some(text) = self.query("cursor") else {
            return Ok(None);
        };
        let position = URL_SAFE_NO_PAD
            .decode(text)
            .ok()
            .and_then(|json| serde_json::from_slice(&json).ok());
        position.map(Some).ok_or_else(|| {
            Problem::new(
                &BAD_REQUEST,
                "The query parameter cursor is not one that this list gave out.",
            )
        })
    }
}
