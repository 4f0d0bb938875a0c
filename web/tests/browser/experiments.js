// Answers of the experiments' routes, as a server gives them.

/** @param {number} low @param {number} high */
const interval = (low, high) => ({ low, high, method: "bca" });

/** @param {string} figure @param {number} champion @param {number} challenger @param {number} wide half the width of the intervals */
const row = (figure, champion, challenger, wide) => ({
  figure, champion, champion_interval: interval(champion - wide, Math.min(1, champion + wide)), challenger, challenger_interval: interval(challenger - wide, Math.min(1, challenger + wide)),
  difference: challenger - champion, interval: interval(challenger - champion - wide, challenger - champion + wide), test: { p: challenger - champion > wide ? 0.0004 : 0.31, exact: false },
});

export const EXPERIMENT = {
  name: "heartbeat-4", model: "heartbeat", running: true, champion: "3", splits: [], shadows: [{ version: "4", percent: 100 }],
  rules: {
    settings: { primary: "v_f1", looks: "every", alpha: 0.05, comparisons: 1, worth: 0.02, power: 0.8, least_recordings: 10, draws: 2000, seed: 57 },
    rails: { least_requests: 50, least_recordings: 20, errors: 0.02, p99: 2, empty: 0.01, withheld: 0.1, class_shares: 0.25, relabels: 20, sentinel_misses: 0, cool_down_s: 3600 },
  },
  started_at: "2026-11-20T09:30:00Z", started_by: "user:bo", why: "retrained on 2025", seq: 41, withdrawn: [], ended: null,
  references: { 3: { sha256: `sha256:${"1f".repeat(32)}`, recordings: 200, from: "2026-11-20T09:31:00Z", until: "2026-11-21T14:05:00Z", at: "2026-11-21T14:06:00Z", by: "user:bo" } },
};

export const VERDICT = {
  experiment: "heartbeat-4", champion: "3", challenger: "4", standing: "better",
  sentence: "`4` is better than `3`: +11.1 points of F1 for V beats (+5.8 to +15.7) over 120 recordings, 95 % sure at every look.",
  design: "paired", settings: EXPERIMENT.rules.settings,
  numbers: { recordings: 148, both: 148, champion_only: 0, challenger_only: 0, units: 148, labelled: 120 },
  primary: {
    figure: "v_f1", units: 120, champion: 0.792, challenger: 0.903, difference: 0.111, interval: interval(0.072, 0.149), test: { p: 0.0002, exact: false },
    sequence: { low: 0.058, high: 0.157, e_value: 4120.5, decided_at: 64 }, power: { deviation: 0.104, detectable: 0.026, more: { one_look: 93, every_look: 380 } },
  },
  labelled: {
    figures: [
      row("n_se", 0.981, 0.987, 0.006), row("n_ppv", 0.978, 0.986, 0.007), row("n_f1", 0.979, 0.986, 0.006), row("s_se", 0.512, 0.548, 0.07), row("s_ppv", 0.474, 0.461, 0.08), row("s_f1", 0.492, 0.501, 0.07),
      row("v_se", 0.861, 0.934, 0.038), row("v_ppv", 0.842, 0.915, 0.044), row("v_f1", 0.851, 0.924, 0.037), row("f_se", 0.31, 0.28, 0.16), row("f_ppv", 0.22, 0.24, 0.14), row("f_f1", 0.257, 0.259, 0.14),
      row("macro_f1", 0.774, 0.804, 0.031), row("accuracy", 0.958, 0.969, 0.009),
    ],
    champion_matrix: [], challenger_matrix: [], mcnemar: { both: 261_480, champion_only: 1204, challenger_only: 4310, neither: 6022 },
    recordings: Array.from({ length: 12 }, (_, at) => ({ id: `r_${(0x9a31f0 + 7919 * at).toString(16)}`, recordings: 1, beats: 2310 - 61 * at, champion: 0.42 + at * 0.04, challenger: 0.93 + (at % 4) * 0.01 })),
  },
  agreement: {
    beats: 273_016, agreed: 0.9737, agreed_interval: interval(0.962, 0.981), kappa: 0.881, kappa_interval: interval(0.842, 0.914),
    table: [[241_210, 812, 1930, 120, 0, 3], [640, 5210, 88, 4, 0, 0], [2810, 61, 18_904, 310, 0, 2], [96, 2, 212, 590, 0, 0], [0, 0, 0, 0, 0, 0], [8, 0, 4, 0, 0, 0]],
    shares: [], differ: [],
  },
  notes: ["A quarter of all V beats is in one recording, `r_9a31f0`."],
  drift: {
    alarm: true, sentence: "Amplitude has changed: the middle value was 1.12 and is 2.21.",
    figures: [
      { name: "amplitude_mv", reference_recordings: 200, recordings: 148, reference_median: 1.12, median: 2.21, psi: 1.84, psi_by_chance: 0.11, ks: 0.61, p: 0.00001, alarm: true },
      { name: "heart_rate_bpm", reference_recordings: 200, recordings: 148, reference_median: 74.1, median: 75.3, psi: 0.07, psi_by_chance: 0.11, ks: 0.08, p: 0.41, alarm: false },
    ],
  },
  ruling: { withdraw: false, broken: [], undecided: ["relabels", "p99"], cool_down_s: null },
};

/** Beats that two versions call differently; of the first, the recording was kept. @param {string | null} signal the trace's address @param {number[]} times seconds */
export const disagreements = (signal, times) => ({
  items: [
    ...times.map((time, at) => ({ prediction: "01938f6e-7a3b-7c10-8d55-0d3c2b1a0f9e", signal, lead: "MLII", record: "r_9a31f0", sample: Math.round(360 * time), time_s: time, champion: "N", challenger: "V", truth: at === 0 ? "V" : null })),
    { prediction: "01938f6e-0000-7c10-8d55-0d3c2b1a0f9e", signal: null, lead: "II", record: "r_44ab01", sample: 9000, time_s: 25, champion: "S", challenger: null, truth: null },
  ],
  next: null,
});
