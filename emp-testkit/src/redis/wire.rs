//! The server's protocol, as far as a test needs it: one question on a connection of its own.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

/// How long a server is waited for.
const PATIENCE: Duration = Duration::from_secs(5);
/// Nothing that a test asks for is longer.
const LONGEST: usize = 64 << 20;

/// What a server answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Nothing.
    Nil,
    /// A number.
    Number(i64),
    /// A text.
    Text(String),
    /// A refusal.
    Error(String),
    /// A list.
    List(Vec<Answer>),
}

impl Answer {
    /// It was refused.
    pub fn refused(&self) -> bool {
        matches!(self, Self::Error(_))
    }

    /// As text; the items of a list are parted by spaces.
    pub fn text(&self) -> String {
        match self {
            Self::Nil => String::new(),
            Self::Number(number) => number.to_string(),
            Self::Text(text) | Self::Error(text) => text.clone(),
            Self::List(items) => items.iter().map(Self::text).collect::<Vec<_>>().join(" "),
        }
    }
}

/// Asks the server on a port of loopback.
pub(super) fn ask(port: u16, words: &[&str]) -> io::Result<Answer> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let words_sent = words.iter().map(|word| format!("${}\r\n{word}\r\n", word.len()));
    let question: String = std::iter::once(format!("*{}\r\n", words.len())).chain(words_sent).collect();
    stream.write_all(question.as_bytes())?;
    read(&mut BufReader::new(stream))
}

fn read(stream: &mut BufReader<TcpStream>) -> io::Result<Answer> {
    let mut line = String::new();
    stream.read_line(&mut line)?;
    let strange = || io::Error::new(io::ErrorKind::InvalidData, "not an answer of a Redis server");
    let mut rest = line.trim_end().chars();
    let kind = rest.next().ok_or_else(strange)?;
    let rest = rest.as_str();
    let length = || rest.parse::<i64>().map_err(|_| strange());
    Ok(match kind {
        '+' => Answer::Text(rest.to_owned()),
        '-' => Answer::Error(rest.to_owned()),
        ':' => Answer::Number(length()?),
        '$' | '*' if length()? < 0 => Answer::Nil,
        '$' => {
            let length = usize::try_from(length()?).unwrap_or_default();
            if length > LONGEST {
                return Err(strange());
            }
            let mut text = vec![0; length + 2];
            stream.read_exact(&mut text)?;
            text.truncate(length);
            Answer::Text(String::from_utf8_lossy(&text).into_owned())
        }
        '*' => Answer::List((0..length()?).map(|_| read(stream)).collect::<io::Result<_>>()?),
        _ => return Err(strange()),
    })
}
