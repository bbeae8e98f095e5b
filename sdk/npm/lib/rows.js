// Rows of a platform as records of a page: those that are none stop no other.
import { ConnectorError } from "./error.js";
import { fitting, misfit, whole } from "./contract.js";
import { shapes } from "./shapes.js";

/** Which row a record was made of. */
const origins = new WeakMap();

/** One page; what is left out is empty. */
export function page({ records = [], deleted = [], unreadable = [], present = [], next = null, watermark = null, receipt = null, total = null } = {}) {
  return { records, deleted, unreadable, present, next, watermark, receipt, total };
}

/**
 * Rows as records: one that cannot be converted is handed over raw, for a person to look at, and stops no other. Errors that
 * concern more than this row are thrown: all but `rejected` and defects. What a row was made into is compared with the contract
 * when its page leaves `pull`.
 */
export function readRows(rows, convert, id = (row) => row?.id) {
  if (!Array.isArray(rows)) throw ConnectorError.unavailable("the platform's answer has no list of records");
  const records = [];
  const unreadable = [];
  for (const row of rows) {
    const origin = { row, id };
    try {
      const made = convert(row);
      records.push(made);
      for (const one of Array.isArray(made) ? made : [made]) if (typeof one === "object" && one !== null) origins.set(one, origin);
    } catch (error) {
      const { tag, val } = error?.payload ?? { tag: "bug", val: error?.message ?? String(error) };
      if (tag !== "rejected" && tag !== "bug") throw error;
      unreadable.push(untold(origin, tag === "rejected" ? val.map((issue) => issue.message).join(" ") : val));
    }
  }
  return { records, unreadable };
}

/** A row that cannot be read, for a person to look at. */
function untold({ row, id }, why) {
  let own = null;
  try {
    own = id(row) ?? null;
  } catch {
    // A row without an id is told by its text alone.
  }
  return { id: own === null ? null : whole(String(own)), raw: whole(JSON.stringify(row) ?? ""), why: whole(String(why)) };
}

/**
 * A page as the contract has it. Records that `readRows` made and that differ from it become unreadable, each row as a whole; where
 * anything else differs, the error says where.
 */
export function fittingPage(page) {
  if (typeof page !== "object" || page === null) return fitting("page", page, "page");
  const bad = new Map();
  for (const [at, batch] of listed(page.records).entries()) {
    const type = shapes.records.variant[batch?.tag]?.slice(0, -2);
    if (!type) continue;
    for (const [place, record] of listed(batch.val).entries()) {
      const wrong = misfit(type, record);
      if (!wrong) continue;
      const origin = typeof record === "object" && record !== null ? origins.get(record) : undefined;
      if (!origin) throw new TypeError(misfit(type, record, `page.records[${at}].${batch.tag}[${place}]`));
      if (!bad.has(origin)) bad.set(origin, wrong);
    }
  }
  const kept = (record) => !bad.has(origins.get(record));
  const records = bad.size === 0 ? page.records : page.records.map((batch) => ({ ...batch, val: batch.val.filter(kept) }));
  const unreadable = bad.size === 0 ? page.unreadable : [...listed(page.unreadable), ...[...bad].map(([origin, why]) => untold(origin, why))];
  // The records themselves have been compared.
  fitting("page", { ...page, records: Array.isArray(records) ? records.map(emptied) : records, unreadable }, "page");
  return { ...page, records, unreadable };
}

function emptied(batch) {
  return Array.isArray(batch?.val) && shapes.records.variant[batch.tag] ? { ...batch, val: [] } : batch;
}

function listed(value) {
  return Array.isArray(value) ? value : [];
}
