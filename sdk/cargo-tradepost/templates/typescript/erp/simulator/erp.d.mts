/** The key that the simulated ERP wants. */
export declare const KEY: string;

type Objects = Map<number, Record<string, any>>;

/** Starts an ERP; port 0 takes a free one. */
export declare function start(port?: number): Promise<{
  address: string;
  /** Its state: objects by id, `writes` so far. */
  erp: {
    items: Objects;
    orders: Objects;
    deliveries: Objects;
    writes: number;
    control(method: string, what: string, body: unknown): [number, any];
  };
  stop(): void;
}>;
