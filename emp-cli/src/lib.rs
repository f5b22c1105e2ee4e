//! The emp command line, as a library.
