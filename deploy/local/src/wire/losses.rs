//! Which words are to be lost, found by 16 bytes in the middle of them.

use std::sync::{Mutex, PoisonError};

use super::{Loss, Weather};

/// What is still to be lost.
#[derive(Debug, Default)]
pub(super) struct Losses(Mutex<Option<Planned>>);

#[derive(Debug)]
struct Planned {
    what: Loss,
    marker: [u8; 16],
    times: u32,
}

impl Losses {
    /// Plans what the weather says. Tells how many losses of the last plan have not come.
    pub(super) fn plan(&self, weather: Weather) -> u32 {
        let planned = match weather {
            Weather::Loses { what, marker, times } => Some(Planned {
                what,
                marker: marker.into_bytes(),
                times,
            }),
            _ => None,
        };
        let mut plan = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *plan, planned).map_or(0, |planned| planned.times)
    }

    /// The loss that these words meet. `tail` is what of the words before may be the beginning of a marker.
    pub(super) fn take(&self, tail: &mut Vec<u8>, words: &[u8]) -> Option<Loss> {
        let mut plan = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(planned) = plan.as_mut().filter(|planned| planned.times > 0) else {
            tail.clear();
            return None;
        };
        tail.extend(words);
        let found = tail.windows(16).any(|window| window == planned.marker);
        tail.drain(..tail.len().saturating_sub(15));
        if !found {
            return None;
        }
        tail.clear();
        planned.times -= 1;
        Some(planned.what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marker_is_found_across_words_and_lost_as_often_as_planned() {
        let marker = uuid::Uuid::from_bytes([7; 16]);
        let losses = Losses::default();
        assert_eq!(
            losses.plan(Weather::Loses {
                what: Loss::Answer,
                marker,
                times: 2
            }),
            0
        );
        let mut tail = Vec::new();
        assert_eq!(losses.take(&mut tail, &[1, 7, 7, 7]), None);
        assert_eq!(losses.take(&mut tail, &[7; 13]), Some(Loss::Answer));
        assert_eq!(losses.take(&mut tail, &[7; 15]), None);
        assert_eq!(losses.plan(Weather::Clear), 1);
        assert_eq!(losses.take(&mut tail, &[7; 64]), None);
    }
}
