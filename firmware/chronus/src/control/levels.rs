//! Levels of what is played, for subscribers who want them.

use abi::CHANNELS;
use rosc::{OscMessage, OscPacket, OscType};

use crate::audio::Note;

/// Peak and power of each channel since it was last asked.
#[derive(Default)]
pub struct Levels {
    peak: [f32; CHANNELS],
    power: [f32; CHANNELS],
    blocks: u32,
}

impl Levels {
    /// Adds a block.
    pub fn add(&mut self, note: &Note) {
        for channel in 0..CHANNELS {
            self.peak[channel] = self.peak[channel].max(note.peak[channel]);
            self.power[channel] += note.power[channel];
        }
        self.blocks += 1;
    }

    /// `/levels` with the peaks of left and right and their root mean squares, of all blocks since the last call; `None`
    /// if there was none.
    pub fn take(&mut self) -> Option<OscPacket> {
        let Self { peak, power, blocks } = std::mem::take(self);
        let squares = power.map(|power| (power / blocks as f32).sqrt());
        let args = [peak, squares].concat().into_iter().map(OscType::Float).collect();
        (blocks > 0).then(|| OscPacket::Message(OscMessage { addr: "/levels".to_owned(), args }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_those_of_all_blocks_since_the_last_time() {
        let mut levels = Levels::default();
        assert_eq!(levels.take(), None);
        for (peak, power) in [([0.5, 0.25], [0.0, 0.5]), ([0.25, 1.0], [0.5, 0.0])] {
            levels.add(&Note { peak, power, ..Note::default() });
        }
        let Some(OscPacket::Message(message)) = levels.take() else { panic!("two blocks were played") };
        assert_eq!(message.addr, "/levels");
        assert_eq!(message.args, [0.5, 1.0, 0.5, 0.5].map(OscType::Float));
        assert_eq!(levels.take(), None);
    }
}
