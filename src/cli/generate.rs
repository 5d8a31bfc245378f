//! What is generated from the definition of the commands: completions for shells, and the manual page.

use std::io::{self, Write};

use clap::{Command, CommandFactory as _};
use clap_complete::Shell;
use clap_mangen::{
    Man,
    roff::{Roff, roman},
};

use super::Cli;

/// The name of the program, as shells know it.
const PROGRAM: &str = "boltgate";

/// The commands that users know, with all that clap adds to them.
fn definition() -> Command {
    let mut all = Cli::command();
    let shown: Vec<Command> = all.get_subcommands().filter(|command| !command.is_hide_set()).cloned().collect();
    // A hidden command cannot be taken out, and some shells would offer it.
    all = Command::new(PROGRAM)
        .version(env!("CARGO_PKG_VERSION"))
        .about(all.get_about().cloned().unwrap_or_default())
        .after_help(all.get_after_help().cloned().unwrap_or_default())
        .args(all.get_arguments().cloned().collect::<Vec<_>>())
        .subcommands(shown);
    all.build();
    all
}

/// The script with which `shell` completes commands, flags and files.
#[must_use]
pub fn completions(shell: Shell) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut definition(), PROGRAM, &mut script);
    script
}

/// The manual page: the program, and a part for each of its commands.
///
/// # Errors
/// None in practice: the page is made in memory.
pub fn man() -> io::Result<Vec<u8>> {
    let definition = definition();
    let mut page = Vec::new();
    let whole = Man::new(definition.clone());
    whole.render_title(&mut page)?;
    whole.render_name_section(&mut page)?;
    whole.render_synopsis_section(&mut page)?;
    whole.render_description_section(&mut page)?;
    whole.render_options_section(&mut page)?;
    for command in definition.get_subcommands().filter(|command| command.get_name() != "help") {
        let name = command.get_name();
        let title = format!("{PROGRAM} {name}");
        let part = Man::new(command.clone().bin_name(&title).display_name(&title));
        let mut text = Vec::new();
        part.render_description_section(&mut text)?;
        part.render_synopsis_section(&mut text)?;
        part.render_options_section(&mut text)?;
        notes(command, &mut text)?;
        write!(page, ".SH \"{}\"\n{}", title.to_uppercase(), below(&String::from_utf8_lossy(&text)))?;
    }
    notes(&definition, &mut page)?;
    whole.render_version_section(&mut page)?;
    Ok(page)
}

/// What follows the flags in the help of a command, line by line as it is there.
fn notes(command: &Command, page: &mut Vec<u8>) -> io::Result<()> {
    let Some(notes) = command.get_after_help() else { return Ok(()) };
    let mut section = Roff::default();
    section.control("SH", ["NOTES"]).control("nf", []);
    for line in notes.to_string().lines() {
        section.text([roman(line)]);
    }
    section.control("fi", []);
    section.to_writer(page)
}

/// The sections of a command, as parts of a section.
fn below(sections: &str) -> String {
    let lines = sections.lines().map(|line| match line.strip_prefix(".SH ") {
        Some(title) => format!(".SS {title}\n"),
        None => format!("{line}\n"),
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum as _;

    use super::*;

    /// The long flags of all commands, and the commands' names.
    fn names() -> Vec<String> {
        let definition = definition();
        let commands = || definition.get_subcommands().filter(|command| command.get_name() != "help");
        let flags = commands().chain([&definition]).flat_map(Command::get_arguments);
        let flags = flags.filter_map(|flag| flag.get_long().map(str::to_owned));
        commands().map(|command| command.get_name().to_owned()).chain(flags).collect()
    }

    #[test]
    fn completions_and_the_manual_name_every_command_and_flag() {
        let mut texts: Vec<(String, String)> = Shell::value_variants()
            .iter()
            .map(|shell| (shell.to_string(), String::from_utf8(completions(*shell)).expect("is text")))
            .collect();
        assert_eq!(texts.len(), 5);
        // roff writes a hyphen with a backslash.
        let page = String::from_utf8(man().expect("is made in memory")).expect("is text").replace('\\', "");
        texts.push(("man".to_owned(), page));
        let names = names();
        for expected in ["serve", "query", "completions", "man", "database-uri", "tls-certificate", "url", "param"] {
            assert!(names.iter().any(|name| name == expected), "{expected}: {names:?}");
        }
        for (of, text) in texts {
            for name in &names {
                assert!(text.contains(name), "{of} does not name {name}");
            }
            assert!(!text.contains("embedded-engine"), "{of} names what is hidden");
        }
    }
}
