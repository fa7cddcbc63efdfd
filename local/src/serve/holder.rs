//! Which program listens on a port, as far as the system tells.

/// The program that listens on a port of this machine, and its process.
#[cfg(target_os = "linux")]
pub(super) fn of_port(port: u16) -> Option<String> {
    let links = listening(port);
    let processes = std::fs::read_dir("/proc").ok()?.flatten();
    let mut holders = processes.filter_map(|process| {
        let id: u32 = process.file_name().to_str()?.parse().ok()?;
        // Those of other users tell nobody else.
        let mut files = std::fs::read_dir(process.path().join("fd")).ok()?.flatten();
        let mut read = || files.next().map(|file| std::fs::read_link(file.path()));
        let is_holder = std::iter::from_fn(&mut read).flatten().any(|link| {
            link.to_str()
                .is_some_and(|link| links.iter().any(|socket| socket == link))
        });
        let name = is_holder.then(|| std::fs::read_to_string(process.path().join("comm")))?;
        let name = name.unwrap_or_default();
        Some(format!(
            "{} (process {id})",
            keygate_visible::line(name.trim_end())
        ))
    });
    holders.next()
}

/// The sockets that listen on a port, as a process's open files show them: `man 5 proc`, /proc/net/tcp.
#[cfg(target_os = "linux")]
fn listening(port: u16) -> Vec<String> {
    const LISTEN: &str = "0A";
    let port = format!(":{port:04X}");
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"];
    let texts = tables.map(|table| std::fs::read_to_string(table).unwrap_or_default());
    let rows = texts.iter().flat_map(|text| text.lines());
    let sockets = rows.filter_map(|row| {
        let columns: Vec<&str> = row.split_whitespace().collect();
        let (local, state, socket) = (columns.get(1)?, columns.get(3)?, columns.get(9)?);
        let listens = local.ends_with(&port) && *state == LISTEN;
        listens.then(|| format!("socket:[{socket}]"))
    });
    sockets.collect()
}

/// Other systems do not tell by files.
#[cfg(not(target_os = "linux"))]
pub(super) fn of_port(_port: u16) -> Option<String> {
    None
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_held_by_who_listens_on_it() {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let holder = of_port(port).unwrap();
        let process = format!("(process {})", std::process::id());
        assert!(holder.ends_with(&process), "{holder}");
        drop(listener);
        assert_eq!(of_port(port), None);
    }
}
