//! Builds the sandbox's pid 1 (`src/sandbox/init/`) as a freestanding static program, which the
//! harness carries in itself.

use std::path::PathBuf;
use std::process::Command;

fn main() {
    let var = |name: &str| std::env::var(name).unwrap_or_else(|_| panic!("cargo did not set {name}"));
    let root = PathBuf::from(var("CARGO_MANIFEST_DIR")).join("src/sandbox/init");
    let out = PathBuf::from(var("OUT_DIR")).join("sandsweep-init");
    println!("cargo::rerun-if-changed={}", root.display());

    let target = var("TARGET");
    if !target.contains("-linux-") || !["x86_64", "aarch64"].contains(&var("CARGO_CFG_TARGET_ARCH").as_str()) {
        panic!("sandsweep builds for Linux on x86-64 and aarch64; this target is {target}");
    }
    let mut rustc = Command::new(var("RUSTC"));
    rustc
        .arg(root.join("main.rs"))
        .args(["--edition", "2024", "--crate-name", "sandsweep_init", "--crate-type", "bin"])
        .args(["--target", &target])
        .args(["-C", "panic=abort", "-C", "opt-level=s", "-C", "strip=symbols"])
        .args(["-C", "relocation-model=static", "-C", "target-feature=+crt-static"])
        .args(["-C", "link-arg=-nostartfiles", "-C", "link-arg=-nostdlib", "-C", "link-arg=-static"])
        .args(["-C", "link-arg=-Wl,--build-id=none,-z,noexecstack,-z,max-page-size=4096"])
        .arg("-o")
        .arg(&out);
    if let Ok(linker) = std::env::var("RUSTC_LINKER") {
        rustc.arg("-C").arg(format!("linker={linker}"));
    }
    let done = rustc.status().expect("cannot run rustc for the sandbox's init");
    assert!(done.success(), "the sandbox's init does not build: see rustc's message above");
}
