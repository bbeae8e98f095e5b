//! Cases: a call that went wrong, redacted, written, and repeated without its platform.

use std::sync::{Arc, Mutex};

use tradepost::model::{Kind, Outcome, PullRequest, Scope};
use tradepost::runtime::Lent;
use tradepost::runtime::case::{Bundle, Stored, replay, sha256};
use tradepost::runtime::witness::{Seen, Witness};
use tradepost::sync::connector::Connector;

use super::calls::push;
use super::server::{Server, answer};
use super::world::{World, guest_file, guest_variant};

/// Keeps every call as a case.
#[derive(Default)]
pub struct Kept(Mutex<Vec<(Bundle, bool)>>);

impl Witness for Kept {
    fn seen(&self, call: Seen<'_>) {
        let case = (Bundle::of(&call).unwrap(), call.went_wrong());
        self.0.lock().unwrap().push(case);
    }
}

impl Kept {
    pub fn take(&self) -> (Bundle, bool) {
        self.0.lock().unwrap().remove(0)
    }
}

fn asked() -> PullRequest {
    let scope = Scope::Changed { since: None, until: "2026-11-22T08:00:00Z".parse().unwrap() };
    PullRequest { kind: Kind::Stock, scope, cursor: None, limit: 100 }
}

/// As it comes out of a file.
pub fn again(bundle: &Bundle) -> Bundle {
    Bundle::read(serde_json::to_vec(bundle).unwrap().as_slice()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_has_no_personal_data_and_ends_the_same_way_again() {
    let world = World::new().await;
    let server = Server::start(|request| {
        let token = if request.contains("Bearer s3cret-t0ken") { "s3cret-t0ken" } else { "none" };
        let body =
            format!(r#"{{"token":"{token}","customer":{{"email":"anna.weber@mail.example","last_name":"Weber"}}}}"#);
        answer("200 OK", "content-type: application/json\r\n", body.as_bytes())
    })
    .await;
    let kept = Arc::new(Kept::default());
    let net = super::fences::Net::open(&world, &server);
    let url = format!("http://{}/customers?email=anna.weber%40mail.example", server.address);
    let connector = net.with_credential("fetch", &[&url, &url], &["key"], |_| {}).seen_by(kept.clone());
    connector.pull(asked()).await.result.unwrap();
    let (case, wrong) = kept.take();
    assert!(wrong, "the guest tells what came back as unreadable records");
    let case = again(&case.redacted([9; 32]).unwrap());
    let text = serde_json::to_string(&case).unwrap();
    for gone in ["s3cret", "Weber", "weber", "mail.example"] {
        assert!(!text.contains(gone), "{gone}: {text}");
    }
    assert_eq!((case.component.id.as_str(), case.exchanges.len()), ("org.tradepost.guest", 2));

    let folder = tempfile::tempdir().unwrap();
    let wasm = std::fs::read(guest_file()).unwrap();
    let sent = server.requests().len();
    let replayed = replay(&case, &wasm, folder.path()).await.unwrap();
    assert_eq!(replayed.differs, None);
    assert!(replayed.same(), "{:?}\n{:?}", replayed.outcome, replayed.recorded);
    assert_eq!((replayed.unmatched.len(), replayed.unused.len()), (0, 0));
    assert_eq!(server.requests().len(), sent, "nothing went out");
    assert!(text.contains("@example.org"));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_component_is_named_and_replayed_all_the_same() {
    let world = World::new().await;
    let kept = Arc::new(Kept::default());
    world.memory.values.lock().unwrap().insert("count".into(), vec![41]);
    let connector = world.connector("good").seen_by(kept.clone());
    connector.pull(asked()).await.result.unwrap();
    let (case, _) = kept.take();
    assert_eq!(case.storage["count"], Stored::Text(")".into()), "as it was before the call");
    let folder = tempfile::tempdir().unwrap();
    let other = guest_variant("good", "2.0.0");
    let replayed = replay(&again(&case), &other, folder.path()).await.unwrap();
    let differs = replayed.differs.clone().expect("another file");
    assert!(differs.contains("org.tradepost.guest 2.0.0") && differs.contains(&sha256(&other)), "{differs}");
    assert!(replayed.same(), "it counts on from what was stored");
    let text = serde_json::to_string(&replayed.outcome).unwrap();
    assert!(text.contains("count 42"), "{text}");
    // A build that does worse is seen to.
    let broken = replay(&case, &guest_variant("traps", "3.0.0"), folder.path()).await.unwrap();
    assert!(!broken.same());
    assert_eq!(broken.outcome.error.unwrap().how, "trap");
    assert!(!case.mentions("1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn pushes_with_their_outcomes_and_calls_that_fail_are_cases() {
    let world = World::new().await;
    let kept = Arc::new(Kept::default());
    let connector = world.connector("trap at the third").seen_by(kept.clone());
    let (called, settled) = push(&connector, 4).await;
    assert!(called.result.is_err());
    let (case, wrong) = kept.take();
    assert!(wrong);
    assert_eq!(case.outcome.settled.len(), settled.len());
    let item = case.outcome.settled[0].0.clone();
    assert!(case.mentions(&item) && case.blames(&item), "the call failed as a whole");
    let error = case.outcome.error.clone().unwrap();
    assert!(error.how == "trap" && error.message.contains("the third"), "{error:?}");
    let folder = tempfile::tempdir().unwrap();
    let replayed = replay(&again(&case), &std::fs::read(guest_file()).unwrap(), folder.path()).await.unwrap();
    assert!(replayed.same(), "{:?}\n{:?}", replayed.outcome, replayed.recorded);
    assert!(replayed.outcome.settled.iter().all(|(_, outcome)| matches!(outcome, Outcome::Done(_))));

    let preview = world.lent("send", |_| {}, |lent: &mut Lent| lent.preview = true).seen_by(kept.clone());
    assert!(push(&preview, 1).await.0.result.is_err());
    assert_eq!(kept.take().0.outcome.error.unwrap().how, "remote");
}
