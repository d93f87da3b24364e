//! The worst inputs that were found cost not much more than ordinary ones.

use std::process::Command;

#[test]
fn the_worst_inputs_found_cost_at_most_fifty_times_what_ordinary_ones_do() {
    let output =
        Command::new(env!("CARGO_BIN_EXE_xtask")).args(["adversary", "--check"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}{complained}");
    if said.starts_with("skipped") {
        eprintln!("{said}");
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "{said}");
        return;
    }
    let rows: Vec<&str> = said.lines().filter(|line| line.contains('×')).collect();
    assert!(rows.len() > 10, "{said}");
    for row in rows {
        let figures: Vec<f64> = row
            .split('|')
            .filter_map(|cell| cell.trim().trim_end_matches('×').parse().ok())
            .collect();
        assert_eq!(figures.len(), 5, "{row}");
        assert!(figures.iter().all(|figure| *figure > 0.0), "{row}");
    }
}
