// Conversions between the shop's shapes and the contract's: pure, so that most tests are about this file.
import {
  type catalog, type head, type sales, ConnectorError, decimal, readHead, remote, sameDecimal, texts, utc,
} from "@tradepost/sdk";

import type { Order, Product, Refusal, Shop } from "./wire.ts";

/** The shop has one channel and one warehouse. */
export const MAIN = "main";

/** What the shop says where it refuses, as docs/shop-api.md has it. Its 409 is a SKU that is taken, and nobody else's change. */
export function explain(status: number, body: unknown): string | ConnectorError | undefined {
  const { code, field, message } = (body as Partial<Refusal> | null)?.error ?? {};
  if (message && (status === 409 || status === 422)) return ConnectorError.rejected(field ?? "", message, code);
  return message;
}

function variantPart(product: Product): head.Part {
  return { what: "variant", key: product.sku, id: String(product.id) };
}

export function product(from: Product, language: string): catalog.Product {
  return {
    head: readHead(from.id, { updated: utc(from.updated_at), marker: from.reference, parts: [variantPart(from)] }),
    base: { number: from.sku, form: "goods", active: from.active },
    texts: [texts(language, from.name, { longHtml: from.description })],
    // What the shop does not have says nothing.
    pictures: null,
    categories: null,
    attributes: null,
    variants: [{
      remote: remote(from.id),
      sku: from.sku,
      gtin: from.gtin,
      active: from.active,
      taxPercent: from.tax_percent === null ? null : decimal(from.tax_percent),
      choices: [],
      weightKg: from.weight_kg === null ? null : decimal(from.weight_kg),
      extra: [],
    }],
    extra: [],
  };
}

export function stock(from: Product): catalog.StockLevel {
  return {
    head: readHead(from.id, { updated: utc(from.updated_at) }),
    variant: { id: String(from.id), key: from.sku },
    warehouse: MAIN,
    quantity: decimal(from.stock),
    unlimited: false,
  };
}

export function price(from: Product, shop: Shop): catalog.Price {
  return {
    head: readHead(from.id, { updated: utc(from.updated_at) }),
    variant: { id: String(from.id), key: from.sku },
    channel: MAIN,
    kind: "base",
    currency: shop.currency,
    basis: shop.prices_include_tax ? "gross" : "net",
    amount: decimal(from.price),
    fromQuantity: "1",
  };
}

export function order(from: Order, shop: Shop): sales.Order {
  const { address } = from;
  const states = { open: "open", shipped: "shipped", completed: "completed", cancelled: "cancelled" } as const;
  const line = (id: string, kind: sales.LineKind, name: string, total: string, percent: string | null): sales.Line => ({
    id, kind, name, quantity: "1", unitPrice: decimal(total), total: decimal(total),
    taxPercent: percent === null ? null : decimal(percent), extra: [],
  });
  return {
    head: readHead(from.id, { updated: utc(from.updated_at) }),
    number: from.number,
    channel: MAIN,
    placed: utc(from.placed_at),
    state: states[from.state] ?? "open",
    paymentState: from.paid ? "paid" : "unpaid",
    currency: from.currency,
    basis: shop.prices_include_tax ? "gross" : "net",
    customer: { id: null, key: from.email },
    buyer: {
      email: from.email, firstName: address.first_name, lastName: address.last_name, language: shop.language, guest: true, active: true,
    },
    billing: {
      key: "billing", firstName: address.first_name, lastName: address.last_name, lines: [address.street],
      postcode: address.postcode, city: address.city, country: address.country,
    },
    lines: [
      ...from.lines.map((one) => ({
        ...line(String(one.id), "product", one.name, one.total, one.tax_percent),
        variant: { id: String(one.product_id), key: one.sku },
        quantity: decimal(one.quantity),
        unitPrice: decimal(one.unit_price),
      })),
      line("shipping", "shipping", from.shipping.name, from.shipping.total, from.shipping.tax_percent),
    ],
    taxes: [],
    payments: [{
      method: from.payment.method, state: from.paid ? "paid" : "unpaid", amount: decimal(from.payment.amount),
      transaction: from.payment.transaction, at: null,
    }],
    total: decimal(from.total),
    note: from.note,
    extra: [],
  };
}

/** What is to be written of a product: the facets that are present, and nothing of the others. */
export function body(from: catalog.Product, language: string): Partial<Product> {
  const made: Partial<Product> = {};
  if (from.base) made.active = from.base.active;
  const words = from.texts.find((one) => one.language === language);
  if (words) {
    made.name = words.name;
    made.description = words.longHtml ?? null;
  }
  if (from.variants) {
    const [only, ...others] = from.variants;
    if (!only || others.length > 0) {
      throw ConnectorError.rejected("variants", "The shop has only products without variants. Give each variant a product of its own.");
    }
    made.sku = only.sku;
    made.gtin = only.gtin ?? null;
    made.weight_kg = only.weightKg ?? null;
    if (only.taxPercent) made.tax_percent = only.taxPercent;
    // A head that was not sent says nothing: a hidden product stays hidden.
    if (!only.active) made.active = false;
  }
  return made;
}

/** What is different from what is there; what is the same needs no write. */
export function changes(wanted: Partial<Product>, there: Product): Partial<Product> {
  const isNumber = (value: unknown): value is string => typeof value === "string" && /^-?[0-9]+(\.[0-9]+)?$/.test(value);
  const same = (a: unknown, b: unknown) => a === b || (isNumber(a) && isNumber(b) && sameDecimal(a, b));
  const numbers = ["price", "stock", "tax_percent", "weight_kg"];
  const differs = Object.entries(wanted).filter(([name, value]) => {
    const before = there[name as keyof Product];
    return numbers.includes(name) ? !same(value, before) : value !== before;
  });
  return Object.fromEntries(differs);
}

/** The parts that the host should remember of a product that was written. */
export function parts(there: Product): head.Part[] {
  return [variantPart(there)];
}
