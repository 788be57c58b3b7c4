//! `rplay vault`, and `ansible-vault`: locks files and texts with passwords, and opens them.

mod editor;
mod file;
mod string;

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;

use clap::{Args, Subcommand};
use rplay_diag::Diagnostic;
use rplay_template::vault::{VaultKeys, id_of, is_vault, seal};

use crate::args::VaultArgs;
use crate::config::{self, Settings};
use crate::exit::Exit;
use crate::manner::Manner;
use crate::screen::Screen;
use crate::secrets::{self, DEFAULT, VaultSecret};
use crate::stop::Stop;

/// What to do with vaults.
#[derive(Debug, Subcommand)]
pub(crate) enum VaultCommand {
    /// Writes a new vault in the editor.
    Create(CreateArgs),
    /// Opens vaults for good.
    Decrypt(DecryptArgs),
    /// Changes a vault in the editor.
    Edit(EncryptArgs),
    /// Shows what is in vaults.
    View(ViewArgs),
    /// Locks files.
    Encrypt(EncryptArgs),
    /// Locks texts, for variables.
    #[command(name = "encrypt_string", alias = "encrypt-string")]
    EncryptString(string::StringArgs),
    /// Locks vaults with another password.
    Rekey(RekeyArgs),
}

/// Flags of every command.
#[derive(Debug, Args)]
pub(crate) struct CommonArgs {
    #[command(flatten)]
    pub vault: VaultArgs,

    /// Show more; repeat for more still.
    #[arg(short, long, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

/// Flags of `create`.
#[derive(Debug, Args)]
pub(crate) struct CreateArgs {
    /// The file.
    pub file_name: PathBuf,
    /// Open the editor where there is no terminal, too.
    #[arg(long)]
    pub skip_tty_check: bool,
    /// Lock it with the password of this id.
    #[arg(long, value_name = "ID")]
    pub encrypt_vault_id: Option<String>,
    #[command(flatten)]
    pub common: CommonArgs,
}

/// Flags of `decrypt`.
#[derive(Debug, Args)]
pub(crate) struct DecryptArgs {
    /// The files; standard input where there are none.
    pub file_name: Vec<PathBuf>,
    /// Write here; - is standard output.
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    #[command(flatten)]
    pub common: CommonArgs,
}

/// Flags of `view`.
#[derive(Debug, Args)]
pub(crate) struct ViewArgs {
    /// The files; standard input where there are none.
    pub file_name: Vec<PathBuf>,
    #[command(flatten)]
    pub common: CommonArgs,
}

/// Flags of `encrypt` and `edit`.
#[derive(Debug, Args)]
pub(crate) struct EncryptArgs {
    /// The files; standard input where there are none.
    pub file_name: Vec<PathBuf>,
    /// Write here; - is standard output.
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Lock with the password of this id.
    #[arg(long, value_name = "ID")]
    pub encrypt_vault_id: Option<String>,
    #[command(flatten)]
    pub common: CommonArgs,
}

/// Flags of `rekey`.
#[derive(Debug, Args)]
pub(crate) struct RekeyArgs {
    /// The files.
    #[arg(required = true)]
    pub file_name: Vec<PathBuf>,
    /// Lock with the password of this id.
    #[arg(long, value_name = "ID")]
    pub encrypt_vault_id: Option<String>,
    /// The new password's file.
    #[arg(long, value_name = "FILE", conflicts_with = "new_vault_id")]
    pub new_vault_password_file: Option<PathBuf>,
    /// The new password as ID@FILE or ID@prompt.
    #[arg(long, value_name = "ID@SOURCE")]
    pub new_vault_id: Option<String>,
    #[command(flatten)]
    pub common: CommonArgs,
}

/// Carries a command out.
pub(crate) fn run(manner: Manner, command: &VaultCommand) -> Exit {
    let (settings, screen) = match config::load() {
        Ok((settings, warnings)) => {
            let screen = Screen::new(manner, &settings, 0, false, false);
            warnings.iter().for_each(|warning| screen.show(warning));
            (settings, screen)
        }
        Err(error) => {
            Screen::new(manner, &Settings::default(), 0, false, false).show(&error);
            return Exit::Options;
        }
    };
    match carried_out(command, &settings) {
        Ok(()) => Exit::Ok,
        Err(stop) => {
            stop.diagnostics
                .iter()
                .for_each(|d: &Diagnostic| screen.show(d));
            stop.exit
        }
    }
}

fn carried_out(command: &VaultCommand, settings: &Settings) -> Result<(), Stop> {
    match command {
        VaultCommand::Encrypt(args) => encrypt(args, settings),
        VaultCommand::Decrypt(args) => decrypt(args, settings),
        VaultCommand::View(args) => view(args, settings),
        VaultCommand::Rekey(args) => rekey(args, settings),
        VaultCommand::Create(args) => editor::create(args, settings),
        VaultCommand::Edit(args) => editor::edit(args, settings),
        VaultCommand::EncryptString(args) => string::encrypt(args, settings),
    }
}

/// The passwords at hand.
struct Keyring {
    secrets: Vec<VaultSecret>,
    keys: VaultKeys,
}

impl Keyring {
    /// Those that were named; asked for where none is. `new`: for a vault that is made now.
    fn new(args: &VaultArgs, settings: &Settings, new: bool) -> Result<Self, Stop> {
        let mut secrets = secrets::given(args, settings, new)?;
        if secrets.is_empty() {
            secrets.push(secrets::secret("default@prompt_ask_vault_pass", new)?);
        }
        let keys = secrets::keys(&secrets, settings);
        Ok(Self { secrets, keys })
    }

    /// What is in a vault, and the password that opened it.
    fn open(&self, content: &[u8], name: &str) -> Result<(Vec<u8>, &VaultSecret), Stop> {
        let text = std::str::from_utf8(content)
            .ok()
            .filter(|text| is_vault(text));
        let Some(text) = text else {
            return Err(Stop::error(format!(
                "Input is not vault encrypted data. for {name}"
            )));
        };
        let (plain, number) = self
            .keys
            .open(text)
            .map_err(|why| Stop::error(format!("Decryption failed ({why}). for {name}")))?;
        Ok((plain, &self.secrets[number]))
    }

    /// The password to lock with.
    fn to_lock(&self, id: Option<&str>, settings: &Settings) -> Result<&VaultSecret, Stop> {
        let id = id.or(settings.vault_encrypt_identity.as_deref());
        let ids: Vec<&str> = self.secrets.iter().map(|s| s.id.as_str()).collect();
        match (id, self.secrets.as_slice()) {
            (Some(id), secrets) => secrets.iter().find(|s| s.id == id).ok_or_else(|| {
                let known: Vec<String> = ids.iter().map(|id| format!("'{id}'")).collect();
                let known = known.join(", ");
                Stop::error(format!("Did not find a match for --encrypt-vault-id={id} in the known vault-ids [{known}]"))
            }),
            (None, [only]) => Ok(only),
            (None, _) => {
                let words = format!(
                    "The vault-ids {} are available to encrypt. Specify the vault-id to encrypt with --encrypt-vault-id",
                    ids.join(",")
                );
                Err(Stop::because(Exit::Options, words))
            }
        }
    }
}

/// Locks a content with a password; the id is written where it is not the usual one.
fn locked(content: &[u8], secret: &VaultSecret, settings: &Settings) -> Result<String, Stop> {
    let id = Some(secret.id.as_str()).filter(|id| *id != DEFAULT);
    let salt = settings
        .vault_encrypt_salt
        .as_ref()
        .map(|salt| salt.clone().into_bytes());
    seal(content, &secret.password, id, salt).map_err(Stop::error)
}

fn encrypt(args: &EncryptArgs, settings: &Settings) -> Result<(), Stop> {
    let files = file::inputs(&args.file_name, args.output.as_ref())?;
    let keyring = Keyring::new(&args.common.vault, settings, true)?;
    let secret = keyring.to_lock(args.encrypt_vault_id.as_deref(), settings)?;
    for path in &files {
        let content = file::read(path)?;
        if std::str::from_utf8(&content).is_ok_and(is_vault) {
            return Err(Stop::error("input is already encrypted"));
        }
        let text = locked(&content, secret, settings)?;
        file::write(args.output.as_ref().unwrap_or(path), text.as_bytes())?;
    }
    said("Encryption successful");
    Ok(())
}

fn decrypt(args: &DecryptArgs, settings: &Settings) -> Result<(), Stop> {
    let files = file::inputs(&args.file_name, args.output.as_ref())?;
    let keyring = Keyring::new(&args.common.vault, settings, false)?;
    for path in &files {
        let content = file::read(path)?;
        let (plain, _) = keyring.open(&content, &file::whole(path))?;
        file::write(args.output.as_ref().unwrap_or(path), &plain)?;
    }
    said("Decryption successful");
    Ok(())
}

fn view(args: &ViewArgs, settings: &Settings) -> Result<(), Stop> {
    let files = file::inputs(&args.file_name, None)?;
    let keyring = Keyring::new(&args.common.vault, settings, false)?;
    for path in &files {
        let content = file::read(path)?;
        let (plain, _) = keyring.open(&content, &path.display().to_string())?;
        editor::page(&plain, settings)?;
    }
    Ok(())
}

fn rekey(args: &RekeyArgs, settings: &Settings) -> Result<(), Stop> {
    let keyring = Keyring::new(&args.common.vault, settings, false)?;
    // All are opened before the first is written: a wrong password leaves them as they are.
    let opened = args.file_name.iter().map(|path| {
        let content = file::read(path)?;
        let (plain, _) = keyring.open(&content, &path.display().to_string())?;
        Ok((path, plain))
    });
    let opened: Vec<(&PathBuf, Vec<u8>)> = opened.collect::<Result<_, Stop>>()?;
    let new = match (&args.new_vault_id, &args.new_vault_password_file) {
        (Some(source), _) => secrets::secret(source, true)?,
        (None, Some(path)) => secrets::secret(&path.display().to_string(), true)?,
        (None, None) => match &args.encrypt_vault_id {
            Some(id) => keyring.to_lock(Some(id), settings)?.clone(),
            None => secrets::secret("default@prompt_ask_vault_pass", true)?,
        },
    };
    for (path, plain) in opened {
        file::write(path, locked(&plain, &new, settings)?.as_bytes())?;
    }
    let _ = writeln!(io::stderr(), "Rekey successful");
    Ok(())
}

/// What a vault is locked with again: the password that opened it, under the id that it names.
fn same_again(text: &[u8], opener: &VaultSecret) -> VaultSecret {
    let id = std::str::from_utf8(text).ok().and_then(id_of);
    VaultSecret {
        id: id.unwrap_or_else(|| DEFAULT.to_owned()),
        password: opener.password.clone(),
    }
}

/// A word of success, for a person at a terminal.
fn said(words: &str) {
    if io::stdout().is_terminal() {
        let _ = writeln!(io::stderr(), "{words}");
    }
}
