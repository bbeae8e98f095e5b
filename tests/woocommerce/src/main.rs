//! The simulator as a program: a WooCommerce shop to try things against.

use std::process::ExitCode;

use clap::Parser;
use woocommerce_simulator::{Config, Simulator};

/// A WooCommerce shop to try things against.
///
/// Serves WooCommerce's REST interface v3 on 127.0.0.1 with a catalogue, customers and orders that are
/// made up and the same for the same seed. Everything lives in memory and is gone when the program ends
/// (Ctrl-C). What it can be told to do, misbehaving included, is listed under /__sim of its address.
#[derive(Debug, Parser)]
#[command(name = "woocommerce-simulator", version)]
struct Args {
    /// Port to listen on; 0 takes a free one
    #[arg(long, default_value_t = 8888)]
    port: u16,
    /// Products to begin with (about a quarter of them with variations)
    #[arg(long, default_value_t = 300)]
    products: usize,
    /// Orders to begin with
    #[arg(long, default_value_t = 200)]
    orders: usize,
    /// Another number, another catalogue and another key
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The shop's time zone
    #[arg(long, default_value = "Europe/Berlin")]
    time_zone: String,
    /// Prices without tax instead of with
    #[arg(long)]
    net_prices: bool,
    /// Let lists be ordered by `modified`, as newer shops do
    #[arg(long)]
    order_by_modified: bool,
    /// Answer 429 beyond this many requests per second
    #[arg(long)]
    rate_limit: Option<u32>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<ExitCode> {
    let args = Args::parse();
    let simulator = Simulator::start(Config {
        port: args.port,
        products: args.products,
        orders: args.orders,
        seed: args.seed,
        time_zone: args.time_zone,
        prices_include_tax: !args.net_prices,
        order_by_modified: args.order_by_modified,
        ..Config::default()
    })?;
    simulator.control().set_rate_limit(args.rate_limit);
    println!("url     {}", simulator.url);
    println!("key     {}", simulator.key);
    println!("secret  {}", simulator.secret);
    println!("control {}/__sim", simulator.url);
    tokio::signal::ctrl_c().await?;
    Ok(ExitCode::SUCCESS)
}
