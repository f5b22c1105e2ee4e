//! `emp new`: a project of one's own, with one connector, that builds, passes its tests and runs its demo as it is.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::connector::new::Starter;
use crate::args::New;
use crate::exit::{Exit, Failure};
use crate::output::Output;

/// The files that are the same for every project but for its names: where each goes, and its text.
const FILES: [(&str, &str); 8] = [
    ("Cargo.toml", include_str!("new/template/Cargo.toml.txt")),
    ("build.rs", include_str!("new/template/build.rs.txt")),
    ("src/lib.rs", include_str!("new/template/lib.rs.txt")),
    ("src/main.rs", include_str!("new/template/main.rs.txt")),
    ("tests/contract.rs", include_str!("new/template/contract.rs.txt")),
    (".github/workflows/ci.yml", include_str!("new/template/ci.yml.txt")),
    ("README.md", include_str!("new/template/README.md.txt")),
    (".gitignore", include_str!("new/template/gitignore.txt")),
];

pub(super) fn run(args: &New, out: &Output) -> Result<Exit, Failure> {
    let project = project_name(&args.dir)?;
    let starter = Starter::named(&args.connector)?;
    let source = Source::of(args.path.as_deref())?;
    let files = files(&project, &starter, &source)?;
    let next = [
        "cargo run -- demo".to_owned(),
        format!("cargo run -- connector test {}", starter.connector),
        "cargo run -- dev --fake".to_owned(),
    ];
    empty(&args.dir)?;
    for (name, text) in &files {
        write(&args.dir.join(name), text)?;
    }
    if out.is_json() {
        let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
        out.json(&json!({
            "project": project, "dir": args.dir, "connector": starter.connector, "files": names, "then": next,
        }));
        return Ok(Exit::Ok);
    }
    for (name, _) in &files {
        out.note(format!("wrote {}", args.dir.join(name).display()));
    }
    out.line(format!("cd {}", args.dir.display()));
    for command in next {
        out.line(command);
    }
    Ok(Exit::Ok)
}

/// Where the crates of the project come from.
enum Source {
    /// A registry.
    Version(&'static str),
    /// A checkout of this project.
    Path(PathBuf),
}

impl Source {
    fn of(path: Option<&Path>) -> Result<Self, Failure> {
        let Some(path) = path else { return Ok(Self::Version(env!("CARGO_PKG_VERSION"))) };
        let path = path
            .canonicalize()
            .map_err(|error| Failure::io(&format!("cannot find {}", path.display()), &error))?;
        if path.join("emp-core/Cargo.toml").is_file() {
            return Ok(Self::Path(path));
        }
        let message = format!("{} is no checkout of EMP connectors: it has no emp-core", path.display());
        Err(Failure::new(Exit::NotFound, "E_NOT_FOUND", message).help("name the folder that has emp-core/"))
    }

    /// A dependency, as Cargo.toml has it.
    fn dependency(&self, name: &str) -> String {
        match self {
            Self::Version(version) => format!("{version:?}"),
            Self::Path(path) => format!("{{ path = {:?} }}", path.join(name).to_string_lossy()),
        }
    }
}

/// Every file of the project.
fn files(project: &str, starter: &Starter, source: &Source) -> Result<Vec<(String, String)>, Failure> {
    let fill = |template: &str| {
        let mut text = template.to_owned();
        for name in ["emp-cli", "emp-core", "emp-build", "emp-testkit"] {
            text = text.replace(&format!("{{{name}}}"), &source.dependency(name));
        }
        let names = [
            ("{project}", project),
            ("{crate}", &project.replace('-', "_")),
            ("{connector}", &starter.connector),
            ("{module}", &starter.module),
            ("{title}", &starter.title),
        ];
        names.iter().fold(text, |text, (hole, name)| text.replace(hole, name))
    };
    let mut files: Vec<(String, String)> =
        FILES.iter().map(|(name, template)| ((*name).to_owned(), fill(template))).collect();
    let connector = format!("connectors/{}.rs", starter.module);
    let mapping = "{\n  \"$schema\": \"./schemas/service-mapping.schema.json\",\n  \"connectors\": {},\n  \"workers\": {}\n}\n";
    files.push(("service-mapping.json".to_owned(), starter.mapped(mapping, &format!("./{connector}"))?));
    files.push((connector, starter.source.clone()));
    let schema = emp_build::schema::mapping(&starter.choices());
    files.push(("schemas/service-mapping.schema.json".to_owned(), emp_build::schema::text(&schema)));
    Ok(files)
}

/// The package's name: the folder's, in letters that cargo takes.
fn project_name(dir: &Path) -> Result<String, Failure> {
    let name = dir.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    let name: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' }).collect();
    // A package of one of these names would stand in the way of its own dependencies, or of the language.
    let taken = name.starts_with("emp-")
        || ["std", "core", "alloc", "test", "proc-macro", "serde", "schemars", "tokio"]
            .contains(&name.as_str());
    if !name.starts_with(|first: char| first.is_ascii_alphabetic()) || taken {
        let message = format!("`{}` gives no name for a package", dir.display());
        return Err(Failure::new(Exit::Usage, "E_USAGE", message).help("emp new my-connectors"));
    }
    Ok(name)
}

/// Nothing is overwritten: the folder is new, or has nothing in it.
fn empty(dir: &Path) -> Result<(), Failure> {
    match fs::read_dir(dir).map(|mut entries| entries.next().is_none()) {
        Ok(true) => Ok(()),
        Ok(false) => Err(Failure::new(Exit::Conflict, "E_EXISTS", format!("{} is not empty", dir.display()))
            .help("name a folder that is not there yet")),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(Failure::io(&format!("cannot read {}", dir.display()), &error)),
    }
}

fn write(file: &Path, text: &str) -> Result<(), Failure> {
    let wrong = |error: &std::io::Error| Failure::io(&format!("cannot write {}", file.display()), error);
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder).map_err(|error| wrong(&error))?;
    }
    let mut made =
        fs::OpenOptions::new().write(true).create_new(true).open(file).map_err(|error| wrong(&error))?;
    made.write_all(text.as_bytes()).map_err(|error| wrong(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project() -> Vec<(String, String)> {
        let starter = Starter::named("their-service").unwrap();
        files("my-jobs", &starter, &Source::Version("1.2.3")).unwrap()
    }

    #[test]
    fn no_hole_is_left_and_each_file_has_an_end() {
        for (name, text) in project() {
            for hole in ["{project}", "{crate}", "{connector}", "{module}", "{title}", "{emp-"] {
                assert!(!text.contains(hole), "{name}: {hole}");
            }
            assert!(text.ends_with('\n') && !text.ends_with("\n\n"), "{name}");
        }
    }

    #[test]
    fn the_mapping_is_valid_by_the_schema_beside_it() {
        let files = project();
        let json = |wanted: &str| -> serde_json::Value {
            let (_, text) = files.iter().find(|(name, _)| name == wanted).unwrap();
            serde_json::from_str(text).unwrap()
        };
        let schema = json("schemas/service-mapping.schema.json");
        let mapping = json("service-mapping.json");
        assert!(jsonschema::is_valid(&schema, &mapping), "{mapping:#}");
        assert_eq!(mapping["workers"]["their-service"]["service"][0]["connector"], "TheirServiceConnector");
    }

    #[test]
    fn crates_come_from_a_registry_or_from_a_checkout() {
        assert_eq!(Source::Version("1.2.3").dependency("emp-core"), "\"1.2.3\"");
        let path = Source::Path("/src/emp \"x\"".into());
        assert_eq!(path.dependency("emp-core"), "{ path = \"/src/emp \\\"x\\\"/emp-core\" }");
        assert!(Source::of(Some(Path::new("/"))).is_err());
    }

    #[test]
    fn a_folder_s_name_becomes_the_package_s() {
        let name = |dir: &str| project_name(Path::new(dir)).ok();
        assert_eq!(name("/a/My Jobs"), Some("my-jobs".to_owned()));
        assert_eq!([name("/"), name("3d"), name("emp-core"), name("serde")], [None, None, None, None]);
    }
}
