//! The shop as a program: something small to try a connector and the suite against.

use clap::Parser;
use model_shop::{PASSWORD, Simulator, USER};

/// A small REST shop on 127.0.0.1, gone when the program ends (Ctrl-C).
#[derive(Debug, Parser)]
#[command(name = "model-shop", version)]
struct Args {
    /// Port to listen on; 0 takes a free one
    #[arg(long, default_value_t = 8899)]
    port: u16,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let shop = Simulator::start(Args::parse().port)?;
    println!("url       {}", shop.url);
    println!("user      {USER}");
    println!("password  {PASSWORD}");
    println!("control   {}/_control", shop.url);
    tokio::signal::ctrl_c().await?;
    Ok(())
}
