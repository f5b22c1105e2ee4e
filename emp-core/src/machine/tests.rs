use super::*;

fn demand(binding: &str) -> Demand {
    Demand { ports: vec![8188], ..Demand::of(ResourceBinding::built_in(binding).unwrap()) }
}

fn machine(gpus: u32) -> Machine {
    Machine { gpus, ..Machine::default() }
}

fn placed(
    demand: &Demand,
    machine: &Machine,
    wanted: Option<u32>,
) -> Result<Vec<(Option<u32>, u16)>, Misfit> {
    let instances = demand.place(machine, wanted)?;
    Ok(instances.map(|one| (one.gpu, one.ports.first().copied().unwrap_or_default())).collect())
}

#[test]
fn instances_are_spread_over_the_gpus_and_each_has_a_port_of_its_own() {
    let two_each = Demand { per_gpu: 2, ..demand("gpu") };
    assert_eq!(
        placed(&two_each, &machine(2), None),
        Ok(vec![(Some(0), 8188), (Some(1), 8189), (Some(0), 8190), (Some(1), 8191)])
    );
    assert_eq!(placed(&two_each, &machine(2), Some(1)), Ok(vec![(Some(0), 8188)]));
}

#[test]
fn what_does_not_fit_says_what_is_short() {
    let gpu = demand("gpu");
    assert_eq!(placed(&gpu, &machine(0), None), Err(Misfit::NoGpu));
    assert_eq!(placed(&gpu, &machine(1), Some(2)), Err(Misfit::Room { wanted: 2, room: 1 }));
    let hungry = Demand { per_machine: 3, memory: Some(24 << 30), cpus: Some(4), ..demand("cpu") };
    let small = Machine { memory: Some(64 << 30), ..machine(0) };
    let misfit = placed(&hungry, &small, None).unwrap_err();
    assert_eq!(misfit.to_string(), "its 3 instances take 72 GiB, and the machine has 64 GiB");
    let few = Machine { cpus: Some(8), ..machine(0) };
    assert_eq!(placed(&hungry, &few, None), Err(Misfit::Cpus { instances: 3, needed: 12, available: 8 }));
    assert!(placed(&hungry, &few, Some(2)).is_ok());
}

#[test]
fn ports_end_where_ports_end_however_many_instances_there_are() {
    let many = Demand { per_machine: u32::MAX, ports: vec![65_000], ..demand("cpu") };
    assert_eq!(placed(&many, &machine(0), None), Err(Misfit::PortRange { instance: 536, port: 65_536 }));
    let plan = PortPlan { first: 65_000, increment: 1, instances: u32::MAX };
    assert_eq!(plan.ports().count(), 536);
    assert_eq!(PortPlan { increment: 0, ..plan }.ports().collect::<Vec<_>>(), [65_000]);
    assert_eq!(PortPlan { increment: u32::MAX, ..plan }.overflow(), Some((1, 65_000 + u64::from(u32::MAX))));
}

#[test]
fn mocked_gpus_are_there_on_a_machine_without_any_and_nobody_computes_on_them() {
    assert_eq!(placed(&demand("mock_gpu"), &machine(0), None), Ok(vec![(None, 8188)]));
    assert_eq!(placed(&demand("mock_gpu"), &machine(2), None).unwrap().len(), 2);
    assert_eq!(placed(&demand("shared"), &machine(0), Some(3)).unwrap().len(), 3);
}

#[test]
fn listeners_that_meet_are_named_once_with_the_lowest_port() {
    let on = |owner, first, instances| Listener { owner, plan: PortPlan { first, increment: 1, instances } };
    let clashes = Listener::clashes(&[on(0, 8188, 4), on(1, 8190, 4), on(2, 9000, 1), on(3, 8191, 1)]);
    assert_eq!(
        clashes,
        [Clash { first: 0, second: 1, port: 8190 }, Clash { first: 0, second: 3, port: 8191 }]
    );
}

#[test]
fn the_demand_of_a_worker_is_read_with_the_values_of_its_variables_and_every_fault_is_named() {
    let mapping = Mapping::parse(
        r#"{ "resource_bindings": { "big": { "scaling": "per_gpu", "exclusive": true } }, "workers": {
            "a": { "service": [{ "capability": "a", "connector": "A", "type": "internal" }],
                   "resource_binding": "${BINDING:-gpu}", "service_instances_per_gpu": "${EACH:-1}", "ports": ["${PORT:-8188}"],
                   "memory_per_instance": "16GiB" },
            "b": { "service": [{ "capability": "b", "connector": "B", "type": "external" }] } } }"#,
    )
    .unwrap();
    let worker = |name: &str| mapping.worker(name).unwrap();
    let read = |set: &[(&str, &str)]| {
        Demand::of_worker(&mapping, worker("a"), &|name| {
            set.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })
    };
    let plain = read(&[]).unwrap().unwrap();
    assert_eq!((plain.per_gpu, plain.ports, plain.memory), (1, vec![8188], Some(16 << 30)));
    let set = read(&[("BINDING", "big"), ("EACH", "2"), ("PORT", "9000")]).unwrap().unwrap();
    assert_eq!((set.binding.scaling, set.per_gpu, set.ports), (Scaling::PerGpu, 2, vec![9000]));
    let faults = read(&[("EACH", "two"), ("PORT", "0")]).unwrap_err();
    assert_eq!(
        faults.iter().map(|(field, _)| *field).collect::<Vec<_>>(),
        ["service_instances_per_gpu", "ports"]
    );
    assert_eq!(read(&[("BINDING", "gpus")]).unwrap_err()[0].0, "resource_binding");
    assert_eq!(Demand::of_worker(&mapping, worker("b"), &|_| None), Ok(None));
}
