// Conversions between the ERP's shapes and the contract's: pure, so that most tests are about this file.
import {
  type catalog, type head, type sales, ConnectorError, decimal, fromMinor, readHead, remote, texts, toMinor, utc,
} from "@tradepost/sdk";

import type * as wire from "./wire.ts";

/** The ERP has one channel. */
export const MAIN = "main";

/** Hundredths as the amount or percentage they are. */
export function amount(hundredths: number): string {
  return fromMinor(hundredths, 2);
}

/** An amount or percentage in hundredths, which the ERP calculates in; `path` says where it stands. */
export function hundredths(text: string, path: string): number {
  return toMinor(text, 2, path);
}

/** What the ERP says where it refuses, as docs/erp-api.md has it. */
export function explain(status: number, body: unknown): string | ConnectorError | undefined {
  const { message, errors = [] } = (body as Partial<wire.Refusal> | null) ?? {};
  const issues = errors.map((one) => ({ path: one.field, code: String(status), message: one.message }));
  return issues.length > 0 ? new ConnectorError({ tag: "rejected", val: issues }) : message;
}

/** An item is a product with one variant. */
export function product(from: wire.Item, language: string): catalog.Product {
  return {
    head: readHead(from.id, {
      updated: utc(from.modified_at), parts: [{ what: "variant", key: from.sku, id: String(from.id) }],
    }),
    base: { number: from.sku, form: "goods", active: from.active },
    texts: [texts(language, from.name, { longHtml: from.description })],
    // What the ERP does not have says nothing.
    pictures: null,
    categories: null,
    attributes: null,
    variants: [{
      remote: remote(from.id),
      sku: from.sku,
      gtin: from.barcode,
      active: from.active,
      taxPercent: from.tax_rate === null ? null : amount(from.tax_rate),
      choices: [],
      weightKg: from.weight_g === null ? null : fromMinor(from.weight_g, 3),
      extra: [],
    }],
    extra: [],
  };
}

/** What each warehouse has of an item. */
export function stock(from: wire.Stock): catalog.StockLevel[] {
  return from.levels.map((level) => ({
    head: readHead(from.id, { updated: utc(from.modified_at) }),
    variant: { id: String(from.id), key: from.sku },
    warehouse: level.warehouse,
    quantity: decimal(level.available),
    unlimited: false,
  }));
}

export function price(from: wire.Item, currency: string): catalog.Price {
  return {
    head: readHead(from.id, { updated: utc(from.modified_at) }),
    variant: { id: String(from.id), key: from.sku },
    channel: MAIN,
    kind: "base",
    currency,
    basis: "net",
    amount: amount(from.net_price),
    fromQuantity: "1",
  };
}

const STATES = {
  confirmed: "open", partly_shipped: "partly-shipped", shipped: "shipped", closed: "completed", cancelled: "cancelled",
} as const;

/** An order. Who sold it elsewhere knows it by its marker. */
export function order(from: wire.Order): sales.Order {
  if (from.number === null || from.state === "draft") throw ConnectorError.rejected("number", "A draft has no number yet.");
  const state = STATES[from.state];
  if (!state) throw ConnectorError.rejected("state", `The state \`${from.state}\` is not known.`);
  const paid = from.payments.reduce((sum, payment) => sum + payment.amount, 0);
  const billing = address("billing", from.billing_address);
  return {
    head: readHead(from.id, { updated: utc(from.modified_at), marker: from.external_reference, parts: parts(from) }),
    number: from.number,
    otherNumber: from.customer_reference,
    channel: MAIN,
    placed: utc(from.ordered_at),
    state,
    paymentState: paid >= from.gross ? "paid" : paid > 0 ? "partly-paid" : "unpaid",
    currency: from.currency,
    basis: "net",
    customer: { id: null, key: from.email ?? from.number },
    buyer: {
      email: from.email, firstName: billing.firstName, lastName: billing.lastName, company: billing.company, guest: true, active: true,
    },
    billing,
    shipping: from.delivery_address && address("shipping", from.delivery_address),
    lines: from.lines.map(line),
    taxes: from.taxes.map((tax) => ({ percent: amount(tax.tax_rate), base: amount(tax.net), amount: amount(tax.tax) })),
    payments: from.payments.map((payment) => ({
      id: payment.reference, method: payment.method, state: "paid", amount: amount(payment.amount),
      transaction: payment.transaction, at: payment.paid_at && utc(payment.paid_at),
    })),
    total: amount(from.gross),
    note: from.note,
    extra: [],
  };
}

function address(key: string, from: wire.Address): sales.Address {
  const { company, lines, postcode, city, country } = from;
  return { key, company, firstName: from.first_name, lastName: from.last_name, lines, postcode, city, country };
}

function line(from: wire.Line): sales.Line {
  const charge = from.net < 0 ? "discount" : "fee";
  const kind = ({ item: "product", shipping: "shipping", charge, text: "text" } as const)[from.kind];
  if (!kind) throw ConnectorError.rejected("lines", `The kind of line \`${from.kind}\` is not known.`);
  return {
    id: String(from.id),
    kind,
    variant: from.item_id === null ? null : { id: String(from.item_id), key: from.sku ?? "" },
    name: from.name,
    quantity: decimal(from.quantity),
    unitPrice: decimal(from.unit_price),
    total: amount(from.net),
    taxPercent: from.tax_rate === null ? null : amount(from.tax_rate),
    extra: [],
  };
}

/** Which of the order's lines is which here, so that deliveries can name them. */
export function parts(from: wire.Order): head.Part[] {
  return from.lines.flatMap(({ id, reference }) => (reference === null ? [] : [{ what: "line", key: reference, id: String(id) }]));
}

/** Goods that left. */
export function shipment(from: wire.Delivery): sales.Shipment {
  return {
    head: readHead(from.id, { updated: utc(from.modified_at) }),
    order: { id: String(from.order_id), key: from.order_number },
    shipped: utc(from.shipped_at),
    parcels: from.parcels.map(({ carrier, tracking_code, lines }, at) => ({
      number: at + 1, carrier, tracking: tracking_code,
      lines: lines.map((packed) => ({ line: String(packed.line_id), quantity: decimal(packed.quantity) })),
    })),
    completes: from.completes_order,
    extra: [],
  };
}

/** A new order as the ERP takes it. */
export function newOrder(from: sales.Order): wire.NewOrder {
  if (from.basis !== "net") throw ConnectorError.rejected("basis", "The ERP takes amounts without tax.");
  return {
    external_reference: from.head.marker ?? null,
    customer_reference: from.number,
    currency: from.currency,
    ordered_at: from.placed,
    email: from.buyer.email ?? null,
    note: from.note ?? null,
    billing_address: newAddress(from.billing),
    delivery_address: from.shipping ? newAddress(from.shipping) : null,
    lines: from.lines.map(newLine),
    gross: hundredths(from.total, "total"),
    payments: from.payments.filter((one) => one.state === "paid").map((one) => payment(one)),
  };
}

function newAddress(from: sales.Address): wire.Address {
  const { lines, postcode, city, country } = from;
  const [company, first_name, last_name] = [from.company ?? null, from.firstName ?? null, from.lastName ?? null];
  return { company, first_name, last_name, lines, postcode, city, country };
}

const KINDS: Partial<Record<sales.LineKind, wire.NewLine["kind"]>> = { product: "item", shipping: "shipping", text: "text" };

function newLine(from: sales.Line, at: number): wire.NewLine {
  return {
    reference: from.id,
    kind: KINDS[from.kind] ?? "charge",
    item_id: from.variant?.id ? Number(from.variant.id) : null,
    sku: from.variant?.key ?? null,
    name: from.name,
    quantity: from.quantity,
    unit_price: from.unitPrice,
    net: hundredths(from.total, `lines[${at}].total`),
    tax_rate: from.taxPercent ? hundredths(from.taxPercent, `lines[${at}].tax-percent`) : null,
  };
}

/** A payment as the ERP takes it; one that comes with the order needs no reference. */
export function payment(from: sales.Payment, reference: string | null = null): wire.Payment {
  return {
    reference, method: from.method, amount: hundredths(from.amount, "amount"), transaction: from.transaction ?? null,
    paid_at: from.at ?? null,
  };
}
