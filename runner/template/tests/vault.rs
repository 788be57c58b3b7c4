//! Vaults: those that ansible-vault 2.19 made, and our own.

#![allow(clippy::unwrap_used)] // helpers of tests are tests

mod common;

use std::sync::Arc;

use rplay_diag::{Style, render};
use rplay_template::vault::{Tried, VaultKeys, encrypt, is_vault};
use rplay_template::{Redactor, Templar, Vars, to_json};

use common::{vars, yaml};

/// `hunter2`, locked with `pw`.
const PLAIN: &str = "$ANSIBLE_VAULT;1.1;AES256\n\
65666235383838643633303234386661346165393461333639336130353235623536346639663663\n\
3335653934663231333536616532366639663134393437340a303232316236353261656361653435\n\
31303863313864656234306563366663313463636165396564383533383336653739646133373161\n\
3666353231353239320a353664666133653962633735346236386439313861623265363036663662\n\
3664";

/// `hunter2`, locked with `other` under the id `prod`.
const WITH_ID: &str = "$ANSIBLE_VAULT;1.2;AES256;prod\n\
31663965663761373865343263613339356362353864616331313264616136323665616538643362\n\
3639653139633264656435343536623464396135366533370a316464383738623834353361326363\n\
35633039306131646662326433316132336362656532363466363938393234363364643438353235\n\
6363356335623361340a376636616463643532383533626632383239333265616637663532313337\n\
6235";

fn keys(passwords: &[(Option<&str>, &str)]) -> VaultKeys {
    let owned =
        |(id, password): &(Option<&str>, &str)| (id.map(str::to_owned), (*password).to_owned());
    VaultKeys::new(passwords.iter().map(owned).collect())
}

#[test]
fn a_vault_opens_with_its_password_among_others() {
    let all = keys(&[(None, "wrong"), (None, "pw"), (Some("prod"), "other")]);
    assert_eq!(all.decrypt(PLAIN).unwrap(), "hunter2\n");
    assert_eq!(all.decrypt(WITH_ID).unwrap(), "hunter2\n");
    assert!(is_vault(PLAIN));
}

#[test]
fn a_wrong_password_and_a_damaged_vault_are_told_apart() {
    let wrong = keys(&[(None, "wrong")]).decrypt(PLAIN).unwrap_err();
    assert_eq!(wrong, "no vault secrets were found that could decrypt");
    let none = keys(&[]).decrypt(PLAIN).unwrap_err();
    assert_eq!(none, "Attempting to decrypt but no vault secrets found");
    let damaged = keys(&[(None, "pw")])
        .decrypt("$ANSIBLE_VAULT;1.1;AES256\nzz")
        .unwrap_err();
    assert_eq!(
        damaged,
        "Vault format unhexlify error: Non-hexadecimal digit found"
    );
}

#[test]
fn what_is_locked_opens_again() {
    for text in ["", "x", "sixteen letters!", "many\nlines\nof text é"] {
        let locked = encrypt(text, "pw", Some("dev"), None).unwrap();
        assert!(
            locked.starts_with("$ANSIBLE_VAULT;1.2;AES256;dev\n"),
            "{locked}"
        );
        assert_eq!(keys(&[(None, "pw")]).decrypt(&locked).unwrap(), text);
    }
}

fn indented(vault: &str) -> String {
    vault.lines().map(|line| format!("  {line}\n")).collect()
}

#[test]
fn a_vault_in_a_playbook_is_opened_and_hidden() {
    let redactor = Redactor::default();
    let templar = Templar::new(redactor.clone(), keys(&[(None, "pw")]), false);
    let vars: Arc<dyn Vars> = Arc::new(vars(&format!("pass: !vault |\n{}", indented(PLAIN))));
    let value = templar
        .render(&yaml("'x {{ pass | trim }}'"), &vars)
        .unwrap();
    assert_eq!(to_json(&value).unwrap(), "x hunter2");
    assert_eq!(redactor.redact("pw: hunter2"), "pw: [secret]");
}

#[test]
fn a_vault_that_does_not_open_is_pointed_at() {
    let templar = Templar::new(Redactor::default(), keys(&[(None, "wrong")]), false);
    let vars: Arc<dyn Vars> = Arc::new(vars(&format!("a: 1\npass: !vault |\n{}", indented(PLAIN))));
    let error = templar.render(&yaml("'{{ pass }}'"), &vars).unwrap_err();
    let shown = render(&error, Style::Plain);
    assert!(
        shown.contains("could not be opened: no vault secrets were found that could decrypt"),
        "{shown}"
    );
    assert!(shown.contains("--> vars.yml:2:"), "{shown}");
    assert!(shown.contains("used here"), "{shown}");
}

#[test]
fn a_value_that_came_of_a_vault_is_known_as_one() {
    let keys = keys(&[(None, "pw")]);
    let templar = Templar::new(Redactor::default(), keys, false);
    let names = format!(
        "secret: !vault |\n  {}\nplain: x",
        PLAIN.replace('\n', "\n  ")
    );
    let vars: Arc<dyn Vars> = Arc::new(vars(&names));
    let asked = yaml("'{{ secret is vault_encrypted }} {{ plain is vault_encrypted }}'");
    let value = templar.render(&asked, &vars).unwrap();
    assert_eq!(to_json(&value).unwrap(), "True False");
}

#[test]
fn only_passwords_of_its_id_open_a_vault_where_ids_count() {
    let named = encrypt("a: 1", "one", Some("prod"), None).unwrap();
    let plain = encrypt("a: 1", "one", None, None).unwrap();
    let keys = |id: &str| {
        let password = (Some(id.to_owned()), "one".to_owned());
        VaultKeys::tried(vec![password], Tried::OfItsId)
    };
    assert!(keys("prod").decrypt(&named).is_ok());
    assert!(keys("default").decrypt(&named).is_err());
    assert!(keys("default").decrypt(&plain).is_ok());
    assert!(keys("prod").decrypt(&plain).is_err());
}
