//! What reads values and manifests as a cluster would: helm, and the schemas of Kubernetes.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::venv::Requirements;

/// The variable that names the interpreter which has both, as in [`Requirements::KUBERNETES`].
pub const PYTHON: &str = "WBSTORE_SANDBOX_KUBERNETES_PYTHON";

/// The oldest version that W&B supports.
const VERSION: &str = "1.34";

/// Both of them, installed.
#[derive(Debug)]
pub struct Kubernetes {
    python: PathBuf,
    helm: PathBuf,
}

impl Kubernetes {
    /// That of the suite; installs it first where none is named.
    pub fn installed() -> Self {
        let python = std::env::var_os(PYTHON).map_or_else(
            || Requirements::KUBERNETES.python().unwrap_or_else(|error| panic!("{error}")),
            PathBuf::from,
        );
        let helm = text(Command::new(&python).args(["-c", include_str!("kubernetes.py")]));
        Self { python, helm: helm.trim().into() }
    }

    /// Where helm is.
    pub fn helm(&self) -> &Path {
        &self.helm
    }

    /// What helm makes of `chart` with `values`.
    pub fn template(&self, chart: &Path, values: &str) -> String {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("values.yaml");
        std::fs::write(&file, values).expect("a file");
        let mut helm = Command::new(&self.helm);
        helm.args(["template", "wandb"]).arg(chart).arg("--values").arg(&file);
        text(helm.env_clear().env("HOME", folder.path()))
    }

    /// Panics where `manifest` is not what the API of Kubernetes accepts.
    pub fn validate(&self, manifest: &str) {
        let mut file = tempfile::NamedTempFile::with_suffix(".yaml").expect("a file");
        std::io::Write::write_all(&mut file, manifest.as_bytes()).expect("it is written");
        let mut program = Command::new(&self.python);
        program.args(["-m", "kubernetes_validate", "--strict", "-k", VERSION]).arg(file.path());
        text(&mut program);
    }
}

fn text(program: &mut Command) -> String {
    let Output { status, stdout, stderr } = program.output().expect("it runs");
    let said = String::from_utf8_lossy(&stderr);
    let text = String::from_utf8_lossy(&stdout);
    assert!(status.success(), "{program:?}: {said}{text}");
    text.into_owned()
}
