//! Tells the programs the versions of the crates that were resolved, and of the compiler.
use std::{env, fs, process::Command};

fn main() {
    let lock = fs::read_to_string("Cargo.lock").expect("cargo writes it before it builds");
    for package in lock.split("[[package]]") {
        let field = |name: &str| package.lines().find_map(|l| l.strip_prefix(&format!("{name} = ")));
        if let (Some(name), Some(version)) = (field("name"), field("version")) {
            let name = name.trim_matches('"').to_uppercase().replace('-', "_");
            println!("cargo:rustc-env=VERSION_{}={}", name, version.trim_matches('"'));
        }
    }
    let rustc = Command::new(env::var("RUSTC").expect("cargo sets it")).arg("--version").output();
    let rustc = String::from_utf8(rustc.expect("it has just compiled this").stdout).expect("text");
    println!("cargo:rustc-env=VERSION_RUSTC={}", rustc.split(' ').nth(1).expect("a version"));
}
