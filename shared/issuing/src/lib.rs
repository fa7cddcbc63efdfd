//! How an API key comes to be, gets another secret, and ends, and how an OAuth client is registered,
//! changed and removed: in the key table and, where usage plans are configured, at API Gateway. The
//! function `keys` does it for its callers, `keygate keys` and `keygate clients` for an operator.
//!
//! Two services cannot change in one transaction, so the order of the steps sees to it that what
//! is left half done harms nobody:
//!
//! - Issuing makes the usage key first, then the record: an active record never lacks its usage
//!   key, and a usage key without a record opens nothing. A step that fails is undone.
//! - Revoking marks the record first, then empties the stage's authorizer cache, then deletes the
//!   usage key. Sent again, it does again what is left.
//! - What even so was left is found by the [sweep](Issuing::sweep).
//!
//! Keys that are [about to expire](Within) are found by a scan, for a notice to whoever has to replace them.
//!
//! How often what it made was used it reads from API Gateway, which counts.
//!
//! Issuing, rotating and revoking end within the function's 10 s.

mod apigateway;
mod authorizer_events;
mod authorizers;
mod client_representation;
mod clients;
mod counted;
mod days;
mod deadline;
mod differences;
mod expiring;
pub mod expiry;
mod failure;
mod holder;
mod issue;
mod issued;
mod issuing;
mod last_used;
mod metered;
mod metering;
mod networks;
mod order;
mod pages;
mod position;
mod remembered;
mod representation;
mod revoke;
#[cfg(test)]
mod rig;
mod rotate;
mod stage;
mod store;
mod sweep;
mod usage;
mod usage_key;
mod usage_keys;
mod usage_plans;

pub use apigateway::ApiGatewayError;
pub use authorizer_events::{AuthorizerEvents, SourceNotTold, UnknownEvents};
pub use authorizers::AuthorizersError;
pub use client_representation::ClientRepresentation;
pub use clients::{ClientError, Registration};
pub use days::{Days, DaysError, today};
pub use expiring::{Expiring, MAX_NOTICE_DAYS, NoticeDays, NoticeDaysError, Within};
pub use failure::Failure;
pub use issue::IssueError;
pub use issued::Issued;
pub use issuing::{Issuing, StackPlans};
pub use last_used::{LastUse, LastUsed, Listed};
pub use metered::NoSuchPlan;
pub use networks::{MAX_NETWORKS, Networks, UnusableNetworks};
pub use order::{MAX_NAME_CHARACTERS, Order};
pub use position::Position;
pub use representation::{Representation, WithKey};
pub use revoke::RevokeError;
pub use rotate::{DEFAULT_GRACE, MAX_GRACE, RotateError};
pub use stage::{Flush, Stage};
pub use store::{ClientPosition, Store, StoreError};
pub use sweep::{Sweep, SweepError, Swept};
pub use usage::{Day, Usage, UsageError};
pub use usage_plans::{MalformedUsagePlans, UsagePlan, UsagePlans};
