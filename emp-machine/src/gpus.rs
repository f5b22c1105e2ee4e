//! Which worker computes on which GPUs.

/// What a worker asks of the GPUs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ask {
    /// How many instances.
    pub(crate) instances: u32,
    /// How many of them fit on one GPU; at least 1.
    pub(crate) per_gpu: u32,
    /// Whether nobody else may compute on its GPUs.
    pub(crate) exclusive: bool,
}

impl Ask {
    fn least(&self) -> u32 {
        self.instances.div_ceil(self.per_gpu.max(1))
    }
}

/// The GPUs together do not suffice: so many would.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooFew(pub(crate) u32);

/// Shares the GPUs out, in the order of the asks. Each gets what it needs at least, those that share get what is left, and where
/// nobody shares the rest goes round among those that could spread over more.
pub(crate) fn share(gpus: u32, asks: &[Ask]) -> Result<Vec<Vec<u32>>, TooFew> {
    let common = asks.iter().filter(|ask| !ask.exclusive).map(Ask::least).max().unwrap_or(0);
    let alone = asks.iter().filter(|ask| ask.exclusive).map(Ask::least).fold(0, u32::saturating_add);
    let needed = alone.saturating_add(common);
    let Some(mut left) = gpus.checked_sub(needed) else { return Err(TooFew(needed)) };
    let mut counts: Vec<u32> = asks.iter().map(|ask| if ask.exclusive { ask.least() } else { 0 }).collect();
    while common == 0 && left > 0 {
        let mut grown = false;
        for (count, ask) in counts.iter_mut().zip(asks) {
            if left > 0 && *count < ask.instances {
                (*count, left, grown) = (*count + 1, left - 1, true);
            }
        }
        if !grown {
            break;
        }
    }
    let mut next = 0;
    let own: Vec<Vec<u32>> = counts
        .iter()
        .map(|count| {
            next += count;
            (next - count..next).collect()
        })
        .collect();
    Ok(own
        .into_iter()
        .zip(asks)
        .map(|(own, ask)| if ask.exclusive { own } else { (next..gpus).collect() })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(instances: u32, per_gpu: u32, exclusive: bool) -> Ask {
        Ask { instances, per_gpu, exclusive }
    }

    #[test]
    fn one_worker_spreads_over_all_gpus_and_no_further_than_its_instances() {
        assert_eq!(share(4, &[ask(4, 2, true)]), Ok(vec![vec![0, 1, 2, 3]]));
        assert_eq!(share(8, &[ask(2, 1, true)]), Ok(vec![vec![0, 1]]));
    }

    #[test]
    fn exclusive_workers_never_meet_and_pack_when_they_must() {
        assert_eq!(share(2, &[ask(2, 2, true), ask(1, 1, true)]), Ok(vec![vec![0], vec![1]]));
        assert_eq!(share(4, &[ask(3, 2, true), ask(1, 1, true)]), Ok(vec![vec![0, 1, 2], vec![3]]));
        assert_eq!(share(1, &[ask(1, 1, true), ask(1, 1, true)]), Err(TooFew(2)));
    }

    #[test]
    fn those_that_share_compute_on_what_is_left() {
        let asks = [ask(1, 1, true), ask(1, 4, false), ask(6, 4, false)];
        assert_eq!(share(4, &asks), Ok(vec![vec![0], vec![1, 2, 3], vec![1, 2, 3]]));
        assert_eq!(share(2, &asks), Err(TooFew(3)));
    }

    #[test]
    fn nobody_asks_for_anything() {
        assert_eq!(share(0, &[]), Ok(vec![]));
        assert_eq!(share(u32::MAX, &[ask(0, 0, true)]), Ok(vec![vec![]]));
    }
}
