//! The options of the program: one table that the grammar, the help text, the
//! man page, the shell completions, the reference page and the tests all read.
//!
//! An option whose work the program cannot do yet is written down in the table
//! with `available: false` and is then absent everywhere: it is not parsed, not
//! listed, and does not make the prefix of another option ambiguous.

mod table;

pub use table::FLAGS;

/// Names one option of the table.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[expect(missing_docs, reason = "each name is the long name of the option it stands for")]
pub enum FlagId {
    Bpf,
    ByteRate,
    Count,
    ReadChannel,
    Debug,
    Daemon,
    Endline,
    ReadPres,
    Filter,
    GetGroup,
    GetOperator,
    GetSource,
    Help,
    ReadInterface,
    ReadJson,
    WriteJson,
    Kicker,
    KafkaKey,
    ReadKafka,
    ReadSocket,
    ReadZmqSocket,
    Mtu,
    StatsModule,
    Mirror,
    WritePres,
    ReadPcap,
    PidFile,
    Policy,
    ReadNmsg,
    Randomize,
    WriteSocket,
    WriteZmqSocket,
    SetGroup,
    SetOperator,
    SetSource,
    Interval,
    MessageType,
    UserName,
    Unbuffered,
    Version,
    Vendor,
    WriteNmsg,
    WriteKafka,
    ReadZmqChannel,
    ZlibOut,
    Where,
    FlushInterval,
    RotateSize,
    SkipEmpty,
    Threads,
    KeepGoing,
    Strict,
    Stats,
    Metrics,
    LogFormat,
    Ttl,
    ClassicCapture,
    WholeRecords,
}

/// What an option takes and how repetition adds up.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// On or off; the last one given decides.
    Switch,
    /// Each mention adds one; `=N` sets the number.
    Counter,
    /// A value; the last one given decides.
    Single,
    /// A whole number of any sign; the last one given decides.
    ///
    /// Only these options accept a separate value that starts with `-`.
    Integer,
    /// A value; every mention adds one to a list.
    List,
}

/// The heading an option is listed under.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Group {
    /// Where messages come from.
    Input,
    /// Where messages go and how they are written.
    Output,
    /// Which messages pass and what their headers say.
    Selection,
    /// When to stop, slow down or start a new file.
    Limits,
    /// Loadable filter and statistics modules.
    Extension,
    /// How the process runs and what it does on damage.
    Process,
    /// Help, version and reports.
    Diagnostics,
}

impl Group {
    /// Every group, in the order in which they are listed.
    pub const ALL: [Self; 7] = [
        Self::Input,
        Self::Output,
        Self::Selection,
        Self::Limits,
        Self::Extension,
        Self::Process,
        Self::Diagnostics,
    ];

    /// Returns the heading, such as `Input`.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Input => "Input",
            Self::Output => "Output",
            Self::Selection => "Selection and labels",
            Self::Limits => "Limits",
            Self::Extension => "Modules",
            Self::Process => "Process",
            Self::Diagnostics => "Diagnostics",
        }
    }
}

/// Whether the C tool of the same name has the option.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Origin {
    /// Known from the C tool: its abbreviations keep their meaning for good.
    Classic,
    /// Added here: abbreviated only where no classic option matches.
    New,
}

/// One option.
#[derive(Debug)]
pub struct Flag {
    /// The name code uses.
    pub id: FlagId,
    /// The long name without dashes.
    pub long: &'static str,
    /// The letter, where there is one.
    pub short: Option<char>,
    /// What the value is called in help texts; empty for options without value.
    pub label: &'static str,
    /// What it takes and how repetition adds up.
    pub kind: Kind,
    /// The heading it is listed under.
    pub group: Group,
    /// Whether it is older than this program.
    pub origin: Origin,
    /// What holds when it is not given, as shown to users.
    pub default: Option<&'static str>,
    /// Environment variable that stands in for an option not given.
    pub env: Option<&'static str>,
    /// One line for the help text.
    pub help: &'static str,
    /// A paragraph for the manual.
    pub doc: &'static str,
    /// Sentences that follow `doc` where the option they speak of is available.
    pub also: &'static [(FlagId, &'static str)],
    /// A command that shows it at work.
    pub example: &'static str,
    /// Whether the program can do it; `false` hides the option everywhere.
    pub available: bool,
}

impl Flag {
    /// Returns whether the option takes a value.
    pub const fn takes_value(&self) -> bool {
        matches!(self.kind, Kind::Single | Kind::Integer | Kind::List)
    }

    /// Returns the shortest spelling, such as `-r` or `--mirror`.
    pub fn spelling(&self) -> String {
        match self.short {
            Some(letter) => format!("-{letter}"),
            None => format!("--{}", self.long),
        }
    }
}

/// The options a command line is read with.
#[derive(Clone, Copy, Debug)]
pub struct FlagSet {
    flags: &'static [Flag],
    hidden_too: bool,
}

impl FlagSet {
    /// Returns the options of this build.
    pub const fn available() -> Self {
        Self { flags: FLAGS, hidden_too: false }
    }

    /// Returns the whole table, for tests of rules that need absent options.
    #[cfg(test)]
    pub(crate) const fn whole_table() -> Self {
        Self { flags: FLAGS, hidden_too: true }
    }

    /// Visits the options in table order.
    pub fn iter(self) -> impl Iterator<Item = &'static Flag> {
        self.flags.iter().filter(move |flag| self.hidden_too || flag.available)
    }

    /// Visits the options of one heading in table order.
    pub fn in_group(self, group: Group) -> impl Iterator<Item = &'static Flag> {
        self.iter().filter(move |flag| flag.group == group)
    }

    /// Returns the option with this letter, if there is one.
    pub fn by_letter(self, letter: char) -> Option<&'static Flag> {
        self.iter().find(|flag| flag.short == Some(letter))
    }

    /// Returns the option with this id, if it is part of the set.
    pub fn get(self, id: FlagId) -> Option<&'static Flag> {
        self.iter().find(|flag| flag.id == id)
    }

    /// Returns whether the option is part of the set.
    pub fn has(self, id: FlagId) -> bool {
        self.get(id).is_some()
    }

    /// Returns the manual paragraph of an option, with the sentences about
    /// other options that are part of the set.
    pub fn manual(self, flag: &Flag) -> String {
        let mut text = flag.doc.to_owned();
        for (_, sentence) in flag.also.iter().filter(|(about, _)| self.has(*about)) {
            text.push(' ');
            text.push_str(sentence);
        }
        text
    }
}

/// Returns the shortest spelling of an option of the table.
pub fn spelling(id: FlagId) -> String {
    FLAGS.iter().find(|flag| flag.id == id).map(Flag::spelling).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn names_letters_and_ids_are_unique() {
        let mut longs = HashSet::new();
        let mut letters = HashSet::new();
        let mut ids = HashSet::new();
        for flag in FLAGS {
            assert!(longs.insert(flag.long), "two options are called --{}", flag.long);
            assert!(ids.insert(flag.id), "{:?} stands twice in the table", flag.id);
            if let Some(letter) = flag.short {
                assert!(letters.insert(letter), "two options have the letter -{letter}");
            }
        }
    }

    #[test]
    fn every_row_is_complete() {
        for flag in FLAGS {
            let name = flag.long;
            assert_eq!(flag.takes_value(), !flag.label.is_empty(), "--{name}: label");
            assert!(flag.help.len() <= 60, "--{name}: the help line is too long");
            assert!(!flag.help.ends_with('.'), "--{name}: the help line is no sentence");
            assert!(flag.doc.ends_with('.'), "--{name}: the paragraph is sentences");
            assert!(flag.doc.len() > flag.help.len(), "--{name}: the paragraph says more");
            assert!(flag.example.starts_with("nmsgtool "), "--{name}: the example is a command");
        }
    }

    /// The option set of the C tool, release 1.3.3 (`nmsgtool-cli` §3.1).
    #[test]
    fn classic_options_are_those_of_the_c_tool() {
        let want = "bpf b, byterate B, count c, readchan C, debug d, daemon D, endline e, \
            readpres f, filter F, getgroup, getoperator, getsource, help h, readif i, readjson j, \
            writejson J, kicker k, kafkakey, readkafka, readsock l, readzsock L, mtu m, statsmod M, \
            mirror, writepres o, readpcap p, pidfile P, policy, readnmsg r, randomize R, \
            writesock s, writezsock S, setgroup, setoperator, setsource, interval t, msgtype T, \
            username U, unbuffered, version v, vendor V, writenmsg w, writekafka, readzchan Z, \
            zlibout z";
        let have: Vec<String> = FLAGS
            .iter()
            .filter(|flag| flag.origin == Origin::Classic)
            .map(|flag| match flag.short {
                Some(letter) => format!("{} {letter}", flag.long),
                None => flag.long.to_owned(),
            })
            .collect();
        assert_eq!(have.join(", "), want);
    }

    #[test]
    fn lists_counters_and_integers_are_those_of_the_c_tool() {
        let of_kind = |kind| -> String {
            FLAGS
                .iter()
                .filter(|flag| flag.origin == Origin::Classic && flag.kind == kind)
                .filter_map(|flag| flag.short)
                .collect()
        };
        assert_eq!(of_kind(Kind::List), "CfFijJlLMoprsSwZ");
        assert_eq!(of_kind(Kind::Counter), "d");
        assert_eq!(of_kind(Kind::Integer), "Bcmt");
        assert_eq!(of_kind(Kind::Switch), "DhRvz");
    }

    #[test]
    fn texts_speak_only_of_available_options() {
        let set = FlagSet::available();
        for flag in set.iter() {
            let text = format!("{} {} {}", flag.help, set.manual(flag), flag.example);
            for word in text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-')) {
                let known = if let Some(long) = word.strip_prefix("--") {
                    set.iter().any(|other| other.long == long)
                } else if let Some(cluster) = word.strip_prefix('-') {
                    cluster.chars().all(|c| c.is_ascii_digit() || set.by_letter(c).is_some())
                } else {
                    true
                };
                assert!(known, "--{}: mentions {word}", flag.long);
            }
        }
    }

    #[test]
    fn absent_options_are_not_found() {
        let hidden = FLAGS.iter().filter(|flag| !flag.available);
        for flag in hidden {
            assert!(!FlagSet::available().has(flag.id), "--{}", flag.long);
        }
        assert!(FlagSet::available().has(FlagId::ReadNmsg));
        assert!(FlagSet::whole_table().iter().count() == FLAGS.len());
    }
}
