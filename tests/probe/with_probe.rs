//! Prints a template with the suites' own routes in it: `with-probe < template.yaml`.

use std::io::{self, Read as _, Write as _};

fn main() -> io::Result<()> {
    let mut template = String::new();
    io::stdin().read_to_string(&mut template)?;
    let with_probe = keygate_tests::probe::added_to(&template);
    io::stdout().write_all(with_probe.as_bytes())
}
