//! Filters and resampling shared by detection, quality and recipes.

pub mod butterworth;
pub mod resample;
