//! A full cycle on which nothing happened writes nothing: counted at the proxies and at the servers.

use anyhow::Result;

use super::World;
use crate::snapshot::Snapshot;

pub(super) async fn run(world: &mut World, when: &str) -> Result<()> {
    let shop_before = Snapshot::of_shop(&world.shop).await?;
    let erp_before = Snapshot::of_erp(&world.peers).await?;
    let (shop_mark, erp_mark) = (world.shop_proxy.mark(), world.erp_proxy.mark());
    world.cycle(&format!("nothing changed {when}")).await?;
    let (shop_asked, erp_asked) = (world.shop_proxy.mark() - shop_mark, world.erp_proxy.mark() - erp_mark);
    // A cycle that asks nothing proves nothing.
    world.report.judge(
        &format!("the cycle {when} looked at both servers"),
        "requests to both",
        format!("{shop_asked} and {erp_asked}"),
        shop_asked > 0 && erp_asked > 0,
    );
    let shop_writes = world.shop_proxy.writes_since(shop_mark);
    let erp_writes = world.erp_proxy.writes_since(erp_mark);
    none(world, &format!("write requests to the shop {when}"), &shop_writes);
    none(world, &format!("write requests to the ERP {when}"), &erp_writes);
    let shop_changed = Snapshot::of_shop(&world.shop).await?.changed_since(&shop_before);
    let erp_changed = Snapshot::of_erp(&world.peers).await?.changed_since(&erp_before);
    none(world, &format!("objects changed in the shop {when}"), &shop_changed);
    none(world, &format!("tables changed in the ERP {when}"), &erp_changed);
    Ok(())
}

fn none(world: &mut World, name: &str, found: &[String]) {
    let shown = match found {
        [] => "0".to_owned(),
        some => format!("{}: {}", some.len(), some.join("; ")),
    };
    world.report.equal(name, "0", shown);
}
