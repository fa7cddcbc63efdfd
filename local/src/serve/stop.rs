//! When the gateway is to stop.

use tokio::io::AsyncReadExt as _;
use tokio::sync::watch;

/// Turns true once, when the gateway is to stop.
pub(super) fn stop_signal(until_stdin_closes: bool) -> watch::Receiver<bool> {
    let (sender, receiver) = watch::channel(false);
    tokio::spawn(async move {
        tokio::select! {
            () = interrupted() => {}
            () = stdin_closed(), if until_stdin_closes => {}
        }
        sender.send_replace(true);
        // A second Ctrl-C does not wait for the requests in flight.
        interrupted().await;
        std::process::exit(130);
    });
    receiver
}

/// Waits for the stop signal.
pub(super) async fn stopped(mut signal: watch::Receiver<bool>) {
    // A lost sender is a lost signal handler: stop as well.
    let _ = signal.wait_for(|stop| *stop).await;
}

async fn interrupted() {
    use tokio::signal::unix::{SignalKind, signal};

    // A terminal that is closed hangs up, and reaches none of the groups that functions and builds are.
    let signals = [SignalKind::terminate(), SignalKind::hangup()].map(signal);
    let [Ok(mut terminate), Ok(mut hangup)] = signals else {
        return;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
        _ = hangup.recv() => {}
    }
}

async fn stdin_closed() {
    let mut stdin = tokio::io::stdin();
    let mut buffer = [0; 64];
    while matches!(stdin.read(&mut buffer).await, Ok(1..)) {}
}
