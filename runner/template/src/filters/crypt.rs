//! Hashes of passwords, and vaults.

use minijinja::{Error, State, Value};

use crate::call::{Args, Callable, Out, strict};
use crate::context::context_of;
use crate::python::{named, wrong};
use crate::vault;

use super::md5_crypt;

/// The vault id where none is given.
const FILTER_DEFAULT: &str = "filter_default";

pub(super) const FILTERS: &[Callable] = &[
    strict(
        &["password_hash"],
        &["value", "hashtype", "salt", "salt_size", "rounds", "ident"],
        password_hash,
    ),
    strict(
        &["vault"],
        &[
            "value",
            "secret",
            "salt",
            "vault_id",
            "wrap_object",
            "vaultid",
        ],
        encrypt,
    ),
    strict(
        &["unvault"],
        &["value", "secret", "vault_id", "vaultid"],
        decrypt,
    ),
];

/// The letters of salts.
const SALT: &[u8] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

pub(crate) fn random_salt(len: usize) -> Result<String, Error> {
    let mut bytes = vec![0; len];
    getrandom::fill(&mut bytes).map_err(|e| wrong(format!("no random numbers: {e}")))?;
    Ok(bytes
        .iter()
        .map(|b| char::from(SALT[usize::from(*b) % SALT.len()]))
        .collect())
}

fn password_hash(state: &mut State<'_, '_>, args: &Args) -> Out {
    if args.req(0)?.is_none() {
        return Err(wrong("`password_hash` takes a text, not none"));
    }
    let password = args.text(0)?;
    if let Ok(context) = context_of(state) {
        context.templar.redactor().register(&password);
    }
    let kind = args.opt_text(1)?.unwrap_or_else(|| "sha512".into());
    let rounds = args.int(4)?.map(|n| usize::try_from(n).unwrap_or(0));
    let salt = match (args.opt_text(2)?, args.some(3)) {
        (Some(salt), _) => Some(salt),
        (None, Some(size)) => Some(random_salt(salt_size(size)?)?),
        (None, None) => None,
    };
    hashed(&password, &kind, salt, rounds).map(Value::from)
}

/// The longest salt that is taken.
const LONGEST_SALT: usize = 1024;

fn salt_size(value: &Value) -> Result<usize, Error> {
    let size = match value.as_str() {
        Some(text) => text.trim().parse().ok(),
        None => usize::try_from(value.clone()).ok(),
    };
    size.filter(|size| *size <= LONGEST_SALT)
        .ok_or_else(|| wrong("salt_size must be an integer"))
}

/// A password as `/etc/shadow` has it.
pub(crate) fn hashed(
    password: &str,
    kind: &str,
    salt: Option<String>,
    rounds: Option<usize>,
) -> Result<String, Error> {
    let bad = |e: &dyn std::fmt::Debug| wrong(format!("Could not hash the secret: {e:?}"));
    if let Some(letter) = salt
        .as_ref()
        .and_then(|salt| salt.bytes().find(|b| !SALT.contains(b)))
    {
        let letter = char::from(letter);
        return Err(wrong(format!(
            "a salt has no `{letter}`: its letters are ./0-9A-Za-z"
        )));
    }
    let salt = |len: usize| salt.clone().map_or_else(|| random_salt(len), Ok);
    match kind {
        "sha512" | "sha512_crypt" => {
            let (salt, rounds) = (salt(16)?, rounds.unwrap_or(656_000));
            let params = sha_crypt::Sha512Params::new(rounds).map_err(|e| bad(&e))?;
            let hash = sha_crypt::sha512_crypt_b64(password.as_bytes(), salt.as_bytes(), &params);
            Ok(shadow('6', rounds, &salt, &hash.map_err(|e| bad(&e))?))
        }
        "sha256" | "sha256_crypt" => {
            let (salt, rounds) = (salt(16)?, rounds.unwrap_or(535_000));
            let params = sha_crypt::Sha256Params::new(rounds).map_err(|e| bad(&e))?;
            let hash = sha_crypt::sha256_crypt_b64(password.as_bytes(), salt.as_bytes(), &params);
            Ok(shadow('5', rounds, &salt, &hash.map_err(|e| bad(&e))?))
        }
        "md5" | "md5_crypt" => {
            let salt = salt(8)?;
            if salt.len() > 8 {
                return Err(wrong("a salt of md5 has at most 8 letters"));
            }
            Ok(md5_crypt::hash(password, &salt))
        }
        "blowfish" | "bcrypt" => {
            bcrypted(password, salt(22).ok().filter(|s| s.len() == 22), rounds)
        }
        other => {
            let words = format!("{other} is not in the list of supported passlib algorithms");
            Err(wrong(format!(
                "{words}: use sha512, sha256, blowfish or md5"
            )))
        }
    }
}

fn shadow(kind: char, rounds: usize, salt: &str, hash: &str) -> String {
    // What is the default of crypt(3) is not written.
    if rounds == 5000 {
        format!("${kind}${salt}${hash}")
    } else {
        format!("${kind}$rounds={rounds}${salt}${hash}")
    }
}

/// bcrypt's own letters of base64, for its salts.
const BCRYPT: &[u8] = b"./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

fn bcrypted(password: &str, salt: Option<String>, rounds: Option<usize>) -> Result<String, Error> {
    let salt = salt.ok_or_else(|| wrong("a salt of blowfish has 22 letters"))?;
    let mut bits = 0_u32;
    let mut filled = 0;
    let mut bytes = vec![];
    for letter in salt.bytes() {
        let six = BCRYPT
            .iter()
            .position(|b| *b == letter)
            .ok_or_else(|| wrong("the salt has a letter that blowfish has not"))?;
        bits = bits << 6 | u32::try_from(six).unwrap_or(0);
        filled += 6;
        if filled >= 8 {
            filled -= 8;
            bytes.push(u8::try_from(bits >> filled & 0xff).unwrap_or(0));
        }
    }
    let salt: [u8; 16] = bytes
        .try_into()
        .map_err(|_| wrong("a salt of blowfish has 22 letters"))?;
    let cost = u32::try_from(rounds.unwrap_or(12)).unwrap_or(12);
    let parts = bcrypt::hash_with_salt(password, cost, salt);
    Ok(parts
        .map_err(|e| wrong(format!("Could not hash the secret: {e}")))?
        .format_for_version(bcrypt::Version::TwoB))
}

fn id(args: &Args, at: [usize; 2]) -> Result<Option<String>, Error> {
    for at in at {
        if let Some(id) = args.opt_text(at)?.filter(|id| id != FILTER_DEFAULT) {
            return Ok(Some(id));
        }
    }
    Ok(None)
}

fn encrypt(_: &mut State<'_, '_>, args: &Args) -> Out {
    let salt = args.opt_text(2)?.map(String::into_bytes);
    let value = args.req(0)?;
    if value.as_str().is_none() {
        return Err(wrong(format!("`vault` takes a text, not {}", named(value))));
    }
    // As in Ansible, it is told where it was encrypted.
    let id = id(args, [3, 5])?.unwrap_or_else(|| FILTER_DEFAULT.to_owned());
    vault::encrypt(&args.text(0)?, &args.text(1)?, Some(&id), salt)
        .map(Value::from)
        .map_err(wrong)
}

fn decrypt(state: &mut State<'_, '_>, args: &Args) -> Out {
    let text = args.text(0)?;
    if !vault::is_vault(&text) {
        return Ok(text.into());
    }
    let keys = vault::VaultKeys::new(vec![(id(args, [2, 3])?, args.text(1)?)]);
    let plain = keys
        .decrypt(&text)
        .map_err(|why| wrong(format!("`unvault`: {why}")))?;
    if let Ok(context) = context_of(state) {
        context.templar.redactor().register(&plain);
    }
    Ok(plain.into())
}
