//! Lays the corrupt models out for looking at them: `cargo run --example write_corpus -- FOLDER`.

use einthoven_backend_parity::corpus;
use std::path::PathBuf;

fn main() -> std::io::Result<()> {
    let folder: PathBuf = std::env::args_os().nth(1).unwrap_or_else(|| "corpus".into()).into();
    for mutant in corpus() {
        let inside = mutant.write(&folder.join(mutant.name.replace('/', "-")))?;
        println!("{:?}\t{}", mutant.refused, inside.join(&mutant.package.entry).display());
    }
    Ok(())
}
