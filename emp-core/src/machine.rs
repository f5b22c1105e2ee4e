//! What fits on a machine: from a worker's demand to its instances, each with its GPU and its ports.
//!
//! Pure arithmetic over plain values. `emp-build` feeds it with the mapping's defaults, a machine's plan with values of the
//! environment; both get the same instances.
//!
//! ```
//! use emp_core::machine::{Demand, Machine};
//! use emp_core::mapping::ResourceBinding;
//!
//! let binding = ResourceBinding::built_in("gpu").unwrap();
//! let comfyui = Demand { ports: vec![8188], ..Demand::of(binding) };
//! let machine = Machine { gpus: 2, ..Machine::default() };
//! let placed: Vec<_> = comfyui.place(&machine, None).unwrap().map(|one| (one.gpu, one.ports)).collect();
//! assert_eq!(placed, [(Some(0), vec![8188]), (Some(1), vec![8189])]);
//! ```

mod ports;

use crate::mapping::{Mapping, ResourceBinding, Scaling, ServiceType, TemplateError, Worker};

pub use ports::{Clash, Listener, PortPlan};

/// A machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Machine {
    /// How many GPUs it has.
    pub gpus: u32,
    /// How many CPUs it has; `None` when nobody said.
    pub cpus: Option<u32>,
    /// How many bytes of memory it has; `None` when nobody said.
    pub memory: Option<u64>,
}

/// What the internal service of a worker asks of a machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Demand {
    /// What its instances are bound to.
    pub binding: ResourceBinding,
    /// How many instances each GPU has room for, where the binding scales with GPUs.
    pub per_gpu: u32,
    /// How many instances the machine has room for, where the binding scales with machines.
    pub per_machine: u32,
    /// The ports of the first instance.
    pub ports: Vec<u16>,
    /// What each further instance adds to them.
    pub port_increment: u32,
    /// The CPUs of each instance.
    pub cpus: Option<u32>,
    /// The bytes of memory of each instance.
    pub memory: Option<u64>,
}

/// One running copy of a worker's service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    /// Its number, from 0.
    pub index: u32,
    /// The GPU that it computes on; `None` when it computes on the CPU.
    pub gpu: Option<u32>,
    /// Where it listens.
    pub ports: Vec<u16>,
}

/// Why a demand cannot be met on a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Misfit {
    /// It computes on GPUs and there is none.
    #[error("it needs a GPU, and the machine has none")]
    NoGpu,
    /// More instances are asked for than there is room for.
    #[error("{wanted} instances are asked for, and there is room for {room}")]
    Room {
        /// How many are asked for.
        wanted: u32,
        /// How many fit.
        room: u32,
    },
    /// The instances take more CPUs than there are.
    #[error("{} {needed} CPUs, and the machine has {available}", takes(*instances))]
    Cpus {
        /// How many instances.
        instances: u32,
        /// What they take together.
        needed: u64,
        /// What there is.
        available: u32,
    },
    /// The instances take more memory than there is.
    #[error("{} {}, and the machine has {}", takes(*instances), bytes(*needed), bytes(*available))]
    Memory {
        /// How many instances.
        instances: u32,
        /// What they take together, in bytes.
        needed: u64,
        /// What there is, in bytes.
        available: u64,
    },
    /// The last instance would listen on a port that does not exist.
    #[error("instance {instance} would listen on {port}, and ports end at 65535")]
    PortRange {
        /// The first instance without a port, from 0.
        instance: u32,
        /// The number that is no port.
        port: u64,
    },
}

impl Demand {
    /// One instance of a binding, without ports.
    pub fn of(binding: ResourceBinding) -> Self {
        Self {
            binding,
            per_gpu: 1,
            per_machine: 1,
            ports: Vec::new(),
            port_increment: 1,
            cpus: None,
            memory: None,
        }
    }

    /// The demand of a worker's internal services, with variables from `lookup`; `None` when all its services are external.
    ///
    /// # Errors
    /// Every field whose template has no valid value, by the field's name.
    pub fn of_worker(
        mapping: &Mapping,
        worker: &Worker,
        lookup: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Option<Self>, Vec<(&'static str, TemplateError)>> {
        if worker.service.iter().all(|service| service.kind == ServiceType::External) {
            return Ok(None);
        }
        let mut faults = Vec::new();
        let mut note = |field, error| faults.push((field, error));
        let named = match worker.resource_binding.as_ref().map(|binding| binding.value(lookup)) {
            Some(Ok(name)) => name,
            Some(Err(error)) => {
                note("resource_binding", error);
                None
            }
            None => None,
        };
        let named =
            named.unwrap_or_else(|| default_binding(worker.service_instances_per_gpu.is_some()).to_owned());
        let declared = mapping.resource_bindings.get(&named).cloned();
        let Some(binding) = declared.or_else(|| ResourceBinding::built_in(&named)) else {
            let expected = "a binding of `resource_bindings`, or `gpu`, `cpu`, `mock_gpu`";
            note("resource_binding", TemplateError::Value { text: named, expected });
            return Err(faults);
        };
        let mut demand = Self::of(binding);
        macro_rules! read {
            ($field:ident as $into:ident) => {
                match worker.$field.as_ref().map(|template| template.value(lookup)) {
                    Some(Ok(Some(value))) => demand.$into = value.into(),
                    Some(Err(error)) => note(stringify!($field), error),
                    Some(Ok(None)) | None => {}
                }
            };
        }
        read!(service_instances_per_gpu as per_gpu);
        read!(service_instances_per_machine as per_machine);
        read!(port_increment as port_increment);
        read!(cpus_per_instance as cpus);
        read!(memory_per_instance as memory);
        for port in &worker.ports {
            match port.value(lookup) {
                Ok(Some(port)) => demand.ports.push(port),
                Ok(None) => note(
                    "ports",
                    TemplateError::Value { text: String::new(), expected: "a port from 1 to 65535" },
                ),
                Err(error) => note("ports", error),
            }
        }
        if faults.is_empty() { Ok(Some(demand)) } else { Err(faults) }
    }

    /// How many instances a machine has room for by what the binding and the counts say; `None` when that has no limit.
    pub fn room(&self, machine: &Machine) -> Option<u32> {
        match self.binding.scaling {
            // Mocked GPUs are there on a machine that has none.
            Scaling::PerGpu if self.binding.force_cpu => {
                Some(machine.gpus.max(1).saturating_mul(self.per_gpu))
            }
            Scaling::PerGpu => Some(machine.gpus.saturating_mul(self.per_gpu)),
            Scaling::PerMachine => Some(self.per_machine),
            Scaling::Unlimited => None,
        }
    }

    /// The instances on a machine: as many as are wanted, or else all that there is room for. They are spread over the GPUs.
    ///
    /// # Errors
    /// The first thing of the machine that does not suffice.
    pub fn place(
        &self,
        machine: &Machine,
        wanted: Option<u32>,
    ) -> Result<impl Iterator<Item = Instance> + use<'_>, Misfit> {
        let room = self.room(machine);
        let on_gpus = self.binding.scaling == Scaling::PerGpu && !self.binding.force_cpu;
        if on_gpus && machine.gpus == 0 {
            return Err(Misfit::NoGpu);
        }
        let instances = wanted.or(room).unwrap_or(1);
        if let Some(room) = room.filter(|room| instances > *room) {
            return Err(Misfit::Room { wanted: instances, room });
        }
        self.fits(machine, instances)?;
        if let Some(plan) = self.port_plans(instances).find(|plan| plan.overflow().is_some()) {
            let (instance, port) = plan.overflow().unwrap_or_default();
            return Err(Misfit::PortRange { instance, port });
        }
        let gpus = machine.gpus;
        Ok((0..instances).map(move |index| Instance {
            index,
            gpu: on_gpus.then(|| index.checked_rem(gpus)).flatten(),
            ports: self.port_plans(instances).filter_map(|plan| plan.port(index)).collect(),
        }))
    }

    /// The ports of so many instances, one plan for each port of the first.
    pub fn port_plans(&self, instances: u32) -> impl Iterator<Item = PortPlan> + use<'_> {
        let increment = self.port_increment;
        self.ports.iter().map(move |first| PortPlan { first: *first, increment, instances })
    }

    fn fits(&self, machine: &Machine, instances: u32) -> Result<(), Misfit> {
        let together = |each: u64| each.saturating_mul(u64::from(instances));
        if let (Some(each), Some(available)) = (self.cpus, machine.cpus) {
            let needed = together(u64::from(each));
            if needed > u64::from(available) {
                return Err(Misfit::Cpus { instances, needed, available });
            }
        }
        if let (Some(each), Some(available)) = (self.memory, machine.memory) {
            let needed = together(each);
            if needed > available {
                return Err(Misfit::Memory { instances, needed, available });
            }
        }
        Ok(())
    }
}

/// The binding of an internal service that names none.
pub fn default_binding(counts_per_gpu: bool) -> &'static str {
    if counts_per_gpu { "gpu" } else { "cpu" }
}

/// Who takes what follows: `its 3 instances take`.
fn takes(instances: u32) -> String {
    if instances == 1 { "its instance takes".to_owned() } else { format!("its {instances} instances take") }
}

/// A number of bytes in the largest unit that shows it whole.
fn bytes(number: u64) -> String {
    let units = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    let whole = units.into_iter().find(|(_, size)| number >= *size && number.is_multiple_of(*size));
    whole.map_or_else(|| format!("{number} bytes"), |(unit, size)| format!("{} {unit}", number / size))
}

#[cfg(test)]
mod tests;
