//! Real recordings that the binary carries, to try the product with.
//!
//! Pieces of the MIT-BIH Arrhythmia Database (PhysioNet, Moody & Mark; ODC-By 1.0).

/// One sample recording: its files, as somebody would upload them.
pub(crate) struct Sample {
    pub(crate) id: &'static str,
    pub(crate) title: &'static str,
    pub(crate) description: &'static str,
    pub(crate) files: &'static [(&'static str, &'static [u8])],
}

macro_rules! record {
    ($name:literal) => {
        &[
            (
                concat!($name, ".hea"),
                include_bytes!(concat!("../samples/", $name, ".hea")),
            ),
            (
                concat!($name, ".dat"),
                include_bytes!(concat!("../samples/", $name, ".dat")),
            ),
        ]
    };
}

/// All of them.
pub(crate) const SAMPLES: [Sample; 3] = [
    Sample {
        id: "normal-rhythm",
        title: "Normal rhythm",
        description: "Five minutes of record 100: sinus rhythm with single atrial premature beats.",
        files: record!("100s"),
    },
    Sample {
        id: "ventricular-ectopy",
        title: "Ventricular ectopy",
        description: "Five minutes of record 200: frequent ventricular beats, couplets and bigeminy.",
        files: record!("200s"),
    },
    Sample {
        id: "noisy-lead",
        title: "A noisy lead",
        description: "Five minutes of record 105: electrode noise between normal beats; see which beats are called suspect.",
        files: record!("105s"),
    },
];
