//! Ports: which a demand takes, and which two of them both take.

use std::collections::BTreeMap;

/// One port of a service over its instances: `first`, `first + increment`, ...
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortPlan {
    /// The port of the first instance.
    pub first: u16,
    /// What each further instance adds.
    pub increment: u32,
    /// How many instances.
    pub instances: u32,
}

impl PortPlan {
    /// The port of an instance, from 0; `None` behind the last port or the last instance.
    pub fn port(&self, instance: u32) -> Option<u16> {
        (instance < self.instances).then(|| u16::try_from(self.number(instance)).ok()).flatten()
    }

    /// The first instance whose number is no port, with that number.
    pub fn overflow(&self) -> Option<(u32, u64)> {
        let last = u64::from(u16::MAX);
        let room = match self.increment {
            0 => return None,
            step => (last - u64::from(self.first)) / u64::from(step) + 1,
        };
        let instance = u32::try_from(room).ok().filter(|instance| *instance < self.instances)?;
        Some((instance, self.number(instance)))
    }

    /// The ports, each once.
    pub fn ports(&self) -> impl Iterator<Item = u16> + use<> {
        let plan = *self;
        let distinct = if plan.increment == 0 { plan.instances.min(1) } else { plan.instances };
        (0..distinct).map_while(move |instance| plan.port(instance))
    }

    fn number(&self, instance: u32) -> u64 {
        u64::from(self.first) + u64::from(instance) * u64::from(self.increment)
    }
}

/// Somebody who listens, by an identity of the caller's, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener<T> {
    /// Who.
    pub owner: T,
    /// Where.
    pub plan: PortPlan,
}

/// A port that two listeners want.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clash<T> {
    /// Who had it first, in the order of the list.
    pub first: T,
    /// Who wants it too.
    pub second: T,
    /// The lowest such port of the two.
    pub port: u16,
}

impl<T: Copy + Ord> Listener<T> {
    /// Every pair of listeners that meet on a port, each pair once, in the order of the list.
    pub fn clashes(listeners: &[Self]) -> Vec<Clash<T>> {
        let mut taken: Vec<Option<T>> = vec![None; usize::from(u16::MAX) + 1];
        let mut clashes: Vec<Clash<T>> = Vec::new();
        for listener in listeners {
            let mut met: BTreeMap<T, u16> = BTreeMap::new();
            for port in listener.plan.ports() {
                match taken.get_mut(usize::from(port)) {
                    // Ports of a plan rise, so the first one is the lowest.
                    Some(Some(first)) => {
                        met.entry(*first).or_insert(port);
                    }
                    Some(free) => *free = Some(listener.owner),
                    None => {}
                }
            }
            let found = met.into_iter().map(|(first, port)| Clash { first, second: listener.owner, port });
            clashes.extend(found);
        }
        clashes
    }
}
