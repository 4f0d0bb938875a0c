//! Shapes of beats, and which are alike.
//!
//! A shape is the signal around an R peak at [`RATE_HZ`]. Two are alike by the correlation of their values where one may be moved by
//! up to [`MOST_LAG`] points, so that neither amplitude nor a peak that was placed a little beside counts.

/// Points per second of a shape.
pub const RATE_HZ: f64 = 125.0;
/// Seconds before the R peak.
pub const BEFORE_S: f64 = 0.248;
/// Seconds from the R peak on.
pub const AFTER_S: f64 = 0.4;
/// Points of a shape.
pub const POINTS: usize = 81;
/// Points that one shape may be moved by against another: 24 ms.
pub const MOST_LAG: usize = 3;

/// The signal around an R peak in millivolts, its median taken away.
#[derive(Debug, Clone, PartialEq)]
pub struct Shape {
    points_mv: Vec<f64>,
}

/// Shapes that are alike.
#[derive(Debug, Clone, PartialEq)]
pub struct Cluster {
    /// Their mean, each moved to where it is most alike.
    pub mean_mv: Vec<f64>,
    /// Which they are, in the order in which they were given.
    pub members: Vec<Member>,
}

/// A shape in a cluster.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Member {
    /// Its place among the shapes that were given.
    pub shape: usize,
    /// With the mean of its cluster, -1 to 1.
    pub correlation: f64,
}

impl Shape {
    /// The shape around a sample; none where the recording does not reach far enough, or holds an invalid sample there.
    /// `rate_hz` must be above zero.
    #[must_use]
    pub fn cut(samples_mv: &[f32], rate_hz: f64, peak: usize) -> Option<Self> {
        let step = rate_hz / RATE_HZ;
        let first = peak as f64 - BEFORE_S * rate_hz;
        let mut points_mv = Vec::with_capacity(POINTS);
        for point in 0..POINTS {
            // The mean over the point's own time: what is faster than the shape's rate would fold down otherwise.
            let centre = first + point as f64 * step;
            let (from, to) = (centre - step / 2.0, centre + step / 2.0);
            if from < 0.0 {
                return None;
            }
            let (from, to) = (
                from.round() as usize,
                (to.round() as usize).max(from.round() as usize + 1),
            );
            let span = samples_mv.get(from..to)?;
            let mean = span.iter().map(|value| f64::from(*value)).sum::<f64>() / span.len() as f64;
            if !mean.is_finite() {
                return None;
            }
            points_mv.push(mean);
        }
        let mut sorted = points_mv.clone();
        sorted.sort_by(f64::total_cmp);
        let median = sorted[POINTS / 2];
        points_mv.iter_mut().for_each(|point| *point -= median);
        Some(Self { points_mv })
    }

    /// Millivolts at [`RATE_HZ`], [`POINTS`] of them.
    #[must_use]
    pub fn points_mv(&self) -> &[f64] {
        &self.points_mv
    }
}

/// The correlation of two shapes where they are most alike, and by how many points the second lies later there. Zero where one
/// of them is flat.
fn alike(one: &[f64], other: &[f64]) -> (f64, isize) {
    let most = MOST_LAG as isize;
    let mut best = (f64::NEG_INFINITY, 0);
    // From the middle outwards, so that of two places that are as good the nearer one is taken.
    for lag in (0..=most).flat_map(|lag| [lag, -lag]) {
        let (from, to) = (lag.max(0) as usize, (-lag).max(0) as usize);
        let length = one.len().min(other.len()) - lag.unsigned_abs();
        let now = correlation(&one[to..to + length], &other[from..from + length]);
        if now > best.0 {
            best = (now, lag);
        }
    }
    best
}

fn correlation(one: &[f64], other: &[f64]) -> f64 {
    let number = one.len() as f64;
    let mean = |values: &[f64]| values.iter().sum::<f64>() / number;
    let (a, b) = (mean(one), mean(other));
    let (mut product, mut square, mut other_square) = (0.0, 0.0, 0.0);
    for (x, y) in one.iter().zip(other) {
        product += (x - a) * (y - b);
        square += (x - a) * (x - a);
        other_square += (y - b) * (y - b);
    }
    let size = (square * other_square).sqrt();
    if size > 0.0 { product / size } else { 0.0 }
}

/// A cluster while it grows.
struct Growing {
    sums: Vec<f64>,
    counts: Vec<f64>,
    mean: Vec<f64>,
}

impl Growing {
    fn of(shape: &Shape) -> Self {
        let mut growing = Self {
            sums: vec![0.0; POINTS],
            counts: vec![0.0; POINTS],
            mean: Vec::new(),
        };
        growing.add(shape, 0);
        growing
    }

    fn add(&mut self, shape: &Shape, lag: isize) {
        for (place, point) in shape.points_mv.iter().enumerate() {
            let moved = place.checked_add_signed(-lag).filter(|moved| *moved < POINTS);
            if let Some(moved) = moved {
                self.sums[moved] += point;
                self.counts[moved] += 1.0;
            }
        }
        self.mean = self
            .sums
            .iter()
            .zip(&self.counts)
            .map(|(sum, count)| sum / count.max(1.0))
            .collect();
    }
}

/// The mean that a shape is most like; the first of several that it is as much like.
fn nearest(means: &[Growing], shape: &Shape) -> Option<(usize, f64, isize)> {
    let mut best: Option<(usize, f64, isize)> = None;
    for (place, growing) in means.iter().enumerate() {
        let (now, lag) = alike(&growing.mean, &shape.points_mv);
        if best.is_none_or(|(_, known, _)| now > known) {
            best = Some((place, now, lag));
        }
    }
    best
}

/// Puts shapes into clusters, the largest first. The same shapes in the same order give the same clusters.
///
/// In order, each goes to the cluster whose mean it is most like, where its correlation with that is at least `least`; else it begins
/// one. Then all are dealt out once more to the means that came of it, so that what came early is where it belongs.
#[must_use]
pub fn clusters(shapes: &[Shape], least: f64) -> Vec<Cluster> {
    let mut means: Vec<Growing> = Vec::new();
    for shape in shapes {
        match nearest(&means, shape) {
            Some((place, correlation, lag)) if correlation >= least => means[place].add(shape, lag),
            _ => means.push(Growing::of(shape)),
        }
    }
    let mut dealt: Vec<(Option<Growing>, Vec<usize>)> = means.iter().map(|_| (None, Vec::new())).collect();
    for (number, shape) in shapes.iter().enumerate() {
        let Some((place, _, lag)) = nearest(&means, shape) else {
            continue;
        };
        let (growing, members) = &mut dealt[place];
        match growing {
            Some(growing) => growing.add(shape, lag),
            None => {
                let mut begun = Growing {
                    sums: vec![0.0; POINTS],
                    counts: vec![0.0; POINTS],
                    mean: Vec::new(),
                };
                begun.add(shape, lag);
                *growing = Some(begun);
            }
        }
        members.push(number);
    }
    let cluster = |(growing, members): (Option<Growing>, Vec<usize>)| {
        let mean_mv = growing?.mean;
        let member = |shape: usize| Member {
            shape,
            correlation: alike(&mean_mv, &shapes[shape].points_mv).0,
        };
        let members = members.into_iter().map(member).collect();
        Some(Cluster { mean_mv, members })
    };
    let mut clusters: Vec<_> = dealt.into_iter().filter_map(cluster).collect();
    clusters.sort_by_key(|cluster| (usize::MAX - cluster.members.len(), cluster.members[0].shape));
    clusters
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A spike of a width in seconds, its peak at a sample.
    fn spike(rate: f64, peak: usize, width_s: f64, height: f64) -> Vec<f32> {
        let wave = |i: usize| {
            let time = (i as f64 - peak as f64) / rate;
            (height * (-(time / width_s).powi(2)).exp() + 0.3) as f32
        };
        (0..(rate as usize)).map(wave).collect()
    }

    #[test]
    fn width_matters_and_neither_height_rate_nor_a_little_beside() {
        let mut shapes = Vec::new();
        let mut widths = Vec::new();
        for (number, rate) in [250.0, 360.0, 1000.0, 128.0].into_iter().enumerate() {
            for (width, height) in [(0.02, 1.0), (0.09, 0.4), (0.02, 3.0), (0.09, 2.0)] {
                let peak = (rate / 2.0) as usize;
                let beside = if number % 2 == 0 { 0 } else { (rate * 0.016) as usize };
                let samples = spike(rate, peak, width, height);
                shapes.push(Shape::cut(&samples, rate, peak + beside).unwrap());
                widths.push(width);
            }
        }
        let found = clusters(&shapes, 0.9);
        assert_eq!(found.len(), 2, "{found:?}");
        for cluster in &found {
            assert_eq!(cluster.members.len(), 8);
            let width = widths[cluster.members[0].shape];
            assert!(
                cluster
                    .members
                    .iter()
                    .all(|member| widths[member.shape] == width && member.correlation > 0.95)
            );
        }
        assert_eq!(found, clusters(&shapes, 0.9));
        // Nothing is as alike as that.
        assert_eq!(clusters(&shapes, 1.1).len().min(3), 3);
        assert!(clusters(&[], 0.9).is_empty());
    }

    #[test]
    fn what_the_recording_does_not_hold_has_no_shape() {
        let samples = spike(250.0, 125, 0.02, 1.0);
        assert!(Shape::cut(&samples, 250.0, 125).is_some());
        assert!(Shape::cut(&samples, 250.0, 10).is_none());
        assert!(Shape::cut(&samples, 250.0, 200).is_none());
        assert!(Shape::cut(&samples, 250.0, 10_000).is_none());
        let mut invalid = samples.clone();
        invalid[130] = f32::NAN;
        assert!(Shape::cut(&invalid, 250.0, 125).is_none());
        // A flat line is like nothing and breaks nothing.
        let flat = Shape::cut(&[0.5; 250], 250.0, 125).unwrap();
        assert_eq!(
            clusters(&[flat.clone(), flat], 0.9)
                .iter()
                .map(|cluster| cluster.members.len())
                .sum::<usize>(),
            2
        );
    }
}
