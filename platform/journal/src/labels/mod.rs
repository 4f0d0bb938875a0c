//! Later truth: a layer over what was answered, never a change of it.
//!
//! A reader says about beats of one prediction that they have a class, are no beats, or were missed; who, when, why. It is
//! on disk before it is acknowledged. The same label given twice is one label: beat, reader and key of the client say so.
//! Which truth holds is decided by [`current()`]; how far readers agree by [`Agreement`].

mod agreement;
mod current;
mod label;
mod reference;
mod store;

pub use agreement::{Agreement, Pair, cohen, fleiss};
pub use current::{Compared, Current, compared, current, standing};
pub use label::{Given, Label, Mark, Source, Truth};
pub use reference::{REFERENCE_WINDOW_S, from_reference};
pub use store::Labels;
pub(crate) use store::Taken;
