//! `doctor`: what is found of credentials, endpoints and permissions, and of this machine.

use clap::{Args, ValueEnum};
use tokio::sync::mpsc::unbounded_channel;
use tokio_util::sync::CancellationToken;

use crate::cli::{Cloud, Described, Out, Target, all_clouds};
use crate::commands::anybody;
use crate::commands::verify::{self, Proof};
use crate::console::Console;
use crate::deadline::Deadline;
use crate::doctor::{Question, answer, of_this_machine};
use crate::error::{Result, exit};
use crate::option::parsed;
use crate::span::Span;
use crate::verify::{Checking, Verdict};
use crate::view::checks;
use crate::view::progress::Style;

/// With a cloud, all about it; without one, this machine and whether each cloud has credentials.
#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct DoctorCommand {
    #[command(subcommand)]
    cloud: Option<Cloud<DoctorArgs, Described>>,
    #[command(flatten)]
    form: DoctorForm,
}

#[derive(Args, Debug)]
pub(crate) struct DoctorArgs {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    form: DoctorForm,
}

#[derive(Args, Debug)]
struct DoctorForm {
    #[command(flatten)]
    out: Out,
    /// Longest time for each check; all of them run side by side
    #[arg(long, value_name = "TIME", default_value = "20s", value_parser = parsed::<Span>())]
    within: Span,
    /// Output format
    #[arg(long, value_enum, default_value_t)]
    format: DoctorFormat,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum DoctorFormat {
    /// Text for people
    #[default]
    Human,
    /// JSON, one object per line
    Json,
    /// A table to paste into an issue
    Markdown,
}

impl DoctorCommand {
    pub(crate) fn format(&self) -> DoctorFormat {
        self.form().format
    }

    pub(crate) fn out(&self) -> &Out {
        &self.form().out
    }

    fn form(&self) -> &DoctorForm {
        self.cloud.as_ref().map_or(&self.form, |cloud| &cloud.command().form)
    }
}

pub(crate) async fn run(
    command: DoctorCommand,
    console: &mut Console,
    cancel: CancellationToken,
) -> Result<u8> {
    let mut title = "wbstore doctor".to_owned();
    let mut questions: Vec<_> = of_this_machine().into_iter().map(|question| (None, question)).collect();
    let form = match command.cloud {
        Some(cloud) => {
            let (args, options) = cloud.split();
            title = format!("{title} {}", options.cloud());
            let wanted = args.target.named_or("wbstore".parse()?)?;
            let all = options.questions(wanted, args.target.is_named());
            questions.extend(all.into_iter().map(|question| (Some(options.cloud()), question)));
            args.form
        }
        None => {
            for options in all_clouds() {
                let all = options.questions(anybody()?, false).into_iter();
                let found = all.filter(Question::is_for_credentials).map(Question::optional);
                questions.extend(found.map(|question| (Some(options.cloud()), question)));
            }
            command.form
        }
    };
    let deadline = Deadline::begin(form.within.as_duration(), cancel.clone());
    let (sender, mut receiver) = unbounded_channel();
    if form.format == DoctorFormat::Markdown {
        let answering = async {
            answer(questions, &deadline, &sender).await;
            Ok(())
        };
        console.busy("checking", answering).await?;
        drop(sender);
        let mut known = vec![];
        while let Some(Checking::Known(check)) = receiver.recv().await {
            known.push(check);
        }
        console.data(&checks::page(&title, &known))?;
        let fails = known.iter().any(|check| matches!(check.verdict, Verdict::Failed { .. }));
        return Ok(if fails { exit::UNVERIFIED } else { exit::DONE });
    }
    if console.progress_style() == Style::Terminal {
        let name = "the remaining checks".to_owned();
        let _ = sender.send(Checking::Begun { name, within: deadline.within() });
    }
    let own = sender.clone();
    let work = async {
        answer(questions, &deadline, &own).await;
        drop(own);
        Ok(())
    };
    verify::prove(vec![Proof::only((sender, receiver), work)], console, &cancel, "interrupted").await
}
