//! Completion scripts for bash, zsh and fish, `docs/completions/`.

use super::Page;
use clap::{Arg, ArgAction, Command, ValueHint};
use clap_complete::{Shell, generate};
use nmsgtool::flags::{Flag, FlagSet, Kind};

/// Returns one script per shell.
pub(super) fn render(flags: FlagSet) -> Vec<Page> {
    [
        (Shell::Bash, "docs/completions/nmsgtool.bash"),
        (Shell::Zsh, "docs/completions/_nmsgtool"),
        (Shell::Fish, "docs/completions/nmsgtool.fish"),
    ]
    .map(|(shell, path)| {
        let mut script = Vec::new();
        generate(shell, &mut command(flags), "nmsgtool", &mut script);
        let mut text = String::from_utf8_lossy(&script).into_owned();
        if shell == Shell::Zsh {
            // `-x+[` would offer values attached to the letter, which is not our grammar.
            text = text.replace("+[", "[");
        }
        Page { path, text }
    })
    .into()
}

/// Describes the options to the script generator; nothing is parsed with it.
fn command(flags: FlagSet) -> Command {
    Command::new("nmsgtool")
        .disable_help_flag(true)
        .disable_version_flag(true)
        .args(flags.iter().map(argument))
}

fn argument(flag: &'static Flag) -> Arg {
    let action = match flag.kind {
        Kind::Switch => ArgAction::SetTrue,
        Kind::Counter => ArgAction::Count,
        Kind::Single | Kind::Integer => ArgAction::Set,
        Kind::List => ArgAction::Append,
    };
    let mut argument = Arg::new(flag.long).long(flag.long).help(flag.help).action(action);
    if let Some(letter) = flag.short {
        argument = argument.short(letter);
    }
    if !flag.takes_value() {
        return argument;
    }
    argument = argument.value_name(flag.label).value_hint(hint(flag.label));
    // A label such as ACCEPT|DROP lists all that the option takes.
    if flag.label.contains('|') {
        argument = argument.value_parser(flag.label.split('|').collect::<Vec<_>>());
    }
    argument
}

/// Returns what a shell may offer for a value.
fn hint(label: &str) -> ValueHint {
    match label {
        "file" => ValueHint::FilePath,
        "user" => ValueHint::Username,
        "cmd" => ValueHint::CommandString,
        _ => ValueHint::Other,
    }
}
