//! What a run on very many hosts costs the controller: ten tasks on hosts that are simulated inside
//! this process, each behind a connection of a set delay. Nothing but the hosts is simulated: the
//! engine, the frames and the screen are those of `rplay`.
//!
//!     cargo run --release -p rplay-bench --bin simulate -- HOSTS [ROUND_TRIP_MS] >/dev/null
//!
//! One line on standard error: seconds, seconds of processor time, megabytes at most.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rplay_engine::{Answer, Catalog, Operator, Options, Run, Setup};
use rplay_inventory::Inventory;
use rplay_playbook::{Disk, Loader};
use rplay_report::{Look, Terminal};
use rplay_template::vault::VaultKeys;
use rplay_template::{Redactor, Templar};
use rplay_transport::{Connector, Image, NoSecrets, Simulation};
use rplay_vars::{Mappings, Store};
use rplay_wire::{End, Report, Run as Request};

/// Ten tasks: five that go to the host, five of the controller that render for each host.
const PLAYBOOK: &str = r#"
- hosts: all
  gather_facts: false
  vars:
    conf: { port: 8080, name: "app-{{ inventory_hostname }}" }
  tasks:
    - setup:
    - set_fact: { own: "{{ conf.name }}:{{ conf.port }}" }
    - debug: { msg: "{{ own }} {{ ansible_facts.fact_7 }}" }
    - ping:
    - command: "echo {{ own }}"
      register: said
    - assert: { that: said.rc == 0 }
    - copy: { dest: /etc/app.conf, content: "name={{ conf.name }}\nfirst={{ ansible_play_hosts[0] }}\n" }
    - file: { path: /srv/app, state: directory }
      when: ansible_facts.fact_1 == "value 1"
    - debug: { msg: "not on this host" }
      when: ansible_facts.fact_1 == "value 2"
    - meta: noop
"#;

fn main() -> Result<(), String> {
    let mut arguments = std::env::args().skip(1);
    let mut number = |default: u64| {
        arguments.next().map_or(Ok(default), |text| {
            text.parse().map_err(|_| format!("`{text}` is no number"))
        })
    };
    let hosts = number(1000)?;
    let round_trip = Duration::from_millis(number(20)?);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|e| e.to_string())?;
    let begun = Instant::now();
    let run = Run::new(setup(hosts, round_trip));
    let dir = tempfile::tempdir().map_err(|e| e.to_string())?;
    let plays = plays(dir.path())?;
    let working = run.clone();
    let work = runtime.spawn(async move { working.execute(vec![plays]).await });
    let summary = runtime.block_on(work).map_err(|e| e.to_string())?;
    if summary.failed || summary.unreachable || summary.recap.len() != hosts as usize {
        return Err("the run failed".to_owned());
    }
    tell(hosts, begun.elapsed().as_secs_f64());
    Ok(())
}

/// The line of figures.
#[allow(clippy::print_stderr)]
fn tell(hosts: u64, seconds: f64) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|l| l.strip_prefix("VmHWM:"));
    let peak = peak.and_then(|text| text.trim().strip_suffix(" kB")?.parse().ok());
    let megabytes = peak.unwrap_or(f64::NAN) / 1024.0;
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default();
    let ticks = fields.split_whitespace().skip(11).take(2);
    let ticks: f64 = ticks.filter_map(|t| t.parse::<f64>().ok()).sum();
    let processor = ticks / 100.0;
    #[allow(clippy::cast_precision_loss)]
    let count = hosts as f64;
    eprintln!(
        "{hosts} hosts: {seconds:.2} s, processor {processor:.2} s ({:.2} ms a host), {megabytes:.0} MB ({:.0} kB a host)",
        processor * 1000.0 / count,
        megabytes * 1024.0 / count,
    );
}

type Named = (String, Vec<rplay_playbook::Play>);

fn plays(dir: &Path) -> Result<Named, String> {
    let path = dir.join("play.yml");
    std::fs::write(&path, PLAYBOOK).map_err(|e| e.to_string())?;
    let (plays, _) = loader()
        .playbook(&path)
        .map_err(|wrong| wrong.iter().map(|d| d.message.clone()).collect::<String>())?;
    Ok((path.display().to_string(), plays))
}

fn loader() -> Loader {
    let early = |node: &rplay_yaml::Node, _: &rplay_yaml::Map| {
        Ok(node.as_str().unwrap_or_default().to_owned())
    };
    Loader::new(
        Arc::new(Disk),
        Arc::new(Catalog::default()),
        vec![],
        Box::new(early),
    )
}

fn setup(hosts: u64, round_trip: Duration) -> Setup {
    let mut inventory = Inventory::default();
    inventory.group_mut("all");
    for number in 0..hosts {
        inventory.host_mut(&format!("node{number:05}"), &format!("rack{}", number / 40));
    }
    let inventory = Arc::new(inventory);
    let templar = Templar::new(Redactor::default(), VaultKeys::default(), false);
    let store = Store::new(inventory, templar.clone(), vec![], Mappings::default());
    let simulation = Simulation {
        connect: round_trip * 3,
        round_trip,
        answer: Arc::new(answer),
    };
    let image = Image {
        gzip: &[],
        sha256: "",
        arch: "",
    };
    Setup {
        options: options(hosts),
        store: Arc::new(store),
        loader: Arc::new(loader()),
        templar,
        connector: Connector::new(image, Arc::new(NoSecrets)).simulating(simulation),
        limit: None,
        operator: Arc::new(Nobody),
        sink: Arc::new(Terminal::new(Look::plain())),
        reload: Box::new(|| Err(vec![])),
    }
}

fn options(hosts: u64) -> Options {
    Options {
        forks: usize::try_from(hosts).unwrap_or(usize::MAX).min(500),
        ..Options::default()
    }
}

/// What a simulated host answers: as many facts as a real one has, and a process that went well.
fn answer(request: &Request) -> Report {
    let data = if request.module == "setup" {
        let facts: serde_json::Map<String, serde_json::Value> = (0..150)
            .map(|n| (format!("ansible_fact_{n}"), format!("value {n}").into()))
            .collect();
        serde_json::json!({ "ansible_facts": facts })
    } else {
        serde_json::json!({"rc": 0, "stdout": "app", "stdout_lines": ["app"], "stderr": ""})
    };
    Report {
        took_us: 100,
        ..Report::of(End::Ok {
            changed: request.module == "command",
            data: data.to_string(),
            unknown: vec![],
        })
    }
}

/// Nobody is asked.
struct Nobody;

impl Operator for Nobody {
    fn step(&self, _: &str) -> Answer {
        Answer::Yes
    }

    fn value(&self, _: &str, _: bool) -> Option<String> {
        None
    }

    fn tell(&self, _: &str) {}
}
