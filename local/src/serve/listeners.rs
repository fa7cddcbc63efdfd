//! The ports, bound before anything else is done.

use std::net::Ipv4Addr;

use tokio::net::TcpListener;

use super::error::ServeError;
use super::holder;
use super::place::Place;
use crate::aws::{self, Services};
use crate::cli::Serve;
use crate::ports;

/// A listener for each.
pub(super) struct Listeners {
    pub(super) gateway: TcpListener,
    pub(super) issuer: TcpListener,
    pub(super) dynamodb: TcpListener,
    pub(super) api_gateway: TcpListener,
    pub(super) lambda: TcpListener,
    /// `None` where there is to be no page.
    pub(super) page: Option<TcpListener>,
}

impl Listeners {
    /// Those that the command line asks for.
    pub(super) async fn bind(options: &Serve) -> Result<Self, ServeError> {
        Ok(Self {
            gateway: listen(options.port, "--port").await?,
            issuer: listen(options.issuer_port, "--issuer-port").await?,
            dynamodb: listen(options.dynamodb_port, "--dynamodb-port").await?,
            api_gateway: listen(options.api_gateway_port, "--api-gateway-port").await?,
            lambda: listen_near(options.lambda_port, ports::LAMBDA, "--lambda-port").await?,
            page: listen_for_page(options).await?,
        })
    }

    /// Where everything is then.
    pub(super) fn place(&self) -> Place {
        let gateway_port = port(&self.gateway);
        Place {
            gateway_port,
            gateway: aws::address(gateway_port),
            issuer: aws::address(port(&self.issuer)),
            services: Services::on_ports(
                port(&self.dynamodb),
                port(&self.api_gateway),
                port(&self.lambda),
            ),
        }
    }
}

/// Binds a port of loopback.
pub(super) async fn listen(port: u16, flag: &'static str) -> Result<TcpListener, ServeError> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .await
        .map_err(|error| match error.kind() {
            std::io::ErrorKind::AddrInUse => {
                let holder = holder::of_port(port);
                ServeError::PortInUse { port, flag, holder }
            }
            _ => ServeError::Port { port, flag, error },
        })
}

/// Binds the port that is asked for, or the usual one. Nothing stands on that, as the address is printed:
/// where it is taken, as by a second gateway, another serves as well.
async fn listen_near(
    port: Option<u16>,
    usual: u16,
    flag: &'static str,
) -> Result<TcpListener, ServeError> {
    match port {
        Some(port) => listen(port, flag).await,
        None => match listen(usual, flag).await {
            Err(ServeError::PortInUse { .. }) => listen(0, flag).await,
            listener => listener,
        },
    }
}

async fn listen_for_page(options: &Serve) -> Result<Option<TcpListener>, ServeError> {
    if options.no_page {
        return Ok(None);
    }
    let listener = listen_near(options.page_port, ports::PAGE, "--page-port").await?;
    Ok(Some(listener))
}

/// The port that was bound.
pub(super) fn port(listener: &TcpListener) -> u16 {
    listener.local_addr().map_or(0, |address| address.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_second_gateway_has_another_port_for_lambda_and_the_page_unless_one_was_asked_for() {
        for (usual, flag) in [
            (ports::LAMBDA, "--lambda-port"),
            (ports::PAGE, "--page-port"),
        ] {
            // Whoever has it, it is taken.
            let _usual = listen(usual, flag).await;
            let other = listen_near(None, usual, flag).await.unwrap();
            assert_ne!(port(&other), usual);
            let asked = listen_near(Some(usual), usual, flag).await;
            assert!(matches!(asked, Err(ServeError::PortInUse { .. })));
        }
    }
}
