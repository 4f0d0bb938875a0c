// Recordings made for a test, as files that a browser sends.

const RATE = 360;

/** One lead with a beat every 0.8 s, 200 units a millivolt. @param {number} seconds @param {number} [height] of the R waves in mV */
function beats(seconds, height = 1) {
  const samples = new Int16Array(seconds * RATE);
  for (let i = 0; i < samples.length; i += 1) {
    const phase = ((i / RATE) % 0.8) - 0.4;
    const millivolts = height * Math.exp(-((phase / 0.012) ** 2)) - 0.2 * Math.exp(-(((phase - 0.03) / 0.012) ** 2)) + 0.2 * Math.exp(-(((phase - 0.25) / 0.05) ** 2));
    samples[i] = Math.round(200 * millivolts + 2 * Math.sin(i * 1.7));
  }
  return samples;
}

/** A resting ECG of ten seconds, as a WFDB record of twelve leads. */
export function resting() {
  const leads = ["I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6"];
  const signals = leads.map((_, at) => beats(10, at === 3 ? -0.8 : 0.5 + at / 12));
  const samples = new Int16Array(signals[0].length * leads.length);
  for (let i = 0; i < samples.length; i += 1) samples[i] = signals[i % leads.length][Math.floor(i / leads.length)];
  const header = `resting 12 ${RATE} ${signals[0].length}\n${leads.map((lead) => `resting.dat 16 200 16 0 0 0 0 ${lead}\n`).join("")}`;
  return [
    { name: "resting.hea", mimeType: "text/plain", buffer: Buffer.from(header) },
    { name: "resting.dat", mimeType: "application/octet-stream", buffer: Buffer.from(samples.buffer) },
  ];
}

/**
 * A WFDB record of one lead with a beat every 0.8 s.
 * @param {number} seconds @param {number | null} spikeAt seconds at which a single sample of 5 mV stands
 */
export function wfdb(seconds, spikeAt) {
  const samples = beats(seconds);
  if (spikeAt !== null) samples[Math.round(spikeAt * RATE)] = 1000;
  const header = `made 1 ${RATE} ${samples.length}\nmade.dat 16 200 16 0 0 0 0 II\n`;
  return [
    { name: "made.hea", mimeType: "text/plain", buffer: Buffer.from(header) },
    { name: "made.dat", mimeType: "application/octet-stream", buffer: Buffer.from(samples.buffer) },
  ];
}

/**
 * The same with an electrode that was off for a while: nothing but zero.
 * @param {number} seconds @param {number} from second from which on @param {number} to second until which
 */
export function torn(seconds, from, to) {
  const [header, data] = wfdb(seconds, null);
  data.buffer.fill(0, 2 * RATE * from, 2 * RATE * to);
  return [header, data];
}

/** The same beats as a CSV of bare millivolts: it says neither its sampling rate nor its unit. */
export function bareCsv() {
  const [, data] = wfdb(30, null);
  const samples = new Int16Array(data.buffer.buffer, data.buffer.byteOffset, data.buffer.length / 2);
  const lines = ["II", ...Array.from(samples, (value) => (value / 200).toFixed(3))];
  return { name: "bare.csv", mimeType: "text/csv", buffer: Buffer.from(lines.join("\n") + "\n") };
}
