//! A card image, as a disk: its partition table and the labels of what lies in the partitions.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// Bytes in a sector of a partition table.
const SECTOR: u64 = 512;

/// A partition; logical ones are numbered from 5, as Linux does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partition {
    /// Its number.
    pub number: u32,
    /// The type byte: 0x0c FAT32, 0x05 or 0x0f extended, 0x83 Linux.
    pub kind: u8,
    /// First byte.
    pub start: u64,
    /// Bytes.
    pub size: u64,
    /// The label of the FAT32 or ext4 file system in it; empty where there is none.
    pub label: String,
}

/// An image with an MBR.
pub struct Card {
    file: File,
    /// The disk signature, which makes the partitions' PARTUUIDs.
    pub signature: u32,
    /// All partitions, in the order of their numbers.
    pub partitions: Vec<Partition>,
}

impl Card {
    /// Reads the table and the chain of logical partitions.
    ///
    /// # Panics
    /// If it is no card with an MBR.
    pub fn read(path: &Path) -> Self {
        let file = File::open(path).expect("an image");
        let signature = u32::from_le_bytes(bytes(&file, 440));
        let mut card = Self { file, signature, partitions: Vec::new() };
        for (number, (kind, start, size)) in (1..).zip(card.table(0)) {
            if size > 0 {
                card.add(number, kind, start, size);
            }
        }
        let extended = card.partitions.iter().find(|partition| matches!(partition.kind, 0x05 | 0x0f)).cloned();
        let Some(extended) = extended else { return card };
        let (mut place, mut number) = (extended.start, 5);
        loop {
            let table = card.table(place);
            let (kind, start, size) = table[0];
            card.add(number, kind, place + start, size);
            // The next table's place counts from the beginning of the extended partition.
            let (_, next, more) = table[1];
            if more == 0 {
                return card;
            }
            assert!(number < 16, "the chain of logical partitions has an end");
            (place, number) = (extended.start + next, number + 1);
        }
    }

    /// The partition with a label.
    ///
    /// # Panics
    /// If there is none.
    pub fn labelled(&self, label: &str) -> &Partition {
        self.partitions.iter().find(|partition| partition.label == label).expect("a partition with that label")
    }

    /// `count` bytes of a partition from its beginning.
    ///
    /// # Panics
    /// If the image ends before.
    pub fn head(&self, partition: &Partition, count: usize) -> Vec<u8> {
        let mut head = vec![0; count];
        self.file.read_exact_at(&mut head, partition.start).expect("the image has the whole partition");
        head
    }

    /// The four entries of the table in the sector at `place`: kind, first byte (as it stands there), bytes.
    fn table(&self, place: u64) -> [(u8, u64, u64); 4] {
        assert_eq!(bytes(&self.file, place + 510), [0x55, 0xaa], "a partition table at {place}");
        [0, 1, 2, 3].map(|entry| {
            let at = place + 446 + 16 * entry;
            let sectors = |offset| u64::from(u32::from_le_bytes(bytes(&self.file, at + offset))) * SECTOR;
            (bytes::<1>(&self.file, at + 4)[0], sectors(8), sectors(12))
        })
    }

    fn add(&mut self, number: u32, kind: u8, start: u64, size: u64) {
        let label = match kind {
            // Where FAT32 and the superblock of ext4 have it.
            0x0c => bytes::<11>(&self.file, start + 71).to_vec(),
            0x83 if bytes(&self.file, start + 1024 + 56) == [0x53, 0xef] => {
                bytes::<16>(&self.file, start + 1024 + 120).to_vec()
            }
            _ => Vec::new(),
        };
        let label = String::from_utf8_lossy(&label).trim_end_matches([' ', '\0']).to_owned();
        self.partitions.push(Partition { number, kind, start, size, label });
    }
}

fn bytes<const COUNT: usize>(file: &File, place: u64) -> [u8; COUNT] {
    let mut bytes = [0; COUNT];
    file.read_exact_at(&mut bytes, place).expect("the image is not cut off");
    bytes
}
