/// <reference path="./tradepost-connector-head.d.ts" />
/// <reference path="./tradepost-connector-types.d.ts" />
declare module 'tradepost:connector/sales@0.1.0-draft.1' {
  export type Decimal = import('tradepost:connector/types@0.1.0-draft.1').Decimal;
  export type Timestamp = import('tradepost:connector/types@0.1.0-draft.1').Timestamp;
  export type Date = import('tradepost:connector/types@0.1.0-draft.1').Date;
  export type Language = import('tradepost:connector/types@0.1.0-draft.1').Language;
  export type Currency = import('tradepost:connector/types@0.1.0-draft.1').Currency;
  export type TaxBasis = import('tradepost:connector/types@0.1.0-draft.1').TaxBasis;
  export type Field = import('tradepost:connector/types@0.1.0-draft.1').Field;
  export type Link = import('tradepost:connector/types@0.1.0-draft.1').Link;
  export type Head = import('tradepost:connector/head@0.1.0-draft.1').Head;
  /**
   * A postal address. `key` tells it from the customer's other addresses.
   */
  export interface Address {
    key: string,
    company?: string | null,
    firstName?: string | null,
    lastName?: string | null,
    lines: Array<string>,
    postcode: string,
    city: string,
    region?: string | null,
    /**
     * ISO 3166-1 alpha-2, upper case.
     */
    country: string,
    phone?: string | null,
  }
  /**
   * Facet `head` of a customer.
   */
  export interface CustomerBase {
    number?: string | null,
    email?: string | null,
    phone?: string | null,
    company?: string | null,
    firstName?: string | null,
    lastName?: string | null,
    vatId?: string | null,
    language?: Language | null,
    group?: string | null,
    guest: boolean,
    active: boolean,
  }
  /**
   * A buyer.
   */
  export interface Customer {
    head: Head,
    base?: CustomerBase | null,
    /**
     * Facet `addresses`.
     */
    addresses?: Array<Address> | null,
    extra: Array<Field>,
  }
  /**
   * How far an order is; `pending` is placed but not accepted by the shop yet.
   * # Variants
   * 
   * ## `"pending"`
   * 
   * ## `"open"`
   * 
   * ## `"partly-shipped"`
   * 
   * ## `"shipped"`
   * 
   * ## `"completed"`
   * 
   * ## `"cancelled"`
   */
  export type OrderState = 'pending' | 'open' | 'partly-shipped' | 'shipped' | 'completed' | 'cancelled';
  /**
   * How far an order, or one payment of it, is paid.
   * # Variants
   * 
   * ## `"unpaid"`
   * 
   * ## `"authorised"`
   * 
   * ## `"partly-paid"`
   * 
   * ## `"paid"`
   * 
   * ## `"partly-refunded"`
   * 
   * ## `"refunded"`
   * 
   * ## `"failed"`
   */
  export type PaymentState = 'unpaid' | 'authorised' | 'partly-paid' | 'paid' | 'partly-refunded' | 'refunded' | 'failed';
  /**
   * What a line is. `rounding` is what the total was rounded by; `text` has no amount.
   * # Variants
   * 
   * ## `"product"`
   * 
   * ## `"shipping"`
   * 
   * ## `"fee"`
   * 
   * ## `"discount"`
   * 
   * ## `"gift-card"`
   * 
   * ## `"rounding"`
   * 
   * ## `"text"`
   */
  export type LineKind = 'product' | 'shipping' | 'fee' | 'discount' | 'gift-card' | 'rounding' | 'text';
  /**
   * One line. Amounts are in the order's currency and basis, after all discounts that this line carries.
   */
  export interface Line {
    /**
     * The line's own id, stable for the life of the order.
     */
    id: string,
    kind: LineKind,
    variant?: Link | null,
    name: string,
    quantity: Decimal,
    /**
     * Price of one, with enough decimals that `quantity` times it rounds to `total`.
     */
    unitPrice: Decimal,
    /**
     * As the platform states it.
     */
    total: Decimal,
    /**
     * Absent: no tax.
     */
    taxPercent?: Decimal | null,
    /**
     * Tax contained in (gross) or coming on top of (net) `total`, where the platform says.
     */
    tax?: Decimal | null,
    /**
     * Mapped tax name on the target, when pushed; the platform's when pulled.
     */
    taxCode?: string | null,
    extra: Array<Field>,
  }
  /**
   * The tax of one rate over the whole order: `amount` is that of `base`, which is net.
   */
  export interface Tax {
    percent: Decimal,
    base: Decimal,
    amount: Decimal,
  }
  /**
   * One payment; `method` is the platform's name of it, `transaction` the provider's reference.
   */
  export interface Payment {
    id?: string | null,
    method: string,
    state: PaymentState,
    amount: Decimal,
    transaction?: string | null,
    at?: Timestamp | null,
  }
  /**
   * How the goods travel; `method` is the platform's name of it, `label` what the buyer read.
   */
  export interface Delivery {
    method: string,
    label?: string | null,
    wantedOn?: Date | null,
    pickupPoint?: string | null,
  }
  /**
   * An order as the platform states it; the host checks that lines and taxes add up to `total`.
   */
  export interface Order {
    head: Head,
    number: string,
    /**
     * The number the other side gave it, where the platform keeps one.
     */
    otherNumber?: string | null,
    channel: string,
    placed: Timestamp,
    state: OrderState,
    paymentState: PaymentState,
    currency: Currency,
    basis: TaxBasis,
    /**
     * The buyer: `id` on this platform (pushed: where the host has linked it), and the data on the order.
     */
    customer: Link,
    buyer: CustomerBase,
    billing: Address,
    shipping?: Address | null,
    lines: Array<Line>,
    taxes: Array<Tax>,
    payments: Array<Payment>,
    delivery?: Delivery | null,
    /**
     * What the buyer pays, tax included, whatever the basis.
     */
    total: Decimal,
    note?: string | null,
    extra: Array<Field>,
  }
  /**
   * Lines touched; an empty list means the whole order.
   */
  export interface AmountOf {
    line: string,
    quantity: Decimal,
  }
  /**
   * Goods that will not be delivered.
   */
  export interface Cancellation {
    lines: Array<AmountOf>,
    reason?: string | null,
  }
  /**
   * Money that went back; `restock` says that the goods came back and can be sold again.
   */
  export interface Refund {
    amount: Decimal,
    lines: Array<AmountOf>,
    restock: boolean,
    reason?: string | null,
  }
  /**
   * What happened to an order after it was placed.
   */
  export type Happening = HappeningPaid | HappeningCancelled | HappeningRefunded | HappeningNumbered | HappeningCompleted;
  export interface HappeningPaid {
    tag: 'paid',
    val: Payment,
  }
  export interface HappeningCancelled {
    tag: 'cancelled',
    val: Cancellation,
  }
  export interface HappeningRefunded {
    tag: 'refunded',
    val: Refund,
  }
  /**
   * The other side's number of the order.
   */
  export interface HappeningNumbered {
    tag: 'numbered',
    val: string,
  }
  /**
   * Finished over there.
   */
  export interface HappeningCompleted {
    tag: 'completed',
  }
  /**
   * Pushed only: the host derives events from pulled orders. `head.remote` is the order's reference.
   */
  export interface OrderEvent {
    head: Head,
    order: Link,
    at: Timestamp,
    what: Happening,
  }
  /**
   * One parcel. `number` counts from 1 within the shipment. `lines` name the order's lines by their id on this platform.
   */
  export interface Parcel {
    number: number,
    carrier?: string | null,
    tracking?: string | null,
    trackingUrl?: string | null,
    weightKg?: Decimal | null,
    lines: Array<AmountOf>,
  }
  /**
   * Goods that left. `head.remote` is the shipment's own reference.
   */
  export interface Shipment {
    head: Head,
    order: Link,
    shipped: Timestamp,
    parcels: Array<Parcel>,
    /**
     * Nothing of the order is left to be sent.
     */
    completes: boolean,
    extra: Array<Field>,
  }
}
