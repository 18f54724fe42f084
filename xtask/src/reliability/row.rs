//! What a row of our tables may say.
//!
//! A row names what shows it; what became of that is computed from a run. No row can call itself shown.

/// What one of our tables holds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    /// Its number in its table.
    pub(crate) key: &'static str,
    /// What holds, or is to hold.
    pub(crate) claim: &'static str,
    pub(crate) extent: Extent,
    /// What shows it.
    pub(crate) by: &'static [By],
    /// The figures that belong to it, by name.
    pub(crate) figures: &'static [&'static str],
}

/// How much of a claim its tests attack, if they hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    /// All of it.
    Whole,
    /// All but this.
    Part(&'static str),
    /// Nothing: what it is about is not built. Says what that is.
    NotBuilt(&'static str),
    /// Nothing yet, though what it is about exists. Says what is missing.
    #[cfg_attr(not(test), expect(dead_code, reason = "no row is open at the moment"))]
    Open(&'static str),
}

/// What shows a claim. Every package here is `rohrpost-` something, which is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    /// A test, `package::target::name`.
    Test(&'static str),
    /// All tests of `package::target`, whose names are made from a table.
    Target(&'static str),
    /// A step of `cargo xtask ci`.
    Step(&'static str),
}

impl Row {
    /// Why the row cannot be right whatever a run says, if it cannot.
    pub(crate) fn fault(&self) -> Option<String> {
        let claims = matches!(self.extent, Extent::Whole | Extent::Part(_));
        let fault = match (claims, self.by.is_empty()) {
            (true, true) => "names nothing that shows it",
            (false, false) => "names what shows it, and says that nothing does",
            (true, false) | (false, true) => return None,
        };
        Some(format!("{}: {fault}", self.key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(extent: Extent, by: &'static [By]) -> Row {
        Row { key: "1", claim: "it holds", extent, by, figures: &[] }
    }

    #[test]
    fn a_row_that_claims_without_a_test_is_refused() {
        assert!(row(Extent::Whole, &[]).fault().is_some());
        assert!(row(Extent::Part("half"), &[]).fault().is_some());
        assert!(row(Extent::Open("all"), &[By::Step("demo")]).fault().is_some());
        assert!(row(Extent::NotBuilt("all"), &[By::Step("demo")]).fault().is_some());
        assert!(row(Extent::Whole, &[By::Step("demo")]).fault().is_none());
        assert!(row(Extent::Open("all"), &[]).fault().is_none());
    }
}
