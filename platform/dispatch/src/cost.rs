//! What a batch costs, learned as a line: a fixed part and a part for each row.
//!
//! Batches pay where the fixed part is large, as on a GPU. Where it is not, larger batches give nothing and make those wait
//! who come next, so a batch stops growing once its fixed part is small beside the rest.

/// How much an older batch counts beside the next.
const FADE: f64 = 0.97;

/// Batches from which on the model is known.
const KNOWN: f64 = 8.0;

/// Seconds that a batch of interactive calls may take where more rows would make it hardly cheaper.
const TARGET_S: f64 = 0.003;

/// How many times the fixed part the rows' part must be before a batch stops growing.
const WORTH: f64 = 4.0;

/// Rows of a batch while batches of one size alone have been seen, and the seconds they may take together.
const EXPLORED_ROWS: f64 = 8.0;
const EXPLORED_S: f64 = 0.05;

#[derive(Debug, Default, Clone)]
pub(crate) struct Cost {
    weight: f64,
    rows: f64,
    seconds: f64,
    rows_rows: f64,
    rows_seconds: f64,
}

impl Cost {
    /// Learns from one batch.
    pub(crate) fn add(&mut self, rows: usize, seconds: f64) {
        let rows = rows as f64;
        // A pause of the machine says nothing about the model.
        let seconds = match self.line() {
            Some((fixed, each)) if self.weight > KNOWN => seconds.min(4.0 * (fixed + each * rows)),
            _ => seconds,
        };
        for (sum, new) in [
            (&mut self.weight, 1.0),
            (&mut self.rows, rows),
            (&mut self.seconds, seconds),
            (&mut self.rows_rows, rows * rows),
            (&mut self.rows_seconds, rows * seconds),
        ] {
            *sum = *sum * FADE + new;
        }
    }

    /// Seconds of the fixed part and of each row; none until batches of several sizes were seen.
    fn line(&self) -> Option<(f64, f64)> {
        let spread = self.weight * self.rows_rows - self.rows * self.rows;
        if self.weight < 2.0 || spread < 0.01 * self.rows * self.rows {
            return None;
        }
        let mean = self.seconds / self.rows;
        let each = (self.weight * self.rows_seconds - self.rows * self.seconds) / spread;
        let each = each.clamp(mean * 0.01, mean);
        let fixed = ((self.seconds - each * self.rows) / self.weight).max(0.0);
        Some((fixed, each))
    }

    /// Seconds a row took of late; none before the first batch.
    pub(crate) fn of_a_row(&self) -> Option<f64> {
        (self.rows > 0.0).then(|| self.seconds / self.rows)
    }

    /// Seconds that a batch of so many rows takes, about; none while too little was seen to tell.
    pub(crate) fn of_rows(&self, rows: usize) -> Option<f64> {
        if self.weight < KNOWN {
            return None;
        }
        let (fixed, each) = self.line().or_else(|| self.of_a_row().map(|each| (0.0, each)))?;
        Some(fixed + each * rows as f64)
    }

    /// Rows that take as long as a batch of none; zero until batches of several sizes were seen.
    pub(crate) fn fixed_rows(&self) -> f64 {
        self.line().map_or(0.0, |(fixed, each)| fixed / each)
    }

    /// Rows below which a batch is hardly cheaper than a larger one.
    pub(crate) fn worth_rows(&self) -> usize {
        (WORTH * self.fixed_rows()).ceil().max(1.0) as usize
    }

    /// Rows that a batch of interactive calls should have at most.
    pub(crate) fn interactive_rows(&self) -> usize {
        let Some(mean) = self.of_a_row() else {
            return EXPLORED_ROWS as usize;
        };
        let rows = match self.line() {
            None => (EXPLORED_S / mean).clamp(2.0, EXPLORED_ROWS),
            Some((fixed, each)) => ((TARGET_S - fixed) / each).max(WORTH * fixed / each).max(1.0),
        };
        rows as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn learned(fixed: f64, each: f64) -> Cost {
        let mut cost = Cost::default();
        for round in 0..200 {
            let rows = 1 + round % 7;
            cost.add(rows, fixed + each * rows as f64);
        }
        cost
    }

    #[test]
    fn batches_grow_where_they_pay_and_not_where_they_do_not() {
        let gpu = learned(0.002, 0.000_01);
        assert!(gpu.interactive_rows() >= 64, "{}", gpu.interactive_rows());
        let small = learned(0.000_01, 0.000_2);
        assert!(
            (10..=16).contains(&small.interactive_rows()),
            "{}",
            small.interactive_rows()
        );
        assert_eq!(small.worth_rows(), 1);
        let slow = learned(0.001, 0.04);
        assert_eq!(slow.interactive_rows(), 1);
    }

    #[test]
    fn one_size_alone_says_little_so_others_are_tried() {
        let mut cost = Cost::default();
        assert_eq!(cost.interactive_rows(), 8);
        (0..50).for_each(|_| cost.add(1, 0.002));
        assert_eq!(cost.interactive_rows(), 8);
        let mut slow = Cost::default();
        (0..50).for_each(|_| slow.add(1, 0.2));
        assert_eq!(slow.interactive_rows(), 2);
    }

    #[test]
    fn a_pause_of_the_machine_is_forgotten() {
        let mut cost = learned(0.000_01, 0.000_2);
        let before = cost.interactive_rows();
        cost.add(3, 5.0);
        (0..100).for_each(|round| cost.add(1 + round % 7, 0.000_01 + 0.000_2 * (1 + round % 7) as f64));
        assert!(cost.interactive_rows().abs_diff(before) <= 2);
    }
}
