//! What several targets stand on: an authorizer with an issuer of its own ([`house`]), and a policy
//! evaluated as API Gateway does ([`policy`]).

pub mod house;
pub mod policy;
