//! Which instances run where, or why they do not fit together.

use std::collections::BTreeMap;

use emp_core::machine::{Instance, Machine, Misfit};
use emp_core::mapping::Scaling;
use emp_core::workers::PlanFault;

use super::MACHINE;
use super::wanted::Wanted;
use crate::gpus::{Ask, TooFew, share};

/// The instances of each worker; none for an external one and for one that does not fit.
pub(super) fn place(
    wanted: &[Wanted<'_>],
    machine: &Machine,
    faults: &mut Vec<PlanFault>,
) -> Vec<Vec<Instance>> {
    let mut fits: Vec<bool> = Vec::new();
    for worker in wanted {
        let misfit =
            worker.demand.as_ref().and_then(|demand| demand.place(machine, Some(worker.count)).err());
        fits.push(misfit.is_none());
        faults.extend(misfit.map(|misfit| does_not_fit(worker, misfit)));
    }
    let fitting = || wanted.iter().zip(&fits).filter(|(_, fits)| **fits).map(|(worker, _)| worker);
    faults.extend(too_much(fitting(), machine));
    let on_gpus: Vec<(&str, Ask)> = fitting()
        .filter_map(|worker| {
            let demand = worker.demand.as_ref()?;
            let computes = demand.binding.scaling == Scaling::PerGpu && !demand.binding.force_cpu;
            let ask =
                Ask { instances: worker.count, per_gpu: demand.per_gpu, exclusive: demand.binding.exclusive };
            computes.then_some((worker.name, ask))
        })
        .collect();
    let asks: Vec<Ask> = on_gpus.iter().map(|(_, ask)| *ask).collect();
    let shares: BTreeMap<&str, Vec<u32>> = match share(machine.gpus, &asks) {
        Ok(shares) => on_gpus.iter().map(|(name, _)| *name).zip(shares).collect(),
        Err(TooFew(needed)) => {
            let names: Vec<String> = on_gpus.iter().map(|(name, _)| format!("`{name}`")).collect();
            faults.push(PlanFault::new(
                MACHINE,
                format!(
                    "workers {} need {needed} GPUs together, because who is bound exclusively shares none; the machine has {}",
                    names.join(", "),
                    machine.gpus
                ),
                "run fewer instances, or let them share with a binding that has `\"exclusive\": false`",
            ));
            return vec![Vec::new(); wanted.len()];
        }
    };
    let place = |(worker, fits): (&Wanted<'_>, &bool)| {
        let Some(demand) = worker.demand.as_ref().filter(|_| *fits) else { return Vec::new() };
        let own = shares.get(worker.name);
        let gpus = own.map_or(machine.gpus, |own| own.len() as u32);
        let placed = demand.place(&Machine { gpus, ..*machine }, Some(worker.count)).map(Iterator::collect);
        let mut instances: Vec<Instance> = placed.unwrap_or_default();
        for instance in &mut instances {
            let gpu = instance.gpu.and_then(|gpu| own?.get(gpu as usize).copied());
            instance.gpu = gpu;
        }
        instances
    };
    wanted.iter().zip(&fits).map(place).collect()
}

/// What all workers together take too much of.
fn too_much<'a>(workers: impl Iterator<Item = &'a Wanted<'a>>, machine: &Machine) -> Vec<PlanFault> {
    let (mut cpus, mut memory, mut names) = (0_u64, 0_u64, Vec::new());
    for worker in workers {
        let Some(demand) = &worker.demand else { continue };
        let together = |each: u64| each.saturating_mul(u64::from(worker.count));
        cpus = cpus.saturating_add(together(demand.cpus.unwrap_or(0).into()));
        memory = memory.saturating_add(together(demand.memory.unwrap_or(0)));
        names.push(format!("`{}`", worker.name));
    }
    let fault = |what: &str, needed: String, available: String| {
        let message = format!(
            "workers {} take {needed} {what} together, and the machine has {available}",
            names.join(", ")
        );
        PlanFault::new(MACHINE, message, "run fewer instances, or a larger machine")
    };
    let mut faults = Vec::new();
    // One worker alone that is too large has been told already.
    if names.len() > 1 {
        if let Some(available) = machine.cpus.filter(|available| cpus > u64::from(*available)) {
            faults.push(fault("CPUs", cpus.to_string(), available.to_string()));
        }
        if let Some(available) = machine.memory.filter(|available| memory > *available) {
            faults.push(fault("MiB of memory", (memory >> 20).to_string(), (available >> 20).to_string()));
        }
    }
    faults
}

fn does_not_fit(worker: &Wanted<'_>, misfit: Misfit) -> PlanFault {
    let name = worker.name;
    let help = match misfit {
        Misfit::NoGpu => {
            "bind it to `mock_gpu` to simulate one on the CPU, or say how many there are with NUM_GPUS"
                .to_owned()
        }
        Misfit::Room { room: 0, .. } => "raise the number of its instances in the mapping".to_owned(),
        Misfit::Room { room, .. } => {
            format!("`{name}:{room}`, or raise the number of its instances in the mapping")
        }
        Misfit::Cpus { .. } | Misfit::Memory { .. } => "run fewer instances, or a larger machine".to_owned(),
        Misfit::PortRange { .. } => "let its ports begin lower".to_owned(),
    };
    PlanFault::new(MACHINE, format!("worker `{name}` does not fit: {misfit}"), help)
}
