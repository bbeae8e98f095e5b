// Conversions between the files' shapes and the contract's: pure, so that most tests are about this file.
import { type catalog, type sales, decimal, readHead, remote, texts } from "@tradepost/sdk";

export interface Row {
  id: string;
  sku: string;
  name: string;
  description: string | null;
  active: boolean;
  weight_kg: string | null;
  tax_percent: string | null;
}

export function product(row: Row, language: string): catalog.Product {
  return {
    head: readHead(row.id, { parts: [{ what: "variant", key: row.sku, id: row.id }] }),
    base: { number: row.sku, form: "goods", active: row.active },
    texts: [texts(language, row.name, { longHtml: row.description })],
    // What the files do not have says nothing.
    pictures: null,
    categories: null,
    attributes: null,
    variants: [{
      remote: remote(row.id), sku: row.sku, active: row.active, choices: [], extra: [],
      taxPercent: row.tax_percent === null ? null : decimal(row.tax_percent),
      weightKg: row.weight_kg === null ? null : decimal(row.weight_kg),
    }],
    extra: [],
  };
}

/** An order as it goes out. */
export function order(record: sales.Order): object {
  const { number, placed, currency, total } = record;
  const lines = record.lines.map((line) => ({
    sku: line.variant?.key ?? null, name: line.name, quantity: line.quantity, total: line.total,
  }));
  return { number, item: record.head.item, placed, currency, total, email: record.buyer.email ?? null, lines };
}
