//! The command line: `serve`, `status`, `check`.
//!
//! Standard output carries what was asked for and nothing else; logs and errors go to standard error.

use std::io::{self, IsTerminal as _, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use tracing_subscriber::EnvFilter;

use crate::config::{self, FileConfig, PublicPlace};
use crate::server::{Config, Relay, system_time};
use crate::texts::{self, Complaint};
use crate::{signals, status};

/// Routes sealed envelopes it cannot open.
#[derive(Debug, Parser)]
#[command(version, after_help = "Exit codes: 0 done, 1 other, 2 usage, 3 not found, 5 try again, 6 damaged, 7 disk.")]
struct Cli {
    /// Print results and errors as JSON.
    #[arg(long, global = true)]
    json: bool,
    /// What is logged: error, warn, info, debug, trace, or a filter per module.
    #[arg(long, global = true, value_name = "FILTER")]
    log: Option<String>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the relay until it is interrupted.
    Serve(Serve),
    /// Show what a data folder holds, also while it is served.
    Status(Place),
    /// Check a configuration without starting anything.
    Check(Serve),
}

#[derive(Debug, Args)]
struct Place {
    /// A TOML file; flags override it. See relay.example.toml.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The data folder: key, spool, lock.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct Serve {
    #[command(flatten)]
    place: Place,
    /// The UDP address to listen at [default: 0.0.0.0:4433].
    #[arg(long, value_name = "IP:PORT")]
    listen: Option<SocketAddr>,
    /// How clients reach the relay [default: the address it listens at].
    #[arg(long, value_name = "HOST:PORT")]
    public: Option<PublicPlace>,
}

/// Runs the program with the arguments of this process.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    match execute(&cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(complaint) => {
            // Nowhere is left to report that standard error is closed.
            drop(writeln!(io::stderr(), "{}", complaint.render(cli.json)));
            ExitCode::from(complaint.code())
        }
    }
}

fn execute(cli: &Cli) -> Result<(), Complaint> {
    match &cli.command {
        Command::Serve(serve) => {
            let (config, log) = serve.resolve()?;
            start_log(cli.log.as_deref().or(log.as_deref()).unwrap_or("info"))?;
            let runtime = tokio::runtime::Runtime::new().map_err(|error| texts::system(&error))?;
            runtime.block_on(self::serve(config))
        }
        Command::Status(place) => show_status(&place.resolve()?.0, cli.json),
        Command::Check(serve) => check(serve, cli.log.as_deref(), cli.json),
    }
}

async fn serve(config: Config) -> Result<(), Complaint> {
    let (data, listen) = (config.data.clone(), config.listen);
    let local_only = config.public.is_none() && listen.ip().is_unspecified();
    let stop = signals::stop().map_err(|error| texts::system(&error))?;
    let relay = Relay::bind(config).await.map_err(|error| texts::bind(&error, &data, listen))?;
    if local_only {
        tracing::warn!("{}", texts::LOCAL_ONLY);
    }
    tracing::info!(listen = %relay.local_address(), "listening");
    print(&format!("relay: {}\n", relay.url()));
    tokio::select! {
        () = stop => {
            tracing::info!("stopping");
            relay.shutdown().await;
            Ok(())
        }
        failure = relay.failed() => {
            relay.shutdown().await;
            Err(texts::spool_failed(failure, &data))
        }
    }
}

fn show_status(data: &Path, json: bool) -> Result<(), Complaint> {
    let status = status::read(data).map_err(|error| texts::status(&error, data))?;
    let text =
        if json { serde_json::to_string(&status).unwrap_or_default() + "\n" } else { status.lines(system_time().0) };
    print(&text);
    Ok(())
}

fn check(serve: &Serve, flag: Option<&str>, json: bool) -> Result<(), Complaint> {
    let (config, log) = serve.resolve()?;
    filter(flag.or(log.as_deref()).unwrap_or("info"))?;
    config.check().map_err(|error| texts::bind(&error, &config.data, config.listen))?;
    print(if json { "{\"version\":1,\"valid\":true}\n" } else { "configuration: valid\n" });
    Ok(())
}

impl Place {
    /// The data folder and what the file says besides.
    fn resolve(&self) -> Result<(PathBuf, FileConfig), Complaint> {
        let file = match &self.config {
            None => FileConfig::default(),
            Some(path) => {
                let text = std::fs::read_to_string(path).map_err(|error| texts::config_unreadable(path, &error))?;
                toml::from_str(&text).map_err(|error| texts::config_wrong(path, &error))?
            }
        };
        let data = self.data.clone().or_else(|| file.data.clone()).or_else(config::default_data);
        Ok((data.ok_or_else(texts::no_data_folder)?, file))
    }
}

impl Serve {
    /// The configuration after flags, and the log filter of the file.
    fn resolve(&self) -> Result<(Config, Option<String>), Complaint> {
        let (data, file) = self.place.resolve()?;
        let listen = self.listen.or(file.listen).unwrap_or(config::DEFAULT_LISTEN);
        let public = self.public.clone().or(file.public).map(|PublicPlace(host, port)| (host, port));
        Ok((Config { data, listen, public, limits: file.limits }, file.log))
    }
}

/// What is asked for, without the libraries that name peers by their addresses below ERROR, unless those are asked for
/// by name.
fn filter(text: &str) -> Result<EnvFilter, Complaint> {
    const QUIET: &str = "quinn=error,quinn_proto=error,quinn_udp=error";
    EnvFilter::try_new(format!("{QUIET},{text}")).map_err(|_| texts::log_filter(text))
}

fn start_log(text: &str) -> Result<(), Complaint> {
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter(text)?)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .with_target(false);
    // A second start in one process keeps the first one's log.
    drop(subscriber.try_init());
    Ok(())
}

fn print(text: &str) {
    let mut out = io::stdout().lock();
    // A reader that has gone away does not stop a relay.
    drop(out.write_all(text.as_bytes()).and_then(|()| out.flush()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_that_name_peers_are_silent_unless_asked_by_name() {
        for text in ["info", "warn", "debug"] {
            let shown = filter(text).unwrap().to_string();
            for library in ["quinn=error", "quinn_proto=error", "quinn_udp=error", text] {
                assert!(shown.split(',').any(|directive| directive == library), "{shown}");
            }
        }
        let asked = filter("info,quinn=trace").unwrap().to_string();
        assert!(asked.contains("quinn=trace") && !asked.contains("quinn=error"), "{asked}");
        assert!(filter("=,=").is_err());
    }
}
