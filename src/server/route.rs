//! Tells telemetry which route a request takes: only the router knows, and it is the only part of a request's address that may
//! be written down.

use std::task::{Context, Poll};

use axum::body::Body;
use axum::extract::MatchedPath;
use axum::http::Request;
use tower::{Layer, Service};

use crate::telemetry;

/// Wraps every route.
#[derive(Clone, Copy)]
pub(super) struct TellRoute;

/// A route that is wrapped.
#[derive(Clone)]
pub(super) struct Told<S>(S);

impl<S> Layer<S> for TellRoute {
    type Service = Told<S>;

    fn layer(&self, inner: S) -> Told<S> {
        Told(inner)
    }
}

impl<S: Service<Request<Body>>> Service<Request<Body>> for Told<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> S::Future {
        if let Some(route) = request.extensions().get::<MatchedPath>() {
            telemetry::request(|told| told.route = Some(route.as_str().into()));
        }
        self.0.call(request)
    }
}
