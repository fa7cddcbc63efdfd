//! The ports of loopback that `keygate` listens on, and looks for a running gateway on, unless the
//! command line says others.

/// The gateway.
pub(crate) const GATEWAY: u16 = 3000;
/// The development issuer.
pub(crate) const ISSUER: u16 = 3001;
/// DynamoDB.
pub(crate) const DYNAMODB: u16 = 3002;
/// API Gateway's management API.
pub(crate) const API_GATEWAY: u16 = 3003;
/// Lambda's Invoke API.
pub(crate) const LAMBDA: u16 = 3004;
/// The page.
pub(crate) const PAGE: u16 = 3005;
