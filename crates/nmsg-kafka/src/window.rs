use std::collections::VecDeque;

/// Records that the broker has not answered for, in the order in which they were sent.
#[derive(Debug, Default)]
pub(crate) struct Window {
    /// Number of the first record in the window, from 0.
    first: u64,
    records: VecDeque<Waiting>,
    /// Records from the first on that were all confirmed.
    confirmed: u64,
    /// A record is missing; behind it nothing counts as confirmed.
    has_gap: bool,
}

#[derive(Clone, Copy, Debug)]
struct Waiting {
    /// What the sender counts in it.
    units: u64,
    answer: Option<Answer>,
}

/// What became of a record.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Answer {
    Confirmed,
    Lost,
}

impl Window {
    /// The number of the record that will be sent next.
    pub(crate) fn next(&self) -> u64 {
        self.first + self.records.len() as u64
    }

    /// Notes that a record was sent.
    pub(crate) fn sent(&mut self, units: u64) {
        self.records.push_back(Waiting { units, answer: None });
    }

    /// Notes the answer for a record; gives what its sender counts in it, and 0 for a record that is
    /// not waited for.
    pub(crate) fn answer(&mut self, number: u64, answer: Answer) -> u64 {
        let position = number.checked_sub(self.first).and_then(|n| usize::try_from(n).ok());
        let Some(record) = position.and_then(|position| self.records.get_mut(position)) else {
            return 0;
        };
        record.answer = Some(answer);
        let units = record.units;
        while let Some(Waiting { answer: Some(answer), .. }) = self.records.front() {
            self.has_gap |= *answer == Answer::Lost;
            self.confirmed += u64::from(!self.has_gap);
            self.records.pop_front();
            self.first += 1;
        }
        units
    }

    /// Number of records without an answer, and the sum of what their sender counts in them.
    pub(crate) fn unanswered(&self) -> (u64, u64) {
        let waiting = self.records.iter().filter(|record| record.answer.is_none());
        waiting.fold((0, 0), |(count, units), record| (count + 1, units + record.units))
    }

    /// Records from the first on that were all confirmed.
    pub(crate) fn confirmed(&self) -> u64 {
        self.confirmed
    }
}

#[cfg(test)]
mod tests {
    use super::Answer::{Confirmed, Lost};
    use super::*;

    #[test]
    fn only_what_has_nothing_missing_before_it_counts_as_confirmed() {
        for (name, answers, want) in [
            ("none yet", &[][..], 0),
            ("in order", &[(0, Confirmed), (1, Confirmed)], 2),
            ("the first is late", &[(1, Confirmed), (2, Confirmed)], 0),
            ("the first comes last", &[(1, Confirmed), (2, Confirmed), (0, Confirmed)], 3),
            ("a gap", &[(0, Confirmed), (1, Lost), (2, Confirmed), (3, Confirmed)], 1),
            ("all", &[(3, Confirmed), (2, Confirmed), (1, Confirmed), (0, Confirmed)], 4),
            ("twice", &[(0, Confirmed), (0, Confirmed)], 1),
            ("never sent", &[(9, Confirmed)], 0),
        ] {
            let mut window = Window::default();
            for units in 10..14 {
                assert_eq!(window.next(), units - 10);
                window.sent(units);
            }
            for (number, answer) in answers {
                window.answer(*number, *answer);
            }
            assert_eq!(window.confirmed(), want, "{name}");
            assert_eq!(window.next(), 4, "{name}");
        }
    }

    #[test]
    fn an_answer_tells_what_it_is_about() {
        let mut window = Window::default();
        (1..=3).for_each(|units| window.sent(units));
        assert_eq!(window.unanswered(), (3, 6));
        assert_eq!([2, 0].map(|number| window.answer(number, Lost)), [3, 1]);
        assert_eq!(window.unanswered(), (1, 2));
        assert_eq!([1, 1].map(|number| window.answer(number, Confirmed)), [2, 0]);
        assert_eq!(window.unanswered(), (0, 0));
    }
}
