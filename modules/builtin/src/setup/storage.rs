//! Volumes of LVM, and the names under which a host asks for storage over a network.

use rplay_api::{Command, Host};
use serde_json::{Map, Value, json};

use super::{Facts, text};

/// The host's names: of iSCSI, of NVMe and of its Fibre Channel ports.
pub(super) fn names(host: &Host, wants: &super::Subset, facts: &mut Facts) {
    if wants.has("iscsi") {
        let file = text(host, "/etc/iscsi/initiatorname.iscsi");
        let name = file.lines().find_map(|line| line.trim().strip_prefix("InitiatorName="));
        facts.insert("iscsi_iqn".to_owned(), name.unwrap_or_default().into());
    }
    if wants.has("nvme") {
        facts.insert("hostnqn".to_owned(), text(host, "/etc/nvme/hostnqn").into());
    }
    if wants.has("fibre_channel_wwn") {
        let folder = std::path::Path::new("/sys/class/fc_host");
        let ports = host.read_dir(folder).unwrap_or_default();
        let ports = ports.iter().map(|port| text(host, &folder.join(port).join("port_name").to_string_lossy()));
        let ports: Vec<String> = ports.map(|name| name.trim_start_matches("0x").to_owned()).collect();
        facts.insert("fibre_channel_wwn".to_owned(), ports.into());
    }
}

/// Volume groups, logical volumes and what they lie on, which only root may ask for.
pub(super) fn lvm(host: &Host, facts: &mut Facts) {
    let rows = |program: &str| {
        let command = Command::reads([program, "--noheadings", "--nosuffix", "--units", "g", "--separator", ","]);
        let output = host.run(&command).ok().filter(|output| output.rc == 0)?;
        let printed = output.stdout();
        let rows = printed.lines().map(|line| line.trim().split(',').map(str::to_owned).collect());
        Some(rows.collect::<Vec<Vec<String>>>())
    };
    let is_root = rustix::process::geteuid().is_root();
    let told = match is_root.then(|| rows("vgs")).flatten() {
        Some(groups) => json!({
            "vgs": by_name(groups, &[("num_pvs", 1), ("num_lvs", 2), ("size_g", 5), ("free_g", 6)]),
            "lvs": by_name(rows("lvs").unwrap_or_default(), &[("vg", 1), ("size_g", 3)]),
            "pvs": by_name(rows("pvs").unwrap_or_default(), &[("vg", 1), ("size_g", 4), ("free_g", 5)]),
        }),
        None => "N/A".into(),
    };
    facts.insert("lvm".to_owned(), told);
}

/// The rows by their first column, with the columns that have a name.
fn by_name(rows: Vec<Vec<String>>, columns: &[(&str, usize)]) -> Value {
    let named = rows.into_iter().filter(|row| row.len() > 1).map(|row| {
        let cells = columns.iter().filter_map(|(name, at)| Some(((*name).to_owned(), row.get(*at)?.clone().into())));
        (row[0].clone(), Value::from(cells.collect::<Map<_, _>>()))
    });
    named.collect()
}

#[cfg(test)]
mod tests {
    use rplay_api::Overlay;

    use super::*;
    use crate::fixture::Fixture;

    #[test]
    fn rows_of_lvm_are_told_by_their_columns() {
        let row = |line: &str| vec![line.split(',').map(str::to_owned).collect::<Vec<_>>()];
        let groups = by_name(row("vg0,1,2,0,wz--n-,20.00,5.50"), &[("num_pvs", 1), ("num_lvs", 2), ("size_g", 5), ("free_g", 6)]);
        assert_eq!(groups, json!({"vg0": {"num_pvs": "1", "num_lvs": "2", "size_g": "20.00", "free_g": "5.50"}}));
        assert_eq!(by_name(row(""), &[("vg", 1)]), json!({}));
    }

    #[test]
    fn a_hosts_names_for_storage_are_read() {
        let overlay = Overlay::empty();
        let fixture = Fixture::new(&overlay);
        fixture.file("/etc/iscsi/initiatorname.iscsi", "## c\nInitiatorName=iqn.1993-08.org.debian:01:abc\n");
        fixture.file("/etc/nvme/hostnqn", "nqn.2014-08:uuid:1\n").file("/sys/class/fc_host/host1/port_name", "0x21000014ff52a9bb\n");
        let args = json!({"gather_subset": ["!all", "!min", "iscsi", "nvme", "fibre_channel_wwn"]});
        let facts = fixture.run::<super::super::This>(args).result.unwrap().data["ansible_facts"].clone();
        assert_eq!(facts["ansible_iscsi_iqn"], "iqn.1993-08.org.debian:01:abc");
        assert_eq!(facts["ansible_hostnqn"], "nqn.2014-08:uuid:1");
        assert_eq!(facts["ansible_fibre_channel_wwn"], json!(["21000014ff52a9bb"]));
    }
}
