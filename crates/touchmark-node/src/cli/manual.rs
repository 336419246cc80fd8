//! Completion scripts and manual pages, made from the command line's own description.

use super::answer::Answer;
use super::failure::Failure;
use super::session::Session;
use std::path::PathBuf;

/// Print a completion script for a shell
///
/// For bash: touchmark completions bash > ~/.local/share/bash-completion/completions/touchmark
#[derive(clap::Args, Debug)]
pub(super) struct Completions {
    /// For which shell
    shell: clap_complete::Shell,
}

/// Print the manual page, or write all of them
#[derive(clap::Args, Debug)]
pub(super) struct Man {
    /// Folder for the pages of all commands; otherwise the main page goes to standard output
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
}

pub(super) fn completions(completions: &Completions) -> Answer {
    let mut script = Vec::new();
    clap_complete::generate(completions.shell, &mut super::command(), "touchmark", &mut script);
    let document = serde_json::json!({
        "shell": completions.shell.to_string(),
        "script": String::from_utf8_lossy(&script),
    });
    Answer::raw(document, script)
}

pub(super) fn man(session: &Session<'_, '_>, man: &Man) -> Result<Answer, Failure> {
    let Some(folder) = &man.out else {
        let mut page = Vec::new();
        clap_mangen::Man::new(super::command())
            .render(&mut page)
            .map_err(|error| Failure::storage(std::path::Path::new("-"), &error))?;
        let document = serde_json::json!({ "page": String::from_utf8_lossy(&page) });
        return Ok(Answer::raw(document, page));
    };
    let path = session.path(folder);
    std::fs::create_dir_all(&path)
        .and_then(|()| clap_mangen::generate_to(super::command(), &path))
        .map_err(|error| Failure::storage(folder, &error))?;
    let document = serde_json::json!({ "folder": folder.display().to_string() });
    Ok(Answer::new(&document, format!("manual pages: {}\n", folder.display())))
}
