use abi::SAMPLES;

use super::*;

/// Bytes before the samples of a file that stays below 4 GiB, and of a block in it.
const HEADER_BYTES: usize = 58;
const BLOCK_BYTES: usize = SAMPLES * 4;

#[test]
fn the_header_tells_what_follows_it() {
    let path = std::env::temp_dir().join(format!("chronus-wav-{}.wav", std::process::id()));
    let mut wav = WavFile::create(&path, 48_000).unwrap();
    wav.write(&Block { samples: [0.5; SAMPLES] }).unwrap();
    wav.update_header().unwrap();
    wav.write(&Block::SILENCE).unwrap();
    wav.update_header().unwrap();
    let bytes = std::fs::read(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    assert_eq!(bytes.len(), HEADER_BYTES + 2 * SAMPLES * 4);
    assert_eq!(bytes[4..8], (bytes.len() as u32 - 8).to_le_bytes());
    assert_eq!(bytes[46..50], (2 * 256u32).to_le_bytes());
    assert_eq!(bytes[54..58], (2 * SAMPLES as u32 * 4).to_le_bytes());
    assert_eq!(bytes[58..62], 0.5f32.to_le_bytes());
}

#[test]
fn the_longest_file_fits_its_header() {
    assert!(HEADER_BYTES + WavFile::MOST_BLOCKS as usize * BLOCK_BYTES <= u32::MAX as usize);
    let form = WavForm { rate: 48_000, samples: SampleFormat::Float32, large: false };
    assert_eq!(form.header_bytes() as usize, HEADER_BYTES);
    assert_eq!(form.block_bytes() as usize, BLOCK_BYTES);
}

#[test]
fn after_a_failed_write_the_header_tells_what_is_there() {
    let path = std::env::temp_dir().join(format!("chronus-wav-cut-{}.wav", std::process::id()));
    let mut wav = WavFile::create(&path, 48_000).unwrap();
    (0..5).for_each(|_| wav.write(&Block::SILENCE).unwrap());
    wav.update_header().unwrap();
    // As a disk leaves it that became full inside the fourth block.
    wav.medium.set_len((HEADER_BYTES + 3 * BLOCK_BYTES + 77) as u64).unwrap();
    wav.rescue().unwrap();
    let bytes = std::fs::read(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    assert_eq!((wav.blocks(), bytes.len()), (3, HEADER_BYTES + 3 * BLOCK_BYTES));
    assert_eq!(bytes[54..58], (3 * BLOCK_BYTES as u32).to_le_bytes());
}

#[test]
fn a_file_that_cannot_be_made_is_named() {
    let error = WavFile::create(Path::new("/nowhere/x.wav"), 48_000).err().unwrap();
    assert!(error.contains("/nowhere/x.wav"), "{error}");
}

#[test]
fn a_file_whose_writer_was_ended_is_mended_and_another_is_left_alone() {
    let path = std::env::temp_dir().join(format!("chronus-wav-mend-{}.wav", std::process::id()));
    let form = WavForm { rate: 44_100, samples: SampleFormat::Packed24, large: true };
    let mut wav = WavFile::create_new(&path, form).unwrap();
    assert_eq!(WavFile::create_new(&path, form).err().unwrap().kind(), io::ErrorKind::AlreadyExists);
    (0..9).for_each(|_| wav.write(&Block { samples: [0.25; SAMPLES] }).unwrap());
    // In the file, and its header does not tell of it.
    wav.write_buffer().unwrap();
    wav.medium.write_at(&[7; 100], wav.length).unwrap();
    assert_eq!(WavFile::mend(&mut wav.medium).unwrap(), (form, 9));
    let bytes = std::fs::read(&path).unwrap();
    assert_eq!(bytes.len() as u64, form.header_bytes() + 9 * form.block_bytes());
    assert_eq!(bytes[..form.header_bytes() as usize], form.header(9));
    assert_eq!(bytes[bytes.len() - 3..], [0, 0, 0x20], "a quarter of full scale in 24 bits");
    std::fs::write(&path, [b"RIFF", &bytes[..11], &[0; 300]].concat()).unwrap();
    let other = std::fs::read(&path).unwrap();
    let mut file = File::options().read(true).write(true).open(&path).unwrap();
    assert_eq!(WavFile::mend(&mut file).unwrap_err().kind(), io::ErrorKind::InvalidData);
    assert_eq!(std::fs::read(&path).unwrap(), other);
    std::fs::remove_file(&path).unwrap();
}

/// A disk that keeps at a power cut what was synced, and of the rest whatever it likes. After every write it is looked at what
/// a cut at this moment could leave.
struct Forgetful {
    form: WavForm,
    kept: Vec<u8>,
    pending: Vec<(u64, Vec<u8>)>,
    /// Blocks of which the header tells on the disk, whatever happens.
    settled: u64,
    cuts: u64,
}

fn lay(into: &mut Vec<u8>, place: u64, bytes: &[u8]) {
    let end = place as usize + bytes.len();
    into.resize(into.len().max(end), 0);
    into[place as usize..end].copy_from_slice(bytes);
}

impl Medium for Forgetful {
    fn write_at(&mut self, bytes: &[u8], place: u64) -> io::Result<()> {
        self.pending.push((place, bytes.to_owned()));
        // Each of the newest writes came through or not, and all older ones did or did not.
        let newest = self.pending.len().min(4);
        for mask in 0..2_usize << newest {
            let older = self.pending.len() - newest;
            let disk = self.after_a_cut(|write| mask >> (write + 1).saturating_sub(older) & 1 == 1);
            self.check(&disk);
        }
        Ok(())
    }

    fn length(&self) -> io::Result<u64> {
        Ok(self.kept.len() as u64)
    }

    fn cut(&mut self, _: u64) -> io::Result<()> {
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        let pending = std::mem::take(&mut self.pending);
        pending.iter().for_each(|(place, bytes)| lay(&mut self.kept, *place, bytes));
        Ok(())
    }
}

impl Forgetful {
    /// What is there after a power cut, if of what was not synced these writes came through.
    fn after_a_cut(&self, came_through: impl Fn(usize) -> bool) -> Vec<u8> {
        let mut kept = self.kept.clone();
        let through = self.pending.iter().enumerate().filter(|(number, _)| came_through(*number));
        through.for_each(|(_, (place, bytes))| lay(&mut kept, *place, bytes));
        kept
    }

    /// Whether a program can read this, and finds all that was settled.
    fn check(&mut self, disk: &[u8]) {
        let header = self.form.header_bytes() as usize;
        if disk.len() < header || disk[..4] != *b"RIFF" {
            return assert_eq!(self.settled, 0, "the header itself is lost only before the first second is over");
        }
        let told = u32::from_le_bytes(disk[header - 4..header].try_into().unwrap()) as usize;
        assert!(header + told <= disk.len(), "{told} bytes told of, {} there", disk.len() - header);
        assert!(told as u64 >= self.settled * self.form.block_bytes(), "{told} bytes told of, {} blocks", self.settled);
        assert!(disk[header..header + told].iter().skip(2).step_by(3).all(|byte| *byte == 0x40));
        self.cuts += 1;
    }
}

#[test]
fn after_a_power_cut_the_header_tells_of_no_more_than_there_is_and_of_all_but_the_newest() {
    let form = WavForm { rate: 48_000, samples: SampleFormat::Packed24, large: true };
    let disk = Forgetful { form, kept: Vec::new(), pending: Vec::new(), settled: 0, cuts: 0 };
    let mut wav = WavFile::on(disk, Path::new("x"), form).unwrap();
    for number in 1..=800_u64 {
        wav.write(&Block { samples: [0.5; SAMPLES] }).unwrap();
        if number.is_multiple_of(187) {
            wav.settle().unwrap();
            // The header of this settling is on the disk with the next one's sync.
            wav.medium.settled = number - 187;
        }
    }
    wav.finish().unwrap();
    let disk = wav.medium.after_a_cut(|_| false);
    assert_eq!(disk[..form.header_bytes() as usize], form.header(800), "after the end nothing is lost");
    assert!(wav.medium.cuts > 100, "{}", wav.medium.cuts);
}
