use super::*;

fn request(method: &str, url: &str, body: &str) -> Request {
    Request { method: method.into(), url: url.into(), headers: Vec::new(), body: Body::of(body.to_owned()) }
}

fn exchange(method: &str, url: &str, body: &str, answer: &str) -> Exchange {
    let response = Response { status: 200, headers: Vec::new(), body: Body::of(answer.to_owned()) };
    Exchange { request: request(method, url, body), response: Some(response), error: None }
}

#[test]
fn a_tape_is_the_same_after_writing_and_reading() {
    let mut lines = vec![
        exchange("GET", "https://shop.example/a?x=1", "", "[1]"),
        exchange("POST", "https://shop.example/a", "grün", ""),
        Exchange {
            response: None,
            error: Some(RemoteError::Timeout("late".into())),
            ..exchange("GET", "https://shop.example/b", "", "")
        },
    ];
    lines[1].response.as_mut().unwrap().body = Body::of(vec![0xff, 0, 1]);
    lines[0].request.headers.push(("accept".into(), "application/json".into()));
    lines[0].request.body = Body::Omitted("blob abc".into());
    let mut bytes = Vec::new();
    write(&mut bytes, &lines).unwrap();
    let text = String::from_utf8(bytes.clone()).unwrap();
    assert!(
        text.contains(r#""request":{"method":"POST","url":"https://shop.example/a","headers":[],"body":"grün"}"#),
        "{text}"
    );
    assert!(text.contains(r#""body64":"/wAB""#) && text.contains(r#""error":{"timeout":"late"}"#), "{text}");
    assert_eq!(read(bytes.as_slice()).unwrap(), lines);
}

#[test]
fn a_foreign_line_is_named() {
    let text = "# a comment\n\n{\"request\":{\"method\":\"GET\",\"url\":\"u\"}}\n{\"nothing\":1}\n";
    let error = read(text.as_bytes()).unwrap_err().to_string();
    assert!(error.starts_with("line 4 of the tape"), "{error}");
}

#[test]
fn answers_are_found_by_method_url_and_body_in_order() {
    let tape = Tape::new(vec![
        exchange("GET", "https://shop.example/a?x=1&y=2", "", "first"),
        exchange("GET", "https://shop.example/a?x=1&y=2", "", "second"),
        exchange("POST", "https://shop.example/a", "one", "posted"),
    ]);
    let answer = |method: &str, url: &str, body: &str| {
        let found = tape.answer(&request(method, url, body))?;
        Some(String::from_utf8_lossy(found.response.unwrap().body.bytes()).into_owned())
    };
    assert_eq!(answer("GET", "https://shop.example/a?y=2&x=1", "").as_deref(), Some("first"));
    assert_eq!(answer("POST", "https://shop.example/a", "two"), None);
    assert_eq!(answer("GET", "https://shop.example/a?x=1", ""), None);
    assert_eq!(answer("GET", "https://SHOP.example/a?x=1&y=2", "").as_deref(), Some("second"));
    assert_eq!(answer("GET", "https://shop.example/a?x=1&y=2", ""), None, "used up");
    assert_eq!(tape.unused().len(), 1);
    let tape = Tape::new(vec![exchange("POST", "https://shop.example/a", r#"{"a":1,"b":[2]}"#, "")]);
    assert!(
        tape.answer(&request("POST", "https://shop.example/a", "{ \"b\": [2], \"a\": 1 }")).is_some(),
        "JSON by meaning"
    );
}

#[test]
fn a_recording_is_bounded() {
    let of = |path: &str| exchange("GET", &format!("https://shop.example/{path}"), "", "12345678");
    let recording = Recording::new(2 * of("a").head() + 10);
    for path in ["a", "b", "c"] {
        recording.add(of(path));
    }
    let kept = recording.take();
    assert_eq!(kept.len(), 2, "requests take room too");
    let recording = Recording::new(1000);
    let mut long = of("a");
    long.request.headers.push(("x-long".into(), "y".repeat(1000)));
    recording.add(long);
    assert_eq!(recording.take().len(), 0, "headers too");
    assert_eq!(kept[0].response.as_ref().unwrap().body.bytes(), b"12345678");
    assert!(matches!(&kept[1].response.as_ref().unwrap().body, Body::Omitted(text) if text.starts_with("8 bytes ")));
}
