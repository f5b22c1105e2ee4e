//! Paths of a declaration beside paths of a description.

/// A path, segment by segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route(Vec<Segment>);

/// A segment of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    /// It stands as it is.
    Text(String),
    /// A value stands there, or is part of it.
    Value,
    /// A value stands there that may have several segments.
    Values,
}

impl Route {
    /// The path of a description: `/jobs/{id}`.
    pub(crate) fn of_file(path: &str) -> Self {
        let segments = path.split('/').filter(|segment| !segment.is_empty());
        Self(
            segments
                .map(|segment| if segment.contains('{') { Segment::Value } else { text(segment) })
                .collect(),
        )
    }

    /// A path of a declaration, piece by piece: a text, or `None` for a value. `many` says that a value keeps its slashes.
    pub fn of_pieces<'t>(pieces: impl IntoIterator<Item = Piece<'t>>) -> Self {
        let mut segments = vec![None::<Segment>];
        for piece in pieces {
            match piece {
                Piece::Value { many } => {
                    let value = if many { Segment::Values } else { Segment::Value };
                    if let Some(last) = segments.last_mut() {
                        *last = Some(value);
                    }
                }
                Piece::Text(written) => {
                    let path = written.split(['?', '#']).next().unwrap_or_default();
                    for (index, part) in path.split('/').enumerate() {
                        if index > 0 {
                            segments.push(None);
                        }
                        // A segment of text and value is a value.
                        if let (Some(last @ None), false) = (segments.last_mut(), part.is_empty()) {
                            *last = Some(text(part));
                        } else if let (Some(last @ Some(Segment::Text(_))), false) =
                            (segments.last_mut(), part.is_empty())
                        {
                            *last = Some(Segment::Value);
                        }
                    }
                }
            }
        }
        Self(segments.into_iter().flatten().collect())
    }

    /// How well a declared path fits this one of a description: in how many segments text meets the same text, or a value a
    /// parameter. `None` when it does not fit.
    pub fn fit(&self, declared: &Self) -> Option<usize> {
        fit(&self.0, &declared.0)
    }

    /// As [`fit`](Self::fit), for a declared path whose base is not known: its end must fit.
    pub fn fit_end(&self, declared: &Self) -> Option<usize> {
        let skip = self.0.len().checked_sub(declared.0.len())?;
        fit(self.0.get(skip..)?, &declared.0)
    }
}

/// A piece of a declared path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece<'t> {
    /// Text.
    Text(&'t str),
    /// A value.
    Value {
        /// It may have slashes.
        many: bool,
    },
}

fn text(segment: &str) -> Segment {
    Segment::Text(segment.to_owned())
}

fn fit(file: &[Segment], declared: &[Segment]) -> Option<usize> {
    match (file, declared) {
        ([], []) => Some(0),
        // It takes one segment, or more.
        ([_, file @ ..], [Segment::Values, behind @ ..]) => fit(file, behind).or_else(|| fit(file, declared)),
        ([Segment::Text(a), file @ ..], [Segment::Text(b), declared @ ..]) if a == b => {
            fit(file, declared).map(|alike| alike + 1)
        }
        ([Segment::Text(_), ..], [Segment::Text(_), ..]) => None,
        ([Segment::Value, file @ ..], [Segment::Value, declared @ ..]) => {
            fit(file, declared).map(|alike| alike + 1)
        }
        ([_, file @ ..], [_, declared @ ..]) => fit(file, declared),
        _ => None,
    }
}

/// The path of a URL: `/v1` of `https://api.example.com/v1`.
pub fn base_path(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let path = if url.contains("://") { rest.find('/').map_or("", |at| &rest[at..]) } else { rest };
    path.split(['?', '#']).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn declared(pieces: &[Piece<'_>]) -> Route {
        Route::of_pieces(pieces.iter().copied())
    }

    const VALUE: Piece<'static> = Piece::Value { many: false };
    const VALUES: Piece<'static> = Piece::Value { many: true };

    #[test]
    fn a_value_fits_a_parameter_and_a_text_and_a_text_only_itself() {
        let file = Route::of_file("/v1/predictions/{id}");
        assert_eq!(file.fit(&declared(&[Piece::Text("/v1/predictions/"), VALUE])), Some(3));
        assert_eq!(file.fit(&declared(&[Piece::Text("/v1/prediction/"), VALUE])), None);
        assert_eq!(file.fit(&declared(&[Piece::Text("/v1/predictions")])), None);
        assert_eq!(file.fit(&declared(&[Piece::Text("/v1/"), VALUE, Piece::Text("/x")])), Some(1));
        let literal = Route::of_file("/v1/predictions/stats");
        assert_eq!(
            literal.fit(&declared(&[Piece::Text("/v1/predictions/"), VALUE])),
            Some(2),
            "a parameter fits better"
        );
        assert_eq!(Route::of_file("/a/b").fit(&declared(&[Piece::Text("/a/pre-"), VALUE])), Some(1));
    }

    #[test]
    fn a_value_with_slashes_takes_several_segments() {
        let file = Route::of_file("/models/{owner}/{name}/predictions");
        assert_eq!(
            file.fit(&declared(&[Piece::Text("/models/"), VALUES, Piece::Text("/predictions")])),
            Some(2)
        );
        assert_eq!(file.fit(&declared(&[Piece::Text("/models/"), VALUE, Piece::Text("/predictions")])), None);
    }

    #[test]
    fn an_unknown_base_compares_the_end() {
        let file = Route::of_file("/v1/chat/completions");
        assert_eq!(file.fit_end(&declared(&[Piece::Text("/chat/completions")])), Some(2));
        assert_eq!(file.fit_end(&declared(&[Piece::Text("/a/b/c/chat/completions")])), None);
    }

    #[test]
    fn the_base_is_the_path_of_a_url() {
        assert_eq!(base_path("https://api.example.com/v1/?x=1"), "/v1/");
        assert_eq!(base_path("https://api.example.com"), "");
        assert_eq!(base_path("/api/v2"), "/api/v2");
        assert_eq!(base_path(""), "");
    }
}
