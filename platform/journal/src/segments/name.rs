//! The names of segments: `20261124-00000007.seg`.

use jiff::civil::Date;

/// The number counts up for ever; the day is the one on which the segment was begun, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Name {
    pub(crate) number: u32,
    pub(crate) day: Date,
}

impl Name {
    pub(crate) fn file(self) -> String {
        format!(
            "{:04}{:02}{:02}-{:08}.seg",
            self.day.year(),
            self.day.month(),
            self.day.day(),
            self.number
        )
    }

    pub(crate) fn parse(file: &str) -> Option<Self> {
        let (day, number) = file.strip_suffix(".seg")?.split_once('-')?;
        if day.len() != 8 || number.len() < 8 || !day.bytes().chain(number.bytes()).all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let day = Date::new(day[..4].parse().ok()?, day[4..6].parse().ok()?, day[6..].parse().ok()?).ok()?;
        let name = Self {
            number: number.parse().ok()?,
            day,
        };
        Some(name)
    }
}
