use std::fmt;

use super::{Candidate, Filter, FilterFailed, Verdict};
use crate::text::c_number::CInteger;

/// Settings of the built-in `sample` filter (`nmsgtool-cli` §6.6).
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Sampling {
    /// Keeps one payload of every so many; never 0.
    Count(u64),
    /// Keeps each payload with this probability, 0.0 to 1.0.
    Random(f64),
}

/// Why the parameter of the `sample` filter was refused. The texts are those of the filter module.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum SamplingError {
    /// There is no parameter.
    Missing,
    /// The parameter is not `NAME=VALUE`.
    Malformed(String),
    /// The value of `count` is no whole number.
    NotInteger(String),
    /// The value of `random` is no number.
    NotFloat(String),
    /// The value of `count` is 0.
    CountRange,
    /// The value of `random` is no probability.
    RandomRange {
        /// Option as it is called.
        option: &'static str,
        /// Value as given.
        value: String,
    },
    /// There is no such option.
    Unknown(String),
}

impl fmt::Display for SamplingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("module parameter is required but missing"),
            Self::Malformed(text) => write!(f, "error parsing module parameter '{text}'"),
            Self::NotInteger(text) => write!(f, "error converting string to integer: '{text}'"),
            Self::NotFloat(text) => {
                write!(f, "error converting string to floating point value: '{text}'")
            }
            Self::CountRange => write!(f, "'count' value 0 is out of range [1, {}]", u64::MAX),
            Self::RandomRange { option, value } => {
                write!(f, "'{option}' value {value} is out of range [0.0, 1.0]")
            }
            Self::Unknown(text) => write!(f, "unrecognized option '{text}'"),
        }
    }
}

impl std::error::Error for SamplingError {}

impl Sampling {
    /// Reads `count=K`, `random=P` or `rate=P`; `rate` is another name of `random`.
    ///
    /// # Errors
    ///
    /// The parameter is missing or empty, or not one of these with a value in range.
    pub fn parse(parameter: Option<&str>) -> Result<Self, SamplingError> {
        let Some(parameter) = parameter.filter(|parameter| !parameter.is_empty()) else {
            return Err(SamplingError::Missing);
        };
        let mut words = parameter.split(['=', ',']).filter(|word| !word.is_empty());
        let (Some(option), Some(value), None) = (words.next(), words.next(), words.next()) else {
            return Err(SamplingError::Malformed(parameter.to_owned()));
        };
        if option.eq_ignore_ascii_case("count") {
            return match CInteger::parse(value.as_bytes()).map(CInteger::wrapping_unsigned) {
                Some(0) => Err(SamplingError::CountRange),
                Some(count) => Ok(Self::Count(count)),
                None => Err(SamplingError::NotInteger(value.to_owned())),
            };
        }
        let option = ["random", "rate"]
            .into_iter()
            .find(|name| option.eq_ignore_ascii_case(name))
            .ok_or_else(|| SamplingError::Unknown(option.to_owned()))?;
        match value.trim_start().parse::<f64>() {
            Ok(share) if (0.0..=1.0).contains(&share) => Ok(Self::Random(share)),
            Ok(_) => Err(SamplingError::RandomRange { option, value: value.to_owned() }),
            Err(_) => Err(SamplingError::NotFloat(value.to_owned())),
        }
    }

    /// The filter for one input. `seed` differs from run to run, `input` from input to input of a
    /// run, so that inputs do not keep their payloads in step.
    #[must_use]
    pub fn start(self, seed: u64, input: u64) -> Sample {
        let mut random = Random { state: seed ^ input.wrapping_mul(0xd134_2543_de82_ef95) };
        let seen = match self {
            Self::Count(count) => random.next() % count,
            Self::Random(_) => 0,
        };
        Sample { sampling: self, seen, random }
    }
}

/// A generator of the `SplitMix64` family: good enough to choose payloads, and small.
#[derive(Clone, Debug)]
struct Random {
    state: u64,
}

impl Random {
    #[inline]
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    /// A number from 0.0 up to but not including 1.0.
    #[inline]
    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// The `sample` filter at work on one input. What it keeps it declines, what it does not keep it
/// drops.
#[derive(Clone, Debug)]
pub struct Sample {
    sampling: Sampling,
    /// Payloads since the last one that was kept.
    seen: u64,
    random: Random,
}

impl Sample {
    /// Tells whether the next payload is kept.
    #[inline]
    pub fn keep(&mut self) -> bool {
        match self.sampling {
            Sampling::Count(count) => {
                self.seen += 1;
                let keep = self.seen >= count;
                if keep {
                    self.seen = 0;
                }
                keep
            }
            Sampling::Random(share) => self.random.unit() < share,
        }
    }
}

impl Filter for Sample {
    fn filter(&mut self, _: &mut Candidate<'_>) -> Result<Verdict, FilterFailed> {
        Ok(if self.keep() { Verdict::Declined } else { Verdict::Drop })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Payload;
    use crate::filter::{FilterChain, Policy};

    #[test]
    fn mo_4_parameters_are_read_as_the_filter_module_reads_them() {
        for (parameter, want) in [
            ("count=3", Ok(Sampling::Count(3))),
            ("COUNT=3", Ok(Sampling::Count(3))),
            ("count== 3", Ok(Sampling::Count(3))),
            ("count,3", Ok(Sampling::Count(3))),
            ("count=0x10", Ok(Sampling::Count(16))),
            ("count=010", Ok(Sampling::Count(8))),
            ("count=+7", Ok(Sampling::Count(7))),
            ("count=-1", Ok(Sampling::Count(u64::MAX))),
            ("count=18446744073709551616", Ok(Sampling::Count(u64::MAX))),
            ("random=0.5", Ok(Sampling::Random(0.5))),
            ("Rate=1e-1", Ok(Sampling::Random(0.1))),
            ("random=0", Ok(Sampling::Random(0.0))),
            ("random=1", Ok(Sampling::Random(1.0))),
            ("", Err("module parameter is required but missing")),
            ("count", Err("error parsing module parameter 'count'")),
            ("count=", Err("error parsing module parameter 'count='")),
            ("=1", Err("error parsing module parameter '=1'")),
            ("count=3,random=1", Err("error parsing module parameter 'count=3,random=1'")),
            ("count=x", Err("error converting string to integer: 'x'")),
            ("count=3 ", Err("error converting string to integer: '3 '")),
            ("count=08", Err("error converting string to integer: '08'")),
            ("count=0x", Err("error converting string to integer: '0x'")),
            ("count=-", Err("error converting string to integer: '-'")),
            ("count= ", Err("error converting string to integer: ' '")),
            ("count=0", Err("'count' value 0 is out of range [1, 18446744073709551615]")),
            ("random=x", Err("error converting string to floating point value: 'x'")),
            ("random=0.5x", Err("error converting string to floating point value: '0.5x'")),
            ("random=2", Err("'random' value 2 is out of range [0.0, 1.0]")),
            ("rate=-0.5", Err("'rate' value -0.5 is out of range [0.0, 1.0]")),
            ("random=nan", Err("'random' value nan is out of range [0.0, 1.0]")),
            ("foo=1", Err("unrecognized option 'foo'")),
        ] {
            let got = Sampling::parse(Some(parameter)).map_err(|error| error.to_string());
            assert_eq!(got, want.map_err(str::to_owned), "{parameter:?}");
        }
        assert_eq!(Sampling::parse(None), Err(SamplingError::Missing));
    }

    fn kept(sampling: Sampling, seed: u64, input: u64, payloads: usize) -> Vec<usize> {
        let mut sample = sampling.start(seed, input);
        (0..payloads).filter(|_| sample.keep()).collect()
    }

    #[test]
    fn mo_4_count_keeps_every_kth_from_a_random_phase() {
        let mut phases = [0; 4];
        let mut input_differs = false;
        for seed in 0..200 {
            let third = kept(Sampling::Count(3), seed, 0, 15);
            assert_eq!(third.len(), 5);
            let fourth = kept(Sampling::Count(4), seed, 0, 15);
            assert!(fourth.windows(2).all(|pair| pair[1] - pair[0] == 4));
            assert!(matches!(fourth.len(), 3 | 4));
            phases[fourth[0]] += 1;
            input_differs |= fourth[0] != kept(Sampling::Count(4), seed, 1, 15)[0];
        }
        assert!(phases.iter().all(|&count| count > 20), "{phases:?}");
        assert!(input_differs);
        assert_eq!(kept(Sampling::Count(1), 7, 7, 10).len(), 10);
        assert!(kept(Sampling::Count(u64::MAX), 1, 0, 1000).is_empty());
    }

    #[test]
    fn random_keeps_its_share() {
        for (share, range) in [(0.0, 0..=0), (0.1, 9_000..=11_000), (1.0, 100_000..=100_000)] {
            let count = kept(Sampling::Random(share), 42, 0, 100_000).len();
            assert!(range.contains(&count), "{share}: {count}");
        }
        let runs = |seed| kept(Sampling::Random(0.5), seed, 0, 64);
        assert_eq!(runs(1), runs(1), "the same seed chooses the same payloads");
        assert_ne!(runs(1), runs(2));
    }

    #[test]
    fn mo_4_what_is_kept_is_declined() {
        for (policy, want) in [(Policy::Accept, 5), (Policy::Drop, 0)] {
            let mut chain = FilterChain::new(policy);
            chain.push(Box::new(Sampling::Count(3).start(9, 1)));
            let passed =
                (0..15).filter(|_| chain.accepts(&mut Candidate::new(Payload::default())).unwrap());
            assert_eq!(passed.count(), want);
        }
    }
}
