//! The table of a full sweep, from what its tests record.

use std::collections::BTreeMap;

use serde_json::Value;

/// Names the file to which the sweeps add a line for each cloud, scenario and way to fail.
pub const RECORD: &str = "WBSTORE_SANDBOX_FAULTS";

/// The lines of `record` as Markdown: a summary of each cloud, then each way to fail.
pub fn markdown(record: &str) -> String {
    let lines: Vec<Value> = record.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let mut clouds: BTreeMap<String, Sum> = BTreeMap::new();
    let mut faults: BTreeMap<(String, String), Sum> = BTreeMap::new();
    for line in &lines {
        let text = |field: &str| line[field].as_str().unwrap_or_default().to_owned();
        clouds.entry(text("cloud")).or_default().add(line);
        faults.entry((text("cloud"), text("fault"))).or_default().add(line);
    }
    let mut page = String::from(
        "| Cloud | Requests | Runs with a fault | Converged | Duplicates | Documents of others changed | Longest recovery |\n\
         |---|---|---|---|---|---|---|\n",
    );
    for (cloud, sum) in &clouds {
        let requests: u64 = sum.requests.values().sum();
        page.push_str(&format!(
            "| {cloud} | {requests} | {} | {} | {} | {} | {:.1} s |\n",
            sum.runs, sum.converged, sum.duplicates, sum.foreign, sum.recovery
        ));
    }
    page.push_str(
        "\n| Cloud | Fault | Runs | Survived | Left half done | Converged |\n|---|---|---|---|---|---|\n",
    );
    for ((cloud, fault), sum) in &faults {
        page.push_str(&format!(
            "| {cloud} | {fault} | {} | {} | {} | {} |\n",
            sum.runs, sum.survived, sum.halfway, sum.converged
        ));
    }
    page
}

#[derive(Default)]
struct Sum {
    /// Of the fault-free run, by scenario.
    requests: BTreeMap<String, u64>,
    runs: u64,
    survived: u64,
    halfway: u64,
    converged: u64,
    duplicates: u64,
    foreign: u64,
    recovery: f64,
}

impl Sum {
    fn add(&mut self, line: &Value) {
        let count = |field: &str| line[field].as_u64().unwrap_or_default();
        self.requests.insert(line["scenario"].to_string(), count("requests"));
        self.runs += count("runs");
        self.survived += count("survived");
        self.halfway += count("halfway");
        self.converged += count("converged");
        self.duplicates += count("duplicates");
        self.foreign += count("foreign");
        self.recovery = self.recovery.max(line["recovery"].as_f64().unwrap_or_default());
    }
}
