//! The grammar of the command line, which is older than getopt's and differs
//! from it: values of clustered letters follow later, in order (`-rc FILE 3`),
//! a value is attached only by `=`, and nothing that starts with a dash is a
//! value (`nmsgtool-cli` §2.1).
//!
//! No general parser is placed behind these rules. Once a token has been told
//! apart as option or value under them, nothing is left to parse; a library
//! would only add start-up time and messages that speak of another grammar.
//! It earns its place where the table becomes completion scripts, at
//! documentation time.

use crate::failure::{Failure, FailureKind};
use crate::flags::{FLAGS, Flag, FlagId, FlagSet, Kind, Origin};
use crate::spell;
use std::collections::{BTreeMap, VecDeque};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

/// Spellings of `--help` that scripts of the C tool may use.
const HELP_ALIASES: [&str; 4] = ["usage", "usage-all", "usage-long", "usage-short"];

/// Most letters that a value behind `=` is given to: each gets a copy.
const MOST_SHARING: usize = 64;

/// One mention of an option on the command line.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Mention {
    /// A switch, on or off.
    Switch(bool),
    /// A counter, one up.
    More,
    /// The value of an option that takes one, or the number set for a counter.
    Value(OsString),
}

/// The options given, each with its mentions in the order their values came.
///
/// Whoever acts on an option takes it out, so that what nobody acts on can be
/// told apart from what was never given.
#[derive(Debug, Default)]
pub struct Given {
    mentions: BTreeMap<FlagId, Vec<Mention>>,
}

impl Given {
    /// Takes a switch; the last mention decides.
    pub fn take_switch(&mut self, id: FlagId) -> bool {
        let mentions = self.mentions.remove(&id).unwrap_or_default();
        mentions.last() == Some(&Mention::Switch(true))
    }

    /// Takes a counter: the last number set, if any, and the mentions after it.
    pub fn take_counter(&mut self, id: FlagId) -> (Option<OsString>, u32) {
        let mut set = None;
        let mut more = 0_u32;
        for mention in self.mentions.remove(&id).unwrap_or_default() {
            match mention {
                Mention::Value(value) => (set, more) = (Some(value), 0),
                Mention::More | Mention::Switch(_) => more = more.saturating_add(1),
            }
        }
        (set, more)
    }

    /// Takes a value; the last mention decides, and `None` is "not given".
    pub fn take_value(&mut self, id: FlagId) -> Option<OsString> {
        self.take_list(id).pop()
    }

    /// Returns a value that is still to be taken; the last mention decides.
    pub fn value(&self, id: FlagId) -> Option<&OsStr> {
        self.mentions.get(&id)?.iter().rev().find_map(|mention| match mention {
            Mention::Value(value) => Some(&**value),
            Mention::Switch(_) | Mention::More => None,
        })
    }

    /// Takes every value of a list, in the order they came.
    pub fn take_list(&mut self, id: FlagId) -> Vec<OsString> {
        let mentions = self.mentions.remove(&id).unwrap_or_default();
        let value = |mention| match mention {
            Mention::Value(value) => Some(value),
            Mention::Switch(_) | Mention::More => None,
        };
        mentions.into_iter().filter_map(value).collect()
    }

    /// Returns whether the option was given and nobody has taken it yet.
    pub fn holds(&self, id: FlagId) -> bool {
        self.mentions.contains_key(&id)
    }

    /// Gives an option a value that does not come from the command line.
    pub fn supply(&mut self, id: FlagId, value: OsString) {
        self.push(id, Mention::Value(value));
    }

    /// Returns the options that nobody has taken.
    pub fn rest(&self) -> impl Iterator<Item = FlagId> {
        self.mentions.keys().copied()
    }

    fn push(&mut self, id: FlagId, mention: Mention) {
        self.mentions.entry(id).or_default().push(mention);
    }
}

/// What a command line asks for.
#[derive(Debug)]
pub enum Command {
    /// Print the help text; wins over everything else, mistakes included.
    Help,
    /// Print the version; wins over mistakes.
    Version,
    /// Process messages.
    Run(Given),
}

/// Reads the tokens that follow the program's name.
///
/// # Errors
///
/// The first violation of the grammar, of kind [`FailureKind::Grammar`].
pub fn parse(
    flags: FlagSet,
    tokens: impl IntoIterator<Item = OsString>,
) -> Result<Command, Failure> {
    let mut reader = Reader { flags, ..Reader::default() };
    for token in tokens {
        reader.token(token);
    }
    reader.finish()
}

#[derive(Debug)]
struct Reader {
    flags: FlagSet,
    given: Given,
    /// Options whose value has not come yet, in the order of their mention.
    awaiting: VecDeque<&'static Flag>,
    only_values: bool,
    stray: Vec<OsString>,
    problem: Option<Failure>,
}

impl Default for Reader {
    fn default() -> Self {
        Self {
            flags: FlagSet::available(),
            given: Given::default(),
            awaiting: VecDeque::new(),
            only_values: false,
            stray: Vec::new(),
            problem: None,
        }
    }
}

impl Reader {
    fn token(&mut self, token: OsString) {
        let bytes = token.as_bytes();
        if self.only_values || !bytes.starts_with(b"-") || bytes == b"-" || self.is_number(bytes) {
            match self.awaiting.pop_front() {
                Some(flag) => self.given.push(flag.id, Mention::Value(token)),
                None => self.stray.push(token),
            }
            return;
        }
        if bytes == b"--" {
            self.only_values = true;
            return;
        }
        let (name, value) = split_at_equals(&token);
        match name.as_bytes().strip_prefix(b"--") {
            Some(long) => self.long_option(OsStr::from_bytes(long), value),
            None => self.cluster(name, value),
        }
    }

    /// Returns whether the token is a negative number where one is awaited.
    fn is_number(&self, token: &[u8]) -> bool {
        let awaited = self.awaiting.front().is_some_and(|flag| flag.kind == Kind::Integer);
        let digits = token.strip_prefix(b"-").unwrap_or_default();
        awaited && !digits.is_empty() && digits.iter().all(u8::is_ascii_digit)
    }

    fn long_option(&mut self, name: &OsStr, value: Option<&OsStr>) {
        match self.find_long(name) {
            Some(flag) => self.option(flag, value),
            None => self.complain(|reader| reader.not_a_long_option(name)),
        }
    }

    fn cluster(&mut self, name: &OsStr, value: Option<&OsStr>) {
        let letters = name.to_string_lossy();
        let letters = letters.strip_prefix('-').unwrap_or_default();
        if letters.is_empty() {
            self.complain(|_| Failure::new(FailureKind::Grammar, "empty short-option prefix '-'"));
            return;
        }
        if value.is_some() && letters.len() > MOST_SHARING {
            self.complain(|_| {
                let message = format!("more than {MOST_SHARING} letters share one value");
                Failure::new(FailureKind::Grammar, message)
            });
            return;
        }
        let mut before: Option<(&'static Flag, usize)> = None;
        for (at, letter) in letters.char_indices() {
            if letter == '?' {
                self.given.push(FlagId::Help, Mention::Switch(true));
                continue;
            }
            let Some(flag) = self.flags.by_letter(letter) else {
                self.complain(|reader| reader.unknown_letter(letter, before, letters));
                continue;
            };
            self.option(flag, value);
            if flag.takes_value() && before.is_none() {
                before = Some((flag, at + letter.len_utf8()));
            }
        }
    }

    fn option(&mut self, flag: &'static Flag, value: Option<&OsStr>) {
        match (flag.kind, value) {
            (Kind::Switch, None) => self.given.push(flag.id, Mention::Switch(true)),
            (Kind::Switch, Some(word)) => {
                let on = matches!(word.as_bytes().first(), Some(b't' | b'T' | b'y' | b'Y' | b'1'));
                self.given.push(flag.id, Mention::Switch(on));
            }
            (Kind::Counter, None) => self.given.push(flag.id, Mention::More),
            (_, Some(value)) => self.given.push(flag.id, Mention::Value(value.to_owned())),
            (Kind::Single | Kind::Integer | Kind::List, None) => self.awaiting.push_back(flag),
        }
    }

    fn find_long(&self, name: &OsStr) -> Option<&'static Flag> {
        let name = name.to_str()?;
        let exact = self.flags.iter().find(|flag| flag.long == name);
        let alias = || HELP_ALIASES.contains(&name).then_some(FlagId::Help);
        exact.or_else(|| self.flags.get(alias()?)).or_else(|| match self.beginning(name)[..] {
            [only] => Some(only),
            _ => None,
        })
    }

    /// Returns the options an abbreviation may stand for.
    fn beginning(&self, name: &str) -> Vec<&'static Flag> {
        let of = |origin| -> Vec<&'static Flag> {
            let begins = |flag: &&Flag| flag.origin == origin && flag.long.starts_with(name);
            self.flags.iter().filter(begins).collect()
        };
        let classic = of(Origin::Classic);
        if classic.is_empty() { of(Origin::New) } else { classic }
    }

    #[cold]
    fn not_a_long_option(&self, name: &OsStr) -> Failure {
        let shown = spell::printable(name);
        let problem = |message| Failure::new(FailureKind::Grammar, message);
        if shown.is_empty() {
            return problem("empty long-option prefix '--'".to_owned());
        }
        let candidates = self.beginning(&shown);
        if let [first, second, ..] = candidates[..] {
            let names: Vec<String> =
                candidates.iter().map(|flag| format!("--{}", flag.long)).collect();
            // The C tool names the first two, the later one first.
            return problem(format!("'--{shown}' might be '{}' or '{}'", second.long, first.long))
                .with_hint(format!("options that begin so: {}", names.join(", ")));
        }
        let failure = problem(format!("unknown long option '--{shown}'."));
        if FLAGS.iter().any(|flag| flag.long == shown && !flag.available) {
            return failure.with_hint("this build of the program does not have it");
        }
        let longs = self.flags.iter().map(|flag| flag.long);
        failure.with_hint(match spell::nearest(&shown, longs) {
            Some(near) => format!("did you mean --{near}? (-h lists the options)"),
            None => "-h lists the options".to_owned(),
        })
    }

    #[cold]
    fn unknown_letter(
        &self,
        letter: char,
        before: Option<(&Flag, usize)>,
        letters: &str,
    ) -> Failure {
        let shown = spell::printable(OsStr::new(letter.encode_utf8(&mut [0; 4])));
        let hint = match (before, self.awaiting.front()) {
            (Some((flag, end)), _) => {
                let value = spell::printable(OsStr::new(letters.get(end..).unwrap_or_default()));
                let name = flag.spelling();
                format!(
                    "a value is not attached to a letter: write {name} {value} or {name}={value}"
                )
            }
            (None, Some(flag)) => {
                let value = spell::printable(OsStr::new(letters));
                format!("a value that starts with a dash is written {}=-{value}", flag.spelling())
            }
            (None, None) => "-h lists the options".to_owned(),
        };
        let message = format!("unknown short option '-{shown}'.");
        Failure::new(FailureKind::Grammar, message).with_hint(hint)
    }

    /// Keeps the first problem; the texts of later ones are not even made.
    fn complain(&mut self, problem: impl FnOnce(&Self) -> Failure) {
        if self.problem.is_none() {
            self.problem = Some(problem(self));
        }
    }

    fn finish(mut self) -> Result<Command, Failure> {
        let help = self.given.take_switch(FlagId::Help);
        let version = self.given.take_switch(FlagId::Version);
        if help {
            return Ok(Command::Help);
        }
        if version {
            return Ok(Command::Version);
        }
        if self.problem.is_none() {
            self.problem = self.stray_words().or_else(|| self.missing_values());
        }
        match self.problem {
            Some(failure) => Err(failure),
            None => Ok(Command::Run(self.given)),
        }
    }

    fn missing_values(&self) -> Option<Failure> {
        let first = self.awaiting.front()?;
        let missing = self.awaiting.len();
        let s = if missing == 1 { "" } else { "s" };
        let message = format!("{missing} more option-argument{s} must be specified");
        let (name, label) = (first.spelling(), first.label);
        let hint = format!("{name} is followed by a value: {name} {label}");
        Some(Failure::new(FailureKind::Grammar, message).with_hint(hint))
    }

    fn stray_words(&self) -> Option<Failure> {
        let first = self.stray.first()?;
        let count = self.stray.len();
        let s = if count == 1 { "" } else { "s" };
        let message = format!("{count} unwanted additional argument{s}");
        let shown = spell::printable(first);
        let hint =
            format!("no option is waiting for '{shown}'; a container file is read by -r file");
        Some(Failure::new(FailureKind::Grammar, message).with_hint(hint))
    }
}

fn split_at_equals(token: &OsStr) -> (&OsStr, Option<&OsStr>) {
    let bytes = token.as_bytes();
    match bytes.iter().position(|byte| *byte == b'=') {
        Some(at) => {
            let (name, value) = (&bytes[..at], &bytes[at + 1..]);
            (OsStr::from_bytes(name), Some(OsStr::from_bytes(value)))
        }
        None => (token, None),
    }
}

#[cfg(test)]
mod tests;
