//! What is answered when a key is not issued, rotated or revoked, or a client not changed. What a service
//! said is for the log alone.

use keygate_issuing::{
    ApiGatewayError, ClientError, Failure, IssueError, RevokeError, RotateError, SourceNotTold,
    StoreError,
};
use keygate_problem::{
    CONFLICT, INTERNAL_ERROR, INVALID_BODY, NOT_FOUND, Problem, SERVICE_UNAVAILABLE,
};
use lambda_http::http::header::RETRY_AFTER;

pub(crate) fn not_found() -> Problem {
    Problem::new(&NOT_FOUND, "There is no key of yours with this id.")
}

pub(crate) fn of_issuing(error: IssueError) -> Problem {
    match error {
        IssueError::Failed(failure) => of_failure(failure),
        // Checked with the body's other fields, so it is a change in between.
        IssueError::NoSuchPlan(_) => Problem::new(&INVALID_BODY, "There is no such usage plan."),
        IssueError::IdTaken => Problem::new(&CONFLICT, "The new key's id is taken. Ask again.")
            .with_header(RETRY_AFTER, "1"),
    }
}

pub(crate) fn of_rotating(error: RotateError) -> Problem {
    match error {
        RotateError::Failed(failure) => of_failure(failure),
        RotateError::Ended => {
            Problem::new(&CONFLICT, "The key is revoked or expired. Issue a new one.")
        }
        RotateError::Changed => Problem::new(
            &CONFLICT,
            "The key was changed at the same time. Read it again.",
        ),
        RotateError::NotFlushed(failure) => {
            tracing::error!(error = %failure, "a key was rotated, and answers stay cached");
            unfinished(
                "The key has a new secret, which this answer does not show, and cached answers may \
                 let the former one in until their time is over. Send the request again.",
            )
        }
    }
}

/// A key that opens nothing gets no other secret, which would open nothing either.
pub(crate) fn of_networks(error: SourceNotTold) -> Problem {
    let detail = format!(
        "What the key's allowed_cidrs say {error}. Revoke the key and issue another without, or have \
         the API deployed with AuthorizerEvents=REQUEST."
    );
    Problem::new(&CONFLICT, detail)
}

pub(crate) fn of_revoking(error: RevokeError) -> Problem {
    match error {
        RevokeError::Failed(failure) => of_failure(failure),
        RevokeError::NotFound => not_found(),
        RevokeError::Unfinished(failure) => {
            tracing::error!(error = %failure, "a key was revoked, and something is left to do");
            unfinished(
                "The key is revoked. Cached answers may let it in until their time is over: send \
                 the request again.",
            )
        }
    }
}

pub(crate) fn no_client() -> Problem {
    Problem::new(&NOT_FOUND, "There is no client with this id.")
}

pub(crate) fn of_client(error: ClientError) -> Problem {
    match error {
        ClientError::Failed(failure) => of_failure(failure),
        // Checked with the body's other fields, so it is a change in between.
        ClientError::NoSuchPlan(_) => Problem::new(&INVALID_BODY, "There is no such usage plan."),
        ClientError::Taken => Problem::new(
            &CONFLICT,
            "There is a client with this id. Change or remove it.",
        ),
        ClientError::NotFound => no_client(),
        ClientError::Changed => Problem::new(
            &CONFLICT,
            "The client was changed at the same time. Read it again.",
        ),
        ClientError::Unfinished(failure) => {
            tracing::error!(error = %failure, "a client was changed, and something is left to do");
            unfinished(
                "The client is changed. Cached answers may go on as before until their time is \
                 over: send the change again, as PUT or DELETE.",
            )
        }
    }
}

pub(crate) fn of_store(error: StoreError) -> Problem {
    match error {
        StoreError::Table(error) => error.into_problem(),
        StoreError::Malformed(error) => {
            tracing::error!(%error);
            Problem::new(&INTERNAL_ERROR, "The record cannot be read.")
        }
    }
}

pub(crate) fn of_failure(failure: Failure) -> Problem {
    let words = failure.to_string();
    let problem = match failure {
        Failure::Store(error) => return of_store(error),
        Failure::ApiGateway(ApiGatewayError::Refused(_)) => {
            Problem::new(&INTERNAL_ERROR, "API Gateway refuses the call.")
        }
        Failure::ApiGateway(ApiGatewayError::Unavailable(_)) => {
            unfinished("API Gateway is not available now.")
        }
        Failure::Randomness(_) => unfinished("A key cannot be made now."),
        Failure::TimedOut => unfinished("This took too long."),
    };
    tracing::error!(error = words);
    problem
}

/// 503 with `Retry-After`: nothing is wrong with the request, which may be sent again.
fn unfinished(detail: &str) -> Problem {
    Problem::new(&SERVICE_UNAVAILABLE, detail).with_header(RETRY_AFTER, "1")
}
