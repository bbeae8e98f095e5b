// The ERP's own shapes, as docs/erp-api.md has them. Integers are hundredths where it does not say otherwise.

export interface Company {
  id: string;
  name: string;
  currency: string;
  language: string;
  country: string;
  zone: string;
  test: boolean;
  now: string;
  warehouses: { id: string; name: string }[];
}

export interface Refusal {
  message: string;
  errors: { field: string; message: string }[];
}

export interface List<T> {
  data: T[];
  cursor: string | null;
}

export interface Item {
  id: number;
  sku: string;
  name: string;
  description: string | null;
  active: boolean;
  barcode: string | null;
  weight_g: number | null;
  tax_rate: number | null;
  net_price: number;
  modified_at: string;
}

export interface Stock {
  id: number;
  sku: string;
  levels: { warehouse: string; available: string }[];
  modified_at: string;
}

/** What makes an order. */
export interface NewOrder {
  external_reference: string | null;
  customer_reference: string | null;
  currency: string;
  ordered_at: string;
  email: string | null;
  note: string | null;
  billing_address: Address;
  delivery_address: Address | null;
  lines: NewLine[];
  gross: number;
  payments: Payment[];
}

export interface Order extends NewOrder {
  id: number;
  number: string | null;
  state: "draft" | "confirmed" | "partly_shipped" | "shipped" | "closed" | "cancelled";
  modified_at: string;
  lines: Line[];
  taxes: { tax_rate: number; net: number; tax: number }[];
}

export interface Address {
  company: string | null;
  first_name: string | null;
  last_name: string | null;
  lines: string[];
  postcode: string;
  city: string;
  country: string;
}

export interface NewLine {
  reference: string | null;
  kind: "item" | "shipping" | "charge" | "text";
  item_id: number | null;
  sku: string | null;
  name: string;
  quantity: string;
  unit_price: string;
  net: number;
  tax_rate: number | null;
}

export interface Line extends NewLine {
  id: number;
}

export interface Payment {
  reference: string | null;
  method: string;
  amount: number;
  transaction: string | null;
  paid_at: string | null;
}

export interface Delivery {
  id: number;
  number: string;
  order_id: number;
  order_number: string;
  shipped_at: string;
  completes_order: boolean;
  parcels: { carrier: string | null; tracking_code: string | null; lines: { line_id: number; quantity: string }[] }[];
  modified_at: string;
}
