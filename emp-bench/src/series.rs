//! Numbers of several rounds.

/// What one contender needed, round by round.
#[derive(Clone, Debug, Default)]
pub(crate) struct Series(Vec<f64>);

impl Series {
    /// The numbers of the rounds, in their order.
    pub(crate) fn new(values: Vec<f64>) -> Self {
        Self(values)
    }

    /// How many rounds.
    pub(crate) fn rounds(&self) -> usize {
        self.0.len()
    }

    /// The middle of the rounds.
    pub(crate) fn median(&self) -> f64 {
        median(self.0.clone())
    }

    /// The least of the rounds: what it takes when nothing else is going on.
    pub(crate) fn min(&self) -> f64 {
        self.0.iter().copied().fold(f64::INFINITY, f64::min)
    }

    /// The most of the rounds.
    pub(crate) fn max(&self) -> f64 {
        self.0.iter().copied().fold(f64::NEG_INFINITY, f64::max)
    }

    /// How many times as much as another: the middle of the rounds' own ratios, so that a machine that slows down during
    /// the run slows both sides of each.
    pub(crate) fn over(&self, other: &Self) -> f64 {
        median(self.0.iter().zip(&other.0).map(|(ours, theirs)| ours / theirs).collect())
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match (values.len() % 2, values.get(middle)) {
        (_, None) => f64::NAN,
        (1, Some(value)) => *value,
        (_, Some(value)) => f64::midpoint(values[middle - 1], *value),
    }
}

/// Runs contenders in turns, round by round, after one round that does not count. Gives each one's samples in the order of
/// the rounds.
pub(crate) fn in_turns<S, E>(
    rounds: usize,
    contenders: usize,
    mut run: impl FnMut(usize) -> Result<S, E>,
) -> Result<Vec<Vec<S>>, E> {
    for contender in 0..contenders {
        run(contender)?;
    }
    let mut samples: Vec<Vec<S>> = (0..contenders).map(|_| Vec::with_capacity(rounds)).collect();
    for _ in 0..rounds {
        for (contender, samples) in samples.iter_mut().enumerate() {
            samples.push(run(contender)?);
        }
    }
    Ok(samples)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_of_rounds_is_no_outlier() {
        let median = |values: &[f64]| Series::new(values.to_vec()).median().to_string();
        assert_eq!(median(&[3.0, 100.0, 1.0]), "3");
        assert_eq!(median(&[4.0, 1.0, 2.0, 100.0]), "3");
        assert!(Series::default().median().is_nan());
    }

    #[test]
    fn a_machine_that_slows_down_does_not_change_the_ratio() {
        let (ours, theirs) = (Series::new(vec![2.0, 4.0, 20.0]), Series::new(vec![1.0, 2.0, 10.0]));
        assert_eq!(ours.over(&theirs).to_string(), "2");
    }

    #[test]
    fn contenders_take_turns_and_the_first_round_does_not_count() {
        let mut order = Vec::new();
        let samples = in_turns(2, 2, |contender| {
            order.push(contender);
            Ok::<_, ()>(order.len())
        });
        assert_eq!(samples, Ok(vec![vec![3, 5], vec![4, 6]]));
        assert_eq!(order, [0, 1, 0, 1, 0, 1]);
    }
}
