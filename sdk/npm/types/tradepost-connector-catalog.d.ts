/// <reference path="./tradepost-connector-head.d.ts" />
/// <reference path="./tradepost-connector-types.d.ts" />
declare module 'tradepost:connector/catalog@0.1.0-draft.1' {
  export type Decimal = import('tradepost:connector/types@0.1.0-draft.1').Decimal;
  export type Timestamp = import('tradepost:connector/types@0.1.0-draft.1').Timestamp;
  export type Date = import('tradepost:connector/types@0.1.0-draft.1').Date;
  export type Language = import('tradepost:connector/types@0.1.0-draft.1').Language;
  export type Currency = import('tradepost:connector/types@0.1.0-draft.1').Currency;
  export type TaxBasis = import('tradepost:connector/types@0.1.0-draft.1').TaxBasis;
  export type Text = import('tradepost:connector/types@0.1.0-draft.1').Text;
  export type Field = import('tradepost:connector/types@0.1.0-draft.1').Field;
  export type Link = import('tradepost:connector/types@0.1.0-draft.1').Link;
  export type RemoteRef = import('tradepost:connector/types@0.1.0-draft.1').RemoteRef;
  export type BlobRef = import('tradepost:connector/types@0.1.0-draft.1').BlobRef;
  export type Head = import('tradepost:connector/head@0.1.0-draft.1').Head;
  /**
   * Texts of one language: facet `texts:<language>`. Plain text unless the name says otherwise.
   */
  export interface Texts {
    language: Language,
    name: string,
    shortHtml?: string | null,
    longHtml?: string | null,
    slug?: string | null,
    metaTitle?: string | null,
    metaDescription?: string | null,
    keywords: Array<string>,
  }
  /**
   * Where the bytes of a picture are. Pulled: at least one of the two; a `url` is fetched by the host under this
   * platform's grants when somebody needs the bytes. Pushed: the blob is there, and the source's url where it has one.
   */
  export interface Content {
    blob?: BlobRef | null,
    url?: string | null,
  }
  /**
   * A picture, in display order. `key` names it for ever: the platform's id of it when pulled.
   */
  export interface Medium {
    key: string,
    content: Content,
    title: Array<Text>,
  }
  /**
   * Facet `head` of a category.
   */
  export interface CategoryBase {
    key: string,
    parent?: Link | null,
    active: boolean,
    position?: number | null,
  }
  /**
   * A node of the category tree.
   */
  export interface Category {
    head: Head,
    base?: CategoryBase | null,
    texts: Array<Texts>,
    /**
     * Facet `media`.
     */
    pictures?: Array<Medium> | null,
    extra: Array<Field>,
  }
  /**
   * What a product is.
   * # Variants
   * 
   * ## `"goods"`
   * 
   * ## `"service"`
   * 
   * ## `"digital"`
   */
  export type Form = 'goods' | 'service' | 'digital';
  /**
   * Facet `head` of a product.
   */
  export interface ProductBase {
    /**
     * Number of the product itself where the platform has one; a simple product repeats its SKU.
     */
    number?: string | null,
    form: Form,
    active: boolean,
    manufacturer?: string | null,
    unit?: string | null,
  }
  /**
   * A choice a variant makes (`colour` = `blue`); names and values per language where the platform has them.
   */
  export interface Choice {
    axis: string,
    value: string,
    names: Array<Text>,
    values: Array<Text>,
  }
  /**
   * What has identity: SKU, price, stock, and order lines point to it. A simple product has exactly one, without choices.
   */
  export interface Variant {
    /**
     * Pulled: always there. Pushed: absent when it is new over there.
     */
    remote?: RemoteRef | null,
    sku: string,
    gtin?: string | null,
    mpn?: string | null,
    active: boolean,
    /**
     * The platform's tax class, and its rate in percent for the platform's home country.
     */
    taxClass?: string | null,
    taxPercent?: Decimal | null,
    choices: Array<Choice>,
    weightKg?: Decimal | null,
    /**
     * Facet `media` of the variant.
     */
    pictures?: Array<Medium> | null,
    extra: Array<Field>,
  }
  /**
   * A property such as `material` = `oak`.
   */
  export interface Attribute {
    name: string,
    value: string,
    language?: Language | null,
    unit?: string | null,
  }
  /**
   * A product with everything but prices and stock, which are records of their own.
   */
  export interface Product {
    head: Head,
    base?: ProductBase | null,
    texts: Array<Texts>,
    /**
     * Facet `media`.
     */
    pictures?: Array<Medium> | null,
    /**
     * Facet `categories`.
     */
    categories?: Array<Link> | null,
    /**
     * Facet `attributes`.
     */
    attributes?: Array<Attribute> | null,
    /**
     * Facet `grouping`: all variants of the product, and with them the `head` facet of each.
     */
    variants?: Array<Variant> | null,
    extra: Array<Field>,
  }
  /**
   * Stock of one variant in one warehouse, absolute: facet `stock:<warehouse>` of the variant.
   */
  export interface StockLevel {
    /**
     * `remote` is the variant's reference.
     */
    head: Head,
    variant: Link,
    /**
     * The platform's id of the warehouse; `main` where it has only one.
     */
    warehouse: string,
    /**
     * In the figure that the ability declares (on hand or available).
     */
    quantity: Decimal,
    /**
     * Not counted: can always be sold.
     */
    unlimited: boolean,
    /**
     * When the platform took this figure. Absent: the host uses the time its pull began.
     */
    taken?: Timestamp | null,
  }
  /**
   * What sells always, or a price for a time or from a quantity on.
   * # Variants
   * 
   * ## `"base"`
   * 
   * ## `"special"`
   */
  export type PriceKind = 'base' | 'special';
  /**
   * One price of one variant in one channel: facet `price:base:<channel>` or
   * `price:special:<channel>:<from-quantity>` of the variant.
   */
  export interface Price {
    /**
     * `remote` is the variant's reference.
     */
    head: Head,
    variant: Link,
    /**
     * The channel's id; `main` where the platform has only one.
     */
    channel: string,
    kind: PriceKind,
    currency: Currency,
    basis: TaxBasis,
    /**
     * Absent: there is no such price (a special price that was taken away).
     */
    amount?: Decimal | null,
    fromQuantity: Decimal,
    validFrom?: Timestamp | null,
    validTo?: Timestamp | null,
  }
}
