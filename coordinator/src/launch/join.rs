//! Agents that dial in: on EC2, in Kubernetes, on any host.
//!
//! A desk listens. Who dials it enrols with a token, or joins with the certificate that it got for one; then it is free until
//! an assignment for its region needs somebody ([`roster`]). From there on the assignment has a seat ([`seat`]), which
//! outlives the stream: the agent may come back within its lease, and nothing that was said or told is lost or doubled.

mod crowd;
mod gate;
mod roster;
mod seat;
mod server;
mod service;

#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use doorbuster_model::plan::fleet::LaunchBy;
use doorbuster_model::{Assignment, Plan};
use doorbuster_wire::ToAgent;
use tokio::sync::mpsc;

use self::roster::Roster;
use self::server::Server;
use super::{Agent, Events, Handed};
use crate::Error;
use crate::fleet::pki::Pki;

/// Where agents join.
#[derive(Debug)]
pub(crate) struct Desk {
    roster: Arc<Roster>,
    server: Server,
}

impl Desk {
    /// Listens for the agents of a plan's regions; `folder` is the plan's, which its `pki` is relative to.
    ///
    /// # Errors
    /// Keys that cannot be read, an address that cannot be listened on.
    pub(crate) async fn open(plan: &Plan, folder: &Path) -> Result<Self, Error> {
        let pki = Pki::read(&folder.join(&plan.fleet.pki))?;
        let named = |is_meant: fn(LaunchBy) -> bool| -> Vec<String> {
            let regions = plan.regions.iter().filter(|region| is_meant(region.launch));
            regions.map(|region| region.name.clone()).collect()
        };
        let roster = Roster::new(named(LaunchBy::joins)).with_ec2(named(|by| by == LaunchBy::Ec2));
        Self::listen(plan.fleet.listen, roster, pki).await
    }

    /// Listens for the agents of a roster's regions.
    ///
    /// # Errors
    /// An address that cannot be listened on.
    async fn listen(address: SocketAddr, roster: Roster, pki: Pki) -> Result<Self, Error> {
        let roster = Arc::new(roster);
        let server = Server::start(address, pki, Arc::clone(&roster)).await?;
        Ok(Self { roster, server })
    }

    /// Gives an assignment to the next agent of its region that is free, and waits for one to join where there is none. Its
    /// events come tagged with `number`.
    pub(crate) fn launch(&self, number: usize, assignment: Assignment, events: Events) -> Agent {
        let (to, orders) = mpsc::unbounded_channel::<ToAgent>();
        let roster = Arc::clone(&self.roster);
        let handed = Handed::default();
        tokio::spawn(seat::attend(roster, number, assignment, orders, events, handed.clone()));
        Agent { to, handed }
    }

    /// Lets everybody go, and stops to listen. Agents then wait for the next coordinator.
    pub(crate) async fn close(self) {
        self.roster.close();
        self.server.stop().await;
    }
}
