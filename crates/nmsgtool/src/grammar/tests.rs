use super::*;
use FlagId::*;

fn tokens(line: &str) -> Vec<OsString> {
    line.split(' ').filter(|word| !word.is_empty()).map(OsString::from).collect()
}

/// Reads a line with the whole table: the rules do not depend on what this build can do.
fn read(line: &str) -> Result<Command, Failure> {
    parse(FlagSet::whole_table(), tokens(line))
}

fn given(line: &str) -> Given {
    match read(line) {
        Ok(Command::Run(given)) => given,
        other => panic!("{line}: {other:?}"),
    }
}

/// Shows what was given, in table order: `r=F c=3 z debug=+2`.
fn shown(line: &str) -> String {
    let mut given = given(line);
    let mut words = Vec::new();
    for flag in FlagSet::whole_table().iter() {
        if !given.holds(flag.id) {
            continue;
        }
        let name = flag.spelling();
        match flag.kind {
            Kind::Switch => {
                let state = if given.take_switch(flag.id) { "on" } else { "off" };
                words.push(format!("{name}:{state}"));
            }
            Kind::Counter => {
                let (set, more) = given.take_counter(flag.id);
                let set = set.map(|set| set.into_string().unwrap()).unwrap_or_default();
                words.push(format!("{name}:{set}+{more}"));
            }
            Kind::Single | Kind::Integer => {
                let value = given.take_value(flag.id).unwrap();
                words.push(format!("{name}:{}", value.to_str().unwrap()));
            }
            Kind::List => {
                for value in given.take_list(flag.id) {
                    words.push(format!("{name}:{}", value.to_str().unwrap()));
                }
            }
        }
    }
    words.join(" ")
}

fn problem(line: &str) -> String {
    match read(line) {
        Err(failure) => {
            assert_eq!(failure.kind(), FailureKind::Grammar, "{line}");
            failure.to_string()
        }
        Ok(command) => panic!("{line}: {command:?}"),
    }
}

fn hint(line: &str) -> String {
    read(line).unwrap_err().hint().unwrap_or_default().to_owned()
}

#[test]
fn cl_1_token_rules() {
    for (name, line, want) in [
        ("separate value", "-r F", "-r:F"),
        ("values queue behind a cluster", "-rc F 3", "-c:3 -r:F"),
        ("values queue behind two letters", "-r -c F 3", "-c:3 -r:F"),
        ("value follows at once", "-r F -c 3", "-c:3 -r:F"),
        ("long and short share the queue", "--count -r 3 F", "-c:3 -r:F"),
        ("switch inside a cluster", "-rzc F 3", "-c:3 -r:F -z:on"),
        ("equals on a letter", "-c=1", "-c:1"),
        ("equals on a name", "--count=1", "-c:1"),
        ("value holds comma and equals", "--filter=sample,count=3", "-F:sample,count=3"),
        ("empty value", "-e=", "-e:"),
        ("equals overtakes the queue", "-r -r=B A", "-r:B -r:A"),
        ("equals in a cluster reaches every letter", "-zd=2", "-d:2+0 -z:off"),
        ("equals in a cluster of values", "-rw=X", "-r:X -w:X"),
        ("switch off", "-z=no", "-z:off"),
        ("switch off by an empty word", "-z=", "-z:off"),
        ("switch on by t", "-z=t", "-z:on"),
        ("switch on by TRUE", "--mirror=TRUE", "--mirror:on"),
        ("switch on by yes", "--mirror=yes", "--mirror:on"),
        ("switch on by Y", "-z=Y", "-z:on"),
        ("switch on by 1", "-z=1", "-z:on"),
        ("switch off by on", "-z=on", "-z:off"),
        ("last switch decides", "-z -z=no -z=yes", "-z:on"),
        ("help switched off", "-h=no -v=no -r F", "-r:F"),
        ("counter", "-d -dd", "-d:+3"),
        ("counter set", "-d=3", "-d:3+0"),
        ("counter set, then raised", "-d -d=3 -d", "-d:3+1"),
        ("lone dash is a value", "-r - -o -", "-o:- -r:-"),
        ("negative count", "-c -1", "-c:-1"),
        ("negative byte rate", "-B -5", "-B:-5"),
        ("negative container size", "-m -5", "-m:-5"),
        ("negative interval", "-t -5", "-t:-5"),
        ("negative number for the integer in front", "-cr -1 F", "-c:-1 -r:F"),
        ("dash value by equals", "-e=-x", "-e:-x"),
        ("dash value after the double dash", "-e -- -x", "-e:-x"),
        ("queue goes on after the double dash", "-e -r -- -x F", "-e:-x -r:F"),
        ("double dash as a value", "-r -- --", "-r:--"),
        ("double dash alone", "--", ""),
        ("last value decides", "-c 1 -c 2", "-c:2"),
        ("last to arrive decides", "-c -c=2 1", "-c:1"),
        ("list keeps its order", "-r B -r A -r=C", "-r:B -r:A -r:C"),
        ("lists are separate", "-J A -o P -J B", "-J:A -J:B -o:P"),
    ] {
        assert_eq!(shown(line), want, "{name}: {line}");
    }
}

#[test]
fn cl_1_long_options_shorten_to_unambiguous_prefixes() {
    for (line, want) in [
        ("--c=1", "-c:1"),
        ("--un", "--unbuffered:on"),
        ("--us nobody", "-U:nobody"),
        ("--vend X", "-V:X"),
        ("--ms T", "-T:T"),
        ("--getsou 1", "--getsource:1"),
        ("--e X", "-e:X"),
        // Options the C tool lacks do not take its abbreviations.
        ("--f X", "-F:X"),
        ("--thr 2", "--threads:2"),
        ("--str", "--strict:on"),
    ] {
        assert_eq!(shown(line), want, "{line}");
    }
}

#[test]
fn cl_1_values_are_not_attached_to_letters() {
    assert_eq!(problem("-c1"), "usage problem, unknown short option '-1'.");
    assert_eq!(hint("-c1"), "a value is not attached to a letter: write -c 1 or -c=1");
    assert_eq!(hint("-zc12"), "a value is not attached to a letter: write -c 12 or -c=12");
    // All five are letters of the C tool, so this is a cluster as it always was.
    assert_eq!(shown("-rfile A B C D E"), "-e:E -f:B -i:C -l:D -r:A");
}

#[test]
fn cl_6_grammar_problems() {
    for (line, want) in [
        ("--bogus", "unknown long option '--bogus'."),
        ("--bogus=3", "unknown long option '--bogus'."),
        ("--Count 1", "unknown long option '--Count'."),
        ("-q", "unknown short option '-q'."),
        ("-q -x", "unknown short option '-q'."),
        ("-c -a", "unknown short option '-a'."),
        ("-c -1x 3", "unknown short option '-1'."),
        ("-m -0x 3", "unknown short option '-0'."),
        ("-rc -1 F", "unknown short option '-1'."),
        ("-e -x", "unknown short option '-x'."),
        ("--setsource -1", "unknown short option '-1'."),
        ("-zx=y", "unknown short option '-x'."),
        ("-=x", "empty short-option prefix '-'"),
        ("--=x", "empty long-option prefix '--'"),
        ("--set 1", "'--set' might be 'setoperator' or 'setgroup'"),
        ("--get=1", "'--get' might be 'getoperator' or 'getgroup'"),
        ("--read x", "'--read' might be 'readpres' or 'readchan'"),
        ("--r", "'--r' might be 'readpres' or 'readchan'"),
        ("--write x", "'--write' might be 'writepres' or 'writejson'"),
        ("--w", "'--w' might be 'writepres' or 'writejson'"),
        ("--u", "'--u' might be 'unbuffered' or 'username'"),
        ("--m", "'--m' might be 'mirror' or 'mtu'"),
        ("-r", "1 more option-argument must be specified"),
        ("-rc x", "1 more option-argument must be specified"),
        ("-rc", "2 more option-arguments must be specified"),
        ("-r --", "1 more option-argument must be specified"),
        ("a", "1 unwanted additional argument"),
        ("a b", "2 unwanted additional arguments"),
        ("-", "1 unwanted additional argument"),
        ("-r F -- a", "1 unwanted additional argument"),
        ("-- -h", "1 unwanted additional argument"),
        ("a --bogus", "unknown long option '--bogus'."),
        ("a -r", "1 unwanted additional argument"),
    ] {
        assert_eq!(problem(line), format!("usage problem, {want}"), "{line}");
    }
}

#[test]
fn cl_6_problems_say_what_to_do() {
    for (line, want) in [
        ("--readnsmg F", "did you mean --readnmsg? (-h lists the options)"),
        ("--bogus", "-h lists the options"),
        ("-q", "-h lists the options"),
        ("-e -x", "a value that starts with a dash is written -e=-x"),
        ("-r", "-r is followed by a value: -r file"),
        ("--set 1", "options that begin so: --setgroup, --setoperator, --setsource"),
        ("F", "no option is waiting for 'F'; a container file is read by -r file"),
    ] {
        assert_eq!(hint(line), want, "{line}");
    }
}

#[test]
fn cl_6_options_that_this_build_lacks_are_known() {
    let absent: Vec<&str> =
        FLAGS.iter().filter(|flag| !flag.available).map(|flag| flag.long).collect();
    assert_eq!(absent.contains(&"readkafka"), cfg!(not(feature = "kafka")));
    for long in absent {
        let option = OsString::from(format!("--{long}"));
        let failure = parse(FlagSet::available(), [option]).unwrap_err();
        assert_eq!(failure.hint(), Some("this build of the program does not have it"), "{long}");
    }
}

#[test]
fn cl_6_terminal_escapes_are_not_replayed() {
    let shown = |token: &[u8]| {
        let token = OsStr::from_bytes(token).to_owned();
        parse(FlagSet::whole_table(), [token]).unwrap_err().to_string()
    };
    assert_eq!(shown(b"--\x1b[2J"), "usage problem, unknown long option '--\\x1b[2J'.");
    assert_eq!(shown(b"-\x07"), "usage problem, unknown short option '-\\x07'.");
    assert_eq!(shown(b"--\xff"), "usage problem, unknown long option '--\u{fffd}'.");
    assert_eq!(shown(b"-\xff"), "usage problem, unknown short option '-\u{fffd}'.");
}

#[test]
fn cl_3_help_wins_over_everything_and_version_over_mistakes() {
    for (line, want) in [
        ("-h", "Help"),
        ("--help", "Help"),
        ("--he", "Help"),
        ("-?", "Help"),
        ("--usage", "Help"),
        ("--usage-short", "Help"),
        ("--usage-long", "Help"),
        ("--usage-all", "Help"),
        ("-v -h", "Help"),
        ("--bogus -h", "Help"),
        ("-r -h", "Help"),
        ("-zh word", "Help"),
        ("-v", "Version"),
        ("--ver", "Version"),
        ("-v --bogus", "Version"),
        ("-v -h=no", "Version"),
    ] {
        let have = match read(line) {
            Ok(Command::Help) => "Help",
            Ok(Command::Version) => "Version",
            Ok(Command::Run(_)) => "Run",
            Err(_) => "problem",
        };
        assert_eq!(have, want, "{line}");
    }
}

#[test]
fn options_this_build_lacks_are_unknown() {
    let hidden = FlagSet::whole_table().iter().filter(|flag| !flag.available);
    for flag in hidden {
        let token = OsString::from(format!("--{}", flag.long));
        let failure = parse(FlagSet::available(), [token]).unwrap_err();
        let want = format!("usage problem, unknown long option '--{}'.", flag.long);
        assert_eq!(failure.to_string(), want);
        if let Some(letter) = flag.short {
            let failure = parse(FlagSet::available(), [OsString::from(format!("-{letter}"))]);
            let want = format!("usage problem, unknown short option '-{letter}'.");
            assert_eq!(failure.unwrap_err().to_string(), want);
        }
    }
}

#[test]
fn every_option_is_accepted_in_every_form() {
    for flag in FlagSet::whole_table().iter() {
        if flag.id == Help || flag.id == Version {
            continue;
        }
        let mut forms = vec![format!("--{}", flag.long)];
        forms.extend(flag.short.map(|letter| format!("-{letter}")));
        for form in forms {
            let lines = if flag.takes_value() {
                vec![format!("{form} 1"), format!("{form}=1")]
            } else {
                vec![form.clone(), format!("{form}=1")]
            };
            for line in lines {
                let mut given = given(&line);
                assert!(given.holds(flag.id), "{line}");
                match flag.kind {
                    Kind::Switch => assert!(given.take_switch(flag.id), "{line}"),
                    Kind::Counter => {
                        let (set, more) = given.take_counter(flag.id);
                        assert!(set.is_some() || more == 1, "{line}");
                    }
                    _ => assert_eq!(given.take_value(flag.id).unwrap(), "1", "{line}"),
                }
                assert_eq!(given.rest().count(), 0, "{line}");
            }
        }
    }
}

#[test]
fn values_keep_bytes_that_are_not_text() {
    let path = OsStr::from_bytes(b"/tmp/\xff").to_owned();
    let attached = OsStr::from_bytes(b"-r=/tmp/\xfe").to_owned();
    let line = [OsString::from("-r"), path.clone(), attached];
    let Ok(Command::Run(mut given)) = parse(FlagSet::available(), line) else {
        panic!("a path need not be text")
    };
    assert_eq!(given.take_list(ReadNmsg), [path, OsStr::from_bytes(b"/tmp/\xfe").to_owned()]);
}

#[test]
fn a_long_line_of_mistakes_takes_no_time() {
    let cluster = OsString::from(format!("-r{}", "%".repeat(120_000)));
    let words = vec![OsString::from("--".to_owned() + &"x".repeat(2_000)); 2_000];
    let started = std::time::Instant::now();
    let problem = parse(FlagSet::whole_table(), [cluster]).unwrap_err();
    assert_eq!(problem.to_string(), "usage problem, unknown short option '-%'.");
    let problem = parse(FlagSet::whole_table(), words).unwrap_err();
    assert!(problem.to_string().starts_with("usage problem, unknown long option '--xxx"));
    assert!(started.elapsed().as_secs() < 5, "{:?}", started.elapsed());
}

proptest::proptest! {
    /// Whatever the words, the answer is a command or one printable line.
    #[test]
    fn any_words_are_read_or_refused(
        words in proptest::collection::vec(
            proptest::prop_oneof![
                "-[a-zA-Z=?0-9-]{0,6}",
                "--[a-z]{0,8}(=[a-z0-9-]{0,3})?",
                "\\PC{0,6}",
                "-?[0-9]{1,3}",
            ],
            0..8,
        ),
        tail in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..6),
    ) {
        let mut words: Vec<OsString> = words.into_iter().map(OsString::from).collect();
        words.push(OsStr::from_bytes(&tail).to_owned());
        if let Err(failure) = parse(FlagSet::whole_table(), words) {
            proptest::prop_assert_eq!(failure.kind(), FailureKind::Grammar);
            proptest::prop_assert!(!failure.to_string().contains(char::is_control));
            proptest::prop_assert!(!failure.hint().unwrap_or_default().contains(char::is_control));
        }
    }
}

#[test]
fn a_value_shared_by_very_many_letters_took_the_square_of_the_memory() {
    let cluster = |letters: usize| format!("-{}=value", "r".repeat(letters));
    assert_eq!(given(&cluster(64)).take_list(ReadNmsg).len(), 64);
    assert_eq!(problem(&cluster(65)), "usage problem, more than 64 letters share one value");
}
