//! The attributes of an item, read by name and type.

use aws_sdk_dynamodb::types::AttributeValue;

use crate::item::{Item, MalformedRecord, Status};
use crate::metadata::Metadata;
use keygate_api_key::SecretHash;

pub(crate) struct Attributes<'a> {
    item: &'a Item,
    pub(crate) pk: &'a str,
}

impl<'a> Attributes<'a> {
    pub(crate) fn new(item: &'a Item) -> Self {
        let pk = item.get("pk").and_then(|value| value.as_s().ok());
        Self {
            item,
            pk: pk.map_or("", String::as_str),
        }
    }

    pub(crate) fn malformed(&self, attribute: &'static str) -> MalformedRecord {
        MalformedRecord {
            pk: self.pk.to_owned(),
            attribute,
        }
    }

    pub(crate) fn require<T>(
        &self,
        name: &'static str,
        value: Option<T>,
    ) -> Result<T, MalformedRecord> {
        value.ok_or_else(|| self.malformed(name))
    }

    pub(crate) fn text(&self, name: &'static str) -> Result<Option<String>, MalformedRecord> {
        match self.item.get(name) {
            None => Ok(None),
            Some(AttributeValue::S(text)) => Ok(Some(text.clone())),
            Some(_) => Err(self.malformed(name)),
        }
    }

    /// What only describes a record: of another type it is as good as missing.
    pub(crate) fn description(&self, name: &'static str) -> Option<String> {
        self.text(name).ok().flatten()
    }

    pub(crate) fn number(&self, name: &'static str) -> Result<Option<u64>, MalformedRecord> {
        match self.item.get(name) {
            None => Ok(None),
            Some(AttributeValue::N(digits)) => {
                digits.parse().map(Some).map_err(|_| self.malformed(name))
            }
            Some(_) => Err(self.malformed(name)),
        }
    }

    pub(crate) fn hash(&self, name: &'static str) -> Result<Option<SecretHash>, MalformedRecord> {
        let hash = match self.item.get(name) {
            None => return Ok(None),
            Some(AttributeValue::S(hex)) => SecretHash::from_hex(hex),
            Some(AttributeValue::B(bytes)) => SecretHash::from_bytes(bytes.as_ref()),
            Some(_) => None,
        };
        self.require(name, hash).map(Some)
    }

    pub(crate) fn strings(&self, name: &'static str) -> Result<Vec<String>, MalformedRecord> {
        match self.item.get(name) {
            None => Ok(Vec::new()),
            Some(AttributeValue::Ss(values)) => Ok(values.clone()),
            // What the console makes of a list of strings.
            Some(AttributeValue::L(values)) => values
                .iter()
                .map(|value| value.as_s().cloned().map_err(|_| self.malformed(name)))
                .collect(),
            Some(_) => Err(self.malformed(name)),
        }
    }

    pub(crate) fn metadata(&self, name: &'static str) -> Result<Metadata, MalformedRecord> {
        let entries = match self.item.get(name) {
            None => return Ok(Metadata::default()),
            Some(AttributeValue::M(entries)) => entries,
            Some(_) => return Err(self.malformed(name)),
        };
        let texts = entries
            .iter()
            .map(|(name, value)| Some((name.clone(), value.as_s().ok()?.clone())));
        let metadata = texts
            .collect::<Option<_>>()
            .and_then(|texts| Metadata::new(texts).ok());
        self.require(name, metadata)
    }

    pub(crate) fn status(&self) -> Result<Status, MalformedRecord> {
        let status = self.text("status")?;
        self.require("status", status.as_deref().and_then(Status::read))
    }
}
