//! The type check at load: a component's interfaces against this host's contract, before anything of it is compiled.
//!
//! An ability is there when any export of the package has its interface's name, whatever the version. What does not
//! fit is refused with both versions, the function and the field, so that a developer knows what to change.

use std::fmt;
use std::sync::LazyLock;

use wasmparser::component_types::{
    ComponentAnyTypeId, ComponentDefinedType, ComponentEntityType, ComponentFuncTypeId, ComponentInstanceTypeId,
    ComponentItem, ComponentTypeId, ComponentValType,
};
use wasmparser::types::{Types, TypesRef};
use wasmparser::{Parser, Payload, Validator, WasmFeatures};

use super::bindings::v0_1;

/// The package of the contract.
const PACKAGE: &str = "tradepost:connector";

/// What a component can do, by the interfaces it exports.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Checked {
    /// Exports `source`.
    pub source: bool,
    /// Exports `target`.
    pub target: bool,
    /// Interfaces of the package that this host does not know; they are never called.
    pub unknown: Vec<String>,
}

/// Why a component does not fit.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// Cut short or damaged.
    #[error("the component is damaged or uses WebAssembly features that this host does not have: {message}")]
    Malformed {
        /// The parser's words.
        message: String,
    },
    /// Uses the component model's async functions.
    #[error(
        "the component uses asynchronous functions of the component model, which this host does not run; build it with \
         plain functions (for componentize-qjs: `sync: true`)"
    )]
    Async,
    /// Not a connector.
    #[error("the component exports no interface `{PACKAGE}/connector`; it is no Tradepost connector")]
    NoConnector,
    /// Imports what no host lends.
    #[error(
        "the component imports `{import}`, which this host does not lend; it lends the interfaces of `{PACKAGE}`, \
         requests by `wasi:http` 0.2 (`types`, `outgoing-handler`), and WASI 0.2 with nothing in it: build the connector \
         without it"
    )]
    Import {
        /// Its name.
        import: String,
    },
    /// Built for another contract.
    #[error("{0}")]
    Mismatch(Box<Mismatch>),
}

/// Where a component and the host's contract disagree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// `source`, `http` ...
    pub interface: String,
    /// Version the component was built for.
    pub component_version: String,
    /// Version of this host.
    pub host_version: String,
    /// What is different; absent when only the versions are.
    pub difference: Option<Difference>,
}

/// One difference of two types.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Function or type of the interface.
    pub item: String,
    /// Where in it, e.g. `result.ok.records[].products[].head.item`; empty for the whole.
    pub path: String,
    /// What the host has there.
    pub host: String,
    /// What the component has there.
    pub component: String,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { interface, component_version, host_version, difference } = self;
        write!(
            f,
            "the component was built for `{PACKAGE}/{interface}@{component_version}`, this host has {host_version}"
        )?;
        if let Some(Difference { item, path, host, component }) = difference {
            let at = if path.is_empty() { String::new() } else { format!(" at `{path}`") };
            write!(f, ": `{item}` has {component}{at} where the host has {host}")?;
        }
        if component_version == host_version {
            f.write_str("; build it again with this version's `wit` folder")
        } else {
            write!(f, "; build it again with the `wit` folder of {host_version}")
        }
    }
}

/// Parses the whole file and compares it with the contract.
///
/// # Errors
/// See [`CheckError`].
pub fn check(bytes: &[u8]) -> Result<Checked, CheckError> {
    static HOST: LazyLock<Contract> = LazyLock::new(|| {
        Contract::new(v0_1::wit::COMPONENT_TYPE).expect("the bindings contain the world they were made from")
    });
    HOST.check(bytes)
}

impl Contract {
    /// Of a world as `wit_component::metadata::encode` writes it; `None`: it is none.
    #[must_use]
    pub fn new(encoded: &[u8]) -> Option<Self> {
        Host::new(encoded).map(Self)
    }

    /// Parses the whole file and compares it with this contract.
    ///
    /// # Errors
    /// See [`CheckError`].
    pub fn check(&self, bytes: &[u8]) -> Result<Checked, CheckError> {
        check_against(&self.0, bytes)
    }
}

fn check_against(host: &Host, bytes: &[u8]) -> Result<Checked, CheckError> {
    let features = WasmFeatures::default() & !WasmFeatures::CM_ASYNC;
    let component = match Parsed::new(bytes, features) {
        Ok(component) => component,
        Err(error) => {
            let with_async = features
                | WasmFeatures::CM_ASYNC
                | WasmFeatures::CM_ASYNC_STACKFUL
                | WasmFeatures::CM_MORE_ASYNC_BUILTINS;
            return Err(match Parsed::new(bytes, with_async) {
                Ok(_) => CheckError::Async,
                Err(_) => CheckError::Malformed { message: error.to_string() },
            });
        }
    };

    let mut checked = Checked::default();
    let mut connector = false;
    for name in &component.exports {
        let Some(interface) = Interface::parse(name) else { continue };
        let Some((host_name, expected)) = host.export(interface.name) else {
            checked.unknown.push(name.clone());
            continue;
        };
        let Some(found) = instance(component.types.as_ref().component_item_for_export(name)) else { continue };
        let cx = Comparison { host: host.types.as_ref(), component: component.types.as_ref() };
        let difference = cx.instances(expected, found, Direction::Export);
        interface.verdict(&host_name, difference)?;
        match interface.name {
            "connector" => connector = true,
            "source" => checked.source = true,
            "target" => checked.target = true,
            _ => checked.unknown.push(name.clone()),
        }
    }
    if !connector {
        return Err(CheckError::NoConnector);
    }
    for name in &component.imports {
        let Some(interface) = Interface::parse(name) else {
            if is_wasi(name) {
                continue;
            }
            return Err(CheckError::Import { import: name.clone() });
        };
        let Some(found) = instance(component.types.as_ref().component_item_for_import(name)) else { continue };
        let Some((host_name, expected)) = host.import(interface.name) else {
            let difference = Difference {
                item: interface.name.to_owned(),
                path: String::new(),
                host: "no such interface".to_owned(),
                component: "an import".to_owned(),
            };
            return interface.verdict(&host.version(), Some(difference)).map(|()| checked);
        };
        let cx = Comparison { host: host.types.as_ref(), component: component.types.as_ref() };
        interface.verdict(&host_name, cx.instances(expected, found, Direction::Import))?;
    }
    Ok(checked)
}

/// Whether the import is one of WASI 0.2 that is linked. Functions and types are compared by the linker.
fn is_wasi(import: &str) -> bool {
    let Some((package, rest)) = import.split_once('/') else { return false };
    let Some((interface, version)) = rest.split_once('@') else { return false };
    let version = version.strip_prefix("0.2.").is_some_and(|patch| patch.parse::<u32>().is_ok());
    version
        && match package {
            "wasi:cli" | "wasi:clocks" | "wasi:filesystem" | "wasi:io" | "wasi:random" | "wasi:sockets" => true,
            "wasi:http" => matches!(interface, "types" | "outgoing-handler"),
            _ => false,
        }
}

struct Interface<'a> {
    name: &'a str,
    version: &'a str,
}

impl<'a> Interface<'a> {
    fn parse(name: &'a str) -> Option<Self> {
        let rest = name.strip_prefix(PACKAGE)?.strip_prefix('/')?;
        let (name, version) = rest.split_once('@').unwrap_or((rest, "no version"));
        Some(Self { name, version })
    }

    fn verdict(&self, host_name: &str, difference: Option<Difference>) -> Result<(), CheckError> {
        let host_version = host_name.split_once('@').map_or(host_name, |(_, version)| version);
        if difference.is_none() && suits(self.version, host_version) {
            return Ok(());
        }
        Err(CheckError::Mismatch(Box::new(Mismatch {
            interface: self.name.to_owned(),
            component_version: self.version.to_owned(),
            host_version: host_version.to_owned(),
            difference,
        })))
    }
}

/// Whether versions may go together where the types do: pre-releases only with themselves, releases within their track
/// (`0.1.x`).
fn suits(component: &str, host: &str) -> bool {
    let track = |version: &str| {
        let (track, patch) = version.rsplit_once('.')?;
        patch.parse::<u32>().ok()?;
        let released = track.split('.').count() == 2 && track.split('.').all(|part| part.parse::<u32>().is_ok());
        released.then(|| track.to_owned())
    };
    component == host || track(component).is_some_and(|ours| track(host) == Some(ours))
}

fn instance(item: Option<&ComponentItem>) -> Option<ComponentInstanceTypeId> {
    match item?.ty {
        ComponentEntityType::Instance(id) => Some(id),
        _ => None,
    }
}

/// A component's types and the names of what it imports and exports.
struct Parsed {
    types: Types,
    imports: Vec<String>,
    exports: Vec<String>,
}

impl Parsed {
    fn new(bytes: &[u8], features: WasmFeatures) -> Result<Self, wasmparser::BinaryReaderError> {
        let mut validator = Validator::new_with_features(features);
        let types = validator.validate_all(bytes)?;
        let (mut imports, mut exports, mut depth) = (Vec::new(), Vec::new(), 0_u32);
        for payload in Parser::new(0).parse_all(bytes) {
            match payload? {
                Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
                Payload::End(_) => depth = depth.saturating_sub(1),
                Payload::ComponentImportSection(section) if depth == 0 => {
                    for import in section {
                        imports.push(import?.name.name.to_owned());
                    }
                }
                Payload::ComponentExportSection(section) if depth == 0 => {
                    for export in section {
                        exports.push(export?.name.name.to_owned());
                    }
                }
                _ => {}
            }
        }
        Ok(Self { types, imports, exports })
    }
}

/// What a host has, to compare components with.
pub struct Contract(Host);

/// A host's own world.
struct Host {
    types: Types,
    world: ComponentTypeId,
}

impl Host {
    /// A world is encoded as a component that exports a component type that exports the world's type.
    fn new(encoded: &[u8]) -> Option<Self> {
        let parsed = Parsed::new(encoded, WasmFeatures::default()).ok()?;
        let types = parsed.types;
        let outer =
            parsed.exports.iter().find_map(|name| match types.as_ref().component_item_for_export(name)?.ty {
                ComponentEntityType::Type { referenced: ComponentAnyTypeId::Component(id), .. } => Some(id),
                _ => None,
            })?;
        let world = types[outer].exports.values().find_map(|item| match item.ty {
            ComponentEntityType::Component(id) => Some(id),
            _ => None,
        })?;
        Some(Self { types, world })
    }

    fn export(&self, interface: &str) -> Option<(String, ComponentInstanceTypeId)> {
        Self::named(&self.types[self.world].exports, interface)
    }

    fn import(&self, interface: &str) -> Option<(String, ComponentInstanceTypeId)> {
        Self::named(&self.types[self.world].imports, interface)
    }

    /// Name of the host's own interface, for its version.
    fn version(&self) -> String {
        self.export("connector").map(|(name, _)| name).unwrap_or_default()
    }

    fn named<'a>(
        items: impl IntoIterator<Item = (&'a String, &'a ComponentItem)>,
        interface: &str,
    ) -> Option<(String, ComponentInstanceTypeId)> {
        items.into_iter().find_map(|(name, item)| {
            let found = Interface::parse(name)?;
            (found.name == interface).then(|| Some((name.clone(), instance(Some(item))?)))?
        })
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    /// The component must have all that the host calls.
    Export,
    /// The component may use less than the host has.
    Import,
}

struct Comparison<'a> {
    host: TypesRef<'a>,
    component: TypesRef<'a>,
}

type Differ = Option<(String, String, String)>;

impl Comparison<'_> {
    fn instances(
        &self,
        host: ComponentInstanceTypeId,
        component: ComponentInstanceTypeId,
        direction: Direction,
    ) -> Option<Difference> {
        let (ours, theirs) = (&self.host[host].exports, &self.component[component].exports);
        let differ = |item: &str, host: &str, component: &str| {
            Some(Difference {
                item: item.to_owned(),
                path: String::new(),
                host: host.to_owned(),
                component: component.to_owned(),
            })
        };
        // Functions first: they say where a type is used.
        for functions in [true, false] {
            for (name, item) in ours {
                let same = theirs.get(name).map(|found| found.ty);
                match (item.ty, same) {
                    (ComponentEntityType::Func(ours), Some(ComponentEntityType::Func(theirs))) if functions => {
                        if let Some((path, host, component)) = self.functions(ours, theirs) {
                            return Some(Difference { item: name.clone(), path, host, component });
                        }
                    }
                    (ComponentEntityType::Func(_), None) if functions && direction == Direction::Export => {
                        return differ(name, "a function", "nothing");
                    }
                    (
                        ComponentEntityType::Type { referenced: ComponentAnyTypeId::Defined(ours), .. },
                        Some(ComponentEntityType::Type { referenced: ComponentAnyTypeId::Defined(theirs), .. }),
                    ) if !functions => {
                        let (ours, theirs) = (ComponentValType::Type(ours), ComponentValType::Type(theirs));
                        if let Some((path, host, component)) = self.values(ours, theirs, String::new()) {
                            return Some(Difference { item: name.clone(), path, host, component });
                        }
                    }
                    _ => {}
                }
            }
        }
        if direction == Direction::Import {
            for (name, item) in theirs {
                if matches!(item.ty, ComponentEntityType::Func(_)) && !ours.contains_key(name) {
                    return differ(name, "nothing", "a function");
                }
            }
        }
        None
    }

    fn functions(&self, host: ComponentFuncTypeId, component: ComponentFuncTypeId) -> Differ {
        let (ours, theirs) = (&self.host[host], &self.component[component]);
        if ours.async_ != theirs.async_ {
            let word = |async_| if async_ { "an async function" } else { "a function" }.to_owned();
            return Some((String::new(), word(ours.async_), word(theirs.async_)));
        }
        let names = |params: &[(_, ComponentValType)]| -> Vec<String> {
            params.iter().map(|(name, _): &(wasmparser::names::KebabString, _)| name.to_string()).collect()
        };
        let (our_names, their_names) = (names(&ours.params), names(&theirs.params));
        if our_names != their_names {
            let list = |names: Vec<String>| format!("the parameters ({})", names.join(", "));
            return Some((String::new(), list(our_names), list(their_names)));
        }
        for ((name, ours), (_, theirs)) in ours.params.iter().zip(&theirs.params) {
            if let Some(differ) = self.values(*ours, *theirs, name.to_string()) {
                return Some(differ);
            }
        }
        self.optional(ours.result, theirs.result, "result".into())
    }

    fn optional(&self, host: Option<ComponentValType>, component: Option<ComponentValType>, path: String) -> Differ {
        match (host, component) {
            (None, None) => None,
            (Some(ours), Some(theirs)) => self.values(ours, theirs, path),
            (ours, theirs) => {
                let word = |ty: Option<_>, types| ty.map_or("nothing".to_owned(), |ty| describe(ty, types));
                Some((path, word(ours, self.host), word(theirs, self.component)))
            }
        }
    }

    fn values(&self, host: ComponentValType, component: ComponentValType, path: String) -> Differ {
        use ComponentDefinedType as D;
        let differ = |path| Some((path, describe(host, self.host), describe(component, self.component)));
        let (ours, theirs) = match (resolve(host, self.host), resolve(component, self.component)) {
            (Ok(ours), Ok(theirs)) => return if ours == theirs { None } else { differ(path) },
            (Err(ours), Err(theirs)) => (ours, theirs),
            _ => return differ(path),
        };
        match (ours, theirs) {
            (D::Record(ours), D::Record(theirs)) => {
                let keys = |record: &wasmparser::component_types::RecordType| -> Vec<String> {
                    record.fields.keys().map(ToString::to_string).collect()
                };
                if let Some(difference) = names(&keys(ours), &keys(theirs), "the field", &path) {
                    return Some(difference);
                }
                ours.fields
                    .iter()
                    .zip(theirs.fields.values())
                    .find_map(|((name, ours), theirs)| self.values(*ours, *theirs, join(&path, name)))
            }
            (D::Variant(ours), D::Variant(theirs)) => {
                let keys = |variant: &wasmparser::component_types::VariantType| -> Vec<String> {
                    variant.cases.keys().map(ToString::to_string).collect()
                };
                if let Some(difference) = names(&keys(ours), &keys(theirs), "the case", &path) {
                    return Some(difference);
                }
                ours.cases
                    .iter()
                    .zip(theirs.cases.values())
                    .find_map(|((name, ours), theirs)| self.optional(ours.ty, theirs.ty, join(&path, name)))
            }
            (D::Enum(ours), D::Enum(theirs)) | (D::Flags(ours), D::Flags(theirs)) => {
                let keys = |names: &mut dyn Iterator<Item = String>| names.collect::<Vec<_>>();
                let ours = keys(&mut ours.iter().map(ToString::to_string));
                let theirs = keys(&mut theirs.iter().map(ToString::to_string));
                names(&ours, &theirs, "the name", &path)
            }
            (D::List { element: ours, .. }, D::List { element: theirs, .. }) => {
                self.values(*ours, *theirs, format!("{path}[]"))
            }
            (D::Option { ty: ours, .. }, D::Option { ty: theirs, .. }) => self.values(*ours, *theirs, path),
            (D::Result { ok: ours, err: our_err, .. }, D::Result { ok: theirs, err: their_err, .. }) => self
                .optional(*ours, *theirs, join(&path, "ok"))
                .or_else(|| self.optional(*our_err, *their_err, join(&path, "err"))),
            (D::Tuple(ours), D::Tuple(theirs)) if ours.types.len() == theirs.types.len() => ours
                .types
                .iter()
                .zip(&theirs.types)
                .enumerate()
                .find_map(|(i, (ours, theirs))| self.values(*ours, *theirs, join(&path, i))),
            _ => differ(path),
        }
    }
}

/// A primitive, or the definition behind aliases.
fn resolve<'a>(
    ty: ComponentValType,
    types: TypesRef<'a>,
) -> Result<wasmparser::PrimitiveValType, &'a ComponentDefinedType> {
    match ty {
        ComponentValType::Primitive(primitive) => Ok(primitive),
        ComponentValType::Type(id) => match types.get(id).expect("an id of these types") {
            ComponentDefinedType::Primitive(primitive) => Ok(*primitive),
            defined => Err(defined),
        },
    }
}

fn describe(ty: ComponentValType, types: TypesRef<'_>) -> String {
    use ComponentDefinedType as D;
    match resolve(ty, types) {
        Ok(primitive) => format!("`{primitive}`"),
        Err(D::Option { ty, .. }) => format!("an option of {}", describe(*ty, types)),
        Err(D::List { element, .. }) => format!("a list of {}", describe(*element, types)),
        Err(D::Record(_)) => "a record".into(),
        Err(D::Variant(_)) => "a variant".into(),
        Err(D::Enum(_)) => "an enum".into(),
        Err(D::Flags(_)) => "flags".into(),
        Err(D::Tuple(_)) => "a tuple".into(),
        Err(D::Result { .. }) => "a result".into(),
        Err(_) => "another type".into(),
    }
}

/// The first name that is not the same on both sides.
fn names(ours: &[String], theirs: &[String], what: &str, path: &str) -> Differ {
    let word = |name: Option<&String>| name.map_or("no more".to_owned(), |name| format!("{what} `{name}`"));
    let at = ours.iter().zip(theirs).take_while(|(ours, theirs)| ours == theirs).count();
    let (ours, theirs) = (ours.get(at), theirs.get(at));
    (ours.is_some() || theirs.is_some()).then(|| {
        let name = ours.or(theirs).map(String::as_str).unwrap_or_default();
        (join(path, name), word(ours), word(theirs))
    })
}

fn join(path: &str, name: impl fmt::Display) -> String {
    if path.is_empty() { name.to_string() } else { format!("{path}.{name}") }
}
