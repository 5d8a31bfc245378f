//! The names of the engine's functions.

const NAMES: &str = "abs all any avg ceil coalesce collect count date datetime duration e \
    endNode exists exp floor head id keys labels last left length localdatetime localtime log log10 lTrim max min nodes \
    none percentileCont percentileDisc pi properties rand range relationships replace reverse right round rTrim sign \
    single size split sqrt startNode stDev stDevP substring sum tail time toBoolean toFloat toInteger toLower toString \
    toUpper trim type";

/// All functions of the engine, as it spells them.
pub(in crate::embedded) fn functions() -> impl Iterator<Item = &'static str> {
    NAMES.split_whitespace()
}

/// Whether the engine has a function of this name. Case does not matter.
pub(in crate::embedded) fn is_function(name: &str) -> bool {
    functions().any(|known| known.eq_ignore_ascii_case(name))
}
