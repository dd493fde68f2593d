//! What a control is: where it is connected, and what it does.

use abi::Operation;
use dsp::instrument::Wiring;
use rosc::{OscMessage, OscType};

use super::button::Deed;
use super::gray::Resolution;
use super::knob::{Curve, Travel};
use crate::gpio::Pull;
use crate::input::{Request, When, catalogue, interpret_message};

/// A control, as it was configured or learned.
#[derive(Clone, Debug, PartialEq)]
pub struct Control {
    /// BCM numbers: two of an encoder, one of anything else.
    pub pins: Vec<u8>,
    /// What pulls them while the contact is open.
    pub pull: Pull,
    /// A closed contact is low.
    pub active_low: bool,
    /// Nanoseconds that a contact may bounce.
    pub bouncing: u64,
    /// What it is, and does.
    pub kind: Kind,
}

/// The kinds of controls.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// Turns a value.
    Encoder(Encoder),
    /// Sends what each deed is for: press, release, long press, double press.
    Button([Option<OscMessage>; 4]),
    /// A switch that stays where it is put. Sends when it is closed, and when it is opened.
    Switch([Option<OscMessage>; 2]),
}

/// What an encoder does.
#[derive(Clone, Debug, PartialEq)]
pub struct Encoder {
    /// Detents in a Gray cycle.
    pub resolution: Resolution,
    /// How many times as far a fast turn goes, at least 1.
    pub acceleration: f64,
    /// Where the value goes.
    pub address: String,
    /// The way of the value.
    pub travel: Travel,
}

impl Control {
    /// The word for its kind.
    pub fn kind(&self) -> &'static str {
        match self.kind {
            Kind::Encoder(_) => "encoder",
            Kind::Button(_) => "button",
            Kind::Switch(_) => "switch",
        }
    }

    /// What is sent for a deed of a button or a switch, if anything.
    pub fn message(&self, deed: Deed) -> Option<&OscMessage> {
        match (&self.kind, deed) {
            (Kind::Button(messages), deed) => messages[deed as usize].as_ref(),
            (Kind::Switch(messages), Deed::Press | Deed::Release) => messages[deed as usize].as_ref(),
            _ => None,
        }
    }

    /// What it does, in a few words.
    pub fn words(&self) -> String {
        let said = |messages: &[Option<OscMessage>]| {
            let said: Vec<_> = messages.iter().flatten().map(in_words).collect();
            if said.is_empty() { "nothing".to_owned() } else { said.join(", ") }
        };
        match &self.kind {
            Kind::Encoder(encoder) => encoder.address.clone(),
            Kind::Button(messages) => said(messages),
            Kind::Switch(messages) => said(messages),
        }
    }

    /// The same control, for this address from now on: of a parameter an encoder has all of the range; a button sends 1
    /// when it is pressed and 0 when it is let go, or, where no value is needed, the address alone when it is pressed.
    ///
    /// # Errors
    /// In words: why it cannot be for this address.
    pub fn bound_to(&self, address: &str, rate: u32, wiring: &Wiring) -> Result<Self, String> {
        let plain = OscMessage { addr: address.to_owned(), args: Vec::new() };
        let value = |value| OscMessage { addr: address.to_owned(), args: vec![OscType::Int(value)] };
        let pair = if operations(&plain, rate, wiring).is_ok() {
            [Some(plain), None]
        } else {
            operations(&value(1), rate, wiring)?;
            [Some(value(1)), Some(value(0))]
        };
        let kind = match &self.kind {
            Kind::Encoder(encoder) => Kind::Encoder(Encoder {
                address: address.to_owned(),
                travel: own_travel(address, rate, wiring)?,
                ..encoder.clone()
            }),
            Kind::Button([_, _, long, double]) => {
                let [press, release] = pair;
                Kind::Button([press, release, long.clone(), double.clone()])
            }
            Kind::Switch(_) => Kind::Switch(pair),
        };
        Ok(Self { kind, ..self.clone() })
    }
}

/// Steps through the range of a parameter, unless said otherwise: four turns of a usual encoder of 24 detents.
pub const STEPS: u32 = 96;

/// Ratio of maximum to minimum from which on a range is gone through in equal ratios: two decades.
const WIDE: f64 = 100.0;

/// The range of what an address sets, in the way that suits it: a gate's is off and on.
///
/// # Errors
/// In words: why no value can be sent there.
pub fn own_travel(address: &str, rate: u32, wiring: &Wiring) -> Result<Travel, String> {
    let message = OscMessage { addr: address.to_owned(), args: vec![OscType::Double(0.0)] };
    let operations = operations(&message, rate, wiring)?;
    if !operations.iter().all(|operation| matches!(operation, Operation::Set(..) | Operation::Gate(..))) {
        return Err(format!("{address} takes no value that could be turned; bind a button to it"));
    }
    let parameter = operations.into_iter().find_map(|operation| match operation {
        Operation::Set(place, _) => catalogue::at(wiring, place),
        _ => None,
    });
    let Some((_, parameter)) = parameter else {
        return Ok(Travel { minimum: 0.0, maximum: 1.0, curve: Curve::Linear, steps: 1 });
    };
    let (minimum, maximum) = (parameter.minimum, parameter.maximum.at(rate));
    let wide = minimum > 0.0 && maximum / minimum >= WIDE;
    Ok(Travel {
        minimum,
        maximum,
        curve: if wide { Curve::Logarithmic } else { Curve::Linear },
        steps: if parameter.choices.is_empty() { STEPS } else { parameter.choices.len() as u32 - 1 },
    })
}

/// What a message does in a patch, by the same checks as those of one that was sent, at a sample rate in Hz.
///
/// # Errors
/// In words: why it would be refused, or that it changes nothing.
pub fn operations(message: &OscMessage, rate: u32, wiring: &Wiring) -> Result<Vec<Operation>, String> {
    let operations =
        interpret_message(message, When::Arrival(0), rate, wiring).into_iter().map(|request| match request {
            Ok(Request::Apply(intent)) => Ok(intent.operation),
            Ok(_) => Err(format!("{} asks for an answer, and a control has nobody to give it to", message.addr)),
            Err(refusal) => Err(format!("{}: {}", refusal.address, refusal.text)),
        });
    operations.collect()
}

/// A message as it stands in the file: the address and its argument.
pub fn in_words(message: &OscMessage) -> String {
    let words = message.args.iter().map(crate::client::argument_text);
    std::iter::once(message.addr.clone()).chain(words).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::catalogue::power_on;

    fn control(kind: Kind) -> Control {
        Control { pins: vec![5], pull: Pull::Up, active_low: true, bouncing: 0, kind }
    }

    #[test]
    fn a_learned_address_brings_its_own_range_or_values() {
        let travel = |address| {
            own_travel(address, 48_000, power_on()).map(|travel| (travel.minimum, travel.maximum, travel.steps))
        };
        assert_eq!(travel("/mod/filter/cutoff"), Ok((10.0, 23_990.0, 96)));
        assert_eq!((travel("/mod/filter/mode"), travel("/gate/adsr")), (Ok((0.0, 6.0, 6)), Ok((0.0, 1.0, 1))));
        assert!(own_travel("/status", 48_000, power_on()).unwrap_err().contains("answer"));
        assert!(own_travel("/panic", 48_000, power_on()).unwrap_err().contains("takes no value"));
        assert!(
            own_travel("/mod/filter/cutof", 48_000, power_on())
                .unwrap_err()
                .contains("did you mean /mod/filter/cutoff")
        );
        let button = control(Kind::Button([const { None }; 4]));
        assert_eq!(button.words(), "nothing");
        assert_eq!(button.bound_to("/gate/adsr", 48_000, power_on()).unwrap().words(), "/gate/adsr 1, /gate/adsr 0");
        assert_eq!(button.bound_to("/panic", 48_000, power_on()).unwrap().words(), "/panic");
        assert!(button.bound_to("/nothing", 48_000, power_on()).is_err());
        let switch = control(Kind::Switch([None, None])).bound_to("/gate/adsr", 48_000, power_on()).unwrap();
        assert_eq!(in_words(switch.message(Deed::Press).unwrap()), "/gate/adsr 1");
        assert_eq!((switch.message(Deed::LongPress), switch.kind()), (None, "switch"));
    }
}
