//! More connections than there are requests.

use std::io::Write as _;
use std::net::TcpStream;
use std::path::Path;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tempfile::NamedTempFile;

use keygate_tests::build::Build;
use keygate_tests::project::Project;
use keygate_tests::raw;
use keygate_tests::target::Target;

use crate::foreign_apis::shop;

keygate_tests::tests! { for Target:
    ten_thousand_connections_starve_nobody needs "python", "own-gateway";
    more_connections_than_files_end_the_oldest needs "python", "own-gateway";
}

const CONNECTIONS: usize = 10_000;
/// What this program needs files for besides.
const OTHER_FILES: usize = 300;

/// How many connections this program may have open, once it has asked for all.
fn may_have_open() -> usize {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        ..limit
    };
    setrlimit(Resource::Nofile, raised).unwrap();
    let files = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    usize::try_from(files).map_or(CONNECTIONS, |files| CONNECTIONS.min(files - OTHER_FILES))
}

/// Connections that ask for nothing, and every third for the beginning of something.
fn connections(url: &str, count: usize) -> Vec<TcpStream> {
    let open = |number: usize| {
        let mut connection = raw::connect(url);
        if number.is_multiple_of(3) {
            connection.write_all(b"GET /prod/bo").unwrap();
        }
        connection
    };
    (0..count).map(open).collect()
}

fn ten_thousand_connections_starve_nobody(target: &Target) {
    let project = shop("", "");
    // With the limit that most systems give a program at first.
    let first = "ulimit -S -n 1024";
    let (_wrapper, build) = limited(target, first);
    let gateway = build.start(&["--template", &project.template()]);
    let own = target.reaching(&gateway);
    let open = connections(&gateway.ready.url, may_have_open());
    for _ in 0..20 {
        own.get("/books").send().expect(200);
    }
    let memory = gateway.most_memory() / 1024;
    assert!(
        memory < 1024,
        "{memory} MiB with {} connections",
        open.len()
    );
    // With them open.
    assert!(gateway.stop().success());
}

/// Executables whose keygate runs under a limit of the shell's.
fn limited(target: &Target, limit: &str) -> (Project, Build) {
    let keygate = target.build().directory.join("keygate");
    let script = format!(
        "#!/bin/sh\n{limit} && exec '{}' \"$@\"\n",
        keygate.display()
    );
    let wrapper = Project::new("").with_executable("keygate", &script);
    let build = Build {
        directory: Path::to_owned(wrapper.folder()),
        template: NamedTempFile::new().unwrap().into_temp_path(),
    };
    (wrapper, build)
}

fn more_connections_than_files_end_the_oldest(target: &Target) {
    let project = shop("", "");
    let (_wrapper, build) = limited(target, "ulimit -n 600");
    let gateway = build.start(&["--template", &project.template()]);
    let own = target.reaching(&gateway);
    may_have_open();
    let open = connections(&gateway.ready.url, 900);
    for _ in 0..20 {
        own.get("/books").send().expect(200);
    }
    let ended = raw::answers(open.into_iter().next().unwrap());
    assert!(ended.is_empty(), "{ended:#?}");
    let log = gateway.stderr();
    assert!(!log.contains("cannot be accepted"), "{log}");
}
