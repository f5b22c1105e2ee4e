//! What is read, and the record of having read it.

use std::collections::BTreeSet;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::cargo::Directive;
use crate::cfg::Target;
use crate::source::SourceText;

/// The largest file that is read: a mapping of 1,000 workers has half a megabyte.
pub const MAX_BYTES: u64 = 8 * 1024 * 1024;

/// Everything that a check looks at. Made by reading, or by hand in tests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inputs {
    /// The mapping.
    pub mapping: Document,
    /// The folder of connectors.
    pub connectors: Folder,
    /// The Dockerfiles with the build stages: the one that is asked for, or else those that the mapping's machine names.
    pub dockerfiles: Vec<Document>,
    /// The slices of services' descriptions, when a connector names one.
    pub openapi: Vec<Document>,
    /// What the build is for; nothing is known of it in a check.
    pub target: Target,
}

impl Inputs {
    /// Reads a tree.
    pub(crate) fn read(reader: &mut Reader, files: &CheckInputs) -> Self {
        let connectors = reader.folder(&files.connectors);
        let openapi = reader.slices(&connectors, &files.connectors);
        let mapping = reader.file(&files.mapping);
        let named = files.dockerfile.clone().map_or_else(|| dockerfiles(&mapping), |file| vec![file]);
        let dockerfiles = named.iter().map(|file| reader.file(file)).collect();
        Self { mapping, connectors, dockerfiles, openapi, target: Target::default() }
    }
}

/// The Dockerfiles that a mapping names, from where it is; none when it cannot be read, which is reported.
fn dockerfiles(mapping: &Document) -> Vec<PathBuf> {
    let Ok(text) = &mapping.text else { return Vec::new() };
    // A large mapping is not read for what it does not have.
    if !text.text().contains("\"dockerfile\"") {
        return Vec::new();
    }
    let value: serde_json::Value = serde_json::from_str(text.text()).unwrap_or_default();
    let folder = Path::new(&mapping.name).parent().unwrap_or(Path::new(""));
    let dockerfile = &value["machine"]["dockerfile"];
    let many = dockerfile.as_array().into_iter().flatten();
    let names = dockerfile.as_str().into_iter().chain(many.filter_map(serde_json::Value::as_str));
    names.map(|name| folder.join(name)).collect()
}

/// A file, or why it could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// The name that reports show; forward slashes.
    pub name: String,
    /// Its text, or why there is none, as a phrase.
    pub text: Result<SourceText, String>,
}

impl Document {
    /// A file that was read.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        let name = name.into();
        Self { text: Ok(SourceText::new(name.clone(), text)), name }
    }
}

/// A folder of source files, or why it could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder {
    /// The name that reports show; forward slashes.
    pub name: String,
    /// Its `.rs` files sorted by name, or why there are none, as a phrase.
    pub files: Result<Vec<Document>, String>,
    /// The `.rs` files of its subfolders, sorted: modules of the files above. A connector in one of them is not registered.
    pub nested: Vec<Document>,
}

/// Which tree to check; paths are relative to the working directory.
#[derive(Clone, Debug)]
pub struct CheckInputs {
    /// The mapping.
    pub mapping: PathBuf,
    /// The folder of connectors.
    pub connectors: PathBuf,
    /// The Dockerfile with the build stages; those that the mapping names when not given.
    pub dockerfile: Option<PathBuf>,
}

impl CheckInputs {
    /// Reads the tree. Relative paths start at a folder; reports name the files as they are named here.
    pub fn read(&self, root: &Path) -> Inputs {
        Inputs::read(&mut Reader::new(root), self)
    }
}

/// Reads files, and records each so that cargo runs the build script again when one changes.
#[derive(Debug)]
pub(crate) struct Reader {
    root: PathBuf,
    read: BTreeSet<Directive>,
}

impl Reader {
    /// A reader of paths relative to a folder.
    pub(crate) fn new(root: &Path) -> Self {
        Self { root: root.to_owned(), read: BTreeSet::new() }
    }

    /// A variable of the build's environment.
    pub(crate) fn env(&mut self, name: &str) -> Option<String> {
        self.read.insert(Directive::RerunIfEnvChanged(name.to_owned()));
        std::env::var(name).ok()
    }

    /// A file.
    pub(crate) fn file(&mut self, path: &Path) -> Document {
        let name = shown(path);
        self.read.insert(Directive::RerunIfChanged(name.clone()));
        let text = read_text(&self.root.join(path)).map(|text| SourceText::new(name.clone(), text));
        Document { name, text }
    }

    /// The `.rs` files that are in a folder, and those in the folders in it.
    pub(crate) fn folder(&mut self, path: &Path) -> Folder {
        let name = shown(path);
        self.read.insert(Directive::RerunIfChanged(name.clone()));
        let files = list(&self.root.join(path), Path::is_file)
            .map(|names| names.into_iter().filter(|name| is_source(name)))
            .map(|names| names.map(|file| self.file(&path.join(file))).collect());
        let folders = list(&self.root.join(path), Path::is_dir).unwrap_or_default();
        let below = folders.into_iter().flat_map(|folder| {
            let folder = path.join(folder);
            let names = list(&self.root.join(&folder), Path::is_file).unwrap_or_default();
            names
                .into_iter()
                .filter(|name| is_source(name))
                .map(move |file| folder.join(file))
                .collect::<Vec<_>>()
        });
        let below: Vec<PathBuf> = below.collect();
        let nested = below.iter().map(|file| self.file(file)).collect();
        Folder { name, files, nested }
    }

    /// The slices beside a folder of connectors: `schemas/openapi/*.json`. Read only when a source speaks of one: cargo runs the build
    /// script of a package each time when a file that it is told of does not exist.
    fn slices(&mut self, connectors: &Folder, folder: &Path) -> Vec<Document> {
        let speaks = |file: &Document| file.text.as_ref().is_ok_and(|text| text.text().contains("openapi"));
        if !connectors.files.iter().flatten().any(speaks) {
            return Vec::new();
        }
        let path = folder.parent().unwrap_or(Path::new("")).join("schemas/openapi");
        self.read.insert(Directive::RerunIfChanged(shown(&path)));
        let names = list(&self.root.join(&path), Path::is_file).unwrap_or_default();
        let slices = names.into_iter().filter(|name| has_extension(name, "json"));
        slices.map(|name| self.file(&path.join(name))).collect()
    }

    /// What was read, as cargo wants to hear it.
    pub(crate) fn into_directives(self) -> BTreeSet<Directive> {
        self.read
    }
}

fn is_source(name: &str) -> bool {
    has_extension(name, "rs")
}

fn has_extension(name: &str, wanted: &str) -> bool {
    Path::new(name).extension().is_some_and(|extension| extension == wanted)
}

/// The names of what is in a folder, sorted.
fn list(folder: &Path, wanted: impl Fn(&Path) -> bool) -> Result<Vec<String>, String> {
    let entries = std::fs::read_dir(folder).map_err(|error| unreadable(&error))?;
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| unreadable(&error))?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        // An editor's swap and lock files start with a dot.
        if !name.starts_with('.') && wanted(&entry.path()) {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

fn read_text(path: &Path) -> Result<String, String> {
    let file = std::fs::File::open(path).map_err(|error| unreadable(&error))?;
    let mut bytes = Vec::new();
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(|error| unreadable(&error))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(format!("is larger than {} MiB", MAX_BYTES / 1024 / 1024));
    }
    match bytes.as_slice() {
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => Err("is UTF-16, not UTF-8".to_owned()),
        _ => String::from_utf8(bytes).map_err(|error| {
            format!("is not UTF-8: byte {} is of no character", error.utf8_error().valid_up_to() + 1)
        }),
    }
}

fn unreadable(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "does not exist".to_owned(),
        std::io::ErrorKind::PermissionDenied => "may not be read by this user".to_owned(),
        std::io::ErrorKind::IsADirectory => "is a folder".to_owned(),
        std::io::ErrorKind::NotADirectory => "is not a folder".to_owned(),
        _ => format!("cannot be read ({error})"),
    }
}

/// A path as reports show it: the same on every system.
pub(crate) fn shown(path: &Path) -> String {
    let text = path.to_string_lossy().replace('\\', "/");
    text.strip_prefix("./").unwrap_or(&text).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_a_folder_records_it_and_each_of_its_sources() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("connectors")).unwrap();
        for name in ["b.rs", "a.rs", ".#a.rs", "notes.md"] {
            std::fs::write(root.path().join("connectors").join(name), "").unwrap();
        }
        let mut reader = Reader::new(root.path());
        let folder = reader.folder(Path::new("./connectors"));
        let names: Vec<_> = folder.files.unwrap().into_iter().map(|file| file.name).collect();
        assert_eq!(names, ["connectors/a.rs", "connectors/b.rs"]);
        let recorded: Vec<_> = reader.into_directives().iter().map(ToString::to_string).collect();
        assert_eq!(
            recorded,
            [
                "cargo::rerun-if-changed=connectors",
                "cargo::rerun-if-changed=connectors/a.rs",
                "cargo::rerun-if-changed=connectors/b.rs"
            ]
        );
    }

    #[test]
    fn what_is_not_there_is_recorded_too_so_that_its_creation_is_noticed() {
        let root = tempfile::tempdir().unwrap();
        let mut reader = Reader::new(root.path());
        assert_eq!(reader.file(Path::new("service-mapping.json")).text.unwrap_err(), "does not exist");
        assert_eq!(reader.folder(Path::new("connectors")).files.unwrap_err(), "does not exist");
        assert_eq!(reader.into_directives().len(), 2);
    }

    #[test]
    fn slices_are_inputs_exactly_when_a_connector_speaks_of_one() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(root.path().join("connectors")).unwrap();
        std::fs::create_dir_all(root.path().join("schemas/openapi")).unwrap();
        std::fs::write(root.path().join("schemas/openapi/a.json"), "{}").unwrap();
        let files = CheckInputs {
            mapping: "service-mapping.json".into(),
            connectors: "connectors".into(),
            dockerfile: None,
        };
        let read = |source: &str| {
            std::fs::write(root.path().join("connectors/a.rs"), source).unwrap();
            let mut reader = Reader::new(root.path());
            let slices = Inputs::read(&mut reader, &files).openapi.len();
            let recorded =
                reader.into_directives().iter().filter(|line| line.to_string().contains("openapi")).count();
            (slices, recorded)
        };
        assert_eq!(read("struct A;"), (0, 0));
        assert_eq!(read("#[openapi(file = \"a.json\")] struct A;"), (1, 2), "the folder and the file");
    }

    #[test]
    fn i21_utf16_binary_and_huge_files_are_refused_in_words() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("x");
        std::fs::write(&path, [0xFF, 0xFE, b'{', 0]).unwrap();
        assert_eq!(read_text(&path).unwrap_err(), "is UTF-16, not UTF-8");
        std::fs::write(&path, [b'{', 0xC3, b'}']).unwrap();
        assert_eq!(read_text(&path).unwrap_err(), "is not UTF-8: byte 2 is of no character");
        std::fs::write(&path, vec![b' '; 9 * 1024 * 1024]).unwrap();
        assert_eq!(read_text(&path).unwrap_err(), "is larger than 8 MiB");
    }
}
