//! The machine: memory, a timer, and the host at the other end of the debugger.
//!
//! All `unsafe` of the firmware is here. The machine is QEMU's `mps2-an386`; with `-icount shift=0`
//! an instruction takes a nanosecond there, so its timer counts instructions.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::panic::PanicInfo;
use core::ptr::{read_volatile, write_volatile};
use cortex_m_semihosting::debug::{self, EXIT_FAILURE, EXIT_SUCCESS};
use cortex_m_semihosting::{hprintln, syscall};
use embedded_alloc::LlffHeap;

#[global_allocator]
static ALLOCATOR: LlffHeap = LlffHeap::empty();

/// Bytes of the heap.
const HEAP: usize = 256 << 10;
static mut MEMORY: [u32; HEAP / 4] = [0; HEAP / 4];

/// Memory that nobody has written has this value.
const PAINT: u32 = 0x7465_6e64;

unsafe extern "C" {
    static mut __ebss: u32;
    static __sbss: u32;
    static __sdata: u32;
    static __edata: u32;
    static __stext: u32;
    static __etext: u32;
    static __srodata: u32;
    static __erodata: u32;
    static _stack_start: u32;
}

/// CMSDK timer 0: counts down from its reload value, 25,000,000 times a second.
mod timer {
    pub(super) const CONTROL: *mut u32 = 0x4000_0000 as *mut u32;
    pub(super) const VALUE: *mut u32 = 0x4000_0004 as *mut u32;
    pub(super) const RELOAD: *mut u32 = 0x4000_0008 as *mut u32;
    /// Nanoseconds, so instructions, between two counts.
    pub(super) const STEP: u64 = 40;
}

/// Prepares heap, stack and timer, and says how large the program is; to be called once, first.
#[inline(never)]
pub fn start() {
    // SAFETY: one core without interrupts, and nothing is on the heap yet. The timer's registers are
    // where the machine's manual (ARM DAI 0386) has them.
    unsafe {
        let memory = &raw mut MEMORY;
        for at in 0..HEAP / 4 {
            write_volatile(memory.cast::<u32>().add(at), PAINT);
        }
        ALLOCATOR.init(memory as usize, HEAP);
        write_volatile(timer::RELOAD, u32::MAX);
        write_volatile(timer::VALUE, u32::MAX);
        write_volatile(timer::CONTROL, 1);
    }
    paint_stack();
    tell_sizes();
    tell_loop();
}

/// Paints what lies below the stack of whoever calls this.
#[inline(never)]
fn paint_stack() {
    let mut at = &raw mut __ebss;
    let here = &raw const at as usize;
    while (at as usize) < here - 64 {
        // SAFETY: between the last static and the stack's end nothing lives.
        unsafe {
            write_volatile(at, PAINT);
            at = at.add(1);
        }
    }
}

/// Bytes of the stack that were ever in use.
fn stack_peak() -> usize {
    let mut at = &raw const __ebss;
    // SAFETY: reads memory that exists; the scan ends at the stack, which is never all paint.
    unsafe {
        while read_volatile(at) == PAINT {
            at = at.add(1);
        }
    }
    &raw const _stack_start as usize - at as usize
}

/// Bytes from the heap's start that were ever in use.
fn heap_peak() -> usize {
    let memory = (&raw const MEMORY).cast::<u32>();
    // SAFETY: reads a static.
    let is_painted = |at: &usize| unsafe { read_volatile(memory.add(*at)) } == PAINT;
    4 * (0..HEAP / 4).rev().find(|at| !is_painted(at)).map_or(0, |at| at + 1)
}

/// Runs `work`; gives how many instructions it took, in steps of 40, where QEMU counts them.
pub fn counted<T>(work: impl FnOnce() -> T) -> (T, u64) {
    // SAFETY: reads a register.
    let now = || u64::from(unsafe { read_volatile(timer::VALUE) });
    let begin = now();
    let result = work();
    (result, (begin - now()) * timer::STEP)
}

/// Counts a loop of 2,000,000 instructions, which says whether QEMU counts them.
fn tell_loop() {
    let ((), instructions) = counted(|| {
        // SAFETY: changes one register and the flags.
        unsafe {
            core::arch::asm!("2: subs {n}, #1", "bne 2b", n = inout(reg) 1_000_000_u32 => _);
        }
    });
    tell("loop", instructions);
}

/// Says how large program and static memory are; the heap's memory is not counted.
fn tell_sizes() {
    let between = |from: *const u32, to: *const u32| to as usize - from as usize;
    let text = between(&raw const __stext, &raw const __etext);
    let rodata = between(&raw const __srodata, &raw const __erodata);
    let data = between(&raw const __sdata, &raw const __edata);
    let bss = between(&raw const __sbss, &raw const __ebss);
    tell("text", text);
    tell("rodata", rodata + data);
    tell("statics", data + bss - HEAP);
}

/// Prints a figure.
pub fn tell(name: &str, value: impl core::fmt::Display) {
    let _ = hprintln!("figure {}: {}", name, value);
}

/// What the host gave as the program's arguments, without the program's own name.
pub fn arguments() -> Vec<String> {
    let mut buffer = [0_u8; 256];
    let mut block = [buffer.as_mut_ptr() as usize, buffer.len()];
    // SAFETY: the host writes at most as many bytes as the block says (ARM semihosting 2.0).
    let failed =
        unsafe { cortex_m_semihosting::syscall1(GET_COMMAND_LINE, block.as_mut_ptr() as usize) };
    let line = if failed == 0 { &buffer[..block[1]] } else { &[] };
    let line = core::str::from_utf8(line).unwrap_or_default();
    line.trim_end_matches('\0').split_whitespace().skip(1).map(ToString::to_string).collect()
}

const GET_COMMAND_LINE: usize = 0x15;

/// A file of the host.
pub fn read(path: &str) -> Option<Vec<u8>> {
    let name = alloc::format!("{path}\0");
    // SAFETY: pointers and lengths are those of live buffers; mode 1 is "rb".
    unsafe {
        let file = syscall!(OPEN, name.as_ptr(), 1, path.len());
        if file == usize::MAX {
            return None;
        }
        let length = syscall!(FLEN, file);
        let mut bytes = alloc::vec![0; length];
        let missing = syscall!(READ, file, bytes.as_mut_ptr(), length);
        syscall!(CLOSE, file);
        (missing == 0).then_some(bytes)
    }
}

/// Says how much of stack and heap was ever in use, and ends the machine.
pub fn end_with_peaks() -> ! {
    tell("stack", stack_peak());
    tell("heap", heap_peak());
    debug::exit(EXIT_SUCCESS);
    unreachable!("the host has ended the machine")
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    let _ = hprintln!("{}", info);
    loop {
        debug::exit(EXIT_FAILURE);
    }
}
