/** The token that the simulated shop wants. */
export declare const TOKEN: string;

/** Starts a shop; port 0 takes a free one. */
export declare function start(port?: number): Promise<{
  address: string;
  /** Its state: `products` and `orders` by id, `writes` so far. */
  shop: {
    products: Map<number, Record<string, any>>;
    orders: Map<number, Record<string, any>>;
    writes: number;
    control(method: string, what: string, body: unknown): [number, any];
  };
  stop(): void;
}>;
