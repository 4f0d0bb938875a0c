// Numbers and times as people read them. Units follow after a thin space.

const THIN = '\u2009';

/** @param {number | null | undefined} value @param {string} unit @param {number} [digits] */
export function figure(value, unit, digits = 0) {
  return value === null || value === undefined ? '\u2013' : `${value.toFixed(digits)}${unit ? THIN + unit : ''}`;
}

/** A whole number in groups of three, from five digits on. @param {number} value */
export const count = (value) => (value < 10_000 ? String(value) : String(value).replace(/\B(?=(\d{3})+$)/g, THIN));

/** Share as per cent. @param {number | null | undefined} share */
export function percent(share) {
  if (share === null || share === undefined) return '\u2013';
  const value = 100 * share;
  return `${value === 0 ? '0' : value < 0.1 ? value.toFixed(2) : value.toFixed(1)}${THIN}%`;
}

/** h:mm:ss, with tenths where asked. @param {number} seconds @param {number} [digits] */
export function clock(seconds, digits = 0) {
  const scale = 10 ** digits;
  const total = Math.round(seconds * scale) / scale;
  const hours = Math.floor(total / 3600);
  const minutes = Math.floor((total % 3600) / 60);
  const rest = (total % 60).toFixed(digits).padStart(digits ? 3 + digits : 2, '0');
  return hours ? `${hours}:${String(minutes).padStart(2, '0')}:${rest}` : `${minutes}:${rest}`;
}

/** A length in words. @param {number} seconds */
export function duration(seconds) {
  if (seconds < 60) return figure(seconds, 's', seconds > 0 && seconds < 10 ? 1 : 0);
  if (seconds < 5400) return figure(seconds / 60, 'min', seconds < 600 ? 1 : 0);
  return figure(seconds / 3600, 'h', 1);
}

/** Shortened in the middle; the whole stands in the title. @param {string} digest */
export function shortDigest(digest) {
  const hex = digest.replace('sha256:', '');
  return `${hex.slice(0, 8)}\u2026${hex.slice(-4)}`;
}

/** Words of a code such as `amplitude_implausible`. @param {string} code */
export function words(code) {
  return code.replaceAll('_', ' ');
}

export const CLASS_NAMES = /** @type {Record<string, string>} */ ({
  N: 'normal',
  S: 'supraventricular',
  V: 'ventricular',
  F: 'fusion',
  Q: 'paced or unknown',
});

/** A moment in the reader's own time zone, without its name. @param {string} at */
export function moment(at) {
  const time = new Date(at);
  const two = (/** @type {number} */ number) => String(number).padStart(2, '0');
  return `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())} ${two(time.getHours())}:${two(time.getMinutes())}`;
}

/** How long ago a moment was, or how far ahead it is. @param {string} at @param {number} [now] milliseconds */
export function ago(at, now = Date.now()) {
  const seconds = (now - Date.parse(at)) / 1000;
  const far = Math.abs(seconds);
  if (far < 45) return seconds < -1 ? 'in a moment' : 'just now';
  const [count, unit] = far < 5400 ? [far / 60, 'min'] : far < 129600 ? [far / 3600, 'h'] : [far / 86400, 'days'];
  const said = `${Math.round(count)}${THIN}${unit}`;
  return seconds < 0 ? `in ${said}` : `${said} ago`;
}

/** A count of bytes in the unit that fits. @param {number | null | undefined} bytes */
export function size(bytes) {
  if (bytes === null || bytes === undefined) return '\u2013';
  const unit = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let index = 0;
  let value = bytes;
  while (value >= 1024 && index < unit.length - 1) { value /= 1024; index += 1; }
  return `${index && value < 100 ? value.toFixed(1) : value.toFixed(0)}${THIN}${unit[index]}`;
}
