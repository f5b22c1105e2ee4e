use super::*;

const GUIDE: &str = r#"{
  "$schema": "./schemas/service-mapping.schema.json",
  "connectors": { "MyServiceConnector": { "path": "./redis-direct-worker.js", "description": "MyService" }, "Other": {} },
  "workers": {
    "my-service-api": {
      "service": [{ "capability": "my-service", "connector": "MyServiceConnector", "type": "external" }],
      "installer": null,
      "resource_binding": "shared",
      "build_stage": "base",
      "required_env": ["MY_SERVICE_API_KEY"],
      "description": "MyService API worker for custom processing",
      "api_config": {
        "base_url": "${MY_SERVICE_BASE_URL:-https://api.myservice.com}",
        "timeout": "${MY_SERVICE_TIMEOUT:-30}",
        "max_retries": "${MY_SERVICE_MAX_RETRIES:-3}"
      }
    },
    "ai-remote": {
      "service": [
        { "capability": "comfyui", "connector": "MyServiceConnector", "type": "external" },
        { "capability": ["a1111", "automatic"], "connector": "Other", "type": "external" }
      ],
      "description": "Multi-service remote connector handling multiple AI services"
    },
    "internal": {
      "service": [{ "capability": "local", "connector": "Other", "type": "internal" }],
      "installer": "installServiceName",
      "resource_binding": "gpu",
      "build_stage": "service-name",
      "service_instances_per_gpu": "${INSTANCES_PER_GPU:-1}",
      "ports": ["${BASE_PORT:-8000}", 8001],
      "port_increment": "${PORT_INCREMENT:-1}",
      "installer_config": { "install_command": "${INSTALL_COMMAND:-./install.sh}", "install_timeout": "${INSTALL_TIMEOUT:-300}", "headless": true }
    }
  },
  "resource_bindings": { "mock": { "description": "Mock", "scaling": "per_gpu", "exclusive": true, "force_cpu": true } },
  "service_types": { "internal": { "requires_installer": true, "has_ports": true, "has_pm2_process": true } }
}"#;

#[test]
fn the_four_shapes_of_the_guide_are_read_unchanged() {
    let mapping = Mapping::parse(GUIDE).unwrap();
    let offers: Vec<_> = mapping.capabilities().map(|o| (o.worker, o.capability, o.connector)).collect();
    assert_eq!(
        offers,
        [
            ("ai-remote", "comfyui", "MyServiceConnector"),
            ("ai-remote", "a1111", "Other"),
            ("ai-remote", "automatic", "Other"),
            ("internal", "local", "Other"),
            ("my-service-api", "my-service", "MyServiceConnector"),
        ]
    );
    assert_eq!(mapping.serving("automatic").count(), 1);
    assert_eq!(mapping.worker("internal").unwrap().ports[1].text(), "8001");
}

#[test]
fn a_mapping_survives_being_written_and_read_again() {
    let mapping = Mapping::parse(GUIDE).unwrap();
    assert_eq!(Mapping::parse(&serde_json::to_string(&mapping).unwrap()).unwrap(), mapping);
}

#[test]
fn an_unknown_key_is_an_error_with_its_place() {
    let error = Mapping::parse("{\n  \"workerz\": {}\n}").unwrap_err();
    assert!(error.message.contains("unknown field `workerz`"), "{error}");
    assert_eq!(error.line, 2);
}

#[test]
fn kinds_read_what_they_mean_and_nothing_else() {
    assert_eq!(Port::read("8188"), Some(8188));
    assert_eq!([Port::read("0"), Port::read("65536"), Port::read("+1"), Port::read("x")], [None; 4]);
    assert_eq!(Count::read("0"), Some(0));
    assert_eq!(Seconds::read("1.5"), Some(std::time::Duration::from_millis(1500)));
    assert_eq!(Seconds::read("2m"), Some(std::time::Duration::from_mins(2)));
    assert_eq!([Seconds::read("-1"), Seconds::read("soon"), Seconds::read("NaN")], [None; 3]);
}

#[test]
fn a_template_says_its_default_and_its_value() {
    let port = Template::<Port>::new("${PORT:-8188}");
    assert_eq!(port.default(), Ok(Some(8188)));
    assert_eq!(port.value(&|name| (name == "PORT").then(|| "9000".to_owned())), Ok(Some(9000)));
    assert_eq!(Template::<Port>::new("${PORT}").default(), Ok(None));
    assert_eq!(Template::<Port>::new("${PORT:?set it}").default(), Ok(None));
    assert!(matches!(
        Template::<Port>::new("${PORT:?set it}").value(&|_| None),
        Err(TemplateError::Missing(_))
    ));
    let wrong = Template::<Port>::new("${PORT:-eighty}").default().unwrap_err();
    assert_eq!(wrong.to_string(), "`eighty` is not a port from 1 to 65535");
    assert!(matches!(Template::<Port>::new("${PORT").default(), Err(TemplateError::Syntax(_))));
}
