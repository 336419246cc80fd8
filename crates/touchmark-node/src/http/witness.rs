//! This node as a witness of other logs (C2SP tlog-witness). Both prefixes are `/witness`.

use super::Gateway;
use super::answer::Negative;
use super::extract::Named;
use crate::node::now;
use crate::witness::WitnessError;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use touchmark_api::{EdgeCode, Problem, media};
use touchmark_wire::registry::RefusalCode;
use touchmark_wire::witness::Refusal;

/// Where logs submit checkpoints.
pub(super) const ADD_CHECKPOINT: &str = "/witness/add-checkpoint";
/// Where monitors look at what was cosigned.
pub(super) const CHECKPOINT: &str = "/witness/{origin}/checkpoint";

/// `POST /witness/add-checkpoint`
pub(super) async fn add_checkpoint(
    State(gateway): State<Gateway>,
    body: Bytes,
) -> Result<Response, Negative> {
    // One after the other: those that wait have no thread. Who hangs up ends no turn, because the
    // cosigning goes on.
    let mut turn = gateway.cosigning.clone().lock_owned().await;
    let register = gateway.register.clone();
    let cosigned = tokio::task::spawn_blocking(move || {
        let cosigned = register.cosign(&body, now());
        tell(&mut turn, cosigned.as_ref().err());
        cosigned
    });
    let cosigned = cosigned.await;
    let broken = |_| Negative::new(RefusalCode::INTERNAL, "cosigning broke off");
    let kept = (header::CACHE_CONTROL, "no-store");
    match cosigned.map_err(broken)? {
        Ok(lines) => Ok(([(header::CONTENT_TYPE, media::TEXT), kept], lines).into_response()),
        Err(WitnessError::Refused(Refusal::OtherSize(size))) => {
            let headers = [(header::CONTENT_TYPE, media::TLOG_SIZE), kept];
            Ok((StatusCode::CONFLICT, headers, format!("{size}\n")).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

/// `GET /witness/{origin}/checkpoint`
pub(super) async fn checkpoint(
    State(gateway): State<Gateway>,
    Named(origin): Named<String>,
) -> Result<impl IntoResponse, Negative> {
    let register = gateway.register.clone();
    let asked = origin.clone();
    let found = tokio::task::spawn_blocking(move || register.checkpoint(&asked)).await;
    let broken = |_| Negative::new(RefusalCode::INTERNAL, "reading broke off");
    let note = found.map_err(broken)??;
    let missing = || Negative::not_found(format!("a cosigned checkpoint of {origin}"));
    let headers = [(header::CONTENT_TYPE, media::TEXT), (header::CACHE_CONTROL, "no-cache")];
    Ok((headers, note.ok_or_else(missing)?))
}

/// What is wrong with the witness itself, as others may know it.
fn fault(error: &WitnessError) -> Option<&'static str> {
    match error {
        WitnessError::None | WitnessError::Malformed(_) | WitnessError::Refused(_) => None,
        WitnessError::Clock => Some("the clock of the witness is wrong"),
        WitnessError::Damaged { .. } => Some("what the witness has cosigned is damaged"),
        WitnessError::Signing(_) | WitnessError::Key(_) => {
            Some("a key of the witness does not work")
        }
        _ => Some("the witness cannot keep what it cosigns"),
    }
}

/// Tells the operator once what is wrong, until it is something else.
fn tell(last: &mut Option<String>, error: Option<&WitnessError>) {
    let wrong = error.filter(|error| fault(error).is_some()).map(ToString::to_string);
    if let Some(error) = wrong.as_ref().filter(|_| *last != wrong) {
        tracing::error!(error, "the witness does not work");
    }
    *last = wrong;
}

impl From<WitnessError> for Negative {
    /// The statuses are those of `add-checkpoint`.
    fn from(error: WitnessError) -> Self {
        let detail = fault(&error).map_or_else(|| error.to_string(), Into::into);
        match error {
            WitnessError::Malformed(_) | WitnessError::Refused(Refusal::OldIsLarger) => {
                Self::malformed(detail)
            }
            WitnessError::None | WitnessError::Refused(Refusal::UnknownLog) => {
                Self::new(RefusalCode::NOT_FOUND, detail)
            }
            WitnessError::Refused(Refusal::Untrusted(_)) => {
                Problem::of_edge(EdgeCode::WitnessSignature, detail).into()
            }
            WitnessError::Refused(Refusal::Inconsistent(_)) => {
                Problem::of_edge(EdgeCode::WitnessInconsistent, detail).into()
            }
            WitnessError::Clock | WitnessError::Signing(_) | WitnessError::Key(_) => {
                Self::new(RefusalCode::INTERNAL, detail)
            }
            _ => Self::new(RefusalCode::STORAGE, detail),
        }
    }
}
