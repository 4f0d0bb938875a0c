//! The division of the MIT-BIH Arrhythmia Database by patients (de Chazal, O'Dwyer, Reilly 2004, IEEE TBME 51:1196).

/// For training and every choice.
pub const DS1: [&str; 22] = [
    "101", "106", "108", "109", "112", "114", "115", "116", "118", "119", "122", "124", "201", "203", "205", "207",
    "208", "209", "215", "220", "223", "230",
];

/// For the test.
pub const DS2: [&str; 22] = [
    "100", "103", "105", "111", "113", "117", "121", "123", "200", "202", "210", "212", "213", "214", "219", "221",
    "222", "228", "231", "232", "233", "234",
];

/// Paced rhythms, in neither.
pub const PACED: [&str; 4] = ["102", "104", "107", "217"];

/// Recorded from one person, yet one is in [`DS1`] and the other in [`DS2`] (the database's own introduction says so).
pub const SAME_SUBJECT: (&str, &str) = ("201", "202");
