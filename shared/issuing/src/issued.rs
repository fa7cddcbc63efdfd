//! What issuing and rotating hand out.

use keygate_api_key::ApiKey;
use keygate_key_record::KeyRecord;

/// A key as it is handed out, once.
#[derive(Debug)]
pub struct Issued {
    /// Its record, as it is now.
    pub record: KeyRecord,
    /// The whole key.
    pub key: ApiKey,
}
