//! Paragraphs that the man page and the reference page share.
//!
//! Words between backquotes are shown as literal text.

use nmsgtool::flags::{FlagId, FlagSet};

/// What the program is for.
pub(super) fn description(flags: FlagSet) -> [String; 3] {
    let order: Vec<&str> = [
        (FlagId::WriteSocket, "UDP sockets"),
        (FlagId::WriteZmqSocket, "ZeroMQ endpoints"),
        (FlagId::WriteKafka, "Kafka topics"),
        (FlagId::WriteNmsg, "container files"),
        (FlagId::WritePres, "presentation text"),
        (FlagId::WriteJson, "JSON lines"),
    ]
    .into_iter()
    .filter_map(|(id, name)| flags.has(id).then_some(name))
    .collect();
    [
        "`nmsgtool` moves messages from inputs to outputs and converts between containers, \
         presentation text and JSON lines on the way. Any number of inputs and outputs can be \
         named. Without an output, messages are printed on standard output as presentation text."
            .to_owned(),
        format!(
            "With several outputs, messages are dealt out to them in turn, in this order whatever \
             the order on the command line: {}. `--mirror` gives every message to every output \
             instead.",
            order.join(", ")
        ),
        "Input that is damaged is reported with its place and skipped; everything intact is \
         delivered, and the exit status tells. Messages go to standard error, data to standard \
         output, and a run without trouble prints nothing but data."
            .to_owned(),
    ]
}

/// How the command line is read.
pub(super) const GRAMMAR: &[&str] = &[
    "A value is the next word or stands after an equals sign: `-c 10`, `-c=10`, `--count 10`, \
     `--count=10`. It is not attached to the letter: `-c10` is an error.",
    "Letters may be clustered. Those that take values take the words that follow, in order: \
     `-rc FILE 10` is `-r FILE -c 10`. A value after an equals sign goes to every letter of its \
     cluster.",
    "A word that starts with a dash is an option even where a value is awaited, except a lone \
     `-` and, for options that take a number, a negative number. Write `-e=-x` for such a value, \
     or put `--` before it: after that every word is a value.",
    "Long options may be shortened to any prefix that only one of them has.",
    "Options that can be given more than once keep their order; of all others the last one \
     counts. A switch is turned off by `=no` and on by `=yes`.",
    "Numbers are whole and decimal. Sources, operators and groups are also read as hexadecimal \
     after `0x` and octal after `0`.",
    "A file named `-` is standard input or standard output. A regular file that is both read and \
     written, or written twice, is refused.",
];

/// Variables that are not the default of an option.
pub(super) const VARIABLES: &[(&str, &str)] = &[
    (
        "NMSG_OPALIAS_FILE",
        "File of operator aliases, one number and name per line, instead of the one in the \
         configuration directory.",
    ),
    (
        "NMSG_GRALIAS_FILE",
        "File of group aliases, one number and name per line, instead of the one in the \
         configuration directory.",
    ),
    (
        "DNSQR_RES_ADDRS",
        "Addresses of resolvers, separated by commas, each perhaps with a prefix length: `dnsqr` \
         captures their queries to other servers and the responses.",
    ),
    (
        "DNSQR_AUTH_ADDRS",
        "Addresses of name servers, in the same form: `dnsqr` captures queries to them and their \
         responses.",
    ),
    (
        "DNSQR_CAPTURE_QR",
        "0 for `dnsqr` to capture queries only, 1 for responses only; nothing is matched then.",
    ),
    ("DNSQR_CAPTURE_RD", "0 or 1: `dnsqr` keeps only transactions whose RD flag is this."),
    (
        "DNSQR_ZERO_RESOLVER_ADDRESS",
        "A number that is not 0: `dnsqr` replaces the address of the side that asks by zeros.",
    ),
    (
        "DNSQR_STATE_TABLE_MAX",
        "How many queries `dnsqr` keeps at most while they wait for their responses; 131072 unless \
         set.",
    ),
    (
        "DNSQR_QUERY_TIMEOUT",
        "After how many seconds `dnsqr` gives up waiting for a response; 60 unless set.",
    ),
    (
        "DNSQR_FILTER_QNAMES_EXCLUDE",
        "Domain names, separated by colons: `dnsqr` leaves out transactions about them and names \
         below them.",
    ),
    (
        "DNSQR_FILTER_QNAMES_INCLUDE",
        "Domain names, in the same form, that are exempt from the former.",
    ),
];
