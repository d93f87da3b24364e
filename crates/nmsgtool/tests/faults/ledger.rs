//! The ledger that the program shows with `--stats`.

use crate::tool::Ran;

/// Payloads that came in and that were written, of a run that accounts for all of them.
pub(crate) fn balanced(ran: &Ran) -> (u64, u64) {
    let total = ran.stderr.lines().find_map(|line| line.strip_prefix("total: "));
    let total = total.unwrap_or_else(|| panic!("no ledger: {ran:?}"));
    let words: Vec<&str> = total.split(' ').collect();
    let ([n_in, _, "in,", n_out, "out,", "balanced"], _) =
        words.split_first_chunk::<6>().expect("six words")
    else {
        panic!("{}", ran.stderr)
    };
    (n_in.parse().expect("a number"), n_out.parse().expect("a number"))
}

/// The account of an output: payloads written, and what else became of payloads.
pub(crate) fn output<'r>(ran: &'r Ran, name: &str) -> (u64, &'r str) {
    let start = format!("output {name}: ");
    let line = ran.stderr.lines().find_map(|line| line.strip_prefix(&start));
    let line = line.unwrap_or_else(|| panic!("no output {name}: {}", ran.stderr));
    let (written, rest) = line.split_once(' ').expect("words");
    (written.parse().expect("a number"), rest)
}

/// A number that a word in the ledger or a message follows.
pub(crate) fn count_of(text: &str, what: &str) -> u64 {
    let before = text.split(what).next().filter(|before| before.len() < text.len());
    let number = before.and_then(|before| before.trim_end().rsplit(' ').next());
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}
