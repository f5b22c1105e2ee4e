//! A dashboard for Grafana, with a panel for each metric of the list.

use serde_json::{Value, json};

use crate::catalogue::{self, Kind, Metric};

/// Panels beside one another.
const COLUMNS: usize = 2;
/// The grid's width and a panel's height.
const GRID: (usize, usize) = (24, 8);

/// The dashboard, for Grafana's import.
pub fn grafana() -> Value {
    let panels: Vec<Value> =
        catalogue::ALL.iter().enumerate().map(|(index, metric)| panel(index, metric)).collect();
    json!({
        "title": "EMP",
        "uid": "emp-overview",
        "tags": ["emp"],
        "schemaVersion": 39,
        "timezone": "browser",
        "refresh": "30s",
        "time": { "from": "now-6h", "to": "now" },
        "templating": { "list": [{ "name": "datasource", "type": "datasource", "query": "prometheus" }] },
        "panels": panels,
    })
}

fn panel(index: usize, metric: &Metric) -> Value {
    let width = GRID.0 / COLUMNS;
    let (unit, query) = (unit(metric), query(metric));
    let legend: Vec<String> = metric.labels.iter().map(|label| format!("{{{{{label}}}}}")).collect();
    json!({
        "id": index + 1,
        "type": "timeseries",
        "title": metric.help.trim(),
        "description": metric.name,
        "datasource": { "type": "prometheus", "uid": "${datasource}" },
        "gridPos": { "h": GRID.1, "w": width, "x": (index % COLUMNS) * width, "y": (index / COLUMNS) * GRID.1 },
        "fieldConfig": { "defaults": { "unit": unit }, "overrides": [] },
        "targets": [{ "refId": "A", "expr": query, "legendFormat": legend.join(" ") }],
    })
}

/// Counters as rates, histograms as their 95th percentile; the processes are summed up.
fn query(metric: &Metric) -> String {
    let by = metric.labels.join(", ");
    match metric.kind {
        Kind::Counter => format!("sum by ({by}) (rate({}[5m]))", metric.name),
        Kind::Gauge => format!("max by ({by}) ({})", metric.name),
        Kind::Histogram => {
            let by =
                std::iter::once("le").chain(metric.labels.iter().copied()).collect::<Vec<_>>().join(", ");
            format!("histogram_quantile(0.95, sum by ({by}) (rate({}_bucket[5m])))", metric.name)
        }
    }
}

fn unit(metric: &Metric) -> &'static str {
    match metric.kind {
        Kind::Counter => "ops",
        _ if metric.name.ends_with("_timestamp_seconds") => "dateTimeFromNow",
        _ if metric.name.ends_with("_seconds") => "s",
        _ => "short",
    }
}
