//! Departments that take an application and answer later.

use std::sync::Arc;

use serde_json::Value;
use tokio::time::{Instant, sleep_until};

use super::Fetch;
use super::call::{Call, Said, Step};
use crate::departments::{Failure, Question};
use crate::domain::Cause;
use crate::durable::{Application, NotSaved};

/// Feedback that is not there is asked for less and less often, down to so much slower than at first.
const SLOWEST: u32 = 100;

impl Call<'_> {
    /// Applies, unless an equal question has applied already, and asks for the feedback until it is there.
    ///
    /// What a crash leaves behind: before `applying`, which comes when nothing is waited for any more but the department
    /// itself, nothing; from then until `applied` an application of which nobody knows
    /// whether the department has it, which is never sent again by whoever takes it up; then the application itself, which is
    /// fetched on. One that is answered, cannot be fetched or is in doubt stays until whoever asked has its outcome on the
    /// disk: forgotten earlier, it would be sent again by whoever takes the question up.
    pub(super) async fn apply_and_fetch(&self, fetch: &Fetch) -> Result<Option<Value>, Failure> {
        let application = self.application();
        match self.apply(fetch, &application).await? {
            Said::Taken(captured) => self.fetch(fetch, captured).await,
            Said::Fact(record) => Ok(record),
            Said::Pending => Err(Cause::InvalidSourceResponse.into()),
        }
    }

    /// Applies, unless the department has the application. Equal questions do so one after the other.
    async fn apply(&self, fetch: &Fetch, application: &Question) -> Result<Said, Failure> {
        let parameters = self.operation.promise.parameters.iter();
        let parameters = parameters.map(|name| application.parameters.get(name).map(Value::to_string)).collect();
        let _turn = self.circuit.turn((application.about.clone(), parameters)).await;
        let said = match self.durable.application(application).await.map_err(not_kept)? {
            Some(Application::Unknown) => return Err(Cause::Interrupted.into()),
            Some(Application::Made(captured)) => return Ok(Said::Taken(captured)),
            None => self.exchange(&Step::Apply(fetch), self.source.limits.deadline).await,
        };
        match &said {
            Ok(Said::Taken(captured)) => self.durable.applied(application, captured).await.map_err(not_kept)?,
            Ok(Said::Fact(_) | Said::Pending) | Err(_) => self.end(application).await?,
        }
        said
    }

    /// It is answered or has failed in a way that we know of: an equal question may apply anew.
    async fn end(&self, application: &Question) -> Result<(), Failure> {
        self.durable.application_ended(application).await.map_err(not_kept)
    }

    /// The question with nothing but what the department's answer depends on: equal ones share an application.
    pub(super) fn application(&self) -> Question {
        let promise = &self.operation.promise;
        let mut question = self.question.clone();
        question.about.name = question.about.name.filter(|_| promise.uses_name);
        let mut parameters = (*question.parameters).clone();
        parameters.retain(|name, _| promise.parameters.iter().any(|used| used.as_str() == name));
        question.parameters = Arc::new(parameters);
        question
    }

    async fn fetch(&self, fetch: &Fetch, captured: Vec<(String, String)>) -> Result<Option<Value>, Failure> {
        let end = Instant::now() + self.question.within.min(fetch.within);
        let step = Step::Fetch(fetch, captured);
        let mut pause = fetch.every;
        loop {
            match self.exchange(&step, self.source.limits.deadline).await {
                Ok(Said::Fact(record)) => return Ok(record),
                Ok(Said::Pending | Said::Taken(_)) => {}
                // The application stands, whatever this exchange came to.
                Err(failure) if failure.cause.is_passing() => {}
                Err(failure) => return Err(failure),
            }
            let next = Instant::now() + pause;
            if next >= end {
                sleep_until(end).await;
                return Err(Cause::Timeout.into());
            }
            sleep_until(next).await;
            pause = (pause * 3 / 2).min(fetch.every * SLOWEST);
        }
    }
}

fn not_kept(NotSaved: NotSaved) -> Failure {
    Cause::NotKept.into()
}
