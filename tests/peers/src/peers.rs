//! The two servers: copied out of the shared folder, seeded once, started afresh for every run, stopped by process id.
//!
//! The first start installs and seeds (minutes); what it made is kept as a template (a database for each, and a folder with the
//! shop's pictures), so that every run begins with the same data on ports of its own within seconds.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use crate::{
    classify::Server,
    process::{copy_folder, free_port, run},
};

/// The running pair. Dropping it stops whatever still runs; [`Peers::stop`] does the same and reports.
#[derive(Debug)]
pub struct Peers {
    folder: PathBuf,
    /// Where the shop answers, without a trailing slash.
    pub shop: String,
    /// Where the ERP answers, its database included, without a trailing slash.
    pub erp: String,
    /// Key for the ERP's REST interface.
    pub erp_key: String,
    database_port: u16,
    database_folder: PathBuf,
    running: bool,
}

impl Peers {
    /// Copies `shared`/peers into `folder`, installs and seeds what is missing, and starts both servers with fresh data.
    pub async fn start(shared: &Path, folder: &Path) -> Result<Self> {
        Self::start_of(shared, folder, &[Server::Vendure, Server::Tryton]).await
    }

    /// The same with these servers alone; the addresses of the others stay empty.
    pub async fn start_of(shared: &Path, folder: &Path, wanted: &[Server]) -> Result<Self> {
        let source = shared.join("peers");
        if !source.join("tryton/start.sh").is_file() {
            bail!("{} holds no peers: give the shared folder with --shared", shared.display());
        }
        copy_folder(&source, folder).await?;
        let folder = folder.canonicalize()?;
        let database_folder = database_folder(&folder).await;
        let mut peers = Self {
            shop: String::new(),
            erp: String::new(),
            erp_key: String::new(),
            database_port: free_port()?,
            database_folder,
            running: true,
            folder,
        };
        peers.stop_servers();
        peers.script("pg/start.sh", 0, None).await?;
        let shop =
            async { if wanted.contains(&Server::Vendure) { peers.start_shop().await } else { Ok(String::new()) } };
        let erp =
            async { if wanted.contains(&Server::Tryton) { peers.start_erp().await } else { Ok(Default::default()) } };
        let (shop, erp) = tokio::join!(shop, erp);
        let shop = shop.context("the shop did not start")?;
        let (erp, erp_key) = erp.context("the ERP did not start")?;
        (peers.shop, peers.erp, peers.erp_key) = (shop, erp, erp_key);
        Ok(peers)
    }

    async fn start_shop(&self) -> Result<String> {
        let (pristine, data) = (self.folder.join("vendure/pristine"), self.folder.join("vendure/run"));
        if !(pristine.join("seeded").exists() && self.has_database("shop_pristine").await?) {
            let _ = std::fs::remove_dir_all(&pristine);
            self.renew_database("shop", "template0").await?;
            self.script("vendure/start.sh", free_port()?, Some(&pristine)).await?;
            self.stop_seeded("vendure").await?;
            self.renew_database("shop_pristine", "shop").await?;
            std::fs::write(pristine.join("seeded"), "")?;
        }
        let _ = std::fs::remove_dir_all(&data);
        copy_folder(&pristine, &data).await?;
        self.renew_database("shop", "shop_pristine").await?;
        let port = free_port()?;
        self.script("vendure/start.sh", port, Some(&data)).await?;
        Ok(format!("http://127.0.0.1:{port}"))
    }

    async fn start_erp(&self) -> Result<(String, String)> {
        let key = self.folder.join("tryton/rest.key");
        let pristine_key = self.folder.join("tryton/pristine.key");
        if !(pristine_key.exists() && self.has_database("erp_pristine").await?) {
            self.sql("postgres", "drop database if exists erp_pristine").await?;
            let _ = std::fs::remove_file(&key);
            self.script("tryton/start.sh", free_port()?, None).await?;
            self.stop_seeded("tryton").await?;
            self.renew_database("erp_pristine", "erp").await?;
            std::fs::copy(&key, &pristine_key)?;
        }
        self.renew_database("erp", "erp_pristine").await?;
        std::fs::copy(&pristine_key, &key)?;
        let port = free_port()?;
        self.script("tryton/start.sh", port, None).await?;
        let key = std::fs::read_to_string(key)?.trim().to_owned();
        Ok((format!("http://127.0.0.1:{port}/erp"), key))
    }

    async fn has_database(&self, name: &str) -> Result<bool> {
        let found = self.sql("postgres", &format!("select 1 from pg_database where datname = '{name}'")).await?;
        Ok(found == "1")
    }

    /// Makes a database anew, like another one that nobody works in.
    async fn renew_database(&self, name: &str, like: &str) -> Result<()> {
        self.sql("postgres", &format!("drop database if exists {name}")).await?;
        self.sql("postgres", &format!("create database {name} template {like} encoding 'UTF8'")).await.map(drop)
    }

    async fn stop_seeded(&self, server: &str) -> Result<()> {
        let pid = self.pid(server);
        stop_one(&self.folder, server);
        wait_until_gone(pid).await
    }

    /// Runs one of the peers' own scripts with our ports and folders; the shop's with a folder for its pictures.
    async fn script(&self, script: &str, port: u16, shop_data: Option<&Path>) -> Result<String> {
        let mut command = Command::new(self.folder.join(script));
        command
            .current_dir(&self.folder)
            .env("PORT", port.to_string())
            .env("PGPORT", self.database_port.to_string())
            .env("PEER_PGDATA", &self.database_folder);
        // In its own SQLite it writes the whole file anew with every change, which takes ten times as long.
        if let Some(data) = shop_data {
            command.env("PEER_DATA", data).env("DB", "postgres").env("PGHOST", "127.0.0.1").env("PGDATABASE", "shop");
        }
        run(command).await
    }

    /// Asks the ERP's database; rows by line, columns by `|`.
    pub async fn erp_sql(&self, query: &str) -> Result<String> {
        self.sql("erp", query).await
    }

    async fn sql(&self, database: &str, query: &str) -> Result<String> {
        let mut psql = Command::new("psql");
        psql.args(["-qAt", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-U", "postgres", "-d", database])
            .args(["-p", &self.database_port.to_string(), "-c", query])
            .env("PGOPTIONS", "-c client_min_messages=warning");
        Ok(run(psql).await?.trim().to_owned())
    }

    fn pid(&self, server: &str) -> Option<u32> {
        std::fs::read_to_string(self.folder.join(server).join("server.pid")).ok()?.trim().parse().ok()
    }

    /// Stops both servers and the database.
    pub fn stop(mut self) {
        self.stop_servers();
        self.running = false;
    }

    /// Leaves everything running; the scripts' `stop.sh` stop it.
    pub fn keep(mut self) {
        self.running = false;
    }

    fn stop_servers(&self) {
        for server in ["vendure", "tryton"] {
            stop_one(&self.folder, server);
        }
        if self.database_folder.join("postmaster.pid").exists() {
            // Failing here means that it had stopped already, which is what is wanted.
            let _ = Command::new(self.folder.join("pg/stop.sh")).env("PEER_PGDATA", &self.database_folder).output();
        }
    }
}

impl Drop for Peers {
    fn drop(&mut self) {
        if self.running {
            self.stop_servers();
        }
    }
}

/// Stops a server of ours by its recorded process id, if that process still is the server: ids are used again.
fn stop_one(folder: &Path, server: &str) {
    let file = folder.join(server).join("server.pid");
    let Some(pid) = std::fs::read_to_string(&file).ok().and_then(|text| text.trim().parse::<u32>().ok()) else {
        return;
    };
    let is_ours = std::fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd == folder.join(server));
    if is_ours {
        let _ = Command::new(folder.join(server).join("stop.sh")).output();
    }
    let _ = std::fs::remove_file(file);
}

async fn wait_until_gone(pid: Option<u32>) -> Result<()> {
    let Some(pid) = pid else { return Ok(()) };
    let begin = Instant::now();
    while Path::new(&format!("/proc/{pid}/cwd")).read_link().is_ok() {
        if begin.elapsed() > Duration::from_secs(30) {
            bail!("process {pid} did not end within 30 s");
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(())
}

/// PostgreSQL runs as another user, who must be able to reach its folder; where ours is private, a temporary one is used.
async fn database_folder(folder: &Path) -> PathBuf {
    let mut probe = Command::new("su");
    probe.args(["postgres", "-c"]).arg(format!("test -x '{}'", folder.display()));
    if run(probe).await.is_ok() {
        return folder.join("database");
    }
    let name = folder.display().to_string().replace(['/', ' '], "-");
    std::env::temp_dir().join(format!("tradepost-peers{name}"))
}
