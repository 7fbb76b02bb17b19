/**
 * How numbers are written: the closed vocabulary of units. Sizes in KiB, MiB, GiB, TiB; times in
 * ns, us, ms, s, min, h; large counts in full with thousands separators, or short with k, M, G, T.
 */

/** `12,345,678`; what is not whole keeps two digits after the point. */
export function formatCount(value: number): string {
  if (!Number.isInteger(value)) return value.toFixed(2);
  const digits = Math.abs(value).toFixed(0);
  return (value < 0 ? '-' : '') + digits.replace(/\B(?=(\d{3})+$)/g, ',');
}

/** At most five characters below a thousand T: `999`, `1.23k`, `45.6M`, `789G`. */
export function formatShort(value: number): string {
  return Math.abs(value) < 999.5
    ? String(Math.round(value))
    : scaled(value, 1000, ['', 'k', 'M', 'G', 'T']);
}

/** `756 KiB`, `1.50 MiB`, `100 MiB`, `50.0 GiB`. */
export function formatKiB(kib: number): string {
  if (Math.abs(kib) < 1023.5) return `${Math.round(kib)} KiB`;
  return scaled(kib, 1024, [' KiB', ' MiB', ' GiB', ' TiB', ' PiB']);
}

/** `102,600 KiB`: for figures that are compared with the kernel's to the last KiB. */
export function formatExactKiB(kib: number): string {
  return `${formatCount(kib)} KiB`;
}

/** `850 ns`, `12.3 us`, `4.00 ms`, `12.3 s`, `2 min 5 s`, `3 h 10 min`. */
export function formatSeconds(seconds: number): string {
  const size = Math.abs(seconds);
  if (size === 0) return '0 s';
  if (size < 0.9995e-6) return `${Math.round(seconds * 1e9)} ns`;
  if (size < 0.9995e-3) return `${digits3(seconds * 1e6)} us`;
  if (size < 0.9995) return `${digits3(seconds * 1e3)} ms`;
  if (size < 119.5) return `${digits3(seconds)} s`;
  const minutes = Math.floor(Math.round(size) / 60);
  if (minutes < 120) return `${minutes} min ${Math.round(size) % 60} s`;
  return `${formatCount(Math.floor(minutes / 60))} h ${minutes % 60} min`;
}

export function formatNs(ns: number): string {
  return formatSeconds(ns / 1e9);
}

export function formatUs(us: number): string {
  return formatSeconds(us / 1e6);
}

/** A count for each second: `1.23M`; `-` when no time passed that a clock could have seen. */
export function formatRate(count: number, seconds: number): string {
  return seconds < CLOCK_TICK_SECONDS ? '-' : formatShort(count / seconds);
}

/** CPU time over wall time: `1.96x`. */
export function formatParallel(cpuSeconds: number, seconds: number): string {
  return seconds < CLOCK_TICK_SECONDS ? '-' : `${(cpuSeconds / seconds).toFixed(2)}x`;
}

/** How many of one for each of the other: `0.87`, `12.34`, `1.23k`. */
export function formatRatio(part: number, whole: number): string {
  if (whole === 0) return '-';
  const ratio = part / whole;
  return ratio < 99.995 ? ratio.toFixed(2) : formatShort(ratio);
}

const CLOCK_TICK_SECONDS = 1e-9;

export function formatPercent(part: number, whole: number): string {
  if (whole === 0) return '-';
  const percent = (100 * part) / whole;
  return `${percent > 0 && percent < 0.1 ? '<0.1' : percent.toFixed(1)}%`;
}

/** `1 table`, `2 tables`. */
export function formatCounted(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/**
 * Three significant digits of `value` in the largest unit that leaves at least one before the
 * point.
 */
function scaled(value: number, base: number, units: readonly string[]): string {
  let rest = value;
  let unit = 0;
  while (Math.abs(rest) >= base - 0.5 && unit < units.length - 1) {
    rest /= base;
    unit++;
  }
  return digits3(rest) + units[unit];
}

/** Three significant digits without an exponent: `1.23`, `12.3`, `123`, `1,234`. */
function digits3(value: number): string {
  const size = Math.abs(value);
  if (size < 9.995) return value.toFixed(2);
  if (size < 99.95) return value.toFixed(1);
  return formatCount(Math.round(value));
}
