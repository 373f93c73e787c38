//! What the commands of a page run on: an account on each cloud, one of each other service, and a folder.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;
use wbstore_sandbox::aws::{Aws, URL};
use wbstore_sandbox::azure::Azure;
use wbstore_sandbox::backend::Backend;
use wbstore_sandbox::demo;
use wbstore_sandbox::gcp::Gcp;
use wbstore_sandbox::kubernetes::Kubernetes;
use wbstore_sandbox::ran::{Ran, finish};
use wbstore_sandbox::services::ground::CheckGround;
use wbstore_sandbox::stores::{Store, StoreKind};

use crate::root;

/// The width of the terminal that the pages show.
const COLUMNS: &str = "110";

/// All of it.
pub struct Ground {
    folder: TempDir,
    aws: Aws,
    gcp: Gcp,
    azure: Azure,
    store: Store,
    services: CheckGround,
    kubernetes: Kubernetes,
}

impl Ground {
    /// That of a page: the README, which is page 0, has the account of the demonstration.
    pub async fn start(page: u64) -> Self {
        let fresh = Aws::from_env().await;
        assert_eq!(fresh.backend(), Backend::Ministack, "the pages show what happens on it");
        // The same account at each run, because the bucket's name is made from it.
        let url = env::var(URL).expect("the fresh account came from it");
        let aws = Aws::on(&url, fresh.backend(), &format!("{:012}", demo::ACCOUNT + page)).await;
        let folder = tempfile::tempdir().expect("a folder");
        copy(&root().join("tests/settings/chart"), &folder.path().join("wandb/operator-wandb"));
        let azure = Azure::from_env().await;
        azure.double().add_group(&azure.double().subscription(), "wandb", "westeurope");
        let gcp = Gcp::from_env().await;
        gcp.control().account("wandb@acme-prod.iam.gserviceaccount.com", &[]);
        let store = Store::open(StoreKind::most_complete()).await;
        fs::copy(store.credentials_file(), folder.path().join("wandb.key")).expect("a file");
        Self {
            folder,
            aws: aws.expect("the emulator is there"),
            gcp,
            azure,
            store,
            services: CheckGround::start().await.expect("each service starts"),
            kubernetes: Kubernetes::installed(),
        }
    }

    /// Where the commands run.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Runs lines of bash, which end at the first that fails.
    pub async fn bash(&self, script: &str) -> Ran {
        self.shell(&format!("set -euo pipefail\n{script}")).await
    }

    /// Runs a line of shell; both streams come in the order in which they were written.
    pub async fn run(&self, line: &str) -> Ran {
        self.shell(&format!("exec 2>&1\n{line}")).await
    }

    async fn shell(&self, script: &str) -> Ran {
        let mut shell = Command::new("bash");
        shell.args(["-c", script]).current_dir(self.folder()).env("COLUMNS", COLUMNS);
        let wbstore = self.aws.wbstore();
        for (name, value) in wbstore.get_envs() {
            match value {
                Some(value) => shell.env(name, value),
                None => shell.env_remove(name),
            };
        }
        shell.envs(self.gcp.env()).envs(self.azure.env()).envs(self.azure.options_env());
        if script.contains(" s3 ") {
            shell.envs(self.store.env()).env("AWS_ENDPOINT_URL_S3", self.store.endpoint());
        }
        let program = |path: &Path| path.parent().expect("a program is in a folder").to_owned();
        let ours = [program(Path::new(wbstore.get_program())), program(self.kubernetes.helm())];
        let path = env::var_os("PATH").unwrap_or_default();
        let path: Vec<PathBuf> = ours.into_iter().chain(env::split_paths(&path)).collect();
        shell.env("PATH", env::join_paths(path).expect("folders that PATH can hold"));
        finish(shell).await
    }

    /// Runs a line of `check` on one of each service, whose addresses are shown as a company has them.
    pub async fn checked(&self, line: &str) -> Ran {
        let args: Vec<_> = line.split(' ').skip(1).map(str::to_owned).collect();
        let ran = finish(self.services.wbstore(&args).expect("wbstore is built")).await;
        Ran { stdout: self.services.elsewhere(&ran.stdout), ..ran }
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("the folder is there") {
        let path = entry.expect("it can be listed").path();
        let to = to.join(path.file_name().expect("it has a name"));
        if path.is_dir() { copy(&path, &to) } else { fs::copy(&path, to).map(|_| ()).expect("a file") }
    }
}
