/// <reference path="./tradepost-connector-catalog.d.ts" />
/// <reference path="./tradepost-connector-sales.d.ts" />
/// <reference path="./tradepost-connector-types.d.ts" />
declare module 'tradepost:connector/records@0.1.0-draft.1' {
  export type RemoteRef = import('tradepost:connector/types@0.1.0-draft.1').RemoteRef;
  export type Timestamp = import('tradepost:connector/types@0.1.0-draft.1').Timestamp;
  export type Category = import('tradepost:connector/catalog@0.1.0-draft.1').Category;
  export type Product = import('tradepost:connector/catalog@0.1.0-draft.1').Product;
  export type StockLevel = import('tradepost:connector/catalog@0.1.0-draft.1').StockLevel;
  export type Price = import('tradepost:connector/catalog@0.1.0-draft.1').Price;
  export type Customer = import('tradepost:connector/sales@0.1.0-draft.1').Customer;
  export type Order = import('tradepost:connector/sales@0.1.0-draft.1').Order;
  export type OrderEvent = import('tradepost:connector/sales@0.1.0-draft.1').OrderEvent;
  export type Shipment = import('tradepost:connector/sales@0.1.0-draft.1').Shipment;
  /**
   * Kind of record.
   * # Variants
   * 
   * ## `"category"`
   * 
   * ## `"product"`
   * 
   * ## `"stock"`
   * 
   * ## `"price"`
   * 
   * ## `"customer"`
   * 
   * ## `"order"`
   * 
   * ## `"order-event"`
   * 
   * ## `"shipment"`
   */
  export type Kind = 'category' | 'product' | 'stock' | 'price' | 'customer' | 'order' | 'order-event' | 'shipment';
  /**
   * Records of one kind. A list per kind, not a list of variants: every element of a list of variants
   * would take the room of the largest case.
   */
  export type Records = RecordsCategories | RecordsProducts | RecordsStock | RecordsPrices | RecordsCustomers | RecordsOrders | RecordsOrderEvents | RecordsShipments;
  export interface RecordsCategories {
    tag: 'categories',
    val: Array<Category>,
  }
  export interface RecordsProducts {
    tag: 'products',
    val: Array<Product>,
  }
  export interface RecordsStock {
    tag: 'stock',
    val: Array<StockLevel>,
  }
  export interface RecordsPrices {
    tag: 'prices',
    val: Array<Price>,
  }
  export interface RecordsCustomers {
    tag: 'customers',
    val: Array<Customer>,
  }
  export interface RecordsOrders {
    tag: 'orders',
    val: Array<Order>,
  }
  export interface RecordsOrderEvents {
    tag: 'order-events',
    val: Array<OrderEvent>,
  }
  export interface RecordsShipments {
    tag: 'shipments',
    val: Array<Shipment>,
  }
  /**
   * How a record is taken away: hidden from sale, or deleted for good.
   * # Variants
   * 
   * ## `"deactivate"`
   * 
   * ## `"delete"`
   */
  export type Removal = 'deactivate' | 'delete';
  /**
   * A record that is gone from the platform.
   */
  export interface Deletion {
    remote: RemoteRef,
    at?: Timestamp | null,
  }
  /**
   * Something that could not be read: kept raw by the host and shown to a person, never dropped.
   */
  export interface Unreadable {
    id?: string | null,
    raw: string,
    why: string,
  }
  /**
   * A record that is there, for sweeps.
   */
  export interface Present {
    remote: RemoteRef,
    marker?: string | null,
    key?: string | null,
  }
}
