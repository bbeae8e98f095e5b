//! Ledgers of every version of the schema open whole; a newer one is left alone.

use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rusqlite_migration::M;
use serde_json::json;

use super::*;
use crate::capability::Secret;
use crate::ledger::action::{NewAction, StartMode};
use crate::ledger::attention::{Choice, NewAttention};
use crate::ledger::blob::StoredBlob;
use crate::ledger::event::EventName;
use crate::ledger::intent::{IntentState, NewIntent, Revs, Sent};
use crate::ledger::link::{MadeBy, NewLink};
use crate::ledger::record::{FacetChange, FacetRule};
use crate::ledger::run::{Cause, Direction, NewRun, RunItem, RunState, What};
use crate::ledger::secret::SealKey;
use crate::ledger::stream::Phase;
use crate::ledger::tests::{Home, platform, read, write};
use crate::ledger::want::WantReason;
use crate::ledger::{Ledger, Options, View};
use crate::model::{
    Facets, IntentId, Key, KeyType, Kind, Op, PlatformId, Record, RecordKind, RemoteRef, Rev, StorageWrite,
};

/// Key of the fixtures' one secret.
const KEY: [u8; 32] = [7; 32];

fn fixture(version: usize) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("src/ledger/schema/fixtures/v{version}.sql"))
}

/// A ledger of that version, as a process left it.
fn of_version(home: &Home, version: usize) {
    let text = fs::read_to_string(fixture(version)).unwrap_or_else(|_| {
        panic!(
            "there is no fixture of schema version {version}; make it while that version is the newest:\n  \
             cargo test --package tradepost --lib ledger::schema -- --ignored"
        )
    });
    let connection = Connection::open(home.path()).unwrap();
    connection.execute_batch(&text).unwrap();
    connection.pragma_update(None, "journal_mode", "WAL").unwrap();
}

fn schema_of(connection: &Connection) -> Vec<String> {
    let mut rows = connection
        .prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY name")
        .unwrap();
    rows.query_map([], |row| row.get::<_, String>(0)).unwrap().map(Result::unwrap).collect()
}

#[tokio::test]
async fn a_ledger_of_every_version_opens_with_everything_in_it() {
    for version in 1..=MIGRATIONS.len() {
        let home = Home::new();
        of_version(&home, version);
        // The fixture is what that version's program made: released schemas do not change.
        let fresh = Home::new();
        let mut connection = Connection::open(fresh.path()).unwrap();
        Migrations::from_slice(&MIGRATIONS[..version]).to_latest(&mut connection).unwrap();
        let old = Connection::open(home.path()).unwrap();
        assert_eq!(schema_of(&old), schema_of(&connection), "the schema of version {version} was changed afterwards");
        drop(old);

        let ledger = home.open();
        check(&ledger).await;
        ledger.close();
        assert_eq!(super::version(&home.path()).unwrap(), MIGRATIONS.len());
        assert_eq!(home.path().with_extension(format!("v{version}.db")).exists(), version < MIGRATIONS.len());
    }
}

#[tokio::test]
async fn an_older_ledger_is_copied_and_brought_up_to_date() {
    let home = Home::new();
    let newest = MIGRATIONS.len();
    of_version(&home, newest);
    let further: Vec<M<'static>> = MIGRATIONS
        .iter()
        .cloned()
        .chain([M::up("ALTER TABLE platform ADD COLUMN note TEXT; UPDATE platform SET note = code || '!'")])
        .collect();
    let connection = open(&home.path(), &further).unwrap();
    let note: String =
        connection.query_row("SELECT note FROM platform WHERE code = 'shop'", [], |row| row.get(0)).unwrap();
    assert_eq!(note, "shop!");
    let verdict: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(verdict, "ok");
    drop(connection);
    assert_eq!(version(&home.path()).unwrap(), newest + 1);
    // The copy is a backup of the old version: the older program goes on with it, after a look.
    let kept = home.path().with_extension(format!("v{newest}.db"));
    backup::inspect(&kept).unwrap();
    let ledger = Ledger::open(&kept, Options::default()).unwrap();
    check(&ledger).await;
    assert!(read(&ledger, |view| view.instance()).await.backup_at.is_some(), "it begins in safe mode");
}

#[tokio::test]
async fn a_migration_that_fails_leaves_the_ledger_as_it_was() {
    let home = Home::new();
    of_version(&home, MIGRATIONS.len());
    let further: Vec<M<'static>> = MIGRATIONS
        .iter()
        .cloned()
        .chain([M::up("ALTER TABLE platform ADD COLUMN note TEXT"), M::up("INSERT INTO nowhere VALUES (1)")])
        .collect();
    let error = open(&home.path(), &further).unwrap_err();
    assert!(matches!(error, LedgerError::Migration { .. }), "{error}");
    assert_eq!(version(&home.path()).unwrap(), MIGRATIONS.len());
    check(&home.open()).await;
}

#[tokio::test]
async fn a_newer_ledger_is_refused_and_not_touched() {
    let home = Home::new();
    of_version(&home, MIGRATIONS.len());
    // As a newer program left it that was killed: its last writes are in the log only.
    let newer = Connection::open(home.path()).unwrap();
    newer.pragma_update(None, "wal_autocheckpoint", 0).unwrap();
    newer.execute_batch("ALTER TABLE platform ADD COLUMN note TEXT").unwrap();
    newer.pragma_update(None, "user_version", MIGRATIONS.len() as u32 + 1).unwrap();
    let killed = Home::new();
    let log = |path: &Path| path.with_extension("db-wal");
    fs::copy(home.path(), killed.path()).unwrap();
    fs::copy(log(&home.path()), log(&killed.path())).unwrap();
    drop(newer);

    let before = (fs::read(killed.path()).unwrap(), fs::read(log(&killed.path())).unwrap());
    assert!(!before.1.is_empty());
    let error = Ledger::open(&killed.path(), Options::default()).err().unwrap();
    let known = MIGRATIONS.len();
    assert!(matches!(error, LedgerError::Newer { found, known: here, .. } if found == known + 1 && here == known));
    assert!(error.to_string().contains("start the newer program"), "{error}");
    assert_eq!((fs::read(killed.path()).unwrap(), fs::read(log(&killed.path())).unwrap()), before);
}

/// Something in every table.
async fn fill(ledger: &Ledger) {
    let (shop, erp) = (platform(ledger, "shop").await, platform(ledger, "erp").await);
    write(ledger, move |tx| {
        tx.set_phase(shop, Kind::Order, Phase::Live)?;
        tx.set_cursor(shop, Kind::Order, Some("page 3"))?;
        tx.owe_receipt(shop, Kind::Order, "batch 7")?;
        let action = tx.add_action(&NewAction {
            platform: shop,
            direction: Direction::Pull,
            kind: Kind::Order,
            start_mode: StartMode::Automatic,
            schedule: Some("every 5m".into()),
        })?;
        let run = tx.queue_run(&NewRun {
            action: Some(action.id),
            platform: shop,
            direction: Direction::Pull,
            kind: Kind::Order,
            cause: Cause::Automatic,
            preview: false,
        })?;
        tx.start_run(run, "org.example.shop 1.0.0")?;
        let change = |key: &str, body| FacetChange { key: key.into(), body: Some(body), as_of: None };
        let variant = tx.create_record(RecordKind::Variant, Some(erp), Some(run))?;
        for quantity in ["5", "4"] {
            let facets = vec![change("head", json!({"sku": "MUG"})), change("stock:WH", json!({"quantity": quantity}))];
            tx.write_facets(variant, facets, Some(erp), FacetRule::Owner, Some(run))?;
        }
        tx.add_keys(variant, RecordKind::Variant, &[Key { kind: KeyType::Sku, value: "MUG".into() }])?;
        let order = tx.create_record(RecordKind::Order, Some(shop), Some(run))?;
        let placed = json!({"number": "1001", "total": "11.90"});
        tx.write_facets(order, vec![change("placed", placed.clone())], Some(shop), FacetRule::Owner, Some(run))?;
        let remote = |id: &str| RemoteRef { id: id.into(), parent: None, version: None };
        for (platform, record, kind, id) in [
            (erp, variant, RecordKind::Variant, "v1"),
            (shop, variant, RecordKind::Variant, "17"),
            (shop, order, RecordKind::Order, "1001"),
        ] {
            tx.add_link(&NewLink::live(platform, kind, record, remote(id), MadeBy::Pulled))?;
        }
        tx.never_match(shop, RecordKind::Variant, "18", variant)?;
        tx.want(shop, Kind::Stock, variant, "stock:WH", WantReason::Data, None)?;
        let body = Facets::from([("placed".into(), placed)]);
        let event = tx.add_event(order, EventName::Placed, "", &body, shop, Some(run))?.unwrap();
        tx.deliver(event, erp, order)?;
        let intent = tx.plan_intent(&new_intent(erp, order, event, body))?.unwrap();
        tx.begin_sending(&[tx.intent(intent)?], Timestamp::UNIX_EPOCH, Some(run))?;
        tx.hold(shop, Kind::Order, Some("1002"), "{\"total\": \"?\"}", "its total is no number", Some(run))?;
        tx.attend(
            &NewAttention {
                cause_key: "held:1002".into(),
                platform: Some(shop),
                title: "Order 1002 cannot be read.".into(),
                hint: "Correct it in the shop.".into(),
                choices: vec![Choice::new("dismiss", "Leave it")],
                ..NewAttention::default()
            },
            Some(run),
        )?;
        tx.store(shop, &[StorageWrite { key: "token".into(), value: Some(b"abc".to_vec()) }])?;
        tx.set_secret(&SealKey::new(&KEY), shop, "api/token", &Secret::new("hush".into()))?;
        let blob = StoredBlob {
            platform: shop,
            id: "b1".into(),
            content: "00".repeat(32),
            size: 3,
            media_type: "image/png".into(),
            name: None,
        };
        tx.add_blob(&blob, Some("https://shop.example/mug.png"))?;
        tx.audit("operator", "platform.live", &json!({"platform": "shop"}))?;
        let line = RunItem { record: Some(order), remote: Some("1001".into()), what: What::Created, detail: None };
        tx.write_run_lines(run, &[line])?;
        tx.set_run(run, RunState::Done, None, None)
    })
    .await;
}

fn new_intent(
    erp: PlatformId,
    order: crate::model::RecordId,
    event: crate::model::EventId,
    facets: Facets,
) -> NewIntent {
    NewIntent {
        platform: erp,
        kind: Kind::Order,
        lane: "order".into(),
        record: order,
        event: Some(event),
        op: Op::Create,
        idem_key: "i/erp/2/g1".into(),
        marker: Some("shop-1001".into()),
        body: Record {
            kind: Kind::Order,
            op: Op::Create,
            item: "i/erp/2/g1".into(),
            marker: Some("shop-1001".into()),
            remote: None,
            of: None,
            keys: Vec::new(),
            facets,
            variants: Vec::new(),
            parts: Vec::new(),
            updated: None,
            as_of: None,
        },
        revs: Revs { planned: Rev(1), rules: 1, facets: Sent::new(), variants: Default::default() },
        run: None,
    }
}

/// Everything of [`fill`] is there, read by today's verbs.
async fn check(ledger: &Ledger) {
    read(ledger, |view: &View<'_>| {
        let (shop, erp) = (view.platform_by_code("shop")?.id, view.platform_by_code("erp")?.id);
        let stream = view.stream(shop, Kind::Order)?;
        assert_eq!((stream.phase, stream.cursor.as_deref()), (Phase::Live, Some("page 3")));
        assert_eq!(view.actions(Some(shop))?[0].schedule.as_deref(), Some("every 5m"));
        let variants = view.records_by_key(RecordKind::Variant, &Key { kind: KeyType::Sku, value: "MUG".into() })?;
        let variant = view.record(variants[0])?;
        assert_eq!(variant.facets[&"stock:WH".into()].body, json!({"quantity": "4"}));
        let quantities: Vec<_> = view
            .facet_history(variant.id)?
            .into_iter()
            .filter(|change| change.key.as_str() == "stock:WH")
            .map(|change| change.body.unwrap()["quantity"].clone())
            .collect();
        assert_eq!(quantities, ["5", "4"]);
        let link = view.link_by_remote(shop, RecordKind::Order, "1001")?.unwrap();
        let order = link.record.unwrap();
        assert_eq!(view.links_of(variant.id)?.len(), 2);
        assert!(view.is_never_match(shop, RecordKind::Variant, "18", variant.id)?);
        assert_eq!(view.count_wanted(shop, Kind::Stock)?, 1);
        let event = &view.events_of(order)?[0];
        assert_eq!(view.deliveries_of(order)?[0].platform, erp);
        let intent = view.intent_by_key(erp, "i/erp/2/g1")?.unwrap();
        assert_eq!((intent.id, intent.event, intent.state), (IntentId(1), Some(event.id), IntentState::Sending));
        assert_eq!(intent.body.facets[&"placed".into()]["number"], "1001");
        assert!(view.held_for(shop, Kind::Order, "1002")?.is_some());
        assert_eq!(view.attentions(None, None, 9)?[0].choices.len(), 1);
        assert_eq!(view.storage_value(shop, "token")?.as_deref(), Some(&b"abc"[..]));
        assert_eq!(view.secrets(&SealKey::new(&KEY), shop)?["api/token"].expose(), "hush");
        assert_eq!(view.blob(shop, "b1")?.unwrap().size, 3);
        let run = &view.runs(Some(shop), None, 9)?[0];
        assert_eq!((run.state, view.run_lines(run.id, 0, 9)?.len()), (RunState::Done, 1));
        assert_eq!(view.audits(9)?.len(), 1);
        let wrong: i64 =
            view.connection.query_row("SELECT count(*) FROM pragma_foreign_key_check", [], |row| row.get(0))?;
        assert_eq!(wrong, 0);
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn what_fills_a_fixture_is_what_is_checked() {
    let home = Home::new();
    let ledger = home.booted().await;
    fill(&ledger).await;
    check(&ledger).await;
}

/// Writes the fixture of the newest version, before it is released; older ones are never written again.
#[tokio::test]
#[ignore = "makes a file of the repository"]
async fn write_fixture() {
    let home = Home::new();
    let ledger = home.booted().await;
    fill(&ledger).await;
    ledger.close();
    let connection = Connection::open(home.path()).unwrap();
    let mut text = format!(
        "-- A ledger of schema version {0}, as a program of that version left it. Never edited.\n",
        MIGRATIONS.len()
    );
    let lines = |sql: &str| -> Vec<(String, String)> {
        let mut rows = connection.prepare(sql).unwrap();
        rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect()
    };
    let objects = "SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' AND type";
    let tables = lines(&format!("{objects} = 'table' ORDER BY rowid"));
    for (_, sql) in tables.iter().chain(&lines(&format!("{objects} = 'index' ORDER BY rowid"))) {
        text.push_str(&format!("{sql};\n"));
    }
    text.push_str("PRAGMA foreign_keys = OFF;\nBEGIN;\n");
    for (table, _) in &tables {
        let columns = lines(&format!("SELECT name, '' FROM pragma_table_info('{table}')"));
        let quoted: Vec<String> = columns.iter().map(|(name, _)| format!("quote(\"{name}\")")).collect();
        for (values, _) in lines(&format!("SELECT {}, '' FROM \"{table}\"", quoted.join(" || ', ' || "))) {
            text.push_str(&format!("INSERT INTO \"{table}\" VALUES ({values});\n"));
        }
    }
    text.push_str(&format!("COMMIT;\nPRAGMA user_version = {};\n", MIGRATIONS.len()));
    fs::write(fixture(MIGRATIONS.len()), text).unwrap();
}
