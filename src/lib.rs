//! EMP.
