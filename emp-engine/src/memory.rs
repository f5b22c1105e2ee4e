//! What the polls of one job have told so far. Not stored: after a crash it is gone, and only pacing starts anew.
