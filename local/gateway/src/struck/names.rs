//! The names that credentials have in headers, queries, forms and documents.

/// What stands in a credential's place.
pub const STRUCK: &str = "[struck out]";

/// Names of members, parameters and headers that hold credentials, without case, hyphens and underscores.
const NAMES: [&str; 24] = [
    "accesskey",
    "accesstoken",
    "apikey",
    "apikeyvalue",
    "assertion",
    "authorization",
    "authorizationtoken",
    "clientassertion",
    "clientsecret",
    "codeverifier",
    "cookie",
    "credential",
    "idtoken",
    "password",
    "privatekey",
    "proxyauthorization",
    "refreshtoken",
    "secret",
    "secretaccesskey",
    "sessiontoken",
    "setcookie",
    "token",
    "xamzsecuritytoken",
    "xapikey",
];

/// Whether what stands under this name is a credential.
pub(super) fn is_name_of_credential(name: &str) -> bool {
    NAMES.contains(&plain(name).as_str())
}

/// Whether it is that of a header with cookies.
pub(super) fn is_name_of_cookies(name: &str) -> bool {
    matches!(plain(name).as_str(), "cookie" | "setcookie")
}

fn plain(name: &str) -> String {
    let letters = name.chars().filter(|letter| !matches!(letter, '-' | '_'));
    letters.flat_map(char::to_lowercase).collect()
}
