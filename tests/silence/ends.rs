//! How the program ends badly, and what is left of it then.
