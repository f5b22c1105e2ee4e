//! `${X:-default}` as bash reads it.
