//! A relay between machines that delays packets and loses some, as a bad line does.

use super::COUNT;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tun_rs::SyncDevice;

/// What a line does to packets.
#[derive(Clone, Copy, PartialEq)]
pub(crate) struct Weather {
    /// From one machine to another.
    pub(crate) delay: Duration,
    /// Packets of a hundred that are lost.
    pub(crate) loss: u32,
}

impl Weather {
    pub(crate) const FAIR: Self = Self { delay: Duration::ZERO, loss: 0 };
}

/// Carries packets until it is dropped.
pub(crate) struct Relay {
    /// `None` ends it.
    weather: Arc<Mutex<Option<Weather>>>,
    thread: Option<JoinHandle<()>>,
}

impl Relay {
    /// Between the interfaces of machines whose addresses end in 1, 2 and so on.
    pub(crate) fn start(devices: Vec<SyncDevice>) -> Self {
        let weather = Arc::new(Mutex::new(Some(Weather::FAIR)));
        let lines = Lines {
            devices,
            weather: Arc::clone(&weather),
            // One order of losses; what they hit depends on the machines' timing.
            luck: StdRng::seed_from_u64(88),
            waiting: BinaryHeap::new(),
            taken: 0,
        };
        Self { weather, thread: Some(std::thread::spawn(move || lines.run())) }
    }

    pub(crate) fn set(&self, weather: Weather) {
        *self.weather.lock().unwrap() = Some(weather);
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        *self.weather.lock().unwrap() = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Lines {
    devices: Vec<SyncDevice>,
    weather: Arc<Mutex<Option<Weather>>>,
    luck: StdRng,
    waiting: BinaryHeap<Reverse<Packet>>,
    taken: u64,
}

/// Ordered by the time when it is due, then as it came.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Packet {
    due: Instant,
    number: u64,
    to: usize,
    bytes: Vec<u8>,
}

impl Lines {
    fn run(mut self) {
        loop {
            let Some(weather) = *self.weather.lock().unwrap() else { return };
            for from in self.readable() {
                self.take(from, weather);
            }
            self.deliver();
        }
    }

    /// Machines that have sent something; waits for one until the next packet is due.
    fn readable(&self) -> Vec<usize> {
        /// How long an end or another weather may go unnoticed.
        const NOTICE: Duration = Duration::from_millis(20);
        let due = self.waiting.peek().map(|Reverse(packet)| packet.due);
        let wait = due.map_or(NOTICE, |due| due.saturating_duration_since(Instant::now()));
        let wait = Timespec::try_from(wait.min(NOTICE)).unwrap();
        let mut ends: Vec<_> =
            self.devices.iter().map(|device| PollFd::new(device, PollFlags::IN)).collect();
        poll(&mut ends, Some(&wait)).unwrap();
        let readable = |end: &PollFd<'_>| end.revents().contains(PollFlags::IN);
        (0..).zip(&ends).filter(|(_, end)| readable(end)).map(|(place, _)| place).collect()
    }

    fn take(&mut self, from: usize, weather: Weather) {
        let mut bytes = vec![0; 2_048];
        // An interface that was just taken down has nothing.
        let Ok(length) = self.devices[from].recv(&mut bytes) else { return };
        bytes.truncate(length);
        let Some(to) = receiver(&bytes) else { return };
        if self.luck.random_range(0..100) < weather.loss {
            return;
        }
        self.taken += 1;
        let packet = Packet { due: Instant::now() + weather.delay, number: self.taken, to, bytes };
        self.waiting.push(Reverse(packet));
    }

    fn deliver(&mut self) {
        while let Some(Reverse(packet)) = self.waiting.peek()
            && packet.due <= Instant::now()
        {
            // Lost, if the other end is down.
            let _ = self.devices[packet.to].send(&packet.bytes);
            self.waiting.pop();
        }
    }
}

/// Which machine an IPv4 packet goes to, by the last byte of its destination address (RFC 791).
fn receiver(packet: &[u8]) -> Option<usize> {
    let place = usize::from(*packet.get(19)?).checked_sub(1)?;
    (packet[0] >> 4 == 4 && place < COUNT).then_some(place)
}
