// Values that must survive: amounts, times, texts.
import { ConnectorError } from "./error.js";

/** Checks a decimal number of the platform and gives it as the contract has it. Numbers are refused: they are floats. */
export function decimal(value) {
  const text = typeof value === "string" ? value.trim() : Number.isSafeInteger(value) ? String(value) : "";
  if (!/^-?[0-9]{1,18}(\.[0-9]{1,9})?$/.test(text)) throw new TypeError(`\`${value}\` is not a decimal number as text`);
  return text;
}

/** Whether two decimals are the same number: `1.50` is `1.5`. */
export function sameDecimal(a, b) {
  const plain = (text) => {
    const [whole, fraction = ""] = decimal(text).replace(/^-/, "").split(".");
    const digits = `${whole.replace(/^0+(?=\d)/, "")}.${fraction.replace(/0+$/, "")}`;
    return digits === "0." ? digits : `${text.trim().startsWith("-") ? "-" : ""}${digits}`;
  };
  return plain(a) === plain(b);
}

/** Decimals of currencies that have not two: ISO 4217. */
const DIGITS = {
  BHD: 3, BIF: 0, CLF: 4, CLP: 0, DJF: 0, GNF: 0, IQD: 3, ISK: 0, JOD: 3, JPY: 0, KMF: 0, KRW: 0, KWD: 3, LYD: 3, OMR: 3, PYG: 0, RWF: 0, TND: 3,
  UGX: 0, UYI: 0, UYW: 4, VND: 0, VUV: 0, XAF: 0, XOF: 0, XPF: 0,
};

/** How many decimals the smallest unit of a currency has: 2 for `EUR`, 0 for `JPY`, 3 for `KWD`. */
export function currencyDigits(currency) {
  if (!/^[A-Z]{3}$/.test(currency)) throw new TypeError(`\`${currency}\` is no currency`);
  return DIGITS[currency] ?? 2;
}

function digitsOf(unit) {
  const digits = typeof unit === "number" ? unit : currencyDigits(unit);
  if (!Number.isInteger(digits) || digits < 0 || digits > 9) throw new TypeError(`${digits} is no number of decimals`);
  return digits;
}

/** Smallest units as the decimal that they are: `fromMinor(1050, "EUR")` is `10.50`; `fromMinor(350, 3)` is `0.350`. */
export function fromMinor(units, unit) {
  const digits = digitsOf(unit);
  const text = typeof units === "string" ? units.trim() : Number.isSafeInteger(units) ? String(units) : "";
  if (!/^-?[0-9]{1,18}$/.test(text)) throw new TypeError(`\`${units}\` is no whole number of smallest units`);
  const figures = text.replace("-", "").padStart(digits + 1, "0");
  const [whole, rest] = [figures.slice(0, figures.length - digits), figures.slice(figures.length - digits)];
  const sign = text.startsWith("-") && /[1-9]/.test(text) ? "-" : "";
  return `${sign}${whole.replace(/^0+(?=[0-9])/, "")}${digits > 0 ? `.${rest}` : ""}`;
}

/** A decimal in smallest units: `toMinor("10.5", "EUR")` is 1050. What has more decimals than the unit is `rejected` at `path`. */
export function toMinor(amount, unit, path = "") {
  const digits = digitsOf(unit);
  const [whole, fraction = ""] = decimal(amount).replace("-", "").split(".");
  if (/[1-9]/.test(fraction.slice(digits))) {
    throw ConnectorError.rejected(path, `${amount} has more than the ${digits} decimals that the platform calculates with.`);
  }
  const units = Number(`${whole}${fraction.slice(0, digits).padEnd(digits, "0")}`);
  if (!Number.isSafeInteger(units)) throw ConnectorError.rejected(path, `${amount} is larger than the platform can take.`);
  // No minus before a zero.
  return decimal(amount).startsWith("-") && units > 0 ? -units : units;
}

/** A text of the platform: anything else is `rejected` at `path`, so that the row waits for a person. */
export function asText(value, path) {
  if (typeof value === "string") return value;
  const found = value === null || value === undefined ? String(value) : Array.isArray(value) ? "a list" : typeof value;
  throw ConnectorError.rejected(path, `${path}: expected text, found ${found}`);
}

const TIME = /^(\d{4})-(\d{2})-(\d{2})[Tt ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?([Zz]|[+-]\d{2}(?::?\d{2})?)$/;

/** A time with an offset as the contract has it: UTC with a `Z`. One without an offset, or that no calendar has, is refused. */
export function utc(time) {
  const read = typeof time === "string" ? TIME.exec(time.trim()) : null;
  if (!read) {
    const local = typeof time === "string" && TIME.test(`${time.trim()}Z`) ? ": it says no offset" : "";
    throw new TypeError(`\`${time}\` is no time with an offset, such as 2026-01-31T09:00:00+01:00${local}`);
  }
  const [year, month, day, hour, minute, second] = read.slice(1, 7).map((part) => Number(part ?? 0));
  const milliseconds = Number((read[7] ?? "").slice(0, 3).padEnd(3, "0"));
  const here = new Date(Date.UTC(year, month - 1, day, hour, minute, second, milliseconds));
  here.setUTCFullYear(year, month - 1, day);
  const same = here.getUTCMonth() === month - 1 && here.getUTCDate() === day && here.getUTCHours() === hour && here.getUTCMinutes() === minute;
  if (!same || here.getUTCSeconds() !== second) throw new TypeError(`\`${time}\` is in no calendar`);
  const [, sign, hours, minutes] = /^([+-])(\d{2}):?(\d{2})?$/.exec(read[8]) ?? [];
  const offset = sign ? (Number(hours) * 60 + Number(minutes ?? 0)) * (sign === "-" ? -1 : 1) : 0;
  return new Date(here.getTime() - offset * 60_000).toISOString();
}
