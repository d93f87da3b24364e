use std::io;

use crate::fault::Fault;
use crate::ledger::Ledger;
use crate::output::Notice;

/// Is told what goes wrong during a run, in order, on the thread that runs the engine.
pub trait Observer {
    /// Something in an input could not be used; `first` of its kind from this input.
    fn fault(&mut self, input: &str, fault: &Fault, first: bool) {
        let _ = (input, fault, first);
    }

    /// An input failed and is not read any further; the others are.
    fn input_failed(&mut self, input: &str, error: &io::Error) {
        let _ = (input, error);
    }

    /// An output failed; the run ends. With [`io::ErrorKind::BrokenPipe`], its reader is gone.
    fn output_failed(&mut self, output: &str, error: &io::Error) {
        let _ = (output, error);
    }

    /// An output has something to say although it goes on.
    fn notice(&mut self, notice: &Notice) {
        let _ = notice;
    }

    /// An output has ended in good order, but something that it took is known not to have arrived.
    fn undelivered(&mut self, output: &str, what: &str) {
        let _ = (output, what);
    }

    /// Asked between batches: whether [`Self::report`] is wanted now.
    fn wants_report(&mut self) -> bool {
        false
    }

    /// Asked between batches: whether everything that waits is to be written now.
    fn wants_flush(&mut self) -> bool {
        false
    }

    /// Is called between batches, and with `is_idle` whenever no input has anything for the time being;
    /// `ledger` makes a copy of the ledger.
    fn pulse(&mut self, is_idle: bool, ledger: &mut dyn FnMut() -> Ledger) {
        let _ = (is_idle, ledger);
    }

    /// Nothing more is read; what waits is about to be written and the outputs closed.
    fn ending(&mut self) {}

    /// The last of the outputs that have files was started anew.
    fn rotated(&mut self, ledger: &Ledger) {
        let _ = ledger;
    }

    /// How far the run has come.
    fn report(&mut self, ledger: &Ledger) {
        let _ = ledger;
    }
}

/// Observes nothing.
impl Observer for () {}
