//! The command's own grammar.

use clap::Parser;

/// The part of curl's grammar that says what is sent. What only concerns the terminal is read and forgotten.
#[derive(Debug, Parser)]
#[expect(clippy::struct_excessive_bools, reason = "these are curl's own switches")]
#[command(name = "curl", disable_help_flag = true, disable_version_flag = true)]
pub(super) struct Curl {
    /// Where; some write `--url`.
    pub(super) urls: Vec<String>,
    #[arg(long)]
    pub(super) url: Option<String>,
    #[arg(short = 'X', long)]
    pub(super) request: Option<String>,
    #[arg(short = 'H', long)]
    pub(super) header: Vec<String>,
    #[arg(short = 'd', long, visible_aliases = ["data-raw", "data-binary", "data-ascii"], allow_hyphen_values = true)]
    pub(super) data: Vec<String>,
    #[arg(long)]
    pub(super) json: Vec<String>,
    #[arg(short = 'u', long)]
    pub(super) user: Option<String>,
    #[arg(short = 'F', long)]
    pub(super) form: Vec<String>,
    #[arg(short = 'G', long)]
    pub(super) get: bool,
    #[arg(short = 's', long)]
    pub(super) silent: bool,
    #[arg(short = 'S', long)]
    pub(super) show_error: bool,
    #[arg(short = 'L', long)]
    pub(super) location: bool,
    #[arg(short = 'i', long)]
    pub(super) include: bool,
    #[arg(short = 'v', long)]
    pub(super) verbose: bool,
    #[arg(short = 'k', long)]
    pub(super) insecure: bool,
    #[arg(short = 'f', long)]
    pub(super) fail: bool,
    #[arg(short = 'N', long)]
    pub(super) no_buffer: bool,
    #[arg(long)]
    pub(super) compressed: bool,
    #[arg(long = "http1.1")]
    pub(super) http1_1: bool,
    #[arg(long)]
    pub(super) http2: bool,
    #[arg(short = 'o', long)]
    pub(super) output: Option<String>,
    #[arg(short = 'm', long)]
    pub(super) max_time: Option<String>,
    #[arg(short = 'A', long)]
    pub(super) user_agent: Option<String>,
}

impl Curl {
    /// What is sent: curl's own choice, or the one that the command names when the language has it.
    pub(super) fn method(&self) -> Result<String, String> {
        let sends = !self.data.is_empty() || !self.json.is_empty();
        if self.get && sends {
            return Err("it sends its data in the query (`-G -d`): write them into the URL".to_owned());
        }
        let usual = if sends { "POST" } else { "GET" };
        let method = self.request.as_deref().unwrap_or(usual).to_ascii_uppercase();
        match method.as_str() {
            "DELETE" | "GET" | "PATCH" | "POST" | "PUT" => Ok(method),
            _ => Err("its method is none of GET, POST, PUT, PATCH and DELETE".to_owned()),
        }
    }
}
