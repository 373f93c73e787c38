//! A real MariaDB or MySQL.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::program::{Program, installed};
use crate::Error;
use crate::emulator::free_port;

/// Which one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MysqlKind {
    MariaDb,
    Mysql,
}

/// A running server with the database `wandb_local` and a user of that name, whose password is `s3cret/@word`.
#[derive(Debug)]
pub struct MysqlServer {
    port: u16,
    _program: Program,
}

/// Of the account.
pub const PASSWORD: &str = "s3cret/@word";

const DATABASE: &str = "CREATE DATABASE wandb_local CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci;\n\
    CREATE USER 'wandb_local'@'%' IDENTIFIED BY 's3cret/@word';\n\
    GRANT ALL ON wandb_local.* TO 'wandb_local'@'%' WITH GRANT OPTION;\n";

impl MysqlKind {
    /// The program, where it is installed.
    pub fn program(self) -> Option<PathBuf> {
        match self {
            Self::MariaDb => installed("mariadbd"),
            Self::Mysql => installed("mysqld").filter(|path| is_mysql(path)),
        }
    }
}

/// MariaDB has a `mysqld` too.
fn is_mysql(path: &Path) -> bool {
    let version = Command::new(path).arg("--version").output();
    version.is_ok_and(|output| !String::from_utf8_lossy(&output.stdout).contains("MariaDB"))
}

impl MysqlServer {
    /// Starts one on a free port of 127.0.0.1, with more `arguments`.
    pub async fn start(kind: MysqlKind, arguments: &[&str]) -> Result<Self, Error> {
        let program = kind.program().ok_or_else(|| Error::new(format!("{kind:?} is not installed")))?;
        let unable = |error: std::io::Error| Error::new(format!("cannot start {kind:?}: {error}"));
        let folder = tempfile::tempdir().map_err(unable)?;
        let data = folder.path().join("data");
        let port = free_port()?;
        let init = folder.path().join("init.sql");
        std::fs::write(&init, DATABASE).map_err(unable)?;
        let base = |command: &mut Command| {
            command.arg("--no-defaults").arg(format!("--datadir={}", data.display()));
            // It refuses to be root by accident, and a test's machine may have no other user.
            if rootly() {
                command.arg("--user=root");
            }
        };
        let mut setup = Command::new(&program);
        base(&mut setup);
        setup.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        match kind {
            MysqlKind::Mysql => {
                setup.arg("--initialize-insecure");
            }
            MysqlKind::MariaDb => {
                std::fs::create_dir(&data).map_err(unable)?;
                let script = folder.path().join("bootstrap.sql");
                std::fs::write(&script, system_tables().map_err(unable)?).map_err(unable)?;
                setup.arg("--bootstrap").stdin(File::open(&script).map_err(unable)?);
            }
        }
        let made = tokio::process::Command::from(setup).status().await.map_err(unable)?;
        if !made.success() {
            return Err(Error::new(format!("cannot make the tables of {kind:?} ({made})")));
        }
        let mut command = Command::new(program);
        base(&mut command);
        command
            .args(["--bind-address=127.0.0.1", &format!("--port={port}"), "--skip-log-bin"])
            .arg(format!("--socket={}", folder.path().join("socket").display()))
            .arg(format!("--pid-file={}", folder.path().join("pid").display()))
            .arg(format!("--init-file={}", init.display()))
            .args(arguments);
        Ok(Self { port, _program: Program::start(command, folder, port).await? })
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }
}

/// What `mariadb-install-db` runs: it is in another package, with the client.
fn system_tables() -> std::io::Result<String> {
    let folder =
        ["/usr/share/mysql", "/usr/share/mariadb"].map(Path::new).into_iter().find(|folder| folder.is_dir());
    let folder = folder.ok_or(std::io::ErrorKind::NotFound)?;
    let mut script = "CREATE DATABASE mysql;\nUSE mysql;\nSET @auth_root_socket=NULL;\n".to_owned();
    for file in [
        "mysql_system_tables",
        "mysql_performance_tables",
        "mysql_system_tables_data",
        "maria_add_gis_sp_bootstrap",
    ] {
        script += &std::fs::read_to_string(folder.join(format!("{file}.sql")))?;
    }
    Ok(script)
}

/// Whether this process is the superuser's.
fn rootly() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").is_ok_and(|data| data.uid() == 0)
}
