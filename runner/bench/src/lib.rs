//! What is measured of the hot code: each case does one piece of work that a run does very often.
//!
//! `benches/hot.rs` takes their time, `bin/once.rs` runs one of them so that `tests/bench/callgrind`
//! can count its instructions: the figure that is the same on a busy machine.

use std::hint::black_box;
use std::sync::Arc;

use indexmap::IndexMap;
use rplay_diag::Source;
use rplay_template::vault::VaultKeys;
use rplay_template::{Redactor, Templar, Value, Vars};
use rplay_vars::{Layer, Level, Mappings, Scope};
use rplay_wire::{Run, ToAgent, decode, encode};
use rplay_yaml::{Kind, Map, Node};

/// A piece of work, ready to be done again and again.
pub type Work = Box<dyn Fn()>;

/// A case: its name, and what makes it ready.
pub type Case = (&'static str, fn() -> Work);

/// The cases, each made ready when it is asked for.
pub const CASES: &[Case] = &[
    ("yaml_load_2000_lines", yaml_load),
    ("variables_of_40_layers", variables),
    ("condition", condition),
    ("template_text", template),
    ("template_dictionary", dictionary),
    ("wire_request_there_and_back", wire_request),
    ("wire_chunk_encode", wire_chunk),
];

/// The case of that name.
pub fn case(name: &str) -> Option<Work> {
    let (_, ready) = CASES.iter().find(|(known, _)| *known == name)?;
    Some(ready())
}

fn yaml_load() -> Work {
    let task = "    - name: Write the file of application NN\n      template:\n        src: app.conf.j2\n        dest: \"/etc/app/NN.conf\"\n        owner: root\n        mode: \"0644\"\n      when: app_enabled | bool\n      notify: restart app\n";
    let tasks: String = (0..249)
        .map(|n| task.replace("NN", &n.to_string()))
        .collect();
    let text =
        format!("- hosts: all\n  gather_facts: false\n  vars:\n    port: 8080\n  tasks:\n{tasks}");
    let source = Source::new("play.yml", text);
    Box::new(move || {
        black_box(rplay_yaml::load(black_box(&source)).expect("bug: the playbook is good"));
    })
}

/// A host with many groups, a role and facts: each layer has names of its own, and one that all set.
fn scope() -> Arc<dyn Vars> {
    let levels = [
        Level::RoleDefaults,
        Level::InventoryGroups,
        Level::AllGroup,
        Level::Groups,
        Level::PlaybookGroups,
        Level::Host,
        Level::Play,
        Level::RoleVars,
    ];
    let mut scope = Scope::new(Mappings::Replaced);
    for number in 0..40 {
        let own: String = (0..20)
            .map(|n| format!("l{number}_v{n}: \"text {n} of {{{{ base }}}}\"\n"))
            .collect();
        let text = format!("{own}shared: {{from: {number}, list: [1, 2, 3]}}\n");
        scope.add(
            levels[number % levels.len()],
            Layer::Nodes(Arc::new(map(text))),
        );
    }
    let facts = (0..150).map(|n| (format!("ansible_fact_{n}"), Value::from(n)));
    let facts: IndexMap<String, Value> = facts.collect();
    let base = IndexMap::from([
        ("base".to_owned(), Value::from("the base")),
        ("enabled".to_owned(), Value::from(true)),
    ]);
    Arc::new(
        scope
            .with_values(Level::Facts, facts)
            .with_values(Level::SetFacts, base),
    )
}

fn map(text: String) -> Map {
    let source = Source::new("vars.yml", text);
    let loaded = rplay_yaml::load(&source).expect("bug: the variables are good");
    match loaded.root(&source).kind {
        Kind::Map(map) => map,
        other => panic!("bug: the variables are no mapping: {other:?}"),
    }
}

fn variables() -> Work {
    let vars = scope();
    Box::new(move || {
        for name in ["l0_v3", "l39_v19", "shared", "ansible_fact_77", "missing"] {
            black_box(vars.get(black_box(name)));
        }
    })
}

fn templar() -> Templar {
    Templar::new(Redactor::default(), VaultKeys::default(), false)
}

fn node(text: &str) -> Node {
    let source = Source::new("task.yml", text);
    let loaded = rplay_yaml::load(&source).expect("bug: the text is good");
    loaded.root(&source)
}

fn condition() -> Work {
    let (templar, vars) = (templar(), scope());
    let node = node("\"enabled and ansible_fact_7 == 7 and 'l1_v1' is defined\"");
    Box::new(move || {
        black_box(templar.condition(&node, &vars).expect("bug: it holds"));
    })
}

fn template() -> Work {
    rendered(
        "\"{{ l3_v4 | upper }}: {{ shared.list | join(',') }} {{ l20_v1 | default('none') }}\"",
    )
}

fn dictionary() -> Work {
    rendered("{dest: '/etc/{{ base }}', mode: '0644', list: ['{{ l1_v1 }}', '{{ shared.from }}']}")
}

fn rendered(text: &str) -> Work {
    let (templar, vars, node) = (templar(), scope(), node(text));
    Box::new(move || {
        black_box(templar.render(&node, &vars).expect("bug: it renders"));
    })
}

fn wire_request() -> Work {
    let run = Run {
        id: 7,
        diff: true,
        environment: vec![("PATH".to_owned(), "/usr/bin:/bin".to_owned())],
        ..Run::new(
            "copy",
            r#"{"dest":"/etc/app.conf","mode":"0644","content":"name=app\nport=8080\n"}"#
                .to_owned(),
        )
    };
    let message = ToAgent::Run(Box::new(run));
    Box::new(move || {
        let frame = encode(black_box(&message)).expect("bug: it is small");
        let back: ToAgent = decode(&frame[4..]).expect("bug: it is what was written");
        black_box(back);
    })
}

fn wire_chunk() -> Work {
    let message = ToAgent::Chunk {
        id: 7,
        stream: 0,
        data: vec![7; rplay_wire::CHUNK],
        packed: false,
        last: false,
        error: None,
    };
    Box::new(move || {
        black_box(encode(black_box(&message)).expect("bug: a chunk fits"));
    })
}
