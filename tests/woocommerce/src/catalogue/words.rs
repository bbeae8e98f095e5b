//! The words of the catalogue. Names of people, places and series are everyday words put together at random.

/// One kind of goods.
pub(super) struct Goods {
    pub(super) department: &'static str,
    pub(super) category: &'static str,
    /// Begins the article numbers.
    pub(super) code: &'static str,
    pub(super) noun: &'static str,
    /// Lowest price in cents, tax included.
    pub(super) price: usize,
    pub(super) about: &'static str,
    pub(super) english: &'static str,
    pub(super) reduced: bool,
    pub(super) colours: &'static [&'static str],
    /// With sizes a product is variable, without it is simple.
    pub(super) sizes: &'static [&'static str],
}

const fn plain(
    department: &'static str,
    category: &'static str,
    code: &'static str,
    noun: &'static str,
    price: usize,
    about: &'static str,
    english: &'static str,
) -> Goods {
    Goods { department, category, code, noun, price, about, english, reduced: false, colours: &[], sizes: &[] }
}

const fn food(
    category: &'static str,
    code: &'static str,
    noun: &'static str,
    price: usize,
    about: &'static str,
    english: &'static str,
) -> Goods {
    let goods = plain("Speisekammer", category, code, noun, price, about, english);
    Goods { reduced: true, ..goods }
}

const fn wear(
    category: &'static str,
    code: &'static str,
    noun: &'static str,
    price: usize,
    about: &'static str,
    english: &'static str,
    colours: &'static [&'static str],
) -> Goods {
    let goods = plain("Bekleidung", category, code, noun, price, about, english);
    Goods { colours, sizes: &["S", "M", "L"], ..goods }
}

pub(super) const GOODS: &[Goods] = &[
    wear(
        "Pullover",
        "PUL",
        "Strickpullover",
        5900,
        "Aus weicher Schurwolle, im Zopfmuster gestrickt.",
        "A warm cable-knit jumper.",
        &["Marine", "Wollweiß"],
    ),
    plain(
        "Küche",
        "Tassen & Becher",
        "TAS",
        "Steinguttasse",
        1290,
        "Von Hand glasiert, für Spül- und Mikrowelle geeignet.",
        "A hand-glazed mug, 0.4 l.",
    ),
    food("Tee", "TEE", "Kräutertee", 690, "Lose Blätter im Papierbeutel, 100 g.", "Loose leaf herbal tea, 100 g."),
    wear(
        "Shirts",
        "SHI",
        "Ringelshirt",
        2990,
        "Aus Biobaumwolle, mit geradem Schnitt.",
        "A striped organic cotton shirt.",
        &["Blau", "Rot", "Grün"],
    ),
    plain(
        "Wohnen",
        "Kissen",
        "KIS",
        "Leinenkissen",
        2450,
        "Gewaschenes Leinen mit Reißverschluss, 40 × 40 cm.",
        "A washed linen cushion.",
    ),
    food(
        "Honig & Aufstrich",
        "HON",
        "Blütenhonig",
        790,
        "Kaltgeschleudert, im 500-g-Glas.",
        "Cold-extracted blossom honey.",
    ),
    wear(
        "Regenjacken",
        "REG",
        "Regenjacke",
        8900,
        "Wasserdicht, mit verschweißten Nähten und großer Kapuze.",
        "A waterproof jacket for rough weather.",
        &["Gelb", "Marine"],
    ),
    plain(
        "Küche",
        "Bretter & Messer",
        "BRE",
        "Schneidebrett",
        3450,
        "Aus geölter Eiche, mit Saftrille.",
        "An oiled oak cutting board.",
    ),
    plain(
        "Wohnen",
        "Kerzen",
        "KER",
        "Duftkerze",
        1590,
        "Aus Rapswachs, brennt etwa 40 Stunden.",
        "A rapeseed wax candle, about 40 hours.",
    ),
    food(
        "Kaffee",
        "KAF",
        "Röstkaffee",
        950,
        "Ganze Bohnen, langsam geröstet, 250 g.",
        "Slow-roasted whole beans, 250 g.",
    ),
    wear(
        "Mützen",
        "MUE",
        "Wollmütze",
        2490,
        "Doppelt gestrickt und schön warm.",
        "A double-knit woollen hat.",
        &["Grau", "Senf"],
    ),
    plain(
        "Garten",
        "Gießkannen",
        "GIE",
        "Gießkanne",
        2790,
        "Verzinktes Blech, fasst fünf Liter.",
        "A galvanised watering can, 5 l.",
    ),
    plain(
        "Papier",
        "Notizbücher",
        "NOT",
        "Notizbuch",
        1190,
        "Fadengeheftet, 160 Seiten, punktiert.",
        "A thread-bound notebook, 160 pages.",
    ),
    plain(
        "Garten",
        "Saatgut",
        "SAA",
        "Blumensaat",
        350,
        "Samenfeste Mischung für drei Quadratmeter.",
        "Seed mix for three square metres.",
    ),
    plain(
        "Papier",
        "Karten",
        "KAR",
        "Klappkarte",
        320,
        "Mit Umschlag, auf Recyclingpapier gedruckt.",
        "A folded card with an envelope.",
    ),
];

pub(super) const STYLES: &[&str] = &[
    "natur",
    "klein",
    "groß",
    "klassisch",
    "im Set",
    "gestreift",
    "matt",
    "hell",
    "dunkel",
    "extra fein",
    "für jeden Tag",
    "aus der Werkstatt",
    "rund",
    "schlicht",
    "kräftig",
    "süß & mild",
];

pub(super) const SERIES: &[&str] = &[
    "Möwe",
    "Düne",
    "Leuchtturm",
    "Hafen",
    "Brise",
    "Watt",
    "Anker",
    "Kliff",
    "Seegras",
    "Bö",
    "Förde",
    "Muschel",
    "Kutter",
    "Strandläufer",
    "Nordlicht",
    "Gezeiten",
    "Flut",
    "Hallig",
    "Reet",
    "Bernstein",
    "Heide",
    "Moor",
    "Wolke",
];

pub(super) const EMOJI: &[&str] = &["🧣", "☕", "🌿", "🌊", "⚓", "🎁"];

pub(super) const REMARKS: &[&str] = &[
    "Ein Begleiter für viele Jahre.",
    "Schön verpackt und auch zum Verschenken geeignet.",
    "Gefertigt in kleinen Stückzahlen – jedes Stück fällt etwas anders aus.",
    "Pflegeleicht und langlebig.",
    "Unser Liebling in dieser Saison ♥",
    "Natürlich, ehrlich, gut.",
];

pub(super) const ORIGINS: &[&str] = &["Deutschland", "Österreich", "Portugal", "Dänemark"];

pub(super) const NOTES: &[&str] = &[
    "Bitte beim Nachbarn abgeben, falls niemand öffnet.",
    "Ist ein Geschenk – bitte ohne Rechnung im Paket 🎁",
    "Klingel ist defekt, bitte klopfen.",
];

pub(super) const FIRST_NAMES: &[&str] = &[
    "Anna",
    "Jörg",
    "Märta",
    "Timo",
    "Zoë",
    "Björn",
    "Käthe",
    "Lukas",
    "Ronja",
    "Sönke",
    "Frieda",
    "Ömer",
    "Ilse",
    "Paul",
    "René",
    "Agnieszka",
];

pub(super) const LAST_NAMES: &[&str] = &[
    "Ahrens",
    "Brückner",
    "Claußen",
    "Dörfler",
    "Ehlers",
    "Fröhlich",
    "Großmann",
    "Hübner",
    "Jäger",
    "Köhler",
    "Lührs",
    "Möller",
    "Nußbaum",
    "Öztürk",
    "Petersen",
    "Rüter",
    "Schäfer",
    "Weiß",
];

pub(super) const STREETS: &[&str] =
    &["Hafenstraße", "Am Deich", "Lindenallee", "Mühlenweg", "Kirchgasse", "Fährstraße", "Große Twiete", "Gärtnerweg"];

pub(super) const TOWNS: &[(&str, &str)] = &[
    ("20459", "Hamburg"),
    ("10115", "Berlin"),
    ("80331", "München"),
    ("50667", "Köln"),
    ("24103", "Kiel"),
    ("04109", "Leipzig"),
    ("97070", "Würzburg"),
    ("01067", "Dresden"),
    ("23552", "Lübeck"),
];

pub(super) const AUSTRIAN_TOWNS: &[(&str, &str)] = &[("1010", "Wien"), ("8010", "Graz"), ("5020", "Salzburg")];
