//! The functions of libpcsclite (winscard.h, pcsclite.h), found at run time.
#![allow(unsafe_code, reason = "calls foreign functions: docs/adr/pcsc-at-run-time.md")]

use crate::{Error, ErrorKind};
use core::ffi::{CStr, c_char, c_long, c_ulong, c_void};
use core::ptr::{null, null_mut};
use libloading::Library;

/// The library with this version of the interface.
const NAME: &str = "libpcsclite.so.1";

/// Longest answer, bytes: extended length and status.
const ANSWER: usize = 65_536 + 2;
/// Longest list of readers' names, bytes.
const LIST: usize = 8_192;

/// SCARD_SCOPE_SYSTEM
const SCOPE_SYSTEM: c_ulong = 2;
/// SCARD_SHARE_EXCLUSIVE: nobody else talks to the card in between.
const EXCLUSIVE: c_ulong = 1;
/// SCARD_PROTOCOL_T0 | SCARD_PROTOCOL_T1
const ANY_PROTOCOL: c_ulong = 3;
/// SCARD_RESET_CARD: the card forgets the codes that were presented.
const RESET_CARD: c_ulong = 1;
/// SCARD_STATE_PRESENT
const PRESENT: c_ulong = 0x20;
/// SCARD_E_NO_READERS_AVAILABLE
const NO_READERS: u32 = 0x8010_002e;

/// `SCARD_IO_REQUEST`.
#[repr(C)]
struct ControlInformation {
    protocol: c_ulong,
    length: c_ulong,
}

/// `SCARD_READERSTATE`.
#[repr(C)]
struct State {
    reader: *const c_char,
    user_data: *mut c_void,
    current: c_ulong,
    event: c_ulong,
    atr_length: c_ulong,
    atr: [u8; 33],
}

type Establish = unsafe extern "C" fn(c_ulong, *const c_void, *const c_void, *mut c_long) -> c_long;
type Release = unsafe extern "C" fn(c_long) -> c_long;
type ListReaders = unsafe extern "C" fn(c_long, *const c_char, *mut c_char, *mut c_ulong) -> c_long;
type StatusChange = unsafe extern "C" fn(c_long, c_ulong, *mut State, c_ulong) -> c_long;
type Connect = unsafe extern "C" fn(
    c_long,
    *const c_char,
    c_ulong,
    c_ulong,
    *mut c_long,
    *mut c_ulong,
) -> c_long;
type Disconnect = unsafe extern "C" fn(c_long, c_ulong) -> c_long;
type Transmit = unsafe extern "C" fn(
    c_long,
    *const ControlInformation,
    *const u8,
    c_ulong,
    *mut ControlInformation,
    *mut u8,
    *mut c_ulong,
) -> c_long;

/// The library with an established context.
#[derive(Debug)]
pub(crate) struct Context {
    establish: Establish,
    release: Release,
    list_readers: ListReaders,
    status_change: StatusChange,
    connect: Connect,
    disconnect: Disconnect,
    transmit: Transmit,
    number: c_long,
    /// Last, as the functions above live in it.
    _library: Library,
}

/// A connected card.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Handle {
    card: c_long,
    protocol: c_ulong,
}

impl Context {
    /// Finds the library and opens a context.
    pub(crate) fn open() -> Result<Self, Error> {
        // SAFETY: the system's own library, whose initialisation only sets up its own state.
        let library = unsafe { Library::new(NAME) };
        let mut context = library.and_then(Self::new).map_err(|error| no_library(&error))?;
        context.establish()?;
        Ok(context)
    }

    fn new(library: Library) -> Result<Self, libloading::Error> {
        /// The function of a name.
        macro_rules! function {
            ($name:literal, $kind:ty) => {{
                // SAFETY: winscard.h declares the function of this name with this type.
                let found = unsafe { library.get::<$kind>(concat!($name, "\0").as_bytes()) };
                *found?
            }};
        }
        Ok(Self {
            establish: function!("SCardEstablishContext", Establish),
            release: function!("SCardReleaseContext", Release),
            list_readers: function!("SCardListReaders", ListReaders),
            status_change: function!("SCardGetStatusChange", StatusChange),
            connect: function!("SCardConnect", Connect),
            disconnect: function!("SCardDisconnect", Disconnect),
            transmit: function!("SCardTransmit", Transmit),
            number: 0,
            _library: library,
        })
    }

    fn establish(&mut self) -> Result<(), Error> {
        // SAFETY: the two reserved pointers are null as demanded, the last is valid for writing.
        let code = unsafe { (self.establish)(SCOPE_SYSTEM, null(), null(), &raw mut self.number) };
        check(code, "reach the smart card service")
    }

    /// The readers' names, one after the other, each ended by a zero.
    pub(crate) fn list_readers(&self) -> Result<Vec<u8>, Error> {
        let mut names = vec![0_u8; LIST];
        let mut length = LIST as c_ulong;
        let buffer = names.as_mut_ptr().cast();
        // SAFETY: no groups are named, and `length` is the buffer's.
        let code = unsafe { (self.list_readers)(self.number, null(), buffer, &raw mut length) };
        if code as u32 == NO_READERS {
            return Ok(Vec::new());
        }
        check(code, "list the readers")?;
        names.truncate(length as usize);
        Ok(names)
    }

    /// Whether a card is in the reader.
    pub(crate) fn has_card(&self, reader: &CStr) -> Result<bool, Error> {
        let mut state = State {
            reader: reader.as_ptr(),
            user_data: null_mut(),
            current: 0,
            event: 0,
            atr_length: 0,
            atr: [0; 33],
        };
        // SAFETY: one state is named and given; its reader's name outlives the call.
        let code = unsafe { (self.status_change)(self.number, 0, &raw mut state, 1) };
        check(code, "look into the reader")?;
        Ok(state.event & PRESENT != 0)
    }

    /// Takes the card in a reader.
    pub(crate) fn connect(&self, reader: &CStr) -> Result<Handle, Error> {
        let mut handle = Handle { card: 0, protocol: 0 };
        let (card, protocol) = (&raw mut handle.card, &raw mut handle.protocol);
        // SAFETY: the name ends with a zero, the last two pointers are valid for writing.
        let code = unsafe {
            (self.connect)(self.number, reader.as_ptr(), EXCLUSIVE, ANY_PROTOCOL, card, protocol)
        };
        check(code, "reach the card")?;
        Ok(handle)
    }

    /// Sends a command.
    pub(crate) fn transmit(&self, handle: Handle, command: &[u8]) -> Result<Vec<u8>, Error> {
        let information = ControlInformation {
            protocol: handle.protocol,
            length: size_of::<ControlInformation>() as c_ulong,
        };
        let mut answer = vec![0_u8; ANSWER];
        let mut length = ANSWER as c_ulong;
        // SAFETY: command and answer are given with their lengths; the answer's control
        // information may be null.
        let code = unsafe {
            (self.transmit)(
                handle.card,
                &raw const information,
                command.as_ptr(),
                command.len() as c_ulong,
                null_mut(),
                answer.as_mut_ptr(),
                &raw mut length,
            )
        };
        check(code, "send a command to the card")?;
        answer.truncate(length as usize);
        Ok(answer)
    }

    /// Lets a card go.
    pub(crate) fn disconnect(&self, handle: Handle) {
        // Nothing is left to do where it fails: the service lets go of what a process held.
        // SAFETY: the handle came from `connect` and is not used any more.
        let _ = unsafe { (self.disconnect)(handle.card, RESET_CARD) };
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        // SAFETY: the context was established, or is 0, which the service refuses.
        let _ = unsafe { (self.release)(self.number) };
    }
}

fn check(code: c_long, during: &str) -> Result<(), Error> {
    if code == 0 { Ok(()) } else { Err(Error::of(code as u32, during)) }
}

fn no_library(error: &dyn core::fmt::Display) -> Error {
    let text = format!("the library of the smart card service is not there: {error}");
    Error { kind: ErrorKind::NoService, text }
}
