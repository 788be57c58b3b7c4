//! What `lsb_release` says of the distribution, or the file that it would read.

use rplay_api::{Command, Host};
use serde_json::{Map, Value};

use super::{Facts, text};

pub(super) fn gather(host: &Host, facts: &mut Facts) {
    let printed = host.run(&Command::reads(["lsb_release", "-a"])).ok();
    let printed = printed.filter(|output| output.rc == 0).map(|output| output.stdout());
    let told = match printed {
        Some(printed) => read(&printed, ':', [
            ("Distributor ID", "id"),
            ("Description", "description"),
            ("Release", "release"),
            ("Codename", "codename"),
        ]),
        None => read(&text(host, "/etc/lsb-release"), '=', [
            ("DISTRIB_ID", "id"),
            ("DISTRIB_DESCRIPTION", "description"),
            ("DISTRIB_RELEASE", "release"),
            ("DISTRIB_CODENAME", "codename"),
        ]),
    };
    facts.insert("lsb".to_owned(), told.into());
}

fn read(lines: &str, sign: char, names: [(&str, &str); 4]) -> Map<String, Value> {
    let mut told = Map::new();
    for line in lines.lines() {
        let Some((key, value)) = line.split_once(sign) else { continue };
        let Some((_, name)) = names.iter().find(|(known, _)| *known == key.trim()) else { continue };
        let value = value.trim().trim_matches(['"', '\'', '\\']);
        told.insert((*name).to_owned(), value.into());
    }
    if let Some(release) = told.get("release").and_then(Value::as_str) {
        let major = release.split('.').next().unwrap_or_default().to_owned();
        told.insert("major_release".to_owned(), major.into());
    }
    told
}

#[cfg(test)]
mod tests {
    use rplay_api::Overlay;
    use serde_json::json;

    use crate::fixture::Fixture;

    #[test]
    fn the_file_is_read_where_the_program_is_not_there() {
        let overlay = Overlay::empty();
        let fixture = Fixture::new(&overlay);
        fixture.file("/etc/lsb-release", "DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=20.04\nDISTRIB_CODENAME=focal\nDISTRIB_DESCRIPTION=\"Ubuntu 20.04.1 LTS\"\n");
        let fixture = fixture.env("PATH", "/nowhere");
        let args = json!({"gather_subset": ["!all", "!min", "lsb"]});
        let facts = fixture.run::<super::super::This>(args).result.unwrap().data["ansible_facts"].clone();
        assert_eq!(
            facts["ansible_lsb"],
            json!({"id": "Ubuntu", "release": "20.04", "codename": "focal", "description": "Ubuntu 20.04.1 LTS", "major_release": "20"})
        );
    }
}
