//! Public SSH keys, checked for their form: a line that is no key would be ignored without a word.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Kinds of keys that the box's SSH server takes.
const KINDS: [&str; 7] = [
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "ssh-rsa",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
];

/// Checks one key: kind, data, and a comment or none.
///
/// # Errors
/// In words: what it is instead.
pub fn check_key(key: &str) -> Result<(), String> {
    if key.contains("PRIVATE KEY") {
        return Err(
            "this is a private key, which nobody else is to have: the public one is in the file that ends in .pub"
                .to_owned(),
        );
    }
    if key.chars().any(char::is_control) {
        return Err("a key is one line".to_owned());
    }
    let mut words = key.split_ascii_whitespace();
    let kind = words.next().unwrap_or_default();
    if !KINDS.contains(&kind) || key.starts_with(char::is_whitespace) {
        return Err(format!("a key begins with its kind: {}", KINDS.join(", ")));
    }
    let data = words.next().ok_or("the key has no data after its kind")?;
    let bytes = STANDARD.decode(data).map_err(|_| "the data of the key is damaged; copy the whole line".to_owned())?;
    if !is_key(&bytes, kind) {
        return Err("the data of the key is not whole; copy the whole line".to_owned());
    }
    Ok(())
}

/// Whether these bytes are what a key of this kind holds: its kind and at least one more field, each after its length
/// (32 bits, most significant byte first), and nothing else.
fn is_key(mut bytes: &[u8], kind: &str) -> bool {
    let mut fields = 0;
    while let Some((length, rest)) = bytes.split_first_chunk::<4>() {
        let Some((field, rest)) = rest.split_at_checked(u32::from_be_bytes(*length) as usize) else { return false };
        if field.is_empty() || (fields == 0 && field != kind.as_bytes()) {
            return false;
        }
        (fields, bytes) = (fields + 1, rest);
    }
    bytes.is_empty() && fields >= 2
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f";

    #[test]
    fn a_key_with_a_comment_or_without_is_taken() {
        for key in [KEY.to_owned(), format!("{KEY} anna@desk"), format!("{KEY} Anna's laptop")] {
            check_key(&key).unwrap();
        }
    }

    #[test]
    fn what_is_no_key_is_refused_with_what_it_is() {
        for (key, said) in [
            (String::new(), "begins with its kind"),
            ("~/.ssh/id_ed25519.pub".to_owned(), "begins with its kind"),
            ("-----BEGIN OPENSSH PRIVATE KEY-----".to_owned(), "private key"),
            ("ssh-ed25519".to_owned(), "no data"),
            ("ssh-ed25519 AAAA...".to_owned(), "damaged"),
            (KEY[..KEY.len() - 4].to_owned(), "not whole"),
            (format!("{KEY}AAAA"), "not whole"),
            (KEY.replace("ssh-ed25519 ", "ssh-rsa "), "not whole"),
            (format!("{KEY}\nssh-rsa AAAA"), "one line"),
            (format!("command=\"sh\" {KEY}"), "begins with its kind"),
        ] {
            assert!(check_key(&key).unwrap_err().contains(said), "{key}");
        }
    }
}
