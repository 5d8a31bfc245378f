//! The work whose instructions are counted: rows to JSON, and parameters to PackStream.
//!
//! Owns the parts that need no server process. Promises to do the same work in every run, on one thread. Measures
//! nothing itself: `benches/instructions/run` counts the instructions of `instructions PART TIMES`.

mod parameters;
mod rows;

use std::{env, process::ExitCode, str::FromStr};

use anyhow::{Context as _, Result, bail};

/// A unit of work, and a function that repeats it.
struct Part {
    name: String,
    /// The unit in which results are given, and how many units one round contains.
    unit: &'static str,
    units: f64,
    /// Runs this number of rounds.
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
    let arguments: Vec<String> = env::args().skip(1).collect();
    let parts: Vec<Part> = rows::parts().chain(parameters::parts()).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => println!("This is counted by benches/instructions/run."),
        ["parts"] => parts.iter().for_each(|part| println!("{}\t{}\t{}", part.name, part.unit, part.units)),
        ["processor"] => println!("{}", processor()),
        [name, times] => {
            let times = u64::from_str(times).with_context(|| format!("{times:?} is not a number of rounds"))?;
            let part = parts.iter().find(|part| part.name == name);
            (part.with_context(|| format!("there is no part {name:?}; `parts` lists them"))?.work)(times)?;
        }
        _ => bail!("give a part and a number of rounds, or `parts`, or `processor`"),
    }
    Ok(())
}

/// The features of the processor that libraries use to choose their code. Under valgrind, these are the features that
/// valgrind emulates.
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
