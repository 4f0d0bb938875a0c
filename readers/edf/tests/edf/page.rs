//! Writes EDF and BDF files, right ones and wrong ones.

/// One signal: its fields as they will stand in the header, and its samples.
#[derive(Debug, Clone)]
pub(crate) struct Signal {
    pub(crate) label: String,
    pub(crate) dimension: Vec<u8>,
    /// Physical minimum and maximum, digital minimum and maximum.
    pub(crate) range: [String; 4],
    pub(crate) per_record: usize,
    pub(crate) samples: Vec<i32>,
}

/// A signal in units of a thousandth of its dimension, so that digital 1000 is physical 1.
pub(crate) fn signal(label: &str, dimension: &str, per_record: usize, samples: Vec<i32>) -> Signal {
    Signal {
        label: label.to_owned(),
        dimension: dimension.as_bytes().to_vec(),
        range: ["-30", "30", "-30000", "30000"].map(str::to_owned),
        per_record,
        samples,
    }
}

/// A file as it will be written.
#[derive(Debug, Clone)]
pub(crate) struct Page {
    pub(crate) version: [u8; 8],
    pub(crate) reserved: String,
    pub(crate) records: String,
    pub(crate) duration: String,
    pub(crate) signals: Vec<Signal>,
    /// The first bytes of each data record's annotations; none where there is no such signal.
    pub(crate) onsets: Vec<String>,
}

impl Page {
    /// A plain EDF file whose signals all have as many data records as the first.
    pub(crate) fn new(duration: &str, signals: Vec<Signal>) -> Self {
        let records = signals[0].samples.len() / signals[0].per_record;
        Self {
            version: *b"0       ",
            reserved: String::new(),
            records: records.to_string(),
            duration: duration.to_owned(),
            signals,
            onsets: Vec::new(),
        }
    }

    /// Makes it EDF+D with a data record at each of these times.
    pub(crate) fn at(mut self, onsets: &[&str]) -> Self {
        self.reserved = "EDF+D".to_owned();
        self.onsets = onsets.iter().map(|onset| format!("{onset}\x14\x14\0")).collect();
        self
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        const ANNOTATIONS: usize = 15;
        let width = if self.version[0] == 0xff { 3 } else { 2 };
        let mut signals = self.signals.clone();
        if !self.onsets.is_empty() {
            let mut annotations = signal("EDF Annotations", "", ANNOTATIONS, vec![]);
            annotations.range = ["-1", "1", "-32768", "32767"].map(str::to_owned);
            signals.push(annotations);
        }
        let mut out = self.version.to_vec();
        let field = |out: &mut Vec<u8>, text: &[u8], width: usize| {
            let text = &text[..text.len().min(width)];
            out.extend(text);
            out.extend(vec![b' '; width - text.len()]);
        };
        field(&mut out, b"MCH-0234567 F 02-MAY-1951 Haagse_Harry", 80);
        field(&mut out, b"Startdate 02-MAR-2002 PSG-1234/2002 NN Haagse_Harry", 80);
        field(&mut out, b"02.03.0223.59.59", 16);
        field(&mut out, (256 * (signals.len() + 1)).to_string().as_bytes(), 8);
        field(&mut out, self.reserved.as_bytes(), 44);
        field(&mut out, self.records.as_bytes(), 8);
        field(&mut out, self.duration.as_bytes(), 8);
        field(&mut out, signals.len().to_string().as_bytes(), 4);
        signals.iter().for_each(|s| field(&mut out, s.label.as_bytes(), 16));
        signals
            .iter()
            .for_each(|_| field(&mut out, b"Haagse_Harry's electrode", 80));
        signals.iter().for_each(|s| field(&mut out, &s.dimension, 8));
        for at in 0..4 {
            signals.iter().for_each(|s| field(&mut out, s.range[at].as_bytes(), 8));
        }
        signals.iter().for_each(|_| field(&mut out, b"HP:0.1Hz", 80));
        signals
            .iter()
            .for_each(|s| field(&mut out, s.per_record.to_string().as_bytes(), 8));
        signals.iter().for_each(|_| field(&mut out, b"", 32));

        let first = &self.signals[0];
        for record in 0..first.samples.len() / first.per_record {
            for signal in &self.signals {
                for at in 0..signal.per_record {
                    let sample = signal.samples[record * signal.per_record + at];
                    out.extend(&sample.to_le_bytes()[..width]);
                }
            }
            if let Some(onset) = self.onsets.get(record) {
                let mut list = onset.clone().into_bytes();
                list.extend(format!("{onset}Haagse_Harry felt dizzy\x14\0").as_bytes());
                list.resize(ANNOTATIONS * width, 0);
                out.extend(list);
            }
        }
        out
    }
}
