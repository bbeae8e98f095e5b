// The shop's own shapes, as docs/shop-api.md has them.

export interface Shop {
  id: string;
  name: string;
  currency: string;
  prices_include_tax: boolean;
  language: string;
  country: string;
  zone: string;
  test: boolean;
  now: string;
}

export interface Refusal {
  error: { code: string; field: string | null; message: string };
}

export interface List<T> {
  items: T[];
  next: number | null;
}

export interface Product {
  id: number;
  sku: string;
  name: string;
  description: string | null;
  active: boolean;
  gtin: string | null;
  weight_kg: string | null;
  tax_percent: string | null;
  price: string;
  stock: string;
  reference: string | null;
  updated_at: string;
}

export interface Order {
  id: number;
  number: string;
  state: "open" | "shipped" | "completed" | "cancelled";
  paid: boolean;
  currency: string;
  placed_at: string;
  updated_at: string;
  email: string;
  note: string | null;
  payment: { method: string; amount: string; transaction: string | null };
  address: { first_name: string; last_name: string; street: string; postcode: string; city: string; country: string };
  lines: Line[];
  shipping: { name: string; total: string; tax_percent: string };
  total: string;
}

export interface Line {
  id: number;
  product_id: number;
  sku: string;
  name: string;
  quantity: string;
  unit_price: string;
  total: string;
  tax_percent: string | null;
}
