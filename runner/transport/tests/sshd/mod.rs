//! A real sshd on a loopback port, in a mount namespace of its own: `/run`, `/dev/shm` and `/root`
//! are empty there, and nothing that a test does reaches the machine.

// Each test binary uses a part of it; a test that is skipped must be seen to be.
#![allow(dead_code, clippy::unwrap_used, clippy::print_stderr)]

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use rplay_transport::{Connector, Image, NoSecrets, Secret, Secrets, Target};
use tempfile::TempDir;

/// Where sshd is installed.
const SSHD: &str = "/usr/sbin/sshd";

/// A running server and the client's side of it.
pub struct Sshd {
    pub folder: TempDir,
    pub port: u16,
    child: Child,
}

/// What is different from a plain server.
#[derive(Default)]
pub struct Setup<'a> {
    /// Shell commands that run in the namespace before sshd does.
    pub before: &'a str,
    /// More lines of sshd_config.
    pub config: &'a str,
    /// The server shows a certificate for this name, of the key `authority`.
    pub certificate_for: Option<&'a str>,
}

impl Sshd {
    /// Starts one; `None`, loudly, where this machine cannot.
    pub fn start(setup: Setup<'_>) -> Option<Self> {
        let is_root = rustix::process::geteuid().is_root();
        if !is_root || !Path::new(SSHD).exists() {
            eprintln!("SKIPPED: this test needs root and {SSHD}");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        keygen(&folder.path().join("host_key"), "");
        keygen(&folder.path().join("key"), "");
        keygen(&folder.path().join("encrypted"), "open sesame");
        keygen(&folder.path().join("stranger"), "");
        let public = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
        let keys = format!("{}{}", public("key.pub"), public("encrypted.pub"));
        std::fs::write(folder.path().join("authorized_keys"), keys).unwrap();
        let known = format!("[127.0.0.1]:{port} {}", public("host_key.pub"));
        std::fs::write(folder.path().join("known_hosts"), known).unwrap();
        let at = folder.path().display();
        let mut certificate = String::new();
        if let Some(name) = setup.certificate_for {
            keygen(&folder.path().join("authority"), "");
            sign(folder.path(), name);
            certificate = format!("HostCertificate {at}/host_key-cert.pub");
        }
        let config = format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey {at}/host_key\nPidFile none\n\
             AuthorizedKeysFile {at}/authorized_keys\nStrictModes no\nUsePAM no\n\
             PermitRootLogin prohibit-password\nMaxAuthTries 20\n{certificate}\n{}\n",
            setup.config
        );
        std::fs::write(folder.path().join("sshd_config"), config).unwrap();
        let script = format!(
            "for d in /run /dev/shm /root; do mount -t tmpfs tmpfs $d; done; mkdir /run/sshd; \
             {}\nexec {SSHD} -D -e -f {at}/sshd_config",
            setup.before
        );
        let mut child = Command::new("unshare")
            .args(["--mount", "/bin/sh", "-ec", &script])
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut said = vec![];
        loop {
            let line = log
                .next()
                .unwrap_or_else(|| panic!("sshd ended: {said:?}"))
                .unwrap();
            if line.contains("Server listening") {
                break;
            }
            said.push(line);
        }
        std::thread::spawn(move || log.map_while(Result::ok).for_each(drop));
        Some(Self {
            folder,
            port,
            child,
        })
    }

    /// A file of the client's side.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// How many connections the server has.
    pub fn connections(&self) -> usize {
        let parent = format!("PPid:\t{}", self.child.id());
        let is_child = |entry: &std::fs::DirEntry| {
            let status = std::fs::read_to_string(entry.path().join("status"));
            status.is_ok_and(|status| status.lines().any(|line| line == parent))
        };
        let processes = std::fs::read_dir("/proc").unwrap().map_while(Result::ok);
        processes.filter(is_child).count()
    }

    /// The server, known and with a good key. No file of the user that runs the test is read.
    pub fn target(&self) -> Target {
        self.target_with("")
    }

    /// The same with lines of `ssh_config` before all others.
    pub fn target_with(&self, lines: &str) -> Target {
        let at = self.folder.path().display();
        let config = format!(
            "{lines}\nHost *\n  UserKnownHostsFile {at}/known_hosts\n  GlobalKnownHostsFile none\n  \
             IdentityAgent none\n  User root\n  Port {}\n  IdentityFile {at}/key\n",
            self.port
        );
        let file = tempfile::Builder::new()
            .tempfile_in(self.folder.path())
            .unwrap();
        let file = file.into_temp_path().keep().unwrap();
        std::fs::write(&file, config).unwrap();
        let mut target = Target::ssh("127.0.0.1");
        target.ssh_args.config = Some(file);
        target
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        // `unshare` and the shell have become sshd by exec: this is the server itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Makes a key file.
pub fn keygen(file: &Path, passphrase: &str) {
    let made = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-C", "test", "-N", passphrase, "-f"])
        .arg(file)
        .status()
        .unwrap();
    assert!(made.success());
    assert_eq!(
        std::fs::metadata(file).unwrap().permissions().mode() & 0o777,
        0o600
    );
}

/// Makes a certificate of the server's key.
fn sign(folder: &Path, name: &str) {
    let signed = Command::new("ssh-keygen")
        .current_dir(folder)
        .args([
            "-q",
            "-s",
            "authority",
            "-I",
            "test",
            "-h",
            "-n",
            name,
            "host_key.pub",
        ])
        .status()
        .unwrap();
    assert!(signed.success());
}

/// The agent that this build carries.
pub fn image() -> Image {
    Image {
        gzip: rplay_payload::GZIP,
        sha256: rplay_payload::SHA256,
        arch: rplay_payload::ARCH,
    }
}

/// A connector that knows no passphrases.
pub fn connector() -> Connector {
    Connector::new(image(), Arc::new(NoSecrets))
}

/// Counts how often it is asked.
pub struct Asked(pub &'static str, pub std::sync::atomic::AtomicUsize);

impl Secrets for Asked {
    fn passphrase(&self, _: &Path) -> Option<Secret> {
        self.1.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        Some(Secret::new(self.0))
    }
}
