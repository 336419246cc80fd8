//! How much of a backup was read, for whoever waits.

use std::io::{self, Read};

/// What a backup is read for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    /// To compare it with what it says that it is; parts of it are read twice.
    Check,
    /// To make a store of it.
    Restore,
    /// To compare the leaves that are kept elsewhere with it; counted in bundles.
    Sealed,
}

/// How far a check or a restore is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reading {
    /// Which of them.
    pub purpose: Purpose,
    /// Bytes that were read, or bundles.
    pub done: u64,
    /// How many are going to be read in all.
    pub of: u64,
}

/// Tells how much was read, over several files.
pub(crate) struct Meter<'a> {
    reading: Reading,
    tell: &'a mut dyn FnMut(Reading),
}

impl<'a> Meter<'a> {
    pub(crate) fn new(purpose: Purpose, of: u64, tell: &'a mut dyn FnMut(Reading)) -> Self {
        Self { reading: Reading { purpose, done: 0, of }, tell }
    }

    /// Counts what is read from `input`.
    pub(crate) fn on<R: Read>(&mut self, input: R) -> Metered<'_, 'a, R> {
        Metered { input, meter: self }
    }
}

/// An input whose bytes are counted.
pub(crate) struct Metered<'m, 'a, R> {
    input: R,
    meter: &'m mut Meter<'a>,
}

impl<R: Read> Read for Metered<'_, '_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(buffer)?;
        self.meter.reading.done += count as u64;
        (self.meter.tell)(self.meter.reading);
        Ok(count)
    }
}
