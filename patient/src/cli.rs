//! The command line: what can be said, and who carries it out.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Args, Parser, Subcommand};
use jiff::tz::TimeZone;

use crate::console::Console;
use crate::exit::Exit;
use crate::home::Home;
use crate::listing::IdPrefix;
use crate::place::Place;
use crate::problem::Problem;
use crate::retry::{self, Retry};
use crate::session::Session;
use crate::texts::help;
use crate::{enrol, input, listing, output, overview, texts, transfer};

#[derive(Debug, Parser)]
#[command(name = "rohrpost", version, about = help::ABOUT, after_help = help::EXIT_CODES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[arg(long, global = true, value_name = "DIR", env = "ROHRPOST_HOME", help = help::HOME)]
    home: Option<PathBuf>,
    #[arg(long, global = true, help = help::JSON)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    #[command(about = help::ACCEPT, after_help = help::ACCEPT_EXAMPLE)]
    Accept(Accept),
    #[command(about = help::LIST, after_help = help::LIST_EXAMPLE)]
    List,
    #[command(about = help::GET, after_help = help::GET_EXAMPLE)]
    Get(Get),
    #[command(about = help::STATUS, after_help = help::STATUS_EXAMPLE)]
    Status,
}

#[derive(Debug, Args)]
struct Accept {
    #[arg(value_name = "LINK", help = help::LINK)]
    link: input::LinkText,
    #[arg(long, value_name = "F", help = help::PIN_FILE)]
    pin_file: Option<PathBuf>,
    #[arg(long, value_name = "NAME", help = help::DEVICE_NAME)]
    device_name: Option<String>,
}

#[derive(Debug, Args)]
struct Get {
    #[arg(value_name = "ID", help = help::ID)]
    id: String,
    #[arg(short, long, value_name = "FILE", help = help::OUTPUT)]
    output: Option<PathBuf>,
    #[arg(long, requires = "output", help = help::FORCE)]
    force: bool,
    #[arg(long, value_name = "N", default_value_t = retry::TRIES, help = help::TRIES,
          value_parser = clap::value_parser!(u32).range(1..=1000))]
    tries: u32,
}

/// Runs the program with these arguments, the program's own name first.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let cli = match Cli::try_parse_from(&arguments) {
        Ok(cli) => cli,
        Err(error) => return misused(&error, arguments.iter().any(|argument| argument == "--json")),
    };
    let json = cli.json;
    match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => report(runtime.block_on(execute(cli)), json),
        Err(error) => report(Err(Problem::Input(PathBuf::from("tokio"), error)), json),
    }
}

/// What a command has to say on standard output, what kept it from more, and what to warn of.
struct Outcome {
    said: Option<String>,
    problem: Option<Problem>,
    warnings: Vec<&'static str>,
}

impl Outcome {
    fn of(result: Result<String, Problem>, warnings: Vec<&'static str>) -> Self {
        match result {
            Ok(said) => Self { said: Some(said), problem: None, warnings },
            Err(problem) => Self { said: None, problem: Some(problem), warnings },
        }
    }
}

async fn execute(cli: Cli) -> Result<Outcome, Problem> {
    let home = cli.home.map(Home::at).or_else(Home::usual).ok_or(Problem::NoHome)?;
    let json = cli.json;
    match cli.command {
        Command::Accept(arguments) => accept(&home, arguments, json).await,
        Command::List => list(home, json).await,
        Command::Get(arguments) => get(home, arguments, json).await,
        Command::Status => status(home, json).await,
    }
}

async fn accept(home: &Home, arguments: Accept, json: bool) -> Result<Outcome, Problem> {
    let link = enrol::parse_link(&arguments.link.read()?)?;
    let accepted = if let Some(accepted) = enrol::already(home, &link).await? {
        accepted
    } else {
        let pin = input::pin(arguments.pin_file.as_deref())?;
        let device_name = arguments.device_name.unwrap_or_else(input::host_name);
        enrol::accept(home, &enrol::Invitation { link, pin, device_name }).await?
    };
    let owner = &accepted.owner;
    let said = if json {
        let device = home.account()?.map(|account| account.device_id());
        output::line(&output::accepted_object(&accepted, device, &home.account_path()))
    } else if accepted.already {
        texts::already_accepted(&owner.practice)
    } else {
        texts::accepted(&owner.practice, &owner.patient, &home.account_path())
    };
    Ok(Outcome::of(Ok(said), Vec::new()))
}

async fn list(home: Home, json: bool) -> Result<Outcome, Problem> {
    let mut session = Session::open(home)?;
    let documents = listing::all(&mut session).await;
    session.end().await;
    let warnings = warnings(&session, json);
    let said = documents.map(|documents| {
        if json {
            output::line(&output::list_object(&documents, &warnings))
        } else {
            output::table(&documents, &TimeZone::system())
        }
    });
    Ok(Outcome::of(said, warnings))
}

async fn get(home: Home, arguments: Get, json: bool) -> Result<Outcome, Problem> {
    let prefix = IdPrefix::parse(&arguments.id)?;
    let place = match arguments.output {
        None => Place::Folder(PathBuf::new()),
        Some(path) if path.is_dir() => Place::Folder(path),
        Some(path) => Place::File { path, replace: arguments.force },
    };
    let console = if json { Console::silent() } else { Console::talking() };
    let mut session = Session::open(home)?;
    let saved = transfer::get(&mut session, &console, prefix, place, Retry::new(arguments.tries)).await;
    session.end().await;
    let warnings = warnings(&session, json);
    let said = saved.map(|saved| {
        if json {
            output::line(&output::saved_object(&saved, &warnings))
        } else {
            texts::saved(&saved.path, &output::size(saved.length))
        }
    });
    Ok(Outcome::of(said, warnings))
}

async fn status(home: Home, json: bool) -> Result<Outcome, Problem> {
    let mut session = Session::open(home.clone())?;
    let (overview, problem) = overview::overview(&home, &mut session).await;
    session.end().await;
    let warnings = warnings(&session, json);
    let said = if json {
        output::line(&output::status_object(&overview, &warnings))
    } else {
        output::status_lines(&overview, &TimeZone::system())
    };
    Ok(Outcome { said: Some(said), problem, warnings })
}

/// What the person must be warned of: said at once, or for the object.
fn warnings(session: &Session, json: bool) -> Vec<&'static str> {
    let all = [
        (session.was_set_back(), texts::SET_BACK, "safe_set_back"),
        (session.was_altered(), texts::ALTERED, "answer_altered"),
    ];
    let due = all.into_iter().filter(|(due, ..)| *due);
    let console = if json { Console::silent() } else { Console::talking() };
    due.map(|(_, sentence, word)| {
        console.note(sentence);
        word
    })
    .collect()
}

fn report(outcome: Result<Outcome, Problem>, json: bool) -> ExitCode {
    let Outcome { said, problem, warnings } = outcome.unwrap_or_else(|problem| Outcome::of(Err(problem), Vec::new()));
    if said.is_some_and(|said| !say(&said)) {
        return ExitCode::from(Exit::Disk.number());
    }
    let Some(problem) = problem else { return ExitCode::from(Exit::Done.number()) };
    let sentence =
        if json { output::line(&output::error_object(&problem, &warnings)) } else { texts::problem(&problem) };
    Console::talking().note(&sentence);
    ExitCode::from(problem.exit().number())
}

/// Help and version go to standard output and are no error; anything else is.
fn misused(error: &clap::Error, json: bool) -> ExitCode {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        return ExitCode::from(if error.print().is_ok() { Exit::Done.number() } else { Exit::Disk.number() });
    }
    let code = Exit::Usage.number();
    if json {
        Console::talking().note(&output::line(&output::usage_object(&error.render().to_string(), code)));
    } else {
        Console::talking().note(error.render().to_string().trim_end());
    }
    ExitCode::from(code)
}

/// Writes a result to standard output; false if nobody takes it, such as a closed pipe.
fn say(text: &str) -> bool {
    use std::io::Write as _;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}").and_then(|()| out.flush()).is_ok()
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed_and_every_command_shows_an_example() {
        let mut command = Cli::command();
        command.clone().debug_assert();
        for sub in command.get_subcommands_mut() {
            let help = sub.render_help().to_string();
            assert!(help.contains(&format!("Example:\n  rohrpost {}", sub.get_name())), "{help}");
        }
    }
}
