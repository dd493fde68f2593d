//! From the bytes of chronus.toml to text, whatever editor has written them.

use std::io::Read;
use std::path::Path;

use super::files::open_regular;
use super::finding::Finding;

/// Longest file that is read, in bytes. The template has three thousand; a damaged card may claim gigabytes.
const MOST_BYTES: u64 = 64 * 1024;

/// The text of the file; `None` if there is none that can be read. What is wrong goes to `findings`.
pub fn read_text(path: &Path, findings: &mut Vec<Finding>) -> Option<String> {
    let name = path.display();
    let mut bytes = Vec::new();
    // One byte more than may be, to see that it is too long.
    let read = open_regular(path).and_then(|file| file.take(MOST_BYTES + 1).read_to_end(&mut bytes));
    match read {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            findings.push(Finding::warning(
                None,
                format!(
                    "there is no file {name}: everything has its default. Copy the template there to change something"
                ),
            ));
            return None;
        }
        Err(error) => {
            findings.push(Finding::error(None, format!("{name} cannot be read ({error}): everything has its default")));
            return None;
        }
        Ok(_) => {}
    }
    if bytes.len() as u64 > MOST_BYTES {
        let text =
            format!("{name} is longer than {MOST_BYTES} bytes, which no settings need: everything has its default");
        findings.push(Finding::error(None, text));
        return None;
    }
    if bytes.iter().all(|byte| *byte == 0 || byte.is_ascii_whitespace()) {
        let text =
            format!("{name} is empty: everything has its default. Was the card pulled out while it was written?");
        findings.push(Finding::warning(None, text));
        return None;
    }
    Some(decode(&bytes, findings))
}

/// All of the file as it is, for whoever writes it anew.
///
/// # Errors
/// In words: that it cannot be read, is too long, or is in no encoding that could be written back.
pub fn read_whole(path: &Path) -> Result<String, String> {
    let mut text = String::new();
    let read = open_regular(path).and_then(|file| file.take(MOST_BYTES + 1).read_to_string(&mut text));
    read.map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
    if text.len() as u64 > MOST_BYTES {
        return Err(format!("{} is longer than {MOST_BYTES} bytes", path.display()));
    }
    Ok(text)
}

/// UTF-8, with the mark that Windows editors put before it or not; UTF-16 by its mark. Other bytes are most likely
/// letters of an old code page in a comment: they are replaced, and said.
fn decode(bytes: &[u8], findings: &mut Vec<Finding>) -> String {
    let wide = |from: fn([u8; 2]) -> u16| {
        let units: Vec<_> = bytes[2..].chunks_exact(2).map(|pair| from([pair[0], pair[1]])).collect();
        String::from_utf16_lossy(&units)
    };
    match bytes {
        [0xff, 0xfe, ..] => return wide(u16::from_le_bytes),
        [0xfe, 0xff, ..] => return wide(u16::from_be_bytes),
        _ => {}
    }
    if let Err(error) = std::str::from_utf8(bytes) {
        let line = 1 + bytes[..error.valid_up_to()].iter().filter(|byte| **byte == b'\n').count();
        let text = "a letter here is not in UTF-8; save the file with the encoding UTF-8".to_owned();
        findings.push(Finding::warning(Some(line), text));
    }
    String::from_utf8_lossy(bytes).trim_start_matches('\u{feff}').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(bytes: &[u8]) -> (String, Vec<Finding>) {
        let mut findings = Vec::new();
        (decode(bytes, &mut findings), findings)
    }

    #[test]
    fn every_editor_is_understood() {
        let utf16 = |units: Vec<[u8; 2]>| units.concat();
        let text = "schema = 1\r\n";
        let wide: Vec<u16> = "\u{feff}".encode_utf16().chain(text.encode_utf16()).collect();
        for bytes in [
            text.as_bytes().to_vec(),
            [b"\xef\xbb\xbf", text.as_bytes()].concat(),
            utf16(wide.iter().map(|unit| unit.to_le_bytes()).collect()),
            utf16(wide.iter().map(|unit| unit.to_be_bytes()).collect()),
        ] {
            assert_eq!(decoded(&bytes), (text.to_owned(), vec![]));
        }
    }

    #[test]
    fn a_letter_of_an_old_code_page_is_said_with_its_line() {
        let (text, findings) = decoded(b"schema = 1\n# f\xfcr die B\xfchne\n[engine]\n");
        assert!(text.ends_with("[engine]\n"));
        assert_eq!((findings.len(), findings[0].line), (1, Some(2)));
    }

    #[test]
    fn what_is_no_text_at_all_is_said() {
        let folder = std::env::temp_dir().join(format!("chronus-text-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join("chronus.toml");
        for (bytes, said) in
            [(vec![0; 512], "is empty"), (vec![], "is empty"), (vec![b'#'; 70_000], "is longer than 65536 bytes")]
        {
            std::fs::write(&file, bytes).unwrap();
            let mut findings = Vec::new();
            assert_eq!(read_text(&file, &mut findings), None);
            assert!(findings[0].text.contains(said), "{findings:?}");
        }
        for (path, said) in [(folder.join("absent.toml"), "there is no file"), (folder.clone(), "cannot be read")] {
            let mut findings = Vec::new();
            assert_eq!(read_text(&path, &mut findings), None);
            assert!(findings.len() == 1 && findings[0].text.contains(said), "{findings:?}");
        }
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
