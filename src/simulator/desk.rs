//! A department at work: it counts a call, lets what is to go wrong go wrong, and answers.

use std::sync::{Arc, PoisonError, RwLock};

use hyper::{Method, Response};
use serde_json::json;

use super::calls::Calls;
use super::department::Department;
use super::faults::{Fault, Faults, HEALTH, Plan};
use super::notices::Notices;
use super::wire::{Answering, Body, Reply, Request};
use super::world::World;

/// What all departments and the control endpoint share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) world: RwLock<World>,
    pub(super) calls: Calls,
    pub(super) faults: Faults,
    pub(super) notices: Notices,
}

/// A department with what happens around it.
#[derive(Debug)]
pub(super) struct Desk<D> {
    pub(super) department: D,
    pub(super) shared: Arc<Shared>,
}

impl<D: Department> Answering for Desk<D> {
    fn refuses_connections(&self) -> bool {
        self.shared.faults.refuses_connections(self.department.id())
    }

    async fn answer(&self, request: Request) -> Option<Response<Body>> {
        if request.method == Method::GET && request.path == "/health" {
            return self.health().await;
        }
        let (operation, call) = self.department.receive(&request);
        let plan = match operation {
            Some(operation) => {
                self.shared.calls.count(self.department.id(), operation);
                self.shared.faults.plan(self.department.id(), operation)
            }
            None => Plan::default(),
        };
        if !plan.delay.is_zero() {
            tokio::time::sleep(plan.delay).await;
        }
        match plan.fault {
            Some(Fault::Hang) => std::future::pending().await,
            // What is never sent needs no looking up.
            Some(Fault::Refuse) => return None,
            _ => {}
        }
        let reply = {
            let world = self.shared.world.read().unwrap_or_else(PoisonError::into_inner);
            self.department.answer(call, &world, plan.fault.and_then(Fault::twist))
        };
        plan.send(reply)
    }
}

impl<D: Department> Desk<D> {
    /// Whether the machine is up. Nobody is asked about, so it counts as no call; what goes wrong with the content of
    /// replies does not happen here.
    async fn health(&self) -> Option<Response<Body>> {
        let plan = self.shared.faults.plan(self.department.id(), HEALTH);
        if plan.fault == Some(Fault::Hang) {
            std::future::pending::<()>().await;
        }
        plan.send(Reply::json(&json!({ "status": "UP" })))
    }
}
