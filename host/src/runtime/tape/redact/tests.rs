use serde_json::json;

use super::super::{Request, Response};
use super::*;

fn exchange(url: &str, asked: &str, answered: &str) -> Exchange {
    Exchange {
        request: Request {
            method: "POST".into(),
            url: url.into(),
            headers: vec![("content-length".into(), "9".into())],
            body: Body::of(asked.to_owned()),
        },
        response: Some(Response { status: 200, headers: Vec::new(), body: Body::of(answered.to_owned()) }),
        error: None,
    }
}

fn redact(exchanges: &[Exchange]) -> (Vec<Exchange>, String) {
    let mut redactor = Redactor::new([7; 32]);
    redactor.learn(exchanges);
    let redacted = redactor.exchanges(exchanges);
    let mut text = Vec::new();
    super::super::write(&mut text, &redacted).unwrap();
    (redacted, String::from_utf8(text).unwrap())
}

fn body(exchange: &Exchange) -> Value {
    serde_json::from_slice(exchange.response.as_ref().unwrap().body.bytes()).unwrap()
}

#[test]
fn personal_fields_of_json_get_stand_ins_of_the_same_shape() {
    let order = json!({
        "id": 4711, "number": "A-4711", "total": "119.00", "currency": "EUR", "status": "processing",
        "billing": {
            "first_name": "Anna", "last_name": "Weber", "company": "Weber KG", "address_1": "Hauptstr. 5", "city": "Bregenz",
            "postcode": "6900", "country": "AT", "email": "Anna.Weber@Mail.example", "phone": "+43 5574 12345"
        },
        "payment": { "iban": "AT61 1904 3002 3457 3201" },
        "line_items": [{ "name": "Blue chair", "sku": "CH-1", "quantity": 2 }],
        "remark": "call +43 5574 12345", "info": "please ring at Weber, or write to anna.weber@mail.example or AT611904300234573201",
        "customer_ip_address": "81.2.3.4", "birthdate": "1984-02-29",
    });
    let (redacted, text) =
        redact(&[exchange("https://shop.example/orders?email=anna.weber%40mail.example", "", &order.to_string())]);
    for gone in [
        "Anna",
        "Weber",
        "weber",
        "Hauptstr",
        "Bregenz",
        "6900",
        "5574",
        "1904",
        "3002",
        "mail.example",
        "81.2.3.4",
        "1984",
    ] {
        assert!(!text.contains(gone), "{gone} is still in {text}");
    }
    let new = body(&redacted[0]);
    for kept in ["id", "number", "total", "currency", "status", "line_items"] {
        assert_eq!(new[kept], order[kept]);
    }
    assert_eq!(new["billing"]["country"], "AT");
    let of = |pointer: &str| new.pointer(pointer).unwrap().as_str().unwrap().to_owned();
    assert!(text::is_email(&of("/billing/email")) && of("/billing/email").ends_with("@example.org"));
    assert!(redacted[0].request.url.contains(&of("/billing/email").replace('@', "%40")), "{}", redacted[0].request.url);
    let last = of("/billing/last_name");
    assert!(last.len() == 5 && last.starts_with(char::is_uppercase), "{last}");
    assert_eq!(of("/billing/company").split(' ').next().unwrap(), last, "the same word, the same stand-in");
    assert!(of("/info").contains(&format!("at {last}, or write to {}", of("/billing/email"))), "{}", of("/info"));
    let iban = of("/payment/iban");
    assert!(iban.starts_with("AT") && iban.len() == 24, "{iban}");
    assert!(text::is_iban(&iban.replace(' ', "")), "{iban}");
    assert!(of("/info").ends_with(&iban.replace(' ', "")), "{}", of("/info"));
    let phone = of("/billing/phone");
    assert_eq!(phone.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect::<String>(), "+00 0000 00000");
    assert_eq!(of("/remark"), format!("call {phone}"));
    assert!(of("/birthdate").parse::<jiff::civil::Date>().is_ok());
    assert_eq!(redacted[0].request.headers, []);
}

#[test]
fn xml_and_forms_are_understood_and_values_belong_together_across_them() {
    let xml = r#"<?xml version="1.0"?><order id="7"><customer name="Anna Weber"><LastName>Weber</LastName>
        <Email>anna.weber@mail.example</Email><street><![CDATA[Am Berg 3]]></street></customer>
        <item><name>Blue &amp; red chair</name><price>5.00</price></item></order>"#;
    let form = "billing%5Blast_name%5D=Weber&email=anna.weber%40mail.example&qty=3";
    let (redacted, text) = redact(&[exchange("https://shop.example/", form, xml)]);
    for gone in ["Anna", "Weber", "anna.weber", "Berg"] {
        assert!(!text.contains(gone), "{gone} is still in {text}");
    }
    let answer = String::from_utf8(redacted[0].response.as_ref().unwrap().body.bytes().to_vec()).unwrap();
    assert!(answer.contains("<name>Blue &amp; red chair</name><price>5.00</price>"), "{answer}");
    let between = |a: &str, b: &str| answer.split(a).nth(1).unwrap().split(b).next().unwrap().to_owned();
    let (last, email) = (between("<LastName>", "<"), between("<Email>", "<"));
    assert!(between("name=\"", "\"").ends_with(&format!(" {last}")), "{answer}");
    let asked = String::from_utf8(redacted[0].request.body.bytes().to_vec()).unwrap();
    assert_eq!(asked, format!("billing%5Blast_name%5D={last}&email={}&qty=3", email.replace('@', "%40")));
}

#[test]
fn an_answer_that_broke_off_is_redacted_as_far_as_it_goes() {
    let text = r#"[{"billing":{"first_name":"Anna","email":"anna@mail.example"},"x":1},{"billing":{"last_name":"Web"#;
    let (redacted, all) = redact(&[exchange("https://shop.example/", "", text)]);
    for gone in ["Anna", "anna", "Web"] {
        assert!(!all.contains(gone), "{gone} is still in {all}");
    }
    let new = String::from_utf8(redacted[0].response.as_ref().unwrap().body.bytes().to_vec()).unwrap();
    assert!(
        new.starts_with(r#"[{"billing":{"first_name":""#) && new.contains(r#""x":1},{"billing":{"last_name":""#),
        "{new}"
    );
    assert_eq!(new.matches('"').count(), text.matches('"').count(), "it breaks off in the same place: {new}");
    let (_, all) = redact(&[exchange("https://shop.example/", "", "[note] write to anna@mail.example")]);
    assert!(all.contains("[note] write to") && !all.contains("anna"), "{all}");
}

#[test]
fn stand_ins_depend_on_the_key_and_not_on_case() {
    let (one, other) = (Redactor::new([1; 32]), Redactor::new([2; 32]));
    let value = json!({ "first_name": "Anna", "email": "Anna@mail.example" });
    assert_ne!(one.json(&value), other.json(&value));
    assert_eq!(one.json(&value), one.json(&value));
    let lower = json!({ "first_name": "anna", "email": "anna@mail.example" });
    assert_eq!(one.json(&value)["email"], one.json(&lower)["email"]);
    let name = one.json(&value)["first_name"].as_str().unwrap().to_lowercase();
    assert_eq!(one.json(&lower)["first_name"], name.as_str());
}

#[test]
fn what_is_no_personal_field_stays() {
    let redactor = Redactor::new([1; 32]);
    let written = "{ \"z\": 1.50, \"a\" : [\"\\u00fc\\/\", null,true],\n\"name\":\"Chair \\\"x\\\"\" }\n{\"b\":{}}\n";
    assert_eq!(redactor.text(written), written, "as it was written");
    let value = json!({
        "products": [{ "name": "Chair", "description": "<p>Fine &amp; red</p>", "sku": "A1", "price": 12.5, "quantity": 1e3 }],
        "facets": { "texts:de": { "name": "Stuhl" } }, "warehouse": "main", "url": "https://shop.example/a", "flag": true,
    });
    assert_eq!(redactor.json(&value), value);
    let link = json!({ "text": "see https://shop.example/a b", "url": "https://shop.example", "next": "https://shop.example/?to=a%40b.example" });
    let new = redactor.json(&link);
    assert_eq!((&new["text"], &new["url"]), (&link["text"], &link["url"]));
    assert!(new["next"].as_str().unwrap().ends_with(".test"), "{new}");
    for text in ["HTTP 404: no route", "version 1.2.3@abc", "GB82", "a=b c=d", "{broken", "id 12345678901234567890"] {
        assert_eq!(redactor.text(text), text);
    }
}

#[test]
fn fields_are_known_in_german_and_hungarian() {
    let kunde = json!({
        "Vorname": "Liesel", "Nachname": "Habicht", "Strasse": "Am Anger 5", "PLZ": "6900", "Ort": "Bregenz",
        "rechnung": { "name": "Habicht KG", "telefon": "05574 12345" },
        "vevő": { "vezetéknév": "Szabó", "keresztnév": "Piroska", "irányítószám": "1051", "város": "Szeged" },
    });
    let (_, text) = redact(&[exchange("https://shop.example/", "", &kunde.to_string())]);
    for gone in ["Liesel", "Habicht", "Anger", "6900", "Bregenz", "5574", "Szab", "Piroska", "1051", "Szeged"] {
        assert!(!text.contains(gone), "{gone} is still in {text}");
    }
}

#[test]
fn what_opens_something_is_gone_wherever_it_stands() {
    let token = "eyJhbGciOiJIUzI1NiJ9abcdef";
    let mut next = exchange(&format!("https://shop.example/?access_token={token}"), "", "{}");
    next.request.headers =
        vec![("authorization".into(), format!("Bearer {token}")), ("x-api-key".into(), "k3y".into())];
    let (redacted, text) = redact(&[
        exchange("https://shop.example/auth", "", &json!({"access_token": token, "token_type": "Bearer"}).to_string()),
        next,
    ]);
    assert!(!text.contains(token) && !text.contains("k3y"), "{text}");
    assert_eq!(redacted[1].request.headers[0], ("authorization".to_owned(), "***".to_owned()));
    let mut redactor = Redactor::new([7; 32]);
    redactor.learn_stored("token", token);
    assert!(!redactor.stored("token", token).contains(token));
    assert!(!redactor.stored("last", &format!("used {token}")).contains(token), "elsewhere too");
    assert_eq!(redactor.stored("cursor", "4711"), "4711");
    assert!(!redactor.name("customer:anna@mail.example").contains("anna"));
}

#[test]
fn where_nothing_can_be_known_nothing_is_kept() {
    let table = "Name;Ort\nLiesel Habicht;Bregenz\n";
    let mut exchanges = [exchange("https://shop.example/", "", table), exchange("https://shop.example/", "", "")];
    exchanges[1].response.as_mut().unwrap().body = Body::of(b"<name>M\xfcller</name>".to_vec());
    for exchange in redact(&exchanges).0 {
        assert!(matches!(exchange.response.unwrap().body, Body::Omitted(_)));
    }
    let error = "the order 7 cannot be shipped";
    let (redacted, _) = redact(&[exchange("https://shop.example/", "", error)]);
    assert_eq!(redacted[0].response.as_ref().unwrap().body.bytes(), error.as_bytes());
}

#[test]
fn words_of_a_remark_or_of_the_contract_replace_nothing_elsewhere() {
    let order = json!({
        "customer_note": "please leave my orders at the door", "billing": { "last_name": "Price" },
        "kind": "order", "facet": "price", "door": "the door",
    });
    let (redacted, text) = redact(&[exchange("https://shop.example/wc/v3/orders", "", &order.to_string())]);
    let new = body(&redacted[0]);
    assert_eq!((&new["kind"], &new["facet"], &new["door"]), (&json!("order"), &json!("price"), &json!("the door")));
    assert_eq!(redacted[0].request.url, "https://shop.example/wc/v3/orders");
    assert!(!text.contains("please leave") && new["billing"]["last_name"] != "Price", "{text}");
}

#[test]
fn addresses_of_e_mail_are_found_wherever_they_stand() {
    for text in [
        "write to x.y@mail.example: now",
        "x.y@mail.example!",
        "[x.y@mail.example]",
        "see {x.y@mail.example}",
        "mailto:x.y@mail.example?subject=Order",
        "/orders?email=x.y%40mail.example",
        "https://shop.example/customers/x.y%40mail.example/orders",
        "https://shop.example/#/find?q=x.y@mail.example",
        "https://x.y%40mail.example:geheim@shop.example/",
        "from:x.y@mail.example,to:x.y@mail.example.",
        "a=x.y%40mail.example&b=x.y@mail.example",
        "x.y%40mail.example/x.y@mail.example/100%/x.y%40mail.example",
        r#"{"x.y@mail.example": 3, "by": {"q": "x.y@mail.example/7"}}"#,
        "<!-- x.y@mail.example --><a href='mailto:x.y@mail.example'/>",
        "<a><b![CDATA[x.y@mail.example]]><!--><?x.y@mail.example?></x.y@mail.example>",
    ] {
        let (_, all) = redact(&[exchange("https://shop.example/", "", text)]);
        assert!(!all.contains("x.y") && !all.contains("mail.example") && !all.contains("geheim"), "{text}: {all}");
    }
}

/// A platform may answer with whatever it likes; work that grows with the square of a body of a megabyte would never end.
#[test]
fn signs_of_addresses_that_are_none_cost_no_more_than_others() {
    let redactor = Redactor::new([1; 32]);
    for sign in ["%40", "@", "a%40", "a@", "%"] {
        let text = sign.repeat((1 << 20) / sign.len());
        assert_eq!(redactor.text(&text), text);
    }
    let many = "a%40mail.example&".repeat(50_000);
    assert!(!redactor.text(&many).contains("mail.example"));
}

#[test]
fn people_are_found_in_keys_xml_and_numbers() {
    let json = json!({
        "Liesel Habicht": { "orders": 2 }, "customer": { "last_name": "Habicht" }, "customer_ip": 1_360_000_042,
        "latitude": 47.503_117, "note": "Please ring twice", "gift_message": "All the best", "pwd": "geheim1",
        "by": [{ "name": "last_name", "value": "Habicht" }],
    });
    let xml = "<r><field name='last_name'>Habicht</field><member><name>first_name</name><value><string>Liesel</string>\
        </value></member><a city = 'Bregenz'/><field key=\"phone\" value=\"05574 12345\"/></r>";
    let (redacted, all) = redact(&[
        exchange("https://shop.example/", xml, &json.to_string()),
        exchange("https://shop.example/", "", xml),
    ]);
    for gone in ["Liesel", "Habicht", "1360000042", "503117", "ring twice", "the best", "geheim1", "Bregenz", "12345"] {
        assert!(!all.contains(gone), "{gone} is still in {all}");
    }
    assert!(body(&redacted[0])["customer_ip"].is_number());
}

#[test]
fn documents_say_nothing_and_numbers_stay() {
    let label = "JVBERi0xLjQKJ".repeat(20) + "==";
    let hash = "4f8b2a".repeat(12);
    let (redacted, _) =
        redact(&[exchange("https://shop.example/", "", &json!({ "label": label, "content": hash }).to_string())]);
    let new = body(&redacted[0]);
    assert_eq!(new["label"].as_str().unwrap(), "A".repeat(260) + "==");
    assert_eq!(new["content"], hash);
}

#[test]
fn what_is_left_out_cannot_be_guessed() {
    let table = "Liesel Habicht;Bregenz\nx;y\n";
    let (redacted, all) = redact(&[exchange("https://shop.example/", "", table)]);
    assert!(matches!(&redacted[0].response.as_ref().unwrap().body, Body::Omitted(_)));
    assert!(!all.contains(&blake3::hash(table.as_bytes()).to_hex().to_string()), "{all}");
}
