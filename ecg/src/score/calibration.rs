//! Whether probabilities mean what they say.

const BINS: usize = 15;

/// Confidence of the class that was chosen, and whether it was right, in bins of equal width.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Calibration {
    bins: [(f64, f64, u64); BINS],
}

impl Calibration {
    /// One answer: the probability of the chosen class, 0 to 1, and whether it was the reference's.
    pub fn add(&mut self, confidence: f64, right: bool) {
        let bin = ((confidence * BINS as f64) as usize).min(BINS - 1);
        let (sum, hits, count) = &mut self.bins[bin];
        *sum += confidence;
        *hits += f64::from(u8::from(right));
        *count += 1;
    }

    /// Adds another record's answers.
    pub fn merge(&mut self, other: &Self) {
        for (bin, more) in self.bins.iter_mut().zip(&other.bins) {
            bin.0 += more.0;
            bin.1 += more.1;
            bin.2 += more.2;
        }
    }

    /// Expected calibration error over 15 bins (Guo et al. 2017); `None` without answers.
    #[must_use]
    pub fn error(&self) -> Option<f64> {
        let total: u64 = self.bins.iter().map(|bin| bin.2).sum();
        (total > 0).then(|| self.bins.iter().map(|(sum, hits, _)| (sum - hits).abs()).sum::<f64>() / total as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_is_the_gap_between_confidence_and_being_right() {
        let mut calibration = Calibration::default();
        assert_eq!(calibration.error(), None);
        for index in 0..10 {
            calibration.add(0.8, index < 6);
        }
        assert!((calibration.error().unwrap() - 0.2).abs() < 1e-12);
    }
}
