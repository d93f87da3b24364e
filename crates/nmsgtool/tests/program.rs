//! The program as its users start it: streams and exit statuses.

use nmsgtool::flags::FlagSet;
use nmsgtool::help;
use std::fs::File;
use std::io;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, Output, Stdio};

fn nmsgtool(words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_nmsgtool"))
        .args(words)
        .stdin(Stdio::null())
        .output()
        .expect("the program starts")
}

#[test]
fn cl_3_help_and_version_go_to_standard_output() {
    let set = FlagSet::available();
    for (words, want) in [
        (&["-h"][..], help::help("nmsgtool", set)),
        (&["--help"], help::help("nmsgtool", set)),
        (&["--bogus", "-h"], help::help("nmsgtool", set)),
        (&["-v", "-h"], help::help("nmsgtool", set)),
        (&["-v"], help::version("nmsgtool", set)),
        (&["--version"], help::version("nmsgtool", set)),
    ] {
        let run = nmsgtool(words);
        assert_eq!(run.status.code(), Some(0), "{words:?}");
        assert_eq!(String::from_utf8_lossy(&run.stdout), want, "{words:?}");
        assert_eq!(String::from_utf8_lossy(&run.stderr), "", "{words:?}");
    }
}

#[test]
fn cl_3_help_does_not_need_modules() {
    let run = Command::new(env!("CARGO_BIN_EXE_nmsgtool"))
        .arg("-h")
        .env("NMSG_MSGMOD_DIR", "/nowhere")
        .output()
        .expect("the program starts");
    assert_eq!(run.status.code(), Some(0));
    assert!(run.stderr.is_empty() && !run.stdout.is_empty());
}

#[test]
fn cl_6_a_wrong_option_is_one_line_a_hint_and_status_2() {
    let run = nmsgtool(&["--bogus", "-q", "stray"]);
    assert_eq!(run.status.code(), Some(2));
    assert_eq!(
        String::from_utf8_lossy(&run.stderr),
        "nmsgtool: usage problem, unknown long option '--bogus'.\nhint: -h lists the options\n"
    );
    assert!(run.stdout.is_empty());
}

#[test]
fn messages_start_with_the_name_the_program_was_called_by() {
    let run = Command::new(env!("CARGO_BIN_EXE_nmsgtool"))
        .arg0("/opt/renamed")
        .arg("-q")
        .output()
        .expect("the program starts");
    let text = String::from_utf8_lossy(&run.stderr).into_owned();
    assert!(text.starts_with("renamed: usage problem, "), "{text}");
}

#[test]
fn cl_9_variables_of_the_old_parser_are_not_read() {
    let run = Command::new(env!("CARGO_BIN_EXE_nmsgtool"))
        .arg("-v")
        .env("ARGV_NMSGTOOL", "-h")
        .env("GLOBAL_ARGV", "bogus")
        .output()
        .expect("the program starts");
    assert_eq!(
        String::from_utf8_lossy(&run.stdout),
        help::version("nmsgtool", FlagSet::available())
    );
    assert!(run.stderr.is_empty());
}

#[test]
fn help_whose_reader_is_gone_ends_as_by_a_broken_pipe() {
    let (reader, writer) = io::pipe().expect("a pipe");
    drop(reader);
    let run = Command::new(env!("CARGO_BIN_EXE_nmsgtool"))
        .arg("-h")
        .stdout(writer)
        .output()
        .expect("the program starts");
    // A shell shows this as 141.
    assert_eq!(run.status.signal(), Some(13));
    assert!(run.stderr.is_empty());
}

#[test]
fn help_on_a_full_device_is_an_output_failure() {
    let Ok(full) = File::options().write(true).open("/dev/full") else {
        println!("skipped: there is no /dev/full");
        return;
    };
    let run = Command::new(env!("CARGO_BIN_EXE_nmsgtool"))
        .arg("-h")
        .stdout(full)
        .output()
        .expect("the program starts");
    assert_eq!(run.status.code(), Some(4));
    let text = String::from_utf8_lossy(&run.stderr).into_owned();
    assert!(text.starts_with("nmsgtool: unable to write to standard output: "), "{text}");
}
