use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Installation;
use super::route::TellRoute;
use super::standing::{Doors, Standing};
use super::tls::Entrance;
use crate::access::{Access, Holder, Keyring, Keyrings};
use crate::api::{Allowances, Api, Bounds, Documents, Replies, Shared, TurnedAway};
use crate::cache::{Facts, Lifetimes};
use crate::callbacks::Recipients;
use crate::clock::Clock;
use crate::config::{MetricsTo, PlainHttp, Records, Settings, Telling};
use crate::departments::Departments;
use crate::durable::{Durable, LedgerMark, NotSaved, Waiting};
use crate::gateway::{Gateway, Verifications};
use crate::keys::{Keys, KeysError};
use crate::ledger::{Checkpoint, Ledger as _};
use crate::ledger_store::LedgerStore;
use crate::matters::Catalog;
use crate::receipt::{Checker, Issuer};
use crate::sources::{Description, Sources, States};
use crate::telemetry::{Exports, Memory, Telemetry};
use crate::watch::{Measure, Watch};
use crate::web::{self, Docs, Front, Levers, Outside, SingleSignOn, Web};
use crate::words::Languages;

/// What outlives a change of configuration.
pub(super) struct House {
    pub(super) clock: Arc<dyn Clock>,
    pub(super) durable: Arc<dyn Durable>,
    pub(super) ledger: Arc<LedgerStore>,
    pub(super) stop: CancellationToken,
    /// Where clients come in by TLS.
    pub(super) entrance: Option<Arc<Entrance>>,
    pub(super) telemetry: Arc<Telemetry>,
    pub(super) doors: Arc<Doors>,
    /// How much waited when it was looked last.
    pub(super) waiting: Arc<Mutex<Waiting>>,
    keyrings: Keyrings,
    pub(super) states: Arc<States>,
    pub(super) verifications: Verifications,
    pub(super) replies: Arc<Replies>,
    pub(super) bounds: Arc<Bounds>,
    pub(super) allowances: Arc<Allowances>,
    pub(super) watch: Arc<Watch>,
    pub(super) grace: Duration,
    pub(super) request_timeout: Duration,
    /// The most connections of a thread, and the most requests that it works on at once.
    pub(super) connections: usize,
    pub(super) at_once: usize,
    fact_bytes: u64,
    /// Who has signed in, and what the pages keep.
    pub(super) front: Arc<Front>,
    /// What an operator can do to the process.
    pub(super) levers: Arc<Levers>,
}

/// Where things are kept for good.
pub(super) struct Kept {
    pub(super) durable: Arc<dyn Durable>,
    pub(super) ledger: Arc<LedgerStore>,
    pub(super) front: Arc<Front>,
}

impl House {
    pub(super) fn new(
        settings: &Settings,
        clock: Arc<dyn Clock>,
        kept: Kept,
        exports: &Exports,
        stop: CancellationToken,
        workers: usize,
        entrance: Option<Arc<Entrance>>,
    ) -> Self {
        let Kept { durable, ledger, front } = kept;
        let Telling { trace_bytes: bytes, slow, .. } = settings.telemetry;
        // What is in memory alone is remembered there once, and within bounds.
        let kept = settings.data_dir.is_some().then(|| Arc::clone(&durable));
        let listener = entrance.clone();
        let expiries = move || listener.iter().flat_map(|entrance| entrance.expiries()).collect();
        let doors = Arc::<Doors>::default();
        let counted = Arc::clone(&doors);
        let levers = Levers::new(clock.now(), Box::new(expiries), Box::new(move || counted.running()));
        Self {
            replies: Arc::new(Replies::new(settings.idempotent_replies, kept)),
            telemetry: Telemetry::new(Arc::clone(&clock), Memory { bytes, slow }, exports),
            doors,
            waiting: Arc::default(),
            clock,
            durable,
            ledger,
            stop,
            entrance,
            keyrings: Keyrings::default(),
            states: Arc::default(),
            verifications: Verifications::new(settings.verifications, settings.verifications_for),
            bounds: Arc::default(),
            allowances: Arc::default(),
            watch: Arc::default(),
            grace: settings.shutdown_grace,
            request_timeout: settings.request_timeout,
            connections: settings.connections.div_ceil(workers.max(1)),
            at_once: settings.at_once.div_ceil(workers.max(1)),
            fact_bytes: settings.fact_bytes,
            front,
            levers: Arc::new(levers),
        }
    }

    /// Lets the store know how far the ledger has come, so that it is noticed if it is not there any more.
    pub(super) async fn mark_ledger(&self) -> Result<LedgerMark, NotSaved> {
        let Checkpoint { size: entries, root, .. } = self.ledger.checkpoint().checkpoint;
        let mark = LedgerMark { entries, root };
        self.durable.mark_ledger(mark).await.map(|()| mark)
    }
}

/// What one thread shows of a generation.
#[derive(Clone)]
pub(super) struct Faces {
    pub(super) router: Router,
    /// What whoever is not served is told.
    pub(super) outside: Outside,
}

/// What a configuration makes: it takes over as a whole.
pub(super) struct Generation {
    pub(super) catalog: Arc<Catalog>,
    pub(super) recipients: Recipients,
    descriptions: Arc<[Description]>,
    /// Says whether facts of another generation are facts of this one.
    sources: [u8; 32],
    facts: Facts,
    open_for: Duration,
    again_after: Duration,
    keys: Arc<Keys>,
    shared: Arc<Shared>,
    languages: Arc<Languages>,
    sign_on: Option<Arc<SingleSignOn>>,
    docs: Arc<Docs>,
    pub(super) records: Records,
}

impl Generation {
    /// What an installation makes, with its keys: those that it has opened, those of the one before, or new ones.
    pub(super) fn new(house: &House, installation: Installation, before: Option<&Self>) -> Result<Self, KeysError> {
        let Installation {
            settings,
            catalog,
            descriptions,
            triage,
            languages,
            sign_on,
            summaries,
            recipients,
            keys,
            tls: _,
            exports: _,
            sources,
        } = installation;
        let keys = match keys.or_else(|| before.map(|before| Arc::clone(&before.keys))) {
            Some(keys) => keys,
            None => Arc::new(Keys::ephemeral(settings.receipts.algorithm, house.clock.now())?),
        };
        let facts = match before.filter(|before| before.sources == sources) {
            Some(before) => before.facts.clone(),
            None => {
                let operations = descriptions.iter().flat_map(Description::operations);
                let operations = operations.map(|(promise, lifetimes)| {
                    let crate::sources::Lifetimes { found, no_record, stale } = lifetimes;
                    (promise.clone(), Lifetimes { found, no_record, stale })
                });
                Facts::new(house.fact_bytes, operations, Arc::clone(&house.clock))
            }
        };
        let documents = Documents::new(&catalog, &settings.purposes, keys.receipt_checks());
        let (name, valid_for) = (&settings.receipts.issuer, settings.receipts.valid_for);
        let issuer = Issuer::new(Arc::clone(keys.receipt()), Arc::clone(keys.subject()), name, valid_for);
        let event_tokens = descriptions.iter().filter_map(|source| Some((source.id().clone(), source.event_token()?)));
        let metrics_are_open = are_metrics_open(&settings);
        let shared = Arc::new(Shared {
            access: access(&settings, &house.keyrings),
            limits: settings.agencies.iter().map(|member| (member.agency.id.clone(), member.limits)).collect(),
            bounds: Arc::clone(&house.bounds),
            turned_away: TurnedAway::default(),
            allowances: Arc::clone(&house.allowances),
            watch: settings.watch,
            purpose_ids: settings.purposes.keys().cloned().collect(),
            purposes: settings.purposes,
            sources: summaries,
            descriptions: Arc::clone(&descriptions),
            states: Arc::clone(&house.states),
            event_tokens: event_tokens.collect(),
            facts: facts.clone(),
            triage,
            replies: Arc::clone(&house.replies),
            request_timeout: settings.request_timeout,
            answer_within: settings.answer_within,
            checker: Checker::new(keys.receipt_checks()),
            issuer: Arc::new(issuer),
            keys: Arc::clone(&keys),
            telemetry: Arc::clone(&house.telemetry),
            metrics_are_open,
            metrics_tokens: settings.telemetry.metrics_tokens,
            draining: house.levers.draining(),
            documents,
        });
        let (open_for, again_after, records) = (settings.open_for, settings.again_after, settings.records);
        Ok(Self {
            catalog,
            recipients,
            descriptions,
            sources,
            facts,
            open_for,
            again_after,
            keys,
            shared,
            languages,
            sign_on,
            docs: Arc::default(),
            records,
        })
    }

    /// How things stand in it.
    pub(super) fn standing(&self, house: &House) -> Arc<Standing> {
        let operations = self.descriptions.iter().flat_map(Description::operations);
        let operations = operations.map(|(promise, _)| (&promise.operation.source, &promise.operation.operation));
        house.telemetry.metrics().expect(operations, Measure::ALL.map(Measure::as_str));
        Arc::new(Standing {
            clock: Arc::clone(&house.clock),
            descriptions: Arc::clone(&self.descriptions),
            states: Arc::clone(&house.states),
            facts: self.facts.clone(),
            ledger: Arc::clone(&house.ledger),
            entrance: house.entrance.clone(),
            doors: Arc::clone(&house.doors),
            waiting: Arc::clone(&house.waiting),
        })
    }

    /// The keys of issuers that have to be kept fresh.
    pub(super) fn keyrings(&self) -> Vec<Arc<Keyring>> {
        self.shared.access.keyrings().cloned().collect()
    }

    /// Clients towards the departments, for one thread.
    pub(super) fn departments(&self, house: &House) -> io::Result<Arc<dyn Departments>> {
        let (clock, durable) = (Arc::clone(&house.clock), Arc::clone(&house.durable));
        let sources = Sources::new(Arc::clone(&self.descriptions), &house.states, clock, durable);
        Ok(Arc::new(self.facts.before(Arc::new(sources.map_err(io::Error::other)?))))
    }

    /// What one thread shows: the endpoints and the pages over its gateway, and what stands before them.
    pub(super) fn faces(&self, house: &House, api: Api) -> Faces {
        let (languages, front) = (Arc::clone(&self.languages), Arc::clone(&house.front));
        let (records, levers) = (self.records, Arc::clone(&house.levers));
        let sign_on = self.sign_on.clone();
        let docs = Arc::clone(&self.docs);
        let web = Web { api, languages, sign_on, front, docs, records, levers };
        Faces { outside: Outside::new(&web), router: web::router(web).layer(TellRoute) }
    }

    /// The gateway and its endpoints, for one thread.
    pub(super) fn api(&self, house: &House, tasks: TaskTracker) -> io::Result<Api> {
        let gateway = Gateway {
            catalog: Arc::clone(&self.catalog),
            departments: self.departments(house)?,
            clock: Arc::clone(&house.clock),
            durable: Arc::clone(&house.durable),
            ledger: house.ledger.clone(),
            issuer: Arc::clone(&self.shared.issuer),
            subject_key: Arc::clone(self.keys.subject()),
            verifications: house.verifications.clone(),
            watch: Arc::clone(&house.watch),
            situation: Arc::clone(house.states.situation()),
            telemetry: Arc::clone(&house.telemetry),
            open_for: self.open_for,
            again_after: self.again_after,
            tasks,
            stop: house.stop.clone(),
        };
        Ok(Api { gateway: Arc::new(gateway), shared: Arc::clone(&self.shared) })
    }
}

/// Whether whoever can reach the metrics may read them: everybody, or none but this machine.
fn are_metrics_open(settings: &Settings) -> bool {
    let is_apart = settings.listen.ip().to_canonical().is_loopback() && settings.plain_http == PlainHttp::ThisMachine;
    is_apart || settings.telemetry.metrics == MetricsTo::Anybody
}

fn access(settings: &Settings, keyrings: &Keyrings) -> Access {
    let holders = settings.agencies.iter().map(|member| Holder {
        agency: member.agency.clone(),
        tokens: member.tokens.clone(),
        certificates: member.certificates.clone(),
    });
    let issuers = settings.issuers.iter().map(|issuer| (issuer.value.clone(), keyrings.of(&issuer.value.keys)));
    Access::new(holders, issuers.collect())
}
