//! The `$1$` hash of crypt(3): weak, and still asked for by network devices and old hosts.

use md5::{Digest, Md5};

/// The letters of its base64.
const LETTERS: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The bytes of the digest in the order in which they are written, three by three.
const ORDER: [[usize; 3]; 5] = [[0, 6, 12], [1, 7, 13], [2, 8, 14], [3, 9, 15], [4, 10, 5]];

const ROUNDS: usize = 1000;

/// A password as `/etc/shadow` has it.
pub(super) fn hash(password: &str, salt: &str) -> String {
    let (password, salt_bytes) = (password.as_bytes(), salt.as_bytes());
    let mixed = Md5::new()
        .chain_update(password)
        .chain_update(salt_bytes)
        .chain_update(password)
        .finalize();
    let mut first = Md5::new()
        .chain_update(password)
        .chain_update(b"$1$")
        .chain_update(salt_bytes);
    for part in password.chunks(mixed.len()) {
        first.update(&mixed[..part.len()]);
    }
    let mut length = password.len();
    while length > 0 {
        first.update(if length & 1 == 1 {
            &[0]
        } else {
            &password[..1]
        });
        length >>= 1;
    }
    let mut digest = first.finalize();
    for round in 0..ROUNDS {
        let mut next = Md5::new();
        let (before, after): (&[u8], &[u8]) = match round % 2 {
            0 => (&digest, password),
            _ => (password, &digest),
        };
        next.update(before);
        if round % 3 != 0 {
            next.update(salt_bytes);
        }
        if round % 7 != 0 {
            next.update(password);
        }
        next.update(after);
        digest = next.finalize();
    }
    let mut out = format!("$1${salt}$");
    for [a, b, c] in ORDER {
        let bits = u32::from(digest[a]) << 16 | u32::from(digest[b]) << 8 | u32::from(digest[c]);
        write(bits, 4, &mut out);
    }
    write(u32::from(digest[11]), 2, &mut out);
    out
}

/// The lowest six bits first.
fn write(mut bits: u32, letters: usize, out: &mut String) {
    for _ in 0..letters {
        let six = usize::try_from(bits & 0x3f).unwrap_or(0);
        out.push(char::from(LETTERS[six]));
        bits >>= 6;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_what_crypt_makes() {
        // openssl passwd -1 -salt SALT PASSWORD
        assert_eq!(
            hash("secret", "saltsalt"),
            "$1$saltsalt$9xy1btjgzLYfb7hivXtC//"
        );
        assert_eq!(
            hash("a much longer password than sixteen", "ab"),
            "$1$ab$BXdgTeubcXY.G0KJweZuF/"
        );
        assert_eq!(hash("", "x"), "$1$x$fwjfZtMwarkdetsjiQreU1");
    }
}
