//! Who does not vote in a term hears what is final in it all the same.
//!
//! Those who vote send every certificate to everybody whom they are connected with. Who only listens
//! checks those of batches and hands them to marshal, which fetches what it lacks.

use crate::delivery::Marshal;
use crate::keys::{PublicKey, Scheme};
use crate::order::Runtime;
use crate::status::Monitor;
use crate::term::Term;
use commonware_codec::DecodeExt as _;
use commonware_consensus::simplex::types::{Activity, Certificate};
use commonware_consensus::{Epochable as _, Reporter as _, Viewable as _};
use commonware_cryptography::sha256::Digest;
use commonware_p2p::utils::mux::SubReceiver;
use commonware_p2p::{Blocker, Receiver as _};
use commonware_parallel::Sequential;
use commonware_runtime::Handle;
use std::future::pending;
use std::sync::Arc;

/// Listens in one term.
pub(crate) struct Audience<B> {
    pub(crate) term: Term,
    pub(crate) scheme: Arc<Scheme>,
    pub(crate) monitor: Arc<Monitor>,
    pub(crate) marshal: Marshal,
    pub(crate) blocker: B,
}

impl<B: Blocker<PublicKey = PublicKey>> Audience<B> {
    pub(crate) fn start<E: Runtime>(
        self,
        context: &E,
        certificates: SubReceiver<PublicKey>,
    ) -> Handle<()> {
        context.child("audience").spawn(move |context| self.run(context, certificates))
    }

    async fn run<E: Runtime>(mut self, mut context: E, mut certificates: SubReceiver<PublicKey>) {
        // Each member sends the same one, and one is enough.
        let mut last = None;
        while let Ok((from, message)) = certificates.recv().await {
            let Ok(Certificate::<Scheme, Digest>::Finalization(certificate)) =
                Certificate::decode(message)
            else {
                continue;
            };
            let view = Some(certificate.view());
            if certificate.epoch() != self.term.epoch() || view <= last {
                continue;
            }
            if !certificate.verify(&mut context, &*self.scheme, &Sequential) {
                tracing::warn!(peer = %from, "cut off: it sent a certificate that is none");
                self.blocker.block(from);
                continue;
            }
            last = view;
            self.monitor.passed(self.term, certificate.view().get());
            self.marshal.report(Activity::Finalization(certificate));
        }
        // The network is over, and with it everything else.
        pending::<()>().await;
    }
}
