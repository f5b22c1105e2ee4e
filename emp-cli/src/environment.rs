//! The environment that connectors and the API read: this process's own, and for a secret the file that `NAME_FILE` names, as Docker,
//! systemd and Kubernetes bring one.

use std::collections::BTreeMap;
use std::path::Path;

use emp_core::env::{EnvSource, ProcessEnv};
use emp_core::{Registry, Secret};

use crate::exit::{Exit, Failure};
use crate::logging;

/// What is added to a secret's name.
const FILE: &str = "_FILE";
/// No secret is longer; a file that is was meant for something else.
const LONGEST: u64 = 64 << 10;

/// The environment with the secrets that stand in files.
pub(crate) struct Environment(BTreeMap<String, Secret>);

impl Environment {
    /// Reads the files, each once. Fails with every one that cannot be read, and with every secret that is given twice.
    pub(crate) fn read(registry: &Registry) -> Result<Self, Failure> {
        let declared = registry.entries().iter().flat_map(|entry| entry.spec.env);
        let secrets = declared.filter(|field| field.secret()).map(|field| field.variable);
        let names: Vec<&str> = secrets.chain(emp_outputs::secrets()).chain(emp_machine::OURS).collect();
        let read = Self::of(names.iter().copied(), &ProcessEnv)?;
        logging::hide(&read.values(&names));
        Ok(read)
    }

    /// What must not show. Of a store's URL that is the password: the rest says where jobs live.
    fn values(&self, names: &[&str]) -> Vec<Secret> {
        let given = names.iter().filter_map(|name| Some((*name, self.get(name)?)));
        let values = given.flat_map(|(name, value)| match name {
            "EMP_STORE" => emp_store::passwords(&value),
            _ => vec![value],
        });
        values.map(Secret::new).collect()
    }

    /// As [`Environment::read`], for a command that needs one secret and is not to fail for another.
    pub(crate) fn only(secret: &str) -> Result<Self, Failure> {
        Self::of(std::iter::once(secret), &ProcessEnv)
    }

    fn of<'a>(secrets: impl Iterator<Item = &'a str>, env: &dyn EnvSource) -> Result<Self, Failure> {
        let given = |name: &str| env.get(name).filter(|text| !text.trim().is_empty());
        let (mut files, mut faults) = (BTreeMap::new(), Vec::new());
        for name in secrets {
            let Some(file) = given(&format!("{name}{FILE}")) else { continue };
            if given(name).is_some() {
                faults.push(format!("{name} and {name}{FILE} are both set: take one away"));
                continue;
            }
            match secret(Path::new(&file)) {
                Ok(text) => {
                    files.insert(name.to_owned(), text);
                }
                Err(error) => {
                    faults.push(format!("{name}{FILE} names {file}, which cannot be read: {error}"));
                }
            }
        }
        faults.dedup();
        if faults.is_empty() {
            Ok(Self(files))
        } else {
            Err(Failure::new(Exit::Config, "E_ENVIRONMENT", faults.join("\n")))
        }
    }

    /// Every variable, secrets from files among them.
    pub(crate) fn all(&self) -> impl Iterator<Item = (String, String)> {
        let own = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        own.chain(self.0.iter().map(|(name, secret)| (name.clone(), secret.expose().to_owned())))
    }

    /// A secret that stands in a file.
    pub(crate) fn file(&self, name: &str) -> Option<&Secret> {
        self.0.get(name)
    }
}

impl EnvSource for Environment {
    fn get(&self, name: &str) -> Option<String> {
        match self.0.get(name) {
            Some(secret) => Some(secret.expose().to_owned()),
            None => ProcessEnv.get(name),
        }
    }
}

/// The text of a file without the end of its last line, which an editor adds.
fn secret(file: &Path) -> std::io::Result<Secret> {
    if std::fs::metadata(file)?.len() > LONGEST {
        return Err(std::io::Error::other("it is too long for a secret"));
    }
    let text = std::fs::read_to_string(file)?;
    Ok(Secret::new(text.trim_end_matches(['\r', '\n'])))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_secret_may_stand_in_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key");
        std::fs::write(&file, "s3cret\n").unwrap();
        let read =
            Environment::of(["A_KEY"].into_iter(), &env(&[("A_KEY_FILE", file.to_str().unwrap())])).unwrap();
        assert_eq!(read.get("A_KEY").as_deref(), Some("s3cret"));
        assert_eq!(read.get("A_KEY_OTHER"), None);
    }

    #[test]
    fn i97_what_must_not_show_is_every_secret_and_of_a_stores_url_its_password() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path.display().to_string()
        };
        let (key, store) = (file("key", "s3cret-key"), file("store", "redis://:s3cret-word@host/1"));
        let env = env(&[("A_KEY_FILE", &key), ("EMP_STORE_FILE", &store)]);
        let names = ["A_KEY", "EMP_STORE"];
        let read = Environment::of(names.into_iter(), &env).unwrap();
        let hidden: Vec<_> = read.values(&names).iter().map(|secret| secret.expose().to_owned()).collect();
        assert_eq!(hidden, ["s3cret-key", "s3cret-word"]);
    }

    #[test]
    fn every_file_that_cannot_be_read_and_every_secret_given_twice_is_told_at_once() {
        let env = env(&[("A_FILE", "/nowhere/a"), ("B", "known-secret"), ("B_FILE", "/nowhere/b")]);
        let Err(failure) = Environment::of(["A", "B"].into_iter(), &env) else { panic!("it was read") };
        assert!(failure.message.contains("A_FILE names /nowhere/a"), "{}", failure.message);
        assert!(failure.message.contains("B and B_FILE are both set"), "{}", failure.message);
        assert!(!failure.message.contains("known-secret"));
    }
}
