//! Both directions together: what one platform says is pulled, and pushed to the other.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::stage::{ERP, SHOP, Stage};
use crate::ledger::attention::AttentionState;
use crate::ledger::event::EventName;
use crate::ledger::inbox::InboxState;
use crate::ledger::run::{Cause, Direction, NewRun, RunState};
use crate::ledger::tests::{read, write};
use crate::model::description::StockFigure;
use crate::model::sales::{AmountOf, OrderState, Shipment};
use crate::model::{Kind, PlatformId};
use crate::sync::clock::Clock;
use crate::sync::fake::{Fault, Misfortune, Object, Side, Verb, dec};
use crate::sync::pull::{Mode, Pull};
use crate::sync::unknown;

async fn pull(stage: &Stage, platform: PlatformId, kind: Kind) {
    let fake = if platform == SHOP { &stage.shop } else { &stage.erp };
    let new = NewRun { action: None, platform, direction: Direction::Pull, kind, cause: Cause::Manual, preview: false };
    let run = stage.ledger.write(move |tx| tx.queue_run(&new)).await.unwrap();
    let pull = Pull {
        ledger: stage.ledger.clone(),
        clock: Arc::clone(&stage.clock) as Arc<dyn Clock>,
        connector: Arc::new(fake.clone()),
        platform,
        kind,
        run,
        page: 3,
        stop: CancellationToken::new(),
    };
    let end = pull.run(Mode::Changes).await.unwrap();
    assert!(matches!(end.state, RunState::Done | RunState::DoneWithIssues), "{platform} {kind}: {end:?}");
}

/// Everything is read from both sides, and everything due is sent.
async fn cycle(stage: &Stage) {
    stage.clock.advance(10);
    for (platform, kind) in [
        (ERP, Kind::Category),
        (ERP, Kind::Product),
        (ERP, Kind::Price),
        (ERP, Kind::Stock),
        (ERP, Kind::Order),
        (ERP, Kind::Shipment),
        (SHOP, Kind::Product),
        (SHOP, Kind::Price),
        (SHOP, Kind::Stock),
        (SHOP, Kind::Customer),
        (SHOP, Kind::Order),
        (SHOP, Kind::Shipment),
    ] {
        pull(stage, platform, kind).await;
    }
    stage.clock.advance(10);
    stage.cycle().await.unwrap();
}

async fn settled(stage: &Stage) {
    for _ in 0..6 {
        cycle(stage).await;
    }
    let before = stage.writes();
    cycle(stage).await;
    assert_eq!(stage.writes(), before, "a second full cycle writes nothing");
}

#[tokio::test]
async fn a_shop_and_an_erp_are_kept_in_step() {
    let stage = Stage::new().await;
    // The shop rounds stock and shouts.
    stage.shop.world().clean = Some(Arc::new(|key, body| {
        if key.name() == "texts"
            && let Some(name) = body["name"].as_str().map(str::to_uppercase)
        {
            body["name"] = name.into();
        }
    }));
    {
        let mut erp = stage.erp.world();
        for (name, skus) in [("shirt", &["TS-S", "TS-M"][..]), ("mug", &["MUG"])] {
            erp.add_product(name, skus);
            for sku in skus {
                erp.set_stock(sku, "main", "10");
                erp.set_price(sku, "8.40");
            }
        }
    }
    settled(&stage).await;
    assert_eq!(stage.shop.world().all(Kind::Product).len(), 2);
    assert_eq!(stage.shop.world().price_of("MUG", "price:base:main"), Some(dec("10")));

    // A day in the shop and in the ERP.
    let first = stage.shop.world().place_order("1001", "zoe@example.com", &[("TS-S", "2", "10.00")]);
    stage.shop.world().place_order("1002", "zoe@example.com", &[("MUG", "1", "10.00")]);
    stage.erp.world().set_price("MUG", "9.00");
    let shirt = stage.erp.world().all(Kind::Product)[0].id.clone();
    stage.erp.world().add_variant(&shirt, "TS-L");
    stage.erp.world().set_stock("TS-L", "main", "4");
    stage.erp.world().set_price("TS-L", "8.40");
    settled(&stage).await;
    {
        let (shop, erp) = (stage.shop.world(), stage.erp.world());
        assert_eq!(shop.all(Kind::Product).len(), 2);
        assert!(shop.variant("TS-L").is_some());
        assert_eq!(shop.stock_of("TS-L", "main"), Some(dec("4")));
        assert_eq!(shop.price_of("MUG", "price:base:main"), Some(dec("10.71")));
        assert_eq!(shop.stock_of("TS-S", "main"), Some(dec("8")), "two are sold, and the ERP did not count them yet");
        assert_eq!((erp.all(Kind::Order).len(), erp.all(Kind::Customer).len()), (2, 1));
    }
    // One is shipped, the other cancelled.
    let sale = stage.erp.world().orders("1001")[0].id.clone();
    stage.erp.world().ship(&sale, "TRACK-1");
    let second = stage.shop.world().orders("1002")[0].id.clone();
    stage.shop.world().set_order_state(&second, OrderState::Cancelled);
    settled(&stage).await;
    let (shop, erp) = (stage.shop.world(), stage.erp.world());
    let shipments = shop.all(Kind::Shipment);
    assert_eq!(shipments.len(), 1);
    assert_eq!(shipments[0].of.as_deref(), Some(first.as_str()));
    assert_eq!(erp.orders("1002")[0].facets[&"state".into()], "cancelled");
    drop((shop, erp));
    assert_eq!(stage.attentions().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_figure_counts_an_order_as_soon_as_it_is_newer_than_the_acceptance() {
    let stage = Stage::new().await;
    // What the ERP makes of an order is known from reading it.
    stage.policy(ERP, |policy| policy.owns.retain(|of| !of.facet.0.starts_with("stock"))).await;
    stage.product("mug", &["MUG"]).await;
    settled(&stage).await;
    stage.shop.world().place_order("1001", "zoe@example.com", &[("MUG", "2", "10.00")]);
    cycle(&stage).await;
    // The ERP subtracts at once, but that figure is read before the order is.
    stage.erp.world().set_stock("MUG", "main", "8");
    settled(&stage).await;
    assert_eq!(stage.shop.world().stock_of("MUG", "main"), Some(dec("6")), "who knows whether the order is in that");
    // The same figure again, taken later.
    stage.clock.advance(60);
    stage.erp.world().set_stock("MUG", "main", "8");
    settled(&stage).await;
    assert_eq!(stage.shop.world().stock_of("MUG", "main"), Some(dec("8")));
}

#[tokio::test]
async fn a_figure_is_written_when_a_sale_and_a_count_cancel_each_other_out() {
    let stage = Stage::new().await;
    stage.product("mug", &["MUG"]).await;
    stage.erp.world().set_stock("MUG", "main", "10");
    settled(&stage).await;
    pull(&stage, SHOP, Kind::Stock).await;
    // The shop sells two and knows it; in the ERP two more are counted. The figure that is due is the one read before.
    stage.shop.world().place_order("1001", "zoe@example.com", &[("MUG", "2", "10.00")]);
    stage.shop.world().set_stock("MUG", "main", "8");
    stage.erp.world().set_stock("MUG", "main", "12");
    for (platform, kind) in [(SHOP, Kind::Customer), (SHOP, Kind::Order), (ERP, Kind::Stock)] {
        pull(&stage, platform, kind).await;
    }
    stage.push(SHOP, Kind::Stock).await;
    assert_eq!(stage.shop.world().stock_of("MUG", "main"), Some(dec("10")));
    let writes = stage.writes();
    stage.push(SHOP, Kind::Stock).await;
    assert_eq!(stage.writes(), writes, "once is enough");
}

#[tokio::test]
async fn what_a_shipment_takes_from_a_physical_figure_is_put_right() {
    let stage = Stage::new().await;
    let shop = stage.shop.described(|d| {
        for writing in d.abilities.iter_mut().filter(|a| a.kind == Kind::Stock).filter_map(|a| a.writing.as_mut()) {
            writing.figure = Some(StockFigure::OnHand);
        }
    });
    let stage = Stage { shop: shop.clone(), ..stage };
    stage.connectors.serve(SHOP, &shop);
    stage.shop.world().shipments_take_stock = true;
    stage.product("mug", &["MUG"]).await;
    settled(&stage).await;
    stage.shop.world().place_order("1001", "zoe@example.com", &[("MUG", "2", "10.00")]);
    cycle(&stage).await;
    stage.erp.world().set_stock("MUG", "main", "8");
    settled(&stage).await;
    assert_eq!(stage.shop.world().stock_of("MUG", "main"), Some(dec("10")), "8 to be sold, 2 to be shipped");
    let sale = stage.erp.world().orders("1001")[0].id.clone();
    stage.erp.world().ship(&sale, "TRACK-1");
    settled(&stage).await;
    assert_eq!(stage.shop.world().all(Kind::Shipment).len(), 1);
    assert_eq!(stage.shop.world().stock_of("MUG", "main"), Some(dec("8")), "neither shipped twice nor sold twice");
}

#[tokio::test]
async fn what_is_shipped_before_the_order_is_known_to_have_arrived_reaches_the_shop() {
    let stage = Stage::new().await;
    stage.product("mug", &["MUG"]).await;
    settled(&stage).await;
    let order = stage.shop.world().place_order("1001", "zoe@example.com", &[("MUG", "2", "10.00")]);
    pull(&stage, SHOP, Kind::Customer).await;
    pull(&stage, SHOP, Kind::Order).await;
    stage.push(ERP, Kind::Customer).await;
    let call = stage.erp.world().calls[&Verb::Push] + 1;
    stage.erp.fault(Fault::item(call, 1, Misfortune::Forget));
    stage.push(ERP, Kind::Order).await;
    let sale = stage.erp.world().orders("1001")[0].id.clone();
    stage.erp.world().ship(&sale, "TRACK-1");
    pull(&stage, ERP, Kind::Shipment).await;
    let held = read(&stage.ledger, |view| view.inbox(ERP, Kind::Shipment, InboxState::Held, 9)).await;
    assert_eq!(held.len(), 1, "nobody knows yet which order it is of");

    // The lookup before the next push finds the order; the ERP's orders are not read.
    stage.clock.advance(600);
    stage.push(ERP, Kind::Order).await;
    assert_eq!(read(&stage.ledger, |view| view.inbox(ERP, Kind::Shipment, InboxState::Held, 9)).await, []);
    pull(&stage, ERP, Kind::Shipment).await;
    settled(&stage).await;
    {
        let world = stage.shop.world();
        let shipments = world.all(Kind::Shipment);
        assert_eq!(shipments.len(), 1);
        assert_eq!(shipments[0].of.as_deref(), Some(order.as_str()));
    }
    assert_eq!(stage.erp.world().orders("1001").len(), 1);
    assert_eq!(stage.attentions().await, Vec::<String>::new());
}

/// Of the shop's shipments: tracking number, and the lines with their pieces.
fn parcels(stage: &Stage, order: &str) -> Vec<(String, Vec<(String, String)>)> {
    let world = stage.shop.world();
    let own = world.all(Kind::Shipment).into_iter().filter(|shipment| shipment.of.as_deref() == Some(order));
    let parcel = |shipment: &Object| {
        let shipment: Shipment = serde_json::from_value(shipment.facets[&"shipment".into()].clone()).unwrap();
        let parcel = &shipment.parcels[0];
        let lines = parcel.lines.iter().map(|of| (of.line.clone(), of.quantity.to_string())).collect();
        (parcel.tracking.clone().unwrap(), lines)
    };
    own.map(parcel).collect()
}

fn parcel(tracking: &str, lines: &[(&str, &str)]) -> (String, Vec<(String, String)>) {
    (tracking.into(), lines.iter().map(|(line, pieces)| ((*line).into(), (*pieces).into())).collect())
}

#[tokio::test]
async fn a_parcel_names_the_lines_of_the_shop_however_the_erp_numbers_its_own() {
    let stage = Stage::new().await;
    stage.product("shirt", &["TS-S"]).await;
    stage.product("mug", &["MUG"]).await;
    settled(&stage).await;
    stage.shop.world().place_order("1001", "zoe@example.com", &[("MUG", "1", "10.00")]);
    settled(&stage).await;
    let order =
        stage.shop.world().place_order("1002", "zoe@example.com", &[("TS-S", "2", "10.00"), ("MUG", "3", "10.00")]);
    // The ERP's order is read again and again before it is shipped.
    settled(&stage).await;
    let (sale, lines) = {
        let erp = stage.erp.world();
        let sale = erp.orders("1002")[0].id.clone();
        let lines = erp.lines_of(&sale);
        (sale, lines)
    };
    let numbers: Vec<&str> = lines.iter().map(|(_, of)| of.line.as_str()).collect();
    assert_eq!(numbers, ["2", "3"], "the shop has a line 2 as well, which is another one");
    let [(_, shirts), (_, mugs)] = <[_; 2]>::try_from(lines).unwrap();
    stage.erp.world().ship_lines(&sale, "TRACK-1", vec![AmountOf { quantity: dec("1"), ..shirts.clone() }], false);
    settled(&stage).await;
    let rest = AmountOf { quantity: dec("1"), ..shirts };
    stage.erp.world().ship_lines(&sale, "TRACK-2", vec![rest, mugs], true);
    stage.erp.world().set_order_state(&sale, OrderState::Shipped);
    settled(&stage).await;
    assert_eq!(
        parcels(&stage, &order),
        [parcel("TRACK-1", &[("1", "1")]), parcel("TRACK-2", &[("1", "1"), ("2", "3")])]
    );
    assert_eq!(stage.attentions().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_line_that_nobody_named_is_asked_for_and_never_guessed() {
    let stage = Stage::new().await;
    let erp = stage.erp.described(|d| d.abilities.iter_mut().for_each(|ability| ability.lookup_lag = None));
    let stage = Stage { erp: erp.clone(), ..stage };
    stage.connectors.serve(ERP, &erp);
    stage.erp.world().multi_step.clear();
    stage.product("shirt", &["TS-S"]).await;
    stage.product("mug", &["MUG"]).await;
    stage.quiesce().await;
    let order = stage.order("1001", "zoe@example.com", &[("TS-S", "2", "8.40"), ("MUG", "1", "8.40")]).await;
    stage.push(ERP, Kind::Customer).await;
    let call = stage.erp.world().calls[&Verb::Push] + 1;
    stage.erp.fault(Fault::item(call, 1, Misfortune::TimeoutAfter));
    for _ in 0..5 {
        stage.push(ERP, Kind::Order).await;
        stage.clock.advance(600);
    }
    // Nobody says which line is which: a person only says that the order is there.
    let intent = read(&stage.ledger, move |view| view.intents_of(order)).await[0].id;
    let (now, sale) = (stage.clock.now(), stage.erp.world().orders("1001")[0].id.clone());
    let there = sale.clone();
    write(&stage.ledger, move |tx| unknown::answer(tx, intent, true, Some(&there), now)).await;
    let (_, mug) = stage.erp.world().lines_of(&sale).remove(1);
    assert_eq!(mug.line, "2", "as the shop numbers it too, but nobody said so");
    let shipment = stage.erp.world().ship_lines(&sale, "TRACK-1", vec![mug], false);
    let facets = stage.erp.world().object(Kind::Shipment, &shipment).unwrap().facets.clone();
    stage.happens(order, EventName::Shipment, "sh1", facets, ERP).await;
    stage.push(SHOP, Kind::Shipment).await;
    assert_eq!(stage.shop.world().all(Kind::Shipment).len(), 0);
    let open = read(&stage.ledger, |view| view.attentions(Some(AttentionState::Open), None, 9)).await;
    let title = &open[0].title;
    assert_eq!(open.len(), 1, "{title}");
    assert!(title.contains("which line of the order is meant by line `2` is not known"), "{title}");
    // The order says it when it is read: the articles and pieces are the same.
    pull(&stage, ERP, Kind::Order).await;
    stage.push(SHOP, Kind::Shipment).await;
    let there = stage.shop.world().orders("1001")[0].id.clone();
    assert_eq!(parcels(&stage, &there), [parcel("TRACK-1", &[("2", "1")])]);
    assert_eq!(stage.attentions().await, Vec::<String>::new());
}

#[tokio::test]
async fn an_own_child_that_is_pulled_before_its_outcome_is_written_stays_one() {
    let mut request = 0;
    loop {
        request += 1;
        let mut stage = Stage::new().await;
        stage.product("mug", &["MUG"]).await;
        stage.order("1001", "zoe@example.com", &[("MUG", "1", "10.00")]).await;
        let before = stage.erp.world().requests;
        stage.erp.world().crash_at = Some((before + request, Side::After));
        drop(stage.cycle().await);
        let died = stage.erp.world().crashed;
        stage.restart().await;
        // What was made is read before anybody asks what became of it.
        for kind in [Kind::Customer, Kind::Order] {
            pull(&stage, ERP, kind).await;
        }
        stage.quiesce().await;
        let erp = stage.erp.world();
        let found = (erp.orders("1001").len(), erp.all(Kind::Customer).len(), erp.orders("1001")[0].whole);
        assert_eq!(found, (1, 1, true), "request {request}");
        drop(erp);
        let orders = read(&stage.ledger, |view| {
            view.records_after(crate::model::RecordKind::Order, crate::model::RecordId(0), 9)
        })
        .await;
        assert_eq!(orders.len(), 1, "request {request}: the ERP's order is ours");
        if !died {
            break;
        }
    }
    assert!(request > 3);
}
