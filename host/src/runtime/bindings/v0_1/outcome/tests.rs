use super::super::sample;
use super::*;

#[test]
fn errors_keep_their_case_both_ways() {
    let issue = Issue { path: "lines[0]".into(), code: Some("E1".into()), message: "no".into() };
    for error in [
        RemoteError::Auth("a".into()),
        RemoteError::Throttled(7),
        RemoteError::Unavailable("u".into()),
        RemoteError::Timeout("t".into()),
        RemoteError::Rejected(vec![issue]),
        RemoteError::MappingMissing { table: "payment".into(), value: "klarna".into(), label: Some("Klarna".into()) },
        RemoteError::Conflict(Some("v2".into())),
        RemoteError::NotFound("n".into()),
        RemoteError::Unsupported("s".into()),
        RemoteError::Denied("d".into()),
        RemoteError::Bug("b".into()),
    ] {
        assert_eq!(from_error(to_error(error.clone())), error);
    }
}

fn object() -> wo::Written {
    wo::Written { remote: sample::remote("7"), parts: Vec::new(), total: Some("119.00".into()), warnings: Vec::new() }
}

#[test]
fn a_reported_object_is_linked() {
    let Outcome::Done(written) = outcome(wo::Outcome::Done(object())) else { panic!() };
    assert_eq!((written.remote.id.as_str(), written.total), ("7", Some("119".parse().unwrap())));
    assert!(matches!(outcome(wo::Outcome::Partial(object())), Outcome::Partial(_)));
    assert!(matches!(outcome(wo::Outcome::Unchanged(sample::remote("7"))), Outcome::Unchanged(_)));
    assert_eq!(outcome(wo::Outcome::Later(9)), Outcome::Later(9));
}

#[test]
fn an_object_without_an_id_is_unknown_and_never_done() {
    let nameless = || wo::Written { remote: sample::remote(""), ..object() };
    for reported in
        [wo::Outcome::Done(nameless()), wo::Outcome::Partial(nameless()), wo::Outcome::Unchanged(sample::remote(""))]
    {
        assert!(matches!(outcome(reported), Outcome::Failed(RemoteError::Timeout(_))));
    }
}

#[test]
fn what_is_wrong_beside_the_id_does_not_undo_the_object() {
    let odd = wo::Written {
        total: Some("EUR 119".into()),
        parts: vec![super::super::wit::tradepost::connector::head::Part {
            what: super::super::wit::tradepost::connector::head::PartKind::Line,
            key: "l1".into(),
            id: String::new(),
        }],
        ..object()
    };
    let Outcome::Done(written) = outcome(wo::Outcome::Done(odd)) else { panic!() };
    assert_eq!((written.total, written.parts.len(), written.warnings.len()), (None, 0, 2));
}
