//! The simulator as a program: `cargo run --example simulator -- --port 8080`. Port 0 takes a free one.

#[path = "../simulator/{{template}}.rs"]
mod platform;

fn main() -> std::io::Result<()> {
    let port = std::env::args().skip_while(|word| word != "--port").nth(1).and_then(|port| port.parse().ok());
    let simulator = platform::Simulator::start(port.unwrap_or(8080))?;
    println!("listening on {}", simulator.address);
    loop {
        std::thread::park();
    }
}
