//! Runs the commands of the documentation against a real server, page by page.
//!
//! A command stands in a block that is fenced as `sh`, or indented and begins with a program. All blocks of a page are one script, in a
//! folder of its own in which the repository's folders lie. What a page needs and does not show is a comment before the block,
//! `<!-- run: COMMANDS -->`; what stands for something else from there on is told by `<!-- where: TEXT = COMMANDS -->`; what cannot run
//! here says why, `<!-- not run: REASON -->`.

use crate::shell::{built, command, output, root, target};
use anyhow::{Context, bail, ensure};
use std::fmt::Write as _;
use std::fs;
use std::net::TcpListener;
use std::process::Command;

/// What a page can count on: the programs as functions, servers, and files to send.
const PRELUDE: &str = include_str!("docs.sh");

/// First words by which an indented block is one of commands.
const PROGRAMS: [&str; 20] = [
    "cargo",
    "curl",
    "docker",
    "einthoven",
    "export",
    "gcc",
    "git",
    "helm",
    "jq",
    "kubectl",
    "make",
    "mlflow",
    "node",
    "npm",
    "openssl",
    "pip",
    "podman",
    "promtool",
    "python",
    "python3",
];

/// Commands of a page.
#[derive(Debug, PartialEq)]
struct Block {
    /// Where it begins, from 1.
    line: usize,
    commands: String,
    /// Why it does not run.
    not_run: Option<String>,
}

/// Runs all pages, or those whose path holds one of `names`.
pub(crate) fn run(names: &[&str]) -> anyhow::Result<()> {
    let mlflow = Mlflow {
        folder: tempfile::tempdir()?,
        port: free_port()?,
    };
    let listed = output(command("git", &["ls-files", "README.md", "docs/*.md", "examples/*.md"]))?;
    let (mut failed, mut left_out) = (Vec::new(), Vec::new());
    for page in listed.lines() {
        if !names.is_empty() && !names.iter().any(|name| page.contains(name)) {
            continue;
        }
        let text = fs::read_to_string(root().join(page)).with_context(|| format!("cannot read {page}"))?;
        let blocks = blocks(&text).with_context(|| page.to_owned())?;
        let reasons = blocks
            .iter()
            .filter_map(|block| Some((block.line, block.not_run.as_ref()?)));
        left_out.extend(reasons.map(|(line, reason)| format!("  {page}:{line}: {reason}")));
        if blocks.iter().all(|block| block.not_run.is_some()) {
            continue;
        }
        let start = std::time::Instant::now();
        let done = page_runs(page, &blocks, &mlflow);
        eprintln!("{page}: {:.1} s", start.elapsed().as_secs_f64());
        if let Err(cause) = done {
            eprintln!("{cause:#}");
            failed.push(page);
        }
    }
    eprintln!("not run:\n{}", left_out.join("\n"));
    ensure!(failed.is_empty(), "commands fail in {}", failed.join(", "));
    Ok(())
}

/// Where the pages' one MLflow server lies, if a page started it.
struct Mlflow {
    folder: tempfile::TempDir,
    port: u16,
}

impl Drop for Mlflow {
    fn drop(&mut self) {
        if let Ok(id) = fs::read_to_string(self.folder.path().join("pid")) {
            // Its workers are in its process group.
            let _ = Command::new("kill")
                .args(["-KILL", "--", &format!("-{}", id.trim())])
                .status();
        }
    }
}

fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// One page in a folder of its own.
fn page_runs(page: &str, blocks: &[Block], mlflow: &Mlflow) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    for entry in fs::read_dir(root())? {
        let entry = entry?;
        // A page may make folders of these names itself.
        if !entry.file_name().to_string_lossy().starts_with('.') && entry.file_name() != "target" {
            std::os::unix::fs::symlink(entry.path(), folder.path().join(entry.file_name()))?;
        }
    }
    std::os::unix::fs::symlink(target(), folder.path().join("target"))?;
    let port = free_port()?;
    let script = script(page, blocks, port, mlflow.port)?;
    let mut shell = Command::new("bash");
    shell.args(["-c", &script]).current_dir(folder.path());
    shell
        .env("ROOT", root())
        .env("TARGET", target())
        .env("BINARY", built("einthoven"))
        .env("PORT", port.to_string());
    shell
        .env("MLFLOW_PORT", mlflow.port.to_string())
        .env("MLFLOW_FOLDER", mlflow.folder.path());
    shell.env_remove("EINTHOVEN_KEY").stdin(std::process::Stdio::null());
    let output = shell.output().context("cannot start bash")?;
    ensure!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}

/// The page as one script; what the pages say of the usual ports is asked of this page's servers.
fn script(page: &str, blocks: &[Block], port: u16, mlflow: u16) -> anyhow::Result<String> {
    let mut script = PRELUDE.to_owned();
    for block in blocks.iter().filter(|block| block.not_run.is_none()) {
        writeln!(script, "echo '== {page}:{}'", block.line)?;
        let commands = block.commands.replace("127.0.0.1:5000", &format!("127.0.0.1:{port}"));
        let commands = commands.replace("127.0.0.1:5001", &format!("127.0.0.1:{mlflow}"));
        for line in commands.lines() {
            // A server is started in the background anyhow, and waited for.
            let serves = line.contains(" serve");
            script += line.strip_suffix(" &").filter(|_| serves).unwrap_or(line);
            script.push('\n');
        }
    }
    Ok(script)
}

/// The commands of a page, shown and not shown.
fn blocks(text: &str) -> anyhow::Result<Vec<Block>> {
    let mut found = Vec::new();
    let mut stands_for: Vec<(String, String)> = Vec::new();
    let said = |text: &str, stands_for: &[(String, String)]| {
        let replaced = |text: String, (from, to): &(String, String)| text.replace(from, to);
        stands_for.iter().fold(text.to_owned(), replaced)
    };
    let mut reason: Option<(usize, String)> = None;
    let mut lines = text.lines().enumerate().peekable();
    let mut blank = true;
    while let Some((index, line)) = lines.next() {
        let line_number = index + 1;
        if let Some(comment) = line.strip_prefix("<!-- ") {
            let mut comment = comment.to_owned();
            while !comment.contains("-->") {
                let Some((_, more)) = lines.next() else {
                    bail!("line {line_number}: the comment does not end");
                };
                comment = format!("{comment}\n{more}");
            }
            let comment = comment.split("-->").next().unwrap_or_default().trim();
            if let Some(why) = comment.strip_prefix("not run: ") {
                reason = Some((line_number, why.to_owned()));
            } else if let Some((from, to)) = comment.strip_prefix("where: ").and_then(|text| text.split_once(" = ")) {
                stands_for.push((from.to_owned(), to.to_owned()));
            } else if let Some(commands) = comment.strip_prefix("run:") {
                found.push(Block {
                    line: line_number,
                    commands: said(commands.trim(), &stands_for),
                    not_run: None,
                });
            }
        } else if let Some(language) = line.strip_prefix("```") {
            let inside: Vec<&str> = lines
                .by_ref()
                .map(|(_, line)| line)
                .take_while(|line| !line.starts_with("```"))
                .collect();
            if ["sh", "bash", "console"].contains(&language.trim()) {
                found.push(block(line_number, &said(&inside.join("\n"), &stands_for), &mut reason));
            }
        } else if line.starts_with("    ") && blank {
            let mut inside = vec![&line[4..]];
            while let Some((_, more)) = lines.next_if(|(_, more)| more.starts_with("    ")) {
                inside.push(&more[4..]);
            }
            if inside.iter().any(|line| is_command(line)) {
                found.push(block(line_number, &said(&inside.join("\n"), &stands_for), &mut reason));
            }
        } else if !line.is_empty()
            && let Some((at, _)) = reason
        {
            bail!("line {at}: no commands follow that do not run");
        }
        blank = line.is_empty() || line.starts_with("<!--");
    }
    Ok(found)
}

fn block(line: usize, commands: &str, reason: &mut Option<(usize, String)>) -> Block {
    Block {
        line,
        commands: commands.to_owned(),
        not_run: reason.take().map(|(_, why)| why),
    }
}

/// Whether a line begins with a program, perhaps behind variables that are set for it.
fn is_command(line: &str) -> bool {
    let mut words = line.split_whitespace().skip_while(|word| {
        let name = word.split('=').next().unwrap_or_default();
        word.contains('=') && name.chars().all(|letter| letter.is_ascii_uppercase() || letter == '_')
    });
    words.next().is_some_and(|word| PROGRAMS.contains(&word))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
    use super::{Block, blocks, script};

    const PAGE: &str = "# A page\n\n<!-- run: owner -->\n```sh\neinthoven serve &\ncurl http://127.0.0.1:5000/x\n```\n\n    {\"no\": 1}\n\n    \
                        A=1 einthoven keys list\n\n<!-- not run: needs a cluster -->\n\n    kubectl get pods\n";

    #[test]
    fn commands_are_found_however_they_are_set() {
        let block = |line, commands: &str, not_run: Option<&str>| Block {
            line,
            commands: commands.to_owned(),
            not_run: not_run.map(str::to_owned),
        };
        let expected = [
            block(3, "owner", None),
            block(4, "einthoven serve &\ncurl http://127.0.0.1:5000/x", None),
            block(11, "A=1 einthoven keys list", None),
            block(15, "kubectl get pods", Some("needs a cluster")),
        ];
        assert_eq!(blocks(PAGE).unwrap(), expected);
        let placed = blocks("<!-- where: ID = $ID -->\n\n    curl x/ID\n").unwrap();
        assert_eq!(placed, [block(3, "curl x/$ID", None)]);
    }

    #[test]
    fn a_reason_without_commands_is_refused() {
        assert!(blocks("<!-- not run: why -->\n\nText.\n").is_err());
        assert!(blocks("<!-- run: never ends\n").is_err());
    }

    #[test]
    fn a_page_asks_its_own_server_and_waits_for_it() {
        let script = script("a.md", &blocks(PAGE).unwrap(), 7, 8).unwrap();
        assert!(script.contains("curl http://127.0.0.1:7/x\n") && script.contains("einthoven serve\n"));
        assert!(!script.contains("kubectl"));
    }
}
