//! The goods, customers and orders a shop begins with: made up, in German with some English, and the
//! same for the same seed. All goes in through the same functions as requests do.

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::{
    call::Call,
    control::{self, Cart},
    customers, orders, routes,
    simulator::Config,
    state::State,
};

mod words;

/// A row of numbers that depends on the seed alone.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
}

/// Fills an empty shop.
pub(crate) fn fill(state: &mut State, config: &Config) {
    if config.products == 0 {
        return;
    }
    let mut dice = Dice(config.seed);
    let categories = categories(state);
    for number in 0..config.products {
        product(state, &mut dice, number, &categories);
    }
    let customers = if config.orders == 0 { Vec::new() } else { accounts(state, &mut dice, config.orders / 3 + 1) };
    for number in 0..config.orders {
        order(state, &mut dice, number, config.orders, &customers);
    }
    state.journal = Default::default();
}

fn send(state: &mut State, method: &str, path: &str, body: Value) -> Option<Value> {
    let call = Call {
        method: method.to_owned(),
        path: path.to_owned(),
        query: serde_json::Map::new(),
        body: body.as_object().cloned().unwrap_or_default(),
        base: String::new(),
        pictures: std::sync::Arc::default(),
    };
    let answer = routes::handle(state, &call);
    debug_assert!(answer.is_ok(), "the catalogue writes only what the shop accepts: {answer:?}");
    answer.ok().map(|reply| reply.json)
}

/// The categories, two levels deep; answers the number of each lower one by its place in the list of goods.
fn categories(state: &mut State) -> Vec<u64> {
    let mut numbers = Vec::new();
    let mut above: Vec<(&str, u64)> = Vec::new();
    for goods in words::GOODS {
        let parent = match above.iter().find(|(name, _)| *name == goods.department) {
            Some((_, id)) => *id,
            None => {
                let made = send(state, "POST", "/products/categories", json!({"name": goods.department}));
                let id = made.and_then(|row| row["id"].as_u64()).unwrap_or(0);
                above.push((goods.department, id));
                id
            }
        };
        let body = json!({"name": goods.category, "parent": parent, "description": goods.about});
        let made = send(state, "POST", "/products/categories", body);
        numbers.push(made.and_then(|row| row["id"].as_u64()).unwrap_or(0));
    }
    numbers
}

fn cents(amount: usize) -> String {
    format!("{}.{:02}", amount / 100, amount % 100)
}

fn product(state: &mut State, dice: &mut Dice, number: usize, categories: &[u64]) {
    let at = number % words::GOODS.len();
    let goods = &words::GOODS[at];
    let round = number / words::GOODS.len();
    let adjective = words::STYLES[(round + at * 3) % words::STYLES.len()];
    let series = words::SERIES[(round * 7 + at) % words::SERIES.len()];
    let mut name = format!("{} „{series}“ {adjective}", goods.noun);
    if dice.below(9) == 0 {
        name = format!("{name} {}", dice.pick(words::EMOJI));
    }
    let sku = format!("{}-{:04}", goods.code, 1000 + number);
    let price = goods.price + dice.below(goods.price / 2) / 50 * 50;
    let picture = format!("{}/wp-content/uploads/catalogue/{}.png", state.shop.url, sku.to_lowercase());
    let description =
        format!("<p>{} {}</p>\n<p><em>In short:</em> {}</p>", goods.about, dice.pick(words::REMARKS), goods.english,);
    let mut body = json!({
        "name": name, "sku": sku, "type": "simple", "status": "publish", "description": description,
        "short_description": format!("<p>{}</p>", dice.pick(words::REMARKS)),
        "categories": [{"id": categories[at]}], "tax_class": if goods.reduced { "reduced-rate" } else { "" },
        "weight": format!("0.{:02}", 10 + dice.below(80)),
        "meta_data": [{"key": "herkunft", "value": dice.pick(words::ORIGINS)}],
    });
    let image = stored_picture(state, &picture, &name);
    let variable = !goods.sizes.is_empty();
    if !variable {
        body["regular_price"] = cents(price).into();
        body["manage_stock"] = true.into();
        body["stock_quantity"] = (5 + dice.below(60)).into();
        if dice.below(8) == 0 {
            body["sale_price"] = cents(price * 4 / 5).into();
        }
    } else {
        body["type"] = "variable".into();
        body["attributes"] = json!([
            {"name": "Farbe", "position": 0, "visible": true, "variation": true, "options": goods.colours},
            {"name": "Größe", "position": 1, "visible": true, "variation": true, "options": goods.sizes},
        ]);
    }
    let Some(id) = send(state, "POST", "/products", body).and_then(|row| row["id"].as_u64()) else {
        return;
    };
    if let Some(item) = state.products.get_mut(&id) {
        item.body.insert("images".to_owned(), json!([image]));
    }
    if variable {
        for colour in goods.colours {
            for size in goods.sizes {
                let letter: String = colour.chars().take(2).collect::<String>().to_uppercase();
                let letter = letter.replace('Ü', "UE").replace('Ö', "OE").replace('Ä', "AE");
                let body = json!({
                    "sku": format!("{sku}-{letter}-{size}"), "regular_price": cents(price), "manage_stock": true,
                    "stock_quantity": dice.below(40),
                    "attributes": [{"name": "Farbe", "option": colour}, {"name": "Größe", "option": size}],
                });
                send(state, "POST", &format!("/products/{id}/variations"), body);
            }
        }
    }
    // Written some time ago, one after the other, so that pages and dates have something to sort.
    let age = SignedDuration::from_hours(24 * 200).saturating_sub(SignedDuration::from_mins(number as i64 * 7));
    let children: Vec<u64> = state
        .products
        .get(&id)
        .map(|p| p.body["variations"].as_array().into_iter().flatten().filter_map(Value::as_u64).collect())
        .unwrap_or_default();
    for id in children.into_iter().chain([id]) {
        if let Some(item) = state.article_mut(id)
            && let Ok(at) = item.created.checked_sub(age)
        {
            item.created = at;
            item.modified = at;
        }
    }
}

/// A picture of the catalogue: drawn when asked for, so only its row is stored.
fn stored_picture(state: &mut State, src: &str, alt: &str) -> Value {
    let id = state.post_id();
    let mut row = serde_json::Map::new();
    row.insert("id".to_owned(), id.into());
    let now = state.now();
    state.clock.write(&mut row, "date_created", Some(now));
    state.clock.write(&mut row, "date_modified", Some(now));
    row.insert("src".to_owned(), src.into());
    let name = src.rsplit('/').next().unwrap_or_default().trim_end_matches(".png").to_owned();
    row.insert("name".to_owned(), name.into());
    row.insert("alt".to_owned(), alt.into());
    row.into()
}

fn person(dice: &mut Dice, number: usize) -> Value {
    let first = *dice.pick(words::FIRST_NAMES);
    let last = *dice.pick(words::LAST_NAMES);
    let austrian = dice.below(12) == 0;
    let (postcode, city) = *dice.pick(if austrian { words::AUSTRIAN_TOWNS } else { words::TOWNS });
    let mail = crate::html::slug(&format!("{first}.{last}")).replace('-', ".");
    json!({
        "first_name": first, "last_name": last, "company": "",
        "address_1": format!("{} {}", dice.pick(words::STREETS), 1 + dice.below(98)), "address_2": "",
        "city": city, "state": "", "postcode": postcode, "country": if austrian { "AT" } else { "DE" },
        "email": format!("{mail}{number}@example.com"), "phone": format!("+49 30 555 {:04}", dice.below(9999)),
    })
}

fn accounts(state: &mut State, dice: &mut Dice, count: usize) -> Vec<(u64, Value)> {
    let mut made = Vec::new();
    for number in 0..count {
        let billing = person(dice, number);
        let sent = json!({
            "email": billing["email"], "first_name": billing["first_name"], "last_name": billing["last_name"],
            "billing": billing,
        });
        if let Some(sent) = sent.as_object()
            && let Ok(id) = customers::register(state, sent)
        {
            made.push((id, billing));
        }
    }
    made
}

fn order(state: &mut State, dice: &mut Dice, number: usize, of: usize, customers: &[(u64, Value)]) {
    let (customer_id, billing) = match dice.below(4) {
        0 => (0, person(dice, 5000 + number)),
        _ => dice.pick(customers).clone(),
    };
    let articles = in_stock(state, dice, 1 + dice_lines(number));
    let cart = Cart {
        items: articles,
        customer_id,
        billing: billing.clone(),
        shipping: if dice.below(6) == 0 { elsewhere(dice, &billing) } else { Value::Null },
        coupon: match dice.below(9) {
            0 => Some("willkommen10".to_owned()),
            1 => Some("fuenfer".to_owned()),
            _ => None,
        },
        payment_method: (*dice.pick(&["card", "card", "bacs", "cheque", "cod"])).to_owned(),
        shipping_total: (dice.below(5) == 0).then(|| "0.00".to_owned()),
        note: if dice.below(10) == 0 { (*dice.pick(words::NOTES)).to_owned() } else { String::new() },
    };
    let Ok(id) = control::place_order(state, &cart) else {
        return;
    };
    // The older, the more likely it is done.
    let left = of - number;
    let status = match (left * 10 / of.max(1), dice.below(12)) {
        (_, 0) => Some("cancelled"),
        (3.., _) => Some("completed"),
        _ => None,
    };
    if let Some(status) = status
        && let Some(sent) = json!({"status": status}).as_object()
    {
        let _ = orders::edit(state, id, sent);
    }
    let age = SignedDuration::from_mins(left as i64 * 97);
    if let Some(item) = state.orders.get_mut(&id)
        && let Ok(at) = item.created.checked_sub(age)
    {
        item.created = at;
        item.modified = at.saturating_add(SignedDuration::from_mins(45)).unwrap_or(at).min(item.modified);
        let at = crate::clock::gmt(item.modified);
        for name in ["date_paid_gmt", "date_completed_gmt"] {
            if item.body[name].is_string() {
                item.body.insert(name.to_owned(), at.clone().into());
            }
        }
    }
}

fn dice_lines(number: usize) -> usize {
    [0, 1, 0, 2, 0, 1, 3][number % 7]
}

fn elsewhere(dice: &mut Dice, billing: &Value) -> Value {
    let mut address = billing.clone();
    let (postcode, city) = *dice.pick(words::TOWNS);
    address["address_1"] = format!("{} {}", dice.pick(words::STREETS), 1 + dice.below(98)).into();
    address["postcode"] = postcode.into();
    address["city"] = city.into();
    address["country"] = "DE".into();
    if let Some(members) = address.as_object_mut() {
        members.remove("email");
    }
    address
}

/// Some articles that can be bought, each with a small quantity.
fn in_stock(state: &State, dice: &mut Dice, count: usize) -> Vec<(String, u32)> {
    let last = state.products.keys().next_back().copied().unwrap_or(0).max(1);
    let mut found: Vec<(String, u32)> = Vec::new();
    for _ in 0..count * 20 {
        if found.len() >= count {
            break;
        }
        let from = dice.next() % last;
        let Some((_, product)) = state.products.range(from..).next() else {
            continue;
        };
        let children: Vec<_> = crate::article::children(state, product).collect();
        let item = if children.is_empty() { product } else { *dice.pick(&children) };
        let sku = item.text("sku").to_owned();
        if item.int("stock_quantity") >= 3 && found.iter().all(|(have, _)| *have != sku) {
            found.push((sku, 1 + dice.below(2) as u32));
        }
    }
    found
}
