//! An OAuth client's record, `client#<client_id>`: how it is metered, and whether it is shut out.

use aws_sdk_dynamodb::types::AttributeValue;

use crate::attributes::Attributes;
use crate::item::{Item, MalformedRecord, Status};

/// What the authorizer asks about a client. Whatever else the item holds is not read, so that one
/// that somebody wrote by hand is as good as one that was registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientRecord {
    /// The `usageIdentifierKey` that meters the client.
    pub usage_key: Option<String>,
    /// Whether the client may be used.
    pub status: Status,
    /// Whose client it is; `None` is the client of this name of every trusted issuer.
    pub issuer: Option<String>,
}

impl ClientRecord {
    /// The partition key of a client's record.
    #[must_use]
    pub fn pk(client_id: &str) -> String {
        format!("{PREFIX}{client_id}")
    }

    /// Reads an item.
    ///
    /// # Errors
    /// When an attribute has the wrong type or the status is missing.
    pub fn from_item(item: &Item) -> Result<Self, MalformedRecord> {
        let read = Attributes::new(item);
        Ok(Self {
            usage_key: read.text("usage_key")?,
            status: read.status()?,
            issuer: read.text("issuer")?,
        })
    }

    /// Whether it is about a client of this issuer.
    #[must_use]
    pub fn is_of(&self, issuer: &str) -> bool {
        self.issuer.as_deref().is_none_or(|own| own == issuer)
    }
}

/// What the partition keys of clients begin with.
const PREFIX: &str = "client#";

/// The usage key that metered a client before its plan was changed. Answers of the authorizer that are
/// remembered may still name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormerUsageKey {
    /// API Gateway's own id of it.
    pub id: String,
    /// Until when it is kept, in epoch seconds.
    pub until: u64,
}

/// A client with all that is kept of it, for whoever registers clients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegisteredClient {
    /// The client's name at its issuer.
    pub client_id: String,
    /// What the authorizer reads.
    pub record: ClientRecord,
    /// What people call the client.
    pub name: Option<String>,
    /// Epoch seconds; 0 where somebody wrote the record by hand.
    pub created_at: u64,
    /// API Gateway's own id of the usage key, by which it is deleted; none where the client has none
    /// of its own.
    pub usage_key_id: Option<String>,
    /// The usage plan's name, for people.
    pub usage_plan: Option<String>,
    /// The usage key of before, while it is kept.
    pub former_usage_key: Option<FormerUsageKey>,
}

impl RegisteredClient {
    /// The `owner` by which the table's index lists clients. No principal has this name, as a
    /// quotation mark stands in none.
    pub const INDEXED_AS: &str = "\"oauth-clients\"";
    /// The attribute that names the [usage key of before](FormerUsageKey).
    pub const FORMER_ID: &str = "former_usage_key_id";
    /// The attribute that says until when it is kept.
    pub const FORMER_UNTIL: &str = "former_usage_key_until";

    /// Reads an item. What the authorizer does not read may be of any type, so that whoever it lets in
    /// by a record can be shut out by it.
    ///
    /// # Errors
    /// When the authorizer could not read it either, or it is no client's.
    pub fn from_item(item: &Item) -> Result<Self, MalformedRecord> {
        let read = Attributes::new(item);
        let client_id = read.pk.strip_prefix(PREFIX);
        let number = |name| read.number(name).ok().flatten();
        Ok(Self {
            client_id: read.require("pk", client_id)?.to_owned(),
            record: ClientRecord::from_item(item)?,
            name: read.description("name"),
            created_at: number("created_at").unwrap_or_default(),
            usage_key_id: read.description("usage_key_id"),
            usage_plan: read.description("usage_plan"),
            former_usage_key: read
                .description(Self::FORMER_ID)
                .zip(number(Self::FORMER_UNTIL))
                .map(|(id, until)| FormerUsageKey { id, until }),
        })
    }

    /// The item to write.
    #[must_use]
    pub fn to_item(&self) -> Item {
        let text = |value: &str| AttributeValue::S(value.to_owned());
        let number = |value: u64| AttributeValue::N(value.to_string());
        let record = &self.record;
        let mut item = Item::from([
            ("pk".to_owned(), text(&ClientRecord::pk(&self.client_id))),
            ("owner".to_owned(), text(Self::INDEXED_AS)),
            ("status".to_owned(), text(record.status.as_str())),
            ("created_at".to_owned(), number(self.created_at)),
        ]);
        let optional = [
            ("issuer", &record.issuer),
            ("name", &self.name),
            ("usage_key", &record.usage_key),
            ("usage_key_id", &self.usage_key_id),
            ("usage_plan", &self.usage_plan),
        ];
        for (name, value) in optional {
            if let Some(value) = value {
                item.insert(name.to_owned(), text(value));
            }
        }
        if let Some(former) = &self.former_usage_key {
            item.insert(Self::FORMER_ID.to_owned(), text(&former.id));
            item.insert(Self::FORMER_UNTIL.to_owned(), number(former.until));
        }
        item
    }
}

#[cfg(test)]
mod tests {
    use keygate_principal::name::is_usable_name;

    use super::*;

    fn client() -> RegisteredClient {
        RegisteredClient {
            client_id: "mobile".to_owned(),
            record: ClientRecord {
                usage_key: Some("keygate-usage-0123456789ab".to_owned()),
                status: Status::Active,
                issuer: Some("https://login.example.com/".to_owned()),
            },
            name: None,
            created_at: 1_000,
            usage_key_id: Some("a1b2c3d4e5".to_owned()),
            usage_plan: Some("partner".to_owned()),
            former_usage_key: Some(FormerUsageKey {
                id: "f6g7h8i9j0".to_owned(),
                until: 9_000,
            }),
        }
    }

    #[test]
    fn a_client_reads_back_as_it_was_written() {
        let written = client();
        let item = written.to_item();
        assert_eq!(RegisteredClient::from_item(&item), Ok(written.clone()));
        assert_eq!(ClientRecord::from_item(&item), Ok(written.record));
    }

    #[test]
    fn a_record_of_one_issuer_says_nothing_of_another_issuers_client() {
        let mut record = client().record;
        assert!(record.is_of("https://login.example.com/"));
        assert!(!record.is_of("https://login.example.com"));
        record.issuer = None;
        assert!(record.is_of("https://other.example"));
    }

    #[test]
    fn a_record_that_somebody_wrote_by_hand_is_read_as_far_as_the_authorizer_does() {
        let text = |value: &str| AttributeValue::S(value.to_owned());
        let item = Item::from([
            ("pk".to_owned(), text("client#mobile")),
            ("status".to_owned(), text("revoked")),
            ("created_at".to_owned(), text("yesterday")),
        ]);
        let record = ClientRecord::from_item(&item).unwrap();
        assert_eq!((record.status, &record.issuer), (Status::Revoked, &None));
        let registered = RegisteredClient::from_item(&item).unwrap();
        assert_eq!((registered.record, registered.created_at), (record, 0));
        let mut unreadable = item;
        unreadable.insert("usage_key".to_owned(), AttributeValue::Bool(true));
        assert!(ClientRecord::from_item(&unreadable).is_err());
        assert!(RegisteredClient::from_item(&unreadable).is_err());
    }

    #[test]
    fn no_principal_has_the_name_that_lists_clients() {
        assert!(!is_usable_name(RegisteredClient::INDEXED_AS));
    }
}
