//! Work to count the instructions of: rows to JSON, and parameters to PackStream.
//!
//! Owns the parts that need no process around them. Promises to do the same work in every run, on one thread. Measures
//! nothing itself: `benches/instructions/run` counts what `instructions PART TIMES` takes.

mod parameters;
mod rows;

use std::{env, process::ExitCode, str::FromStr};

use anyhow::{Context as _, Result, bail};

/// What one round of work is, and how to do many of them.
struct Part {
    name: String,
    /// What the instructions are counted by, and how many of it are in one round.
    unit: &'static str,
    units: f64,
    /// Does so many rounds.
    work: Box<dyn Fn(u64) -> Result<()>>,
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("instructions: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    // `cargo bench` adds a flag of its own.
    let arguments: Vec<String> = env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let parts: Vec<Part> = rows::parts().chain(parameters::parts()).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => println!("This is counted by benches/instructions/run."),
        ["parts"] => parts.iter().for_each(|part| println!("{}\t{}\t{}", part.name, part.unit, part.units)),
        ["processor"] => println!("{}", processor()),
        [name, times] => {
            let times = u64::from_str(times).with_context(|| format!("{times:?} is no number of rounds"))?;
            let part = parts.iter().find(|part| part.name == name);
            (part.with_context(|| format!("there is no part {name:?}; `parts` lists them"))?.work)(times)?;
        }
        _ => bail!("give a part and a number of rounds, or `parts`, or `processor`"),
    }
    Ok(())
}

/// What this process sees of the processor, as far as libraries choose their code by it. Under valgrind that is what
/// valgrind lets it see.
fn processor() -> String {
    #[cfg(target_arch = "x86_64")]
    let features = [
        ("sse4.2", is_x86_feature_detected!("sse4.2")),
        ("popcnt", is_x86_feature_detected!("popcnt")),
        ("avx", is_x86_feature_detected!("avx")),
        ("avx2", is_x86_feature_detected!("avx2")),
        ("bmi1", is_x86_feature_detected!("bmi1")),
        ("bmi2", is_x86_feature_detected!("bmi2")),
        ("avx512f", is_x86_feature_detected!("avx512f")),
        ("avx512vl", is_x86_feature_detected!("avx512vl")),
    ];
    #[cfg(not(target_arch = "x86_64"))]
    let features: [(&str, bool); 0] = [];
    let seen = features.iter().filter(|(_, seen)| *seen).map(|(name, _)| *name);
    [env::consts::ARCH].into_iter().chain(seen).collect::<Vec<_>>().join(" ")
}
