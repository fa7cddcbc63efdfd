//! The route table: which credential opens which route. It is configuration, one route a line:
//!
//! ```text
//! # METHOD PATH        SCOPE...
//! GET    /books        books:read
//! GET    /reports/{id} reports:read reports:admin   # any one of them
//! GET    /me           *                            # any accepted credential
//! GET    /problems     -                            # no credential is asked for
//! ```
//!
//! The setting `ROUTES` holds it, or `ROUTES_FILE` names a file of the same form. A route that is not
//! listed is closed.
//!
//! ```
//! use keygate_routes::RouteTable;
//!
//! let table: RouteTable = "GET /books books:read\nANY /files/{proxy+} *".parse()?;
//! let route = table.resolve(&http::Method::PUT, "/files/a/b").expect("the second line");
//! assert_eq!(route.path.as_str(), "/files/{proxy+}");
//! # Ok::<_, keygate_routes::MalformedTable>(())
//! ```

mod access;
mod method;
mod path;
mod read;
mod resources;
mod table;

pub use access::Access;
pub use method::{METHODS, RouteMethod, UnknownMethod};
pub use path::{MalformedPath, ResourcePath, Segment};
pub use read::{FILE, SETTING, read, required};
pub use resources::{Conflict, Resources};
pub use table::{MAX_ROUTES, MalformedTable, Route, RouteTable};
