//! Tells the linker where the device's memory is.

use std::path::PathBuf;
use std::{env, fs};

fn main() {
    let folder = PathBuf::from(env::var_os("OUT_DIR").expect("cargo gives a folder"));
    fs::write(folder.join("memory.x"), include_bytes!("memory.x")).expect("the folder is ours");
    println!("cargo:rustc-link-search={}", folder.display());
    println!("cargo:rustc-link-arg-bins=-Tlink.x");
    println!("cargo:rerun-if-changed=memory.x");
    println!("cargo:rerun-if-env-changed=TOUCHMARK_NETWORK");
}
