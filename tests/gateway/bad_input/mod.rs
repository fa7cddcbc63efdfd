//! What a gateway withstands: clients that send no HTTP, too much, too little or too many requests,
//! functions and templates without measure, and a disk that is full. Whoever else there is, is served
//! meanwhile.

pub(crate) mod connections;
pub(crate) mod full_disk;
pub(crate) mod functions;
pub(crate) mod malformed;
pub(crate) mod slow;
pub(crate) mod templates;
