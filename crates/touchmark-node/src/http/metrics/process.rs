//! What this process uses of its machine.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};
use std::sync::atomic::AtomicU64;
use std::sync::{Mutex, PoisonError};
use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};

/// Processor time, memory and age.
#[derive(Default)]
pub(super) struct Process {
    cpu: Counter<f64, AtomicU64>,
    resident: Gauge,
    start: Gauge,
    system: Mutex<System>,
}

impl Process {
    pub(super) fn register(&self, registry: &mut Registry) {
        let about = "Processor time that the process took";
        registry.register_with_unit("process_cpu", about, Unit::Seconds, self.cpu.clone());
        let about = "Memory of the process that is in use";
        registry.register_with_unit("process_resident", about, Unit::Bytes, self.resident.clone());
        let about = "When the process started, since 1970-01-01T00:00:00Z";
        registry.register_with_unit("process_start_time", about, Unit::Seconds, self.start.clone());
    }

    /// Measures; what the system does not tell stays as it was.
    pub(super) fn measure(&self) {
        let Ok(own) = sysinfo::get_current_pid() else { return };
        let mut system = self.system.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((cpu, resident, start)) = look(&mut system, own) {
            // Under the lock, so two that ask at once count nothing twice.
            self.cpu.inc_by((cpu - self.cpu.get()).max(0.0));
            self.resident.set(resident);
            self.start.set(start);
        }
    }
}

/// Seconds, bytes, and seconds since 1970.
#[allow(clippy::cast_precision_loss, reason = "milliseconds of a process are below 2^53")]
fn look(system: &mut System, own: Pid) -> Option<(f64, i64, i64)> {
    let kinds = ProcessRefreshKind::nothing().with_cpu().with_memory();
    system.refresh_processes_specifics(ProcessesToUpdate::Some(&[own]), false, kinds);
    let process = system.process(own)?;
    let number = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
    let seconds = process.accumulated_cpu_time() as f64 / 1e3;
    Some((seconds, number(process.memory()), number(process.start_time())))
}
