//! Fetching the assets of a request, before anything is sent that costs money.

use std::time::Duration;

use emp_core::error::Billed;
use emp_core::spec::RequestSpec;
use emp_core::{ErrorCode, JobError};

use crate::asset::{self, Assets, Fetched, Wanted};
use crate::context::Item;
use crate::engine::Engine;
use crate::gateway::{Answer, GatewayError, When};
use crate::port::Stop;
use crate::request::MAX_BODY;
use crate::run::Run;

/// Why a request cannot be made now.
#[derive(Debug)]
pub(super) enum Blocked {
    /// The port said stop.
    Stop(Stop),
    /// Something that passes.
    Later {
        error: JobError,
        /// For how long the other side wants to be left alone.
        wait: Option<Duration>,
    },
    /// It will never be possible.
    Never(JobError),
}

impl Engine {
    /// Fetches what the URLs of a request's assets give.
    pub(super) async fn assets(
        &self,
        run: &Run,
        request: &RequestSpec,
        item: Option<&Item>,
    ) -> Result<Assets, Blocked> {
        let wanted = run
            .with_parts(Assets::NONE, item, |context| asset::wanted(&request.body, context))
            .map_err(Blocked::Never)?;
        // No part of a body is larger than the body may be.
        let limit = request.max_body.or(run.connector.spec.limits.max_body).unwrap_or(MAX_BODY);
        let mut assets = Assets::default();
        for wanted in wanted {
            let fetched = tokio::select! {
                answer = self.gateway.fetch_asset(&wanted.url, wanted.max.min(limit)) => answer,
                stop = run.port.stopped() => return Err(Blocked::Stop(stop)),
            };
            let answer = fetched.map_err(|error| refused(&wanted, limit, error))?;
            assets.insert(&wanted.url, accepted(&wanted, answer)?);
        }
        Ok(assets)
    }
}

fn accepted(wanted: &Wanted, answer: Answer) -> Result<Fetched, Blocked> {
    let never = |problem: &str| Err(Blocked::Never(asset::unfit(&wanted.place, problem)));
    match answer.status {
        200..=299 => {
            let mime = answer.headers.get(http::header::CONTENT_TYPE).and_then(|mime| mime.to_str().ok());
            Ok(Fetched { bytes: answer.body, mime: mime.and_then(asset::media_type) })
        }
        300..=399 => never("is an URL that leads on to another: give the one at which the file is"),
        code @ (408 | 425 | 429 | 500..) => {
            let message = format!("the URL of {} answered {code}", wanted.place);
            Err(Blocked::Later { error: JobError::new(ErrorCode::ETransient, message), wait: None })
        }
        code => never(&format!("cannot be fetched: its URL answered {code}")),
    }
}

fn refused(wanted: &Wanted, limit: u64, error: GatewayError) -> Blocked {
    let place = &wanted.place;
    if error.code == ErrorCode::EResponseTooLarge {
        let most = wanted.max.min(limit);
        return Blocked::Never(asset::unfit(
            place,
            &format!("is larger than {most} bytes, which is what it may have"),
        ));
    }
    if error.when == When::Refused {
        return Blocked::Never(asset::unfit(place, &format!("cannot be fetched: {}", error.message)));
    }
    let message = format!("{place} cannot be fetched: {}", error.message);
    Blocked::Later { error: JobError { message, ..error.into_job_error(Billed::No) }, wait: None }
}
