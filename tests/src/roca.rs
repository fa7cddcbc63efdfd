//! An RSA key of the family of CVE-2017-15361 ("ROCA"), private half included: whoever has the public
//! half can compute the rest.
//!
//! Its primes were made as the flawed library makes them: k·M + (65537^a mod M) with M the product of
//! the first 126 primes, which is the library's M for keys of 2,048 bits.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::signer::Signer;

/// The key in PKCS #8.
const PKCS8: &str = "\
    MIIEvgIBADANBgkqhkiG9w0BAQEFAASCBKgwggSkAgEAAoIBAQCcGhnaczW33X24/zvN8/g+QtRgkfC5jBM5tjxvuUeR\
    fcRYb4LldW5MMwYMKRVXLY4E4dBMg5V1Zgbkn5HPLs6mW6pLkIzWfLC2v71DCcn0ac569zr9ES0DmtlNk5eVkJxWddpQ\
    PM0dzP9bdYPchBo6WZ09DtMpWwApxX57Qx0X5XD+Q4oRCjMcHKinQG1JOKdNwJNs61WiI5A/mPyVnX6zCmucyH73c77/\
    yvVaww51OiKrQLKHB0VfBIIkcu7FsWwJtGLRo7oTeIYdn5XYqDEa4+x/l+W6YbwWruog4K55V2bN8iIpGB1zx0Eo/tGF\
    g0CLkvCZGbbXhZkNrjgQokpBAgMBAAECggEAEzqf3qn8fwa4uvYt3sPj23+N+8tedOzNXXmWXkjbiQ+OBTrPTAa4LIjI\
    gOz6pP+GlBFhAFvhKFIGHVmOs4/XguSdyKsovi8j8Y8S+FQXXZU/CySzToM0IVKM3CKHNLRYncnst5+VwMsE1bZXJO3c\
    8T0iwme2GU0NaxfZ6cMtrUiz7HIDVWFbx7qmPXNaXdMG5SHdnakW4dQsG/ODWFxSpFOJ8gi3dBvGMaZqoAmh42ReCAmD\
    zos/F+YjzSiAYC4133TLYq6wEfMkSkJ5SCdgBOo1Cip8B+R0K55HgRhlEgJ/4sVOjcEin7WwS56M/aJSoJT17W96scZz\
    j6f8EcBNMQKBgQDMVSpc5ZeTLHAI3avqkAnunhgcyEP8AJZ2+VT4BrU28Q6nnDxIsmRrp3ZmjTh48CAdmVt89dgzwqse\
    X8MLqob42SkoEUETw2vBbUNPkn5AoKkMMRu+H9SiWmtlBY4O4RAEkYOuq37GzyCmMNoXhziDGKvD7mWzVDVUM7cAKRqW\
    vQKBgQDDkt8GsTaHKt1NDRrf2hXuv20DlI3Waj7/VM0X7/vw2Zom03dEe08+n+HBrx9nienen7AhbdMmsZaBcKTuFoyX\
    uxkjvwT7+YE74GC6gWDjb2jTjAzoVDu6ogZYovPNqFaLc4nWvjQTCn7XDRvsYCw54mkj5vDEZpQ+8yiJgRfL1QKBgQCU\
    R82JQpe/lsTquirS+poqjpHC+VXUn3yRdBjEMOH6r+5JlehtfP/A2/LhMuRjZyZ3NF4fDa1Kyp8xWJ8LbUGrfrQOPo8y\
    T2N4J9lr+kwijDSBA3Y1f5XoB6Pd2K0hgRQFrK+Z5xwGHDN+Rv9NibRp9lJXyj4FaDuXEjxgInQIJQKBgQCKV9+J5VuU\
    G981fPqwtJ1lKGYd7Ty0Gq37geoeb7VBNzxTEK1CdROmUgSpNI67eBRGVaGK1BxUN7UmVR9mB+9l+YScA6ir8V/Ykiz6\
    YUC/QXTeiCgtRECIEcr5cjOSG+00cgNkM2G0wmzdBLnm6FUAkUccjWVtGL7vFKRtODM0DQKBgBgVznF+WcJuDMNHoi0P\
    qOoQ7vijWTNHd85Nxiz6s21LvWbfS/y6sB0Zy6tWmmEtIYpAXmtGOGNSF00ZrOJOkMDHeOpjb22OkAV7HCnzWcEkMtHr\
    hC0hg56qL4Ip1Isa1Y0e/PFraAzoVhRXiwzn+rPJ1rK4o41MOzxEKEm2BTey";

/// The key under a `kid`.
pub fn signer(kid: &str) -> Signer {
    Signer::rsa_of_pkcs8(kid, &STANDARD.decode(PKCS8).unwrap())
}
